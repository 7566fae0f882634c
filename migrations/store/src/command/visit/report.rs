//! What a carer reports of the tasks of a visit.

use domain::{
    access::Action,
    error::FieldError,
    event::Event,
    id::{CarerId, VisitId, VisitReportId},
    time::{BusinessDate, Instant},
    visit::{TaskReport, note_fits, task_faults},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};
use serde::{Deserialize, Serialize};

use super::{digest_of, form_faults, item, lock_own};
use crate::{
    command::order,
    convert,
    entity::{assignment, visit_report},
    error::{StoreError, exists},
    tx::Tx,
    visit_record::{StoredReport, VisitRecord},
    write::Command,
};

/// Reports tasks as done, or not done with a reason. What was reported stays: a task is reported once by each
/// carer.
#[derive(Debug, Clone)]
pub struct ReportTasks {
    /// The visit.
    pub visit: VisitId,
    /// Id that the phone made; repeats carry the same one.
    pub client_event_id: String,
    /// When it was written, by the phone.
    pub occurred_at: Instant,
    /// The tasks.
    pub tasks: Vec<TaskReport>,
    /// What else there is to say of the visit.
    pub note: Option<String>,
}

/// A kept report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedVisit {
    /// The report.
    pub report_id: VisitReportId,
    /// Whether the same report came before.
    pub duplicate: bool,
}

impl Command for ReportTasks {
    type Output = ReportedVisit;
    const ACTION: Option<Action> = Some(Action::ReportVisit);
    const NAME: &'static str = "report_tasks";

    async fn run(&self, tx: &Tx<'_>) -> Result<ReportedVisit, StoreError> {
        let (locked, row) = lock_own(tx, self.visit, Action::ReportVisit).await?;
        let body = StoredReport { tasks: self.tasks.clone(), note: self.note.clone() };
        let plain = convert::to_json("visit_report", &body)?;
        let digest = digest_of(&format!("{}|{}|{plain}", self.visit, self.occurred_at.timestamp_micros()));
        if let Some(known) = self.find_known(tx, &row).await? {
            return if known.digest == digest {
                Ok(ReportedVisit { report_id: VisitReportId::from_uuid(known.id), duplicate: true })
            } else {
                Err(StoreError::Exists { what: "another report with this client_event_id" })
            };
        }
        self.check(tx, &locked, &row).await?;
        let id: VisitReportId = tx.id();
        let model = visit_report::Model {
            id: id.uuid(),
            visit_id: row.visit_id,
            carer_id: row.carer_id,
            client_event_id: self.client_event_id.clone(),
            occurred_at: self.occurred_at,
            received_at: tx.now(),
            body_enc: tx.seal_json("visit_report", "body_enc", id.uuid(), &body)?,
            digest,
        };
        visit_report::Entity::insert(model.clone().into_active_model())
            .exec_without_returning(tx.db)
            .await
            .map_err(exists("another report with this client_event_id"))?;
        tx.emit(Event::VisitReported { visit: self.visit, carer: CarerId::from_uuid(row.carer_id) });
        tx.record(&id, None, Some(&model));
        Ok(ReportedVisit { report_id: id, duplicate: false })
    }
}

impl ReportTasks {
    async fn find_known(&self, tx: &Tx<'_>, row: &assignment::Model) -> Result<Option<visit_report::Model>, StoreError> {
        Ok(visit_report::Entity::find()
            .filter(visit_report::Column::CarerId.eq(row.carer_id))
            .filter(visit_report::Column::ClientEventId.eq(&self.client_event_id))
            .one(tx.db)
            .await?)
    }

    async fn check(&self, tx: &Tx<'_>, locked: &order::Locked, row: &assignment::Model) -> Result<(), StoreError> {
        let day = BusinessDate::of(locked.order.starts_at);
        let mut faults = form_faults(tx, &self.client_event_id, Some(self.occurred_at));
        faults.extend(task_faults(&self.tasks, tx.reference.checklists.tasks(item(locked)?, day)));
        if self.tasks.is_empty() && self.note.as_deref().is_none_or(|note| note.trim().is_empty()) {
            faults.push(FieldError::new("tasks", "task.none", "report at least one task, or write a note"));
        }
        if self.note.as_deref().is_some_and(|note| !note_fits(note)) {
            faults.push(FieldError::new("note", "note.length", "write at most 500 characters"));
        }
        let record = VisitRecord::load(tx.db, tx.keys, locked.visit.id).await?;
        let own = || record.reports.iter().filter(|report| report.row.carer_id == row.carer_id);
        for (place, report) in self.tasks.iter().enumerate() {
            if own().any(|earlier| earlier.body.tasks.iter().any(|known| known.task == report.task)) {
                let cure = "leave out what you have reported already; what was reported stays";
                faults.push(FieldError::new(format!("tasks.{place}.task"), "task.reported", cure));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}
