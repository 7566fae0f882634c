use super::*;

fn inputs(environment: &[(&str, &str)]) -> Inputs {
    let environment = environment.iter().map(|(name, value)| (OsString::from(*name), OsString::from(*value))).collect();
    Inputs { environment, metrics_listen_default: Some("127.0.0.1:9600"), ..Inputs::default() }
}

fn config(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

const COMPLETE: [(&str, &str); 2] = [("DATABASE_URL", "sqlite:/data/city.sqlite"), ("YIJIA_KEY_FILE", "/keys/keys.json")];

#[test]
fn the_command_line_goes_before_the_environment_the_file_and_the_default() {
    let file = config("listen = \"127.0.0.1:1\"\nlog = \"warn\"\npublic_url = \"https://Yijia.example:443/\"");
    let mut inputs = inputs(&[COMPLETE[0], COMPLETE[1], ("YIJIA_LISTEN", "127.0.0.1:2")]);
    inputs.file = Some(file.path().to_owned());
    let settings = Settings::load(&inputs).unwrap();
    assert_eq!(settings.listen.port(), 2);
    assert_eq!(settings.metrics_listen.unwrap().port(), 9600);
    assert_eq!(settings.public_url.as_str(), "https://yijia.example");
    inputs.options.push((Key::Listen, "--listen", "127.0.0.1:3".to_owned()));
    let found = Settings::find(&inputs);
    assert_eq!(found.settings.unwrap().listen.port(), 3);
    let source = |variable: &str| found.shown.iter().find(|shown| shown.variable == variable).unwrap().source.clone();
    assert_eq!(source("YIJIA_LISTEN"), "--listen");
    assert_eq!(source("YIJIA_KEY_FILE"), "environment");
    assert_eq!(source("YIJIA_LOG"), file.path().display().to_string());
    assert_eq!(source("YIJIA_METRICS_LISTEN"), "default");
}

#[test]
fn every_fault_is_named_at_once_with_variable_and_cure() {
    let file = config("listn = \"127.0.0.1:1\"\nlog = 3");
    let mut inputs = inputs(&[
        ("DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("YIJIA_LISTEN", "localhost"),
        ("YIJIA_LISTNE", "x"),
        ("YIJIA_TEST_POSTGRES", "ignored"),
        ("YIJIA_PUBLIC_URL", "https://yijia.example/app"),
        ("YIJIA_METRICS_LISTEN", "9600"),
    ]);
    inputs.file = Some(file.path().to_owned());
    let faults = Settings::load(&inputs).unwrap_err();
    let variables: Vec<_> = faults.0.iter().map(|fault| fault.variable.as_str()).collect();
    let wanted = [
        "listn",
        "YIJIA_LOG",
        "YIJIA_LISTNE",
        "DATABASE_URL",
        "YIJIA_LISTEN",
        "YIJIA_METRICS_LISTEN",
        "YIJIA_KEY_FILE",
        "YIJIA_PUBLIC_URL",
    ];
    assert_eq!(variables, wanted);
    assert!(faults.0.iter().all(|fault| !fault.cure.is_empty() && !fault.place.is_empty()));
    assert!(!faults.to_string().contains("hunter2"));
}

#[test]
fn secrets_are_not_shown() {
    for (url, shown) in [
        ("postgres://yijia:hunter2@db:5432/city", "postgres://db:5432/city"),
        ("postgres://yijia:hun/t@er2@db/city", "postgres://…"),
        ("postgresql://db/city?password=hunter2", "postgresql://db/city"),
        ("postgres://db/city?user=u&password=hunter2@/x", "postgres://…"),
        ("postgres://db/city;password=hunter2", "postgres://…"),
        ("postgres://u:1/hunter2?x@db/city", "postgres://…"),
        ("postgres://u:hunter2#@db/city", "postgres://…"),
        ("postgres://u:a@hunter2@db/city", "postgres://…"),
        ("postgres://u:hunter2@[::1]:5432/city", "postgres://[::1]:5432/city"),
        ("sqlite:/data/city.sqlite", "sqlite:/data/city.sqlite"),
    ] {
        let database = Database::parse(url).unwrap();
        assert_eq!(database.redacted(), shown);
        assert!(!format!("{database:?}").contains("hunter2"));
    }
    let broken = config("database_url = \"postgres://yijia:hunter2@db/city\" x");
    let found = Settings::load(&Inputs { file: Some(broken.path().to_owned()), ..inputs(&[]) }).unwrap_err();
    assert!(!found.to_string().contains("hunter2"), "{found}");
}

#[test]
fn only_files_and_servers_are_databases() {
    for wrong in [
        "",
        "sqlite:",
        "sqlite::memory:",
        "sqlite://",
        "sqlite:x.db?mode=ro",
        "postgres:db",
        "postgres://db",
        "postgres:///city",
        "postgres://db/",
        "city.sqlite",
    ] {
        assert!(Database::parse(wrong).is_err(), "{wrong}");
    }
    for (url, file) in
        [("sqlite:a.db", "a.db"), ("sqlite://a.db", "a.db"), ("sqlite:///data/a.db", "/data/a.db"), ("sqlite:/data/a.db", "/data/a.db")]
    {
        let engine = Engine::Sqlite { file: file.into(), lock: format!("{file}.lock").into() };
        assert_eq!(Database::parse(url).unwrap().engine(), &engine);
    }
}

#[test]
fn a_folder_holds_everything_and_excludes_an_address() {
    let dir = Inputs { dir: Some("/srv/100%".into()), ..inputs(&[]) };
    let settings = Settings::load(&dir).unwrap();
    assert_eq!(settings.key_file, PathBuf::from("/srv/100%/keys.json"));
    assert_eq!(settings.database.url(), "sqlite:/srv/100%25/yijia.db");
    assert_eq!(settings.database.engine(), &Engine::Sqlite { file: "/srv/100%/yijia.db".into(), lock: "/srv/100%/lock".into() });
    let both = Inputs { dir: Some("demo".into()), ..inputs(&COMPLETE) };
    let faults = Settings::load(&both).unwrap_err();
    assert_eq!(faults.0.len(), 1);
    assert_eq!(faults.0[0].variable, "DATABASE_URL");
}

#[test]
fn metrics_can_be_off_and_cannot_share_the_port() {
    let with = |metrics: &str| Settings::load(&inputs(&[COMPLETE[0], COMPLETE[1], ("YIJIA_METRICS_LISTEN", metrics)]));
    assert_eq!(with("off").unwrap().metrics_listen, None);
    assert_eq!(with("127.0.0.1:8600").unwrap_err().0[0].variable, "YIJIA_METRICS_LISTEN");
}

#[test]
fn libraries_never_log_below_warn() {
    use tracing::Level;
    let filter = LogFilter::parse("debug,store=trace").unwrap().targets();
    assert!(filter.would_enable("api::router", &Level::DEBUG));
    assert!(!filter.would_enable("api::router", &Level::TRACE));
    assert!(filter.would_enable("store::write", &Level::TRACE));
    assert!(filter.would_enable("sqlx::query", &Level::WARN));
    assert!(!filter.would_enable("sqlx::query", &Level::INFO));
    for wrong in ["", "loud", "info,info", "hyper=debug", "store=", "info,,store=debug"] {
        assert!(LogFilter::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_public_address_is_an_origin() {
    for wrong in [
        "",
        "yijia.example",
        "ftp://yijia.example",
        "https://",
        "https://u@yijia.example",
        "https://yijia.example/a",
        "https://yijia.example?a",
        "https://yijia.example/#a",
    ] {
        assert!(PublicUrl::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(PublicUrl::parse("http://YIJIA.example:80").unwrap().as_str(), "http://yijia.example");
    assert!(PublicUrl::parse("https://yijia.example:8443/").unwrap().is_https());
}

#[test]
fn a_configuration_that_is_no_ordinary_file_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), Path::new("/dev/zero")] {
        let faults = Settings::load(&Inputs { file: Some(path.to_owned()), ..inputs(&COMPLETE) }).unwrap_err();
        assert_eq!((faults.0.len(), faults.0[0].fault.as_str()), (1, "no ordinary file"));
    }
}
