//! How messages to people leave: the mail server, and the gateway for text messages behind it.

use std::sync::Arc;

use workers::port::{MailServer, Ports, Smtp, TextByMail};

use super::{Key, Unusable};

/// The checked settings of messages.
#[derive(Debug, Clone, Default)]
pub struct MailSettings {
    server: Option<MailServer>,
    text: Option<String>,
}

impl MailSettings {
    pub(super) fn of(url: &str, sender: &str, text: &str) -> Result<Self, (Key, Unusable)> {
        let server = if url == "off" {
            None
        } else {
            let cure = "write smtps://USER:PASSWORD@HOST:465 or smtp://USER:PASSWORD@HOST:587?tls=required in YIJIA_MAIL_URL, and a sender such as no-reply@yijia.example";
            Some(MailServer::parse(url, sender).map_err(|why| (Key::MailUrl, Unusable::new(why, cure)))?)
        };
        if text == "off" {
            return Ok(Self { server, text: None });
        }
        let cure = "write the address of the gateway with the number's place, such as {number}@sms.example.cn, or off";
        TextByMail::check(text).map_err(|why| (Key::TextMail, Unusable::new(why, cure)))?;
        if server.is_none() {
            let problem =
                Unusable::new("set although YIJIA_MAIL_URL is off", "set YIJIA_MAIL_URL too: text messages go through the mail server");
            return Err((Key::TextMail, problem));
        }
        Ok(Self { server, text: Some(text.to_owned()) })
    }

    /// Whether mails leave at all.
    #[must_use]
    pub const fn sends(&self) -> bool {
        self.server.is_some()
    }

    /// The ports of a process. Must be called inside the runtime that uses them.
    ///
    /// # Errors
    /// What is wrong with an address; a checked one has no fault.
    pub fn ports(&self) -> Result<Ports, &'static str> {
        let Some(server) = &self.server else { return Ok(Ports::default()) };
        let smtp = Smtp::new(server)?;
        let phone = self.text.as_deref().map(|address| TextByMail::new(smtp.clone(), address)).transpose()?;
        Ok(Ports { mail: Some(Arc::new(smtp)), phone: phone.map(|port| -> Arc<dyn workers::port::MessagePort> { Arc::new(port) }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_for_text_messages_needs_the_mail_server() {
        let of = |url: &str, text: &str| MailSettings::of(url, "no-reply@yijia.example", text).map_err(|(key, _)| key);
        assert!(of("off", "off").unwrap().ports().unwrap().mail.is_none());
        assert_eq!(of("off", "{number}@sms.example.cn").unwrap_err(), Key::TextMail);
        assert_eq!(of("smtps://mail.example", "sms@example.cn").unwrap_err(), Key::TextMail);
        assert_eq!(of("smtp://mail.example", "off").unwrap_err(), Key::MailUrl);
    }
}
