//! Every command that the README shows is run here on the built program, as its reader would.
//!
//! The journey below holds the arguments; a command that the README shows and no step runs, or a step that the README
//! does not show, fails the first test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

const YIJIA: &str = env!("CARGO_BIN_EXE_yijia");
const README: &str = include_str!("../../README.md");
const MAKEFILE: &str = include_str!("../../Makefile");

/// The commands of `yijia` that the steps below run, without their arguments.
const RUN: [&str; 17] = [
    "assess",
    "backup create",
    "backup restore",
    "backup verify",
    "config show",
    "demo",
    "doctor",
    "import",
    "keys rotate",
    "migrate",
    "policy check",
    "seed",
    "serve",
    "settle",
    "user add",
    "verify",
    "work",
];
/// Words after which a second word belongs to the command's name.
const GROUPS: [&str; 5] = ["backup", "config", "keys", "policy", "user"];

/// What stands in code: spans between backticks, and lines of shell blocks.
fn shown() -> Vec<&'static str> {
    let mut block = false;
    let mut found = Vec::new();
    for line in README.lines() {
        if line.starts_with("```") {
            block = line == "```sh";
        } else if block {
            found.push(line.split(" #").next().unwrap_or(line).trim());
        } else {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// The name of the command of `yijia` that a piece of code begins with.
fn command_of(code: &str) -> Option<String> {
    let mut words = code.split(' ');
    let program = words.next()?.rsplit('/').next()?;
    let first = words.next().filter(|_| program == "yijia")?;
    Some(if GROUPS.contains(&first) { format!("{first} {}", words.next()?) } else { first.to_owned() })
}

#[test]
fn every_command_that_is_shown_is_run() {
    let commands: BTreeSet<String> = shown().into_iter().filter_map(command_of).collect();
    // `yijia backup create --out FILE`, `backup verify FILE`: the second leaves the program's name out.
    let short = shown().into_iter().filter(|code| GROUPS.iter().any(|group| code.starts_with(&format!("{group} "))));
    let short = short.filter_map(|code| command_of(&format!("yijia {code}")));
    let all: BTreeSet<String> = commands.into_iter().chain(short).collect();
    assert_eq!(all, RUN.map(str::to_owned).into());
    for target in shown().into_iter().filter_map(|code| code.strip_prefix("make ")).filter_map(|rest| rest.split(' ').next()) {
        assert!(MAKEFILE.contains(&format!("\n{target}: ")), "the Makefile has no target {target}");
    }
}

/// A command of the program that reads no settings of the machine it runs on.
fn yijia(args: &[&str]) -> Command {
    let mut command = Command::new(YIJIA);
    command.args(args).env_remove("DATABASE_URL").env("YIJIA_METRICS_LISTEN", "127.0.0.1:0").stdin(Stdio::null());
    command
}

fn ran(args: &[&str]) -> Output {
    let output = yijia(args).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "yijia {}: {}\n{out}{err}", args.join(" "), output.status);
    output
}

fn printed(args: &[&str]) -> String {
    String::from_utf8(ran(args).stdout).unwrap()
}

/// A command that goes on until it is told to stop; killed if a test fails.
struct Running(Child);

impl Running {
    /// Starts it and reads what it prints up to a line that holds `until`.
    fn start(mut command: Command, until: &str) -> (Self, String) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let running = Self(child);
        let (send, lines) = std::sync::mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for stream in streams {
            let send = send.clone();
            // Both streams are read to their end, so that the program never waits for its reader.
            std::thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| drop(send.send(line))));
        }
        drop(send);
        let mut told = String::new();
        for line in lines {
            told.push_str(&line);
            told.push('\n');
            if line.contains(until) {
                return (running, told);
            }
        }
        panic!("it ended before it said {until:?}:\n{told}");
    }

    /// Tells it to stop as Ctrl-C does.
    fn stop(mut self) {
        let asked = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
        assert!(asked.success());
        assert!(self.0.wait().unwrap().success(), "it does not end well");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a failed test; one that has ended already cannot be killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The text between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?} in {text}"));
    rest.split_once(to).unwrap().0
}

fn walk() -> PathBuf {
    let walk = Path::new(YIJIA).with_file_name("yijia-walk");
    assert!(walk.exists(), "{} is not built: test the whole workspace", walk.display());
    walk
}

#[test]
fn a_newcomer_opens_a_made_up_city_walks_through_it_and_checks_the_books() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let demo = demo.to_str().unwrap();
    // `yijia demo` would make the city of this moment; its policies are those of the year of this day.
    printed(&["seed", "--size", "street", "--seed", "1", "--today", "2026-11-24", "--dir", demo]);
    let (running, told) = Running::start(yijia(&["demo", "--dir", demo, "--listen", "127.0.0.1:0"]), "Stop with Ctrl-C");
    let url = between(&told, "address     ", "/\n").to_owned();
    assert!(printed(&["demo", "--dir", demo, "--codes"]).contains("approver"));

    let walked = Command::new(walk()).args(["--dir", demo, "--url", &url]).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&walked.stdout), String::from_utf8_lossy(&walked.stderr));
    let end: Vec<&str> = out.lines().rev().take(9).collect();
    assert!(walked.status.success() && out.contains("The walk is complete"), "{err}{end:#?}");
    running.stop();

    let month = ["settle", "--programme", "tianjin-meals", "--period", "2026-10", "--dry-run", "--dir", demo];
    assert!(printed(&month).contains("2026-10"));
    assert!(printed(&["verify", "--dir", demo]).ends_with("every invariant holds\n"));
    let answers: serde_json::Value = serde_json::from_str(&fs::read_to_string(format!("{demo}/answers.json")).unwrap()).unwrap();
    assert!(answers["cases"].as_array().is_some_and(|cases| !cases.is_empty()), "the planted frauds are listed");
}

#[test]
fn an_operator_founds_a_city_keeps_it_and_moves_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (city, copy, backup, sheet) = (path("city"), path("copy"), path("city.tar"), path("providers.csv"));
    let at = |args: &[&str]| printed(&[args, &["--dir", &city]].concat());

    assert!(at(&["migrate", "--city", "12"]).contains("the tables were made"));
    assert!(at(&["user", "add", "--login", "chen.li", "--name", "陈丽", "--role", "county_clerk@1201"]).contains("chen.li"));
    assert!(at(&["doctor"]).contains("ok"));
    assert!(at(&["config", "show"]).contains("city"));
    fs::write(&sheet, "provider_ref,credit_code,name,division,services,licences\n").unwrap();
    let import = yijia(&["import", "providers", &sheet, "--dry-run", "--dir", &city]).output().unwrap();
    assert_eq!(import.status.code(), Some(65), "a sheet without rows is told so: {}", String::from_utf8_lossy(&import.stderr));

    let serve = ["serve", "--no-workers", "--listen", "127.0.0.1:0", "--dir", &city];
    let (serving, _) = Running::start(yijia(&serve), "listening");
    let (working, _) = Running::start(yijia(&["work", "--dir", &city]), "127.0.0.1:");
    // Both beside the running city.
    at(&["backup", "create", "--out", &backup]);
    at(&["keys", "rotate"]);
    serving.stop();
    working.stop();
    assert!(at(&["verify"]).ends_with("every invariant holds\n"));

    at(&["backup", "verify", &backup]);
    // A backup never holds the keys: they come from the copy that was kept apart.
    printed(&["backup", "restore", &backup, "--dir", &copy]);
    fs::copy(format!("{city}/keys.json"), format!("{copy}/keys.json")).unwrap();
    assert!(printed(&["verify", "--dir", &copy]).ends_with("every invariant holds\n"));
}

#[test]
fn an_analyst_checks_a_policy_and_assesses_a_sheet() {
    let dir = tempfile::tempdir().unwrap();
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/policies/tianjin-meals-2022.toml");
    assert!(printed(&["policy", "check", policy.to_str().unwrap()]).contains("tianjin-meals"));

    let items = domain::assessment::ITEMS.iter().map(|item| item.code);
    let flags = ["coma", "dementia", "mental_disorder", "risk_events_30d"];
    let header: Vec<&str> = ["resident_id"].into_iter().chain(items).chain(flags).collect();
    let sheet = dir.path().join("scores.csv");
    fs::write(&sheet, format!("{}\nr1,{}\n", header.join(","), vec!["0"; header.len() - 1].join(","))).unwrap();
    assert!(printed(&["assess", sheet.to_str().unwrap()]).starts_with("resident_id,total,preliminary_level,final_level,reasons\n"));
}
