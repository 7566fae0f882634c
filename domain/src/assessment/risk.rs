use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString};

use crate::time::{BusinessDate, TimeError};

/// Kinds of care-risk events (照护风险事件) of GB/T 42195-2022, A.2.14.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RiskEventKind {
    /// 跌倒
    Fall,
    /// 噎食
    Choking,
    /// 自杀
    Suicide,
    /// 自伤
    SelfHarm,
    /// 走失
    Wandering,
    /// 其他
    Other,
}

/// One care-risk event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskEvent {
    /// What happened.
    pub kind: RiskEventKind,
    /// The day on which it happened.
    pub on: BusinessDate,
}

/// Days before the assessment in which an event counts.
const DAYS: u64 = 30;

/// Counts the events of all kinds in the 30 days before an assessment and on its day: one that happened 30
/// days ago counts, one that happened 31 days ago does not, nor does one of a later day.
///
/// # Errors
/// [`TimeError::Range`] at the beginning of the calendar.
pub fn count_risk_events(events: &[RiskEvent], assessed_on: BusinessDate) -> Result<u32, TimeError> {
    let first = assessed_on.minus_days(DAYS)?;
    let count = events.iter().filter(|event| first <= event.on && event.on <= assessed_on).count();
    u32::try_from(count).map_err(|_cause| TimeError::Range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_thirty_days_ago_counts_and_one_of_thirty_one_days_ago_does_not() {
        let assessed_on: BusinessDate = "2026-11-23".parse().unwrap();
        let events = [
            ("2026-10-23", RiskEventKind::Fall),
            ("2026-10-24", RiskEventKind::Choking),
            ("2026-11-23", RiskEventKind::Fall),
            ("2026-11-24", RiskEventKind::Fall),
        ]
        .map(|(on, kind)| RiskEvent { kind, on: on.parse().unwrap() });
        assert_eq!(count_risk_events(&events[..1], assessed_on), Ok(0));
        assert_eq!(count_risk_events(&events[..2], assessed_on), Ok(1));
        assert_eq!(count_risk_events(&events, assessed_on), Ok(2), "kinds are added up, later days are not");
    }
}
