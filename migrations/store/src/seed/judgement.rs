//! A visit is judged as a live confirmation does: graded, divided again by what was delivered, adjudicated, posted.

use chrono::TimeDelta;
use domain::{
    access::Role,
    claim::{AdjustmentCode, ClaimLineDraft, ClaimLineState, Payable, adjudicate},
    event::Event,
    id::{ClaimLineId, PersonId},
    ledger::{Payer, Pot, recognise},
    money::Fen,
    policy::{FundCode, ProgrammeCode},
    time::{BusinessDate, Instant},
    visit::{Grade, Place, VisitEvidence, grade},
};

use super::{
    grant::change,
    home::Home,
    maker::{Maker, Step, Who},
    order::{Course, move_budget},
    price::Question,
};
use crate::{
    audit::row_hash,
    command::claim::{DecideHeldClaim, bureau_of, delivered_use, payers},
    convert,
    entity::claim_line,
    error::StoreError,
    holds::fact,
    pricing::stored_parts,
    write::Command as _,
};

/// What led to the judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmed {
    Family,
    Deadline,
    Decided,
    Rejected,
}

/// What is used of a hold.
pub(super) struct Used<'a> {
    pub(super) units: i64,
    pub(super) uses: i64,
    pub(super) split: &'a [(FundCode, Fen)],
}

/// Of a thousand held lines, how many are decided in favour of the provider.
const PAID_PERMILLE: u32 = 800;

/// Judges a confirmed visit.
pub(super) fn judge(
    maker: &mut Maker<'_>,
    course: &mut Course<'_>,
    home: &mut Home<'_>,
    evidence: &[VisitEvidence],
    how: (Instant, Who, &'static str, Confirmed),
) -> Result<(), StoreError> {
    let (at, who, command, confirmed) = how;
    let graded = grade_visit(course, home, evidence, confirmed)?;
    let reference = maker.world.store.reference();
    let day = BusinessDate::of(course.order.starts_at);
    let item = reference.catalogue.item(course.quoted.priced.item, day).ok_or(domain::order::OrderError::NotOffered)?;
    let delivered = delivered_use(item, (course.visit.actual_start, course.visit.actual_end), &course.quoted.priced)?;
    let own = Some((course.order.id, course.holds.as_slice()));
    let actual = Question { priced: &delivered, at, programmes: course.quoted.programmes.as_ref(), own }.split(maker, home)?;
    let rejected = confirmed == Confirmed::Rejected;
    let judged = adjudicate(&course.quoted.split, &actual, if rejected { Payable::Void } else { graded.payable() })?;
    let unproven = confirmed == Confirmed::Deadline && graded == Grade::D;
    let family = if rejected || unproven { Fen::ZERO } else { judged.family };
    let step = maker.step(at, who, command);
    for line in &judged.lines {
        write_line(maker, course, home, &step, (line, actual.gross, family))?;
    }
    let posted: Vec<_> = judged.lines.iter().filter(|line| line.state == ClaimLineState::Posted).flat_map(payers).collect();
    let parties = (home.id, course.booking.seat.provider);
    maker.transfer(at, &recognise(course.id, parties, &posted, family, "confirmation", day)?)
}

fn grade_visit(course: &mut Course<'_>, home: &Home<'_>, evidence: &[VisitEvidence], confirmed: Confirmed) -> Result<Grade, StoreError> {
    let place = Place::at(home.plan.home);
    let family_confirmed = confirmed == Confirmed::Family;
    let graded: Vec<_> = evidence.iter().map(|one| grade(&VisitEvidence { family_confirmed, ..*one }, &place)).collect();
    let worst = graded.iter().map(|(grade, _)| *grade).max().unwrap_or(Grade::D);
    let reasons: Vec<Vec<String>> = graded.iter().map(|(_, reasons)| reasons.iter().map(ToString::to_string).collect()).collect();
    course.visit.grade = Some(worst.to_string().to_ascii_lowercase());
    course.visit.grade_reasons = Some(convert::to_json("visit", &reasons)?);
    Ok(worst)
}

fn write_line(
    maker: &mut Maker<'_>,
    course: &mut Course<'_>,
    home: &mut Home<'_>,
    step: &Step,
    what: (&ClaimLineDraft, Fen, Fen),
) -> Result<(), StoreError> {
    let (line, gross, family) = what;
    let own = |held: &crate::entity::hold::Model| {
        held.programme == line.programme.as_str() && held.benefit == line.benefit.as_str() && held.window_start == line.window.start.get()
    };
    let Some(place) = course.holds.iter().position(own) else { return Ok(()) };
    if line.state != ClaimLineState::Held {
        settle(maker, course, home, (place, step.at), &Used { units: line.units_posted, uses: line.count, split: &line.split })?;
    }
    let hold_id = course.holds.get(place).map(|held| held.id).ok_or_else(StoreError::not_found)?;
    let service_on = BusinessDate::of(course.order.starts_at);
    let id: ClaimLineId = maker.id(step.at);
    let row = claim_line::Model {
        id: id.uuid(),
        order_id: course.order.id,
        visit_id: course.visit.id,
        hold_id,
        resident_id: course.order.resident_id,
        provider_id: course.order.provider_id,
        bureau: bureau_of(home.plan.residence).to_string(),
        programme: line.programme.to_string(),
        policy_version: line.version.clone(),
        benefit: line.benefit.to_string(),
        gross_fen: gross.get(),
        quoted_fen: line.subsidy_quoted.get(),
        subsidy_fen: line.subsidy.get(),
        family_fen: family.get(),
        units: line.units_due,
        uses: line.count,
        split: convert::to_json("claim_line", &line.split)?,
        codes: convert::to_json("claim_line", &line.codes)?,
        state: line.state.to_string(),
        service_on: service_on.get(),
        service_month: service_on.month().to_string(),
        period_id: None,
        adjudicated_at: step.at,
        decided_by: None,
        version: 1,
    };
    maker.event(step, &Event::ClaimAdjudicated { claim: id, order: course.id, subsidy: line.subsidy })?;
    maker.audit(step, &id, (None, Some(row_hash(&row))))?;
    let row = if line.state == ClaimLineState::Held { decide_held(maker, course, home, (place, id), row, line)? } else { row };
    maker.push(row)
}

/// Another person decides what weak evidence held up, a few days later.
fn decide_held(
    maker: &mut Maker<'_>,
    course: &mut Course<'_>,
    home: &mut Home<'_>,
    of: (usize, ClaimLineId),
    row: claim_line::Model,
    line: &ClaimLineDraft,
) -> Result<claim_line::Model, StoreError> {
    let approver = maker.world.plan.staff.approver;
    let at = row.adjudicated_at + TimeDelta::minutes(maker.draw.between(24 * 60, 4 * 24 * 60));
    let pay = maker.draw.chance(PAID_PERMILLE);
    if !maker.is_past(at) {
        return Ok(row);
    }
    let step = maker.step(at, Who::Person(approver, Role::Approver), DecideHeldClaim::NAME);
    let split: Vec<(FundCode, Fen)> = if pay { line.split.clone() } else { Vec::new() };
    let subsidy = Fen::sum(split.iter().map(|(_, part)| *part))?;
    let (units, uses) = if pay { (row.units, row.uses) } else { (0, 0) };
    settle(maker, course, home, (of.0, at), &Used { units, uses, split: &split })?;
    let mut codes = line.codes.clone();
    if !pay {
        codes.push(AdjustmentCode::EvidenceMissing);
    }
    let next = claim_line::Model {
        state: if pay { ClaimLineState::Posted } else { ClaimLineState::Voided }.to_string(),
        subsidy_fen: subsidy.get(),
        split: convert::to_json("claim_line", &split)?,
        codes: convert::to_json("claim_line", &codes)?,
        units,
        uses,
        decided_by: Some(PersonId::uuid(approver)),
        version: row.version + 1,
        ..row.clone()
    };
    let owed: Vec<_> = split.iter().map(|(fund, part)| (payer(&line.programme, fund), *part)).collect();
    let parties = (home.id, course.booking.seat.provider);
    maker.transfer(at, &recognise(course.id, parties, &owed, Fen::ZERO, &of.1.to_string(), convert::date(row.service_on))?)?;
    maker.event(&step, &Event::HeldClaimDecided { claim: of.1, paid: pay })?;
    maker.audit(&step, &of.1, (Some(row_hash(&row)), Some(row_hash(&next))))?;
    Ok(next)
}

fn payer(programme: &ProgrammeCode, fund: &FundCode) -> Payer {
    Payer::Fund { programme: programme.to_string(), fund: fund.to_string() }
}

/// Settles a hold: posts what was used and gives the rest back.
pub(super) fn settle(
    maker: &mut Maker<'_>,
    course: &mut Course<'_>,
    home: &mut Home<'_>,
    which: (usize, Instant),
    used: &Used<'_>,
) -> Result<(), StoreError> {
    let (place, at) = which;
    let Some(row) = course.holds.get_mut(place).filter(|row| row.state == "held") else { return Ok(()) };
    let fact = fact(course.id, &row.programme, &row.benefit);
    let windows = home.grants.iter_mut().flat_map(|granted| granted.windows.values_mut());
    let window = windows.into_iter().find(|window| window.id == row.window_id).ok_or_else(StoreError::not_found)?;
    if used.units > 0 {
        change(maker, window, (Pot::Held, Pot::Posted), used.units, (at, &fact))?;
    }
    if row.units > used.units {
        change(maker, window, (Pot::Held, Pot::Available), row.units - used.units, (at, &fact))?;
    }
    let programme: ProgrammeCode = convert::code("hold", "programme", &row.programme)?;
    let mut posted_fen = 0;
    for (fund, reserved) in stored_parts(row)? {
        let paid = used.split.iter().find(|(other, _)| *other == fund).map_or(0, |(_, part)| part.get());
        let of = (&programme, &fund, convert::date(row.service_on));
        let fact = format!("{fact}/{}", row.window_start);
        if paid > reserved {
            move_budget(maker, of, (Pot::Available, Pot::Held), paid - reserved, (at, &format!("{fact}/more")))?;
        }
        move_budget(maker, of, (Pot::Held, Pot::Posted), paid, (at, &fact))?;
        move_budget(maker, of, (Pot::Held, Pot::Available), (reserved - paid).max(0), (at, &fact))?;
        posted_fen += paid;
    }
    let is_used = used.units > 0 || posted_fen > 0;
    if is_used { "posted" } else { "voided" }.clone_into(&mut row.state);
    (row.posted_units, row.posted_fen, row.uses, row.version) = (used.units, posted_fen, used.uses, row.version + 1);
    let (order, programme, benefit) = (row.order_id, programme, row.benefit.clone());
    for own in
        home.uses.iter_mut().filter(|own| own.order == order && own.key.programme == programme && own.key.benefit.as_str() == benefit)
    {
        (own.count, own.voided) = (used.uses, !is_used);
    }
    Ok(())
}
