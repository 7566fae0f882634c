//! I4: one visit is paid at most once per benefit, and never more than was approved.

mod accounts;
mod statements;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    claim::ClaimLineState,
    id::{ClaimLineId, CorrectionId, SettlementPeriodId, VisitId},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{Check, Snapshot, charges::split_total, pages::Pages};
use crate::{
    entity::{claim_correction, claim_line, hold, settlement_period, visit},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new(
        "I4",
        "each visit has one claim line per benefit, each line is paid at most once, and statements, periods and payouts add up to the lines",
    );
    check_visits(snapshot, &mut check).await?;
    let mut pages = Pages::new(claim_line::Entity::find(), claim_line::Column::Id, |row| row.id);
    while let Some(lines) = pages.next(snapshot.db).await? {
        let holds = holds_of(snapshot, &lines).await?;
        let periods = periods_of(snapshot, &lines).await?;
        let corrections = corrections_of(snapshot, &lines).await?;
        check.count(lines.len() + corrections.len());
        for line in &lines {
            let correction = corrections.get(&line.id);
            check_amounts(&mut check, line);
            check_hold(&mut check, line, holds.get(&line.hold_id), correction.is_some());
            if let Some(correction) = correction {
                check_correction(&mut check, line, correction);
            }
            check_period(&mut check, line, &periods);
        }
    }
    statements::check(snapshot, &mut check).await?;
    accounts::check(snapshot, &mut check).await?;
    Ok(check)
}

async fn check_visits(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(visit::Entity::find(), visit::Column::Id, |row| row.id);
    while let Some(visits) = pages.next(snapshot.db).await? {
        let ids = visits.iter().map(|visit| visit.id);
        let lines = claim_line::Entity::find().filter(claim_line::Column::VisitId.is_in(ids)).all(snapshot.db).await?;
        check.count(visits.len());
        let mut seen = BTreeSet::new();
        for line in &lines {
            let first = seen.insert((line.visit_id, &line.programme, &line.benefit));
            check.require(first, VisitId::from_uuid(line.visit_id), || {
                format!("it has more than one claim line for {}/{}", line.programme, line.benefit)
            });
        }
    }
    Ok(())
}

async fn holds_of(snapshot: &Snapshot<'_>, lines: &[claim_line::Model]) -> Result<BTreeMap<Uuid, hold::Model>, StoreError> {
    let ids = lines.iter().map(|line| line.hold_id);
    let rows = hold::Entity::find().filter(hold::Column::Id.is_in(ids)).all(snapshot.db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

async fn periods_of(snapshot: &Snapshot<'_>, lines: &[claim_line::Model]) -> Result<BTreeMap<Uuid, settlement_period::Model>, StoreError> {
    let ids: BTreeSet<Uuid> = lines.iter().filter_map(|line| line.period_id).collect();
    let rows = settlement_period::Entity::find().filter(settlement_period::Column::Id.is_in(ids)).all(snapshot.db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

async fn corrections_of(
    snapshot: &Snapshot<'_>,
    lines: &[claim_line::Model],
) -> Result<BTreeMap<Uuid, claim_correction::Model>, StoreError> {
    let ids = lines.iter().map(|line| line.id);
    let rows = claim_correction::Entity::find().filter(claim_correction::Column::ClaimLineId.is_in(ids)).all(snapshot.db).await?;
    Ok(rows.into_iter().map(|row| (row.claim_line_id, row)).collect())
}

/// A correction takes back exactly what its line was paid.
fn check_correction(check: &mut Check, line: &claim_line::Model, row: &claim_correction::Model) {
    let id = CorrectionId::from_uuid(row.id);
    let same = (row.provider_id, &row.bureau, &row.programme, &row.service_month, &row.split)
        == (line.provider_id, &line.bureau, &line.programme, &line.service_month, &line.split);
    check.require(same, id, || "it is of another provider, bureau, programme, month or split than its line".to_owned());
    check.require(row.subsidy_fen == line.subsidy_fen && row.units == line.units, id, || {
        format!("it takes back {} of a line that pays {}", row.subsidy_fen, line.subsidy_fen)
    });
    let posted = line.state == ClaimLineState::Posted.to_string();
    check.require(posted, id, || format!("its line is {}", line.state));
}

fn check_amounts(check: &mut Check, line: &claim_line::Model) {
    let id = ClaimLineId::from_uuid(line.id);
    let ordered = 0 <= line.subsidy_fen && line.subsidy_fen <= line.quoted_fen && line.subsidy_fen <= line.gross_fen;
    check.require(ordered, id, || {
        format!("the subsidy of {} is more than the quoted {} or the price of {}", line.subsidy_fen, line.quoted_fen, line.gross_fen)
    });
    match split_total(&line.split) {
        Some(total) => check
            .require(total == i128::from(line.subsidy_fen), id, || format!("its funds pay {total}, its subsidy is {}", line.subsidy_fen)),
        None => check.fault(id, "its split cannot be read"),
    }
}

/// What a line says is paid is what its hold has used; only a held line keeps its hold.
fn check_hold(check: &mut Check, line: &claim_line::Model, held: Option<&hold::Model>, corrected: bool) {
    let id = ClaimLineId::from_uuid(line.id);
    let Some(held) = held else { return check.fault(id, "its hold is missing") };
    let (waits, paid) = match line.state.parse::<ClaimLineState>() {
        // A correction gives back what the hold had used.
        Ok(ClaimLineState::Posted) if corrected => (false, 0),
        Ok(ClaimLineState::Posted) => (false, line.subsidy_fen),
        Ok(ClaimLineState::Held) => (true, 0),
        Ok(ClaimLineState::Voided) => (false, 0),
        Err(_unknown) => return check.fault(id, "its state is unknown"),
    };
    check.require((held.state == "held") == waits, id, || format!("it is {} and its hold is {}", line.state, held.state));
    check.require(held.posted_fen == paid, id, || format!("it pays {paid} and its hold has posted {}", held.posted_fen));
    let same = (held.order_id, &held.programme, &held.benefit) == (line.order_id, &line.programme, &line.benefit);
    check.require(same, id, || "its hold is of another order or benefit".to_owned());
}

/// A line lies in the period of its own programme and bureau, of its own month or a later one, and only a posted one does.
fn check_period(check: &mut Check, line: &claim_line::Model, periods: &BTreeMap<Uuid, settlement_period::Model>) {
    let id = ClaimLineId::from_uuid(line.id);
    let Some(period_id) = line.period_id else { return };
    check.require(line.state == ClaimLineState::Posted.to_string(), id, || format!("it is {} and lies in a period", line.state));
    let Some(period) = periods.get(&period_id) else { return check.fault(id, "its period is missing") };
    let same = period.programme == line.programme && period.bureau == line.bureau && line.service_month <= period.month;
    check.require(same, id, || {
        format!("it lies in {}, which is of another programme or bureau, or of an earlier month", SettlementPeriodId::from_uuid(period_id))
    });
}
