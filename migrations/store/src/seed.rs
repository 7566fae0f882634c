//! Filling an empty city with a made-up one, in batches.
//!
//! Plans come from [`domain::sample`]; rows follow from them by the functions that a live city uses: levels, decisions,
//! windows, splits, grades, adjudication, transfers, state tables. Only the writing differs: a million rows do not go
//! through the write door one by one, they are collected and inserted many at a time.
//!
//! This is the one exception to the write door, and it is guarded: it refuses a city that is not a demonstration or that
//! has a resident, takes the whole city in one transaction per batch, and leaves events, sealed audit rows and ledger
//! transfers just as the door does, so that `verify` judges both alike. What happens seldom (accounts, policies,
//! providers, settlement) goes through the door even here, by the caller.
//!
//! Each neighbourhood is made on a thread of its own while the one before it is written.

mod answer;
mod clock_events;
mod facts;
mod grant;
mod home;
mod judgement;
mod maker;
mod offer;
mod order;
mod price;
mod rows;
mod seal;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    division::Scope,
    id::{CarerId, PersonId, ProviderId},
    policy::{PolicyBook, ProgrammeCode},
    sample::{Neighbourhood, Period, Shape},
    time::Month,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    TransactionTrait as _, sea_query::Expr,
};
use uuid::Uuid;

pub use answer::{Answer, Answers};

use crate::{
    CityMode, Store,
    entity::{budget, care_order, claim_line, policy_version, resident},
    error::StoreError,
    seed::{
        maker::Maker,
        rows::Rows,
        seal::{Chain, Leaf},
    },
};

/// The officials of a made-up city. Each step has a person of its own, as four eyes want it.
#[derive(Debug, Clone, Copy)]
pub struct Staff {
    /// Registers and accepts.
    pub community_worker: PersonId,
    /// Assess.
    pub assessors: [PersonId; 2],
    /// Reviews.
    pub street_clerk: PersonId,
    /// Decides disputes.
    pub county_clerk: PersonId,
    /// Approves.
    pub approver: PersonId,
}

/// An admitted provider with its carers, in the order of its plan.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The provider.
    pub provider: ProviderId,
    /// Its manager.
    pub manager: PersonId,
    /// Its carers.
    pub carers: Vec<(CarerId, PersonId)>,
}

/// What is to be made.
#[derive(Debug, Clone)]
pub struct SeedPlan {
    /// Where everything is drawn from.
    pub seed: u64,
    /// How much.
    pub shape: Shape,
    /// When.
    pub period: Period,
    /// The counties whose residents are made.
    pub counties: Vec<Scope>,
    /// The officials.
    pub staff: Staff,
    /// The providers of all neighbourhoods, in their order.
    pub seats: Vec<Seat>,
}

/// All that the making of a neighbourhood needs.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) plan: SeedPlan,
    pub(crate) book: Arc<PolicyBook>,
    /// Rows of policy versions, by programme and version.
    pub(crate) versions: BTreeMap<(String, String), Uuid>,
}

/// What one neighbourhood leaves.
pub(crate) struct Batch {
    pub(crate) rows: Rows,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) budgets: BTreeMap<BudgetKey, Moved>,
    pub(crate) answers: Vec<Answer>,
}

/// Programme, fund and year.
pub(crate) type BudgetKey = (String, String, i32);

/// What a budget has moved: reserved, spent, and how often.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moved {
    pub(crate) held: i64,
    pub(crate) posted: i64,
    pub(crate) moves: i64,
}

impl Store {
    /// Fills an empty demonstration city. `progress` learns how many neighbourhoods are written, of how many.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] for a live city or one that has residents or orders; failures of the database.
    pub async fn fill(&self, plan: SeedPlan, progress: impl Fn(u32, u32) + Send) -> Result<Answers, StoreError> {
        self.refuse_in_use().await?;
        let all = plan.shape.neighbourhoods();
        let mut answers = Answers { seed: plan.seed, now: plan.period.now, cases: Vec::new() };
        let world = Arc::new(self.world(plan).await?);
        let mut chain = Chain::after_last(self).await?;
        let mut next = make(&world, 0);
        for number in 0..all {
            let batch = next.await.map_err(|_died| StoreError::Panicked)??;
            // The next one is made while this one is written.
            next = make(&world, number + 1);
            let Batch { mut rows, leaves, budgets, answers: found } = batch;
            chain.seal(self, &world.plan.period.now, &leaves, &mut rows)?;
            let txn = self.db().begin().await?;
            rows.write(&txn).await?;
            move_budgets(&txn, budgets).await?;
            txn.commit().await?;
            answers.cases.extend(found);
            progress(number + 1, all);
        }
        drop(next.await);
        Ok(answers)
    }

    /// The one exception to the write door is for a city that nobody uses.
    async fn refuse_in_use(&self) -> Result<(), StoreError> {
        let refuse = |why: &str| Err(StoreError::Configuration(format!("the city cannot be filled with made-up people: {why}")));
        if self.city().await?.mode != CityMode::Demo {
            return refuse("it is a live one; name another database");
        }
        let used = resident::Entity::find().count(self.db()).await? + care_order::Entity::find().count(self.db()).await?;
        if used > 0 { refuse("it has residents already; name an empty database") } else { Ok(()) }
    }

    async fn world(&self, plan: SeedPlan) -> Result<World, StoreError> {
        let book = self.reference().policies(self.db()).await?;
        let rows = policy_version::Entity::find().filter(policy_version::Column::State.eq("published")).all(self.db()).await?;
        let versions = rows.into_iter().map(|row| ((row.programme, row.version), row.id)).collect();
        Ok(World { store: self.clone(), plan, book, versions })
    }
}

type Making = tokio::task::JoinHandle<Result<Batch, StoreError>>;

/// Makes a neighbourhood on a thread of its own; one beyond the last is empty.
fn make(world: &Arc<World>, number: u32) -> Making {
    let world = Arc::clone(world);
    tokio::task::spawn_blocking(move || neighbourhood(&world, number))
}

fn neighbourhood(world: &World, number: u32) -> Result<Batch, StoreError> {
    let SeedPlan { seed, shape, period, counties, .. } = &world.plan;
    let mut maker = Maker::new(world, number);
    if number >= shape.neighbourhoods() {
        return Ok(maker.into_batch(Vec::new()));
    }
    let reference = world.store.reference();
    let of = Neighbourhood::draw(*seed, number, shape, period, &reference.divisions, counties)?;
    let (visits, planted) = of.visits(*seed, period, &reference.catalogue)?;
    let seats = world.seats(number);
    let mut made = answer::Made::default();
    for (place, plan) in of.residents.iter().enumerate() {
        let mut home = home::move_in(&mut maker, plan, &answer::statuses_of(&planted, place))?;
        grant::apply_for_all(&mut maker, &mut home)?;
        for (visit, own) in visits.iter().enumerate().filter(|(_, visit)| visit.resident == place) {
            let (Some(provider), Some(seat)) = (of.providers.get(own.provider), seats.get(own.provider)) else { continue };
            if let Some(id) = order::run(&mut maker, &mut home, &order::Booking { plan: own, provider, seat })? {
                made.visits.insert(visit, id);
            }
        }
        made.residents.push(home.ids());
        grant::close_windows(&mut maker, home)?;
    }
    let answers = answer::flag_all(&mut maker, &planted, &made, seats)?;
    Ok(maker.into_batch(answers))
}

impl World {
    fn seats(&self, number: u32) -> &[Seat] {
        let per = usize::try_from(self.plan.shape.providers).unwrap_or(0);
        let first = usize::try_from(number).unwrap_or(0) * per;
        self.plan.seats.get(first..first + per).unwrap_or_default()
    }
}

async fn move_budgets(txn: &sea_orm::DatabaseTransaction, budgets: BTreeMap<BudgetKey, Moved>) -> Result<(), StoreError> {
    for ((programme, fund, year), moved) in budgets {
        let add = |column: budget::Column, amount: i64| Expr::col(column).add(amount);
        let changed = budget::Entity::update_many()
            .col_expr(budget::Column::Held, add(budget::Column::Held, moved.held))
            .col_expr(budget::Column::Posted, add(budget::Column::Posted, moved.posted))
            .col_expr(budget::Column::Version, add(budget::Column::Version, moved.moves))
            .filter(budget::Column::Programme.eq(&programme))
            .filter(budget::Column::Fund.eq(&fund))
            .filter(budget::Column::Year.eq(year))
            .exec(txn)
            .await?;
        if changed.rows_affected != 1 {
            let missing = format!("there is no budget of {programme}/{fund} for {year}; set it before the city is filled");
            return Err(StoreError::Configuration(missing));
        }
    }
    Ok(())
}

/// The programmes of which a county has posted claim lines of a month.
///
/// # Errors
/// Failures of the database.
pub async fn programmes_with_lines(store: &Store, county: Scope, month: Month) -> Result<Vec<ProgrammeCode>, StoreError> {
    let codes: Vec<String> = claim_line::Entity::find()
        .select_only()
        .column(claim_line::Column::Programme)
        .distinct()
        .filter(claim_line::Column::Bureau.eq(county.to_string()))
        .filter(claim_line::Column::ServiceMonth.eq(month.to_string()))
        .filter(claim_line::Column::State.eq("posted"))
        .order_by_asc(claim_line::Column::Programme)
        .into_tuple()
        .all(store.db())
        .await?;
    codes.iter().map(|code| crate::convert::code("claim_line", "programme", code)).collect()
}
