//! The words that people read: one catalogue in Chinese (zh-CN, complete first) and English for pages, mails,
//! documents and refusals.
//!
//! Keys are the codes of the domain (`item.bathing`, `order.state.assigned`, `problem.money.negative`) and the
//! names of page texts; the texts stand in `locales/`, are compiled into the binary and are checked by the
//! tests below: both languages hold the same keys with the same variables, except that English cures may be
//! left to whoever finds the fault ([`cure`]). The language is always an argument; there is no current language
//! of a process or thread. Amounts, dates and times are written by [`format`].

use std::{borrow::Cow, collections::BTreeSet};

use domain::error::Kind;

pub mod format;
mod locale;
#[cfg(test)]
mod tests;

pub use locale::{Locale, LocaleError};

rust_i18n::i18n!("locales", fallback = "zh-CN");

/// The text of a key, or nothing when the catalogue has no such key.
///
/// Asking for English and finding only Chinese gives the Chinese text; the tests keep the two languages equal.
#[must_use]
pub fn text(locale: Locale, key: &str) -> Option<Cow<'static, str>> {
    // The macro `t!` of the crate would answer an unknown key with the key itself; this tells.
    _rust_i18n_try_translate(locale.tag(), key)
}

/// The text of a key with its variables, written `%{name}` in the catalogue, replaced by values; nothing when
/// the catalogue has no such key.
///
/// Values are inserted as they are: a value that looks like a variable is not replaced again, and whoever
/// writes HTML escapes the result. A variable without a value stays visible as `%{name}`.
#[must_use]
pub fn text_with(locale: Locale, key: &str, values: &[(&str, &str)]) -> Option<String> {
    let text = text(locale, key)?;
    let (names, values): (Vec<&str>, Vec<String>) = values.iter().map(|(name, value)| (*name, (*value).to_owned())).unzip();
    Some(rust_i18n::replace_patterns(&text, &names, &values))
}

/// The title of a refusal by its stable code (`money.negative`), or nothing when the code has no text of its
/// own; [`kind_title`] then says at least how to react.
#[must_use]
pub fn problem_title(locale: Locale, code: &str) -> Option<Cow<'static, str>> {
    text(locale, &format!("problem.{code}"))
}

/// What to do about a faulty field, by the stable code of its fault (`identity.spaces`), or nothing when the
/// language has no text of its own for the code.
///
/// `english` is the cure that came with the fault. Texts that cannot know the numbers of the case insert it, and
/// where there is no text it is to be shown itself.
#[must_use]
pub fn cure(locale: Locale, code: &str, english: &str) -> Option<String> {
    // Without the fallback of `text`: a Chinese cure is no help to a reader of English.
    let text = _rust_i18n_backend().translate(locale.tag(), &format!("cure.{code}"))?;
    Some(rust_i18n::replace_patterns(&text, &["cure"], &[english.to_owned()]))
}

/// All keys of a language that have a text of their own in it.
#[must_use]
pub fn keys(locale: Locale) -> BTreeSet<String> {
    let messages = _rust_i18n_backend().messages_for_locale(locale.tag()).unwrap_or_default();
    messages.into_iter().map(|(key, _)| key.into_owned()).collect()
}

/// The title of any refusal of a kind.
#[must_use]
pub fn kind_title(locale: Locale, kind: Kind) -> Option<Cow<'static, str>> {
    problem_title(locale, kind_code(kind))
}

/// The code of a kind, as the catalogue and the API write it.
const fn kind_code(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::Unauthenticated => "unauthenticated",
        Kind::Forbidden => "forbidden",
        Kind::NotFound => "not_found",
        Kind::Conflict => "conflict",
        Kind::Stale => "stale",
        Kind::Unavailable => "unavailable",
        Kind::Broken => "broken",
    }
}
