//! Which entitlements of a resident can be asked for a use, and with what they have left.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    catalogue::Purchase,
    claim::AdjustmentCode,
    eligibility::Reason,
    entitlement::WindowState,
    id::OrderId,
    policy::{BenefitCode, Policy, PolicyBook, ProgrammeCode},
    tariff::{Adjustment, BenefitKey, Entitled, PriorUse},
    time::{BusinessDate, Window},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use super::{Basis, Pricing, own_holds, purchases::Purchases};
use crate::{
    command::{entitlement as entitlements, review},
    convert,
    entity::{care_order, entitlement, entitlement_window, hold},
    error::StoreError,
    tx::Tx,
};

/// The entitlements of a resident that can be asked, and what is said of those that cannot.
pub(super) struct Entitlements {
    pub(super) found: Vec<Found>,
    pub(super) unusable: Vec<Adjustment>,
}

/// One entitlement with its state in the window of the use.
pub(super) struct Found {
    pub(super) programme: ProgrammeCode,
    pub(super) benefit: BenefitCode,
    pub(super) window: Window,
    pub(super) granted: i64,
    pub(super) remaining: i64,
    pub(super) provisional: bool,
    pub(super) eligible: Result<(), Reason>,
}

/// What a window has for a use.
struct State {
    granted: i64,
    remaining: i64,
    provisional: bool,
    eligible: Result<(), Reason>,
}

impl Pricing<'_> {
    pub(super) async fn entitlements(&self, tx: &Tx<'_>, book: &PolicyBook, day: BusinessDate) -> Result<Entitlements, StoreError> {
        let rows = entitlement::Entity::find()
            .filter(entitlement::Column::ResidentId.eq(self.resident.id))
            .order_by_asc(entitlement::Column::EffectiveFrom)
            .order_by_asc(entitlement::Column::Id)
            .all(tx.db)
            .await?;
        let (running, ended): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.effective_until.is_none_or(|until| until > day.get()));
        let mut asked = Entitlements { found: Vec::new(), unusable: Vec::new() };
        for row in latest(running) {
            self.ask(tx, book, &row, &mut asked).await?;
        }
        self.say_why_held_programmes_are_silent(tx, book, &ended, &mut asked).await?;
        self.say_why_named_programmes_are_silent(book, &ended, day, &mut asked);
        Ok(asked)
    }

    async fn ask(&self, tx: &Tx<'_>, book: &PolicyBook, row: &entitlement::Model, asked: &mut Entitlements) -> Result<(), StoreError> {
        let day = BusinessDate::of(self.priced.start);
        let programme: ProgrammeCode = convert::code("entitlement", "programme", &row.programme)?;
        let benefit: BenefitCode = convert::code("entitlement", "benefit", &row.benefit)?;
        let wanted = self.programmes.is_none_or(|programmes| programmes.contains(&programme));
        let Some(policy) = book.in_force(&programme, day).filter(|_| wanted) else { return Ok(()) };
        let kind = entitlements::window_kind(&row.window_kind)?;
        let same_form = policy.benefit(&benefit).is_some_and(|now| now.window() == kind && now.unit().to_string() == row.unit);
        if !same_form {
            // A later version gives this benefit in another form, or no longer: what was opened under the
            // earlier one does not fit it.
            let version = policy.version().to_owned();
            asked.unusable.push(Adjustment { programme, version, benefit, code: AdjustmentCode::NotEligible, reason: None });
            return Ok(());
        }
        let window = Window::holding(kind, day)?;
        let state = match self.basis {
            Basis::New | Basis::Again(_) => Some(self.offered(tx, row, policy, window).await?),
            Basis::Booked(order) => self.reserved(tx, row, policy, window, order).await?,
        };
        asked.found.extend(state.map(|state| Found {
            programme,
            benefit,
            window,
            granted: state.granted,
            remaining: state.remaining,
            provisional: state.provisional,
            eligible: state.eligible,
        }));
        Ok(())
    }

    /// An entitlement that ended after the order was booked says so.
    async fn say_why_held_programmes_are_silent(
        &self,
        tx: &Tx<'_>,
        book: &PolicyBook,
        ended: &[entitlement::Model],
        asked: &mut Entitlements,
    ) -> Result<(), StoreError> {
        let Some(order) = self.basis.own_order() else { return Ok(()) };
        for held in own_holds(tx, order).await? {
            let programme: ProgrammeCode = convert::code("hold", "programme", &held.programme)?;
            let benefit: BenefitCode = convert::code("hold", "benefit", &held.benefit)?;
            let heard = asked.found.iter().any(|one| one.programme == programme && one.benefit == benefit);
            let until = ended.iter().filter(|row| row.programme == held.programme && row.benefit == held.benefit);
            let Some(until) = until.filter_map(|row| row.effective_until).max().filter(|_| !heard) else { continue };
            let nearest = book.in_force(&programme, BusinessDate::of(self.priced.start)).or_else(|| book.versions(&programme).last());
            let Some(version) = nearest.map(|policy| policy.version().to_owned()) else { continue };
            let reason = Some(Reason::Ended { on: convert::date(until) });
            asked.unusable.push(Adjustment { programme, version, benefit, code: AdjustmentCode::NotEligible, reason });
        }
        Ok(())
    }

    /// A programme that was asked for by name and has nothing to pay from says why.
    fn say_why_named_programmes_are_silent(
        &self,
        book: &PolicyBook,
        ended: &[entitlement::Model],
        day: BusinessDate,
        asked: &mut Entitlements,
    ) {
        let heard: BTreeSet<ProgrammeCode> =
            asked.found.iter().map(|one| one.programme.clone()).chain(asked.unusable.iter().map(|one| one.programme.clone())).collect();
        for programme in self.programmes.into_iter().flatten().filter(|programme| !heard.contains(*programme)) {
            let in_force = book.in_force(programme, day);
            let nearest = in_force.or_else(|| book.versions(programme).last());
            let Some((policy, benefit)) = nearest.and_then(|policy| Some((policy, policy.benefits().first()?))) else { continue };
            let last_end = ended.iter().filter(|row| row.programme == programme.as_str()).filter_map(|row| row.effective_until).max();
            let (code, reason) = match (in_force, last_end) {
                (None, _) => (AdjustmentCode::NotEligible, Some(Reason::NotInForce { on: day })),
                (Some(_), Some(until)) => (AdjustmentCode::NotEligible, Some(Reason::Ended { on: convert::date(until) })),
                (Some(_), None) => (AdjustmentCode::NoEntitlement, None),
            };
            let version = policy.version().to_owned();
            asked.unusable.push(Adjustment { programme: programme.clone(), version, benefit: benefit.code().clone(), code, reason });
        }
    }

    /// What a booking may use: all that the window has left, and what the order itself holds of it already. A
    /// window that has no row yet is projected by the rules and facts known today; the booking makes the row.
    async fn offered(&self, tx: &Tx<'_>, row: &entitlement::Model, policy: &Policy, window: Window) -> Result<State, StoreError> {
        let day = BusinessDate::of(self.priced.start);
        let from = convert::date(row.effective_from);
        let (granted, remaining, provisional) = if let Some(open) = self.window(tx, row, &window).await? {
            let own = self.own_units(tx, &open).await?;
            (open.granted, entitlements::available(&open, tx.today())? + own, open.state == WindowState::Projected.to_string())
        } else {
            let granted = entitlements::granted_on(tx, self.resident, row, &window, day).await?;
            (granted, granted, window.start > tx.today())
        };
        let eligible = match self.eligible(tx, policy, day).await? {
            Ok(()) if day < from => Err(Reason::NotYet { from }),
            outcome => outcome,
        };
        Ok(State { granted, remaining, provisional, eligible })
    }

    async fn own_units(&self, tx: &Tx<'_>, window: &entitlement_window::Model) -> Result<i64, StoreError> {
        let Some(order) = self.basis.own_order() else { return Ok(0) };
        Ok(own_holds(tx, order).await?.iter().filter(|held| held.window_id == window.id).map(|held| held.units).sum())
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
        let provisional = open.state == WindowState::Projected.to_string();
        Ok(Some(State { granted: open.granted, remaining: own.units, provisional, eligible }))
    }

    async fn eligible(&self, tx: &Tx<'_>, policy: &Policy, day: BusinessDate) -> Result<Result<(), Reason>, StoreError> {
        Ok(review::decision_on(tx, self.resident, policy, day).await?.covers(day))
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
            .filter(entitlement_window::Column::Unit.eq(&row.unit))
            .one(tx.db)
            .await?)
    }

    pub(super) async fn entitled<'b>(
        &self,
        tx: &Tx<'_>,
        book: &'b PolicyBook,
        (found, purchases): (&[Found], &Purchases),
        without_money: &BTreeSet<ProgrammeCode>,
    ) -> Result<Vec<Entitled<'b>>, StoreError> {
        let day = BusinessDate::of(self.priced.start);
        let others = self.other_holds(tx).await?;
        let mut entitled = Vec::new();
        for one in found.iter().filter(|one| !without_money.contains(&one.programme)) {
            let Some(policy) = book.in_force(&one.programme, day) else { continue };
            entitled.push(Entitled {
                policy,
                benefit: one.benefit.clone(),
                window: one.window,
                granted: one.granted,
                remaining: one.remaining.clamp(0, one.granted),
                uses: prior_uses(&others, one, day)?,
                benefits_used: benefits_used(&others, one.window)?,
                eligible: one.eligible.clone(),
                purchase: purchases.get(&one.programme).copied().unwrap_or(Purchase::Open),
            });
        }
        Ok(entitled)
    }

    /// What the resident's other orders hold or have used, with the day of service.
    async fn other_holds(&self, tx: &Tx<'_>) -> Result<Vec<hold::Model>, StoreError> {
        let mut orders = sea_orm::sea_query::Query::select();
        orders.column(care_order::Column::Id).from(care_order::Entity).and_where(care_order::Column::ResidentId.eq(self.resident.id));
        let mut select =
            hold::Entity::find().filter(hold::Column::OrderId.in_subquery(orders)).filter(hold::Column::State.is_in(["held", "posted"]));
        if let Some(own) = self.basis.own_order() {
            select = select.filter(hold::Column::OrderId.ne(own.uuid()));
        }
        let rows = select.order_by_asc(hold::Column::Id).all(tx.db).await?;
        // What was reserved once and then lost reserves nothing.
        Ok(rows.into_iter().filter(|row| row.units > 0 || row.subsidy_fen > 0).collect())
    }
}

fn prior_uses(holds: &[hold::Model], one: &Found, day: BusinessDate) -> Result<Vec<PriorUse>, StoreError> {
    let week = Window { start: day.monday(), end: Some(day.monday().plus_days(7)?) };
    let of_benefit = holds.iter().filter(|hold| hold.programme == one.programme.as_str() && hold.benefit == one.benefit.as_str());
    Ok(of_benefit
        .map(|hold| PriorUse { on: convert::date(hold.service_on), count: hold.uses })
        .filter(|prior| week.contains(prior.on))
        .collect())
}

fn benefits_used(holds: &[hold::Model], window: Window) -> Result<BTreeSet<BenefitKey>, StoreError> {
    let mut used = BTreeSet::new();
    for hold in holds.iter().filter(|hold| window.contains(convert::date(hold.service_on))) {
        let programme = convert::code("hold", "programme", &hold.programme)?;
        used.insert(BenefitKey { programme, benefit: convert::code("hold", "benefit", &hold.benefit)? });
    }
    Ok(used)
}

/// Of several entitlements to one benefit the latest speaks.
fn latest(rows: Vec<entitlement::Model>) -> impl Iterator<Item = entitlement::Model> {
    let mut by_benefit = BTreeMap::new();
    for row in rows {
        by_benefit.insert((row.programme.clone(), row.benefit.clone()), row);
    }
    by_benefit.into_values()
}
