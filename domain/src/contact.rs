//! Where a person is sent messages: a mail address or a mobile number, each in one normal form.

use std::fmt;

use crate::{
    error::{Fault, FieldError, Kind},
    resident::PhoneNumber,
};

/// Longest mail address, in characters (RFC 5321 with its brackets left out).
const MAIL_LENGTH_MAX: usize = 254;
/// Longest part before the `@` (RFC 5321, 4.5.3.1.1).
const LOCAL_LENGTH_MAX: usize = 64;

/// Why a contact was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// Neither a mail address nor a mobile number.
    #[error("that is neither a mail address nor a mobile number of the Chinese mainland")]
    Form,
}

impl Fault for ContactError {
    fn code(&self) -> &'static str {
        match self {
            Self::Form => "contact.form",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        vec![FieldError::new("contact", self.code(), "write a mobile number such as 13800001234 or a mail address such as li@example.cn")]
    }
}

/// The two kinds of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum ContactKind {
    /// A mail address.
    Mail,
    /// A mobile number, reached by text message.
    Phone,
}

/// A mail address or a mobile number. It shows only masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    kind: ContactKind,
    address: String,
}

impl Contact {
    /// Brings a contact as people write it to its normal form: mail addresses in lower case without spaces
    /// around, mobile numbers in E.164.
    ///
    /// # Errors
    /// [`ContactError::Form`] for everything else, fixed lines included.
    pub fn parse(text: &str) -> Result<Self, ContactError> {
        if text.contains('@') {
            let address = text.trim().to_ascii_lowercase();
            return if is_mail(&address) { Ok(Self { kind: ContactKind::Mail, address }) } else { Err(ContactError::Form) };
        }
        let phone = PhoneNumber::parse(text).map_err(|_cause| ContactError::Form)?;
        if phone.is_mobile() { Ok(Self { kind: ContactKind::Phone, address: phone.expose() }) } else { Err(ContactError::Form) }
    }

    /// Which of the two it is.
    #[must_use]
    pub const fn kind(&self) -> ContactKind {
        self.kind
    }

    /// The plain address.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.address
    }
}

/// Ordinary addresses only: no quoted parts, no comments, no bare server, nothing that a header could take for
/// its own.
fn is_mail(text: &str) -> bool {
    let Some((local, server)) = text.split_once('@') else { return false };
    let atom =
        |atom: &str| !atom.is_empty() && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte));
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= MAIL_LENGTH_MAX
        && local.len() <= LOCAL_LENGTH_MAX
        && local.split('.').all(atom)
        && server.contains('.')
        && server.split('.').all(label)
        && server.rsplit('.').next().is_some_and(|top| top.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// `l***@example.cn`, `138****1234`.
impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address.split_once('@') {
            Some((local, server)) => write!(f, "{}***@{server}", local.chars().next().unwrap_or('*')),
            None => match PhoneNumber::parse(&self.address) {
                Ok(phone) => fmt::Display::fmt(&phone, f),
                Err(_unreachable) => f.write_str("***"),
            },
        }
    }
}
impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_of_writing_a_contact_have_one_normal_form() {
        for (text, normal) in [
            ("+86 138 0000 1234", "+8613800001234"),
            ("１３８００００１２３４", "+8613800001234"),
            ("0086-13800001234", "+8613800001234"),
            (" A.Li@Example.CN ", "a.li@example.cn"),
        ] {
            assert_eq!(Contact::parse(text).unwrap().expose(), normal, "{text}");
        }
    }

    #[test]
    fn what_could_cheat_a_mail_header_is_no_address() {
        let long = format!("{}@example.cn", "a".repeat(65));
        for text in [
            "a@b",
            "\"a b\"@x.cn",
            "a b@x.cn",
            "a@x.cn\r\nBcc: b@x.cn",
            "@x.cn",
            "a@",
            "a@@x.cn",
            "a@x..cn",
            ".a@x.cn",
            "a@-x.cn",
            "a@1.2.3.4",
            "a@x.cn,b@x.cn",
            "<a@x.cn>",
            "李@x.cn",
            &long,
            "022-23123456",
            "1380000\u{200b}1234",
            "",
        ] {
            assert_eq!(Contact::parse(text), Err(ContactError::Form), "{text}");
        }
    }

    #[test]
    fn a_contact_shows_only_masked() {
        assert_eq!(format!("{:?}", Contact::parse("li.jianguo@example.cn").unwrap()), "l***@example.cn");
        assert_eq!(Contact::parse("13800001234").unwrap().to_string(), "138****1234");
    }
}
