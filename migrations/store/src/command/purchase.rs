//! Purchase lists: which services a programme may pay, from a day on. One person drafts, another publishes, and a
//! published list is never changed; the next one takes its place.

use domain::{
    access::{Action, Object},
    catalogue::{PurchaseLine, PurchaseList},
    error::FieldError,
    event::Event,
    id::{PersonId, PurchaseListId},
    policy::ProgrammeCode,
    time::BusinessDate,
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use serde::{Deserialize, Serialize};

use super::policy::{city_division, city_scope, digest};
use crate::{
    convert,
    entity::purchase_list,
    error::{StoreError, exists},
    tx::{Tx, for_update},
    write::Command,
};

/// Drafts the list of a programme from a day on.
#[derive(Debug, Clone)]
pub struct DraftPurchaseList {
    /// The programme.
    pub programme: ProgrammeCode,
    /// First day of the list.
    pub effective_from: BusinessDate,
    /// What is bought.
    pub list: PurchaseList,
}

/// A drafted list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftedPurchaseList {
    /// The list.
    pub purchase_list_id: PurchaseListId,
    /// SHA-256 of its content: what the publisher must have seen.
    pub digest: String,
}

impl Command for DraftPurchaseList {
    type Output = DraftedPurchaseList;
    const ACTION: Option<Action> = Some(Action::DraftPurchaseList);
    const NAME: &'static str = "draft_purchase_list";

    async fn run(&self, tx: &Tx<'_>) -> Result<DraftedPurchaseList, StoreError> {
        tx.permit(Action::DraftPurchaseList, &Object { division: Some(city_division(tx).await?), ..Object::default() })?;
        self.check(tx).await?;
        let id: PurchaseListId = tx.id();
        let lines = convert::to_json("purchase_list", &self.list)?;
        let row = purchase_list::Model {
            id: id.uuid(),
            programme: self.programme.to_string(),
            effective_from: self.effective_from.get(),
            digest: digest(&format!("{}\n{}\n{lines}", self.programme, self.effective_from)),
            lines,
            state: "draft".to_owned(),
            drafted_by: tx.actor().need_person()?.uuid(),
            published_by: None,
            created_at: tx.now(),
        };
        purchase_list::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await?;
        tx.record(&id, None, Some(&row));
        Ok(DraftedPurchaseList { purchase_list_id: id, digest: row.digest })
    }
}

impl DraftPurchaseList {
    async fn check(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        if !tx.reference.policies(tx.db).await?.programmes().any(|known| *known == self.programme) {
            faults.push(FieldError::new("programme", "programme.unknown", "name a published programme"));
        }
        faults.extend(begins_too_early(tx, self.effective_from));
        let city = city_scope(tx).await?;
        for (place, line) in self.list.lines().iter().enumerate() {
            let in_catalogue = tx.reference.catalogue.item(line.item, self.effective_from);
            if !in_catalogue.is_some_and(|item| item.classes().contains(&line.class)) {
                let cure = "the catalogue does not have this item in this class";
                faults.push(FieldError::new(format!("lines.{place}.class"), "catalogue.class", cure));
            }
            if !line.divisions.iter().all(|division| city.contains(*division)) {
                let cure = format!("name divisions within {city}, or none for the whole city");
                faults.push(FieldError::new(format!("lines.{place}.divisions"), "purchase.division", cure));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}

/// What was served up to today was judged by what held then.
fn begins_too_early(tx: &Tx<'_>, effective_from: BusinessDate) -> Option<FieldError> {
    (effective_from <= tx.today()).then(|| FieldError::new("effective_from", "purchase.effective_from", "name a day after today"))
}

/// Publishes a list that somebody else drafted: from its day on it decides.
#[derive(Debug, Clone)]
pub struct PublishPurchaseList {
    /// The list.
    pub list: PurchaseListId,
    /// The digest that the publisher has seen.
    pub digest: String,
}

impl Command for PublishPurchaseList {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::PublishPurchaseList);
    const NAME: &'static str = "publish_purchase_list";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let found = for_update!(tx, purchase_list::Entity::find_by_id(self.list.uuid())).one(tx.db).await?;
        let before = found.ok_or_else(StoreError::not_found)?;
        tx.permit(Action::PublishPurchaseList, &Object { division: Some(city_division(tx).await?), ..Object::default() })?;
        if before.state != "draft" {
            return Err(StoreError::Exists { what: "the publication of this list" });
        }
        if before.digest != self.digest {
            return Err(StoreError::Stale("the purchase list"));
        }
        let publisher = tx.actor().other_than(PersonId::from_uuid(before.drafted_by), "the drafter")?;
        let effective_from = convert::date(before.effective_from);
        if let Some(fault) = begins_too_early(tx, effective_from) {
            return Err(StoreError::fields(vec![fault]));
        }
        let row = purchase_list::Model { state: "published".to_owned(), published_by: Some(publisher.uuid()), ..before.clone() };
        tx.save(row.clone()).await.map_err(taken)?;
        tx.emit(Event::PurchaseListPublished { list: self.list, programme: row.programme.clone(), effective_from });
        tx.record(&self.list, Some(&before), Some(&row));
        Ok(())
    }
}

/// One list of a programme begins on a day.
fn taken(cause: StoreError) -> StoreError {
    match cause {
        StoreError::Database(cause) => exists("a list of this programme from this day on")(cause),
        other => other,
    }
}

/// The lines of a stored list.
pub(crate) fn list(row: &purchase_list::Model) -> Result<PurchaseList, StoreError> {
    let lines: Vec<PurchaseLine> = convert::json("purchase_list", "lines", &row.lines)?;
    PurchaseList::try_from(lines).map_err(|cause| convert::corrupt("purchase_list", "lines", &cause))
}
