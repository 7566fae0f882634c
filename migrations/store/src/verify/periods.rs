//! I19: an approved settlement period never changes.

use domain::{
    claim::ClaimLineState,
    id::{ClaimLineId, ProviderId, SettlementPeriodId},
    money::Fen,
    settlement::{PeriodState, PostedLine, close},
    time::Month,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::{Check, Snapshot, pages::Pages};
use crate::{
    command::settlement::taken_back,
    convert,
    entity::{claim_correction, claim_line, settlement_period},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new("I19", "the lines of an approved or released settlement period have the hash that was approved");
    let fixed = [PeriodState::Approved, PeriodState::Released].map(|state| state.to_string());
    let select = settlement_period::Entity::find().filter(settlement_period::Column::State.is_in(fixed));
    let mut pages = Pages::new(select, settlement_period::Column::Id, |row| row.id);
    while let Some(periods) = pages.next(snapshot.db).await? {
        check.count(periods.len());
        for period in &periods {
            check_content(snapshot, &mut check, period).await?;
        }
    }
    Ok(check)
}

/// Closes the month again over the lines that the period holds now.
async fn check_content(snapshot: &Snapshot<'_>, check: &mut Check, period: &settlement_period::Model) -> Result<(), StoreError> {
    let id = SettlementPeriodId::from_uuid(period.id);
    let Ok(month) = period.month.parse::<Month>() else {
        check.fault(id, "its month cannot be read");
        return Ok(());
    };
    let select = claim_line::Entity::find()
        .filter(claim_line::Column::PeriodId.eq(period.id))
        .filter(claim_line::Column::State.eq(ClaimLineState::Posted.to_string()));
    let mut pages = Pages::new(select, claim_line::Column::Id, |row| row.id);
    let mut lines = Vec::new();
    while let Some(rows) = pages.next(snapshot.db).await? {
        check.count(rows.len());
        for row in &rows {
            match convert::json::<Vec<(String, Fen)>>("claim_line", "split", &row.split) {
                Ok(split) => {
                    lines.push(PostedLine { id: ClaimLineId::from_uuid(row.id), provider: ProviderId::from_uuid(row.provider_id), split });
                }
                Err(_unreadable) => check.fault(ClaimLineId::from_uuid(row.id), "its split cannot be read"),
            }
        }
    }
    let corrections = claim_correction::Entity::find().filter(claim_correction::Column::PeriodId.eq(period.id)).all(snapshot.db).await?;
    check.count(corrections.len());
    let Ok(corrections) = taken_back(&corrections) else {
        check.fault(id, "a correction in it cannot be read");
        return Ok(());
    };
    match close(&period.programme, month, &lines, &corrections) {
        Ok(closed) => {
            check.require(closed.content_hash == period.content_hash, id, || "its lines are not those that were approved".to_owned());
        }
        Err(cause) => check.fault(id, format!("it cannot be closed again: {cause}")),
    }
    Ok(())
}
