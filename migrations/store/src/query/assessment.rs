//! The assessments of a resident.

use std::collections::BTreeMap;

use domain::{
    access::{Action, Actor},
    assessment::{Assessment, ChangeFacts, Outcome},
    id::{AssessmentId, PersonId, ResidentId},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::resident::load;
use crate::{Store, convert, entity::assessment, error::StoreError, keys::Cell, tx::open_json};

/// Assessments of one resident that are shown at most, the latest first.
const SHOWN_MAX: u64 = 50;

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentView {
    /// The assessment.
    pub assessment_id: AssessmentId,
    /// The day of the assessment.
    pub assessed_on: BusinessDate,
    /// First day on which it no longer counts.
    pub valid_until: BusinessDate,
    /// Who assessed first.
    pub first_assessor: PersonId,
    /// What both assessors found; absent until the second one has handed in the same, who is to judge for themselves.
    pub confirmed: Option<ConfirmedRecord>,
}

/// What two assessors agree on. Health data: it does not show in debug texts.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfirmedRecord {
    /// Who assessed second.
    pub second_assessor: PersonId,
    /// Score of each item, by its code in GB/T 42195-2022.
    pub items: BTreeMap<&'static str, u8>,
    /// The facts that change the level.
    pub facts: ChangeFacts,
    /// Sums and levels.
    pub outcome: Outcome,
}

impl std::fmt::Debug for ConfirmedRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfirmedRecord").field("second_assessor", &self.second_assessor).finish_non_exhaustive()
    }
}

impl From<&Assessment> for ConfirmedRecord {
    fn from(record: &Assessment) -> Self {
        let [_, second_assessor] = record.assessors();
        Self {
            second_assessor,
            items: record.scores().iter().map(|(item, score)| (item.code, score)).collect(),
            facts: *record.facts(),
            outcome: record.outcome().clone(),
        }
    }
}

impl Store {
    /// The assessments of a resident, the latest first.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn assessments(&self, actor: &Actor, resident: ResidentId) -> Result<Vec<AssessmentView>, StoreError> {
        let resident = load(self, actor, Action::ReadAssessments, resident).await?;
        let rows = assessment::Entity::find()
            .filter(assessment::Column::ResidentId.eq(resident.id))
            .order_by_desc(assessment::Column::AssessedOn)
            .order_by_desc(assessment::Column::Id)
            .limit(SHOWN_MAX)
            .all(self.db())
            .await?;
        rows.iter().map(|row| self.assessment_view(row)).collect()
    }

    fn assessment_view(&self, row: &assessment::Model) -> Result<AssessmentView, StoreError> {
        let confirmed = if row.state == "confirmed" {
            let cell = Cell { table: "assessment", column: "record_enc", row: row.id };
            let record: Assessment = open_json(self.keys(), cell, &row.record_enc)?;
            Some(ConfirmedRecord::from(&record))
        } else {
            None
        };
        Ok(AssessmentView {
            assessment_id: AssessmentId::from_uuid(row.id),
            assessed_on: convert::date(row.assessed_on),
            valid_until: convert::date(row.valid_until),
            first_assessor: PersonId::from_uuid(row.first_assessor),
            confirmed,
        })
    }
}
