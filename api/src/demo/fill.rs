//! A whole made-up city: founded two months before its first visits, staffed, filled, and settled month by month.
//!
//! What happens seldom goes through the write door under a clock that goes with the story; residents and their visits are
//! written in batches by [`store::Store::fill`].

use std::sync::Arc;

use domain::{
    access::Actor,
    sample::{Neighbourhood, Period, Shape, at_minute},
    time::Instant,
};
use store::{
    SealAudit, Source, Store, StoreError, SystemClock,
    delivery::Dispatch,
    seed::{Answers, SeedPlan},
};

use super::{
    close,
    roster::{self, Roster},
    seed::{self, BUDGET_FEN, Demo, Founding},
};

/// What is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// How much.
    pub shape: Shape,
    /// From which it is drawn.
    pub seed: u64,
    /// Up to when.
    pub now: Instant,
    /// How far the city's clock is to be ahead of the machine's.
    pub clock_offset_seconds: i64,
}

/// A made-up city.
#[derive(Debug)]
pub struct Filled {
    /// Its logins.
    pub demo: Demo,
    /// Its planted frauds.
    pub answers: Answers,
}

/// Residents for whom one year's budget of the demo lasts.
const RESIDENTS_PER_BUDGET: u32 = 20_000;

/// Does the background work that founding and settling leave: what visitors do must not wait behind it.
async fn leave_nothing_over(store: &Store, source: &Source) -> Result<(), StoreError> {
    let context = || source.context(Actor::System("seed"));
    while store.write(context(), Dispatch { subscribers: workers::subscriber::of }).await? > 0 {}
    while store.write(context(), SealAudit).await? > 0 {}
    Ok(())
}

/// Founds a city in an empty database and fills it. The same wish gives the same rows under the same keys.
/// `progress` learns how many neighbourhoods are written, of how many.
///
/// # Errors
/// A database that has a city already, and failures of the store.
pub async fn fill(store: &Store, wanted: &Wanted, progress: impl Fn(u32, u32) + Send) -> Result<Filled, StoreError> {
    let period = Period::before(wanted.now)?;
    let begin = at_minute(period.founded, 8 * 60);
    let clock = Arc::new(SystemClock::standing_at(begin));
    let source = Source::fixed(Arc::<SystemClock>::clone(&clock), wanted.seed);
    let larger = i64::from(wanted.shape.residents.div_ceil(RESIDENTS_PER_BUDGET));
    let founding = Founding {
        last_year: period.current.month().year() + 1,
        yearly_fen: BUDGET_FEN * larger,
        clock_offset_seconds: wanted.clock_offset_seconds,
    };
    let mut demo = seed::found(store, &source, &founding).await?;
    let city = store.city().await?.scope;
    let counties = Neighbourhood::counties(&wanted.shape, &store.reference().divisions, city)?;
    let Roster { staff, seats, logins } = roster::enlist(store, &source, &demo, (wanted, &period, &counties)).await?;
    demo.logins.extend(logins);
    let plan = SeedPlan { seed: wanted.seed, shape: wanted.shape, period, counties: counties.clone(), staff, seats };
    let answers = store.fill(plan, progress).await?;
    let telling = close::Story { store, source: &source, demo: &demo, clock: &clock, begin };
    telling.settle_past_months(&period, &counties).await?;
    leave_nothing_over(store, &source).await?;
    Ok(Filled { demo, answers })
}
