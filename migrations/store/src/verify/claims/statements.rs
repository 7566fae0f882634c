//! Part of I4: what is paid out is the sum of the lines.

use std::collections::BTreeMap;

use domain::{
    id::{ProviderId, SettlementPeriodId, StatementId},
    ledger::{Entry, Payer, pay_out},
    money::Fen,
    settlement::PeriodState,
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use crate::{
    convert,
    entity::{claim_correction, claim_line, ledger_entry, settlement_period, statement},
    error::StoreError,
    verify::{Check, Snapshot, ledger::entries_of, pages::Pages},
};

/// Lines of one provider in one period, added up.
#[derive(Default)]
struct Sum {
    lines: i64,
    total: i128,
    split: BTreeMap<String, i128>,
}

pub(super) async fn check(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(settlement_period::Entity::find(), settlement_period::Column::Id, |row| row.id);
    while let Some(periods) = pages.next(snapshot.db).await? {
        check.count(periods.len());
        for period in &periods {
            check_period(snapshot, check, period).await?;
        }
    }
    Ok(())
}

async fn check_period(snapshot: &Snapshot<'_>, check: &mut Check, period: &settlement_period::Model) -> Result<(), StoreError> {
    let id = SettlementPeriodId::from_uuid(period.id);
    let statements = statement::Entity::find().filter(statement::Column::PeriodId.eq(period.id)).all(snapshot.db).await?;
    let mut sums = add_up(snapshot, check, period.id).await?;
    let transfers: Vec<Option<Uuid>> = statements.iter().map(|row| payout(period, row).map(|(transfer, _)| transfer)).collect();
    let entries = entries_of(snapshot, transfers.iter().copied().flatten()).await?;
    check.count(statements.len());
    for row in &statements {
        compare(check, row, &sums.remove(&row.provider_id).unwrap_or_default());
        check_payout(check, period, row, &entries);
    }
    for provider in sums.into_keys() {
        check.fault(id, format!("it has lines of {} but no statement", ProviderId::from_uuid(provider)));
    }
    let total: i128 = statements.iter().map(|row| i128::from(row.total_fen)).sum();
    check.require(total == i128::from(period.total_fen), id, || {
        format!("its statements add up to {total}, its total is {}", period.total_fen)
    });
    let lines: i128 = statements.iter().map(|row| i128::from(row.line_count)).sum();
    check.require(lines == i128::from(period.line_count), id, || {
        format!("its statements have {lines} lines, it counts {}", period.line_count)
    });
    Ok(())
}

/// The lines of a period by provider.
async fn add_up(snapshot: &Snapshot<'_>, check: &mut Check, period: Uuid) -> Result<BTreeMap<Uuid, Sum>, StoreError> {
    let select = claim_line::Entity::find().filter(claim_line::Column::PeriodId.eq(period));
    let mut pages = Pages::new(select, claim_line::Column::Id, |row| row.id);
    let mut sums: BTreeMap<Uuid, Sum> = BTreeMap::new();
    while let Some(lines) = pages.next(snapshot.db).await? {
        check.count(lines.len());
        for line in lines {
            let sum = sums.entry(line.provider_id).or_default();
            sum.lines = sum.lines.saturating_add(1);
            sum.total += i128::from(line.subsidy_fen);
            // A split that cannot be read is reported with its line.
            let parts: Vec<(String, i64)> = convert::json("claim_line", "split", &line.split).unwrap_or_default();
            for (fund, part) in parts {
                *sum.split.entry(fund).or_default() += i128::from(part);
            }
        }
    }
    let back = claim_correction::Entity::find().filter(claim_correction::Column::PeriodId.eq(period)).all(snapshot.db).await?;
    check.count(back.len());
    for one in back {
        let sum = sums.entry(one.provider_id).or_default();
        sum.lines = sum.lines.saturating_add(1);
        sum.total -= i128::from(one.subsidy_fen);
        let parts: Vec<(String, i64)> = convert::json("claim_correction", "split", &one.split).unwrap_or_default();
        for (fund, part) in parts {
            *sum.split.entry(fund).or_default() -= i128::from(part);
        }
    }
    Ok(sums)
}

fn compare(check: &mut Check, row: &statement::Model, sum: &Sum) {
    let id = StatementId::from_uuid(row.id);
    check.require(row.line_count == sum.lines, id, || format!("it counts {} lines, there are {}", row.line_count, sum.lines));
    check.require(i128::from(row.total_fen) == sum.total, id, || {
        format!("its total is {}, its lines add up to {}", row.total_fen, sum.total)
    });
    match convert::json::<BTreeMap<String, i64>>("statement", "split", &row.split) {
        Ok(split) => {
            let split: BTreeMap<_, _> = split.into_iter().map(|(fund, part)| (fund, i128::from(part))).collect();
            check.require(split == sum.split, id, || "its parts by fund are not those of its lines".to_owned());
        }
        Err(_unreadable) => check.fault(id, "its split cannot be read"),
    }
}

/// The transfer that pays a statement, as its release writes it; none when the split cannot be read.
fn payout(period: &settlement_period::Model, row: &statement::Model) -> Option<(Uuid, Vec<Entry>)> {
    let split: BTreeMap<String, Fen> = convert::json("statement", "split", &row.split).ok()?;
    let payer = |fund: String| Payer::Fund { programme: period.programme.clone(), fund };
    let parts: Vec<_> = split.into_iter().map(|(fund, part)| (payer(fund), part)).collect();
    // The day is no part of the id.
    let day = BusinessDate::of(period.created_at);
    let transfer = pay_out(StatementId::from_uuid(row.id), ProviderId::from_uuid(row.provider_id), &parts, day).ok()?;
    Some((transfer.id().uuid(), transfer.entries().to_vec()))
}

/// A released statement is paid as it says; any other is not paid at all.
fn check_payout(
    check: &mut Check,
    period: &settlement_period::Model,
    row: &statement::Model,
    entries: &BTreeMap<Uuid, Vec<ledger_entry::Model>>,
) {
    let id = StatementId::from_uuid(row.id);
    let Some((transfer, wanted)) = payout(period, row) else { return };
    let wanted = if period.state == PeriodState::Released.to_string() { wanted } else { Vec::new() };
    let found = entries.get(&transfer).map_or(&[][..], Vec::as_slice);
    let same = found.len() == wanted.len()
        && found.iter().zip(&wanted).all(|(found, wanted)| {
            found.account == wanted.account.as_str() && found.side == wanted.side.to_string() && found.amount == wanted.amount
        });
    check.require(same, id, || format!("its period is {} and the money book does not pay it accordingly", period.state));
}
