//! A visit with its evidence, as each role may see it.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{
    id::{
        CarerId, DeviceId, OrderId, ProviderId, QuarantinedEventId, ResidentId, SafetyCheckId, ServiceAddressId, VisitCorrectionId,
        VisitId, VisitReportId,
    },
    time::Instant,
    visit::{CodeCheck, TaskReport},
};
use serde::Serialize;
use store::query::visit::{CarerTimes, ClockView, CorrectionView, EvvView, QuarantinedView, ReportView, SafetyCheckView, VisitView};
use utoipa::ToSchema;

use super::records::SafetyFindingResponse;
use crate::{
    extract::{PathId, RequestCtx},
    problem::Problem,
    state::AppState,
};

/// A visit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VisitResponse {
    #[schema(value_type = String)]
    visit_id: VisitId,
    #[schema(value_type = String)]
    order_id: OrderId,
    state: String,
    /// The six elements of electronic visit verification.
    evv: EvvResponse,
    #[schema(value_type = String, format = DateTime)]
    planned_start: Instant,
    #[schema(value_type = String, format = DateTime)]
    planned_end: Instant,
    /// Grade of the evidence, `a` to `d`, once judged.
    grade: Option<String>,
    /// Why it has that grade, per carer.
    grade_reasons: Option<serde_json::Value>,
    carers: Vec<CarerTimesResponse>,
    /// What phones sent; empty for the family.
    events: Vec<ClockEventResponse>,
    corrections: Vec<CorrectionRecordResponse>,
    /// Events that do not fit; empty for the family.
    quarantined_events: Vec<QuarantinedEventResponse>,
    reports: Vec<VisitReportResponse>,
    safety_checks: Vec<SafetyCheckRecordResponse>,
}

/// Who served whom with what, where, and from when to when.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvvResponse {
    /// Who served.
    #[schema(value_type = Vec<String>)]
    carer_ids: Vec<CarerId>,
    /// Whom they served.
    #[schema(value_type = String)]
    resident_id: ResidentId,
    /// What was done.
    item: String,
    /// Where: `home`, `community` or `institution`.
    class: String,
    /// The address of services at home.
    #[schema(value_type = Option<String>)]
    address_id: Option<ServiceAddressId>,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    /// When it began; absent before the first arrival.
    #[schema(value_type = Option<String>, format = DateTime)]
    began_at: Option<Instant>,
    /// When it ended; absent before the last departure.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Instant>,
}

impl From<EvvView> for EvvResponse {
    fn from(view: EvvView) -> Self {
        let (class, address_id, provider_id) = view.place;
        Self {
            carer_ids: view.who,
            resident_id: view.whom,
            item: view.what.to_string(),
            class: class.to_string(),
            address_id,
            provider_id,
            began_at: view.began_at,
            ended_at: view.ended_at,
        }
    }
}

/// When one carer was there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CarerTimesResponse {
    #[schema(value_type = String)]
    carer_id: CarerId,
    #[schema(value_type = Option<String>, format = DateTime)]
    clock_in_at: Option<Instant>,
    #[schema(value_type = Option<String>, format = DateTime)]
    clock_out_at: Option<Instant>,
}

impl From<CarerTimes> for CarerTimesResponse {
    fn from(view: CarerTimes) -> Self {
        Self { carer_id: view.carer_id, clock_in_at: view.clock_in_at, clock_out_at: view.clock_out_at }
    }
}

/// A clock event with its evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClockEventResponse {
    #[schema(value_type = String)]
    carer_id: CarerId,
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    received_at: Instant,
    /// Distance to the home; positions themselves are not shown.
    distance_m: Option<u32>,
    /// Absent without a position.
    accuracy_m: Option<u32>,
    /// Whether the code was right; absent if none was given.
    code_right: Option<bool>,
    explanation: Option<String>,
    signature: Option<SignatureResponse>,
}

/// What the phone's own key says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignatureResponse {
    #[schema(value_type = String)]
    device_id: DeviceId,
    sequence: i64,
    /// `sound`, `time_unproven`, `device_revoked` or `sequence_used`.
    finding: String,
    /// Whether it follows the event before it in the sequence of the device.
    chained: bool,
}

impl From<ClockView> for ClockEventResponse {
    fn from(view: ClockView) -> Self {
        let signature = view.signature.map(|(device_id, sequence, finding, chained)| SignatureResponse {
            device_id,
            sequence,
            finding: finding.to_string(),
            chained,
        });
        Self {
            carer_id: view.carer_id,
            kind: view.kind.to_string(),
            occurred_at: view.occurred_at,
            received_at: view.received_at,
            distance_m: view.distance_m,
            accuracy_m: view.accuracy_m,
            code_right: match view.code {
                CodeCheck::Absent => None,
                CodeCheck::Right => Some(true),
                CodeCheck::Wrong => Some(false),
            },
            explanation: view.explanation.map(|explanation| explanation.to_string()),
            signature,
        }
    }
}

/// A correction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CorrectionRecordResponse {
    #[schema(value_type = String)]
    correction_id: VisitCorrectionId,
    #[schema(value_type = String)]
    carer_id: CarerId,
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Instant,
    reason: String,
    /// The usual code of the reason in exchanges of electronic visit verification.
    evv_code: u16,
    note: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    made_at: Instant,
}

impl From<CorrectionView> for CorrectionRecordResponse {
    fn from(view: CorrectionView) -> Self {
        Self {
            correction_id: view.correction_id,
            carer_id: view.carer_id,
            kind: view.kind.to_string(),
            occurred_at: view.occurred_at,
            reason: view.reason.to_string(),
            evv_code: view.reason.evv_code(),
            note: view.note,
            made_at: view.made_at,
        }
    }
}

/// An event that does not fit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantinedEventResponse {
    #[schema(value_type = String)]
    quarantined_event_id: QuarantinedEventId,
    #[schema(value_type = String)]
    visit_id: VisitId,
    #[schema(value_type = String)]
    carer_id: CarerId,
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    received_at: Instant,
    /// Why it does not fit.
    reason: String,
    /// `open`, `corrected` or `discarded`.
    state: String,
    /// Until when a person must decide.
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Instant>,
}

impl From<QuarantinedView> for QuarantinedEventResponse {
    fn from(view: QuarantinedView) -> Self {
        Self {
            quarantined_event_id: view.event_id,
            visit_id: view.visit_id,
            carer_id: view.carer_id,
            kind: view.kind.to_string(),
            occurred_at: view.occurred_at,
            received_at: view.received_at,
            reason: view.reason.to_string(),
            state: view.state.to_string(),
            deadline_at: view.deadline_at,
        }
    }
}

/// What a carer reported.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VisitReportResponse {
    #[schema(value_type = String)]
    report_id: VisitReportId,
    #[schema(value_type = String)]
    carer_id: CarerId,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Instant,
    tasks: Vec<ReportedTaskResponse>,
    note: Option<String>,
}

/// One task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportedTaskResponse {
    task: String,
    done: bool,
    /// Why it was not done.
    not_done: Option<String>,
    value: Option<i64>,
    note: Option<String>,
}

impl From<TaskReport> for ReportedTaskResponse {
    fn from(report: TaskReport) -> Self {
        let not_done = report.not_done.map(|reason| reason.to_string());
        Self { task: report.task, done: not_done.is_none(), not_done, value: report.value, note: report.note }
    }
}

impl From<ReportView> for VisitReportResponse {
    fn from(view: ReportView) -> Self {
        Self {
            report_id: view.report_id,
            carer_id: view.carer_id,
            occurred_at: view.occurred_at,
            tasks: view.tasks.into_iter().map(ReportedTaskResponse::from).collect(),
            note: view.note,
        }
    }
}

/// A check before the service. Health values are for the family, the carers and their provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SafetyCheckRecordResponse {
    #[schema(value_type = String)]
    safety_check_id: SafetyCheckId,
    #[schema(value_type = String)]
    carer_id: CarerId,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Instant,
    outcome: String,
    findings: Option<Vec<SafetyFindingResponse>>,
    measures: Option<BTreeMap<String, i64>>,
    answers: Option<BTreeMap<String, bool>>,
}

impl From<SafetyCheckView> for SafetyCheckRecordResponse {
    fn from(view: SafetyCheckView) -> Self {
        let (measures, answers) = view.record.map(|record| (record.measures, record.answers)).unzip();
        Self {
            safety_check_id: view.safety_check_id,
            carer_id: view.carer_id,
            occurred_at: view.occurred_at,
            outcome: view.outcome.to_string(),
            findings: view.findings.map(|findings| findings.into_iter().map(SafetyFindingResponse::from).collect()),
            measures,
            answers,
        }
    }
}

impl From<VisitView> for VisitResponse {
    fn from(view: VisitView) -> Self {
        Self {
            visit_id: view.visit_id,
            order_id: view.order_id,
            state: view.state.to_string(),
            evv: view.evv.into(),
            planned_start: view.planned.0,
            planned_end: view.planned.1,
            grade: view.grade,
            grade_reasons: view.grade_reasons,
            carers: view.carers.into_iter().map(CarerTimesResponse::from).collect(),
            events: view.events.into_iter().map(ClockEventResponse::from).collect(),
            corrections: view.corrections.into_iter().map(CorrectionRecordResponse::from).collect(),
            quarantined_events: view.quarantined.into_iter().map(QuarantinedEventResponse::from).collect(),
            reports: view.reports.into_iter().map(VisitReportResponse::from).collect(),
            safety_checks: view.safety_checks.into_iter().map(SafetyCheckRecordResponse::from).collect(),
        }
    }
}

/// Shows a visit with what is recorded of it
///
/// The family sees times, tasks and notes; carers see their own evidence; provider and bureau see all evidence,
/// the bureau without care notes and health values.
#[utoipa::path(get, path = "/visits/{visit_id}", tag = "visits", params(("visit_id" = String, Path)), responses((status = OK, body = VisitResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<VisitId>,
) -> Result<Json<VisitResponse>, Problem> {
    Ok(Json(state.store.visit(&who.ctx.actor, id).await?.into()))
}
