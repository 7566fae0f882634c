//! Keeps the tree tidy: rules of the house that neither the compiler nor a lint can see.
//!
//! Each rule is a function from one file to its findings, so that it can be shown a planted fault; a finding
//! names file and line and says what to do. Ignored and binary files are not read.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// One text file of the repository.
struct SourceFile {
    /// Relative to the root of the repository, with slashes.
    path: String,
    text: String,
}

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    fault: String,
    cure: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.fault, self.cure)
    }
}

impl SourceFile {
    fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Lines with their numbers from one.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// Lines of Rust code with their numbers, without those that are comments from the start.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn finding(&self, line: usize, fault: impl Into<String>, cure: &'static str) -> Finding {
        Finding { path: self.path.clone(), line, fault: fault.into(), cure }
    }
}

/// The repository as it is read.
struct Tree {
    files: Vec<SourceFile>,
    /// Files and folders, binary ones too, relative to the root and without a final slash.
    paths: BTreeSet<String>,
    /// What git ignores: made by building and running, so texts may name it while it is absent.
    ignored: Ignored,
}

impl Tree {
    /// Reads the repository, less what `.gitignore` names.
    fn read() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let ignored = Ignored::parse(&fs::read_to_string(root.join(".gitignore"))?);
        let mut tree = Self { files: Vec::new(), paths: BTreeSet::new(), ignored };
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if tree.ignored.covers(&path.display().to_string()) {
                    continue;
                }
                tree.paths.insert(path.display().to_string());
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    tree.read_file(&root, &path)?;
                }
            }
        }
        tree.files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(tree)
    }

    fn read_file(&mut self, root: &Path, path: &Path) -> io::Result<()> {
        if let Ok(text) = String::from_utf8(fs::read(root.join(path))?) {
            self.files.push(SourceFile { path: path.display().to_string(), text });
        }
        Ok(())
    }

    /// Asserts that a rule finds nothing, or shows all that it found.
    fn check(&self, rule: impl Fn(&SourceFile) -> Vec<Finding>) {
        let findings: Vec<String> = self.files.iter().flat_map(rule).map(|finding| finding.to_string()).collect();
        assert!(findings.is_empty(), "{} untidy places:\n{}", findings.len(), findings.join("\n"));
    }
}

/// The lines of `.gitignore` that are plain names, with the slash in front of those that hold at the root alone.
/// Patterns are left out: they are for files that no rule looks at.
struct Ignored(BTreeSet<String>);

impl Ignored {
    fn parse(gitignore: &str) -> Self {
        let lines = gitignore.lines().map(|line| line.trim().trim_end_matches('/'));
        let plain = lines.filter(|line| !line.is_empty() && !line.contains(['#', '*', '?', '!']));
        Self(plain.map(str::to_owned).chain([".git".to_owned()]).collect())
    }

    /// Whether a path, relative to the root, is ignored itself.
    fn covers(&self, path: &str) -> bool {
        self.0.contains(&format!("/{path}")) || path.rsplit('/').next().is_some_and(|name| self.0.contains(name))
    }
}

/// Whether a text holds a word that is not a part of a longer one.
fn holds_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// `domain` decides from its arguments alone: no waiting, no database, no web, no files, no surroundings.
fn impurities(file: &SourceFile) -> Vec<Finding> {
    const CURE: &str = "take what is needed as an argument: domain has no input or output";
    const NAMES: [&str; 4] = ["async fn", "sea_orm", "axum", "tokio"];
    const STD_MODULES: [&str; 5] = ["fs", "env", "net", "process", "thread"];
    if !file.path.starts_with("domain/src/") || !file.has_extension(&["rs"]) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut inside_std_group = false;
    for (number, line) in file.code() {
        findings
            .extend(NAMES.iter().filter(|name| line.contains(**name)).map(|name| file.finding(number, format!("names `{name}`"), CURE)));
        inside_std_group |= line.contains("std::{");
        for module in STD_MODULES {
            if line.contains(&format!("std::{module}")) || (inside_std_group && holds_word(line, module)) {
                findings.push(file.finding(number, format!("names `std::{module}`"), CURE));
            }
        }
        inside_std_group &= !line.contains(';');
    }
    findings
}

/// What goes over the wire is the business of `api` alone; the tests read its answers.
fn status_codes(file: &SourceFile) -> Vec<Finding> {
    let inside = ["domain/", "migrations/", "workers/"].iter().any(|package| file.path.starts_with(package));
    if !inside || !file.has_extension(&["rs"]) {
        return Vec::new();
    }
    let naming = file.code().filter(|(_, line)| holds_word(line, "StatusCode"));
    naming
        .map(|(number, _)| file.finding(number, "names `StatusCode`", "return a fault with a kind; only api/ maps kinds to status codes"))
        .collect()
}

/// A module stands in a file of its own name.
fn unnamed_modules(file: &SourceFile) -> Vec<Finding> {
    let unnamed = file.name() == "mod.rs";
    unnamed.then(|| file.finding(1, "is a module file without a name", "move it to <module>.rs beside the folder")).into_iter().collect()
}

/// A file that cannot be read in one sitting hides more than one thing.
fn long_files(file: &SourceFile) -> Vec<Finding> {
    if !file.has_extension(&["rs", "html", "css", "js", "sh"]) {
        return Vec::new();
    }
    let tests = file.path.starts_with("tests/") || file.path.contains("/tests/") || file.name() == "tests.rs";
    let limit = if tests { 800 } else { 600 };
    let length = file.text.lines().count();
    let fault = || file.finding(limit + 1, format!("has {length} lines, {limit} are allowed"), "split it by what its parts are about");
    (length > limit).then(fault).into_iter().collect()
}

/// Words for work that was left, and hosts of package registries: the tools know the public ones, and a
/// mirror is the business of whoever builds.
fn banned_words(file: &SourceFile) -> Vec<Finding> {
    // Put together here, so that this file does not hold them.
    const LEFT_WORK: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    const HOSTS: [&str; 6] = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("npmjs", ".org"),
        concat!("npmjs", ".com"),
        concat!("npm", "mirror"),
    ];
    let lock = file.has_extension(&["lock"]) || file.name() == "package-lock.json";
    let hosts: &[&str] = if lock { &[] } else { &HOSTS };
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        for word in LEFT_WORK.iter().filter(|word| holds_word(line, word)) {
            findings.push(file.finding(number, format!("says {word}"), "do it now, or open an issue and say here why it is as it is"));
        }
        for host in hosts.iter().filter(|host| line.contains(**host)) {
            findings.push(file.finding(
                number,
                format!("names the registry host {host}"),
                "name the package and leave the host to the tools",
            ));
        }
    }
    findings
}

/// A subsidy rule without its document cannot be defended.
fn sourceless_policies(file: &SourceFile) -> Vec<Finding> {
    let policy = file.path.starts_with("domain/policies/") && file.has_extension(&["toml"]);
    let sourceless = policy && !file.lines().any(|(_, line)| line.trim() == "[source]");
    let cure = "add the table [source] with the document's name, number and date";
    sourceless.then(|| file.finding(1, "is a policy without a source", cure)).into_iter().collect()
}

/// A path that a README names in backticks exists, seen from the root or from the README's own folder.
fn broken_paths(file: &SourceFile, tree: &Tree) -> Vec<Finding> {
    const CURE: &str = "correct the path, or the text if the thing has gone";
    if file.name() != "README.md" {
        return Vec::new();
    }
    let folder = file.path.strip_suffix("README.md").unwrap_or_default();
    let mut findings = Vec::new();
    let mut inside_fence = false;
    for (number, line) in file.lines() {
        let fence = line.trim_start().starts_with("```");
        inside_fence ^= fence;
        if fence || inside_fence {
            continue;
        }
        let named = line.split('`').skip(1).step_by(2).filter_map(|quoted| named_path(quoted, tree));
        let missing = named.filter(|path| !tree.paths.contains(*path) && !tree.paths.contains(&format!("{folder}{path}")));
        findings.extend(missing.map(|path| file.finding(number, format!("names `{path}`, which does not exist"), CURE)));
    }
    findings
}

/// The path that a quoted text is, without a line number, an anchor and a final slash; nothing when it is something
/// else, such as an address, a pattern, a media type or a file that building or running makes.
fn named_path<'a>(quoted: &'a str, tree: &Tree) -> Option<&'a str> {
    const EXTENSIONS: [&str; 8] = [".rs", ".toml", ".md", ".csv", ".sh", ".yml", ".html", ".json"];
    let text = quoted.split(['#', ':']).next()?;
    let (first, _) = text.split_once('/')?;
    let plain = !quoted.contains("://") && !text.contains([' ', '*', '<', '{', '$', '~', '…', '=', '|']);
    let ours = !first.is_empty() && first != ".." && !tree.ignored.covers(first);
    let path_like = tree.paths.contains(first) || text.ends_with('/') || EXTENSIONS.iter().any(|extension| text.ends_with(extension));
    (plain && ours && path_like).then(|| text.trim_end_matches('/'))
}

#[test]
fn the_domain_is_pure() {
    Tree::read().unwrap().check(impurities);
}

#[test]
fn only_the_api_names_status_codes() {
    Tree::read().unwrap().check(status_codes);
}

#[test]
fn modules_are_named_after_their_files() {
    Tree::read().unwrap().check(unnamed_modules);
}

#[test]
fn files_can_be_read_in_one_sitting() {
    Tree::read().unwrap().check(long_files);
}

#[test]
fn no_work_is_left_in_comments_and_no_registry_is_named() {
    Tree::read().unwrap().check(banned_words);
}

#[test]
fn every_policy_names_its_source() {
    Tree::read().unwrap().check(sourceless_policies);
}

#[test]
fn paths_in_readmes_exist() {
    let tree = Tree::read().unwrap();
    tree.check(|file| broken_paths(file, &tree));
}

#[test]
fn the_tree_that_is_read_is_this_repository() {
    let tree = Tree::read().unwrap();
    for path in ["Cargo.toml", "domain/src/lib.rs", "domain/i18n/locales", "tests/it/tidy.rs"] {
        assert!(tree.paths.contains(path), "{path}");
    }
    assert!(tree.files.iter().all(|file| !file.path.starts_with("target/") && !file.path.starts_with(".git/")));
}

#[test]
fn what_is_ignored_at_the_root_is_read_elsewhere() {
    let ignored = Ignored::parse("/target\n# note\n*.tmp\n/demo/\nnode_modules\n");
    for path in ["target", "demo", "node_modules", "api/assets/node_modules", ".git"] {
        assert!(ignored.covers(path), "{path}");
    }
    for path in ["api/src/demo", "api/src/target", "targets", "note", "a.tmp"] {
        assert!(!ignored.covers(path), "{path}");
    }
}

/// A file made up for a rule to look at.
fn planted(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

/// Line and fault of each finding.
fn places(findings: &[Finding]) -> Vec<(usize, &str)> {
    findings.iter().map(|finding| (finding.line, finding.fault.as_str())).collect()
}

#[test]
fn an_impure_line_is_found_in_the_domain_and_nowhere_else() {
    let text = "// tokio\nuse std::{\n    fmt,\n    env::var, fs,\n};\nlet fs = env!(\"X\");\nasync fn f() { std::process::exit(1) }\n";
    let found = impurities(&planted("domain/src/order.rs", text));
    let wanted = [(4, "names `std::fs`"), (4, "names `std::env`"), (7, "names `async fn`"), (7, "names `std::process`")];
    assert_eq!(places(&found), wanted);
    assert_eq!(impurities(&planted("api/src/main.rs", text)), []);
}

#[test]
fn a_status_code_is_found_below_the_api() {
    let text = "use axum::http::StatusCode;\n/// StatusCode\nstruct StatusCodes;\n";
    assert_eq!(places(&status_codes(&planted("workers/src/lib.rs", text))), [(1, "names `StatusCode`")]);
    assert_eq!(status_codes(&planted("api/src/problem.rs", text)), []);
    assert_eq!(status_codes(&planted("tests/it/journey.rs", text)), []);
}

#[test]
fn a_nameless_module_and_a_long_file_are_found() {
    assert_eq!(places(&unnamed_modules(&planted("api/src/pages/mod.rs", ""))), [(1, "is a module file without a name")]);
    assert_eq!(unnamed_modules(&planted("api/src/pages/model.rs", "")), []);
    let long = |path, lines| long_files(&planted(path, &"\n".repeat(lines)));
    assert_eq!(long("api/src/lib.rs", 600), []);
    assert_eq!(places(&long("api/src/lib.rs", 601)), [(601, "has 601 lines, 600 are allowed")]);
    assert_eq!(long("domain/src/order/tests.rs", 800), []);
    assert_eq!(places(&long("tests/it/journey.rs", 801)), [(801, "has 801 lines, 800 are allowed")]);
    assert_eq!(long("domain/data/divisions.csv", 9000), []);
}

#[test]
fn left_work_and_registry_hosts_are_found() {
    let (word, host) = (concat!("TO", "DO"), concat!("crates", ".io"));
    let text = format!("ok\n// {word}: later\n{word}S and {word}_LIST are other words\nsee https://{host}/x\n");
    let found = banned_words(&planted("README.md", &text));
    let wanted = [(2, format!("says {word}")), (4, format!("names the registry host {host}"))];
    assert_eq!(places(&found), wanted.iter().map(|(line, fault)| (*line, fault.as_str())).collect::<Vec<_>>());
    assert_eq!(banned_words(&planted("Cargo.lock", &format!("registry {host}"))), []);
}

#[test]
fn a_policy_without_its_document_is_found() {
    assert_eq!(sourceless_policies(&planted("domain/policies/a.toml", "[source]\nname = \"x\"")), []);
    let found = sourceless_policies(&planted("domain/policies/a.toml", "# [source]\n[sources]\n"));
    assert_eq!(places(&found), [(1, "is a policy without a source")]);
    assert_eq!(sourceless_policies(&planted("domain/Cargo.toml", "")), []);
}

#[test]
fn a_path_that_does_not_exist_is_found_in_a_readme() {
    let paths = ["domain", "domain/src", "domain/src/money.rs", "domain/README.md"].map(str::to_owned).into();
    let tree = Tree { files: Vec::new(), paths, ignored: Ignored::parse("/target\n/demo/\n") };
    let check = |path: &str, text: &str| {
        let found = broken_paths(&planted(path, text), &tree);
        found.into_iter().map(|finding| (finding.line, finding.fault)).collect::<Vec<_>>()
    };
    let fine =
        "`domain/src/money.rs:12` `domain/src/` `target/debug/yijia` `demo/` `/api/v1/` `a/b` `text/html; q=1` `domain/*.rs` `../x.md`";
    assert_eq!(check("README.md", fine), []);
    assert_eq!(check("domain/README.md", "`src/money.rs` and `./x`"), []);
    assert_eq!(check("README.md", "```\n`domain/gone.rs`\n```\n"), []);
    let missing = |line, path: &str| (line, format!("names `{path}`, which does not exist"));
    let text = "ok\n`domain/gone.rs` `docs/a.md`\n`domain/src/ledger` `src/money.rs` `guide/`";
    let wanted = [(2, "domain/gone.rs"), (2, "docs/a.md"), (3, "domain/src/ledger"), (3, "src/money.rs"), (3, "guide")];
    assert_eq!(check("README.md", text), wanted.map(|(line, path)| missing(line, path)));
    assert_eq!(check("CHANGELOG.md", text), []);
}

#[test]
fn a_finding_names_its_place_and_its_cure() {
    let finding = planted("a/mod.rs", "").finding(7, "is wrong", "make it right");
    assert_eq!(finding.to_string(), "a/mod.rs:7: is wrong; make it right");
}
