//! The visit: clocking in and out, what does not fit, corrections, reports, checks before the service, and the
//! evidence on which the grade rests.
//!
//! What a phone sends is kept as it came; a repeat of the same event has one
//! effect, and the order in which events arrive has none.

mod clock;
mod correction;
mod quarantine;
mod report;
mod safety;
mod times;

pub use clock::{ClockOutcome, ClockVisit, ClockedVisit};
pub use correction::{CorrectVisit, CorrectedVisit};
pub use domain::visit::ClockKind;
pub use quarantine::DiscardQuarantined;
pub use report::{ReportTasks, ReportedVisit};
pub use safety::{CheckedSafety, RecordSafetyCheck};
pub(crate) use times::close_forgotten;

pub(crate) use crate::visit_record::StoredClock;

use chrono::TimeDelta;
use domain::{
    catalogue::ItemCode,
    error::FieldError,
    id::{CarerId, ProviderId, VisitId},
    time::{BusinessDate, Instant},
    visit::{
        AHEAD_MINUTES_MAX, Circumstances, ClockEvidence, Explanation, Grade, GradeReason, Place, VisitEvidence, grade_in, task_undone,
        were_together,
    },
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use sha2::{Digest as _, Sha256};

use crate::{
    command::{order, provider},
    convert,
    entity::{assignment, carer, quote, service_address},
    error::StoreError,
    tx::Tx,
    visit_record::VisitRecord,
};

/// Longest id of an event that a phone makes.
const CLIENT_EVENT_ID_MAX: usize = 64;

/// What is wrong with the id and the time that a phone gave its event.
pub(crate) fn form_faults(tx: &Tx<'_>, client_event_id: &str, occurred_at: Option<Instant>) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let sound = (1..=CLIENT_EVENT_ID_MAX).contains(&client_event_id.len()) && client_event_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !sound {
        let cure = "use 1 to 64 visible ASCII characters, such as a ULID";
        faults.push(FieldError::new("client_event_id", "client_event_id.form", cure));
    }
    if occurred_at.is_some_and(|at| at > tx.now() + TimeDelta::minutes(AHEAD_MINUTES_MAX)) {
        faults.push(FieldError::new("occurred_at", "occurred_at.future", "write when it happened: not in the future"));
    }
    faults
}

/// SHA-256 of what a phone sent, to tell a repeat from another event under the same id.
fn digest_of(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The visit's order, locked, and the assignment of the carer who asks; for anybody else the visit does not exist.
pub(crate) async fn lock_own(
    tx: &Tx<'_>,
    visit: VisitId,
    action: domain::access::Action,
) -> Result<(order::Locked, assignment::Model), StoreError> {
    let locked = lock(tx, visit).await?;
    // A carer reaches the visit through the provider, never through the resident or the division.
    tx.permit(action, &domain::access::Object { provider: locked.object.provider, ..domain::access::Object::default() })?;
    let person = tx.actor().need_person()?;
    let employed = carer::Entity::find()
        .filter(carer::Column::PersonId.eq(person.uuid()))
        .filter(carer::Column::ProviderId.eq(locked.order.provider_id))
        .one(tx.db)
        .await?
        .ok_or_else(StoreError::not_found)?;
    let row = assignment::Entity::find_by_id((locked.visit.id, employed.id)).one(tx.db).await?;
    Ok((locked, row.ok_or_else(StoreError::not_found)?))
}

/// Locks the order of a visit.
pub(crate) async fn lock(tx: &Tx<'_>, visit: VisitId) -> Result<order::Locked, StoreError> {
    let seen = crate::entity::visit::Entity::find_by_id(visit.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    order::lock(tx, domain::id::OrderId::from_uuid(seen.order_id)).await
}

/// Licence truth at the arrival: provider and carer hold what the service needs on that day.
async fn check_credentials(tx: &Tx<'_>, locked: &order::Locked, carer: CarerId, at: Instant) -> Result<(), StoreError> {
    let provider = provider::read(tx, ProviderId::from_uuid(locked.order.provider_id)).await?;
    let (item, day) = (item(locked)?, BusinessDate::of(at));
    provider::check_provider(tx, &provider, item, day).await?;
    provider::check_carer(tx, carer, item, day).await
}

fn item(locked: &order::Locked) -> Result<ItemCode, StoreError> {
    convert::code("care_order", "item", &locked.order.item)
}

/// The secret of a resident's home, from which visit codes are derived.
pub(crate) fn home_secret(tx: &Tx<'_>, resident: &crate::entity::resident::Model) -> Result<[u8; 32], StoreError> {
    let cell = crate::keys::Cell { table: "resident", column: "home_secret_enc", row: resident.id };
    let plain = tx.keys.open(cell, &resident.home_secret_enc)?;
    plain.try_into().map_err(|_wrong| StoreError::Corrupt { table: "resident", why: "the home secret is not 32 bytes".to_owned() })
}

/// The active assignments of a visit, in a fixed order.
pub(crate) async fn assignments(tx: &Tx<'_>, visit: VisitId) -> Result<Vec<assignment::Model>, StoreError> {
    Ok(assignment::Entity::find()
        .filter(assignment::Column::VisitId.eq(visit.uuid()))
        .filter(assignment::Column::Active.eq(true))
        .order_by_asc(assignment::Column::CarerId)
        .all(tx.db)
        .await?)
}

/// The grade of a visit, which is the worst of its carers' grades, with the reasons of each.
pub(crate) async fn grade_visit(
    tx: &Tx<'_>,
    locked: &order::Locked,
    family_confirmed: bool,
) -> Result<(Grade, Vec<Vec<GradeReason>>), StoreError> {
    let record = VisitRecord::load(tx.db, tx.keys, locked.visit.id).await?;
    let team = assignments(tx, locked.visit_id()).await?;
    let place = place(tx, locked).await?;
    let day = BusinessDate::of(locked.order.starts_at);
    let undone = task_undone(&record.tasks(), tx.reference.checklists.tasks(item(locked)?, day));
    let apart = are_apart(tx, locked, &team).await?;
    let graded: Vec<_> = team
        .iter()
        .map(|member| {
            let carer = CarerId::from_uuid(member.carer_id);
            let last = record.corrections.iter().rev().find(|correction| correction.carer == carer);
            let circumstances = Circumstances { corrected: last.map(|correction| correction.reason), task_undone: undone, apart };
            grade_in(&evidence_of(&record, carer, family_confirmed), &circumstances, &place)
        })
        .collect();
    let worst = graded.iter().map(|(grade, _)| *grade).max().unwrap_or(Grade::D);
    Ok((worst, graded.into_iter().map(|(_, reasons)| reasons).collect()))
}

/// Whether a service that several carers must give together was given by them one after the other.
async fn are_apart(tx: &Tx<'_>, locked: &order::Locked, team: &[assignment::Model]) -> Result<bool, StoreError> {
    if team.len() < 2 || safety::needed(tx, locked).await?.is_none() {
        return Ok(false);
    }
    let presences: Vec<_> = team.iter().map(|member| member.clock_in_at.zip(member.clock_out_at)).collect();
    Ok(!were_together(&presences))
}

/// What is known of one carer's visit.
fn evidence_of(record: &VisitRecord, carer: CarerId, family_confirmed: bool) -> VisitEvidence {
    let end = |kind| {
        record.clock(carer, kind).map(|clock| {
            // Where somebody else says when it was, the device's own time says nothing any more.
            let counts = clock.signed.is_some_and(|signed| signed.counts()) && record.correction(carer, kind).is_none();
            ClockEvidence { device_bound: counts, ..clock.evidence }
        })
    };
    let (clock_in, clock_out) = (end(ClockKind::ClockIn), end(ClockKind::ClockOut));
    let explained = record.clocks.iter().rev().filter(|clock| clock.carer == carer).find_map(|clock| clock.explanation);
    let forgotten = (clock_in.is_some() && clock_out.is_none()).then_some(Explanation::Forgotten);
    VisitEvidence { clock_in, clock_out, family_confirmed, explanation: explained.or(forgotten) }
}

async fn place(tx: &Tx<'_>, locked: &order::Locked) -> Result<Place, StoreError> {
    let unknown = Place { clock_in: None, clock_out: None };
    let quoted = quote::Entity::find_by_id(locked.order.quote_id).one(tx.db).await?;
    let Some(address) = quoted.and_then(|quoted| quoted.address_id) else { return Ok(unknown) };
    let row = service_address::Entity::find_by_id(address).one(tx.db).await?;
    let Some((id, envelope)) = row.and_then(|row| row.coordinate_enc.map(|envelope| (row.id, envelope))) else { return Ok(unknown) };
    Ok(Place::at(tx.open_json("service_address", "coordinate_enc", id, &envelope)?))
}
