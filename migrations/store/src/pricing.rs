//! What a use of a service costs whom. The one code behind the quote, the booking and the adjudication: it
//! loads a resident's entitlements, windows, earlier uses and the funds' budgets, and lets the domain divide
//! the price.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike as _;
use domain::{
    claim::AdjustmentCode,
    eligibility::{Reason, decide},
    id::{OrderId, ResidentId},
    policy::{BenefitCode, FundCode, Policy, PolicyBook, ProgrammeCode},
    tariff::{Adjustment, BenefitKey, Entitled, PricedUse, PriorUse, Share, Split, split},
    time::{BusinessDate, Window},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    command::{application, entitlement as entitlements},
    convert,
    entity::{self, budget, care_order, entitlement, entitlement_window, hold},
    error::StoreError,
    tx::{Tx, for_update},
};

/// What is to be priced.
pub(crate) struct Pricing<'a> {
    /// For whom.
    pub(crate) resident: &'a entity::resident::Model,
    /// The use with its whole price.
    pub(crate) priced: &'a PricedUse,
    /// The programmes that may be used; none means all.
    pub(crate) programmes: Option<&'a BTreeSet<ProgrammeCode>>,
    /// The order whose own holds count as available.
    pub(crate) own_order: Option<OrderId>,
}

/// The entitlements of a resident that can be asked, and what is said of those that cannot.
struct Entitlements {
    found: Vec<Found>,
    unusable: Vec<Adjustment>,
}

/// One entitlement with its state in the window of the use.
struct Found {
    programme: ProgrammeCode,
    benefit: BenefitCode,
    window: Window,
    granted: i64,
    remaining: i64,
    eligible: Result<(), Reason>,
}

impl Pricing<'_> {
    /// Divides the price. A programme whose funds cannot pay their part is left out and says so.
    pub(crate) async fn split(&self, tx: &Tx<'_>) -> Result<Split, StoreError> {
        let book = tx.reference.policies(tx.db).await?;
        let day = BusinessDate::of(self.priced.start);
        let Entitlements { found, unusable } = self.entitlements(tx, &book, day).await?;
        let mut without_money: BTreeSet<ProgrammeCode> = BTreeSet::new();
        loop {
            let entitled = self.entitled(tx, &book, &found, &without_money).await?;
            let mut divided = split(self.priced, &entitled)?;
            let short = self.first_without_money(tx, &divided, day).await?;
            let Some(short) = short else {
                divided.codes.extend(unusable);
                divided.codes.extend(without_money.iter().filter_map(|programme| budget_exhausted(&book, &found, programme, day)));
                return Ok(divided);
            };
            without_money.insert(short);
        }
    }

    async fn entitlements(&self, tx: &Tx<'_>, book: &PolicyBook, day: BusinessDate) -> Result<Entitlements, StoreError> {
        let open_end =
            Condition::any().add(entitlement::Column::EffectiveUntil.is_null()).add(entitlement::Column::EffectiveUntil.gt(day.get()));
        let rows = entitlement::Entity::find()
            .filter(entitlement::Column::ResidentId.eq(self.resident.id))
            .filter(open_end)
            .order_by_asc(entitlement::Column::EffectiveFrom)
            .order_by_asc(entitlement::Column::Id)
            .all(tx.db)
            .await?;
        let mut asked = Entitlements { found: Vec::new(), unusable: Vec::new() };
        for row in latest(rows) {
            let programme: ProgrammeCode = convert::code("entitlement", "programme", &row.programme)?;
            let benefit: BenefitCode = convert::code("entitlement", "benefit", &row.benefit)?;
            let wanted = self.programmes.is_none_or(|programmes| programmes.contains(&programme));
            let Some(policy) = book.in_force(&programme, day).filter(|_| wanted) else { continue };
            let kind = entitlements::window_kind(&row.window_kind)?;
            let same_form = policy.benefit(&benefit).is_some_and(|now| now.window() == kind && now.unit().to_string() == row.unit);
            if !same_form {
                // A later version gives this benefit in another form, or no longer: what was opened under the
                // earlier one does not fit it.
                let version = policy.version().to_owned();
                asked.unusable.push(Adjustment { programme, version, benefit, code: AdjustmentCode::NotEligible, reason: None });
                continue;
            }
            let window = Window::holding(kind, day)?;
            let found = match self.own_order {
                None => self.offered(tx, &row, policy, window).await?,
                Some(order) => self.reserved(tx, &row, policy, window, order).await?,
            };
            asked.found.extend(found.map(|(granted, remaining, eligible)| Found {
                programme,
                benefit,
                window,
                granted,
                remaining,
                eligible,
            }));
        }
        Ok(asked)
    }

    /// What a new booking may use: all that the window has left.
    async fn offered(&self, tx: &Tx<'_>, row: &entitlement::Model, policy: &Policy, window: Window) -> Result<Option<State>, StoreError> {
        let day = BusinessDate::of(self.priced.start);
        let from = convert::date(row.effective_from);
        let open = self.window(tx, row, &window).await?;
        let (granted, remaining) = match &open {
            Some(open) => (open.granted, entitlements::balance(open)?.available()),
            None => (0, 0),
        };
        let eligible = match (self.eligible(tx, policy, day).await?, open) {
            (Err(reason), _) => Err(reason),
            (Ok(()), _) if day < from => Err(Reason::NotYet { from }),
            (Ok(()), None) => Err(Reason::NotYet { from: window.start }),
            (Ok(()), Some(_)) => Ok(()),
        };
        Ok(Some((granted, remaining, eligible)))
    }

    /// What a booked order may use: what it holds itself and no more, so that what others gave back
    /// meanwhile does not push a later programme's part out.
    async fn reserved(
        &self,
        tx: &Tx<'_>,
        row: &entitlement::Model,
        policy: &Policy,
        window: Window,
        order: OrderId,
    ) -> Result<Option<State>, StoreError> {
        let own = hold::Entity::find()
            .filter(hold::Column::OrderId.eq(order.uuid()))
            .filter(hold::Column::Programme.eq(&row.programme))
            .filter(hold::Column::Benefit.eq(&row.benefit))
            .filter(hold::Column::WindowStart.eq(window.start.get()))
            .filter(hold::Column::State.eq("held"))
            .one(tx.db)
            .await?;
        let (Some(own), Some(open)) = (own, self.window(tx, row, &window).await?) else { return Ok(None) };
        let eligible = self.eligible(tx, policy, BusinessDate::of(self.priced.start)).await?;
        Ok(Some((open.granted, own.units, eligible)))
    }

    async fn eligible(&self, tx: &Tx<'_>, policy: &Policy, day: BusinessDate) -> Result<Result<(), Reason>, StoreError> {
        let facts = application::facts_on(tx, self.resident, day, None).await?;
        Ok(decide(policy, &facts, day, &tx.reference.calendar)?.covers(day))
    }

    async fn window(
        &self,
        tx: &Tx<'_>,
        row: &entitlement::Model,
        window: &Window,
    ) -> Result<Option<entitlement_window::Model>, StoreError> {
        Ok(entitlement_window::Entity::find()
            .filter(entitlement_window::Column::ResidentId.eq(row.resident_id))
            .filter(entitlement_window::Column::Programme.eq(&row.programme))
            .filter(entitlement_window::Column::Benefit.eq(&row.benefit))
            .filter(entitlement_window::Column::WindowStart.eq(window.start.get()))
            .one(tx.db)
            .await?)
    }

    async fn entitled<'b>(
        &self,
        tx: &Tx<'_>,
        book: &'b PolicyBook,
        found: &[Found],
        without_money: &BTreeSet<ProgrammeCode>,
    ) -> Result<Vec<Entitled<'b>>, StoreError> {
        let day = BusinessDate::of(self.priced.start);
        let mut entitled = Vec::new();
        for one in found.iter().filter(|one| !without_money.contains(&one.programme)) {
            let Some(policy) = book.in_force(&one.programme, day) else { continue };
            entitled.push(Entitled {
                policy,
                benefit: one.benefit.clone(),
                window: one.window,
                granted: one.granted,
                remaining: one.remaining,
                uses: self.prior_uses(tx, one, day).await?,
                benefits_used: self.benefits_used(tx, &one.window).await?,
                eligible: one.eligible.clone(),
            });
        }
        Ok(entitled)
    }

    /// Holds of the resident's other orders, with the day of service.
    async fn other_holds(&self, tx: &Tx<'_>) -> Result<Vec<hold::Model>, StoreError> {
        let mut orders = sea_orm::sea_query::Query::select();
        orders.column(care_order::Column::Id).from(care_order::Entity).and_where(care_order::Column::ResidentId.eq(self.resident.id));
        let mut select = hold::Entity::find().filter(hold::Column::OrderId.in_subquery(orders)).filter(hold::Column::State.ne("voided"));
        if let Some(own) = self.own_order {
            select = select.filter(hold::Column::OrderId.ne(own.uuid()));
        }
        Ok(select.order_by_asc(hold::Column::Id).all(tx.db).await?)
    }

    async fn prior_uses(&self, tx: &Tx<'_>, one: &Found, day: BusinessDate) -> Result<Vec<PriorUse>, StoreError> {
        let week = Window { start: day.monday(), end: Some(day.monday().plus_days(7)?) };
        let holds = self.other_holds(tx).await?;
        let of_benefit = holds.iter().filter(|hold| hold.programme == one.programme.as_str() && hold.benefit == one.benefit.as_str());
        Ok(of_benefit
            .map(|hold| PriorUse { on: convert::date(hold.service_on), count: hold.uses })
            .filter(|prior| week.contains(prior.on))
            .collect())
    }

    async fn benefits_used(&self, tx: &Tx<'_>, window: &Window) -> Result<BTreeSet<BenefitKey>, StoreError> {
        let mut used = BTreeSet::new();
        for hold in self.other_holds(tx).await? {
            if window.contains(convert::date(hold.service_on)) {
                let programme = convert::code("hold", "programme", &hold.programme)?;
                used.insert(BenefitKey { programme, benefit: convert::code("hold", "benefit", &hold.benefit)? });
            }
        }
        Ok(used)
    }

    /// The first programme that a fund of which cannot pay its part.
    async fn first_without_money(&self, tx: &Tx<'_>, divided: &Split, day: BusinessDate) -> Result<Option<ProgrammeCode>, StoreError> {
        // A booked order has its funds' parts reserved.
        if self.own_order.is_some() {
            return Ok(None);
        }
        for share in &divided.shares {
            for (fund, part) in parts(share) {
                let row = find_budget(tx, &share.programme, fund, day.get().year()).await?;
                let available = row.map_or(0, |row| row.granted - row.held - row.posted);
                if available < part {
                    return Ok(Some(share.programme.clone()));
                }
            }
        }
        Ok(None)
    }
}

/// Granted, what may be used, and whether the resident is eligible.
type State = (i64, i64, Result<(), Reason>);

/// Of several entitlements to one benefit the latest speaks.
fn latest(rows: Vec<entitlement::Model>) -> impl Iterator<Item = entitlement::Model> {
    let mut by_benefit = BTreeMap::new();
    for row in rows {
        by_benefit.insert((row.programme.clone(), row.benefit.clone()), row);
    }
    by_benefit.into_values()
}

fn budget_exhausted(book: &PolicyBook, found: &[Found], programme: &ProgrammeCode, day: BusinessDate) -> Option<Adjustment> {
    let policy = book.in_force(programme, day)?;
    let benefit = found.iter().find(|one| one.programme == *programme)?.benefit.clone();
    Some(Adjustment {
        programme: programme.clone(),
        version: policy.version().to_owned(),
        benefit,
        code: AdjustmentCode::BudgetExhausted,
        reason: None,
    })
}

/// The parts of a share that are more than nothing.
pub(crate) fn parts(share: &Share) -> impl Iterator<Item = (&FundCode, i64)> {
    share.split.iter().map(|(fund, part)| (fund, part.get())).filter(|(_, part)| *part > 0)
}

/// The parts that a stored hold reserved of each fund.
pub(crate) fn stored_parts(row: &hold::Model) -> Result<Vec<(FundCode, i64)>, StoreError> {
    convert::json("hold", "split", &row.split)
}

/// The budget of a fund in a year, as it is now; the booking locks it and looks again.
async fn find_budget(tx: &Tx<'_>, programme: &ProgrammeCode, fund: &FundCode, year: i32) -> Result<Option<budget::Model>, StoreError> {
    Ok(budget_of(programme, fund, year).one(tx.db).await?)
}

/// The budget of a fund in a year, locked.
pub(crate) async fn lock_budget(
    tx: &Tx<'_>,
    programme: &ProgrammeCode,
    fund: &FundCode,
    year: i32,
) -> Result<Option<budget::Model>, StoreError> {
    Ok(for_update!(tx, budget_of(programme, fund, year)).one(tx.db).await?)
}

fn budget_of(programme: &ProgrammeCode, fund: &FundCode, year: i32) -> sea_orm::Select<budget::Entity> {
    budget::Entity::find()
        .filter(budget::Column::Programme.eq(programme.as_str()))
        .filter(budget::Column::Fund.eq(fund.as_str()))
        .filter(budget::Column::Year.eq(year))
}

/// A resident's id from a row that names it.
pub(crate) fn resident_id(row: &entity::resident::Model) -> ResidentId {
    ResidentId::from_uuid(row.id)
}
