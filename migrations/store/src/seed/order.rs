//! A booking and what becomes of it, step by step until it ends or the present is reached.

use std::collections::BTreeSet;

use chrono::{Datelike as _, TimeDelta};
use domain::{
    access::Role,
    catalogue::Unit,
    eligibility::Reason,
    event::Event,
    id::{Hold, OrderId, QuoteId, VisitId},
    ledger::{Pot, Purse, move_units},
    money::{Fen, Rounding},
    order::{DisputeOutcome, OfferMode, OrderState, OrderTrigger, QUOTE_MINUTES},
    policy::{FundCode, ProgrammeCode},
    sample::{Closing, Ending, ProviderPlan, VisitPlan},
    state::StateMachine as _,
    tariff::{BenefitKey, PricedUse, Share, Split},
    time::{BusinessDate, Instant, Window},
    visit::{VisitStatus, VisitTrigger},
};

use super::{
    Moved, Seat, clock_events,
    grant::{balance, change},
    home::Home,
    judgement::{self, Confirmed},
    maker::{Maker, Step, Who},
    price::{Question, Use},
};
use crate::{
    audit::row_hash,
    command::{
        order::{
            AcceptOrder, AssignOrder, CancelOrder, ConfirmOrder, DecideDispute, DeclineOrder, DisputeOrder, OfferOrder, PassDeadline,
            PlaceOrder,
        },
        quote::{PriceLine, QuoteBody, RequestQuote, ends_at},
    },
    convert,
    entity::{assignment, care_order, hold, offer, quote, visit},
    error::StoreError,
    holds::fact,
    pricing::{Outlook, Rule, parts},
    write::Command as _,
};

/// What is booked, with whom.
pub(super) struct Booking<'a> {
    pub(super) plan: &'a VisitPlan,
    pub(super) provider: &'a ProviderPlan,
    pub(super) seat: &'a Seat,
}

/// A booking under way.
pub(super) struct Course<'a> {
    pub(super) booking: &'a Booking<'a>,
    pub(super) id: OrderId,
    pub(super) visit_id: VisitId,
    pub(super) order: care_order::Model,
    pub(super) visit: visit::Model,
    pub(super) team: Vec<assignment::Model>,
    pub(super) holds: Vec<hold::Model>,
    pub(super) offer: Option<offer::Model>,
    pub(super) quoted: QuoteBody,
    /// Hash of the order's row as it was last written.
    hash: String,
}

/// Shortest time between booking and start.
const LEAD_MIN: TimeDelta = TimeDelta::minutes(30);

/// Books a visit and lets it run; answers the visit, or nothing if it is not booked yet or could not be.
pub(super) fn run(maker: &mut Maker<'_>, home: &mut Home<'_>, booking: &Booking<'_>) -> Result<Option<VisitId>, StoreError> {
    let plan = booking.plan;
    let at = (plan.start - plan.lead).max(first_possible(home, plan)?);
    if !maker.is_past(at) || plan.start - at < LEAD_MIN {
        return Ok(None);
    }
    let (body, asked) = ask(maker, home, booking, at)?;
    let booker =
        if maker.draw.chance(220) { Who::Person(maker.world.plan.staff.community_worker, Role::CommunityWorker) } else { home.agent };
    let mut course = Course::place(maker, home, booking, (at, booker, asked), body)?;
    course.go(maker, home, at)?;
    let id = course.visit_id;
    course.keep(maker)?;
    maker.forget_streams();
    Ok(Some(id))
}

/// Windows are spent from their first day on.
fn first_possible(home: &Home<'_>, plan: &VisitPlan) -> Result<Instant, StoreError> {
    let day = BusinessDate::of(plan.start);
    let mut first = home.settled_in;
    for granted in &home.grants {
        let window = Window::holding(granted.kind, day)?;
        // One that has not come yet is asked for without the programme.
        if granted.windows.contains_key(&window.start) {
            first = first.max(window.start.start() + TimeDelta::minutes(10));
        }
    }
    Ok(first)
}

/// Asks for a quote; programmes whose window is not open on that day are left out of the question.
fn ask(maker: &Maker<'_>, home: &mut Home<'_>, booking: &Booking<'_>, at: Instant) -> Result<(QuoteBody, Instant), StoreError> {
    let plan = booking.plan;
    let day = BusinessDate::of(plan.start);
    let reference = maker.world.store.reference();
    let item = reference.catalogue.item(plan.item, day).ok_or(domain::order::OrderError::NotOffered)?;
    let price = unit_price(maker, booking.provider, plan, day)?;
    let priced = PricedUse {
        item: plan.item,
        class: plan.class,
        start: plan.start,
        minutes: item.minutes_booked(plan.quantity),
        quantity: plan.quantity,
        gross: price.scale(plan.quantity.hundredths(), 100, Rounding::HalfUp)?,
        working_day: reference.calendar.is_working_day(day),
        facts: plan.facts.clone(),
    };
    let asked = at - TimeDelta::minutes(4);
    let mut programmes = None;
    let mut divided = Question { priced: &priced, at: asked, programmes: None, own: None }.split(maker, home)?;
    let closed = not_open(&divided);
    if !closed.is_empty() {
        let open: BTreeSet<_> = home.grants.iter().map(|granted| granted.programme.clone()).filter(|one| !closed.contains(one)).collect();
        divided = Question { priced: &priced, at: asked, programmes: Some(&open), own: None }.split(maker, home)?;
        programmes = Some(open);
    }
    let staff_count = u32::try_from(plan.carers.len()).unwrap_or(1);
    let lines = vec![PriceLine::of(&priced, item, price)?];
    let outlook = outlook(maker, home, &divided, day)?;
    Ok((QuoteBody { priced, split: divided, programmes, staff_count, lines, outlook, lacks: Vec::new() }, asked))
}

/// What each share leaves of its entitlement.
fn outlook(maker: &Maker<'_>, home: &mut Home<'_>, split: &Split, day: BusinessDate) -> Result<Vec<Outlook>, StoreError> {
    let mut all = Vec::new();
    for share in &split.shares {
        let policy = maker.world.book.in_force(&share.programme, day);
        let Some(benefit) = policy.and_then(|policy| policy.benefit(&share.benefit)) else { continue };
        let open = balance(window_of(home, share)?)?;
        all.push(Outlook {
            programme: share.programme.clone(),
            benefit: share.benefit.clone(),
            window: share.window,
            unit: share.unit,
            granted: open.granted(),
            before: open.available(),
            after: open.available().saturating_sub(share.units),
            provisional: false,
            rule: Rule::of(benefit),
        });
    }
    Ok(all)
}

fn not_open(split: &Split) -> BTreeSet<ProgrammeCode> {
    let not_yet = split.codes.iter().filter(|code| matches!(code.reason, Some(Reason::NotYet { .. })));
    not_yet.map(|code| code.programme.clone()).collect()
}

fn unit_price(maker: &Maker<'_>, provider: &ProviderPlan, plan: &VisitPlan, day: BusinessDate) -> Result<Fen, StoreError> {
    let list = if provider.raised.is_empty() || day < maker.world.plan.period.last_past()? { &provider.prices } else { &provider.raised };
    let found = list.iter().find(|(item, _)| *item == plan.item).ok_or(domain::order::OrderError::NotOffered)?;
    Ok(Fen::new(found.1)?)
}

fn planned(visit: VisitId, order: OrderId, staff_count: u32) -> visit::Model {
    visit::Model {
        id: visit.uuid(),
        order_id: order.uuid(),
        state: VisitStatus::Planned.to_string(),
        staff_count: i64::from(staff_count),
        actual_start: None,
        actual_end: None,
        grade: None,
        grade_reasons: None,
        version: 1,
    }
}

impl<'a> Course<'a> {
    fn place(
        maker: &mut Maker<'_>,
        home: &mut Home<'_>,
        booking: &'a Booking<'a>,
        when: (Instant, Who, Instant),
        body: QuoteBody,
    ) -> Result<Self, StoreError> {
        let (at, booker, asked) = when;
        let made_by = booker.person().ok_or_else(StoreError::not_found)?.uuid();
        let quote_id: QuoteId = maker.id(asked);
        let subsidy = Fen::sum(body.split.shares.iter().map(|share| share.subsidy))?;
        let (id, visit_id): (OrderId, VisitId) = (maker.id(at), maker.id(at));
        let common = (booking.plan.item.to_string(), booking.plan.class.to_string(), booking.seat.provider.uuid());
        maker.push(quote::Model {
            id: quote_id.uuid(),
            resident_id: home.id.uuid(),
            provider_id: common.2,
            address_id: Some(home.address.uuid()),
            item: common.0.clone(),
            class: common.1.clone(),
            starts_at: body.priced.start,
            minutes: i64::from(body.priced.minutes),
            gross_fen: body.split.gross.get(),
            subsidy_fen: subsidy.get(),
            family_fen: body.split.family.get(),
            body_enc: maker.seal_json("quote", "body_enc", quote_id.uuid(), &body)?,
            made_by,
            created_at: asked,
            expires_at: body.priced.start.min(asked + TimeDelta::minutes(QUOTE_MINUTES)),
        })?;
        let quoting = maker.step(asked, booker, RequestQuote::NAME);
        maker.audit(&quoting, &quote_id, (None, None))?;
        let order = care_order::Model {
            id: id.uuid(),
            quote_id: quote_id.uuid(),
            resident_id: home.id.uuid(),
            provider_id: common.2,
            item: common.0,
            class: common.1,
            starts_at: body.priced.start,
            ends_at: ends_at(&body.priced),
            gross_fen: body.split.gross.get(),
            subsidy_fen: subsidy.get(),
            family_fen: body.split.family.get(),
            state: OrderState::INITIAL.to_string(),
            owner_role: None,
            deadline_at: None,
            placed_by: made_by,
            decided_by: None,
            created_at: at,
            version: 0,
            offer_mode: OfferMode::NamedOnly.to_string(),
            family_max_fen: body.split.family.get(),
            escalations: 0,
        };
        let visit = planned(visit_id, id, body.staff_count);
        let (team, holds) = (Vec::new(), Vec::new());
        let mut course = Self { booking, id, visit_id, order, visit, team, holds, offer: None, quoted: body, hash: String::new() };
        course.enter(at, OrderState::INITIAL);
        course.hash = row_hash(&course.order);
        course.reserve(maker, home, at)?;
        let step = maker.step(at, booker, PlaceOrder::NAME);
        let placed = Event::OrderPlaced { order: id, resident: home.id, provider: booking.seat.provider };
        let event = maker.event(&step, &placed)?;
        if !maker.is_past(at + OFFERED_AFTER) {
            maker.leave_to_workers(event)?;
        }
        maker.audit(&step, &id, (None, Some(course.hash.clone())))?;
        Ok(course)
    }

    /// Places the holds of the quote's shares.
    fn reserve(&mut self, maker: &mut Maker<'_>, home: &mut Home<'_>, at: Instant) -> Result<(), StoreError> {
        let service_on = BusinessDate::of(self.order.starts_at);
        for share in &self.quoted.split.shares {
            let fact = fact(self.id, &share.programme.to_string(), &share.benefit.to_string());
            let window = window_of(home, share)?;
            change(maker, window, (Pot::Available, Pot::Held), share.units, (at, &fact))?;
            let window_id = window.id;
            for (fund, part) in parts(share) {
                let fact = format!("{fact}/{}", share.window.start);
                move_budget(maker, (&share.programme, fund, service_on), (Pot::Available, Pot::Held), part, (at, &fact))?;
            }
            let id = maker.id::<Hold>(at).uuid();
            self.holds.push(hold::Model {
                id,
                order_id: self.order.id,
                window_id,
                programme: share.programme.to_string(),
                policy_version: share.version.clone(),
                benefit: share.benefit.to_string(),
                window_start: share.window.start.get(),
                unit: share.unit.to_string(),
                units: share.units,
                uses: share.count,
                service_on: service_on.get(),
                subsidy_fen: share.subsidy.get(),
                split: convert::to_json("hold", &share.split)?,
                state: "held".to_owned(),
                posted_units: 0,
                posted_fen: 0,
                version: 1,
            });
            let key = BenefitKey { programme: share.programme.clone(), benefit: share.benefit.clone() };
            home.uses.push(Use { order: self.order.id, key, on: service_on, count: share.count, voided: false });
        }
        Ok(())
    }

    fn enter(&mut self, at: Instant, state: OrderState) {
        let waits = state.waits_for(at, self.order.starts_at, self.order.ends_at);
        self.order.owner_role = waits.and_then(|(role, _)| role).map(|role| role.to_string());
        self.order.deadline_at = waits.map(|(_, at)| at);
        self.order.state = state.to_string();
        self.order.version += 1;
    }

    /// Moves the order along its table.
    pub(super) fn advance(&mut self, maker: &mut Maker<'_>, step: &Step, trigger: OrderTrigger) -> Result<(), StoreError> {
        let from: OrderState = convert::code("care_order", "state", &self.order.state)?;
        let to = from.on(trigger)?.to;
        self.enter(step.at, to);
        let before = std::mem::replace(&mut self.hash, row_hash(&self.order));
        maker.event(step, &Event::OrderMoved { order: self.id, from, to })?;
        maker.audit(step, &self.id, (Some(before), Some(self.hash.clone())))
    }

    /// Moves the visit along its table.
    pub(super) fn move_visit(&mut self, trigger: VisitTrigger) -> Result<(), StoreError> {
        let from: VisitStatus = convert::code("visit", "state", &self.visit.state)?;
        self.visit.state = from.on(trigger)?.to.to_string();
        self.visit.version += 1;
        Ok(())
    }

    /// Lets the booking run until it ends or the present is reached.
    fn go(&mut self, maker: &mut Maker<'_>, home: &mut Home<'_>, booked: Instant) -> Result<(), StoreError> {
        let (plan, seat) = (self.booking.plan, self.booking.seat);
        let manager = Who::Person(seat.manager, Role::ProviderManager);
        let offered = booked + OFFERED_AFTER;
        let share = (plan.start - offered) / 4;
        let accepted = offered + share.min(TimeDelta::hours(20));
        if self.takes(maker, (offered, Who::System("offer_order"), OfferOrder::NAME), OrderTrigger::Offer)?.is_none() {
            return Ok(());
        }
        match plan.ending {
            Ending::Declined => return self.ends(maker, home, (accepted, manager, DeclineOrder::NAME), OrderTrigger::Decline),
            Ending::Unanswered => {
                let late = self.order.deadline_at.unwrap_or(plan.start) + TimeDelta::seconds(40);
                return self.ends(maker, home, (late, DEADLINES, PassDeadline::NAME), OrderTrigger::Expire);
            }
            Ending::Cancelled | Ending::Missed | Ending::Served(..) => {}
        }
        if self.takes(maker, (accepted, manager, AcceptOrder::NAME), OrderTrigger::Accept)?.is_none() {
            return Ok(());
        }
        let left = self.order.deadline_at.unwrap_or(plan.start) - accepted;
        let assigned = accepted + share.min(TimeDelta::hours(10)).min(left / 2);
        if self.takes(maker, (assigned, manager, AssignOrder::NAME), OrderTrigger::Assign)?.is_none() {
            return Ok(());
        }
        self.assign(maker, (assigned, manager))?;
        let (proof, closing) = match plan.ending {
            Ending::Cancelled => {
                let off = plan.start - share / 2;
                return self.ends(maker, home, (off, home.agent, CancelOrder::NAME), OrderTrigger::Cancel);
            }
            Ending::Missed => {
                let late = self.order.deadline_at.unwrap_or(plan.end) + TimeDelta::seconds(40);
                return self.ends(maker, home, (late, DEADLINES, PassDeadline::NAME), OrderTrigger::Miss);
            }
            Ending::Served(proof, closing) => (proof, closing),
            Ending::Declined | Ending::Unanswered => return Ok(()),
        };
        let Some(recorded) = clock_events::record(maker, self, home, proof)? else { return Ok(()) };
        self.close(maker, home, closing, &recorded)
    }

    /// The end of a served visit: confirmed by the family or the deadline, or disputed and decided.
    fn close(
        &mut self,
        maker: &mut Maker<'_>,
        home: &mut Home<'_>,
        closing: Closing,
        recorded: &clock_events::Recorded,
    ) -> Result<(), StoreError> {
        let done = recorded.received;
        let clerk = Who::Person(maker.world.plan.staff.county_clerk, Role::CountyClerk);
        let (step, confirmed) = match closing {
            Closing::Family => {
                let at = done + TimeDelta::minutes(maker.draw.between(30, 40 * 60));
                let step = (at, home.agent, ConfirmOrder::NAME);
                if self.takes(maker, step, OrderTrigger::Confirm)?.is_none() {
                    return Ok(());
                }
                (step, Confirmed::Family)
            }
            Closing::Deadline => {
                let step = (self.order.deadline_at.unwrap_or(done) + TimeDelta::seconds(30), DEADLINES, PassDeadline::NAME);
                if self.takes(maker, step, OrderTrigger::Confirm)?.is_none() {
                    return Ok(());
                }
                (step, Confirmed::Deadline)
            }
            Closing::DisputePaid | Closing::DisputeRejected => {
                let disputed = done + TimeDelta::minutes(maker.draw.between(90, 30 * 60));
                if self.takes(maker, (disputed, home.agent, DisputeOrder::NAME), OrderTrigger::Dispute)?.is_none() {
                    return Ok(());
                }
                let step = (disputed + TimeDelta::minutes(maker.draw.between(24 * 60, 6 * 24 * 60)), clerk, DecideDispute::NAME);
                let outcome = if closing == Closing::DisputePaid { DisputeOutcome::Full } else { DisputeOutcome::Nothing };
                self.disputed(maker, (disputed, home.agent), (step.0, clerk), outcome)?;
                if maker.is_past(step.0) {
                    self.order.decided_by = clerk.person().map(domain::id::Id::uuid);
                }
                if self.takes(maker, step, OrderTrigger::Decide)?.is_none() {
                    return Ok(());
                }
                (step, if closing == Closing::DisputePaid { Confirmed::Decided } else { Confirmed::Rejected })
            }
        };
        judgement::judge(maker, self, home, &recorded.evidence, (step.0, step.1, step.2, confirmed))
    }

    /// Takes a step if its time has come.
    fn takes(
        &mut self,
        maker: &mut Maker<'_>,
        step: (Instant, Who, &'static str),
        trigger: OrderTrigger,
    ) -> Result<Option<Step>, StoreError> {
        let (at, who, command) = step;
        if !maker.is_past(at) {
            return Ok(None);
        }
        let step = maker.step(at, who, command);
        self.close_offer(maker, &step, trigger)?;
        self.advance(maker, &step, trigger)?;
        if trigger == OrderTrigger::Offer {
            self.make_offer(maker, &step)?;
        }
        Ok(Some(step))
    }

    /// Ends without service: the holds go back and the visit is closed.
    fn ends(
        &mut self,
        maker: &mut Maker<'_>,
        home: &mut Home<'_>,
        step: (Instant, Who, &'static str),
        trigger: OrderTrigger,
    ) -> Result<(), StoreError> {
        let Some(taken) = self.takes(maker, step, trigger)? else { return Ok(()) };
        self.ended(maker, home, &taken, trigger)?;
        self.move_visit(if trigger == OrderTrigger::Miss { VisitTrigger::Miss } else { VisitTrigger::Cancel })?;
        for member in &mut self.team {
            member.active = false;
        }
        let nothing = judgement::Used { units: 0, uses: 0, split: &[] };
        for place in 0..self.holds.len() {
            judgement::settle(maker, self, home, (place, step.0), &nothing)?;
        }
        Ok(())
    }

    fn assign(&mut self, maker: &mut Maker<'_>, by: (Instant, Who)) -> Result<(), StoreError> {
        let seat = self.booking.seat;
        let carers: Vec<_> = self.booking.plan.carers.iter().filter_map(|place| seat.carers.get(*place)).map(|(carer, _)| *carer).collect();
        for carer in &carers {
            self.team.push(assignment::Model {
                visit_id: self.visit.id,
                carer_id: carer.uuid(),
                starts_at: self.order.starts_at,
                ends_at: self.order.ends_at,
                active: true,
                clock_in_at: None,
                clock_out_at: None,
            });
        }
        let step = maker.step(by.0, by.1, AssignOrder::NAME);
        maker.event(&step, &Event::CarersAssigned { visit: self.visit_id, carers })?;
        Ok(())
    }

    /// Keeps the rows as they are now.
    fn keep(self, maker: &mut Maker<'_>) -> Result<(), StoreError> {
        maker.push(self.order)?;
        if let Some(offer) = self.offer {
            maker.push(offer)?;
        }
        maker.push(self.visit)?;
        for member in self.team {
            maker.push(member)?;
        }
        for held in self.holds {
            maker.push(held)?;
        }
        Ok(())
    }
}

/// How soon the system offers what was booked.
const OFFERED_AFTER: TimeDelta = TimeDelta::seconds(2);
/// Who moves on what nobody moved.
const DEADLINES: Who = Who::System("pass_order_deadlines");

fn window_of<'h>(home: &'h mut Home<'_>, share: &Share) -> Result<&'h mut crate::entity::entitlement_window::Model, StoreError> {
    let of_share = |granted: &&mut super::grant::Granted| {
        granted.programme == share.programme && granted.benefit == share.benefit && granted.windows.contains_key(&share.window.start)
    };
    let granted = home.grants.iter_mut().find(of_share).ok_or_else(StoreError::not_found)?;
    granted.windows.get_mut(&share.window.start).ok_or_else(StoreError::not_found)
}

/// Moves a fund's money between the pots of its yearly budget.
pub(super) fn move_budget(
    maker: &mut Maker<'_>,
    of: (&ProgrammeCode, &FundCode, BusinessDate),
    pots: (Pot, Pot),
    amount: i64,
    at: (Instant, &str),
) -> Result<(), StoreError> {
    if amount == 0 {
        return Ok(());
    }
    let (programme, fund, year) = (of.0.to_string(), of.1.to_string(), of.2.get().year());
    let moved: &mut Moved = maker.budgets.entry((programme.clone(), fund.clone(), year)).or_default();
    match pots {
        (Pot::Available, Pot::Held) => moved.held += amount,
        (Pot::Held, Pot::Available) => moved.held -= amount,
        (Pot::Held, Pot::Posted) => (moved.held, moved.posted) = (moved.held - amount, moved.posted + amount),
        (Pot::Issued | Pot::Available | Pot::Held | Pot::Posted | Pot::Expired, _) => return Err(domain::ledger::LedgerError::Range.into()),
    }
    moved.moves += 1;
    let purse = Purse::Budget { programme, fund, year };
    let transfer = move_units(&purse, Unit::Fen, pots, amount, at.1, BusinessDate::of(at.0))?;
    maker.transfer(at.0, &transfer)
}
