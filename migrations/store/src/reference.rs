//! Reference data that is the same for every request: the working calendar, the service catalogue and the
//! terms of cancelling as shipped, and the published policy versions, parsed once.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{
    catalogue::{Catalogue, Checklists},
    division::{self, DivisionTable},
    order::CancelTerms,
    policy::{Policy, PolicyBook},
    time::WorkingCalendar,
};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::{entity::policy_version, error::StoreError};

/// Reference data of one process.
#[derive(Debug)]
pub struct Reference {
    /// Official rest days and make-up working days.
    pub calendar: WorkingCalendar,
    /// Service items.
    pub catalogue: Catalogue,
    /// What is done at a visit of each service, and checked before it.
    pub checklists: Checklists,
    /// What cancelling costs.
    pub cancellation: CancelTerms,
    /// The shipped division table, for names and for the county codes of identity numbers.
    pub divisions: DivisionTable,
    /// The book that belongs to a set of published versions, by their digests.
    book: Mutex<Option<(Vec<String>, Arc<PolicyBook>)>>,
}

impl Reference {
    pub(crate) fn shipped() -> Result<Self, StoreError> {
        let calendar = WorkingCalendar::shipped()?;
        let catalogue = Catalogue::shipped().map_err(|faults| damaged("catalogue", &faults))?;
        let checklists = Checklists::shipped().map_err(|faults| damaged("checklist", &faults))?;
        let divisions = DivisionTable::new(division::shipped().map_err(|faults| damaged("division", &faults))?);
        let cancellation = CancelTerms::shipped().map_err(|faults| damaged("cancellation", &faults))?;
        Ok(Self { calendar, catalogue, checklists, cancellation, divisions, book: Mutex::new(None) })
    }

    /// The published policy versions of the city, parsed. Versions never change once published, so the book
    /// is made anew only when one is added.
    pub(crate) async fn policies(&self, db: &impl ConnectionTrait) -> Result<Arc<PolicyBook>, StoreError> {
        let digests: Vec<String> = policy_version::Entity::find()
            .select_only()
            .column(policy_version::Column::Digest)
            .filter(policy_version::Column::State.eq("published"))
            .order_by_asc(policy_version::Column::Id)
            .into_tuple()
            .all(db)
            .await?;
        let known = self.book.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((known, book)) = known
            && known == digests
        {
            return Ok(book);
        }
        let rows = policy_version::Entity::find()
            .filter(policy_version::Column::State.eq("published"))
            .order_by_asc(policy_version::Column::Id)
            .all(db)
            .await?;
        let files = rows.iter().map(|row| (row.file_name.as_str(), row.source_text.as_str()));
        let policies = Policy::parse_all(files).map_err(|faults| damaged("policy_version", &faults))?;
        let book = Arc::new(PolicyBook::new(policies).map_err(|faults| damaged("policy_version", &faults))?);
        *self.book.lock().unwrap_or_else(PoisonError::into_inner) = Some((digests, Arc::clone(&book)));
        Ok(book)
    }
}

fn damaged(table: &'static str, faults: &[impl std::fmt::Display]) -> StoreError {
    StoreError::Corrupt { table, why: faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ") }
}
