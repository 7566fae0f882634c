//! Mail by SMTP, and text messages through a gateway that takes them as mails.

use std::{fmt, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor,
    address::Envelope,
    message::{Mailbox, header::ContentType},
    transport::smtp::{AsyncSmtpTransportBuilder, Error},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Message, MessagePort, PortError};

/// How long one step of the conversation may take: with all of them less than the lease of a delivery.
const STEP_LIMIT: Duration = Duration::from_secs(8);
/// How long the whole conversation may take.
const LIMIT: Duration = Duration::from_secs(40);
/// Where the number of a text message stands in the address of its gateway.
const NUMBER: &str = "{number}";

/// A mail server, as `smtps://USER:PASSWORD@HOST:465`, `smtp://USER:PASSWORD@HOST:587?tls=required`, or
/// `smtp://127.0.0.1:25` on the machine itself.
#[derive(Clone)]
pub struct MailServer {
    url: SecretString,
    sender: Mailbox,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer").field("sender", &self.sender.to_string()).finish_non_exhaustive()
    }
}

impl MailServer {
    /// Checks the address of the server and the sender. Nothing is sent over a net without TLS.
    ///
    /// # Errors
    /// What is wrong, without the address itself, which can hold a password.
    pub fn parse(url: &str, sender: &str) -> Result<Self, &'static str> {
        let sender = sender.parse().map_err(|_cause| "the sender is not a mail address")?;
        let server = Self { url: url.to_owned().into(), sender };
        server.builder()?;
        let plain = url.strip_prefix("smtp://").filter(|rest| !rest.ends_with("?tls=required"));
        let host = plain.map(|rest| rest.rsplit('@').next().unwrap_or_default());
        let loops = |host: &str| ["127.0.0.1", "localhost", "[::1]"].iter().any(|own| host == *own || host.starts_with(&format!("{own}:")));
        if host.is_some_and(|host| !loops(host)) { Err("mails would go over the net without TLS") } else { Ok(server) }
    }

    /// What a transport is built of. Building one begins a task, and so needs the runtime.
    fn builder(&self) -> Result<AsyncSmtpTransportBuilder, &'static str> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(self.url.expose_secret());
        Ok(builder.map_err(|_cause| "the address of the mail server cannot be read")?.timeout(Some(STEP_LIMIT)))
    }
}

/// Sends mails.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

impl Smtp {
    /// A port to a server. Must be made inside the runtime that uses it.
    ///
    /// # Errors
    /// What is wrong with the server's address.
    pub fn new(server: &MailServer) -> Result<Self, &'static str> {
        Ok(Self { transport: server.builder()?.build(), sender: server.sender.clone() })
    }

    async fn send_to(&self, address: &str, message: &Message) -> Result<(), PortError> {
        let refused = |what: &str| PortError::Refused(what.to_owned());
        let to: lettre::Address = address.parse().map_err(|_cause| refused("address"))?;
        let envelope = Envelope::new(Some(self.sender.email.clone()), vec![to.clone()]).map_err(|_cause| refused("envelope"))?;
        let mail = Mail::builder()
            .from(self.sender.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject.as_str())
            .header(ContentType::TEXT_PLAIN)
            .envelope(envelope)
            .body(message.text.expose_secret().to_owned())
            .map_err(|_cause| refused("form"))?;
        match tokio::time::timeout(LIMIT, self.transport.send(mail)).await {
            Ok(Ok(_accepted)) => Ok(()),
            Ok(Err(cause)) => Err(describe(&cause)),
            Err(_elapsed) => Err(PortError::Unavailable("too slow".to_owned())),
        }
    }
}

/// The answer of the server by its code alone: its words can repeat the address.
fn describe(cause: &Error) -> PortError {
    let code = cause.status().map_or_else(|| "no answer".to_owned(), |code| code.to_string());
    if cause.is_permanent() { PortError::Refused(code) } else { PortError::Unavailable(code) }
}

#[async_trait::async_trait]
impl MessagePort for Smtp {
    async fn send(&self, message: &Message) -> Result<(), PortError> {
        self.send_to(message.to.expose_secret(), message).await
    }
}

/// Sends text messages through a gateway that takes each as a mail to an address with the number in it, as
/// telephone companies and text-message appliances offer it: `{number}@sms.example.cn`.
#[derive(Debug, Clone)]
pub struct TextByMail {
    smtp: Smtp,
    address: String,
}

impl TextByMail {
    /// A port over a mail server.
    ///
    /// # Errors
    /// An address without the place of the number, or that is none with a number in it.
    pub fn new(smtp: Smtp, address: &str) -> Result<Self, &'static str> {
        Self::check(address)?;
        Ok(Self { smtp, address: address.to_owned() })
    }

    /// Checks the form of an address.
    ///
    /// # Errors
    /// As [`TextByMail::new`].
    pub fn check(address: &str) -> Result<(), &'static str> {
        let example: Result<lettre::Address, _> = address.replace(NUMBER, "13800001234").parse();
        if address.matches(NUMBER).count() == 1 && example.is_ok() { Ok(()) } else { Err("not a mail address with {number} in it") }
    }
}

#[async_trait::async_trait]
impl MessagePort for TextByMail {
    async fn send(&self, message: &Message) -> Result<(), PortError> {
        // Gateways of the mainland take its numbers without the country code.
        let number = message.to.expose_secret();
        let national = number.strip_prefix("+86").unwrap_or(number);
        self.smtp.send_to(&self.address.replace(NUMBER, national), message).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_over_the_net_without_tls() {
        let sender = "颐家 <no-reply@yijia.example>";
        for right in
            ["smtps://u:p@mail.example:465", "smtp://u:p@mail.example:587?tls=required", "smtp://127.0.0.1:8625", "smtp://localhost"]
        {
            assert!(MailServer::parse(right, sender).is_ok(), "{right}");
        }
        for wrong in
            ["smtp://mail.example:25", "smtp://127.0.0.1.evil.example:25", "smtp://u@127.0.0.1@mail.example", "http://mail.example", ""]
        {
            assert!(MailServer::parse(wrong, sender).is_err(), "{wrong}");
        }
        assert!(MailServer::parse("smtps://mail.example", "nobody").is_err());
        assert!(!format!("{:?}", MailServer::parse("smtps://u:secret@mail.example", sender)).contains("secret"));
    }

    #[test]
    fn the_address_of_a_gateway_has_one_place_for_the_number() {
        assert!(TextByMail::check("{number}@sms.example.cn").is_ok());
        for wrong in ["sms@example.cn", "{number}", "{number}{number}@sms.example.cn", "{number}@"] {
            assert!(TextByMail::check(wrong).is_err(), "{wrong}");
        }
    }
}
