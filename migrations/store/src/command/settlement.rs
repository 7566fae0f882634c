//! The monthly close: computed by a clerk, approved by another person, released by a third. What a month holds is
//! found in [`content`]; the draft that the clerk finds on the 1st is made in [`draft`].

pub(crate) mod content;
mod draft;

use std::collections::BTreeMap;

use domain::{
    access::{Action, Object},
    division::Scope,
    error::FieldError,
    event::Event,
    id::{PersonId, ProviderId, SettlementPeriodId, StatementId},
    ledger::{Payer, pay_out},
    money::Fen,
    policy::ProgrammeCode,
    settlement::{PeriodState, PeriodTrigger, SettlementError},
    state::StateMachine as _,
    time::Month,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _};
use serde::{Deserialize, Serialize};

pub(crate) use content::{Of, taken_back};
pub use draft::DraftSettlement;

use crate::{
    command::provider,
    convert,
    entity::{settlement_period, statement},
    error::{StoreError, exists},
    tx::{Tx, for_update},
    write::Command,
};

/// Computes a month of one programme and bureau, or computes it again before it is approved.
#[derive(Debug, Clone)]
pub struct ComputeSettlement {
    /// The programme.
    pub programme: ProgrammeCode,
    /// The bureau, as the prefix of its county.
    pub bureau: Scope,
    /// The month.
    pub month: Month,
}

/// A settlement period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodView {
    /// The period.
    pub settlement_period_id: SettlementPeriodId,
    /// The programme.
    pub programme: String,
    /// The bureau.
    pub bureau: String,
    /// The month.
    pub month: Month,
    /// Its state.
    pub state: PeriodState,
    /// Hash of the content: what the approver must have seen.
    pub content_hash: String,
    /// Lines in it.
    pub line_count: i64,
    /// Sum, in fen.
    pub total: Fen,
    /// One statement per provider.
    pub statements: Vec<StatementView>,
}

/// What one provider is paid in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementView {
    /// The statement.
    pub statement_id: StatementId,
    /// The provider.
    pub provider_id: ProviderId,
    /// Lines in it.
    pub line_count: i64,
    /// Sum, in fen.
    pub total: Fen,
    /// Sum by fund, in fen.
    pub split: BTreeMap<String, Fen>,
}

impl Command for ComputeSettlement {
    type Output = PeriodView;
    const ACTION: Option<Action> = Some(Action::ComputeSettlement);
    const NAME: &'static str = "compute_settlement";

    async fn run(&self, tx: &Tx<'_>) -> Result<PeriodView, StoreError> {
        tx.permit(Action::ComputeSettlement, &bureau_object(self.bureau))?;
        self.check(tx).await?;
        let found = for_update!(
            tx,
            settlement_period::Entity::find()
                .filter(settlement_period::Column::Programme.eq(self.programme.as_str()))
                .filter(settlement_period::Column::Bureau.eq(self.bureau.to_string()))
                .filter(settlement_period::Column::Month.eq(self.month.to_string()))
        )
        .one(tx.db)
        .await?;
        if let Some(row) = &found {
            convert::code::<PeriodState>("settlement_period", "state", &row.state)?.on(PeriodTrigger::Compute)?;
        }
        let id = found.as_ref().map_or_else(|| tx.id(), |row| SettlementPeriodId::from_uuid(row.id));
        let of = Of { programme: self.programme.as_str(), bureau: &self.bureau.to_string(), month: self.month, period: id };
        of.refuse_earlier(tx.db).await?;
        let closed = of.close(tx.db).await?;
        let row = settlement_period::Model {
            id: id.uuid(),
            programme: self.programme.to_string(),
            bureau: self.bureau.to_string(),
            month: self.month.to_string(),
            state: PeriodState::INITIAL.to_string(),
            content_hash: closed.content_hash.clone(),
            line_count: content::line_count(&closed),
            total_fen: closed.total.get(),
            computed_by: tx.actor().need_person()?.uuid(),
            approved_by: None,
            released_by: None,
            created_at: tx.now(),
            version: found.as_ref().map_or(1, |row| row.version + 1),
        };
        if found.is_some() {
            tx.save(row.clone()).await?;
            content::forget(tx, id).await?;
        } else {
            settlement_period::Entity::insert(row.clone().into_active_model())
                .exec_without_returning(tx.db)
                .await
                .map_err(exists("this settlement period"))?;
        }
        content::write(tx, id, &closed).await?;
        tx.emit(Event::SettlementComputed { period: id, total: closed.total });
        let before: Option<&dyn std::fmt::Debug> = match &found {
            Some(row) => Some(row),
            None => None,
        };
        tx.record(&id, before, Some(&row));
        view(tx, &row).await
    }
}

impl ComputeSettlement {
    async fn check(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        let book = tx.reference.policies(tx.db).await?;
        if book.versions(&self.programme).next().is_none() {
            faults.push(FieldError::new("programme", "programme.unknown", "name a programme with a published policy version"));
        }
        if self.bureau.division().level() != domain::division::DivisionLevel::County {
            faults.push(FieldError::new("bureau", "bureau.level", "name the six digits of a county: its civil-affairs bureau settles"));
        }
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        content::check_month(tx.db, &self.programme, self.month, tx.today()).await
    }
}

fn bureau_object(bureau: Scope) -> Object {
    Object { division: Some(bureau.division()), ..Object::default() }
}

async fn view(tx: &Tx<'_>, row: &settlement_period::Model) -> Result<PeriodView, StoreError> {
    let statements = statement::Entity::find()
        .filter(statement::Column::PeriodId.eq(row.id))
        .order_by_asc(statement::Column::ProviderId)
        .all(tx.db)
        .await?;
    period_view(row, &statements)
}

pub(crate) fn period_view(row: &settlement_period::Model, statements: &[statement::Model]) -> Result<PeriodView, StoreError> {
    let statements = statements.iter().map(|row| {
        Ok(StatementView {
            statement_id: StatementId::from_uuid(row.id),
            provider_id: ProviderId::from_uuid(row.provider_id),
            line_count: row.line_count,
            total: convert::fen("statement", "total_fen", row.total_fen)?,
            split: convert::json("statement", "split", &row.split)?,
        })
    });
    Ok(PeriodView {
        settlement_period_id: SettlementPeriodId::from_uuid(row.id),
        programme: row.programme.clone(),
        bureau: row.bureau.clone(),
        month: convert::code("settlement_period", "month", &row.month)?,
        state: convert::code("settlement_period", "state", &row.state)?,
        content_hash: row.content_hash.clone(),
        line_count: row.line_count,
        total: convert::fen("settlement_period", "total_fen", row.total_fen)?,
        statements: statements.collect::<Result<_, StoreError>>()?,
    })
}

async fn lock(tx: &Tx<'_>, id: SettlementPeriodId) -> Result<(settlement_period::Model, Object), StoreError> {
    let row = for_update!(tx, settlement_period::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let bureau: Scope = convert::code("settlement_period", "bureau", &row.bureau)?;
    Ok((row, bureau_object(bureau)))
}

async fn save(
    tx: &Tx<'_>,
    before: &settlement_period::Model,
    change: settlement_period::Model,
    trigger: PeriodTrigger,
) -> Result<settlement_period::Model, StoreError> {
    let from: PeriodState = convert::code("settlement_period", "state", &before.state)?;
    let to = from.on(trigger)?.to;
    let row = settlement_period::Model { state: to.to_string(), version: before.version + 1, ..change };
    tx.save(row.clone()).await?;
    tx.record(&SettlementPeriodId::from_uuid(row.id), Some(before), Some(&row));
    Ok(row)
}

/// Approves the very content that was computed.
#[derive(Debug, Clone)]
pub struct ApproveSettlement {
    /// The period.
    pub period: SettlementPeriodId,
    /// Hash of the content that the approver has seen.
    pub content_hash: String,
}

impl Command for ApproveSettlement {
    type Output = PeriodView;
    const ACTION: Option<Action> = Some(Action::ApproveSettlement);
    const NAME: &'static str = "approve_settlement";

    async fn run(&self, tx: &Tx<'_>) -> Result<PeriodView, StoreError> {
        let (row, object) = lock(tx, self.period).await?;
        tx.permit(Action::ApproveSettlement, &object)?;
        let approver = tx.actor().other_than(PersonId::from_uuid(row.computed_by), "the one who computed")?;
        let from: PeriodState = convert::code("settlement_period", "state", &row.state)?;
        from.on(PeriodTrigger::Approve)?;
        let month = convert::code("settlement_period", "month", &row.month)?;
        let now = Of { programme: &row.programme, bureau: &row.bureau, month, period: self.period }.close(tx.db).await?;
        if self.content_hash != row.content_hash || now.content_hash != row.content_hash {
            return Err(SettlementError::ContentChanged.into());
        }
        let change = settlement_period::Model { approved_by: Some(approver.uuid()), ..row.clone() };
        let row = save(tx, &row, change, PeriodTrigger::Approve).await?;
        tx.emit(Event::SettlementApproved { period: self.period });
        view(tx, &row).await
    }
}

/// Releases an approved period: each statement is paid out of its funds, and the period is closed for ever.
#[derive(Debug, Clone)]
pub struct ReleaseSettlement {
    /// The period.
    pub period: SettlementPeriodId,
}

impl Command for ReleaseSettlement {
    type Output = PeriodView;
    const ACTION: Option<Action> = Some(Action::ReleaseSettlement);
    const NAME: &'static str = "release_settlement";

    async fn run(&self, tx: &Tx<'_>) -> Result<PeriodView, StoreError> {
        let (row, object) = lock(tx, self.period).await?;
        tx.permit(Action::ReleaseSettlement, &object)?;
        let releaser = tx.actor().other_than(PersonId::from_uuid(row.computed_by), "the one who computed")?;
        if let Some(approved_by) = row.approved_by {
            tx.actor().other_than(PersonId::from_uuid(approved_by), "the approver")?;
        }
        let change = settlement_period::Model { released_by: Some(releaser.uuid()), ..row.clone() };
        let row = save(tx, &row, change, PeriodTrigger::Release).await?;
        let period = view(tx, &row).await?;
        provider::name_accounts(tx, period.statements.iter().map(|paid| (paid.statement_id, paid.provider_id))).await?;
        for paid in &period.statements {
            let parts: Vec<_> = paid
                .split
                .iter()
                .map(|(fund, part)| (Payer::Fund { programme: row.programme.clone(), fund: fund.clone() }, *part))
                .collect();
            tx.transfer(&pay_out(paid.statement_id, paid.provider_id, &parts, tx.today())?).await?;
        }
        tx.emit(Event::SettlementReleased { period: self.period, total: period.total });
        Ok(period)
    }
}
