//! The catalogue and the sources agree: every code of a refusal has its title in both languages, every code of a
//! faulty field its cure in Chinese, and no such text is left over.
//!
//! The codes are read out of the sources, so that a new fault without a text fails here.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use i18n::Locale;

/// Folders whose code makes refusals.
const FOLDERS: [&str; 4] = ["domain/src", "domain/i18n/src", "migrations/store/src", "api/src"];

/// Field codes whose cure is a sentence about one line of a file or one setting, which its reader writes in English.
const CURE_STAYS_ENGLISH: [&str; 4] = ["divisions.row", "policy.fault", "settings.invalid", "sheet.fault"];

/// Codes of faults that are never a field's, although others of their enums are.
const WITHOUT_FIELD: [&str; 8] = [
    "assessment.scores",
    "assessment.standard",
    "payout.no_account",
    "policy.code",
    "provider.credit_code_right",
    "provider.reviewer_missing",
    "provider.same_person",
    "provider.transition",
];

/// Kinds of refusals: titles for codes that have none of their own.
const KINDS: [&str; 8] = ["invalid", "unauthenticated", "forbidden", "not_found", "conflict", "stale", "unavailable", "broken"];

/// The sources without their tests.
fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let of_tests = path.file_stem().is_some_and(|stem| stem == "tests");
            if path.is_dir() && !of_tests {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !of_tests {
                texts.push(without_tests(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    texts
}

/// A source up to its module of tests, which stands at the end.
fn without_tests(text: &str) -> String {
    const MARK: &str = "#[cfg(test)]\n";
    let is_module = |piece: &&str| piece.lines().next().is_some_and(|line| line.contains("mod ") && line.ends_with('{'));
    let kept: Vec<&str> =
        text.split(MARK).enumerate().take_while(|(place, piece)| *place == 0 || !is_module(piece)).map(|(_, piece)| piece).collect();
    kept.join(MARK)
}

/// What stands between each `opening` and the bracket that closes the one at its end.
fn enclosed<'a>(text: &'a str, opening: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(opening).skip(1).map(move |rest| {
        let end = closing(rest).unwrap_or_else(|| panic!("`{opening}` is not closed before the next one"));
        rest.split_at(end).0
    })
}

/// Where the bracket around a text closes. Brackets inside literals do not count.
fn closing(inside: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in outside_literals(inside) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return Some(at),
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The arguments of a call, cut at the commas that are its own.
fn arguments(inside: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, c) in outside_literals(inside).chain([(inside.len(), ',')]) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.extend(inside.get(begin..at).map(str::trim).filter(|part| !part.is_empty()));
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// The characters of a piece of Rust with their places, without those of string and character literals.
fn outside_literals(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quoted, mut escaped) = (false, false);
    let mut characters = text.char_indices();
    std::iter::from_fn(move || {
        loop {
            let (at, c) = characters.next()?;
            if quoted {
                quoted = c != '"' || escaped;
                escaped = c == '\\' && !escaped;
            } else if c == '"' {
                quoted = true;
            } else if c == '\'' && is_character(characters.as_str()) {
                characters.nth(1);
            } else {
                return Some((at, c));
            }
        }
    })
}

/// Whether a character and its closing quote follow, not the name of a lifetime.
fn is_character(rest: &str) -> bool {
    rest.chars().nth(1) == Some('\'')
}

/// The string literals of a text that are codes, `module.fault`.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2).filter(|literal| is_code(literal))
}

fn is_code(literal: &str) -> bool {
    let name = |part: &str| !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
    literal.split_once('.').is_some_and(|(module, fault)| name(module) && name(fault))
}

/// What the functions `code` of a source answer.
fn own_codes(source: &str) -> BTreeSet<String> {
    enclosed(source, "fn code(&self) -> &'static str {").flat_map(codes).map(str::to_owned).collect()
}

/// The codes of refusals in a source: what `fn code` answers, and refusals that are made without a fault.
fn fault_codes(source: &str) -> BTreeSet<String> {
    let made = source.split("Refusal { code: ").skip(1).filter_map(|rest| codes(rest.lines().next()?).next());
    own_codes(source).into_iter().chain(made.map(str::to_owned)).collect()
}

/// The codes of faulty fields in a source.
fn field_codes(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for call in enclosed(source, "FieldError::new(") {
        let Some(code) = arguments(call).get(1).copied() else { panic!("a call without a code: {call}") };
        found.extend(codes_of_argument(source, code));
    }
    for rules in enclosed(source, "#[validate(") {
        let names = arguments(rules).into_iter().filter_map(|rule| rule.split('(').next()).filter(|name| *name != "nested");
        found.extend(names.map(|name| format!("field.{name}")));
    }
    found
}

/// The codes that an argument can hold: those of a literal, or those that its source gives the name.
fn codes_of_argument(source: &str, argument: &str) -> BTreeSet<String> {
    let from = |text: &str| codes(text).map(str::to_owned).collect::<BTreeSet<_>>();
    let given = |opening: String| source.split(&opening).skip(1).filter_map(|rest| rest.split(';').next()).flat_map(from).collect();
    match argument {
        "self.code()" => own_codes(source).into_iter().filter(|code| !WITHOUT_FIELD.contains(&code.as_str())).collect(),
        // The fault of another source, which answers `self.code()` there; or a rule of a shape, counted at its attribute.
        "fault.code()" | "format!(\"field.{}\", error.code)" => BTreeSet::new(),
        literal if literal.starts_with('"') => from(literal),
        name if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') => given(format!("const {name}: &str =")),
        name => given(format!("let {name} =")),
    }
}

/// All that the sources make by a rule.
fn all(rule: impl Fn(&str) -> BTreeSet<String>) -> BTreeSet<String> {
    sources().iter().flat_map(|source| rule(source)).collect()
}

/// The keys of an area in one language, without the area.
fn texts(locale: Locale, area: &str) -> BTreeSet<String> {
    i18n::keys(locale).iter().filter_map(|key| key.strip_prefix(area)).map(str::to_owned).collect()
}

fn assert_none<'a>(keys: impl Iterator<Item = &'a String>, cure: &str) {
    let keys: Vec<_> = keys.collect();
    assert!(keys.is_empty(), "{cure}: {keys:?}");
}

#[test]
fn every_code_of_a_refusal_has_a_title_in_both_languages() {
    let codes = all(fault_codes);
    assert!(codes.len() > 100, "the sources name their codes otherwise now: {codes:?}");
    for locale in Locale::ALL {
        assert_none(codes.difference(&texts(locale, "problem.")), &format!("write the titles problem.<code> in {locale}"));
    }
}

#[test]
fn every_title_belongs_to_a_code_or_a_kind() {
    let known: BTreeSet<String> = all(fault_codes).into_iter().chain(KINDS.map(str::to_owned)).collect();
    for locale in Locale::ALL {
        assert_none(texts(locale, "problem.").difference(&known), "no code has these titles; rename or remove them");
    }
}

#[test]
fn every_code_of_a_field_has_a_cure_in_chinese() {
    let mut codes = all(field_codes);
    assert!(codes.len() > 70, "the sources name the faults of fields otherwise now: {codes:?}");
    for code in CURE_STAYS_ENGLISH {
        assert!(codes.remove(code), "{code} is no code of a field any more; take it off the list");
    }
    assert_none(codes.difference(&texts(Locale::ZhCn, "cure.")), "write the cures cure.<code> in zh-CN");
}

#[test]
fn every_cure_belongs_to_a_code_of_a_field() {
    // An assessment whose validity leaves the calendar passes the code of `TimeError` on.
    let known: BTreeSet<String> = all(field_codes).into_iter().chain(["time.range".to_owned()]).collect();
    let translated: BTreeSet<String> = known.into_iter().filter(|code| !CURE_STAYS_ENGLISH.contains(&code.as_str())).collect();
    for locale in Locale::ALL {
        assert_none(texts(locale, "cure.").difference(&translated), "no field has the codes of these cures; rename or remove them");
    }
}

#[test]
fn the_english_cures_of_the_catalogue_are_those_of_the_code() {
    let sources = sources().concat();
    for code in texts(Locale::En, "cure.") {
        let cure = i18n::text(Locale::En, &format!("cure.{code}")).unwrap();
        assert!(sources.contains(&format!("\"{cure}\"")), "cure.{code}: the code says something else than \"{cure}\"");
    }
}

#[test]
fn every_fault_without_a_field_is_a_fault() {
    let codes = all(own_codes);
    for code in WITHOUT_FIELD {
        assert!(codes.contains(code), "{code} is gone; take it off the list");
    }
}

#[test]
fn codes_are_found_where_sources_hold_them() {
    let source = r#"
        const UNKNOWN: &str = "field.unknown";
        #[validate(length(min = 1, max = 5), nested)]
        fn code(&self) -> &'static str { match self { Self::A { .. } => "a.one", Self::B(b) => b.code(), Self::C => "plain" } }
        fn make() -> Refusal { Refusal { code: "input.invalid", detail: "see a.four)" } }
        let code = if x == ')' { "f.type" } else { "f.value" };
        FieldError::new(format!("x.{}", (1, 2).0), "a.two", "say \"(a, b\"");
        FieldError::new(at, UNKNOWN, cure); FieldError::new(at, code, cure); FieldError::new(at, self.code(), "c");
        #[cfg(test)]
        mod tests {
        FieldError::new("x", "a.five", "c") }
    "#;
    let source = without_tests(&source.replace("        ", ""));
    assert_eq!(fault_codes(&source).into_iter().collect::<Vec<_>>(), ["a.one", "input.invalid"]);
    let wanted = ["a.one", "a.two", "f.type", "f.value", "field.length", "field.unknown"];
    assert_eq!(field_codes(&source).into_iter().collect::<Vec<_>>(), wanted);
}
