use std::fmt;

use super::ResidentError;

/// Longest name, in characters.
const LONGEST: usize = 50;

/// A person's name as on the identity document: 1 to 50 characters of any script. It shows only masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonName(String);

impl PersonName {
    /// Checks a name. Nothing is trimmed or folded.
    ///
    /// # Errors
    /// [`ResidentError::Name`] for an empty or too long name, spaces around it, and control, direction or other
    /// invisible characters.
    pub fn parse(text: &str) -> Result<Self, ResidentError> {
        let length = text.chars().count();
        let sound = (1..=LONGEST).contains(&length) && text.trim() == text && !text.contains(is_invisible);
        if sound { Ok(Self(text.to_owned())) } else { Err(ResidentError::Name) }
    }

    /// The plain name.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Characters that change how a text shows without showing themselves: controls, zero-width and direction
/// marks, line and paragraph separators, byte order marks.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The first character and two stars, whatever the length.
impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().take(1).try_for_each(|first| write!(f, "{first}**"))
    }
}
impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_accepted_as_they_stand() {
        let longest = "颐".repeat(50);
        for name in ["王", "𠮷田", "阿依古丽·买买提", "·", "John Smith", "Nguyễn Văn A", longest.as_str()] {
            assert_eq!(PersonName::parse(name).unwrap().expose(), name);
        }
    }

    #[test]
    fn empty_long_padded_and_invisible_names_are_refused() {
        let too_long = "颐".repeat(51);
        for name in ["", " ", " 王", "王 ", "王\u{3000}", "王\n芳", "王\0", "王\u{202e}芳", "王\u{200b}芳", "\u{feff}王", too_long.as_str()]
        {
            assert_eq!(PersonName::parse(name), Err(ResidentError::Name), "{name:?}");
        }
    }

    #[test]
    fn a_masked_name_shows_its_first_character_alone() {
        for (name, masked) in [("王", "王**"), ("王小芳", "王**"), ("𠮷田", "𠮷**"), ("John Smith", "J**")] {
            let name = PersonName::parse(name).unwrap();
            assert_eq!(format!("{name} {name:?}"), format!("{masked} {masked}"));
        }
    }
}
