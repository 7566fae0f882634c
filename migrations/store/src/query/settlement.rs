//! Settlement periods and the ledger as an auditor reads it.

use std::collections::BTreeMap;

use domain::{
    access::{Action, Actor, Object},
    claim::{AdjustmentCode, ReversalCause},
    division::Scope,
    error::FieldError,
    id::{ClaimLineId, CorrectionId, ProviderId, SettlementPeriodId, StatementId},
    money::Fen,
    policy::ProgrammeCode,
    settlement::PeriodState,
    time::{BusinessDate, Month},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    sea_query::{Expr, ExprTrait as _, Func},
};
use serde::Serialize;

use crate::{
    Store,
    command::settlement::{PeriodView, content, period_view},
    convert,
    entity::{claim_correction, claim_line, ledger_entry, settlement_period, statement},
    error::StoreError,
    ledger_book::net,
};

/// Balance of one money account: debits less credits, in fen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountBalance {
    /// The account.
    pub account: String,
    /// Debits less credits, in fen.
    pub net_fen: i64,
}

/// One line of a statement: a visit judged, or a correction of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementLine {
    /// The claim line.
    pub claim_line_id: ClaimLineId,
    /// The correction, where something is taken back of the line.
    pub correction_id: Option<CorrectionId>,
    /// Version of the rules that was applied.
    pub policy_version: String,
    /// The benefit.
    pub benefit: String,
    /// The day of the visit.
    pub service_on: BusinessDate,
    /// Whether the visit belongs to an earlier month than the period.
    pub late: bool,
    /// Whole price, in fen.
    pub gross: i64,
    /// What was quoted.
    pub quoted: i64,
    /// What is paid, or with a minus taken back.
    pub subsidy: i64,
    /// The same by fund.
    pub split: Vec<(String, i64)>,
    /// What the family pays.
    pub family: i64,
    /// Why the subsidy differs from the quote, or why it is taken back.
    pub reasons: Vec<LineReason>,
}

/// A reason with its code in the columns of another standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineReason {
    /// Area of the texts: `adjustment` or `reversal_cause`.
    pub area: &'static str,
    /// Our code.
    pub code: String,
    /// Group code of X12 835.
    pub group: &'static str,
    /// Reason code of X12 835.
    pub reason: &'static str,
}

/// What a month holds: of a period as it was submitted, or as it would be submitted now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonthContent {
    /// The programme.
    pub programme: String,
    /// The bureau.
    pub bureau: String,
    /// The month.
    pub month: Month,
    /// State of the period; none while nobody has submitted it.
    pub state: Option<PeriodState>,
    /// Hash of the content.
    pub content_hash: String,
    /// Lines and corrections in it.
    pub line_count: i64,
    /// Sum, in fen.
    pub total: Fen,
    /// By provider: lines, sum, and sum by fund.
    pub statements: Vec<ProviderContent>,
}

/// What one provider is paid for a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderContent {
    /// The provider.
    pub provider_id: ProviderId,
    /// Lines and corrections.
    pub line_count: i64,
    /// Sum, in fen.
    pub total: Fen,
    /// Sum by fund, in fen.
    pub split: BTreeMap<String, Fen>,
}

impl Store {
    /// What a month of a programme holds, one entry for each bureau that has something in it. Changes nothing.
    ///
    /// # Errors
    /// A month that is not over or lies before the city's first visit, or an earlier one that is not settled.
    pub async fn month_contents(
        &self,
        programme: &ProgrammeCode,
        month: Month,
        today: BusinessDate,
    ) -> Result<Vec<MonthContent>, StoreError> {
        let book = self.reference().policies(self.db()).await?;
        if book.versions(programme).next().is_none() {
            let fault = FieldError::new("programme", "programme.unknown", "name a programme with a published policy version");
            return Err(StoreError::fields(vec![fault]));
        }
        content::check_month(self.db(), programme, month, today).await?;
        let mut contents = Vec::new();
        for bureau in content::bureaus(self.db(), programme, month).await? {
            contents.push(self.month_content(programme, &bureau, month).await?);
        }
        Ok(contents)
    }

    async fn month_content(&self, programme: &ProgrammeCode, bureau: &str, month: Month) -> Result<MonthContent, StoreError> {
        let period = settlement_period::Entity::find()
            .filter(settlement_period::Column::Programme.eq(programme.as_str()))
            .filter(settlement_period::Column::Bureau.eq(bureau))
            .filter(settlement_period::Column::Month.eq(month.to_string()))
            .one(self.db())
            .await?;
        if let Some(row) = period {
            let view = self.period(&row).await?;
            let statements = view.statements.into_iter().map(|one| ProviderContent {
                provider_id: one.provider_id,
                line_count: one.line_count,
                total: one.total,
                split: one.split,
            });
            return Ok(MonthContent {
                programme: view.programme,
                bureau: view.bureau,
                month,
                state: Some(view.state),
                content_hash: view.content_hash,
                line_count: view.line_count,
                total: view.total,
                statements: statements.collect(),
            });
        }
        let nobody = SettlementPeriodId::from_uuid(uuid::Uuid::nil());
        let of = content::Of { programme: programme.as_str(), bureau, month, period: nobody };
        of.refuse_earlier(self.db()).await?;
        let closed = of.close(self.db()).await?;
        Ok(MonthContent {
            programme: programme.to_string(),
            bureau: bureau.to_owned(),
            month,
            state: None,
            line_count: content::line_count(&closed),
            content_hash: closed.content_hash,
            total: closed.total,
            statements: closed
                .statements
                .into_iter()
                .map(|one| ProviderContent {
                    provider_id: one.provider,
                    line_count: content::count(one.lines.len() + one.corrections.len()),
                    total: one.total,
                    split: one.split,
                })
                .collect(),
        })
    }

    /// As [`Store::month_contents`], as far as the actor's reach goes.
    ///
    /// # Errors
    /// As there, and a role that may not.
    pub async fn month_contents_within(
        &self,
        actor: &Actor,
        programme: &ProgrammeCode,
        month: Month,
        today: BusinessDate,
    ) -> Result<Vec<MonthContent>, StoreError> {
        actor.may(Action::ReadSettlement)?;
        let contents = self.month_contents(programme, month, today).await?;
        let mut within = Vec::new();
        for one in contents {
            let bureau: Scope = convert::code("settlement_period", "bureau", &one.bureau)?;
            let object = Object { division: Some(bureau.division()), ..Object::default() };
            if actor.permit(Action::ReadSettlement, &object).is_ok() {
                within.push(one);
            }
        }
        Ok(within)
    }

    /// The lines of a statement, by visit, then what is taken back.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn statement_lines(&self, actor: &Actor, id: StatementId) -> Result<Vec<StatementLine>, StoreError> {
        actor.may(Action::ReadSettlement)?;
        let row = statement::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let period = self.settlement_period(actor, SettlementPeriodId::from_uuid(row.period_id)).await?;
        let lines = claim_line::Entity::find()
            .filter(claim_line::Column::PeriodId.eq(row.period_id))
            .filter(claim_line::Column::ProviderId.eq(row.provider_id))
            .order_by_asc(claim_line::Column::ServiceOn)
            .order_by_asc(claim_line::Column::Id)
            .all(self.db())
            .await?;
        let mut shown: Vec<StatementLine> = lines.iter().map(|line| paid(line, period.month)).collect::<Result<_, _>>()?;
        let corrections = claim_correction::Entity::find()
            .filter(claim_correction::Column::PeriodId.eq(row.period_id))
            .filter(claim_correction::Column::ProviderId.eq(row.provider_id))
            .order_by_asc(claim_correction::Column::Id)
            .all(self.db())
            .await?;
        for one in corrections {
            let line = claim_line::Entity::find_by_id(one.claim_line_id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
            shown.push(back(&one, &line, period.month)?);
        }
        Ok(shown)
    }

    async fn period(&self, row: &settlement_period::Model) -> Result<PeriodView, StoreError> {
        let statements = statement::Entity::find()
            .filter(statement::Column::PeriodId.eq(row.id))
            .order_by_asc(statement::Column::ProviderId)
            .all(self.db())
            .await?;
        period_view(row, &statements)
    }

    /// A settlement period with its statements.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn settlement_period(&self, actor: &Actor, id: SettlementPeriodId) -> Result<PeriodView, StoreError> {
        actor.may(Action::ReadSettlement)?;
        let row = settlement_period::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let bureau: Scope = convert::code("settlement_period", "bureau", &row.bureau)?;
        actor.permit(Action::ReadSettlement, &Object { division: Some(bureau.division()), ..Object::default() })?;
        self.period(&row).await
    }

    /// Balances of the money accounts whose name begins so, as an auditor of the whole city reads them.
    ///
    /// # Errors
    /// A role that may not, or a reach that is not the whole city.
    pub async fn account_balances(&self, actor: &Actor, prefix: &str) -> Result<Vec<AccountBalance>, StoreError> {
        let city = self.city().await?;
        actor.permit(Action::ReadSettlement, &Object { division: Some(city.scope.division()), ..Object::default() })?;
        // Not LIKE: `%` and `_` are letters to whoever asks.
        let length = i32::try_from(prefix.chars().count()).unwrap_or(i32::MAX);
        let entries = ledger_entry::Entity::find()
            .filter(Func::cust("substr").arg(Expr::col(ledger_entry::Column::Account)).arg(1_i32).arg(length).eq(prefix))
            .order_by_asc(ledger_entry::Column::Account)
            .all(self.db())
            .await?;
        Ok(entries
            .chunk_by(|one, other| one.account == other.account)
            .filter_map(|entries| entries.first().map(|first| AccountBalance { account: first.account.clone(), net_fen: net(entries) }))
            .collect())
    }
}

fn paid(line: &claim_line::Model, month: Month) -> Result<StatementLine, StoreError> {
    let codes: Vec<AdjustmentCode> = convert::json("claim_line", "codes", &line.codes)?;
    let reasons = codes.iter().map(|code| {
        let standard = code.standard();
        LineReason { area: "adjustment", code: code.to_string(), group: standard.group, reason: standard.reason }
    });
    Ok(StatementLine {
        claim_line_id: ClaimLineId::from_uuid(line.id),
        correction_id: None,
        policy_version: line.policy_version.clone(),
        benefit: line.benefit.clone(),
        service_on: convert::date(line.service_on),
        late: line.service_month < month.to_string(),
        gross: line.gross_fen,
        quoted: line.quoted_fen,
        subsidy: line.subsidy_fen,
        split: convert::json("claim_line", "split", &line.split)?,
        family: line.family_fen,
        reasons: reasons.collect(),
    })
}

fn back(one: &claim_correction::Model, line: &claim_line::Model, month: Month) -> Result<StatementLine, StoreError> {
    let cause: ReversalCause = convert::code("claim_correction", "cause", &one.cause)?;
    let standard = cause.standard();
    let split: Vec<(String, i64)> = convert::json("claim_correction", "split", &one.split)?;
    let reason = LineReason { area: "reversal_cause", code: cause.to_string(), group: standard.group, reason: standard.reason };
    Ok(StatementLine {
        correction_id: Some(CorrectionId::from_uuid(one.id)),
        subsidy: -one.subsidy_fen,
        split: split.into_iter().map(|(fund, part)| (fund, -part)).collect(),
        reasons: vec![reason],
        ..paid(line, month)?
    })
}
