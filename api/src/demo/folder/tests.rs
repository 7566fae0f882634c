use super::*;

fn demo_text() -> String {
    let provider_id = domain::id::ProviderId::from_uuid(uuid::Uuid::from_u128(1));
    serde_json::to_string(&Demo { password: "p".to_owned(), logins: Vec::new(), provider_id }).unwrap()
}

fn folder(dir: &Path, mode: Option<&str>) -> (PathBuf, Folder) {
    let path = dir.join("demo");
    fs::create_dir(&path).unwrap();
    fs::write(path.join(LOGINS), demo_text()).unwrap();
    if let Some(mode) = mode {
        block_on(async {
            let url = format!("sqlite:{}?mode=rwc", path.join("yijia.db").display());
            let database = sea_orm::Database::connect(url).await.unwrap();
            for sql in ["CREATE TABLE city (mode TEXT NOT NULL)".to_owned(), format!("INSERT INTO city VALUES ('{mode}')")] {
                database.execute_unprepared(&sql).await.unwrap();
            }
            database.close().await.unwrap();
        });
    }
    let found = Folder::of(&path).unwrap();
    (path, found)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

fn reason(outcome: Result<(), Failure>) -> String {
    match outcome.unwrap_err() {
        Failure::Configuration(lines) | Failure::Refused(lines) => lines.join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reset_removes_a_demo_city_whatever_its_schema_and_keys() {
    let dir = tempfile::tempdir().unwrap();
    let (path, folder) = folder(dir.path(), Some("demo"));
    fs::write(path.join("keys.json"), "of another version").unwrap();
    block_on(folder.throw_away()).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_reset_removes_a_demo_city_whose_database_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (path, folder) = folder(dir.path(), None);
    assert!(reason(folder.need_database()).contains("--reset"));
    block_on(folder.throw_away()).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_reset_leaves_a_live_city_and_one_that_cannot_be_told_alone() {
    for (mode, told) in [(Some("live"), "live city"), (None, "does not tell")] {
        let dir = tempfile::tempdir().unwrap();
        let (path, folder) = folder(dir.path(), mode);
        if mode.is_none() {
            fs::write(path.join("yijia.db"), "no database").unwrap();
        }
        let text = reason(block_on(folder.throw_away()));
        assert!(text.contains(told), "{text}");
        assert!(path.join("yijia.db").exists() && path.join(LOGINS).exists());
    }
}

#[test]
fn a_reset_leaves_a_folder_with_foreign_files_or_a_foreign_mark_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (path, folder) = folder(dir.path(), Some("demo"));
    fs::write(path.join("thesis.odt"), "years of work").unwrap();
    let text = reason(block_on(folder.throw_away()));
    assert!(text.contains("thesis.odt"), "{text}");
    fs::remove_file(path.join("thesis.odt")).unwrap();
    fs::write(path.join(LOGINS), "{}").unwrap();
    assert!(reason(block_on(folder.throw_away())).contains("by hand"));
    assert!(path.join("yijia.db").exists());
}

#[test]
fn a_reset_leaves_a_demo_city_that_is_being_served_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (path, folder) = folder(dir.path(), Some("demo"));
    let _served = Lock::take(&path.join("lock"), "serve").unwrap();
    assert!(reason(block_on(folder.throw_away())).contains("serve"));
    assert!(path.join("yijia.db").exists());
}

#[test]
fn a_second_start_is_told_that_another_process_is_building() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::of(&dir.path().join("demo")).unwrap();
    let _first = folder.reserve().unwrap();
    assert!(reason(folder.reserve().map(|_lock| ())).contains("building this demo city"));
}

#[test]
fn building_removes_its_own_leftovers_and_no_folder_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::of(&dir.path().join("demo/")).unwrap();
    let [gone, working, unmarked] = [1, 2, 3].map(|process| dir.path().join(format!(".demo.building-{process}")));
    let old_name = dir.path().join("demo.building");
    for path in [&gone, &working, &unmarked, &old_name] {
        fs::create_dir(path).unwrap();
    }
    fs::write(gone.join(MARK), "").unwrap();
    let _held = Lock::take(&working.join(MARK), "building").unwrap();
    block_on(folder.build(|_fresh| async { Ok(serde_json::from_str(&demo_text()).unwrap()) })).unwrap();
    assert!(!gone.exists() && working.exists() && unmarked.exists() && old_name.exists());
    let made: Vec<_> = folder.entries().unwrap().into_iter().map(|entry| entry.file_name()).collect();
    assert_eq!(made, [LOGINS]);
}

#[test]
fn a_demo_city_that_cannot_be_built_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::of(&dir.path().join("demo")).unwrap();
    let outcome = block_on(folder.build(|_fresh| async { Err(Failure::refused("no")) }));
    assert_eq!(reason(outcome), "no");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    fs::create_dir(dir.path().join("demo")).unwrap();
    fs::write(dir.path().join("demo/x"), "x").unwrap();
    assert!(reason(block_on(folder.build(|_fresh| async { Err(Failure::refused("no")) }))).contains("not empty"));
}

#[test]
fn slashes_and_dots_name_the_same_folder() {
    let dir = tempfile::tempdir().unwrap();
    let plain = Folder::of(&dir.path().join("demo")).unwrap();
    let roundabout = Folder::of(&dir.path().join("./demo/")).unwrap();
    assert_eq!((&plain.path, plain.name.as_str()), (&roundabout.path, "demo"));
    let current = Folder::of(Path::new(".")).unwrap();
    assert!(!current.name.is_empty());
    assert!(reason(current.need_elsewhere()).contains("the current one"));
    assert_eq!(Folder::of(Path::new("/")).unwrap_err().exit_code(), 78);
}
