use std::fmt;

use super::ResidentError;

/// A telephone number of the Chinese mainland in E.164, such as `+8613800001234`. It shows only masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber {
    /// Digits after the country code: the mobile number, or area code (without its leading 0) and number.
    national: String,
    /// How many of them are the area code; none of a mobile number.
    area: usize,
}

impl PhoneNumber {
    /// Brings a number as people write it to its one normal form: half- or full-width digits, with spaces,
    /// hyphens or brackets between them, with or without `+86` or `0086`. Fixed lines need their area code.
    ///
    /// # Errors
    /// [`ResidentError::Phone`] for everything else.
    pub fn parse(text: &str) -> Result<Self, ResidentError> {
        Self::read(text).ok_or(ResidentError::Phone)
    }

    fn read(text: &str) -> Option<Self> {
        let plain = plain(text)?;
        let (national, abroad) = match plain.strip_prefix("+86").or_else(|| plain.strip_prefix("0086")) {
            Some(rest) => (rest, true),
            None => (plain.as_str(), false),
        };
        if national.contains('+') {
            return None;
        }
        if is_mobile(national) {
            return Some(Self { national: national.to_owned(), area: 0 });
        }
        // Within the country the area code is written with a leading 0; abroad it may be left out.
        let fixed = match national.strip_prefix('0') {
            Some(rest) => rest,
            None if abroad => national,
            None => return None,
        };
        let area = if fixed.starts_with("10") || fixed.starts_with('2') { 2 } else { 3 };
        is_fixed(fixed, area).then(|| Self { national: fixed.to_owned(), area })
    }

    /// The plain number in E.164.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("+86{}", self.national)
    }

    /// Whether text messages can reach it.
    #[must_use]
    pub const fn is_mobile(&self) -> bool {
        self.area == 0
    }
}

/// The digits and a leading plus, without what people write between them; none if there is anything else.
fn plain(text: &str) -> Option<String> {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '0'..='9' => plain.push(character),
            '０'..='９' => plain.push(char::from_u32(u32::from(character).checked_sub(0xfee0)?)?),
            '+' | '＋' if plain.is_empty() => plain.push('+'),
            ' ' | '\u{a0}' | '\u{3000}' | '-' | '\u{2010}'..='\u{2015}' | '－' | '(' | ')' | '（' | '）' => {}
            _ => return None,
        }
    }
    Some(plain)
}

fn is_mobile(digits: &str) -> bool {
    matches!(digits.as_bytes(), [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9)
}

/// Area codes of two digits (10 and those beginning with 2) have subscribers of eight digits, others of seven
/// or eight; subscribers' numbers begin with 2 to 8.
fn is_fixed(digits: &str, area: usize) -> bool {
    let Some((code, subscriber)) = digits.split_at_checked(area) else { return false };
    let length = if area == 2 { subscriber.len() == 8 } else { matches!(subscriber.len(), 7 | 8) };
    length
        && (area == 2 || code.starts_with(|digit| ('3'..='9').contains(&digit)))
        && subscriber.starts_with(|digit| ('2'..='8').contains(&digit))
}

/// `138****1234`, `022****3456`.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (zero, shown) = if self.is_mobile() { ("", 3) } else { ("0", self.area) };
        let start = self.national.get(..shown).unwrap_or_default();
        let end = self.national.len().checked_sub(4).and_then(|from| self.national.get(from..)).unwrap_or_default();
        write!(f, "{zero}{start}****{end}")
    }
}
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_of_writing_a_number_have_one_normal_form() {
        for (text, normal) in [
            ("13800001234", "+8613800001234"),
            ("+86 138 0000 1234", "+8613800001234"),
            ("0086-138-0000-1234", "+8613800001234"),
            ("１３８０００01234", "+8613800001234"),
            ("＋８６　138　0000　1234", "+8613800001234"),
            ("022-23123456", "+862223123456"),
            ("（022）2312 3456", "+862223123456"),
            ("+86 22 2312 3456", "+862223123456"),
            ("+86 022 2312 3456", "+862223123456"),
            ("010 65001234", "+861065001234"),
            ("0516-83701234", "+8651683701234"),
            ("0533 2301234", "+865332301234"),
        ] {
            let number = PhoneNumber::parse(text).unwrap();
            assert_eq!(number.expose(), normal, "{text}");
            assert_eq!(PhoneNumber::parse(normal), Ok(number));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "138000012345",
            "1380000123",
            "12800001234",
            "138\u{200b}00001234",
            "23123456",
            "2223123456",
            "022-2312345",
            "022-12345678",
            "+1 202 555 0100",
            "+85221234567",
            "138+00001234",
            "++8613800001234",
            "110",
            "4008001234",
            "1380000123a",
            "13800001234\n",
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(ResidentError::Phone), "{text:?}");
        }
    }

    #[test]
    fn numbers_show_only_masked() {
        for (text, masked) in [("13800001234", "138****1234"), ("022-23123456", "022****3456"), ("0516-83701234", "0516****1234")] {
            let number = PhoneNumber::parse(text).unwrap();
            assert_eq!(format!("{number} {number:?}"), format!("{masked} {masked}"));
        }
        assert!(PhoneNumber::parse("13800001234").unwrap().is_mobile() && !PhoneNumber::parse("022-23123456").unwrap().is_mobile());
    }
}
