//! Adjudication: a confirmed visit is judged at once, by the same code that made the quote, and posted.

use domain::{
    access::Action,
    catalogue::{CatalogueItem, CatalogueUnit},
    claim::{AdjustmentCode, ClaimLineDraft, ClaimLineState, Payable, adjudicate as judge},
    division::{DivisionCode, DivisionLevel, Scope},
    event::Event,
    id::{ClaimLineId, OrderId, PersonId, ProviderId, ResidentId},
    ledger::{Payer, recognise},
    money::{Fen, Rounding},
    order::DisputeOutcome,
    policy::FundCode,
    tariff::{PricedUse, Split},
    time::{BusinessDate, Instant},
    visit::{Grade, minutes_used},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, Set};
use serde::{Deserialize, Serialize};

use crate::{
    command::{order, quote, visit as visits},
    convert,
    entity::{self, claim_line, hold, visit},
    error::{StoreError, exists},
    holds::{self, Used},
    pricing::{Basis, Pricing, resident_id},
    tx::{Tx, for_update},
    write::Command,
};

/// What led to the judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// The family said that the service was given.
    Family,
    /// Nobody said otherwise in time.
    Deadline,
    /// A dispute was decided: to be paid as far as it is proven.
    Decided,
    /// A dispute was decided: a part of the service is recognised, to be paid as far as it is proven.
    Partly(DisputeOutcome),
    /// A dispute was decided: nothing is to be paid.
    Rejected,
}

/// Judges a visit: grades its evidence, divides the price of what was delivered, settles the holds, writes
/// one claim line per benefit and recognises what is owed.
pub(crate) async fn adjudicate(tx: &Tx<'_>, locked: &order::Locked, confirmation: Confirmation) -> Result<(), StoreError> {
    let graded = grade_visit(tx, locked, confirmation).await?;
    let quoted_row = entity::quote::Entity::find_by_id(locked.order.quote_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let quoted = quote::body(tx, &quoted_row)?;
    let delivered = recognised(delivered(tx, locked, &quoted.priced)?, confirmation)?;
    let pricing = Pricing {
        resident: &locked.resident,
        priced: &delivered,
        programmes: quoted.programmes.as_ref(),
        basis: Basis::Booked(locked.id()),
    };
    let actual: Split = pricing.split(tx).await?;
    let rejected = confirmation == Confirmation::Rejected;
    let payable = if rejected { Payable::Void } else { graded.payable() };
    let judged = judge(&quoted.split, &actual, payable)?;
    // Nobody owes for a visit that nothing proves and nobody confirmed.
    let unproven = confirmation == Confirmation::Deadline && graded == Grade::D;
    let family = if rejected || unproven { Fen::ZERO } else { judged.family };
    for line in &judged.lines {
        write_line(tx, locked, line, (actual.gross, family)).await?;
    }
    holds::void_unjudged(tx, locked.id()).await?;
    let posted: Vec<_> = judged.lines.iter().filter(|line| line.state == ClaimLineState::Posted).flat_map(payers).collect();
    let day = BusinessDate::of(locked.order.starts_at);
    let parties = (resident_id(&locked.resident), ProviderId::from_uuid(locked.order.provider_id));
    tx.transfer(&recognise(locked.id(), parties, &posted, family, "confirmation", day)?).await
}

/// The grade of a visit is the worst of its carers' grades.
async fn grade_visit(tx: &Tx<'_>, locked: &order::Locked, confirmation: Confirmation) -> Result<Grade, StoreError> {
    let family_confirmed = confirmation == Confirmation::Family;
    let (worst, graded) = visits::grade_visit(tx, locked, family_confirmed).await?;
    let reasons: Vec<Vec<String>> = graded.iter().map(|reasons| reasons.iter().map(ToString::to_string).collect()).collect();
    let change = visit::ActiveModel {
        grade: Set(Some(worst.to_string().to_ascii_lowercase())),
        grade_reasons: Set(Some(convert::to_json("visit", &reasons)?)),
        ..Default::default()
    };
    visit::Entity::update_many().set(change).filter(visit::Column::Id.eq(locked.visit.id)).exec(tx.db).await?;
    Ok(worst)
}

/// What was delivered: the minutes that count, and for services by the hour their part of the price.
fn delivered(tx: &Tx<'_>, locked: &order::Locked, booked: &PricedUse) -> Result<PricedUse, StoreError> {
    let day = BusinessDate::of(booked.start);
    let item = tx.reference.catalogue.item(booked.item, day).ok_or(domain::order::OrderError::NotOffered)?;
    delivered_use(item, (locked.visit.actual_start, locked.visit.actual_end), booked)
}

/// As [`delivered`], from the times of the visit.
pub(crate) fn delivered_use(
    item: &CatalogueItem,
    times: (Option<Instant>, Option<Instant>),
    booked: &PricedUse,
) -> Result<PricedUse, StoreError> {
    let minutes = match times {
        (Some(start), Some(end)) => {
            let hundredths = u32::try_from(booked.quantity.hundredths()).unwrap_or(u32::MAX);
            minutes_used(start, end.max(start), hundredths, item.unit_minutes())?
        }
        (Some(_) | None, _) => 0,
    };
    let by_time = item.unit() == CatalogueUnit::Hour;
    let gross =
        if by_time { booked.gross.scale(i64::from(minutes), i64::from(booked.minutes.max(1)), Rounding::HalfUp)? } else { booked.gross };
    Ok(PricedUse { minutes, gross, ..booked.clone() })
}

/// The part of what was delivered that a decided dispute leaves.
fn recognised(delivered: PricedUse, confirmation: Confirmation) -> Result<PricedUse, StoreError> {
    match confirmation {
        Confirmation::Partly(outcome) => {
            Ok(PricedUse { minutes: outcome.of_minutes(delivered.minutes), gross: outcome.of_price(delivered.gross)?, ..delivered })
        }
        Confirmation::Family | Confirmation::Deadline | Confirmation::Decided | Confirmation::Rejected => Ok(delivered),
    }
}

/// What each fund pays of a line.
pub(crate) fn payers(line: &ClaimLineDraft) -> impl Iterator<Item = (Payer, Fen)> + '_ {
    line.split.iter().map(|(fund, part)| (Payer::Fund { programme: line.programme.to_string(), fund: fund.to_string() }, *part))
}

/// The bureau that settles for a resident: the civil-affairs bureau of the county.
pub(crate) fn bureau_of(residence: DivisionCode) -> Scope {
    Scope::of(residence.at(DivisionLevel::County))
}

async fn write_line(tx: &Tx<'_>, locked: &order::Locked, line: &ClaimLineDraft, amounts: (Fen, Fen)) -> Result<(), StoreError> {
    let held = find_hold(tx, locked.id(), line).await?;
    let Some(held) = held else { return Ok(()) };
    if line.state != ClaimLineState::Held {
        let used = Used { units: line.units_posted, uses: line.count, split: &line.split };
        holds::settle(tx, &held, &used).await?;
    }
    let residence: DivisionCode = convert::code("resident", "residence_division", &locked.resident.residence_division)?;
    let bureau = bureau_of(residence).to_string();
    let service_on = BusinessDate::of(locked.order.starts_at);
    let id: ClaimLineId = tx.id();
    let row = claim_line::Model {
        id: id.uuid(),
        order_id: locked.order.id,
        visit_id: locked.visit.id,
        hold_id: held.id,
        resident_id: locked.resident.id,
        provider_id: locked.order.provider_id,
        bureau,
        programme: line.programme.to_string(),
        policy_version: line.version.clone(),
        benefit: line.benefit.to_string(),
        gross_fen: amounts.0.get(),
        quoted_fen: line.subsidy_quoted.get(),
        subsidy_fen: line.subsidy.get(),
        family_fen: amounts.1.get(),
        units: line.units_due,
        uses: line.count,
        split: convert::to_json("claim_line", &line.split)?,
        codes: convert::to_json("claim_line", &line.codes)?,
        state: line.state.to_string(),
        service_on: service_on.get(),
        service_month: service_on.month().to_string(),
        period_id: None,
        adjudicated_at: tx.now(),
        decided_by: None,
        version: 1,
    };
    claim_line::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await.map_err(exists("this claim line"))?;
    tx.emit(Event::ClaimAdjudicated { claim: id, order: locked.id(), subsidy: line.subsidy });
    tx.record(&id, None, Some(&row));
    Ok(())
}

async fn find_hold(tx: &Tx<'_>, order: OrderId, line: &ClaimLineDraft) -> Result<Option<hold::Model>, StoreError> {
    Ok(for_update!(
        tx,
        hold::Entity::find()
            .filter(hold::Column::OrderId.eq(order.uuid()))
            .filter(hold::Column::Programme.eq(line.programme.as_str()))
            .filter(hold::Column::Benefit.eq(line.benefit.as_str()))
            .filter(hold::Column::WindowStart.eq(line.window.start.get()))
            .filter(hold::Column::Unit.eq(line.unit.to_string()))
    )
    .one(tx.db)
    .await?)
}

/// Decides a claim line that is held for weak evidence.
#[derive(Debug, Clone)]
pub struct DecideHeldClaim {
    /// The line.
    pub claim: ClaimLineId,
    /// Whether it is paid.
    pub pay: bool,
}

/// A decided claim line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedClaim {
    /// The line.
    pub claim_line_id: ClaimLineId,
    /// Its state.
    pub state: ClaimLineState,
    /// What is paid, in fen.
    pub subsidy: Fen,
}

impl Command for DecideHeldClaim {
    type Output = DecidedClaim;
    const ACTION: Option<Action> = Some(Action::DecideHeldClaim);
    const NAME: &'static str = "decide_held_claim";

    async fn run(&self, tx: &Tx<'_>) -> Result<DecidedClaim, StoreError> {
        let seen = claim_line::Entity::find_by_id(self.claim.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let locked = order::lock(tx, OrderId::from_uuid(seen.order_id)).await?;
        tx.permit(Action::DecideHeldClaim, &locked.object)?;
        let row = for_update!(tx, claim_line::Entity::find_by_id(self.claim.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        if row.state != ClaimLineState::Held.to_string() {
            return Err(StoreError::Exists { what: "a decision on this claim line" });
        }
        let decider = tx.actor().other_than(PersonId::from_uuid(locked.order.placed_by), "the one who booked")?;
        if let Some(decided_by) = locked.order.decided_by {
            tx.actor().other_than(PersonId::from_uuid(decided_by), "the one who decided the dispute")?;
        }
        let held = for_update!(tx, hold::Entity::find_by_id(row.hold_id)).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let split: Vec<(FundCode, Fen)> = if self.pay { convert::json("claim_line", "split", &row.split)? } else { Vec::new() };
        let subsidy = Fen::sum(split.iter().map(|(_, part)| *part))?;
        let (units, uses) = if self.pay { (row.units, row.uses) } else { (0, 0) };
        holds::settle(tx, &held, &Used { units, uses, split: &split }).await?;
        let state = if self.pay { ClaimLineState::Posted } else { ClaimLineState::Voided };
        let mut codes: Vec<AdjustmentCode> = convert::json("claim_line", "codes", &row.codes)?;
        if !self.pay {
            codes.push(AdjustmentCode::EvidenceMissing);
        }
        let next = claim_line::Model {
            state: state.to_string(),
            subsidy_fen: subsidy.get(),
            split: convert::to_json("claim_line", &split)?,
            codes: convert::to_json("claim_line", &codes)?,
            units,
            uses,
            decided_by: Some(decider.uuid()),
            version: row.version + 1,
            ..row.clone()
        };
        tx.save(next.clone()).await?;
        let payers: Vec<_> =
            split.iter().map(|(fund, part)| (Payer::Fund { programme: row.programme.clone(), fund: fund.to_string() }, *part)).collect();
        let parties = (ResidentId::from_uuid(row.resident_id), ProviderId::from_uuid(row.provider_id));
        tx.transfer(&recognise(locked.id(), parties, &payers, Fen::ZERO, &self.claim.to_string(), convert::date(row.service_on))?).await?;
        tx.emit(Event::HeldClaimDecided { claim: self.claim, paid: self.pay });
        tx.record(&self.claim, Some(&row), Some(&next));
        Ok(DecidedClaim { claim_line_id: self.claim, state, subsidy })
    }
}
