//! A visit as it is recorded: what phones sent, what others corrected, what was reported and checked. Commands
//! and queries read it by the same code.

use std::collections::BTreeMap;

use domain::{
    device::SignatureFinding,
    id::{CarerId, DeviceId},
    time::Instant,
    visit::{ClockEvidence, ClockKind, CorrectionReason, Explanation, SafetyFinding, SafetyOutcome, SafetyRecord, TaskReport},
};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    convert,
    entity::{device, device_event, quarantined_event, safety_check, visit_correction, visit_event, visit_report},
    error::StoreError,
    keys::{Cell, KeyRing},
    tx::open_json,
};

/// What a stored clock event holds, encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredClock {
    pub(crate) evidence: ClockEvidence,
    pub(crate) explanation: Option<Explanation>,
}

/// What a stored report holds, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredReport {
    pub(crate) tasks: Vec<TaskReport>,
    pub(crate) note: Option<String>,
}

/// What a stored safety check holds, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredSafety {
    pub(crate) record: SafetyRecord,
    pub(crate) findings: Vec<SafetyFinding>,
}

/// What a device said of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) device: DeviceId,
    pub(crate) sequence: i64,
    pub(crate) finding: SignatureFinding,
    /// Whether the event before it in the device's sequence is the one that it names.
    pub(crate) chained: bool,
}

impl Signed {
    /// Whether the signature counts as a signal.
    pub(crate) fn counts(&self) -> bool {
        self.finding == SignatureFinding::Sound && self.chained
    }
}

/// A clock event.
#[derive(Debug, Clone)]
pub(crate) struct Clocked {
    pub(crate) carer: CarerId,
    pub(crate) kind: ClockKind,
    pub(crate) received_at: Instant,
    pub(crate) evidence: ClockEvidence,
    pub(crate) explanation: Option<Explanation>,
    pub(crate) signed: Option<Signed>,
}

/// A correction.
#[derive(Debug, Clone)]
pub(crate) struct Corrected {
    pub(crate) row: visit_correction::Model,
    pub(crate) carer: CarerId,
    pub(crate) kind: ClockKind,
    pub(crate) reason: CorrectionReason,
}

/// A report of tasks.
#[derive(Debug, Clone)]
pub(crate) struct Reported {
    pub(crate) row: visit_report::Model,
    pub(crate) body: StoredReport,
}

/// A safety check.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) row: safety_check::Model,
    pub(crate) outcome: SafetyOutcome,
    pub(crate) body: StoredSafety,
}

/// Everything that is recorded of a visit.
#[derive(Debug, Clone)]
pub(crate) struct VisitRecord {
    pub(crate) clocks: Vec<Clocked>,
    pub(crate) corrections: Vec<Corrected>,
    pub(crate) reports: Vec<Reported>,
    pub(crate) checks: Vec<Checked>,
}

impl VisitRecord {
    pub(crate) async fn load(db: &impl ConnectionTrait, keys: &KeyRing, visit: Uuid) -> Result<Self, StoreError> {
        Ok(Self {
            clocks: clocks(db, keys, visit).await?,
            corrections: corrections(db, visit).await?,
            reports: reports(db, keys, visit).await?,
            checks: checks(db, keys, visit).await?,
        })
    }

    /// The event of a carer at one end of the visit.
    pub(crate) fn clock(&self, carer: CarerId, kind: ClockKind) -> Option<&Clocked> {
        self.clocks.iter().find(|clock| clock.carer == carer && clock.kind == kind)
    }

    /// The latest correction of one end of the visit.
    pub(crate) fn correction(&self, carer: CarerId, kind: ClockKind) -> Option<&Corrected> {
        self.corrections.iter().rev().find(|correction| correction.carer == carer && correction.kind == kind)
    }

    /// When one end of a carer's visit was: as corrected last, or as the phone recorded it.
    pub(crate) fn time(&self, carer: CarerId, kind: ClockKind) -> Option<Instant> {
        let corrected = self.correction(carer, kind).map(|correction| correction.row.occurred_at);
        corrected.or_else(|| self.clock(carer, kind).map(|clock| clock.evidence.at))
    }

    /// All reported tasks, of all carers.
    pub(crate) fn tasks(&self) -> Vec<TaskReport> {
        self.reports.iter().flat_map(|report| report.body.tasks.clone()).collect()
    }
}

fn open<T: DeserializeOwned>(
    keys: &KeyRing,
    (table, column): (&'static str, &'static str),
    row: Uuid,
    envelope: &[u8],
) -> Result<T, StoreError> {
    open_json(keys, Cell { table, column, row }, envelope)
}

async fn clocks(db: &impl ConnectionTrait, keys: &KeyRing, visit: Uuid) -> Result<Vec<Clocked>, StoreError> {
    use visit_event::Column as C;
    let rows = visit_event::Entity::find().filter(C::VisitId.eq(visit)).order_by_asc(C::OccurredAt).order_by_asc(C::Id).all(db).await?;
    let signed = signatures(db, &rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    rows.iter()
        .map(|row| {
            let stored: StoredClock = open(keys, ("visit_event", "evidence_enc"), row.id, &row.evidence_enc)?;
            Ok(Clocked {
                carer: CarerId::from_uuid(row.carer_id),
                kind: convert::code("visit_event", "kind", &row.kind)?,
                received_at: row.received_at,
                evidence: stored.evidence,
                explanation: stored.explanation,
                signed: signed.get(&row.id).copied(),
            })
        })
        .collect()
}

/// What devices said of some events, with the judgement whether each follows the event that it names.
pub(crate) async fn signatures(db: &impl ConnectionTrait, events: &[Uuid]) -> Result<BTreeMap<Uuid, Signed>, StoreError> {
    let rows = device_event::Entity::find().filter(device_event::Column::EventId.is_in(events.iter().copied())).all(db).await?;
    let mut found = BTreeMap::new();
    for row in rows {
        let signed = Signed {
            device: DeviceId::from_uuid(row.device_id),
            sequence: row.sequence,
            finding: convert::code("device_event", "finding", &row.finding)?,
            chained: is_chained(db, &row).await?,
        };
        found.insert(row.event_id, signed);
    }
    Ok(found)
}

/// Whether the event before this one in the sequence of its device has arrived and is the one that it names.
async fn is_chained(db: &impl ConnectionTrait, row: &device_event::Model) -> Result<bool, StoreError> {
    let before = if row.sequence == 1 {
        device::Entity::find_by_id(row.device_id).one(db).await?.map(|device| device.genesis)
    } else {
        device_event::Entity::find()
            .filter(device_event::Column::DeviceId.eq(row.device_id))
            .filter(device_event::Column::Sequence.eq(row.sequence - 1))
            .filter(device_event::Column::Finding.ne(SignatureFinding::SequenceUsed.to_string()))
            .one(db)
            .await?
            .map(|before| before.digest)
    };
    Ok(before.is_some_and(|before| before == row.previous))
}

async fn corrections(db: &impl ConnectionTrait, visit: Uuid) -> Result<Vec<Corrected>, StoreError> {
    use visit_correction::Column as C;
    let rows = visit_correction::Entity::find().filter(C::VisitId.eq(visit)).order_by_asc(C::MadeAt).order_by_asc(C::Id).all(db).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Corrected {
                carer: CarerId::from_uuid(row.carer_id),
                kind: convert::code("visit_correction", "kind", &row.kind)?,
                reason: convert::code("visit_correction", "reason", &row.reason)?,
                row,
            })
        })
        .collect()
}

async fn reports(db: &impl ConnectionTrait, keys: &KeyRing, visit: Uuid) -> Result<Vec<Reported>, StoreError> {
    use visit_report::Column as C;
    let rows = visit_report::Entity::find().filter(C::VisitId.eq(visit)).order_by_asc(C::OccurredAt).order_by_asc(C::Id).all(db).await?;
    rows.into_iter().map(|row| Ok(Reported { body: open(keys, ("visit_report", "body_enc"), row.id, &row.body_enc)?, row })).collect()
}

async fn checks(db: &impl ConnectionTrait, keys: &KeyRing, visit: Uuid) -> Result<Vec<Checked>, StoreError> {
    use safety_check::Column as C;
    let rows = safety_check::Entity::find().filter(C::VisitId.eq(visit)).order_by_asc(C::OccurredAt).order_by_asc(C::Id).all(db).await?;
    rows.into_iter()
        .map(|row| {
            let outcome = convert::code("safety_check", "outcome", &row.outcome)?;
            Ok(Checked { outcome, body: open(keys, ("safety_check", "body_enc"), row.id, &row.body_enc)?, row })
        })
        .collect()
}

/// The events of a visit that do not fit, oldest first.
pub(crate) async fn quarantined(db: &impl ConnectionTrait, visit: Uuid) -> Result<Vec<quarantined_event::Model>, StoreError> {
    use quarantined_event::Column as C;
    Ok(quarantined_event::Entity::find().filter(C::VisitId.eq(visit)).order_by_asc(C::ReceivedAt).order_by_asc(C::Id).all(db).await?)
}
