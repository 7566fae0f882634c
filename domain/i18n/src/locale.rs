use std::{cmp::Reverse, fmt, str::FromStr};

use domain::error::{Fault, Kind};
use serde::{Deserialize, Serialize};

/// A language of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Locale {
    /// Simplified Chinese as used in the mainland, the language of whoever asks for none.
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

/// Why a language was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocaleError {
    /// Not the tag of a language of the product.
    #[error("not a language of this service: write zh-CN or en")]
    Unknown,
}

impl Fault for LocaleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "locale.unknown",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Unknown => Kind::Invalid,
        }
    }
}

impl Locale {
    /// All languages, the first being the language of whoever asks for none.
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    /// The language tag (BCP 47), as `lang` attributes, `Content-Language` and the catalogue write it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language that a reader prefers by the header `Accept-Language` (RFC 9110, 12.5.4): the highest
    /// weight wins, then the earlier place.
    ///
    /// Any variety of Chinese or English counts as the one that there is. Members that cannot be read are
    /// passed over, since a browser's header is no reason to refuse a page. Chinese answers a header that is
    /// missing or names neither language.
    #[must_use]
    pub fn negotiate(accept_language: Option<&str>) -> Self {
        let ranges: Vec<Range<'_>> = accept_language.unwrap_or_default().split(',').filter_map(Range::parse).collect();
        let wanted = Self::ALL.into_iter().filter_map(|locale| locale.preference(&ranges).map(|rank| (rank, locale)));
        wanted.min_by_key(|(rank, _)| *rank).map(|(_, locale)| locale).unwrap_or_default()
    }

    /// How much a reader wants this language, the smallest being the most; nothing when not at all. Ranges
    /// that name the language go before the range of all languages, `*`.
    fn preference(self, ranges: &[Range<'_>]) -> Option<(Reverse<u16>, usize)> {
        let language = self.tag().split('-').next().unwrap_or_default();
        let best = |wanted: &str| {
            let places = ranges.iter().enumerate().filter(|(_, range)| range.language.eq_ignore_ascii_case(wanted));
            places.map(|(place, range)| (Reverse(range.thousandths), place)).min()
        };
        best(language).or_else(|| best("*")).filter(|(Reverse(thousandths), _)| *thousandths > 0)
    }
}

/// One member of `Accept-Language`: a language, without its script and region, and its weight.
struct Range<'a> {
    language: &'a str,
    thousandths: u16,
}

impl<'a> Range<'a> {
    fn parse(member: &'a str) -> Option<Self> {
        let mut parts = member.split(';').map(str::trim);
        let language = parts.next()?.split('-').next().filter(|language| !language.is_empty())?;
        let thousandths = match parts.next() {
            None => 1000,
            Some(weight) => parse_weight(weight)?,
        };
        parts.next().is_none().then_some(Self { language, thousandths })
    }
}

/// Reads a weight such as `q=0.8` as thousandths (RFC 9110, 12.4.2).
fn parse_weight(text: &str) -> Option<u16> {
    let (name, number) = text.split_once('=')?;
    let (whole, decimals) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    let readable = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !name.trim().eq_ignore_ascii_case("q") || !readable {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// Reads the tag of a language of the product, as a saved preference or a cookie holds it.
impl FromStr for Locale {
    type Err = LocaleError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|locale| locale.tag() == text).ok_or(LocaleError::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_weight_wins_then_the_earlier_place_then_chinese() {
        for (header, wanted) in [
            ("", Locale::ZhCn),
            ("en", Locale::En),
            ("EN-us", Locale::En),
            ("zh", Locale::ZhCn),
            ("zh-Hant-TW, en;q=0.9", Locale::ZhCn),
            ("en, zh", Locale::En),
            ("zh;q=0.8, en;q=0.9", Locale::En),
            ("en;q=0.8, zh;q=0.80", Locale::En),
            ("zh-TW;q=0, zh-CN, en;q=0.5", Locale::ZhCn),
            ("fr, de;q=0.9", Locale::ZhCn),
            ("fr, en;q=0.1", Locale::En),
            ("*", Locale::ZhCn),
            ("*, zh;q=0", Locale::En),
            ("*;q=0.5, en;q=0.4", Locale::ZhCn),
            ("en;q=0", Locale::ZhCn),
            ("zh;q=0, en;q=0", Locale::ZhCn),
            ("en;q=0.001, zh;q=0", Locale::En),
            (" en ; Q=1.000 , zh ; q = 0.5", Locale::En),
        ] {
            assert_eq!(Locale::negotiate(Some(header)), wanted, "{header:?}");
        }
        assert_eq!(Locale::negotiate(None), Locale::ZhCn);
    }

    #[test]
    fn members_that_cannot_be_read_are_passed_over() {
        for member in ["en;q=2", "en;q=1.1", "en;q=-1", "en;q=0.1234", "en;q=", "en;q=½", "en;level=1", "en;q=1;q=1", ";q=1", "-en", "en;"]
        {
            assert_eq!(Locale::negotiate(Some(member)), Locale::ZhCn, "{member:?}");
            assert_eq!(Locale::negotiate(Some(&format!("{member}, en;q=0.3, zh;q=0.2"))), Locale::En, "{member:?}");
        }
    }

    #[test]
    fn the_tag_is_the_one_text_form() {
        for locale in Locale::ALL {
            assert_eq!(locale.to_string().parse(), Ok(locale));
            assert_eq!(serde_json::to_value(locale).unwrap(), locale.tag());
        }
        for text in ["", "zh", "zh-cn", "EN", "en-GB", "fr"] {
            assert_eq!(text.parse::<Locale>(), Err(LocaleError::Unknown), "{text}");
        }
    }
}
