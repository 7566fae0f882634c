//! A visit as each role may see it.
//!
//! The six elements of electronic visit verification are always there; how it
//! is proven is for the provider and the bureau, what was cared for is for the family and the carers.

use domain::{
    access::{Action, Actor, Role},
    catalogue::{ItemCode, ServiceClass},
    device::SignatureFinding,
    id::{
        CarerId, DeviceId, OrderId, ProviderId, QuarantinedEventId, ResidentId, SafetyCheckId, ServiceAddressId, VisitCorrectionId,
        VisitId, VisitReportId,
    },
    resident::Coordinate,
    time::Instant,
    visit::{
        ClockKind, CodeCheck, CorrectionReason, Explanation, QuarantineReason, QuarantineState, SafetyFinding, SafetyOutcome, SafetyRecord,
        TaskReport, VisitStatus,
    },
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    Store, convert,
    entity::{assignment, care_order, quarantined_event, quote, service_address, visit},
    error::StoreError,
    keys::Cell,
    tx::{open_json, open_text},
    visit_record::{Checked, Clocked, Corrected, Reported, VisitRecord, quarantined},
};

/// A visit.
#[derive(Debug, Clone)]
pub struct VisitView {
    /// The visit.
    pub visit_id: VisitId,
    /// Its order.
    pub order_id: OrderId,
    /// Its state.
    pub state: VisitStatus,
    /// Who served, for whom, what, where, and when it began and ended.
    pub evv: EvvView,
    /// Planned start and end.
    pub planned: (Instant, Instant),
    /// Grade of its evidence, `a` to `d`, once judged.
    pub grade: Option<String>,
    /// Why it has that grade, per carer.
    pub grade_reasons: Option<serde_json::Value>,
    /// Each carer's times.
    pub carers: Vec<CarerTimes>,
    /// What phones sent, as far as the reader may see it.
    pub events: Vec<ClockView>,
    /// What others corrected.
    pub corrections: Vec<CorrectionView>,
    /// Events that do not fit, for the provider and the bureau.
    pub quarantined: Vec<QuarantinedView>,
    /// What carers reported.
    pub reports: Vec<ReportView>,
    /// Checks before the service.
    pub safety_checks: Vec<SafetyCheckView>,
}

/// The six elements of electronic visit verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvvView {
    /// Who served.
    pub who: Vec<CarerId>,
    /// Whom they served.
    pub whom: ResidentId,
    /// What was done.
    pub what: ItemCode,
    /// Where: in which class of place, the address for services at home, and the provider.
    pub place: (ServiceClass, Option<ServiceAddressId>, ProviderId),
    /// When it began; none before the first arrival.
    pub began_at: Option<Instant>,
    /// When it ended; none before the last departure.
    pub ended_at: Option<Instant>,
}

/// When one carer was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarerTimes {
    /// The carer.
    pub carer_id: CarerId,
    /// Arrival.
    pub clock_in_at: Option<Instant>,
    /// Departure.
    pub clock_out_at: Option<Instant>,
}

/// A clock event with its evidence. Where the phone was is told as the distance to the home, never as a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockView {
    /// The carer.
    pub carer_id: CarerId,
    /// Arrival or departure.
    pub kind: ClockKind,
    /// When, by the phone.
    pub occurred_at: Instant,
    /// When it reached the server.
    pub received_at: Instant,
    /// Distance to the home in metres, if both places are known.
    pub distance_m: Option<u32>,
    /// Radius in metres within which the phone believed to be; none without a position.
    pub accuracy_m: Option<u32>,
    /// What became of the code of the visit.
    pub code: CodeCheck,
    /// Why something is missing.
    pub explanation: Option<Explanation>,
    /// Device, number in its sequence, what was found of its signature, and whether it follows the event before it.
    pub signature: Option<(DeviceId, i64, SignatureFinding, bool)>,
}

/// A correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionView {
    /// The correction.
    pub correction_id: VisitCorrectionId,
    /// The carer.
    pub carer_id: CarerId,
    /// Arrival or departure.
    pub kind: ClockKind,
    /// When it was.
    pub occurred_at: Instant,
    /// Why it was corrected.
    pub reason: CorrectionReason,
    /// What happened, in words.
    pub note: Option<String>,
    /// When it was corrected.
    pub made_at: Instant,
}

/// An event that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedView {
    /// The event.
    pub event_id: QuarantinedEventId,
    /// The visit.
    pub visit_id: VisitId,
    /// The carer.
    pub carer_id: CarerId,
    /// Arrival or departure.
    pub kind: ClockKind,
    /// When, by the phone.
    pub occurred_at: Instant,
    /// When it reached the server.
    pub received_at: Instant,
    /// Why it does not fit.
    pub reason: QuarantineReason,
    /// Its state.
    pub state: QuarantineState,
    /// Until when a person must decide.
    pub deadline_at: Option<Instant>,
}

/// What a carer reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportView {
    /// The report.
    pub report_id: VisitReportId,
    /// The carer.
    pub carer_id: CarerId,
    /// When it was written.
    pub occurred_at: Instant,
    /// The tasks; values and notes only for those who may read them.
    pub tasks: Vec<TaskReport>,
    /// What else there was to say.
    pub note: Option<String>,
}

/// A check before the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyCheckView {
    /// The check.
    pub safety_check_id: SafetyCheckId,
    /// The carer.
    pub carer_id: CarerId,
    /// When it was done.
    pub occurred_at: Instant,
    /// What it came to.
    pub outcome: SafetyOutcome,
    /// What was not as it should be, for those who may read health data.
    pub findings: Option<Vec<SafetyFinding>>,
    /// What was measured and asked, likewise.
    pub record: Option<SafetyRecord>,
}

/// What a role may see of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sight {
    /// How it is proven.
    evidence: bool,
    /// Care notes and values.
    care: bool,
    /// Only what this carer sent.
    only: Option<CarerId>,
}

const fn sight(role: Option<Role>, own: Option<CarerId>) -> Sight {
    match role {
        Some(Role::Carer) => Sight { evidence: true, care: true, only: own },
        Some(Role::ProviderManager) => Sight { evidence: true, care: true, only: None },
        Some(Role::FamilyMember | Role::Resident) => Sight { evidence: false, care: true, only: None },
        Some(
            Role::CommunityWorker
            | Role::Volunteer
            | Role::HotlineDesk
            | Role::Assessor
            | Role::StreetClerk
            | Role::CountyClerk
            | Role::Approver
            | Role::ProviderLicensingOfficer
            | Role::Auditor
            | Role::SystemOperator,
        )
        | None => Sight { evidence: true, care: false, only: None },
    }
}

impl Store {
    /// A visit with what is recorded of it.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn visit(&self, actor: &Actor, id: VisitId) -> Result<VisitView, StoreError> {
        actor.may(Action::ReadVisit)?;
        let row = visit::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let order = care_order::Entity::find_by_id(row.order_id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let permit = actor.permit(Action::ReadVisit, &self.order_object(&order).await?)?;
        let team = assignment::Entity::find()
            .filter(assignment::Column::VisitId.eq(row.id))
            .order_by_asc(assignment::Column::CarerId)
            .all(self.db())
            .await?;
        let own = if permit.role == Some(Role::Carer) { Some(self.need_own_assignment(actor, &team).await?) } else { None };
        let sight = sight(permit.role, own);
        let record = VisitRecord::load(self.db(), self.keys(), row.id).await?;
        let (address, home) = self.place_of(&order).await?;
        let kept = if sight.evidence { quarantined(self.db(), row.id).await? } else { Vec::new() };
        Ok(VisitView {
            visit_id: id,
            order_id: OrderId::from_uuid(order.id),
            state: convert::code("visit", "state", &row.state)?,
            evv: evv(&row, &order, &team, address)?,
            planned: (order.starts_at, order.ends_at),
            grade: row.grade,
            grade_reasons: row.grade_reasons,
            carers: team.iter().map(times).collect(),
            events: record
                .clocks
                .iter()
                .filter(|clock| sight.evidence && sight.shows(clock.carer))
                .map(|clock| clock_view(clock, home))
                .collect(),
            corrections: record.corrections.iter().map(|one| self.correction_view(one, sight)).collect::<Result<_, _>>()?,
            quarantined: kept
                .iter()
                .filter(|event| sight.shows(CarerId::from_uuid(event.carer_id)))
                .map(quarantined_view)
                .collect::<Result<_, _>>()?,
            reports: record.reports.iter().map(|report| report_view(report, sight)).collect(),
            safety_checks: record.checks.iter().map(|check| check_view(check, sight)).collect(),
        })
    }

    /// The events that wait for a decision of the actor's providers, the most urgent first; at most `max`.
    ///
    /// # Errors
    /// A role that may not.
    pub async fn quarantined_events(&self, actor: &Actor, max: u64) -> Result<Vec<QuarantinedView>, StoreError> {
        use quarantined_event::Column as C;
        use sea_orm::QuerySelect as _;
        actor.may(Action::ReadQuarantine)?;
        let providers = super::providers_of(actor, Role::ProviderManager).into_iter().map(ProviderId::uuid);
        let rows = quarantined_event::Entity::find()
            .filter(C::ProviderId.is_in(providers))
            .filter(C::State.eq(QuarantineState::Open.to_string()))
            .order_by_asc(C::DeadlineAt)
            .order_by_asc(C::Id)
            .limit(max)
            .all(self.db())
            .await?;
        rows.iter().map(quarantined_view).collect()
    }

    async fn place_of(&self, order: &care_order::Model) -> Result<(Option<ServiceAddressId>, Option<Coordinate>), StoreError> {
        let quoted = quote::Entity::find_by_id(order.quote_id).one(self.db()).await?;
        let Some(id) = quoted.and_then(|quoted| quoted.address_id) else { return Ok((None, None)) };
        let row = service_address::Entity::find_by_id(id).one(self.db()).await?;
        let home = row.and_then(|row| row.coordinate_enc).map(|envelope| {
            let cell = Cell { table: "service_address", column: "coordinate_enc", row: id };
            open_json(self.keys(), cell, &envelope)
        });
        Ok((Some(ServiceAddressId::from_uuid(id)), home.transpose()?))
    }

    fn correction_view(&self, one: &Corrected, sight: Sight) -> Result<CorrectionView, StoreError> {
        let cell = Cell { table: "visit_correction", column: "note_enc", row: one.row.id };
        let note = one.row.note_enc.as_deref().filter(|_| sight.evidence).map(|note| open_text(self.keys(), cell, note)).transpose()?;
        Ok(CorrectionView {
            correction_id: VisitCorrectionId::from_uuid(one.row.id),
            carer_id: one.carer,
            kind: one.kind,
            occurred_at: one.row.occurred_at,
            reason: one.reason,
            note,
            made_at: one.row.made_at,
        })
    }
}

impl Sight {
    fn shows(&self, carer: CarerId) -> bool {
        self.only.is_none_or(|only| only == carer)
    }
}

fn evv(
    row: &visit::Model,
    order: &care_order::Model,
    team: &[assignment::Model],
    address: Option<ServiceAddressId>,
) -> Result<EvvView, StoreError> {
    let class = convert::code("care_order", "class", &order.class)?;
    Ok(EvvView {
        who: team.iter().map(|member| CarerId::from_uuid(member.carer_id)).collect(),
        whom: ResidentId::from_uuid(order.resident_id),
        what: convert::code("care_order", "item", &order.item)?,
        place: (class, address, ProviderId::from_uuid(order.provider_id)),
        began_at: row.actual_start,
        ended_at: row.actual_end,
    })
}

fn times(member: &assignment::Model) -> CarerTimes {
    CarerTimes { carer_id: CarerId::from_uuid(member.carer_id), clock_in_at: member.clock_in_at, clock_out_at: member.clock_out_at }
}

fn clock_view(clock: &Clocked, home: Option<Coordinate>) -> ClockView {
    let fix = clock.evidence.location;
    ClockView {
        carer_id: clock.carer,
        kind: clock.kind,
        occurred_at: clock.evidence.at,
        received_at: clock.received_at,
        distance_m: fix.zip(home).map(|(fix, home)| fix.coordinate.distance_m(home)),
        accuracy_m: fix.map(|fix| fix.accuracy_m),
        code: clock.evidence.code,
        explanation: clock.explanation,
        signature: clock.signed.map(|signed| (signed.device, signed.sequence, signed.finding, signed.chained)),
    }
}

fn quarantined_view(row: &quarantined_event::Model) -> Result<QuarantinedView, StoreError> {
    Ok(QuarantinedView {
        event_id: QuarantinedEventId::from_uuid(row.id),
        visit_id: VisitId::from_uuid(row.visit_id),
        carer_id: CarerId::from_uuid(row.carer_id),
        kind: convert::code("quarantined_event", "kind", &row.kind)?,
        occurred_at: row.occurred_at,
        received_at: row.received_at,
        reason: convert::code("quarantined_event", "reason", &row.reason)?,
        state: convert::code("quarantined_event", "state", &row.state)?,
        deadline_at: row.deadline_at,
    })
}

fn report_view(report: &Reported, sight: Sight) -> ReportView {
    let seen = |task: &TaskReport| {
        if sight.care { task.clone() } else { TaskReport { value: None, note: None, ..task.clone() } }
    };
    ReportView {
        report_id: VisitReportId::from_uuid(report.row.id),
        carer_id: CarerId::from_uuid(report.row.carer_id),
        occurred_at: report.row.occurred_at,
        tasks: report.body.tasks.iter().map(seen).collect(),
        note: report.body.note.clone().filter(|_| sight.care),
    }
}

fn check_view(check: &Checked, sight: Sight) -> SafetyCheckView {
    SafetyCheckView {
        safety_check_id: SafetyCheckId::from_uuid(check.row.id),
        carer_id: CarerId::from_uuid(check.row.carer_id),
        occurred_at: check.row.occurred_at,
        outcome: check.outcome,
        findings: sight.care.then(|| check.body.findings.clone()),
        record: sight.care.then(|| check.body.record.clone()),
    }
}
