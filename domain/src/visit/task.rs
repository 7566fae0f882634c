//! The tasks of a visit: done, or not done with a reason.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::{catalogue::Task, error::FieldError};

/// Longest note on a task or a visit, in characters.
pub const NOTE_MAX: usize = 500;

/// Why a task was not done.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NotDoneReason {
    /// The resident did not want it.
    Refused,
    /// The resident was not well enough.
    Unwell,
    /// It was not needed this time.
    NotNeeded,
    /// The time was not enough.
    NoTime,
    /// Something that it needs was lacking.
    NoMaterial,
    /// It would not have been safe.
    Unsafe,
    /// Another reason, given in the note.
    Other,
}

/// What a carer reports of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskReport {
    /// Code of the task.
    pub task: String,
    /// Why it was not done; absent when it was done.
    pub not_done: Option<NotDoneReason>,
    /// What was measured or counted with it.
    pub value: Option<i64>,
    /// What else there is to say.
    pub note: Option<String>,
}

/// Every fault of a report against the checklist, named by its place below `tasks`.
#[must_use]
pub fn faults(reports: &[TaskReport], checklist: &[Task]) -> Vec<FieldError> {
    let mut known = BTreeSet::new();
    let mut faults = Vec::new();
    for (place, report) in reports.iter().enumerate() {
        let at = |field: &str| format!("tasks.{place}.{field}");
        let Some(task) = checklist.iter().find(|task| task.code == report.task) else {
            faults.push(FieldError::new(at("task"), "task.unknown", "name a task of the checklist of this service"));
            continue;
        };
        if !known.insert(&report.task) {
            faults.push(FieldError::new(at("task"), "task.doubled", "report each task once"));
        }
        faults.extend(value_fault(report, task, at("value")));
        let noted = report.note.as_deref().is_some_and(|note| !note.trim().is_empty());
        if report.not_done == Some(NotDoneReason::Other) && !noted {
            faults.push(FieldError::new(at("note"), "task.note_missing", "say in the note why it was not done"));
        }
        if report.note.as_deref().is_some_and(|note| !fits(note)) {
            faults.push(FieldError::new(at("note"), "note.length", "write at most 500 characters"));
        }
    }
    faults
}

/// Whether a note is short enough.
#[must_use]
pub fn fits(note: &str) -> bool {
    note.chars().count() <= NOTE_MAX
}

fn value_fault(report: &TaskReport, task: &Task, field: String) -> Option<FieldError> {
    let value = report.value?;
    if report.not_done.is_some() {
        return Some(FieldError::new(field, "task.value_of_nothing", "leave the value out: the task was not done"));
    }
    let Some(rule) = task.value else {
        return Some(FieldError::new(field, "task.value_not_asked", "leave the value out: this task has none"));
    };
    let cure = format!("write a whole number from {} to {} in {}", rule.min, rule.max, rule.unit);
    (!(rule.min..=rule.max).contains(&value)).then(|| FieldError::new(field, "task.value_range", cure))
}

/// Why a required task was not done by anybody; none when every one that was reported was done by somebody.
/// A task that nobody reported is not known to be undone.
#[must_use]
pub fn undone(reports: &[TaskReport], checklist: &[Task]) -> Option<NotDoneReason> {
    let mut required = checklist.iter().filter(|task| task.required);
    required.find_map(|task| {
        let of_task = || reports.iter().filter(|report| report.task == task.code);
        let done = of_task().any(|report| report.not_done.is_none());
        if done { None } else { of_task().find_map(|report| report.not_done) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Checklists, ItemCode};

    fn bathing() -> Vec<Task> {
        Checklists::shipped().unwrap().tasks(ItemCode::Bathing, "2026-12-01".parse().unwrap()).to_vec()
    }

    fn report(task: &str, not_done: Option<NotDoneReason>) -> TaskReport {
        TaskReport { task: task.to_owned(), not_done, value: None, note: None }
    }

    #[test]
    fn a_report_fits_the_checklist_or_names_every_fault() {
        let done = TaskReport { value: Some(20), ..report("bath", None) };
        assert_eq!(faults(&[done.clone(), report("skin_looked_at", Some(NotDoneReason::Refused))], &bathing()), []);
        let wrong = [
            report("ironing", None),
            done,
            TaskReport { value: Some(61), ..report("bath", None) },
            TaskReport { value: Some(1), ..report("dried_and_dressed", None) },
            TaskReport { value: Some(120), ..report("systolic_after", Some(NotDoneReason::NoMaterial)) },
            TaskReport { note: Some(" ".to_owned()), ..report("skin_looked_at", Some(NotDoneReason::Other)) },
            TaskReport { note: Some("长".repeat(501)), ..report("bathroom_cleaned", None) },
        ];
        let found = faults(&wrong, &bathing());
        let named: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.code.as_str())).collect();
        assert_eq!(
            named,
            [
                ("tasks.0.task", "task.unknown"),
                ("tasks.2.task", "task.doubled"),
                ("tasks.2.value", "task.value_range"),
                ("tasks.3.value", "task.value_not_asked"),
                ("tasks.4.value", "task.value_of_nothing"),
                ("tasks.5.note", "task.note_missing"),
                ("tasks.6.note", "note.length"),
            ]
        );
    }

    #[test]
    fn a_required_task_is_undone_only_when_nobody_did_it() {
        let refused = report("bath", Some(NotDoneReason::Refused));
        assert_eq!(undone(std::slice::from_ref(&refused), &bathing()), Some(NotDoneReason::Refused));
        assert_eq!(undone(&[refused, report("bath", None)], &bathing()), None, "the other carer did it");
        assert_eq!(undone(&[report("bathroom_cleaned", Some(NotDoneReason::NoTime))], &bathing()), None, "not required");
        assert_eq!(undone(&[], &bathing()), None, "nobody said so");
    }
}
