//! The check before a service that can harm: without one that was passed, the service does not begin.

use chrono::TimeDelta;
use domain::{
    access::Action,
    catalogue::SafetyRule,
    event::Event,
    id::{CarerId, ResidentId, SafetyCheckId, VisitId},
    order::{OrderState, OrderTrigger},
    time::{BusinessDate, Instant},
    visit::{SafetyFinding, SafetyOutcome, SafetyRecord, VisitError, judge_safety},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};
use serde::{Deserialize, Serialize};

use super::{digest_of, form_faults, item, lock_own};
use crate::{
    command::{assessment, order},
    convert,
    entity::{assignment, safety_check},
    error::{StoreError, exists},
    ground::Ground,
    tx::Tx,
    visit_record::{StoredSafety, VisitRecord},
    write::Command,
};

/// Records what was measured and asked before the service. A reason to stop ends the visit: nobody pays, and the
/// order is called off.
#[derive(Debug, Clone)]
pub struct RecordSafetyCheck {
    /// The visit.
    pub visit: VisitId,
    /// Id that the phone made; repeats carry the same one.
    pub client_event_id: String,
    /// When it was done, by the phone.
    pub occurred_at: Instant,
    /// What was measured and asked.
    pub record: SafetyRecord,
}

/// A judged check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedSafety {
    /// The check.
    pub safety_check_id: SafetyCheckId,
    /// What it comes to.
    pub outcome: SafetyOutcome,
    /// Everything that is not as it should be.
    pub findings: Vec<SafetyFinding>,
    /// Until when the service may begin; none if it may not.
    pub valid_until: Option<Instant>,
    /// State of the order.
    pub order_state: OrderState,
    /// Whether the same check came before.
    pub duplicate: bool,
}

impl Command for RecordSafetyCheck {
    type Output = CheckedSafety;
    const ACTION: Option<Action> = Some(Action::ReportVisit);
    const NAME: &'static str = "record_safety_check";

    async fn run(&self, tx: &Tx<'_>) -> Result<CheckedSafety, StoreError> {
        let (locked, row) = lock_own(tx, self.visit, Action::ReportVisit).await?;
        let rule = needed(tx, &locked).await?.ok_or(VisitError::SafetyCheckNotNeeded)?;
        let digest = self.digest()?;
        if let Some(known) = self.find_known(tx, &row).await? {
            return self.repeat(tx, &locked, rule, (&known, &digest));
        }
        let mut faults = form_faults(tx, &self.client_event_id, Some(self.occurred_at));
        let judged = judge_safety(&self.record, rule).map_err(|own| faults.extend(own)).ok();
        let Some(judged) = judged.filter(|_| faults.is_empty()) else { return Err(StoreError::fields(faults)) };
        self.check_state(&locked)?;
        let id: SafetyCheckId = tx.id();
        let body = StoredSafety { record: self.record.clone(), findings: judged.findings.clone() };
        let model = safety_check::Model {
            id: id.uuid(),
            visit_id: row.visit_id,
            carer_id: row.carer_id,
            client_event_id: self.client_event_id.clone(),
            occurred_at: self.occurred_at,
            received_at: tx.now(),
            outcome: judged.outcome.to_string(),
            body_enc: tx.seal_json("safety_check", "body_enc", id.uuid(), &body)?,
            digest,
        };
        safety_check::Entity::insert(model.clone().into_active_model())
            .exec_without_returning(tx.db)
            .await
            .map_err(exists("another check with this client_event_id"))?;
        tx.emit(Event::SafetyChecked { visit: self.visit, carer: CarerId::from_uuid(row.carer_id) });
        tx.record(&id, None, Some(&model));
        let mut order_state = locked.state()?;
        if judged.outcome == SafetyOutcome::Stopped && order_state == OrderState::Assigned {
            order_state = order::end_without_service(tx, &locked, OrderTrigger::Stop).await?.state;
        }
        Ok(self.answer(id, rule, (judged.outcome, judged.findings), order_state))
    }
}

impl RecordSafetyCheck {
    fn digest(&self) -> Result<String, StoreError> {
        let plain = convert::to_json("safety_check", &self.record)?;
        Ok(digest_of(&format!("{}|{}|{plain}", self.visit, self.occurred_at.timestamp_micros())))
    }

    async fn find_known(&self, tx: &Tx<'_>, row: &assignment::Model) -> Result<Option<safety_check::Model>, StoreError> {
        Ok(safety_check::Entity::find()
            .filter(safety_check::Column::CarerId.eq(row.carer_id))
            .filter(safety_check::Column::ClientEventId.eq(&self.client_event_id))
            .one(tx.db)
            .await?)
    }

    fn repeat(
        &self,
        tx: &Tx<'_>,
        locked: &order::Locked,
        rule: &SafetyRule,
        (known, digest): (&safety_check::Model, &str),
    ) -> Result<CheckedSafety, StoreError> {
        if known.digest != digest {
            return Err(StoreError::Exists { what: "another check with this client_event_id" });
        }
        let body: StoredSafety = tx.open_json("safety_check", "body_enc", known.id, &known.body_enc)?;
        let outcome = convert::code("safety_check", "outcome", &known.outcome)?;
        let answer = self.answer(SafetyCheckId::from_uuid(known.id), rule, (outcome, body.findings), locked.state()?);
        Ok(CheckedSafety { duplicate: true, ..answer })
    }

    fn answer(
        &self,
        id: SafetyCheckId,
        rule: &SafetyRule,
        (outcome, findings): (SafetyOutcome, Vec<SafetyFinding>),
        order_state: OrderState,
    ) -> CheckedSafety {
        let valid_until = (outcome == SafetyOutcome::Passed).then(|| self.occurred_at + validity(rule));
        CheckedSafety { safety_check_id: id, outcome, findings, valid_until, order_state, duplicate: false }
    }

    /// A check belongs before the service. One that comes late is kept if it was done before.
    fn check_state(&self, locked: &order::Locked) -> Result<(), StoreError> {
        let fits = match locked.state()? {
            OrderState::Assigned => true,
            OrderState::InService | OrderState::Completed => locked.visit.actual_start.is_some_and(|start| self.occurred_at <= start),
            OrderState::Requested
            | OrderState::Offered
            | OrderState::Accepted
            | OrderState::Confirmed
            | OrderState::Disputed
            | OrderState::DisputeDecided
            | OrderState::Declined
            | OrderState::Expired
            | OrderState::Cancelled
            | OrderState::Missed => false,
        };
        if fits { Ok(()) } else { Err(VisitError::SafetyCheckLate.into()) }
    }
}

fn validity(rule: &SafetyRule) -> TimeDelta {
    TimeDelta::minutes(i64::from(rule.minutes_valid()))
}

/// What must be checked before this visit; none if it needs no check.
pub(super) async fn needed<'a>(tx: &Tx<'a>, locked: &order::Locked) -> Result<Option<&'a SafetyRule>, StoreError> {
    let day = BusinessDate::of(locked.order.starts_at);
    let Some(rule) = tx.reference.checklists.safety(item(locked)?, day) else { return Ok(None) };
    let assessed = assessment::valid_on(tx, ResidentId::from_uuid(locked.resident.id), day).await?;
    let level = assessed.map(|assessment| assessment.outcome().final_level);
    let has_disability = Ground::of(tx, &locked.resident).await?.facts_on(day, None).disability_grade.is_some();
    Ok(rule.is_needed(level, has_disability).then_some(rule))
}

/// Whether the service may begin at this moment: it needs no check, or the last one before was passed and holds.
pub(super) async fn is_cleared(tx: &Tx<'_>, locked: &order::Locked, record: &VisitRecord, at: Instant) -> Result<bool, StoreError> {
    let Some(rule) = needed(tx, locked).await? else { return Ok(true) };
    let last = record.checks.iter().rev().find(|check| check.row.occurred_at <= at);
    Ok(last.is_some_and(|check| check.outcome == SafetyOutcome::Passed && at <= check.row.occurred_at + validity(rule)))
}
