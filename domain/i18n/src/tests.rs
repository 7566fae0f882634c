mod codes;

use std::collections::BTreeMap;

use super::*;

/// All texts of one language, without the fallback to the other.
fn messages(locale: Locale) -> BTreeMap<String, String> {
    let messages = _rust_i18n_backend().messages_for_locale(locale.tag()).unwrap();
    messages.into_iter().map(|(key, text)| (key.into_owned(), text.into_owned())).collect()
}

/// The names between `%{` and `}`.
fn variables(text: &str) -> BTreeSet<&str> {
    text.split("%{").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// The codes that serde gives to values.
fn codes_of<T: serde::Serialize>(values: &[T]) -> Vec<String> {
    values.iter().map(|value| serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()).collect()
}

/// Whether the English text of a key may be left to the code.
fn may_lack_english(key: &str) -> bool {
    key.starts_with("cure.")
}

#[test]
fn both_languages_hold_the_same_keys() {
    let (chinese, english) = (keys(Locale::ZhCn), keys(Locale::En));
    assert!(chinese.len() > 100, "the catalogue was not compiled in");
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    let mut without_english = only(&chinese, &english);
    without_english.retain(|key| !may_lack_english(key));
    assert_eq!(without_english, Vec::<String>::new(), "write the English text of these keys");
    assert_eq!(only(&english, &chinese), Vec::<String>::new(), "write the Chinese text of these keys");
}

#[test]
fn titles_and_cures_for_chinese_readers_are_in_chinese() {
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for (key, text) in messages(Locale::ZhCn) {
        let for_refusals = key.starts_with("problem.") || key.starts_with("cure.");
        assert!(!for_refusals || text.chars().any(is_han), "{key}: {text}");
    }
    for (key, text) in messages(Locale::En) {
        let own_name = key.starts_with("locale.");
        assert!(own_name || !text.chars().any(is_han), "{key}: {text}");
    }
}

#[test]
fn no_key_is_written_twice() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("locales");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    // A key whose own name is a language is followed by its texts, not by one text.
    let written: usize = files.map(|file| file.matches("zh-CN: ").count() - file.matches("zh-CN: {").count()).sum();
    assert_eq!(messages(Locale::ZhCn).len(), written, "of two texts with one key, the later file's would win unseen");
}

#[test]
fn the_catalogue_holds_the_languages_of_the_product_and_no_other() {
    let mut locales = rust_i18n::available_locales!();
    locales.sort_unstable();
    assert_eq!(locales, ["en", "zh-CN"], "a misspelt language in locales/ makes one of its own");
}

#[test]
fn no_text_is_empty_or_padded_and_no_variable_is_malformed() {
    for locale in Locale::ALL {
        for (key, text) in messages(locale) {
            assert!(!text.is_empty() && text.trim() == text, "{locale} {key}: write a text without spaces around it");
            let well_formed = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let braces = text.matches('{').count() + text.matches('}').count();
            assert_eq!(braces, 2 * variables(&text).len(), "{locale} {key}: write a variable as %{{name}}, and once");
            assert!(variables(&text).into_iter().all(well_formed), "{locale} {key}: name variables in lower case");
        }
    }
}

#[test]
fn both_languages_use_the_same_variables() {
    let english = messages(Locale::En);
    for (key, text) in messages(Locale::ZhCn) {
        match english.get(&key) {
            Some(other) => assert_eq!(variables(other), variables(&text), "{key}: both texts need the same variables"),
            None => assert!(may_lack_english(&key) && variables(&text).is_subset(&["cure"].into()), "{key}"),
        }
    }
}

#[test]
fn a_key_is_lower_case_words_joined_by_dots() {
    for key in messages(Locale::ZhCn).into_keys() {
        let last_may_vary = ["grade.", "locale."].iter().any(|area| key.starts_with(area));
        let plain = key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'));
        assert!(plain || last_may_vary, "{key}");
    }
}

#[test]
fn every_kind_of_refusal_has_a_title_under_its_own_code() {
    use Kind::{Broken, Conflict, Forbidden, Invalid, NotFound, Stale, Unauthenticated, Unavailable};
    let kinds = [Invalid, Unauthenticated, Forbidden, NotFound, Conflict, Stale, Unavailable, Broken];
    assert_eq!(kinds.map(kind_code).to_vec(), codes_of(&kinds));
    for locale in Locale::ALL {
        assert!(kinds.into_iter().all(|kind| kind_title(locale, kind).is_some()));
    }
}

#[test]
fn a_text_is_found_in_the_language_asked_for() {
    assert_eq!(text(Locale::ZhCn, "item.bathing").as_deref(), Some("助浴"));
    assert_eq!(text(Locale::En, "item.bathing").as_deref(), Some("Bathing"));
    assert_eq!(text(Locale::ZhCn, "level.4").as_deref(), Some("能力完全丧失（完全失能）"));
}

#[test]
fn an_unknown_key_has_no_text() {
    for key in ["", "item", "item.", "item.massage", "en.item.bathing", "problem.nothing.of_the_kind"] {
        assert_eq!(text(Locale::ZhCn, key), None, "{key}");
        assert_eq!(text_with(Locale::En, key, &[("name", "value")]), None, "{key}");
    }
    assert_eq!(problem_title(Locale::En, "nothing.of_the_kind"), None);
}

#[test]
fn variables_are_replaced_once_and_stay_visible_without_a_value() {
    let fill = |values| text_with(Locale::En, "entitlement.left", values).unwrap();
    assert_eq!(fill(&[("left", "45"), ("granted", "60")]), "45 of 60 left");
    assert_eq!(fill(&[("left", "%{granted}"), ("granted", "60")]), "%{granted} of 60 left");
    assert_eq!(fill(&[("granted", "60")]), "%{left} of 60 left");
}

#[test]
fn a_cure_is_told_in_the_readers_own_language_or_not_at_all() {
    assert_eq!(cure(Locale::ZhCn, "identity.spaces", "remove the spaces").as_deref(), Some("请删除空格"));
    assert_eq!(cure(Locale::En, "identity.spaces", "another cure").as_deref(), Some("remove the spaces"));
    assert_eq!(cure(Locale::En, "field.length", "use 1 to 64 characters"), None, "Chinese does not help a reader of English");
    assert_eq!(cure(Locale::ZhCn, "nothing.of_the_kind", "any"), None);
}

#[test]
fn a_cure_that_needs_the_numbers_of_the_case_inserts_the_english_one() {
    let told = cure(Locale::ZhCn, "password.length", "use 8 to 256 characters");
    assert_eq!(told.as_deref(), Some("密码长度不符合要求（use 8 to 256 characters）"));
    let odd = cure(Locale::ZhCn, "password.length", "%{cure}");
    assert_eq!(odd.as_deref(), Some("密码长度不符合要求（%{cure}）"), "an inserted text is not replaced again");
}
