//! Clocking in and out.

use domain::{
    access::Action,
    device::{ClockStatement, DeviceError, SIGNATURE_BYTES, SignatureFinding, SignedClock, TimeProof},
    error::FieldError,
    id::{CarerId, DeviceId, PersonId, VisitEventId, VisitId},
    order::OrderState,
    time::Instant,
    visit::{
        Arrival, ClockEvidence, ClockKind, CodeCheck, Explanation, LocationFix, QuarantineReason, VisitCode, VisitError, VisitStatus,
        VisitTimes, place, verify,
    },
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, Set};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{check_credentials, digest_of, form_faults, home_secret, lock_own, quarantine, safety, times};
use crate::{
    command::{device, order},
    convert,
    entity::{self, assignment, device_event, quarantined_event, visit_event},
    error::{StoreError, exists},
    signature,
    tx::{Tx, for_update},
    visit_record::{StoredClock, VisitRecord},
    write::Command,
};

/// A clock event as the carer's phone sends it.
#[derive(Debug, Clone)]
pub struct ClockVisit {
    /// The visit.
    pub visit: VisitId,
    /// Arrival or departure.
    pub kind: ClockKind,
    /// Id that the phone made; repeats carry the same one.
    pub client_event_id: String,
    /// When it happened, by the phone.
    pub occurred_at: Instant,
    /// Where the phone was; absent is absent evidence.
    pub location: Option<LocationFix>,
    /// The code that the family or the resident showed.
    pub code: Option<VisitCode>,
    /// Why something is missing.
    pub explanation: Option<Explanation>,
    /// What the phone's own key says; absent is absent evidence.
    pub signed: Option<SignedClock>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ClockOutcome {
    /// It took effect.
    Stored,
    /// A departure that takes effect when its arrival comes.
    Waiting,
    /// It is kept for a person, because it does not fit.
    Quarantined,
    /// The same event came before.
    Duplicate,
}

/// A visit after a clock event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockedVisit {
    /// The visit.
    pub visit_id: VisitId,
    /// What became of the event.
    pub outcome: ClockOutcome,
    /// Why it does not fit.
    pub quarantine_reason: Option<QuarantineReason>,
    /// The visit's state.
    pub visit_state: VisitStatus,
    /// State of its order.
    pub order_state: OrderState,
    /// Whether the code that was given is the right one; none if none was given.
    pub code_right: Option<bool>,
    /// What was found of the signature; none if there was none.
    pub signature: Option<SignatureFinding>,
}

impl Command for ClockVisit {
    type Output = ClockedVisit;
    const ACTION: Option<Action> = Some(Action::ClockVisit);
    const NAME: &'static str = "clock_visit";

    async fn run(&self, tx: &Tx<'_>) -> Result<ClockedVisit, StoreError> {
        let (locked, row) = lock_own(tx, self.visit, Action::ClockVisit).await?;
        // Times are not checked here: an event with an impossible time is kept for a person.
        let faults = form_faults(tx, &self.client_event_id, None);
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        let code = self.check_code(tx, &locked)?;
        if let Some(known) = self.find_known(tx, &row).await? {
            return self.repeat(&known, &locked, code);
        }
        let signature = self.check_signature(tx).await?;
        let id: VisitEventId = tx.id();
        let arrival = self.place(tx, &locked, &row).await?;
        let (outcome, quarantine_reason) = match arrival {
            Arrival::Fits | Arrival::Waits => {
                self.keep(tx, &row, id.uuid(), code).await?;
                (if arrival == Arrival::Waits { ClockOutcome::Waiting } else { ClockOutcome::Stored }, None)
            }
            Arrival::Quarantined(reason) => {
                let kept = quarantine::Kept { event: self, code, digest: self.digest(), reason };
                quarantine::keep(tx, &locked, &row, id.uuid(), &kept).await?;
                (ClockOutcome::Quarantined, Some(reason))
            }
        };
        if let Some((signed, finding)) = self.signed.as_ref().zip(signature) {
            self.keep_signature(tx, id.uuid(), signed, finding).await?;
        }
        tx.record(&self.visit, None, None);
        let (visit_state, order_state) = times::settle(tx, locked.id()).await?;
        let code_right = right(code);
        Ok(ClockedVisit { visit_id: self.visit, outcome, quarantine_reason, visit_state, order_state, code_right, signature })
    }
}

const fn right(code: CodeCheck) -> Option<bool> {
    match code {
        CodeCheck::Absent => None,
        CodeCheck::Right => Some(true),
        CodeCheck::Wrong => Some(false),
    }
}

/// An event that came before: its digest, and why it is in quarantine if it is.
type Known = (String, Option<String>);

impl ClockVisit {
    fn check_code(&self, tx: &Tx<'_>, locked: &order::Locked) -> Result<CodeCheck, StoreError> {
        let Some(code) = self.code else { return Ok(CodeCheck::Absent) };
        let secret = home_secret(tx, &locked.resident)?;
        Ok(if verify(&secret, self.visit, self.occurred_at, code) { CodeCheck::Right } else { CodeCheck::Wrong })
    }

    async fn find_known(&self, tx: &Tx<'_>, row: &assignment::Model) -> Result<Option<Known>, StoreError> {
        let stored = visit_event::Entity::find()
            .filter(visit_event::Column::CarerId.eq(row.carer_id))
            .filter(visit_event::Column::ClientEventId.eq(&self.client_event_id))
            .one(tx.db)
            .await?;
        if let Some(stored) = stored {
            return Ok(Some((stored.digest, None)));
        }
        let kept = quarantined_event::Entity::find()
            .filter(quarantined_event::Column::CarerId.eq(row.carer_id))
            .filter(quarantined_event::Column::ClientEventId.eq(&self.client_event_id))
            .one(tx.db)
            .await?;
        Ok(kept.map(|kept| (kept.digest, Some(kept.reason))))
    }

    /// The same event again gets the present state; other content under the same id is refused.
    fn repeat(&self, known: &Known, locked: &order::Locked, code: CodeCheck) -> Result<ClockedVisit, StoreError> {
        if known.0 != self.digest() {
            return Err(StoreError::Exists { what: "another event with this client_event_id" });
        }
        let reason = known.1.as_deref().map(|reason| convert::code("quarantined_event", "reason", reason)).transpose()?;
        Ok(ClockedVisit {
            visit_id: self.visit,
            outcome: ClockOutcome::Duplicate,
            quarantine_reason: reason,
            visit_state: convert::code("visit", "state", &locked.visit.state)?,
            order_state: locked.state()?,
            code_right: right(code),
            signature: None,
        })
    }

    /// What the event says, as a device signs it.
    fn statement(&self) -> String {
        let kind = self.kind.to_string();
        let statement = ClockStatement {
            visit: self.visit,
            kind: &kind,
            client_event_id: &self.client_event_id,
            occurred_at: self.occurred_at,
            location: self.location,
            code: self.code,
            explanation: self.explanation,
        };
        self.signed.as_ref().map_or_else(|| statement.text(), |signed| statement.signed_text(signed))
    }

    /// What a repeat of the same event must have in common with it.
    pub(crate) fn digest(&self) -> String {
        digest_of(&self.statement())
    }

    /// Refuses a signature that is not one of the carer's own phones over this event, and judges one that is.
    async fn check_signature(&self, tx: &Tx<'_>) -> Result<Option<SignatureFinding>, StoreError> {
        let Some(signed) = &self.signed else { return Ok(None) };
        let faults = signed_faults(signed);
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        let person: PersonId = tx.actor().need_person()?;
        let own = entity::device::Entity::find_by_id(signed.device.uuid()).filter(entity::device::Column::PersonId.eq(person.uuid()));
        let row = for_update!(tx, own).one(tx.db).await?.ok_or(DeviceError::NotOwn)?;
        if !signature::is_of(&device::key_of(&row)?, &self.statement(), &signed.signature) {
            return Err(DeviceError::Signature.into());
        }
        let told_at = signed.anchor.as_deref().map(|token| device::read_anchor(tx.keys, person, token)).transpose()?;
        if row.revoked_at.is_some() {
            return Ok(Some(SignatureFinding::DeviceRevoked));
        }
        if is_sequence_used(tx, signed.device, number(signed)).await? {
            return Ok(Some(SignatureFinding::SequenceUsed));
        }
        let proof = TimeProof { occurred_at: self.occurred_at, received_at: tx.now(), anchor: told_at.zip(signed.elapsed_ms) };
        Ok(Some(if proof.is_proven() { SignatureFinding::Sound } else { SignatureFinding::TimeUnproven }))
    }

    /// Whether the event fits the visit, and may begin the service. Who stands at the door is told at once that
    /// the service may not begin; what comes late can no longer be prevented and is kept for a person.
    async fn place(&self, tx: &Tx<'_>, locked: &order::Locked, row: &assignment::Model) -> Result<Arrival, StoreError> {
        let carer = CarerId::from_uuid(row.carer_id);
        let record = VisitRecord::load(tx.db, tx.keys, locked.visit.id).await?;
        let (clock_in_at, clock_out_at) = (record.time(carer, ClockKind::ClockIn), record.time(carer, ClockKind::ClockOut));
        let (starts_at, ends_at) = (locked.order.starts_at, locked.order.ends_at);
        let known = VisitTimes { starts_at, ends_at, clock_in_at, clock_out_at, order: locked.state()? };
        let arrival = place(self.kind, self.occurred_at, tx.now(), &known);
        if arrival != Arrival::Fits {
            return Ok(arrival);
        }
        let present = match self.kind {
            ClockKind::ClockIn => (self.occurred_at, clock_out_at.unwrap_or(self.occurred_at)),
            ClockKind::ClockOut => (clock_in_at.unwrap_or(self.occurred_at), self.occurred_at),
        };
        if times::is_elsewhere(tx, row, present).await? {
            return Ok(Arrival::Quarantined(QuarantineReason::CarerElsewhere));
        }
        match self.kind {
            ClockKind::ClockIn => self.check_gates(tx, locked, carer, &record).await,
            ClockKind::ClockOut => Ok(Arrival::Fits),
        }
    }

    async fn check_gates(&self, tx: &Tx<'_>, locked: &order::Locked, carer: CarerId, record: &VisitRecord) -> Result<Arrival, StoreError> {
        let is_live = TimeProof { occurred_at: self.occurred_at, received_at: tx.now(), anchor: None }.is_live();
        match check_credentials(tx, locked, carer, self.occurred_at).await {
            Err(StoreError::Refused(_)) if !is_live => return Ok(Arrival::Quarantined(QuarantineReason::CredentialMissing)),
            checked => checked?,
        }
        match (safety::is_cleared(tx, locked, record, self.occurred_at).await?, is_live) {
            (true, _) => Ok(Arrival::Fits),
            (false, true) => Err(VisitError::SafetyCheckNeeded.into()),
            (false, false) => Ok(Arrival::Quarantined(QuarantineReason::SafetyCheckMissing)),
        }
    }

    /// What is stored, encrypted, of the event.
    pub(super) fn stored(&self, code: CodeCheck) -> StoredClock {
        // Whether a signature counts is judged with the events before it, when the visit is graded.
        let evidence = ClockEvidence { at: self.occurred_at, location: self.location, code, device_bound: false };
        StoredClock { evidence, explanation: self.explanation }
    }

    async fn keep(&self, tx: &Tx<'_>, row: &assignment::Model, id: Uuid, code: CodeCheck) -> Result<(), StoreError> {
        let model = visit_event::ActiveModel {
            id: Set(id),
            visit_id: Set(row.visit_id),
            carer_id: Set(row.carer_id),
            client_event_id: Set(self.client_event_id.clone()),
            kind: Set(self.kind.to_string()),
            occurred_at: Set(self.occurred_at),
            received_at: Set(tx.now()),
            evidence_enc: Set(tx.seal_json("visit_event", "evidence_enc", id, &self.stored(code))?),
            digest: Set(self.digest()),
        };
        let inserted = visit_event::Entity::insert(model).exec_without_returning(tx.db).await;
        inserted.map(drop).map_err(exists("another event with this client_event_id"))
    }

    async fn keep_signature(&self, tx: &Tx<'_>, id: Uuid, signed: &SignedClock, finding: SignatureFinding) -> Result<(), StoreError> {
        let row = device_event::Model {
            event_id: id,
            device_id: signed.device.uuid(),
            sequence: number(signed),
            previous: signed.previous.clone(),
            digest: domain::device::digest(&self.statement()),
            finding: finding.to_string(),
        };
        device_event::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
        Ok(())
    }
}

/// The number of an event as it is stored; its form was checked.
fn number(signed: &SignedClock) -> i64 {
    i64::try_from(signed.sequence).unwrap_or(i64::MAX)
}

fn signed_faults(signed: &SignedClock) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if signed.sequence == 0 || i64::try_from(signed.sequence).is_err() {
        faults.push(FieldError::new("signature.sequence", "device.sequence", "number the events of a device from 1 on"));
    }
    let hexadecimal = signed.previous.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if signed.previous.len() != 64 || !hexadecimal {
        let cure = "write the digest of the event before: 64 hexadecimal digits";
        faults.push(FieldError::new("signature.previous", "device.previous", cure));
    }
    if signed.anchor.is_some() != signed.elapsed_ms.is_some() {
        let cure = "give the server's time and what has passed since together, or neither";
        faults.push(FieldError::new("signature.elapsed_ms", "device.elapsed", cure));
    }
    if signed.signature.len() != SIGNATURE_BYTES {
        faults.push(FieldError::new("signature.signature", "device.signature_form", "write the 64 bytes of the signature in base64url"));
    }
    faults
}

async fn is_sequence_used(tx: &Tx<'_>, device: DeviceId, sequence: i64) -> Result<bool, StoreError> {
    let used = device_event::Entity::find()
        .filter(device_event::Column::DeviceId.eq(device.uuid()))
        .filter(device_event::Column::Sequence.eq(sequence))
        .count(tx.db)
        .await?;
    Ok(used > 0)
}
