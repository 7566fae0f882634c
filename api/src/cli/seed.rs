//! `yijia seed`.

use std::path::{Path, PathBuf};

use clap::Args;
use domain::{
    sample::{Size, at_minute},
    time::BusinessDate,
};
use store::{Clock as _, KeyError, KeyRing, StoreError, SystemClock};

use super::{failure::Failure, open, output::Output, place::Place};
use crate::{
    demo::{self, PASSWORD, Wanted},
    settings::{Engine, Settings},
};

/// Makes a made-up city: residents, providers, carers, three past months of visits, the present month open, and planted
/// frauds with a file that lists them. The same size, seed and day give the same people and visits.
///
/// With --dir the city is built beside that folder and moved there when it is whole. With `DATABASE_URL` of a PostgreSQL
/// database that holds no city, tables are made and rows written there; logins and answers go into --out.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia seed --size street --seed 1 --dir /tmp/street\n  DATABASE_URL=postgres://yijia:…@db/yijia yijia seed --size district --seed 7 --out answers"
)]
pub(super) struct SeedArgs {
    #[command(flatten)]
    place: Place,
    /// street (2,000 residents), district (20,000) or city (1,000,000)
    #[arg(long, value_name = "SIZE")]
    size: Size,
    /// Number from which everything is drawn
    #[arg(long, value_name = "N")]
    seed: u64,
    /// The city's present day; today if it is not given
    #[arg(long, value_name = "DATE")]
    today: Option<BusinessDate>,
    /// Folder for logins and answers of a PostgreSQL city
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// The hour of the city's day, in Shanghai, when the day is given.
const HOUR: i64 = 10;

impl SeedArgs {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let wanted = self.wanted();
        if let Some(dir) = &self.place.dir {
            demo::make_city(dir, &wanted, output).await?;
            return self.tell(dir, &format!("yijia serve --dir {}", dir.display()), output);
        }
        let settings = self.place.settings()?;
        if let Engine::Sqlite { .. } = settings.database.engine() {
            let cure = "an embedded city is built whole in a folder of its own: name it with --dir";
            return Err(Failure::configuration(cure));
        }
        self.fill_server(&settings, &wanted, output).await?;
        self.tell(&self.out, "yijia serve", output)
    }

    fn wanted(&self) -> Wanted {
        let machine = SystemClock::default().now();
        let now = self.today.map_or(machine, |day| at_minute(day, HOUR * 60));
        let ahead = (now - machine).num_seconds();
        let clock_offset_seconds = if self.today.is_some() { ahead } else { 0 };
        Wanted { shape: self.size.shape(), seed: self.seed, now, clock_offset_seconds }
    }

    async fn fill_server(&self, settings: &Settings, wanted: &Wanted, output: &Output) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.out).map_err(|cause| {
            Failure::configuration(format!("the folder {} cannot be made: {cause}; choose another --out", self.out.display()))
        })?;
        let database = open::connect_or_create(settings).await?;
        database.migrate().await?;
        if database.city().await?.is_some() {
            return Err(Failure::configuration("the database holds a city already; name an empty one"));
        }
        let keys = match open::load_keys(settings) {
            Err(KeyError::Missing(_)) => {
                let keys: KeyRing = open::new_keys();
                keys.create_file(&settings.key_file).map_err(StoreError::Key)?;
                keys
            }
            found => found.map_err(StoreError::Key)?,
        };
        let store = database.open(keys).await?;
        let filled = demo::fill(&store, wanted, output.steps("making the city")).await?;
        store.close().await?;
        demo::write_answers(&self.out, &filled.answers)?;
        demo::write_logins(&self.out, &filled.demo)
    }

    fn tell(&self, dir: &Path, serve: &str, output: &mut Output) -> Result<(), Failure> {
        let dir = dir.display();
        output.line(format!("a made-up city ({}, seed {}) is ready", self.size, self.seed))?;
        output.line(format!("  logins          {dir}/demo.json (password {PASSWORD})"))?;
        output.line(format!("  planted frauds  {dir}/answers.json, {dir}/answers.csv"))?;
        output.line(format!("  serve it        {serve}"))
    }
}
