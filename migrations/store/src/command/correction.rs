//! Corrections: what was posted for an order is taken back, on the proposal of one person and with the approval of
//! another.
//!
//! Nothing that was paid is edited: each posted line gets an entry against it, which stands in the next
//! open period with a link to the line and its month.

use chrono::{Datelike as _, TimeDelta};
use domain::{
    access::{Action, Role},
    claim::{ClaimLineState, CorrectionError, REVERSAL_DAYS, ReversalCause, ReversalState, ReversalTrigger},
    event::Event,
    id::{ClaimLineId, CorrectionId, EntitlementWindowId, OrderId, PersonId, ProviderId, ResidentId, ReversalId},
    ledger::{LedgerError, Payer, Purse, reverse_recognition, take_back},
    money::Fen,
    policy::{FundCode, ProgrammeCode},
    state::StateMachine as _,
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _};
use serde::{Deserialize, Serialize};

use crate::{
    command::{entitlement, order},
    convert,
    entity::{budget, claim_correction, claim_line, hold, reversal},
    error::{StoreError, exists},
    pricing::lock_budget,
    tx::{Tx, for_update},
    write::Command,
};

/// Proposes to take back what was posted for an order.
#[derive(Debug, Clone)]
pub struct ProposeReversal {
    /// The order.
    pub order: OrderId,
    /// Why.
    pub cause: ReversalCause,
    /// What was found, in words. Kept encrypted.
    pub note: String,
}

/// A proposal to take back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReversalView {
    /// The proposal.
    pub reversal_id: ReversalId,
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub cause: ReversalCause,
    /// Its state.
    pub state: ReversalState,
    /// Who must decide.
    pub owner_role: Option<Role>,
    /// By when.
    pub deadline_at: Option<Instant>,
    /// What is taken back, once it is approved; one entry for each posted line.
    pub corrections: Vec<CorrectionView>,
}

/// What is taken back of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionView {
    /// The correction.
    pub correction_id: CorrectionId,
    /// The line.
    pub claim_line_id: ClaimLineId,
    /// What is taken back of the subsidy.
    pub subsidy: Fen,
}

pub(crate) fn view(row: &reversal::Model, corrections: &[claim_correction::Model]) -> Result<ReversalView, StoreError> {
    let corrections = corrections.iter().map(|one| {
        Ok(CorrectionView {
            correction_id: CorrectionId::from_uuid(one.id),
            claim_line_id: ClaimLineId::from_uuid(one.claim_line_id),
            subsidy: convert::fen("claim_correction", "subsidy_fen", one.subsidy_fen)?,
        })
    });
    Ok(ReversalView {
        reversal_id: ReversalId::from_uuid(row.id),
        order_id: OrderId::from_uuid(row.order_id),
        cause: convert::code("reversal", "cause", &row.cause)?,
        state: convert::code("reversal", "state", &row.state)?,
        owner_role: row.owner_role.as_deref().map(|role| convert::code("reversal", "owner_role", role)).transpose()?,
        deadline_at: row.deadline_at,
        corrections: corrections.collect::<Result<_, StoreError>>()?,
    })
}

/// Posted lines of an order that no correction has taken back, locked.
async fn standing_lines(tx: &Tx<'_>, order: OrderId) -> Result<Vec<claim_line::Model>, StoreError> {
    let select = claim_line::Entity::find()
        .filter(claim_line::Column::OrderId.eq(order.uuid()))
        .filter(claim_line::Column::State.eq(ClaimLineState::Posted.to_string()))
        .order_by_asc(claim_line::Column::Id);
    let lines = for_update!(tx, select).all(tx.db).await?;
    let corrected: Vec<uuid::Uuid> = claim_correction::Entity::find()
        .filter(claim_correction::Column::ClaimLineId.is_in(lines.iter().map(|line| line.id)))
        .all(tx.db)
        .await?
        .into_iter()
        .map(|row| row.claim_line_id)
        .collect();
    Ok(lines.into_iter().filter(|line| !corrected.contains(&line.id)).collect())
}

impl Command for ProposeReversal {
    type Output = ReversalView;
    const ACTION: Option<Action> = Some(Action::ProposeReversal);
    const NAME: &'static str = "propose_reversal";

    async fn run(&self, tx: &Tx<'_>) -> Result<ReversalView, StoreError> {
        let locked = order::lock(tx, self.order).await?;
        tx.permit(Action::ProposeReversal, &locked.object)?;
        if standing_lines(tx, self.order).await?.is_empty() {
            return Err(CorrectionError::NothingPosted.into());
        }
        let id: ReversalId = tx.id();
        let row = reversal::Model {
            id: id.uuid(),
            order_id: locked.order.id,
            cause: self.cause.to_string(),
            note_enc: tx.seal("reversal", "note_enc", id.uuid(), self.note.as_bytes())?,
            state: ReversalState::INITIAL.to_string(),
            owner_role: Some(Role::Approver.to_string()),
            deadline_at: Some(tx.now() + TimeDelta::days(REVERSAL_DAYS)),
            proposed_by: tx.actor().need_person()?.uuid(),
            decided_by: None,
            created_at: tx.now(),
            version: 1,
        };
        let insert = reversal::Entity::insert(row.clone().into_active_model());
        insert.exec_without_returning(tx.db).await.map_err(exists("a proposal to take back what was paid for this order"))?;
        tx.emit(Event::ReversalProposed { reversal: id, order: self.order });
        tx.record(&id, None, Some(&row));
        view(&row, &[])
    }
}

/// Decides on a proposal to take back.
#[derive(Debug, Clone)]
pub struct DecideReversal {
    /// The proposal.
    pub reversal: ReversalId,
    /// Whether it is taken back.
    pub approve: bool,
}

impl Command for DecideReversal {
    type Output = ReversalView;
    const ACTION: Option<Action> = Some(Action::DecideReversal);
    const NAME: &'static str = "decide_reversal";

    async fn run(&self, tx: &Tx<'_>) -> Result<ReversalView, StoreError> {
        let seen = reversal::Entity::find_by_id(self.reversal.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let locked = order::lock(tx, OrderId::from_uuid(seen.order_id)).await?;
        tx.permit(Action::DecideReversal, &locked.object)?;
        let select = reversal::Entity::find_by_id(self.reversal.uuid());
        let row = for_update!(tx, select).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let decider = tx.actor().other_than(PersonId::from_uuid(row.proposed_by), "the one who proposed")?;
        let from: ReversalState = convert::code("reversal", "state", &row.state)?;
        let to = from.on(if self.approve { ReversalTrigger::Approve } else { ReversalTrigger::Refuse })?.to;
        let next = reversal::Model {
            state: to.to_string(),
            owner_role: None,
            deadline_at: None,
            decided_by: Some(decider.uuid()),
            version: row.version + 1,
            ..row.clone()
        };
        tx.save(next.clone()).await?;
        tx.emit(Event::ReversalDecided { reversal: self.reversal, to });
        tx.record(&self.reversal, Some(&row), Some(&next));
        let corrections = if self.approve { self.take_back(tx, &locked, &next).await? } else { Vec::new() };
        view(&next, &corrections)
    }
}

impl DecideReversal {
    /// Writes one correction for each line that stands, gives entitlement and budget back, and turns what was
    /// recognised round, once for the order.
    async fn take_back(
        &self,
        tx: &Tx<'_>,
        locked: &order::Locked,
        row: &reversal::Model,
    ) -> Result<Vec<claim_correction::Model>, StoreError> {
        let cause: ReversalCause = convert::code("reversal", "cause", &row.cause)?;
        let lines = standing_lines(tx, locked.id()).await?;
        let first = lines.first().ok_or(CorrectionError::NothingPosted)?;
        let family = if cause.refunds_family() { convert::fen("claim_line", "family_fen", first.family_fen)? } else { Fen::ZERO };
        let parties = (ResidentId::from_uuid(first.resident_id), ProviderId::from_uuid(first.provider_id));
        let (mut payers, mut corrections) = (Vec::new(), Vec::new());
        for line in &lines {
            let split: Vec<(FundCode, Fen)> = convert::json("claim_line", "split", &line.split)?;
            self.return_hold(tx, line, &split).await?;
            corrections.push(self.correct(tx, line, cause).await?);
            payers.extend(split.into_iter().map(|(fund, part)| {
                let payer = Payer::Fund { programme: line.programme.clone(), fund: fund.to_string() };
                (payer, part)
            }));
        }
        let fact = self.reversal.to_string();
        tx.transfer(&reverse_recognition(locked.id(), parties, &payers, family, &fact, tx.today())?).await?;
        Ok(corrections)
    }

    async fn correct(&self, tx: &Tx<'_>, line: &claim_line::Model, cause: ReversalCause) -> Result<claim_correction::Model, StoreError> {
        let id: CorrectionId = tx.id();
        let row = claim_correction::Model {
            id: id.uuid(),
            claim_line_id: line.id,
            reversal_id: self.reversal.uuid(),
            provider_id: line.provider_id,
            bureau: line.bureau.clone(),
            programme: line.programme.clone(),
            cause: cause.to_string(),
            subsidy_fen: line.subsidy_fen,
            units: line.units,
            split: line.split.clone(),
            service_month: line.service_month.clone(),
            booked_month: tx.today().month().to_string(),
            period_id: None,
            created_at: tx.now(),
        };
        let insert = claim_correction::Entity::insert(row.clone().into_active_model());
        insert.exec_without_returning(tx.db).await.map_err(exists("a correction of this claim line"))?;
        let subsidy = convert::fen("claim_correction", "subsidy_fen", row.subsidy_fen)?;
        tx.emit(Event::ClaimCorrected { correction: id, claim: ClaimLineId::from_uuid(line.id), subsidy });
        tx.record(&id, None, Some(&row));
        Ok(row)
    }

    /// Units and fen that the hold had used are available again; what belongs to a window that is over lapses.
    async fn return_hold(&self, tx: &Tx<'_>, line: &claim_line::Model, split: &[(FundCode, Fen)]) -> Result<(), StoreError> {
        let select = hold::Entity::find_by_id(line.hold_id);
        let held = for_update!(tx, select).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let window = entitlement::lock_window(tx, EntitlementWindowId::from_uuid(held.window_id)).await?;
        let fact = self.reversal.to_string();
        let window = entitlement::take_back_units(tx, &window, held.posted_units, &fact).await?;
        if entitlement::is_over(&window, tx.today()) {
            entitlement::lapse(tx, &window).await?;
        }
        let programme: ProgrammeCode = convert::code("hold", "programme", &held.programme)?;
        let year = held.service_on.year();
        for (fund, part) in split.iter().filter(|(_, part)| !part.is_zero()) {
            let short = || LedgerError::Short(format!("the budget of {fund} in {year}"));
            let row = lock_budget(tx, &programme, fund, year).await?.ok_or_else(short)?;
            let posted = row.posted.checked_sub(part.get()).filter(|left| *left >= 0).ok_or_else(short)?;
            let purse = Purse::Budget { programme: row.programme.clone(), fund: row.fund.clone(), year };
            tx.save(budget::Model { posted, version: row.version + 1, ..row }).await?;
            let fact = format!("{fact}/{}", ClaimLineId::from_uuid(line.id));
            tx.transfer(&take_back(&purse, domain::catalogue::Unit::Fen, part.get(), &fact, tx.today())?).await?;
        }
        let state = "voided".to_owned();
        tx.save(hold::Model { state, posted_units: 0, posted_fen: 0, uses: 0, version: held.version + 1, ..held }).await
    }
}
