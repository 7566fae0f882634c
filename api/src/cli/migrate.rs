//! `yijia migrate`.

use clap::Args;
use domain::{access::Actor, division::Scope};
use store::{CityMode, KeyError, Schema, StoreError, command::city::FoundCity};

use super::{failure::Failure, open, output::Output, place::Place};
use crate::settings::Settings;

/// Makes the tables of a new database, or applies the changes that an older one lacks.
///
/// For a database without a city the key file is made if there is none; keep a copy of it apart from the
/// database. Nothing is changed in a database that a newer version wrote.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia migrate --dir /var/lib/yijia --city 12\n  DATABASE_URL=postgres://yijia:…@db/yijia YIJIA_KEY_FILE=/etc/yijia/keys.json yijia migrate"
)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    place: Place,
    /// Found the city of this division prefix (`12`, `3203`) in a database that has none
    #[arg(long, value_name = "PREFIX")]
    city: Option<Scope>,
}

impl MigrateArgs {
    /// Everything is done before anything is told, so that a fault of the output leaves no half-made city.
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let mut done = Vec::new();
        let outcome = self.migrate(&mut done).await;
        let told = done.iter().try_for_each(|line| output.line(line));
        outcome.and(told)
    }

    /// Notes what was done, also where a later step fails.
    async fn migrate(&self, done: &mut Vec<String>) -> Result<(), Failure> {
        let settings = self.place.settings()?;
        if let Some(dir) = &self.place.dir {
            let made = std::fs::create_dir_all(dir);
            made.map_err(|cause| {
                Failure::configuration(format!("the folder {} cannot be made: {cause}; choose another --dir", dir.display()))
            })?;
        }
        let database = open::connect_or_create(&settings).await?;
        let before = database.schema().await?;
        database.migrate().await?;
        done.push(changes(before)?);
        if database.city().await?.is_none() {
            done.extend(make_keys(&settings)?);
        }
        match (self.city, database.city().await?) {
            (Some(scope), None) => done.push(found(&settings, scope).await?),
            (Some(scope), Some(city)) if city.scope != scope => {
                return Err(Failure::configuration(format!("the database holds the city {}; one database is one city", city.scope)));
            }
            (Some(_), Some(_)) | (None, _) => {}
        }
        Ok(())
    }
}

/// What a migration from this schema did.
fn changes(before: Schema) -> Result<String, Failure> {
    match before {
        Schema::Current => Ok("the database is up to date".to_owned()),
        Schema::Empty => Ok("the tables were made".to_owned()),
        Schema::Behind { missing } => Ok(format!("changes applied: {}", missing.join(", "))),
        // `migrate` has refused this before.
        Schema::Unknown { unknown } => Err(Failure::configuration(format!("unknown changes: {}", unknown.join(", ")))),
    }
}

async fn found(settings: &Settings, scope: Scope) -> Result<String, Failure> {
    let opened = open::open(settings).await?;
    let found = FoundCity { scope, mode: CityMode::Live, clock_offset_seconds: 0 };
    opened.store.write(opened.source.context(Actor::System("migrate")), found).await?;
    opened.store.close().await?;
    Ok(format!("the city {scope} was founded; make its first operator with: yijia user add --role system_operator@{scope}"))
}

/// Makes the key file of a database in which nothing is encrypted yet.
fn make_keys(settings: &Settings) -> Result<Option<String>, Failure> {
    match open::load_keys(settings) {
        Ok(_keys) => Ok(None),
        Err(KeyError::Missing(_)) => {
            open::new_keys().create_file(&settings.key_file).map_err(StoreError::Key)?;
            Ok(Some(format!("the key file {} was made; keep a copy of it apart from the database", settings.key_file.display())))
        }
        Err(other) => Err(StoreError::Key(other).into()),
    }
}
