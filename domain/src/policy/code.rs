//! Codes that policy files give to programmes, benefits, funds and classes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::PolicyError;

const CODE_LENGTH_MAX: usize = 64;

/// Small ASCII letters and digits in words joined by single hyphens, beginning with a letter.
fn is_kebab_case(text: &str) -> bool {
    let words_are_whole =
        text.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    text.len() <= CODE_LENGTH_MAX && words_are_whole && text.starts_with(|first: char| first.is_ascii_lowercase())
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Small ASCII letters, digits and single hyphens, beginning with a letter, at most 64 characters.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The code as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = PolicyError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_kebab_case(text) { Ok(Self(text.to_owned())) } else { Err(PolicyError::Code) }
            }
        }
        impl TryFrom<String> for $name {
            type Error = PolicyError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.0
            }
        }
    )*};
}

codes! {
    /// Key of a programme over all its versions, such as `tianjin-home-care`.
    ProgrammeCode;
    /// Key of one benefit within its programme.
    BenefitCode;
    /// Key of one funding layer within its programme, such as `city`.
    FundCode;
    /// Key of one class of entitled persons within its programme.
    ClassCode;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_that_begins_with_a_letter() {
        for right in ["a", "tianjin-home-care", "v2-2026"] {
            assert_eq!(right.parse::<ProgrammeCode>().map(|code| code.to_string()), Ok(right.to_owned()));
        }
        for wrong in ["", "-a", "a-", "a--b", "A", "a_b", "2a", "天津", " a", &"a".repeat(65)] {
            assert_eq!(wrong.parse::<ProgrammeCode>(), Err(PolicyError::Code), "{wrong:?}");
        }
    }
}
