//! What a period holds: the posted lines of its month, earlier ones that came too late for theirs, and the
//! corrections that wait.

use std::collections::BTreeSet;

use domain::{
    id::{ClaimLineId, CorrectionId, ProviderId, SettlementPeriodId},
    money::Fen,
    policy::{FundCode, ProgrammeCode},
    settlement::{Close, PeriodState, PostedLine, SettlementError, TakenBack, close},
    state::StateMachine as _,
    time::{BusinessDate, Month},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    sea_query::Expr,
};

use crate::{
    convert,
    entity::{city, claim_correction, claim_line, settlement_period, statement},
    error::StoreError,
    tx::Tx,
};

/// Refuses a month that is not over, or that lies before anything could be settled.
pub(crate) async fn check_month(
    db: &impl ConnectionTrait,
    programme: &ProgrammeCode,
    month: Month,
    today: BusinessDate,
) -> Result<(), StoreError> {
    if today < month.next()?.first_day() {
        return Err(SettlementError::MonthOpen(month).into());
    }
    let founded = city::Entity::find().one(db).await?.map(|city| BusinessDate::of(city.created_at).month());
    // Opening balances may come with visits from before the city was founded.
    let first: Option<String> = claim_line::Entity::find()
        .select_only()
        .column_as(claim_line::Column::ServiceMonth.min(), "first")
        .filter(claim_line::Column::Programme.eq(programme.as_str()))
        .into_tuple::<Option<String>>()
        .one(db)
        .await?
        .flatten();
    let first: Option<Month> = first.as_deref().map(|month| convert::code("claim_line", "service_month", month)).transpose()?;
    let begin = founded.into_iter().chain(first).min();
    if begin.is_some_and(|begin| month < begin) { Err(SettlementError::BeforeStart(month).into()) } else { Ok(()) }
}

/// Which period.
pub(crate) struct Of<'a> {
    pub(crate) programme: &'a str,
    pub(crate) bureau: &'a str,
    pub(crate) month: Month,
    pub(crate) period: SettlementPeriodId,
}

impl Of<'_> {
    /// Posted lines that no other period holds, up to the end of the month. A line that is posted while a
    /// period is being approved is in no period and is found by the next one.
    fn lines(&self) -> sea_orm::Select<claim_line::Entity> {
        let free = Condition::any().add(claim_line::Column::PeriodId.is_null()).add(claim_line::Column::PeriodId.eq(self.period.uuid()));
        claim_line::Entity::find()
            .filter(claim_line::Column::Programme.eq(self.programme))
            .filter(claim_line::Column::Bureau.eq(self.bureau))
            .filter(claim_line::Column::ServiceMonth.lte(self.month.to_string()))
            .filter(claim_line::Column::State.eq("posted"))
            .filter(free)
    }

    /// Corrections that no other period holds, of lines up to the end of the month.
    fn corrections(&self) -> sea_orm::Select<claim_correction::Entity> {
        let free = Condition::any()
            .add(claim_correction::Column::PeriodId.is_null())
            .add(claim_correction::Column::PeriodId.eq(self.period.uuid()));
        claim_correction::Entity::find()
            .filter(claim_correction::Column::Programme.eq(self.programme))
            .filter(claim_correction::Column::Bureau.eq(self.bureau))
            .filter(claim_correction::Column::ServiceMonth.lte(self.month.to_string()))
            .filter(free)
    }

    pub(crate) async fn close(&self, db: &impl ConnectionTrait) -> Result<Close, StoreError> {
        let rows = self.lines().order_by_asc(claim_line::Column::Id).all(db).await?;
        let corrections = self.corrections().order_by_asc(claim_correction::Column::Id).all(db).await?;
        Ok(close(self.programme, self.month, &posted_lines(&rows)?, &taken_back(&corrections)?)?)
    }

    /// An earlier month with lines of its own is settled first; only what comes later than that is late.
    pub(crate) async fn refuse_earlier(&self, db: &impl ConnectionTrait) -> Result<(), StoreError> {
        let months: Vec<String> = self
            .lines()
            .select_only()
            .column(claim_line::Column::ServiceMonth)
            .distinct()
            .filter(claim_line::Column::ServiceMonth.lt(self.month.to_string()))
            .order_by_asc(claim_line::Column::ServiceMonth)
            .into_tuple()
            .all(db)
            .await?;
        for month in months {
            let closed = settlement_period::Entity::find()
                .filter(settlement_period::Column::Programme.eq(self.programme))
                .filter(settlement_period::Column::Bureau.eq(self.bureau))
                .filter(settlement_period::Column::Month.eq(&month))
                .filter(settlement_period::Column::State.ne(PeriodState::INITIAL.to_string()))
                .one(db)
                .await?;
            if closed.is_none() {
                return Err(SettlementError::EarlierOpen(convert::code("claim_line", "service_month", &month)?).into());
            }
        }
        Ok(())
    }
}

/// Bureaus with posted lines of a programme up to the end of a month, or with a period of that month.
pub(crate) async fn bureaus(db: &impl ConnectionTrait, programme: &ProgrammeCode, month: Month) -> Result<BTreeSet<String>, StoreError> {
    let of_lines: Vec<String> = claim_line::Entity::find()
        .select_only()
        .column(claim_line::Column::Bureau)
        .distinct()
        .filter(claim_line::Column::Programme.eq(programme.as_str()))
        .filter(claim_line::Column::ServiceMonth.lte(month.to_string()))
        .filter(claim_line::Column::State.eq("posted"))
        .filter(claim_line::Column::PeriodId.is_null())
        .into_tuple()
        .all(db)
        .await?;
    let of_periods: Vec<String> = settlement_period::Entity::find()
        .select_only()
        .column(settlement_period::Column::Bureau)
        .filter(settlement_period::Column::Programme.eq(programme.as_str()))
        .filter(settlement_period::Column::Month.eq(month.to_string()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(of_lines.into_iter().chain(of_periods).collect())
}

/// Stored lines as the close sees them.
pub(crate) fn posted_lines(rows: &[claim_line::Model]) -> Result<Vec<PostedLine>, StoreError> {
    let line = |row: &claim_line::Model| {
        let (id, provider) = (ClaimLineId::from_uuid(row.id), ProviderId::from_uuid(row.provider_id));
        Ok(PostedLine { id, provider, split: parts("claim_line", &row.split)? })
    };
    rows.iter().map(line).collect()
}

/// Stored corrections as the close sees them.
pub(crate) fn taken_back(rows: &[claim_correction::Model]) -> Result<Vec<TakenBack>, StoreError> {
    let one = |row: &claim_correction::Model| {
        let (id, provider) = (CorrectionId::from_uuid(row.id), ProviderId::from_uuid(row.provider_id));
        Ok(TakenBack { id, provider, split: parts("claim_correction", &row.split)? })
    };
    rows.iter().map(one).collect()
}

fn parts(table: &'static str, split: &serde_json::Value) -> Result<Vec<(String, Fen)>, StoreError> {
    let split: Vec<(FundCode, Fen)> = convert::json(table, "split", split)?;
    Ok(split.into_iter().map(|(fund, part)| (fund.to_string(), part)).collect())
}

/// A number of rows as the database counts.
pub(crate) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Lines and corrections of a close.
pub(crate) fn line_count(closed: &Close) -> i64 {
    count(closed.statements.iter().map(|statement| statement.lines.len() + statement.corrections.len()).sum())
}

/// Takes the statements of a period away again, before it is computed anew.
pub(super) async fn forget(tx: &Tx<'_>, period: SettlementPeriodId) -> Result<(), StoreError> {
    claim_line::Entity::update_many()
        .col_expr(claim_line::Column::PeriodId, Expr::value(None::<uuid::Uuid>))
        .filter(claim_line::Column::PeriodId.eq(period.uuid()))
        .exec(tx.db)
        .await?;
    claim_correction::Entity::update_many()
        .col_expr(claim_correction::Column::PeriodId, Expr::value(None::<uuid::Uuid>))
        .filter(claim_correction::Column::PeriodId.eq(period.uuid()))
        .exec(tx.db)
        .await?;
    statement::Entity::delete_many().filter(statement::Column::PeriodId.eq(period.uuid())).exec(tx.db).await?;
    Ok(())
}

/// Writes the statements of a period, and marks what lies in it.
pub(super) async fn write(tx: &Tx<'_>, period: SettlementPeriodId, closed: &Close) -> Result<(), StoreError> {
    for draft in &closed.statements {
        let row = statement::ActiveModel {
            id: Set(tx.id::<domain::id::Statement>().uuid()),
            period_id: Set(period.uuid()),
            provider_id: Set(draft.provider.uuid()),
            line_count: Set(count(draft.lines.len() + draft.corrections.len())),
            total_fen: Set(draft.total.get()),
            split: Set(convert::to_json("statement", &draft.split)?),
        };
        statement::Entity::insert(row).exec_without_returning(tx.db).await?;
        for lines in draft.lines.chunks(500) {
            let marked = claim_line::ActiveModel { period_id: Set(Some(period.uuid())), ..Default::default() };
            let ids: Vec<_> = lines.iter().map(|line| line.uuid()).collect();
            claim_line::Entity::update_many().set(marked).filter(claim_line::Column::Id.is_in(ids)).exec(tx.db).await?;
        }
        for corrections in draft.corrections.chunks(500) {
            let marked = claim_correction::ActiveModel { period_id: Set(Some(period.uuid())), ..Default::default() };
            let ids: Vec<_> = corrections.iter().map(|one| one.uuid()).collect();
            claim_correction::Entity::update_many().set(marked).filter(claim_correction::Column::Id.is_in(ids)).exec(tx.db).await?;
        }
    }
    Ok(())
}
