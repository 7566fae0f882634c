//! Ability assessments: the first assessor records the 26 items, a second one hands in their own record; only
//! when both agree does the assessment count.

use std::collections::BTreeMap;

use domain::{
    access::Action,
    assessment::{Assessment, AssessmentForm, ChangeFacts, Level, Scores},
    error::FieldError,
    event::Event,
    id::{AssessmentId, PersonId, ResidentId},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set};
use serde::{Deserialize, Serialize};

use crate::{
    command::resident,
    entity::assessment,
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// One assessor's record, as it is stored until the second one's arrives.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstRecord {
    scores: Scores,
    facts: ChangeFacts,
}

/// Records an assessment as its first assessor.
#[derive(Debug, Clone)]
pub struct RecordAssessment {
    /// Who was assessed.
    pub resident: ResidentId,
    /// The day of the assessment.
    pub assessed_on: BusinessDate,
    /// The answers, by item.
    pub items: BTreeMap<String, i64>,
    /// Facts that change the level.
    pub facts: ChangeFacts,
}

/// A recorded assessment that waits for the second assessor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAssessment {
    /// The assessment.
    pub assessment_id: AssessmentId,
}

impl Command for RecordAssessment {
    type Output = RecordedAssessment;
    const ACTION: Option<Action> = Some(Action::RecordAssessment);
    const NAME: &'static str = "record_assessment";

    async fn run(&self, tx: &Tx<'_>) -> Result<RecordedAssessment, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        tx.permit(Action::RecordAssessment, &resident::object(&resident)?)?;
        let scores = Scores::new(self.items.iter().map(|(code, score)| (code, *score)))?;
        if self.assessed_on > tx.today() {
            return Err(domain::assessment::AssessmentError::Future.into());
        }
        let id: AssessmentId = tx.id();
        let record = FirstRecord { scores, facts: self.facts };
        let model = assessment::ActiveModel {
            id: Set(id.uuid()),
            resident_id: Set(resident.id),
            state: Set("recorded".to_owned()),
            record_enc: Set(tx.seal_json("assessment", "record_enc", id.uuid(), &record)?),
            first_assessor: Set(tx.actor().need_person()?.uuid()),
            second_assessor: Set(None),
            assessed_on: Set(self.assessed_on.get()),
            valid_until: Set(self.assessed_on.plus_months(domain::assessment::VALIDITY_MONTHS)?.get()),
            created_at: Set(tx.now()),
            version: Set(1),
        };
        assessment::Entity::insert(model).exec_without_returning(tx.db).await?;
        tx.emit(Event::AssessmentRecorded { assessment: id, resident: self.resident });
        tx.record(&id, None, None);
        Ok(RecordedAssessment { assessment_id: id })
    }
}

/// Confirms an assessment with the second assessor's own record.
#[derive(Debug, Clone)]
pub struct ConfirmAssessment {
    /// The assessment.
    pub assessment: AssessmentId,
    /// The answers, by item.
    pub items: BTreeMap<String, i64>,
    /// Facts that change the level.
    pub facts: ChangeFacts,
}

/// A confirmed assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedAssessment {
    /// The assessment.
    pub assessment_id: AssessmentId,
    /// Sums of the four groups.
    pub subtotals: [u8; 4],
    /// Sum of all items.
    pub total: u8,
    /// Level by the sum.
    pub preliminary_level: Level,
    /// Level after the change rules.
    pub final_level: Level,
    /// Codes of the change rules that applied.
    pub changes: Vec<String>,
    /// First day on which it no longer counts.
    pub valid_until: BusinessDate,
}

impl Command for ConfirmAssessment {
    type Output = ConfirmedAssessment;
    const ACTION: Option<Action> = Some(Action::ConfirmAssessment);
    const NAME: &'static str = "confirm_assessment";

    async fn run(&self, tx: &Tx<'_>) -> Result<ConfirmedAssessment, StoreError> {
        let row =
            for_update!(tx, assessment::Entity::find_by_id(self.assessment.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let resident = resident::lock(tx, ResidentId::from_uuid(row.resident_id)).await?;
        tx.permit(Action::ConfirmAssessment, &resident::object(&resident)?)?;
        let first_assessor = PersonId::from_uuid(row.first_assessor);
        let second_assessor = tx.actor().other_than(first_assessor, "the first assessor")?;
        if row.state != "recorded" {
            return Err(StoreError::Exists { what: "the second record of this assessment" });
        }
        let first: FirstRecord = tx.open_json("assessment", "record_enc", row.id, &row.record_enc)?;
        let scores = Scores::new(self.items.iter().map(|(code, score)| (code, *score)))?;
        refuse_differences(&first, &scores, self.facts)?;
        let form = AssessmentForm {
            id: self.assessment,
            resident: ResidentId::from_uuid(row.resident_id),
            assessors: [first_assessor, second_assessor],
            assessed_on: crate::convert::date(row.assessed_on),
            scores,
            facts: self.facts,
        };
        let assessment = Assessment::record(form, tx.today())?;
        let change = assessment::ActiveModel {
            id: Set(row.id),
            state: Set("confirmed".to_owned()),
            second_assessor: Set(Some(second_assessor.uuid())),
            record_enc: Set(tx.seal_json("assessment", "record_enc", row.id, &assessment)?),
            version: Set(row.version + 1),
            ..Default::default()
        };
        assessment::Entity::update(change).exec_without_returning(tx.db).await?;
        tx.emit(Event::AssessmentConfirmed { assessment: self.assessment, resident: ResidentId::from_uuid(row.resident_id) });
        tx.record(&self.assessment, Some(&row), None);
        let outcome = assessment.outcome();
        Ok(ConfirmedAssessment {
            assessment_id: self.assessment,
            subtotals: outcome.subtotals,
            total: outcome.total,
            preliminary_level: outcome.preliminary,
            final_level: outcome.final_level,
            changes: outcome.changes.iter().map(ToString::to_string).collect(),
            valid_until: assessment.valid_until(),
        })
    }
}

/// The two records must say the same; the items that differ are named, their scores are not.
fn refuse_differences(first: &FirstRecord, scores: &Scores, facts: ChangeFacts) -> Result<(), StoreError> {
    let cure = "the two assessors differ: look at it again together";
    let mut faults: Vec<_> = first
        .scores
        .iter()
        .zip(scores.iter())
        .filter(|((_, one), (_, other))| one != other)
        .map(|((item, _), _)| FieldError::new(format!("items.{}", item.code), "assessment.differs", cure))
        .collect();
    if first.facts != facts {
        faults.push(FieldError::new("facts", "assessment.differs", cure));
    }
    if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
}

/// The last confirmed assessment that is valid on a day.
pub(crate) async fn valid_on(tx: &Tx<'_>, resident: ResidentId, day: BusinessDate) -> Result<Option<Assessment>, StoreError> {
    let row = assessment::Entity::find()
        .filter(assessment::Column::ResidentId.eq(resident.uuid()))
        .filter(assessment::Column::State.eq("confirmed"))
        .filter(assessment::Column::AssessedOn.lte(day.get()))
        .filter(assessment::Column::ValidUntil.gt(day.get()))
        .order_by_desc(assessment::Column::AssessedOn)
        .order_by_desc(assessment::Column::Id)
        .one(tx.db)
        .await?;
    row.map(|row| tx.open_json("assessment", "record_enc", row.id, &row.record_enc)).transpose()
}
