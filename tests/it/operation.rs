//! What an operator does with a city: backups, and a change of the encryption key.
#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use domain::{
    access::{Actor, Role},
    resident::PersonName,
};
use sea_orm::{ConnectionTrait as _, DbBackend};
use store::{
    Database, KeyRing, SealAudit, Store,
    command::account::{CreateAccount, NewRole, PasswordHashed, RoleReach},
    delivery::TakeTick,
    rotation::{CountCells, ReencryptCells},
};
use tempfile::TempDir;
use tests::{
    command::{Ran, yijia},
    db::{CITY, TestDb},
    on_each_database,
};

/// A small city with its key file and settings, in which nothing waits for a deadline.
struct Operated {
    store: Store,
    folder: TempDir,
}

impl Operated {
    async fn new(db: &TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        TestDb::keys().create_file(&folder.path().join("keys.json")).unwrap();
        db.store().await.unwrap().close().await.unwrap();
        let this = Self { store: open(db.url(), &folder.path().join("keys.json")).await, folder };
        this.write_config("yijia.toml", db.url());
        for number in 0..5 {
            this.create_account(db, number).await;
        }
        this.store.write(db.source().context(Actor::System("test")), SealAudit).await.unwrap();
        this
    }

    fn write_config(&self, name: &str, url: &str) {
        let text = format!("database_url = \"{url}\"\nkey_file = \"{}\"\n", self.path("keys.json").display());
        fs::write(self.path(name), text).unwrap();
    }

    async fn create_account(&self, db: &TestDb, number: usize) {
        let account = CreateAccount {
            name: PersonName::parse("李建国").unwrap(),
            login: format!("operator-{number}"),
            password: PasswordHashed::new(&"correct horse battery staple".to_owned().into()).unwrap(),
            roles: vec![NewRole { role: Role::SystemOperator, reach: RoleReach::Division(CITY.parse().unwrap()) }],
        };
        self.store.write(db.source().context(Actor::System("test")), account).await.unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Runs a command with the settings of the city.
    async fn yijia(&self, args: &[&str]) -> Ran {
        let config = self.text("yijia.toml");
        yijia(&[args, &["--config", &config]].concat()).await.unwrap()
    }
}

async fn open(url: &str, keys: &Path) -> Store {
    Database::connect(url, 4).await.unwrap().open(KeyRing::load(keys).unwrap()).await.unwrap()
}

fn tick(number: usize) -> TakeTick {
    TakeTick { job: Box::leak(format!("job-{number}").into_boxed_str()), period: "2026-11-02".to_owned() }
}

/// An empty place to restore to: arguments of the command, and the address of what it makes.
async fn empty_place(db: &TestDb, city: &Operated) -> (Vec<String>, String) {
    if db.backend() == DbBackend::Sqlite {
        return (vec!["--dir".to_owned(), city.text("new")], format!("sqlite:{}", city.text("new/yijia.db")));
    }
    let url = format!("{}_copy_restored", db.url());
    let name = url.rsplit_once('/').unwrap().1;
    db.raw().await.unwrap().execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    city.write_config("restored.toml", &url);
    (vec!["--config".to_owned(), city.text("restored.toml")], url)
}

on_each_database!(a_backup_of_a_running_city_is_restored_and_every_invariant_holds, async |db: TestDb| {
    let city = Operated::new(&db).await;
    let backup = city.text("backup.tar");
    // The city goes on writing while it is copied.
    let stop = Arc::new(AtomicBool::new(false));
    let (store, source, stopped) = (city.store.clone(), db.source().clone(), Arc::clone(&stop));
    let writer = tokio::spawn(async move {
        let mut number = 0;
        while !stopped.load(Ordering::SeqCst) {
            assert!(store.write(source.context(Actor::System("test")), tick(number)).await.unwrap());
            number += 1;
        }
    });
    let created = city.yijia(&["backup", "create", "--out", &backup]).await;
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    assert_eq!((created.code, created.err.as_str()), (0, ""), "{}", created.out);
    assert!(created.out.contains("the key file is not in it"), "{}", created.out);
    assert!(city.store.last_backup().await.unwrap().is_some(), "the city knows of its backup");
    let key = KeyRing::load(&city.path("keys.json")).unwrap();
    let keys: serde_json::Value = serde_json::from_slice(&fs::read(city.path("keys.json")).unwrap()).unwrap();
    let secret = keys["keys"][key.active()].as_str().unwrap();
    let bytes = fs::read(&backup).unwrap();
    assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "the keys are not in it");

    let verified = city.yijia(&["backup", "verify", &backup]).await;
    assert_eq!((verified.code, verified.err.as_str()), (0, ""), "{}", verified.out);
    assert!(verified.out.contains("can be restored"), "{}", verified.out);

    let (place, url) = empty_place(&db, &city).await;
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let restored = yijia(&[&["backup", "restore", &backup], place.as_slice()].concat()).await.unwrap();
    assert_eq!((restored.code, restored.err.as_str()), (0, ""), "{}", restored.out);
    let again = open(&url, &city.path("keys.json")).await;
    assert!(again.verify(db.source().now()).await.unwrap().is_clean());
    let repeated = yijia(&[&["backup", "restore", &backup], place.as_slice()].concat()).await.unwrap();
    assert_eq!(repeated.code, 1, "what exists is not touched");
    assert!(repeated.err.contains("is not empty"), "{}", repeated.err);
    again.close().await.unwrap();
    let left: Vec<_> = fs::read_dir(city.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with('.')), "nothing unfinished is left: {left:?}");
});

on_each_database!(a_backup_is_never_overwritten_and_a_damaged_one_is_refused, async |db: TestDb| {
    let city = Operated::new(&db).await;
    let (backup, damaged) = (city.text("backup.tar"), city.text("damaged.tar"));
    let created = city.yijia(&["backup", "create", "--out", &backup]).await;
    assert_eq!((created.code, created.err.as_str()), (0, ""));
    let whole = fs::read(&backup).unwrap();
    let again = city.yijia(&["backup", "create", "--out", &backup]).await;
    assert_eq!((again.code, fs::read(&backup).unwrap() == whole), (1, true), "{}", again.err);
    assert!(again.err.contains("exists already and is not replaced"), "{}", again.err);
    let nowhere = city.yijia(&["backup", "create", "--out", &city.text("none/backup.tar")]).await;
    assert!(nowhere.err.contains("there is no folder"), "{}", nowhere.err);

    let mut turned = whole.clone();
    let middle = turned.len() / 2;
    turned[middle] ^= 1;
    for (bytes, fault) in [
        (turned, "another SHA-256"),
        (whole[..middle].to_vec(), "is damaged"),
        (whole[..100].to_vec(), "is no backup"),
        (b"something else".to_vec(), "is no backup"),
        (Vec::new(), "is no backup"),
    ] {
        fs::write(&damaged, bytes).unwrap();
        let refused = city.yijia(&["backup", "verify", &damaged]).await;
        assert_eq!(refused.code, 65, "{fault}: {}", refused.err);
        assert!(refused.err.contains(fault), "{fault}: {}", refused.err);
    }
    let new = city.text("new");
    let refused = yijia(&["backup", "restore", &damaged, "--dir", &new]).await.unwrap();
    assert_eq!((refused.code, Path::new(&new).exists()), (65, false), "{}", refused.err);
    fs::remove_file(city.path("keys.json")).unwrap();
    KeyRing::from_random([8; 64]).create_file(&city.path("keys.json")).unwrap();
    let foreign = city.yijia(&["backup", "verify", &backup]).await;
    assert_eq!(foreign.code, 78, "keys of another city: {}", foreign.err);
});

on_each_database!(a_change_of_the_key_goes_on_after_an_interruption_beside_a_running_service, async |db: TestDb| {
    let city = Operated::new(&db).await;
    let context = || db.source().context(Actor::System("test"));
    let old = KeyRing::load(&city.path("keys.json")).unwrap().active();
    // What a run leaves behind that was killed after its second transaction: a new key, one column made anew.
    let keys = KeyRing::load(&city.path("keys.json")).unwrap();
    let new = keys.add([9; 32]).unwrap();
    let killed = open(db.url(), &city.path("keys.json")).await;
    let columns = killed.sealed_columns().await.unwrap();
    let person = columns.iter().find(|column| column.table == "person" && column.column == "name_enc").unwrap();
    let batch = killed.write(context(), ReencryptCells { column: person.clone(), after: None }).await.unwrap();
    assert_eq!(batch.cells, 5);
    killed.close().await.unwrap();
    // The service was started before and has not been told; it reads both and writes under the new key.
    city.create_account(&db, 5).await;
    let counts = city.store.write(context(), CountCells).await.unwrap();
    assert!(counts[&old] > 0 && counts[&new] > 5, "{counts:?}");
    assert!(city.store.verify(db.source().now()).await.unwrap().is_clean());

    let early = city.yijia(&["keys", "rotate", "--finish"]).await;
    assert_eq!(early.code, 1);
    assert!(early.err.contains("try again in"), "{}", early.err);
    fs::File::open(city.path("keys.json")).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let early = city.yijia(&["keys", "rotate", "--finish"]).await;
    assert_eq!(early.code, 1);
    assert!(early.err.contains(&format!("still under the key {old}")), "{}", early.err);

    let resumed = city.yijia(&["keys", "rotate"]).await;
    assert_eq!((resumed.code, resumed.err.as_str()), (0, ""));
    assert!(resumed.out.contains("going on with the key"), "{}", resumed.out);
    assert_eq!(city.store.write(context(), CountCells).await.unwrap().keys().collect::<Vec<_>>(), [&new]);
    let finished = city.yijia(&["keys", "rotate", "--finish"]).await;
    assert_eq!((finished.code, finished.err.as_str()), (0, ""));
    assert_eq!(KeyRing::load(&city.path("keys.json")).unwrap().old(), Vec::<String>::new());
    // The seal that was made under the old key is checked too.
    let again = open(db.url(), &city.path("keys.json")).await;
    for store in [&city.store, &again] {
        assert!(store.verify(db.source().now()).await.unwrap().is_clean());
    }
    let another = city.yijia(&["keys", "rotate"]).await;
    assert_eq!(another.code, 0, "{}", another.err);
    assert!(another.out.contains("was made"), "{}", another.out);
});

on_each_database!(doctor_knows_of_backups_and_of_keys_that_are_being_changed, async |db: TestDb| {
    let city = Operated::new(&db).await;
    let before = city.yijia(&["doctor"]).await;
    assert_eq!(before.code, 0, "{}{}", before.out, before.err);
    assert!(before.out.contains("no backup was made yet"), "{}", before.out);
    let created = city.yijia(&["backup", "create", "--out", &city.text("backup.tar")]).await;
    assert_eq!((created.code, created.err.as_str()), (0, ""));
    let rotated = city.yijia(&["keys", "rotate"]).await;
    assert_eq!((rotated.code, rotated.err.as_str()), (0, ""));
    let after = city.yijia(&["doctor"]).await;
    assert!(after.out.contains("the last one was made 0 hours ago"), "{}", after.out);
    assert!(after.out.contains("yijia keys rotate"), "{}", after.out);
});
