//! The monthly close: computed by a clerk, approved by another person, released by a third.

use std::collections::BTreeMap;

use domain::{
    access::{Action, Object},
    division::Scope,
    error::FieldError,
    event::Event,
    id::{ClaimLineId, PersonId, ProviderId, SettlementPeriodId, StatementId},
    ledger::{Payer, pay_out},
    money::Fen,
    policy::{FundCode, ProgrammeCode},
    settlement::{Close, PeriodState, PeriodTrigger, PostedLine, SettlementError, close},
    state::StateMachine as _,
    time::Month,
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};

use crate::{
    convert,
    entity::{claim_line, settlement_period, statement},
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
        of.refuse_earlier(tx).await?;
        let closed = of.close(tx).await?;
        let row = settlement_period::Model {
            id: id.uuid(),
            programme: self.programme.to_string(),
            bureau: self.bureau.to_string(),
            month: self.month.to_string(),
            state: PeriodState::INITIAL.to_string(),
            content_hash: closed.content_hash.clone(),
            line_count: count(closed.statements.iter().map(|statement| statement.lines.len()).sum()),
            total_fen: closed.total.get(),
            computed_by: tx.actor().need_person()?.uuid(),
            approved_by: None,
            released_by: None,
            created_at: tx.now(),
            version: found.as_ref().map_or(1, |row| row.version + 1),
        };
        if found.is_some() {
            tx.save(row.clone()).await?;
            forget_statements(tx, id).await?;
        } else {
            settlement_period::Entity::insert(row.clone().into_active_model())
                .exec_without_returning(tx.db)
                .await
                .map_err(exists("this settlement period"))?;
        }
        write_statements(tx, id, &closed).await?;
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
        if tx.today() < self.month.next()?.first_day() {
            return Err(SettlementError::MonthOpen(self.month).into());
        }
        let mut faults = Vec::new();
        let book = tx.reference.policies(tx.db).await?;
        if book.versions(&self.programme).next().is_none() {
            faults.push(FieldError::new("programme", "programme.unknown", "name a programme with a published policy version"));
        }
        if self.bureau.division().level() != domain::division::DivisionLevel::County {
            faults.push(FieldError::new("bureau", "bureau.level", "name the six digits of a county: its civil-affairs bureau settles"));
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}

fn bureau_object(bureau: Scope) -> Object {
    Object { division: Some(bureau.division()), ..Object::default() }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What a period is to hold: the posted lines of its month, and earlier ones that came too late for theirs.
struct Of<'a> {
    programme: &'a str,
    bureau: &'a str,
    month: Month,
    period: SettlementPeriodId,
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

    async fn close(&self, tx: &Tx<'_>) -> Result<Close, StoreError> {
        let rows = self.lines().order_by_asc(claim_line::Column::Id).all(tx.db).await?;
        Ok(close(self.programme, self.month, &posted_lines(&rows)?)?)
    }

    /// An earlier month with lines of its own is settled first; only what comes later than that is late.
    async fn refuse_earlier(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let months: Vec<String> = self
            .lines()
            .select_only()
            .column(claim_line::Column::ServiceMonth)
            .distinct()
            .filter(claim_line::Column::ServiceMonth.lt(self.month.to_string()))
            .order_by_asc(claim_line::Column::ServiceMonth)
            .into_tuple()
            .all(tx.db)
            .await?;
        for month in months {
            let closed = settlement_period::Entity::find()
                .filter(settlement_period::Column::Programme.eq(self.programme))
                .filter(settlement_period::Column::Bureau.eq(self.bureau))
                .filter(settlement_period::Column::Month.eq(&month))
                .filter(settlement_period::Column::State.ne(PeriodState::INITIAL.to_string()))
                .one(tx.db)
                .await?;
            if closed.is_none() {
                return Err(SettlementError::EarlierOpen(convert::code("claim_line", "service_month", &month)?).into());
            }
        }
        Ok(())
    }
}

/// Stored lines as the close sees them.
pub(crate) fn posted_lines(rows: &[claim_line::Model]) -> Result<Vec<PostedLine>, StoreError> {
    let line = |row: &claim_line::Model| {
        let split: Vec<(FundCode, Fen)> = convert::json("claim_line", "split", &row.split)?;
        Ok(PostedLine {
            id: ClaimLineId::from_uuid(row.id),
            provider: ProviderId::from_uuid(row.provider_id),
            split: split.into_iter().map(|(fund, part)| (fund.to_string(), part)).collect(),
        })
    };
    rows.iter().map(line).collect()
}

async fn forget_statements(tx: &Tx<'_>, period: SettlementPeriodId) -> Result<(), StoreError> {
    claim_line::Entity::update_many()
        .col_expr(claim_line::Column::PeriodId, Expr::value(None::<uuid::Uuid>))
        .filter(claim_line::Column::PeriodId.eq(period.uuid()))
        .exec(tx.db)
        .await?;
    statement::Entity::delete_many().filter(statement::Column::PeriodId.eq(period.uuid())).exec(tx.db).await?;
    Ok(())
}

async fn write_statements(tx: &Tx<'_>, period: SettlementPeriodId, closed: &Close) -> Result<(), StoreError> {
    for draft in &closed.statements {
        let row = statement::ActiveModel {
            id: Set(tx.id::<domain::id::Statement>().uuid()),
            period_id: Set(period.uuid()),
            provider_id: Set(draft.provider.uuid()),
            line_count: Set(count(draft.lines.len())),
            total_fen: Set(draft.total.get()),
            split: Set(convert::to_json("statement", &draft.split)?),
        };
        statement::Entity::insert(row).exec_without_returning(tx.db).await?;
        for lines in draft.lines.chunks(500) {
            let marked = claim_line::ActiveModel { period_id: Set(Some(period.uuid())), ..Default::default() };
            let ids: Vec<_> = lines.iter().map(|line| line.uuid()).collect();
            claim_line::Entity::update_many().set(marked).filter(claim_line::Column::Id.is_in(ids)).exec(tx.db).await?;
        }
    }
    Ok(())
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
        let now = Of { programme: &row.programme, bureau: &row.bureau, month, period: self.period }.close(tx).await?;
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
