//! What makes a password usable: its length, and that it is none of those that are tried first. No rules on its
//! composition (NIST SP 800-63B, 5.1.1.2): they make passwords worse.

use crate::error::{Fault, FieldError, Kind};

/// Shortest and longest password, in characters.
pub const LENGTH: std::ops::RangeInclusive<usize> = 8..=256;

/// The passwords that are tried first, in lower case, one a line.
const COMMON: &str = include_str!("../data/common_passwords.txt");

/// Why a password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {} to {} characters", LENGTH.start(), LENGTH.end())]
    Length,
    /// One of those that are tried first, or one character again and again.
    #[error("this password is one of those that are tried first")]
    Common,
}

impl Fault for PasswordError {
    fn code(&self) -> &'static str {
        match self {
            Self::Length => "password.length",
            Self::Common => "password.common",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        let cure = match self {
            Self::Length => format!("use {} to {} characters", LENGTH.start(), LENGTH.end()),
            Self::Common => "choose another one, such as four words that have nothing to do with each other".to_owned(),
        };
        vec![FieldError::new("password", self.code(), cure)]
    }
}

/// Checks a password that somebody chooses.
///
/// # Errors
/// See [`PasswordError`].
pub fn check(password: &str) -> Result<(), PasswordError> {
    if !LENGTH.contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    let folded = password.trim().to_lowercase();
    let mut characters = folded.chars();
    let first = characters.next();
    let one_character = characters.all(|character| Some(character) == first);
    if one_character || COMMON.lines().any(|common| common == folded) { Err(PasswordError::Common) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_the_common_list_decide_and_nothing_else() {
        for right in ["correct horse battery staple", "颐养天年家和万事兴", "zbqkwmxr", "老人家的一个长密码🙂", "20480917553"]
        {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        assert_eq!(check("短"), Err(PasswordError::Length));
        assert_eq!(check(&"x1".repeat(129)), Err(PasswordError::Length));
        for common in ["12345678", "Password123", "QWERTYUIOP", "5201314520", "ｘｘｘｘｘｘｘｘ", "        "] {
            assert_eq!(check(common), Err(PasswordError::Common), "{common}");
        }
    }

    #[test]
    fn the_list_is_in_the_form_that_is_compared() {
        for line in COMMON.lines() {
            assert!(LENGTH.contains(&line.chars().count()) && line == line.trim().to_lowercase(), "{line}");
        }
    }
}
