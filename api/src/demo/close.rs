//! The settlements of a made-up city's past months, through the write door: computed, approved and released by three
//! people in the middle of the month that follows.

use domain::{
    division::Scope,
    policy::ProgrammeCode,
    sample::{Period, at_minute},
    time::{BusinessDate, Instant},
};
use store::{
    Source, Store, StoreError, SystemClock,
    command::settlement::{ApproveSettlement, ComputeSettlement, ReleaseSettlement},
    seed::programmes_with_lines,
};

use super::seed::{Demo, Seed};

/// Who and when.
pub(super) struct Story<'a> {
    pub(super) store: &'a Store,
    pub(super) source: &'a Source,
    pub(super) demo: &'a Demo,
    pub(super) clock: &'a SystemClock,
    /// Where the clock stood when the city was founded.
    pub(super) begin: Instant,
}

/// Days of the next month on which a month is computed, approved and released: disputes and held lines are decided by then.
const DAYS: [u64; 3] = [14, 15, 17];

impl Story<'_> {
    /// Closes the months whose day of settlement has come. The last past month is left computed, for whoever visits.
    pub(super) async fn settle_past_months(&self, period: &Period, counties: &[Scope]) -> Result<(), StoreError> {
        let months = period.months()?;
        for month in months.into_iter().filter(|first| *first < period.current) {
            for county in counties {
                for programme in programmes_with_lines(self.store, *county, month.month()).await? {
                    self.settle(period, programme, *county, month).await?;
                }
            }
        }
        Ok(())
    }

    async fn settle(&self, period: &Period, programme: ProgrammeCode, bureau: Scope, first: BusinessDate) -> Result<(), StoreError> {
        let seed = Seed { store: self.store, source: self.source };
        let next = first.month().next()?.first_day();
        let [computed, approved, released] = DAYS.map(|day| next.plus_days(day).map(|day| at_minute(day, 10 * 60)));
        if !self.move_to(computed?, period) {
            return Ok(());
        }
        let compute = ComputeSettlement { programme, bureau, month: first.month() };
        let view = self.store.write(seed.as_person(self.demo, "county-clerk").await?, compute).await?;
        let is_last = next == period.current;
        if is_last || !self.move_to(approved?, period) {
            return Ok(());
        }
        let period_id = view.settlement_period_id;
        let approve = ApproveSettlement { period: period_id, content_hash: view.content_hash };
        self.store.write(seed.as_person(self.demo, "approver").await?, approve).await?;
        if self.move_to(released?, period) {
            self.store.write(seed.as_person(self.demo, "county-clerk-2").await?, ReleaseSettlement { period: period_id }).await?;
        }
        Ok(())
    }

    /// Moves the story's clock, unless that would be in the future.
    fn move_to(&self, at: Instant, period: &Period) -> bool {
        if at > period.now {
            return false;
        }
        self.clock.move_to_offset((at - self.begin).num_seconds());
        true
    }
}
