//! Ports to the outside: what carries a message to a person.
//!
//! Only subscribers use them, after the commit that asked for the message; what fails for a while is tried again by
//! the delivery, so that a message can arrive twice and never gets lost unseen.

mod smtp;

use std::{fmt, sync::Arc};

use domain::contact::ContactKind;
use secrecy::SecretString;

pub use smtp::{MailServer, Smtp, TextByMail};

/// What is sent to one person.
#[derive(Debug, Clone)]
pub struct Message {
    /// Normal form of the mail address or mobile number.
    pub to: SecretString,
    /// Subject, for mails.
    pub subject: String,
    /// Plain text; it may hold a code.
    pub text: SecretString,
}

/// Why a message was not taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Nothing is set up for this kind of contact.
    #[error("no port for messages by {0} is set up")]
    Missing(ContactKind),
    /// The other side refuses this message for good; the reason is its code, never its words.
    #[error("the message was refused for good ({0})")]
    Refused(String),
    /// The other side cannot be reached, or asks to come again.
    #[error("the message could not be handed over now ({0})")]
    Unavailable(String),
}

impl PortError {
    /// Stable code, as a dead delivery shows it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "message.no_port",
            Self::Refused(_) => "message.refused",
            Self::Unavailable(_) => "message.unavailable",
        }
    }
}

/// Carries messages of one kind.
#[async_trait::async_trait]
pub trait MessagePort: fmt::Debug + Send + Sync {
    /// Hands a message over to whoever delivers it.
    ///
    /// # Errors
    /// See [`PortError`].
    async fn send(&self, message: &Message) -> Result<(), PortError>;
}

/// The ports of one process; kinds that are not set up have none.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    /// For mail addresses.
    pub mail: Option<Arc<dyn MessagePort>>,
    /// For mobile numbers.
    pub phone: Option<Arc<dyn MessagePort>>,
}

impl Ports {
    pub(crate) async fn send(&self, kind: ContactKind, message: &Message) -> Result<(), PortError> {
        let port = match kind {
            ContactKind::Mail => &self.mail,
            ContactKind::Phone => &self.phone,
        };
        port.as_ref().ok_or(PortError::Missing(kind))?.send(message).await
    }
}
