use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use super::*;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Closed;

impl Write for Closed {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn yijia(args: &[&str]) -> (u8, String, String) {
    let (out, err) = (Captured::default(), Captured::default());
    let args = ["yijia"].iter().chain(args).map(OsString::from);
    let code = run_with(args, &mut Output::new(out.clone(), err.clone()));
    let text = |captured: &Captured| String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    (code, text(&out), text(&err))
}

fn sheet() -> String {
    let items = domain::assessment::ITEMS.iter().map(|item| item.code);
    let header: Vec<_> =
        ["resident_id"].into_iter().chain(items).chain(["coma", "dementia", "mental_disorder", "risk_events_30d"]).collect();
    let zeros = vec!["0"; header.len() - 1].join(",");
    format!("{}\nr1,{zeros}\n", header.join(","))
}

#[test]
fn the_command_line_is_consistent() {
    use clap::CommandFactory as _;
    Cli::command().debug_assert();
}

#[test]
fn every_command_shows_an_example() {
    for command in [
        &["backup", "create"][..],
        &["backup", "verify"],
        &["backup", "restore"],
        &["keys", "rotate"],
        &["serve"],
        &["work"],
        &["migrate"],
        &["doctor"],
        &["config", "show"],
        &["user", "add"],
        &["assess"],
        &["policy", "check"],
    ] {
        let args: Vec<_> = command.iter().copied().chain(["--help"]).collect();
        let (code, out, _) = yijia(&args);
        assert!(code == 0 && out.contains("Example") && out.contains("yijia"), "{command:?}: {out}");
    }
}

#[test]
fn wrong_use_is_told_on_standard_error() {
    let (code, out, err) = yijia(&["assess"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("<FILE>"), "{err}");
}

#[test]
fn a_sheet_gives_levels_and_a_faulty_one_gives_nothing_but_its_faults() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("in.csv"), dir.path().join("out.csv"));
    let (file_text, out_text) = (file.to_str().unwrap(), out.to_str().unwrap());
    std::fs::write(&file, sheet()).unwrap();
    let (code, printed, err) = yijia(&["assess", file_text]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(printed, "resident_id,total,preliminary_level,final_level,reasons\nr1,0,4,4,\n");
    assert_eq!(yijia(&["assess", file_text, "--out", out_text]), (0, String::new(), String::new()));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), printed);
    assert_eq!(yijia(&["assess", file_text, "--out", file_text]).0, 1);

    std::fs::write(&file, sheet().replace("r1,0,", "r1,9,")).unwrap();
    std::fs::remove_file(&out).unwrap();
    let (code, printed, err) = yijia(&["assess", file_text, "--out", out_text]);
    assert_eq!((code, printed.as_str()), (65, ""));
    assert!(err.starts_with(&format!("{file_text}:2: column B.1.1: ")), "{err}");
    assert!(!out.exists());
    assert_eq!(yijia(&["assess", "no/such.csv"]).0, 65);
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in.csv");
    std::fs::write(&file, sheet()).unwrap();
    let err = Captured::default();
    let args = ["yijia", "assess", file.to_str().unwrap()].map(OsString::from);
    assert_eq!(run_with(args, &mut Output::new(Closed, err.clone())), 0);
    assert!(err.0.lock().unwrap().is_empty());
}

#[test]
fn policy_files_are_checked_one_and_all() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (dir.path().join("good.toml"), dir.path().join("bad.toml"));
    let (_, text) = domain::policy::Policy::shipped_texts().first().unwrap();
    std::fs::write(&good, text).unwrap();
    std::fs::write(&bad, "programme = 3\n").unwrap();
    let (code, out, err) = yijia(&["policy", "check", good.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(code, 65);
    assert!(out.starts_with(good.to_str().unwrap()) && out.lines().count() == 1, "{out}");
    assert!(err.lines().all(|line| line.starts_with(bad.to_str().unwrap())), "{err}");
}

#[test]
fn a_new_database_is_made_once_and_examined() {
    let dir = tempfile::tempdir().unwrap();
    let city = dir.path().join("city");
    let city = city.to_str().unwrap();
    let (code, _, err) = yijia(&["doctor", "--dir", city]);
    assert_eq!(code, 1, "{err}");
    assert!(!std::path::Path::new(city).exists(), "an examination makes nothing");
    let (code, out, err) = yijia(&["migrate", "--dir", city]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("keys.json") && out.contains("the tables were made"), "{out}");
    assert_eq!(yijia(&["migrate", "--dir", city]).1, "the database is up to date\n");
    let (code, out, _) = yijia(&["doctor", "--dir", city, "--json"]);
    let findings: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdict = |check: &str| findings.iter().find(|finding| finding["check"] == check).map(|finding| finding["verdict"].clone());
    assert_eq!(verdict("schema"), Some("ok".into()));
    assert_eq!(verdict("keys"), Some("ok".into()));
    assert_eq!(verdict("city"), Some("fail".into()), "no city was founded");
    assert_eq!(code, 1);
}

fn yijia_unread(args: &[&str]) -> (u8, String) {
    let err = Captured::default();
    let args = ["yijia"].iter().chain(args).map(OsString::from);
    let code = run_with(args, &mut Output::new(Closed, err.clone()));
    let text = String::from_utf8(err.0.lock().unwrap().clone()).unwrap();
    (code, text)
}

#[test]
fn checks_that_failed_do_not_succeed_because_nobody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (dir.path().join("good.toml"), dir.path().join("bad.toml"));
    std::fs::write(&good, domain::policy::Policy::shipped_texts().first().unwrap().1).unwrap();
    std::fs::write(&bad, "programme = 3\n").unwrap();
    assert_eq!(yijia_unread(&["policy", "check", good.to_str().unwrap(), bad.to_str().unwrap()]).0, 65);
    assert_eq!(yijia_unread(&["doctor", "--dir", dir.path().join("no").to_str().unwrap()]).0, 1);
}

#[test]
fn migrate_finishes_its_work_when_nobody_reads_and_user_add_does_not_begin() {
    let dir = tempfile::tempdir().unwrap();
    let city = dir.path().to_str().unwrap();
    assert_eq!(yijia_unread(&["migrate", "--dir", city, "--city", "12"]), (0, String::new()));
    let add = ["user", "add", "--dir", city, "--login", "wang.fang", "--name", "王芳", "--role", "system_operator@12"];
    for json in [&[][..], &["--json"]] {
        let (code, err) = yijia_unread(&[&add[..], json].concat());
        assert!(code == 1 && err.contains("no account is made"), "{err}");
    }
    let (code, out, err) = yijia(&[&add[..], &["--json"]].concat());
    assert_eq!((code, err.as_str()), (0, ""), "the login was still free");
    let added: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(added["password"].is_string() && added["totp_secret"].is_string(), "{added}");
}

/// Takes so many writes, and is closed then.
struct ClosedAfter(usize);

impl Write for ClosedAfter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_account_whose_secrets_nobody_read_is_told_on_standard_error() {
    let dir = tempfile::tempdir().unwrap();
    let city = dir.path().to_str().unwrap();
    assert_eq!(yijia(&["migrate", "--dir", city, "--city", "12"]).0, 0);
    let err = Captured::default();
    let add = ["yijia", "user", "add", "--dir", city, "--login", "wang.fang", "--name", "王芳", "--role", "system_operator@12"];
    assert_eq!(run_with(add.map(OsString::from), &mut Output::new(ClosedAfter(1), err.clone())), 1);
    let told = String::from_utf8(err.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("wang.fang exists") && told.contains("lost"), "{told}");
}

#[test]
fn a_key_file_that_is_no_ordinary_file_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let city = dir.path().to_str().unwrap();
    assert_eq!(yijia(&["migrate", "--dir", city, "--city", "12"]).0, 0);
    std::fs::remove_file(dir.path().join("keys.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("keys.json")).unwrap();
    let (code, _, err) = yijia(&["verify", "--dir", city]);
    assert!(code == 78 && err.contains("no ordinary file"), "{err}");
}
