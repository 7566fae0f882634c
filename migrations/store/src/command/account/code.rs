//! One-time codes: sent to a family's mail address or telephone, or given to a carer by the provider.
//!
//! A code is stored as a MAC under a key of the installation, so that a stolen database does not tell it. Codes for
//! addresses that nobody has are written and announced like all others: neither the answer nor the time tells
//! who has an account. A message leaves only after the commit, by a subscriber.

use chrono::TimeDelta;
use domain::{
    access::Action,
    contact::{Contact, ContactKind},
    event::Event,
    id::{AccountId, CarerId, PersonId, SignInCodeId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, Set};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    AccountError,
    contact::address_index,
    session::{Device, Method, RecordFailure, SignedInSession, begin, forget_failures},
};
use crate::{
    Store,
    context::Ctx,
    convert,
    entity::{account, account_contact, carer, provider, sign_in_code},
    error::StoreError,
    keys::{Cell, KeyRing},
    tx::{Tx, for_update, open_text},
    write::Command,
};

/// How long a code that was sent holds.
const CONTACT_CODE_MINUTES: i64 = 10;
/// How long a code that a provider gave holds.
const CARER_CODE_MINUTES: i64 = 60;
/// Wrong tries after which a code is void.
const ATTEMPTS_MAX: i64 = 5;
/// Codes for one address in an hour.
const CODES_PER_HOUR: u64 = 3;
/// Codes are forgotten a day after they expired.
const KEPT_HOURS: i64 = 24;

/// Asks for a code to a mail address or mobile number.
#[derive(Debug, Clone)]
pub struct AskSignInCode {
    /// Where it goes.
    pub contact: Contact,
    /// Tag of the language of the message.
    pub locale: &'static str,
}

/// A code is on its way, if the address belongs to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedCode {
    /// What the device that asked shows together with the code.
    pub code_id: SignInCodeId,
    /// Until when it can be used.
    pub expires_at: Instant,
}

impl Command for AskSignInCode {
    type Output = AskedCode;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "ask_sign_in_code";

    async fn run(&self, tx: &Tx<'_>) -> Result<AskedCode, StoreError> {
        forget_old(tx).await?;
        let index = address_index(tx.keys, &self.contact);
        let recent = sign_in_code::Entity::find()
            .filter(sign_in_code::Column::AddressIndex.eq(index.clone()))
            .filter(sign_in_code::Column::CreatedAt.gt(tx.now() - TimeDelta::hours(1)))
            .count(tx.db)
            .await?;
        if recent >= CODES_PER_HOUR {
            return Err(AccountError::Waiting.into());
        }
        let known = account_contact::Entity::find().filter(account_contact::Column::AddressIndex.eq(index.clone())).one(tx.db).await?;
        let account = account::Entity::find_by_id(known.map_or(uuid::Uuid::nil(), |row| row.account_id)).one(tx.db).await?;
        // A code never stands in for an authenticator.
        let account = account.filter(|row| row.totp_secret_enc.is_none());
        let id: SignInCodeId = tx.id();
        let code = digits(tx, 6);
        let expires_at = tx.now() + TimeDelta::minutes(CONTACT_CODE_MINUTES);
        let row = sign_in_code::ActiveModel {
            id: Set(id.uuid()),
            purpose: Set("contact".to_owned()),
            account_id: Set(account.map(|row| row.id)),
            kind: Set(Some(self.contact.kind().to_string())),
            address_enc: Set(Some(tx.seal("sign_in_code", "address_enc", id.uuid(), self.contact.expose().as_bytes())?)),
            address_index: Set(Some(index)),
            code_enc: Set(Some(tx.seal("sign_in_code", "code_enc", id.uuid(), code.as_bytes())?)),
            code_mac: Set(code_mac(tx.keys, id.uuid(), &code)),
            locale: Set(self.locale.to_owned()),
            issued_by: Set(None),
            created_at: Set(tx.now()),
            expires_at: Set(expires_at),
            attempts: Set(0),
            used_at: Set(None),
        };
        sign_in_code::Entity::insert(row).exec_without_returning(tx.db).await?;
        tx.emit(Event::SignInCodeAsked { code: id });
        tx.record(&id, None, None);
        Ok(AskedCode { code_id: id, expires_at })
    }
}

/// Gives a carer of one's provider a code that signs in their device.
#[derive(Debug, Clone)]
pub struct IssueCarerCode {
    /// The carer.
    pub carer: CarerId,
}

/// A code for a carer. It is shown this one time.
#[derive(Debug, Clone)]
pub struct CarerCode {
    /// The login that the carer types beside it.
    pub login: String,
    /// Eight digits.
    pub code: SecretString,
    /// Until when it can be used.
    pub expires_at: Instant,
}

impl Command for IssueCarerCode {
    type Output = CarerCode;
    const ACTION: Option<Action> = Some(Action::IssueCarerCode);
    const NAME: &'static str = "issue_carer_code";

    async fn run(&self, tx: &Tx<'_>) -> Result<CarerCode, StoreError> {
        forget_old(tx).await?;
        let carer = carer::Entity::find_by_id(self.carer.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let provider = provider::Entity::find_by_id(carer.provider_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        tx.permit(Action::IssueCarerCode, &crate::command::provider::object(&provider)?)?;
        let account = account_of(tx, PersonId::from_uuid(carer.person_id)).await?;
        // The code before ends, so that one piece of paper counts.
        sign_in_code::Entity::delete_many()
            .filter(sign_in_code::Column::Purpose.eq("carer"))
            .filter(sign_in_code::Column::AccountId.eq(account.id))
            .exec(tx.db)
            .await?;
        let id: SignInCodeId = tx.id();
        let code = digits(tx, 8);
        let expires_at = tx.now() + TimeDelta::minutes(CARER_CODE_MINUTES);
        let row = sign_in_code::ActiveModel {
            id: Set(id.uuid()),
            purpose: Set("carer".to_owned()),
            account_id: Set(Some(account.id)),
            kind: Set(None),
            address_enc: Set(None),
            address_index: Set(None),
            code_enc: Set(None),
            code_mac: Set(code_mac(tx.keys, id.uuid(), &code)),
            locale: Set(String::new()),
            issued_by: Set(Some(tx.actor().need_person()?.uuid())),
            created_at: Set(tx.now()),
            expires_at: Set(expires_at),
            attempts: Set(0),
            used_at: Set(None),
        };
        sign_in_code::Entity::insert(row).exec_without_returning(tx.db).await?;
        tx.record(&self.carer, None, None);
        Ok(CarerCode { login: account.login, code: code.into(), expires_at })
    }
}

/// The account of a person who may sign in by code.
pub(super) async fn account_of(tx: &Tx<'_>, person: PersonId) -> Result<account::Model, StoreError> {
    let row = account::Entity::find()
        .filter(account::Column::PersonId.eq(person.uuid()))
        .order_by_asc(account::Column::Id)
        .one(tx.db)
        .await?
        .ok_or(AccountError::NoAccount)?;
    if row.totp_secret_enc.is_some() { Err(AccountError::SecondFactor.into()) } else { Ok(row) }
}

async fn forget_old(tx: &Tx<'_>) -> Result<(), StoreError> {
    let old = tx.now() - TimeDelta::hours(KEPT_HOURS);
    sign_in_code::Entity::delete_many().filter(sign_in_code::Column::ExpiresAt.lt(old)).exec(tx.db).await?;
    Ok(())
}

/// So many digits, each as likely as the others.
pub(super) fn digits(tx: &Tx<'_>, count: usize) -> String {
    // Ten does not divide 256: bytes above 249 would favour the small digits and are passed over.
    let mut bytes = Vec::new();
    while bytes.len() < count {
        bytes.extend(tx.secret().into_iter().filter(|byte| *byte < 250));
    }
    bytes.into_iter().take(count).map(|byte| char::from(b'0' + byte % 10)).collect()
}

pub(super) fn code_mac(keys: &KeyRing, row: uuid::Uuid, code: &str) -> Vec<u8> {
    keys.blind_index("sign_in_code.code", &format!("{}:{code}", row.simple()))
}

/// How a try with a code ended. A wrong one is counted, and so committed.
#[derive(Debug, Clone)]
pub(super) enum Tried {
    SignedIn(SignedInSession),
    Wrong,
}

impl Tried {
    fn session(self) -> Result<SignedInSession, StoreError> {
        match self {
            Self::SignedIn(session) => Ok(session),
            Self::Wrong => Err(AccountError::Wrong.into()),
        }
    }
}

#[derive(Debug, Clone)]
struct TryCode {
    id: SignInCodeId,
    purpose: &'static str,
    /// The login that was typed beside it, if one was.
    login: Option<String>,
    code: SecretString,
    device: Device,
    at: Instant,
}

impl Command for TryCode {
    type Output = Tried;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "sign_in_by_code";

    async fn run(&self, tx: &Tx<'_>) -> Result<Tried, StoreError> {
        let mac = code_mac(tx.keys, self.id.uuid(), self.code.expose_secret());
        let row = for_update!(tx, sign_in_code::Entity::find_by_id(self.id.uuid())).one(tx.db).await?;
        tx.record(&self.id, None, None);
        let Some(row) = row.filter(|row| row.purpose == self.purpose && row.used_at.is_none() && tx.now() < row.expires_at) else {
            return Ok(Tried::Wrong);
        };
        if row.attempts >= ATTEMPTS_MAX {
            return Ok(Tried::Wrong);
        }
        let account = account::Entity::find_by_id(row.account_id.unwrap_or_default()).one(tx.db).await?;
        let account = account.filter(|_| row.code_mac == mac);
        let used_at = account.is_some().then(|| tx.now());
        tx.save(sign_in_code::Model { attempts: row.attempts + 1, used_at, ..row }).await?;
        let Some(account) = account else { return Ok(Tried::Wrong) };
        if let Some(login) = &self.login {
            forget_failures(tx, login).await?;
        }
        let method = if self.purpose == "carer" { Method::CarerCode } else { Method::ContactCode };
        Ok(Tried::SignedIn(begin(tx, &account, method, &self.device, self.at).await?))
    }
}

/// A message that carries a code to its owner.
#[derive(Debug, Clone)]
pub struct CodeMessage {
    /// By mail or by text message.
    pub kind: ContactKind,
    /// To whom.
    pub address: SecretString,
    /// The code.
    pub code: SecretString,
    /// Tag of the language.
    pub locale: String,
    /// How long the code holds.
    pub minutes: i64,
}

impl Store {
    /// Signs in with a code that was sent to the very device that asked for it: only it knows the id.
    ///
    /// # Errors
    /// [`AccountError::Wrong`] for a code that is wrong, used, too old or tried too often.
    pub async fn sign_in_by_code(
        &self,
        ctx: Ctx,
        id: SignInCodeId,
        code: SecretString,
        device: Device,
        real_now: Instant,
    ) -> Result<SignedInSession, StoreError> {
        self.write(ctx, TryCode { id, purpose: "contact", login: None, code, device, at: real_now }).await?.session()
    }

    /// Signs in a carer's device with the code that the provider gave; the session is bound to the device, which
    /// becomes one of the carer's own.
    ///
    /// # Errors
    /// [`AccountError::Wrong`], [`AccountError::Waiting`].
    pub async fn sign_in_carer(
        &self,
        again: Ctx,
        ctx: Ctx,
        (login, code): (String, SecretString),
        device: Device,
        real_now: Instant,
    ) -> Result<SignedInSession, StoreError> {
        self.need_patience_over(&login, real_now).await?;
        let account = account::Entity::find().filter(account::Column::Login.eq(&login)).one(self.db()).await?;
        let open = sign_in_code::Entity::find()
            .filter(sign_in_code::Column::Purpose.eq("carer"))
            .filter(sign_in_code::Column::AccountId.eq(account.map_or(uuid::Uuid::nil(), |row| row.id)))
            .one(self.db())
            .await?;
        let id = SignInCodeId::from_uuid(open.map_or(uuid::Uuid::nil(), |row| row.id));
        let tried = self.write(ctx, TryCode { id, purpose: "carer", login: Some(login.clone()), code, device, at: real_now }).await?;
        if matches!(tried, Tried::Wrong) {
            self.write(again, RecordFailure { login, at: real_now }).await?;
        }
        tried.session()
    }

    /// The message of a code that is to be sent; none when nobody has the address, or when it is too late.
    ///
    /// # Errors
    /// Failures of the database or of its keys.
    pub async fn code_message(&self, id: SignInCodeId, now: Instant) -> Result<Option<CodeMessage>, StoreError> {
        let row = sign_in_code::Entity::find_by_id(id.uuid()).one(self.db()).await?;
        let Some(row) = row.filter(|row| row.account_id.is_some() && row.used_at.is_none() && now < row.expires_at) else {
            return Ok(None);
        };
        let (Some(kind), Some(address), Some(code)) = (&row.kind, &row.address_enc, &row.code_enc) else { return Ok(None) };
        let open = |column, envelope: &[u8]| open_text(self.keys(), Cell { table: "sign_in_code", column, row: row.id }, envelope);
        Ok(Some(CodeMessage {
            kind: convert::code("sign_in_code", "kind", kind)?,
            address: open("address_enc", address)?.into(),
            code: open("code_enc", code)?.into(),
            locale: row.locale,
            minutes: CONTACT_CODE_MINUTES,
        }))
    }

    /// The account that has a login, for commands given on the machine itself.
    ///
    /// # Errors
    /// Not found.
    pub async fn account_by_login(&self, login: &str) -> Result<AccountId, StoreError> {
        let row = account::Entity::find().filter(account::Column::Login.eq(login)).one(self.db()).await?;
        row.map(|row| AccountId::from_uuid(row.id)).ok_or_else(StoreError::not_found)
    }
}

/// Forgets address and text of a code whose message was sent, or has no one to go to.
#[derive(Debug, Clone)]
pub struct CloseSignInCode {
    /// The code.
    pub code: SignInCodeId,
}

impl Command for CloseSignInCode {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "close_sign_in_code";
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let change = sign_in_code::ActiveModel { address_enc: Set(None), code_enc: Set(None), ..Default::default() };
        sign_in_code::Entity::update_many().set(change).filter(sign_in_code::Column::Id.eq(self.code.uuid())).exec(tx.db).await?;
        Ok(())
    }
}
