//! Policy versions and budgets.

use domain::{
    access::{Action, Actor},
    id::PolicyVersionId,
    policy::{Policy, PolicyFault, ProgrammeCode},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    Store,
    command::policy::BudgetView,
    convert,
    entity::{budget, policy_version},
    error::StoreError,
};

/// A policy version without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersionView {
    /// The version.
    pub policy_version_id: PolicyVersionId,
    /// Its programme.
    pub programme: String,
    /// Its name within the programme.
    pub version: String,
    /// Whether it is published, and decides; else it is a draft.
    pub published: bool,
    /// First day on which it is in force.
    pub effective_from: BusinessDate,
    /// First day on which it is no longer in force, if that is known.
    pub effective_until: Option<BusinessDate>,
    /// SHA-256 of its text.
    pub digest: String,
}

/// A policy version with its text.
#[derive(Debug, Clone)]
pub struct PolicyVersionText {
    /// The version.
    pub view: PolicyVersionView,
    /// Name of its file.
    pub file_name: String,
    /// The file (TOML).
    pub text: String,
    /// What it says.
    pub policy: Policy,
}

impl From<&policy_version::Model> for PolicyVersionView {
    fn from(row: &policy_version::Model) -> Self {
        Self {
            policy_version_id: PolicyVersionId::from_uuid(row.id),
            programme: row.programme.clone(),
            version: row.version.clone(),
            published: row.state == "published",
            effective_from: convert::date(row.effective_from),
            effective_until: row.effective_until.map(convert::date),
            digest: row.digest.clone(),
        }
    }
}

/// Published versions are public documents; drafts are for those who make them.
fn readable(actor: &Actor) -> Condition {
    let drafts = actor.may(Action::DraftPolicy).is_ok() || actor.may(Action::PublishPolicy).is_ok();
    let published = Condition::all().add(policy_version::Column::State.eq("published"));
    if drafts { Condition::all() } else { published }
}

impl Store {
    /// The versions of all programmes, by programme and beginning; drafts only for whoever drafts or publishes.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn policy_versions(&self, actor: &Actor) -> Result<Vec<PolicyVersionView>, StoreError> {
        let rows = policy_version::Entity::find()
            .filter(readable(actor))
            .order_by_asc(policy_version::Column::Programme)
            .order_by_asc(policy_version::Column::EffectiveFrom)
            .order_by_asc(policy_version::Column::Id)
            .all(self.db())
            .await?;
        Ok(rows.iter().map(PolicyVersionView::from).collect())
    }

    /// One version with its text.
    ///
    /// # Errors
    /// Not found, also a draft for whoever neither drafts nor publishes.
    pub async fn policy_version(&self, actor: &Actor, id: PolicyVersionId) -> Result<PolicyVersionText, StoreError> {
        let row = policy_version::Entity::find_by_id(id.uuid()).filter(readable(actor)).one(self.db()).await?;
        let row = row.ok_or_else(StoreError::not_found)?;
        let faults = |faults: Vec<PolicyFault>| StoreError::Corrupt { table: "policy_version", why: format!("{} faults", faults.len()) };
        let policy = Policy::parse(&row.file_name, &row.source_text).map_err(faults)?;
        Ok(PolicyVersionText { view: (&row).into(), file_name: row.file_name, text: row.source_text, policy })
    }

    /// What the funds have been given, reserved and spent, by programme, year and fund.
    ///
    /// # Errors
    /// A role that may not; failures of the database.
    pub async fn budgets(&self, actor: &Actor, programme: Option<&ProgrammeCode>) -> Result<Vec<BudgetView>, StoreError> {
        actor.may(Action::ReadBudgets)?;
        let mut select = budget::Entity::find();
        if let Some(programme) = programme {
            select = select.filter(budget::Column::Programme.eq(programme.as_str()));
        }
        let rows = select
            .order_by_asc(budget::Column::Programme)
            .order_by_asc(budget::Column::Year)
            .order_by_asc(budget::Column::Fund)
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(BudgetView::from).collect())
    }
}
