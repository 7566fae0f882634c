//! Who pays which part of a use, as a live quote or claim would find it: the state of the windows comes from memory, the
//! division from [`domain::tariff::split`].

use std::collections::BTreeSet;

use domain::{
    catalogue::Purchase,
    claim::AdjustmentCode,
    eligibility::Reason,
    policy::{Policy, PolicyBook, ProgrammeCode},
    tariff::{Adjustment, BenefitKey, Entitled, PricedUse, PriorUse, Split, split},
    time::{BusinessDate, Instant, Window},
};

use super::{
    grant::{Granted, balance, decide_on},
    home::Home,
    maker::Maker,
};
use crate::{entity::hold, error::StoreError};

/// What an order uses of a benefit.
pub(super) struct Use {
    pub(super) order: uuid::Uuid,
    pub(super) key: BenefitKey,
    pub(super) on: BusinessDate,
    pub(super) count: i64,
    pub(super) voided: bool,
}

/// What is asked about.
pub(super) struct Question<'a> {
    pub(super) priced: &'a PricedUse,
    /// When it is asked.
    pub(super) at: Instant,
    /// The programmes that may be used; none means all.
    pub(super) programmes: Option<&'a BTreeSet<ProgrammeCode>>,
    /// The order that has booked it, with its holds.
    pub(super) own: Option<(uuid::Uuid, &'a [hold::Model])>,
}

impl Question<'_> {
    /// Divides the price.
    pub(super) fn split(&self, maker: &Maker<'_>, home: &mut Home<'_>) -> Result<Split, StoreError> {
        let book = std::sync::Arc::clone(&maker.world.book);
        let day = BusinessDate::of(self.priced.start);
        let mut unusable = Vec::new();
        let mut entitled = Vec::new();
        for place in 0..home.grants.len() {
            let Some(policy) = self.policy(&book, home, place, day) else { continue };
            let eligible = is_eligible(maker, home, policy, day)?;
            let Some(granted) = home.grants.get(place) else { continue };
            let same_form = policy.benefit(&granted.benefit).is_some_and(|now| now.window() == granted.kind && now.unit() == granted.unit);
            if !same_form {
                let (programme, version) = (granted.programme.clone(), policy.version().to_owned());
                let benefit = granted.benefit.clone();
                unusable.push(Adjustment { programme, version, benefit, code: AdjustmentCode::NotEligible, reason: None });
                continue;
            }
            entitled.extend(self.entitled(home, granted, policy, eligible)?);
        }
        let mut divided = split(self.priced, &entitled)?;
        divided.codes.extend(unusable);
        Ok(divided)
    }

    /// The version in force, if the programme is asked for and the entitlement is known at that time.
    fn policy<'b>(&self, book: &'b PolicyBook, home: &Home<'_>, place: usize, day: BusinessDate) -> Option<&'b Policy> {
        let granted = home.grants.get(place)?;
        let wanted = self.programmes.is_none_or(|programmes| programmes.contains(&granted.programme));
        let running = granted.since <= self.at && granted.until.is_none_or(|until| day < until);
        book.in_force(&granted.programme, day).filter(|_| wanted && running)
    }

    fn entitled<'b>(
        &self,
        home: &Home<'_>,
        granted: &Granted,
        policy: &'b Policy,
        eligible: Result<(), Reason>,
    ) -> Result<Option<Entitled<'b>>, StoreError> {
        let day = BusinessDate::of(self.priced.start);
        let window = Window::holding(granted.kind, day)?;
        let open = granted.windows.get(&window.start);
        let state = match (self.own, open) {
            (Some((_, holds)), Some(open)) => {
                let own = |hold: &&hold::Model| hold.window_id == open.id && hold.state == "held";
                holds.iter().find(own).map(|own| (open.granted, own.units, eligible))
            }
            (Some(_), None) => None,
            (None, open) => {
                let (all, left) = open.map_or(Ok((0, 0)), |open| balance(open).map(|balance| (open.granted, balance.available())))?;
                let eligible = match (eligible, open) {
                    (Err(reason), _) => Err(reason),
                    (Ok(()), _) if day < granted.from => Err(Reason::NotYet { from: granted.from }),
                    (Ok(()), None) => Err(Reason::NotYet { from: window.start }),
                    (Ok(()), Some(_)) => Ok(()),
                };
                Some((all, left, eligible))
            }
        };
        Ok(state.map(|(all, remaining, eligible)| {
            let key = BenefitKey { programme: granted.programme.clone(), benefit: granted.benefit.clone() };
            Entitled {
                policy,
                benefit: granted.benefit.clone(),
                window,
                granted: all,
                remaining,
                uses: self.prior_uses(home, &key, day),
                benefits_used: self.others(home).filter(|used| window.contains(used.on)).map(|used| used.key.clone()).collect(),
                eligible,
                // A made-up city begins without purchase lists: its policies alone decide.
                purchase: Purchase::Open,
            }
        }))
    }

    /// What the resident's other orders use.
    fn others<'h>(&'h self, home: &'h Home<'_>) -> impl Iterator<Item = &'h Use> {
        let own = self.own.map(|(order, _)| order);
        home.uses.iter().filter(move |used| !used.voided && Some(used.order) != own)
    }

    fn prior_uses(&self, home: &Home<'_>, key: &BenefitKey, day: BusinessDate) -> Vec<PriorUse> {
        let monday = day.monday();
        let this_week = |used: &&Use| used.key == *key && used.on.monday() == monday;
        self.others(home).filter(this_week).map(|used| PriorUse { on: used.on, count: used.count }).collect()
    }
}

/// Whether the rules cover a day; asked once for each programme and day.
fn is_eligible(maker: &Maker<'_>, home: &mut Home<'_>, policy: &Policy, day: BusinessDate) -> Result<Result<(), Reason>, StoreError> {
    let key = (policy.programme().clone(), day);
    if let Some(known) = home.eligible.get(&key) {
        return Ok(known.clone());
    }
    let covers = decide_on(maker, home, policy, day, None)?.covers(day);
    home.eligible.insert(key, covers.clone());
    Ok(covers)
}
