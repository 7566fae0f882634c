//! From the application to the windows: each step when it was due, as far as the present day has come.

use std::collections::BTreeMap;

use domain::{
    access::Role,
    application::{ApplicationState, ApplicationTrigger},
    catalogue::Unit,
    eligibility::{BenefitGrant, Decision, decide},
    entitlement::{Balance, BalanceParts, window_amount},
    event::Event,
    id::{ApplicationId, DecisionId, EntitlementId, EntitlementWindowId},
    ledger::{Pot, Purse, move_units},
    policy::{BenefitCode, Policy, ProgrammeCode},
    sample::at_minute,
    state::StateMachine as _,
    time::{BusinessDate, Instant, Window, WindowKind},
};

use super::{
    home::Home,
    maker::{Maker, Step, Who},
};
use crate::{
    audit::row_hash,
    command::{
        application::{
            AcceptApplication, DecideApplication, EndNotice, FileApplication, ObjectToApplication, ReopenApplication, ReviewApplication,
        },
        entitlement::{ExpireWindow, OpenWindow, window_code},
    },
    convert,
    entity::{application, decision, entitlement, entitlement_window, resident_review},
    error::StoreError,
    write::Command as _,
};

/// One entitlement with its windows.
pub(super) struct Granted {
    pub(super) programme: ProgrammeCode,
    pub(super) benefit: BenefitCode,
    pub(super) unit: Unit,
    pub(super) kind: WindowKind,
    pub(super) from: BusinessDate,
    pub(super) until: Option<BusinessDate>,
    /// When it was recorded: nobody could use it before.
    pub(super) since: Instant,
    pub(super) windows: BTreeMap<BusinessDate, entitlement_window::Model>,
}

/// Of a thousand who may have a programme, how many have applied for it.
const APPLY_PERMILLE: u32 = 820;
/// Of a thousand who may not, how many have tried.
const TRY_PERMILLE: u32 = 15;
/// Of a thousand applications, how many were filed in the last weeks.
const LATE_PERMILLE: u32 = 60;

/// Applies for the programmes that the resident may have, and sees each application through as far as it has come.
pub(super) fn apply_for_all(maker: &mut Maker<'_>, home: &mut Home<'_>) -> Result<(), StoreError> {
    let book = std::sync::Arc::clone(&maker.world.book);
    let programmes: Vec<ProgrammeCode> = book.programmes().cloned().collect();
    for programme in programmes {
        let late = maker.draw.chance(LATE_PERMILLE);
        let after = if late {
            maker.today().minus_days(u64::from(maker.draw.below(25)))?
        } else {
            BusinessDate::of(home.settled_in).plus_days(1 + u64::from(maker.draw.below(14)))?
        };
        let Some(policy) = book.in_force(&programme, after) else { continue };
        let filed = at_minute(after, 9 * 60 + maker.draw.between(0, 420)).max(home.settled_in);
        let granted = decide_on(maker, home, policy, after, Some(after))?.granted;
        let applies = maker.draw.chance(if granted { APPLY_PERMILLE } else { TRY_PERMILLE });
        if applies && maker.is_past(filed) {
            Application::file(maker, home, &programme, filed)?.see_through(maker, home)?;
        }
    }
    Ok(())
}

/// The answer of the rules about a resident on a day.
pub(super) fn decide_on(
    maker: &Maker<'_>,
    home: &Home<'_>,
    policy: &Policy,
    day: BusinessDate,
    applied_on: Option<BusinessDate>,
) -> Result<Decision, StoreError> {
    let facts = home.ground.facts_on(day, applied_on);
    Ok(decide(policy, &facts, day, &maker.world.store.reference().calendar)?)
}

struct Application {
    id: ApplicationId,
    row: application::Model,
    programme: ProgrammeCode,
}

impl Application {
    fn file(maker: &mut Maker<'_>, home: &Home<'_>, programme: &ProgrammeCode, at: Instant) -> Result<Self, StoreError> {
        let id: ApplicationId = maker.id(at);
        let filed_by = home.agent.person().ok_or_else(StoreError::not_found)?;
        let step = maker.step(at, home.agent, FileApplication::NAME);
        let row = application::Model {
            id: id.uuid(),
            resident_id: home.id.uuid(),
            programme: programme.to_string(),
            state: ApplicationState::INITIAL.to_string(),
            applied_on: BusinessDate::of(at).get(),
            filed_by: filed_by.uuid(),
            accepted_by: None,
            reviewed_by: None,
            approved_by: None,
            notice_ends_on: None,
            owner_role: None,
            deadline_on: None,
            created_at: at,
            version: 0,
        };
        let mut filed = Self { id, row, programme: programme.clone() };
        filed.enter(maker, at, ApplicationState::INITIAL)?;
        maker.event(&step, &Event::ApplicationFiled { application: id, resident: home.id, programme: programme.to_string() })?;
        maker.audit(&step, &id, (None, Some(row_hash(&filed.row))))?;
        Ok(filed)
    }

    /// Owner and deadline of a state.
    fn enter(&mut self, maker: &Maker<'_>, at: Instant, state: ApplicationState) -> Result<(), StoreError> {
        let calendar = &maker.world.store.reference().calendar;
        self.row.owner_role = state.waits_for().map(|(role, _)| role.to_string());
        self.row.deadline_on = state.deadline(BusinessDate::of(at), calendar)?.map(BusinessDate::get);
        self.row.state = state.to_string();
        self.row.version += 1;
        Ok(())
    }

    /// Takes a step if its time has come: changes the row, leaves event and audit row.
    fn take(
        &mut self,
        maker: &mut Maker<'_>,
        step: &Step,
        trigger: ApplicationTrigger,
        change: impl FnOnce(&mut application::Model),
    ) -> Result<bool, StoreError> {
        if !maker.is_past(step.at) {
            return Ok(false);
        }
        let before = row_hash(&self.row);
        let state: ApplicationState = convert::code("application", "state", &self.row.state)?;
        let to = state.on(trigger)?.to;
        change(&mut self.row);
        self.enter(maker, step.at, to)?;
        maker.event(step, &Event::ApplicationMoved { application: self.id, to })?;
        maker.audit(step, &self.id, (Some(before), Some(row_hash(&self.row))))?;
        Ok(true)
    }

    /// Takes the steps up to the present day, each some working days after the one before.
    fn see_through(mut self, maker: &mut Maker<'_>, home: &mut Home<'_>) -> Result<(), StoreError> {
        let mut decisions = Vec::new();
        let granted = self.walk(maker, home, &mut decisions)?;
        maker.push(self.row)?;
        for row in decisions {
            maker.push(row)?;
        }
        if let Some((at, decision, decided)) = granted {
            let last = convert::date(BusinessDate::of(at).get());
            let from = decided.effective_from.map_or(last, |day| day.max(last));
            for grant in &decided.benefits {
                open(maker, home, (at, decision), &decided, grant, from)?;
            }
        }
        Ok(())
    }

    /// Answers when the entitlements begin, and from which decision, if they do.
    fn walk(
        &mut self,
        maker: &mut Maker<'_>,
        home: &Home<'_>,
        decisions: &mut Vec<decision::Model>,
    ) -> Result<Option<(Instant, DecisionId, Decision)>, StoreError> {
        let staff = maker.world.plan.staff;
        let at = later(maker, self.row.created_at, 1)?;
        let step = maker.step(at, Who::Person(staff.community_worker, Role::CommunityWorker), AcceptApplication::NAME);
        if !self.take(maker, &step, ApplicationTrigger::Accept, |row| row.accepted_by = Some(staff.community_worker.uuid()))? {
            return Ok(None);
        }
        let at = later(maker, at, 2)?;
        let step = maker.step(at, Who::Person(staff.street_clerk, Role::StreetClerk), ReviewApplication::NAME);
        if !self.take(maker, &step, ApplicationTrigger::Review, |row| row.reviewed_by = Some(staff.street_clerk.uuid()))? {
            return Ok(None);
        }
        let mut at = later(maker, at, 2)?;
        // Some neighbour objects in one of seventy notices; the county looks into it and decides again.
        let mut objected = maker.draw.chance(15);
        loop {
            let Some((decision, decided, notice_ends)) = self.decide(maker, home, at, decisions)? else { return Ok(None) };
            if !objected {
                let over = at_minute(notice_ends.plus_days(1)?, 1);
                let step = maker.step(over, Who::System("end_notices"), EndNotice::NAME);
                let ended = self.take(maker, &step, ApplicationTrigger::EndNotice, |_row| {})?;
                return Ok(ended.then_some((over, decision, decided)));
            }
            objected = false;
            let against = later(maker, at, 1)?;
            let step = maker.step(against, Who::Person(staff.community_worker, Role::CommunityWorker), ObjectToApplication::NAME);
            if !self.take(maker, &step, ApplicationTrigger::Object, |row| row.notice_ends_on = None)? {
                return Ok(None);
            }
            let reopened = later(maker, against, 4)?;
            let step = maker.step(reopened, Who::Person(staff.county_clerk, Role::CountyClerk), ReopenApplication::NAME);
            if !self.take(maker, &step, ApplicationTrigger::Reopen, |row| row.approved_by = None)? {
                return Ok(None);
            }
            at = later(maker, reopened, 1)?;
        }
    }

    /// The county's decision: what the rules say on that day. Answers the last day of the public notice of a grant.
    fn decide(
        &mut self,
        maker: &mut Maker<'_>,
        home: &Home<'_>,
        at: Instant,
        decisions: &mut Vec<decision::Model>,
    ) -> Result<Option<(DecisionId, Decision, BusinessDate)>, StoreError> {
        let (approver, day) = (maker.world.plan.staff.approver, BusinessDate::of(at));
        let book = std::sync::Arc::clone(&maker.world.book);
        let Some(policy) = book.in_force(&self.programme, day).filter(|_| maker.is_past(at)) else { return Ok(None) };
        let decided = decide_on(maker, home, policy, day, Some(convert::date(self.row.applied_on)))?;
        let last = maker.world.store.reference().calendar.add_working_days(day, policy.notice_working_days())?;
        let step = maker.step(at, Who::Person(approver, Role::Approver), DecideApplication::NAME);
        let id: DecisionId = maker.id(at);
        let version = (decided.programme.to_string(), decided.version.clone());
        decisions.push(decision::Model {
            id: id.uuid(),
            application_id: self.id.uuid(),
            resident_id: home.id.uuid(),
            programme: self.row.programme.clone(),
            policy_version_id: maker.world.versions.get(&version).copied().ok_or_else(StoreError::not_found)?,
            granted: decided.granted,
            explanation_enc: maker.seal_json("decision", "explanation_enc", id.uuid(), &decided)?,
            effective_from: decided.effective_from.map(BusinessDate::get),
            effective_until: decided.effective_until.map(BusinessDate::get),
            decided_by: approver.uuid(),
            decided_at: at,
        });
        maker.event(&step, &Event::EligibilityDecided { decision: id, application: self.id, granted: decided.granted })?;
        let trigger = if decided.granted { ApplicationTrigger::Approve } else { ApplicationTrigger::Refuse };
        let notice = decided.granted.then_some(last.get());
        self.take(maker, &step, trigger, |row| {
            row.approved_by = Some(approver.uuid());
            row.notice_ends_on = notice;
        })?;
        Ok(decided.granted.then_some((id, decided, last)))
    }
}

/// Some working days later, in office hours.
fn later(maker: &mut Maker<'_>, at: Instant, working_days: u32) -> Result<Instant, StoreError> {
    let day = maker.world.store.reference().calendar.add_working_days(BusinessDate::of(at), working_days)?;
    Ok(at_minute(day, 9 * 60 + maker.draw.between(0, 470)))
}

/// Opens the right to one benefit, and every window of it that has begun by now.
fn open(
    maker: &mut Maker<'_>,
    home: &mut Home<'_>,
    by: (Instant, DecisionId),
    decided: &Decision,
    grant: &BenefitGrant,
    from: BusinessDate,
) -> Result<(), StoreError> {
    let (at, decision) = by;
    let id: EntitlementId = maker.id(at);
    let row = entitlement::Model {
        id: id.uuid(),
        decision_id: decision.uuid(),
        resident_id: home.id.uuid(),
        programme: decided.programme.to_string(),
        benefit: grant.benefit.to_string(),
        unit: grant.unit.to_string(),
        window_kind: window_code(grant.window),
        effective_from: from.get(),
        effective_until: decided.effective_until.map(BusinessDate::get),
        ended_as: None,
        created_at: at,
        version: 1,
    };
    let step = maker.step(at, Who::System("end_notices"), EndNotice::NAME);
    maker.event(&step, &Event::EntitlementOpened { entitlement: id, resident: home.id })?;
    maker.audit(&step, &id, (None, Some(row_hash(&row))))?;
    maker.push(row.clone())?;
    let mut granted = Granted {
        programme: decided.programme.clone(),
        benefit: grant.benefit.clone(),
        unit: grant.unit,
        kind: grant.window,
        from,
        until: decided.effective_until,
        since: at,
        windows: BTreeMap::new(),
    };
    let mut day = from;
    while day <= maker.today() {
        let window = Window::holding(granted.kind, day)?;
        if granted.until.is_none_or(|until| day < until) {
            open_window(maker, home, &mut granted, &row, (window, day))?;
        }
        let Some(next) = window.end else { break };
        day = next;
    }
    home.grants.push(granted);
    Ok(())
}

/// Opens a window on a day of it, if the rules grant something on that day.
fn open_window(
    maker: &mut Maker<'_>,
    home: &Home<'_>,
    granted: &mut Granted,
    of: &entitlement::Model,
    when: (Window, BusinessDate),
) -> Result<(), StoreError> {
    let (window, day) = when;
    let book = std::sync::Arc::clone(&maker.world.book);
    let Some(policy) = book.in_force(&granted.programme, day) else { return Ok(()) };
    let decided = decide_on(maker, home, policy, day, None)?;
    let same_form = |grant: &&BenefitGrant| grant.unit == granted.unit && grant.window == granted.kind;
    let amount = match decided.grant(&granted.benefit).filter(same_form) {
        Some(grant) => window_amount(policy, grant, &window)?,
        None => 0,
    };
    if amount <= 0 {
        return Ok(());
    }
    let at = at_minute(day, 1).max(granted.since);
    let id: EntitlementWindowId = maker.id(at);
    let row = entitlement_window::Model {
        id: id.uuid(),
        entitlement_id: of.id,
        resident_id: of.resident_id,
        programme: of.programme.clone(),
        benefit: of.benefit.clone(),
        unit: of.unit.clone(),
        window_start: window.start.get(),
        window_end: window.end.map(BusinessDate::get),
        granted: amount,
        held: 0,
        posted: 0,
        expired: 0,
        state: "open".to_owned(),
        version: 1,
    };
    let moved = move_units(&Purse::Window(id), granted.unit, (Pot::Issued, Pot::Available), amount, "grant/1", window.start)?;
    maker.transfer(at, &moved)?;
    let step = maker.step(at, Who::System("open_windows"), OpenWindow::NAME);
    maker.event(&step, &Event::WindowOpened { window: id, entitlement: EntitlementId::from_uuid(of.id) })?;
    maker.audit(&step, &id, (None, Some(row_hash(&row))))?;
    granted.windows.insert(window.start, row);
    Ok(())
}

/// The balance of a window, checked.
pub(super) fn balance(row: &entitlement_window::Model) -> Result<Balance, StoreError> {
    Ok(Balance::try_from(BalanceParts { granted: row.granted, held: row.held, posted: row.posted, expired: row.expired })?)
}

/// Moves units of a window between pots: in its row and in the ledger.
pub(super) fn change(
    maker: &mut Maker<'_>,
    row: &mut entitlement_window::Model,
    pots: (Pot, Pot),
    units: i64,
    of: (Instant, &str),
) -> Result<(), StoreError> {
    let before = balance(row)?;
    let after = match pots {
        (Pot::Available, Pot::Held) => before.hold(units)?,
        (Pot::Held, Pot::Posted) => before.post(units, units)?,
        (Pot::Held, Pot::Available) => before.void(units)?,
        (Pot::Available, Pot::Expired) => before.expire()?,
        (Pot::Issued | Pot::Available | Pot::Held | Pot::Posted | Pot::Expired, _) => return Err(domain::ledger::LedgerError::Range.into()),
    };
    let BalanceParts { granted, held, posted, expired } = after.parts();
    (row.granted, row.held, row.posted, row.expired, row.version) = (granted, held, posted, expired, row.version + 1);
    let unit: Unit = convert::code("entitlement_window", "unit", &row.unit)?;
    let purse = Purse::Window(EntitlementWindowId::from_uuid(row.id));
    let transfer = move_units(&purse, unit, pots, units, of.1, convert::date(row.window_start))?;
    maker.transfer(of.0, &transfer)
}

/// Lets what ended windows have left lapse, and keeps all windows of the resident. Grounds are looked at again when the
/// assessment lapses.
pub(super) fn close_windows(maker: &mut Maker<'_>, home: Home<'_>) -> Result<(), StoreError> {
    let today = maker.today();
    if !home.grants.is_empty() {
        let (due_on, reviewed_on) = (home.assessment.valid_until().get(), Some(today.get()));
        maker.push(resident_review::Model { resident_id: home.id.uuid(), due_on, reviewed_on })?;
    }
    for granted in home.grants {
        for mut row in granted.windows.into_values() {
            let left = balance(&row)?.available();
            if let Some(end) = row.window_end.map(convert::date).filter(|end| *end <= today && left > 0) {
                let at = at_minute(end, 1);
                let fact = format!("expire/{}", row.version);
                change(maker, &mut row, (Pot::Available, Pot::Expired), left, (at, &fact))?;
                let step = maker.step(at, Who::System("expire_windows"), ExpireWindow::NAME);
                maker.event(&step, &Event::WindowExpired { window: EntitlementWindowId::from_uuid(row.id) })?;
            }
            maker.push(row)?;
        }
    }
    maker.forget_streams();
    Ok(())
}
