//! The purchase lists of a city.

use domain::{
    access::{Action, Actor},
    catalogue::PurchaseLine,
    id::{PersonId, PurchaseListId},
    policy::ProgrammeCode,
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::{Store, command::purchase::list, convert, entity::purchase_list, error::StoreError};

/// The most lists that are shown: four a year for each of some twenty programmes, for two years and more.
const LISTS_MAX: u64 = 200;

/// A list as it stands.
#[derive(Debug, Clone)]
pub struct PurchaseListView {
    /// The list.
    pub purchase_list_id: PurchaseListId,
    /// The programme.
    pub programme: ProgrammeCode,
    /// First day.
    pub effective_from: BusinessDate,
    /// `draft` or `published`.
    pub state: String,
    /// What the publisher must have seen.
    pub digest: String,
    /// Who drafted it.
    pub drafted_by: PersonId,
    /// Who published it.
    pub published_by: Option<PersonId>,
    /// What is bought.
    pub lines: Vec<PurchaseLine>,
}

impl Store {
    /// The purchase lists of the city, those that begin last first. Drafts are seen by
    /// those who draft and publish.
    ///
    /// # Errors
    /// A role that may not; failures of the database.
    pub async fn purchase_lists(&self, actor: &Actor) -> Result<Vec<PurchaseListView>, StoreError> {
        actor.may(Action::ReadPurchaseLists)?;
        let sees_drafts = actor.may(Action::DraftPurchaseList).is_ok() || actor.may(Action::PublishPurchaseList).is_ok();
        let mut select = purchase_list::Entity::find()
            .order_by_desc(purchase_list::Column::EffectiveFrom)
            .order_by_desc(purchase_list::Column::Id)
            .limit(LISTS_MAX);
        if !sees_drafts {
            select = select.filter(purchase_list::Column::State.eq("published"));
        }
        select.all(self.db()).await?.iter().map(view).collect()
    }
}

fn view(row: &purchase_list::Model) -> Result<PurchaseListView, StoreError> {
    Ok(PurchaseListView {
        purchase_list_id: PurchaseListId::from_uuid(row.id),
        programme: convert::code("purchase_list", "programme", &row.programme)?,
        effective_from: convert::date(row.effective_from),
        state: row.state.clone(),
        digest: row.digest.clone(),
        drafted_by: PersonId::from_uuid(row.drafted_by),
        published_by: row.published_by.map(PersonId::from_uuid),
        lines: list(row)?.into(),
    })
}
