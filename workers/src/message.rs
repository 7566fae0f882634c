//! Messages that events ask for.

use domain::id::SignInCodeId;
use i18n::Locale;
use secrecy::ExposeSecret as _;
use store::{
    Ctx, Store, StoreError,
    command::account::{CloseSignInCode, CodeMessage},
};

use crate::port::{Message, PortError, Ports};

/// Why a message did not go out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undelivered {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Undelivered {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Store(cause) => cause.code(),
            Self::Port(cause) => cause.code(),
        }
    }
}

/// Sends the code that somebody asked for, if somebody has the contact, and forgets its text.
pub(crate) async fn send_sign_in_code(store: &Store, ports: &Ports, ctx: Ctx, code: SignInCodeId) -> Result<(), Undelivered> {
    if let Some(message) = store.code_message(code, ctx.now).await? {
        ports.send(message.kind, &compose(&message)?).await?;
    }
    store.write(ctx, CloseSignInCode { code }).await?;
    Ok(())
}

fn compose(message: &CodeMessage) -> Result<Message, StoreError> {
    let locale: Locale = message.locale.parse().unwrap_or(Locale::ZhCn);
    let text = |key: &str| {
        let values = [("code", message.code.expose_secret()), ("minutes", &message.minutes.to_string())];
        let text = i18n::text_with(locale, &format!("message.sign_in_code.{key}"), &values);
        text.ok_or_else(|| StoreError::Configuration(format!("the catalogue lacks message.sign_in_code.{key}")))
    };
    Ok(Message { to: message.address.clone(), subject: text("subject")?, text: text("text")?.into() })
}
