//! Where a provider is paid: a change is asked for by the provider, held for three working days, and approved by
//! another person. Numbers are encrypted; answers show the last four digits.

use domain::{
    access::Action,
    event::Event,
    id::{BankAccountId, PersonId, ProviderId, StatementId},
    provider::{BankAccount, BankAccountState, BankAccountTrigger, PayoutError, hold_ends_on},
    state::StateMachine as _,
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use serde::{Deserialize, Serialize};

use crate::{
    convert,
    entity::{bank_account, payout_account, provider},
    error::{StoreError, exists},
    keys::{Cell, KeyRing},
    tx::{Tx, for_update, open_json},
    write::Command,
};

/// Asks for another account.
#[derive(Debug, Clone)]
pub struct RequestBankAccount {
    /// The provider.
    pub provider: ProviderId,
    /// The account.
    pub account: BankAccount,
}

/// An account as it stands, masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccountView {
    /// The change.
    pub bank_account_id: BankAccountId,
    /// The provider.
    pub provider_id: ProviderId,
    /// In whose name it is held.
    pub holder: String,
    /// Bank and branch.
    pub bank: String,
    /// The last four digits.
    pub number_masked: String,
    /// Where the change stands.
    pub state: BankAccountState,
    /// First day on which it may take effect.
    pub hold_ends_on: BusinessDate,
    /// First day on which it is in force, once approved.
    pub effective_from: Option<BusinessDate>,
    /// Version, for edits.
    pub version: i64,
}

/// A stored account as it is shown.
pub(crate) fn bank_account_view(keys: &KeyRing, row: &bank_account::Model) -> Result<BankAccountView, StoreError> {
    let account: BankAccount = open_json(keys, Cell { table: "bank_account", column: "account_enc", row: row.id }, &row.account_enc)?;
    Ok(BankAccountView {
        bank_account_id: BankAccountId::from_uuid(row.id),
        provider_id: ProviderId::from_uuid(row.provider_id),
        holder: account.holder().to_owned(),
        bank: account.bank().to_owned(),
        number_masked: account.masked(),
        state: convert::code("bank_account", "state", &row.state)?,
        hold_ends_on: convert::date(row.hold_ends_on),
        effective_from: row.effective_from.map(convert::date),
        version: row.version,
    })
}

impl Command for RequestBankAccount {
    type Output = BankAccountView;
    const ACTION: Option<Action> = Some(Action::RequestBankAccount);
    const NAME: &'static str = "request_bank_account";

    async fn run(&self, tx: &Tx<'_>) -> Result<BankAccountView, StoreError> {
        let provider = super::lock(tx, self.provider).await?;
        tx.permit(Action::RequestBankAccount, &super::object(&provider)?)?;
        let id: BankAccountId = tx.id();
        let row = bank_account::Model {
            id: id.uuid(),
            provider_id: provider.id,
            account_enc: tx.seal_json("bank_account", "account_enc", id.uuid(), &self.account)?,
            state: BankAccountState::INITIAL.to_string(),
            requested_by: tx.actor().need_person()?.uuid(),
            requested_at: tx.now(),
            hold_ends_on: hold_ends_on(&tx.reference.calendar, tx.today())?.get(),
            decided_by: None,
            decided_at: None,
            effective_from: None,
            version: 1,
        };
        bank_account::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(tx.db)
            .await
            .map_err(exists("a change of the account that waits; withdraw it first"))?;
        tx.emit(Event::BankAccountMoved { provider: self.provider, account: id, to: BankAccountState::INITIAL });
        tx.record(&id, None, Some(&row));
        bank_account_view(tx.keys, &row)
    }
}

async fn lock(tx: &Tx<'_>, id: BankAccountId, action: Action, version: i64) -> Result<bank_account::Model, StoreError> {
    let seen = bank_account::Entity::find_by_id(id.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let provider = super::lock(tx, ProviderId::from_uuid(seen.provider_id)).await?;
    tx.permit(action, &super::object(&provider)?)?;
    let row = for_update!(tx, bank_account::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    if row.version == version { Ok(row) } else { Err(StoreError::Stale("the change of the account")) }
}

async fn decide(
    tx: &Tx<'_>,
    before: &bank_account::Model,
    trigger: BankAccountTrigger,
    effective_from: Option<BusinessDate>,
) -> Result<BankAccountView, StoreError> {
    let from: BankAccountState = convert::code("bank_account", "state", &before.state)?;
    let to = from.on(trigger)?.to;
    let row = bank_account::Model {
        state: to.to_string(),
        decided_by: Some(tx.actor().need_person()?.uuid()),
        decided_at: Some(tx.now()),
        effective_from: effective_from.map(BusinessDate::get),
        version: before.version + 1,
        ..before.clone()
    };
    tx.save(row.clone()).await?;
    let (provider, account) = (ProviderId::from_uuid(row.provider_id), BankAccountId::from_uuid(row.id));
    tx.emit(Event::BankAccountMoved { provider, account, to });
    tx.record(&account, Some(before), Some(&row));
    bank_account_view(tx.keys, &row)
}

/// Approves or refuses a change that somebody else asked for. An approval may come during the hold; the account
/// is in force when both are over.
#[derive(Debug, Clone)]
pub struct DecideBankAccount {
    /// The change.
    pub account: BankAccountId,
    /// The version that was read.
    pub version: i64,
    /// Whether the account is the provider's own.
    pub approve: bool,
}

impl Command for DecideBankAccount {
    type Output = BankAccountView;
    const ACTION: Option<Action> = Some(Action::DecideBankAccount);
    const NAME: &'static str = "decide_bank_account";

    async fn run(&self, tx: &Tx<'_>) -> Result<BankAccountView, StoreError> {
        let row = lock(tx, self.account, Action::DecideBankAccount, self.version).await?;
        tx.actor().other_than(PersonId::from_uuid(row.requested_by), "the one who asked for it")?;
        if !self.approve {
            return decide(tx, &row, BankAccountTrigger::Refuse, None).await;
        }
        let effective_from = tx.today().max(convert::date(row.hold_ends_on));
        decide(tx, &row, BankAccountTrigger::Approve, Some(effective_from)).await
    }
}

/// Takes a change back that was not decided yet.
#[derive(Debug, Clone)]
pub struct WithdrawBankAccount {
    /// The change.
    pub account: BankAccountId,
    /// The version that was read.
    pub version: i64,
}

impl Command for WithdrawBankAccount {
    type Output = BankAccountView;
    const ACTION: Option<Action> = Some(Action::RequestBankAccount);
    const NAME: &'static str = "withdraw_bank_account";

    async fn run(&self, tx: &Tx<'_>) -> Result<BankAccountView, StoreError> {
        let row = lock(tx, self.account, Action::RequestBankAccount, self.version).await?;
        decide(tx, &row, BankAccountTrigger::Withdraw, None).await
    }
}

/// The account of a provider that is in force on a day.
pub(crate) async fn bank_account_in_force(
    tx: &Tx<'_>,
    provider: ProviderId,
    day: BusinessDate,
) -> Result<Option<bank_account::Model>, StoreError> {
    Ok(bank_account::Entity::find()
        .filter(bank_account::Column::ProviderId.eq(provider.uuid()))
        .filter(bank_account::Column::State.eq(BankAccountState::Approved.to_string()))
        .filter(bank_account::Column::EffectiveFrom.lte(day.get()))
        .order_by_desc(bank_account::Column::EffectiveFrom)
        .order_by_desc(bank_account::Column::DecidedAt)
        .one(tx.db)
        .await?)
}

/// Keeps to which account each statement is paid today. A provider without one is named, and nothing is paid.
pub(crate) async fn name_accounts(tx: &Tx<'_>, statements: impl Iterator<Item = (StatementId, ProviderId)>) -> Result<(), StoreError> {
    for (statement, provider) in statements {
        // No account can be changed between this look and the payout.
        let row = super::read(tx, provider).await?;
        let Some(account) = bank_account_in_force(tx, provider, tx.today()).await? else { return Err(without_account(&row).into()) };
        let paid = payout_account::ActiveModel {
            statement_id: Set(statement.uuid()),
            bank_account_id: Set(account.id),
            created_at: Set(tx.now()),
        };
        payout_account::Entity::insert(paid).exec_without_returning(tx.db).await?;
    }
    Ok(())
}

fn without_account(row: &provider::Model) -> PayoutError {
    PayoutError::NoAccount { provider: ProviderId::from_uuid(row.id), name: row.name.clone() }
}
