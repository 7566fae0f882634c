use serde::{Deserialize, Serialize};

use super::VisitError;
use crate::{
    catalogue::ItemCode,
    id::{CarerId, ResidentId, ServiceAddressId},
    time::Instant,
};

/// The six elements of electronic visit verification, all of which every visit has (as listed in the 21st
/// Century Cures Act of the United States, section 12006).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvvRecord {
    /// Who served.
    pub who: CarerId,
    /// Whom they served.
    pub whom: ResidentId,
    /// What was done.
    pub what: ItemCode,
    /// Where it was done.
    pub place: ServiceAddressId,
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
}

impl EvvRecord {
    /// Whole minutes served.
    ///
    /// # Errors
    /// [`VisitError::EndBeforeStart`].
    pub fn minutes(&self) -> Result<u32, VisitError> {
        minutes_between(self.start, self.end)
    }
}

fn minutes_between(start: Instant, end: Instant) -> Result<u32, VisitError> {
    let seconds = (end - start).num_seconds();
    if end < start {
        return Err(VisitError::EndBeforeStart);
    }
    u32::try_from(seconds / 60).map_err(|_cause| VisitError::TooLong)
}

/// The minutes that count: those served, at most those booked. Parts of a minute are dropped.
///
/// `quantity_hundredths` is the booked quantity in hundredths of the catalogue's unit, `unit_minutes` the
/// length of one unit.
///
/// # Errors
/// [`VisitError::EndBeforeStart`], [`VisitError::TooLong`].
pub fn minutes_used(start: Instant, end: Instant, quantity_hundredths: u32, unit_minutes: u32) -> Result<u32, VisitError> {
    let booked = u64::from(quantity_hundredths) * u64::from(unit_minutes) / 100;
    let booked = u32::try_from(booked).map_err(|_cause| VisitError::TooLong)?;
    minutes_between(start, end).map(|served| served.min(booked))
}

/// The end of a visit whose departure was forgotten: the planned end, or the carer's next arrival elsewhere if
/// that comes first, but never before the arrival.
#[must_use]
pub fn forgotten_clock_out(clock_in: Instant, planned_end: Instant, next_clock_in: Option<Instant>) -> Instant {
    next_clock_in.map_or(planned_end, |next| next.min(planned_end)).max(clock_in)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::parse_instant;

    fn at(time: &str) -> Instant {
        parse_instant(&format!("2026-11-23T{time}")).unwrap()
    }

    #[test]
    fn the_lesser_of_served_and_booked_minutes_counts() {
        for (end, hundredths, unit, minutes) in [
            ("10:00:00", 100, 60, 60),
            ("10:30:00", 100, 60, 60),
            ("09:45:59", 100, 60, 45),
            ("10:30:00", 125, 60, 75),
            ("10:30:00", 33, 60, 19),
            ("09:00:00", 100, 60, 0),
        ] {
            assert_eq!(minutes_used(at("09:00:00"), at(end), hundredths, unit), Ok(minutes), "{end} {hundredths}");
        }
    }

    #[test]
    fn a_departure_before_the_arrival_is_refused() {
        assert_eq!(minutes_used(at("09:00:00"), at("08:59:59.999"), 100, 60), Err(VisitError::EndBeforeStart));
        assert_eq!(minutes_used(at("09:00:00"), at("10:00:00"), u32::MAX, u32::MAX), Err(VisitError::TooLong));
    }

    #[test]
    fn a_forgotten_departure_ends_with_the_plan_or_the_next_arrival() {
        let end = |next: Option<&str>| forgotten_clock_out(at("09:00:00"), at("10:00:00"), next.map(at));
        assert_eq!(end(None), at("10:00:00"));
        assert_eq!(end(Some("09:40:00")), at("09:40:00"));
        assert_eq!(end(Some("10:40:00")), at("10:00:00"));
        assert_eq!(end(Some("08:40:00")), at("09:00:00"), "never before the arrival");
    }

    #[test]
    fn a_record_has_all_six_elements_and_no_others() {
        let record = EvvRecord {
            who: CarerId::from_parts(1, [1; 10]),
            whom: ResidentId::from_parts(1, [2; 10]),
            what: ItemCode::Bathing,
            place: ServiceAddressId::from_parts(1, [3; 10]),
            start: at("09:00:00"),
            end: at("10:00:30"),
        };
        assert_eq!(record.minutes(), Ok(60));
        let stored = serde_json::to_value(record).unwrap();
        assert_eq!(stored.as_object().unwrap().len(), 6);
        assert_eq!(serde_json::from_value::<EvvRecord>(stored.clone()).unwrap(), record);
        for element in ["who", "whom", "what", "place", "start", "end"] {
            let mut lacking = stored.clone();
            lacking.as_object_mut().unwrap().remove(element);
            assert!(serde_json::from_value::<EvvRecord>(lacking).is_err(), "{element}");
        }
    }

    proptest! {
        #[test]
        fn minutes_used_never_exceed_either(seconds in 0i64..200_000, hundredths in 0u32..10_000, unit in 0u32..1_440) {
            let start = at("09:00:00");
            let used = minutes_used(start, start + chrono::TimeDelta::seconds(seconds), hundredths, unit).unwrap();
            prop_assert!(i64::from(used) * 60 <= seconds);
            prop_assert!(u64::from(used) * 100 <= u64::from(hundredths) * u64::from(unit));
        }
    }
}
