//! Policy versions: drafted by one person, published by another, never changed afterwards; and the yearly
//! budgets of their funds.

use domain::{
    access::{Action, Object},
    catalogue::Unit,
    division::Scope,
    error::FieldError,
    event::Event,
    id::{PersonId, PolicyVersionId},
    ledger::{Pot, Purse, move_units},
    money::Fen,
    policy::{FundCode, Policy, PolicyBook, ProgrammeCode},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    convert,
    entity::{budget, city, policy_version},
    error::{StoreError, exists},
    tx::{Tx, for_update},
    write::Command,
};

/// Drafts a policy version from its file.
#[derive(Debug, Clone)]
pub struct DraftPolicy {
    /// Name of the file, for messages.
    pub file_name: String,
    /// Its text.
    pub text: String,
}

/// A drafted policy version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftedPolicy {
    /// The version.
    pub policy_version_id: PolicyVersionId,
    /// Its programme.
    pub programme: ProgrammeCode,
    /// Its name within the programme.
    pub version: String,
    /// SHA-256 of the text: what the publisher must have seen.
    pub digest: String,
}

impl Command for DraftPolicy {
    type Output = DraftedPolicy;
    const ACTION: Option<Action> = Some(Action::DraftPolicy);
    const NAME: &'static str = "draft_policy";

    async fn run(&self, tx: &Tx<'_>) -> Result<DraftedPolicy, StoreError> {
        let policy = Policy::parse(&self.file_name, &self.text).map_err(|faults| {
            let fields = faults.iter().map(|fault| FieldError::new(format!("line {}", fault.line), "policy.fault", fault.to_string()));
            StoreError::fields(fields.collect())
        })?;
        let scope: Scope = convert::code("policy_version", "division", policy.division())?;
        tx.permit(Action::DraftPolicy, &Object { division: Some(city_division(tx).await?), ..Object::default() })?;
        let city = city_scope(tx).await?;
        if !city.contains(scope) && !scope.contains(city) {
            return Err(StoreError::fields(vec![FieldError::new("division", "policy.other_city", format!("this city is {city}"))]));
        }
        let id: PolicyVersionId = tx.id();
        let digest = digest(&self.text);
        let (effective_from, effective_until) = policy.effective();
        let model = policy_version::ActiveModel {
            id: Set(id.uuid()),
            programme: Set(policy.programme().to_string()),
            version: Set(policy.version().to_owned()),
            file_name: Set(self.file_name.clone()),
            source_text: Set(self.text.clone()),
            digest: Set(digest.clone()),
            state: Set("draft".to_owned()),
            effective_from: Set(effective_from.get()),
            effective_until: Set(effective_until.map(domain::time::BusinessDate::get)),
            drafted_by: Set(tx.actor().person().map(domain::id::Id::uuid)),
            published_by: Set(None),
            created_at: Set(tx.now()),
        };
        policy_version::Entity::insert(model).exec_without_returning(tx.db).await.map_err(exists("this version of the programme"))?;
        tx.emit(Event::PolicyDrafted { policy: id, programme: policy.programme().to_string() });
        tx.record(&id, None, None);
        Ok(DraftedPolicy { policy_version_id: id, programme: policy.programme().clone(), version: policy.version().to_owned(), digest })
    }
}

pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The city with all that lies within it.
pub(super) async fn city_scope(tx: &Tx<'_>) -> Result<Scope, StoreError> {
    let city = city::Entity::find().one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    Ok(convert::city(&city)?.scope)
}

pub(super) async fn city_division(tx: &Tx<'_>) -> Result<domain::division::DivisionCode, StoreError> {
    Ok(city_scope(tx).await?.division())
}

/// Publishes a drafted version: from now on it decides.
#[derive(Debug, Clone)]
pub struct PublishPolicy {
    /// The version.
    pub policy: PolicyVersionId,
    /// The digest of the text that the publisher has seen.
    pub digest: String,
}

impl Command for PublishPolicy {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::PublishPolicy);
    const NAME: &'static str = "publish_policy";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let row =
            for_update!(tx, policy_version::Entity::find_by_id(self.policy.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        tx.permit(Action::PublishPolicy, &Object { division: Some(city_division(tx).await?), ..Object::default() })?;
        if row.state != "draft" {
            return Err(StoreError::Exists { what: "the publication of this version" });
        }
        if row.digest != self.digest {
            return Err(StoreError::Stale("the policy version"));
        }
        if let Some(drafter) = row.drafted_by
            && tx.actor().person().is_some()
        {
            tx.actor().other_than(PersonId::from_uuid(drafter), "the drafter")?;
        }
        check_beside_others(tx, &row).await?;
        let change = policy_version::ActiveModel {
            id: Set(row.id),
            state: Set("published".to_owned()),
            published_by: Set(tx.actor().person().map(domain::id::Id::uuid)),
            ..Default::default()
        };
        policy_version::Entity::update(change).exec_without_returning(tx.db).await?;
        tx.emit(Event::PolicyPublished { policy: self.policy, programme: row.programme.clone() });
        tx.record(&self.policy, Some(&row), None);
        Ok(())
    }
}

/// The book of all published versions and this one must be sound: no two in force on one day.
async fn check_beside_others(tx: &Tx<'_>, row: &policy_version::Model) -> Result<(), StoreError> {
    let published = policy_version::Entity::find()
        .filter(policy_version::Column::State.eq("published"))
        .order_by_asc(policy_version::Column::Id)
        .all(tx.db)
        .await?;
    let files = published.iter().chain([row]).map(|row| (row.file_name.as_str(), row.source_text.as_str()));
    let book = Policy::parse_all(files).and_then(PolicyBook::new);
    let faults = book.err().unwrap_or_default();
    let fields: Vec<_> =
        faults.iter().map(|fault| FieldError::new(format!("line {}", fault.line), "policy.fault", fault.to_string())).collect();
    if fields.is_empty() { Ok(()) } else { Err(StoreError::fields(fields)) }
}

/// The row of a published version, whose id decisions and lines keep.
pub(crate) async fn version_row(tx: &Tx<'_>, programme: &ProgrammeCode, version: &str) -> Result<policy_version::Model, StoreError> {
    let row = policy_version::Entity::find()
        .filter(policy_version::Column::Programme.eq(programme.as_str()))
        .filter(policy_version::Column::Version.eq(version))
        .one(tx.db)
        .await?;
    row.ok_or_else(|| StoreError::Corrupt { table: "policy_version", why: "a version in force has no row".to_owned() })
}

/// Gives a fund of a programme its budget of a year, or more of it.
#[derive(Debug, Clone)]
pub struct SetBudget {
    /// Programme.
    pub programme: ProgrammeCode,
    /// Fund of the programme.
    pub fund: FundCode,
    /// Calendar year.
    pub year: i32,
    /// What the fund may spend in the whole year.
    pub amount: Fen,
}

/// A budget as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    /// Programme.
    pub programme: String,
    /// Fund.
    pub fund: String,
    /// Calendar year.
    pub year: i32,
    /// Given, in fen.
    pub granted_fen: i64,
    /// Reserved, in fen.
    pub held_fen: i64,
    /// Spent, in fen.
    pub posted_fen: i64,
}

impl From<budget::Model> for BudgetView {
    fn from(row: budget::Model) -> Self {
        Self {
            programme: row.programme,
            fund: row.fund,
            year: row.year,
            granted_fen: row.granted,
            held_fen: row.held,
            posted_fen: row.posted,
        }
    }
}

impl Command for SetBudget {
    type Output = BudgetView;
    const ACTION: Option<Action> = Some(Action::SetBudget);
    const NAME: &'static str = "set_budget";

    async fn run(&self, tx: &Tx<'_>) -> Result<BudgetView, StoreError> {
        tx.permit(Action::SetBudget, &Object { division: Some(city_division(tx).await?), ..Object::default() })?;
        self.check(tx).await?;
        let found = for_update!(
            tx,
            budget::Entity::find()
                .filter(budget::Column::Programme.eq(self.programme.as_str()))
                .filter(budget::Column::Fund.eq(self.fund.as_str()))
                .filter(budget::Column::Year.eq(self.year))
        )
        .one(tx.db)
        .await?;
        let (before, version) = found.as_ref().map_or((0, 0), |row| (row.granted, row.version));
        let added = self.amount.get() - before;
        if added < 0 {
            return Err(StoreError::fields(vec![FieldError::new("amount_fen", "budget.shrinks", "a budget that was given can only grow")]));
        }
        let row = match &found {
            Some(row) => budget::Model { granted: self.amount.get(), version: version + 1, ..row.clone() },
            None => budget::Model {
                id: tx.id::<domain::id::LedgerAccount>().uuid(),
                programme: self.programme.to_string(),
                fund: self.fund.to_string(),
                year: self.year,
                granted: self.amount.get(),
                held: 0,
                posted: 0,
                version: 1,
            },
        };
        if found.is_some() {
            tx.save(row.clone()).await?;
        } else {
            budget::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await.map_err(exists("this budget"))?;
        }
        let purse = Purse::Budget { programme: row.programme.clone(), fund: row.fund.clone(), year: row.year };
        let fact = format!("grant/{}", row.version);
        tx.transfer(&move_units(&purse, Unit::Fen, (Pot::Issued, Pot::Available), added, &fact, tx.today())?).await?;
        tx.emit(Event::BudgetSet { programme: row.programme.clone(), fund: row.fund.clone(), year: row.year, amount: self.amount });
        tx.record(&format!("budget/{}/{}/{}", row.programme, row.fund, row.year), None, Some(&row));
        Ok(row.into())
    }
}

impl SetBudget {
    async fn check(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let book = tx.reference.policies(tx.db).await?;
        let mut faults = Vec::new();
        let mut versions = book.versions(&self.programme).peekable();
        if versions.peek().is_none() {
            faults.push(FieldError::new("programme", "programme.unknown", "publish a policy version of the programme first"));
        } else if !versions.any(|policy| policy.funds().iter().any(|fund| fund.code() == &self.fund)) {
            faults.push(FieldError::new("fund", "fund.unknown", "name a fund of the programme's policy"));
        }
        if !(2000..=2100).contains(&self.year) {
            faults.push(FieldError::new("year", "year.range", "name a year from 2000 to 2100"));
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}
