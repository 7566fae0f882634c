//! Entitlements that run already, with what was used of their present window.
//!
//! The rules of the version in force today decide them anew: a sheet cannot grant what the policy refuses.

use std::collections::BTreeMap;

use domain::{
    access::Object,
    application::{ApplicationState, ApplicationTrigger},
    eligibility::{BenefitGrant, Decision, decide},
    entitlement::window_amount,
    event::Event,
    id::{ApplicationId, DecisionId, EntitlementId, PersonId, ResidentId},
    ledger::Pot,
    onboarding::{OPENING_COLUMNS, OpeningRow, read_opening},
    sheet::{Entry, Grid},
    state::StateMachine as _,
    time::{BusinessDate, Window},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, Set};

use super::{Decided, TakeOver, residents};
use crate::{
    command::{application, entitlement as entitlements, policy},
    convert,
    entity::{application as application_row, decision, entitlement, entitlement_window, opening_use, resident},
    error::StoreError,
};

fn key(row: &OpeningRow) -> String {
    format!("{}/{}/{}", residents::person_key(&row.document, &row.number), row.programme, row.benefit)
}

/// A row that may be taken over.
struct Opening {
    resident: resident::Model,
    decided: Decision,
    grant: BenefitGrant,
    used: i64,
}

pub(super) async fn take(over: &mut TakeOver<'_>, grid: &Grid, decided: Decided) -> Result<(), StoreError> {
    let mut decisions = BTreeMap::new();
    for (key, entry) in over.read(grid, OPENING_COLUMNS, read_opening, ("number", key)) {
        if !over.is_new("number", &key, &entry).await? {
            continue;
        }
        let Some(opening) = check(over, &entry).await? else { continue };
        match decided {
            Decided::NotYet => over.new += 1,
            Decided::By(approver) => {
                let of = (opening.resident.id, entry.value.programme.clone());
                let decision = match decisions.get(&of) {
                    Some(decision) => *decision,
                    None => keep_decision(over, &opening, &entry.value, approver).await?,
                };
                decisions.insert(of, decision);
                open(over, &opening, &entry.value, decision).await?;
                over.remember(&key, &entry).await?;
            }
        }
    }
    Ok(())
}

/// Looks whether the register and the policy allow a row; notes what does not.
async fn check(over: &mut TakeOver<'_>, entry: &Entry<OpeningRow>) -> Result<Option<Opening>, StoreError> {
    let (tx, row, line) = (over.tx, &entry.value, entry.line);
    let today = tx.today();
    let found = residents::find(over, &residents::person_key(&row.document, &row.number)).await?;
    let Some(resident) = found.filter(|resident| within_reach(over, resident)) else {
        over.refuse(line, "number", "no resident within your reach has this number", "register the residents first");
        return Ok(None);
    };
    let book = tx.reference.policies(tx.db).await?;
    let Some(policy) = book.in_force(&row.programme, today) else {
        over.refuse(line, "programme", "no version of this programme is in force today", "publish the policy version first");
        return Ok(None);
    };
    let Some(benefit) = policy.benefit(&row.benefit) else {
        let known: Vec<String> = policy.benefits().iter().map(|benefit| benefit.code().to_string()).collect();
        over.refuse(line, "benefit", "the programme has no such benefit", format!("write one of {}", known.join(", ")));
        return Ok(None);
    };
    if row.effective_from > today {
        over.refuse(line, "effective_from", "the entitlement has not begun", "leave it to an application");
        return Ok(None);
    }
    if is_running(over, &resident, row).await? {
        over.refuse(line, "benefit", "the resident has this entitlement already", "remove the row");
        return Ok(None);
    }
    let facts = application::facts_on(tx, &resident, today, None).await?;
    let decided = decide(policy, &facts, today, &tx.reference.calendar)?;
    let Some(grant) = decided.grant(&row.benefit).cloned() else {
        let refused =
            decided.refused.iter().find(|refusal| refusal.benefit == row.benefit).map_or(&decided.reasons, |refusal| &refusal.reasons);
        let reasons: Vec<String> = refused.iter().map(ToString::to_string).collect();
        let message = format!("{} {} refuses it: {}", decided.programme, decided.version, reasons.join(", "));
        over.refuse(line, "benefit", message, "correct the resident's facts, or remove the row");
        return Ok(None);
    };
    let window = Window::holding(benefit.window(), today)?;
    let granted = window_amount(policy, &grant, &window)?;
    let Some(used) = (if grant.unit == domain::catalogue::Unit::Fen { Some(row.used.fen()) } else { row.used.units() }) else {
        over.refuse(line, "used", format!("a part of one of {} was given", grant.unit), "write a whole number");
        return Ok(None);
    };
    if used > granted {
        let message = format!("{used} {} are more than the {granted} that the window grants", grant.unit);
        over.refuse(line, "used", message, "write what was used of the present window alone");
        return Ok(None);
    }
    Ok(Some(Opening { resident, decided, grant, used }))
}

fn within_reach(over: &TakeOver<'_>, resident: &resident::Model) -> bool {
    let division = resident.residence_division.parse().ok();
    over.tx.permit(over.action(), &Object { division, ..Object::default() }).is_ok()
}

async fn is_running(over: &TakeOver<'_>, resident: &resident::Model, row: &OpeningRow) -> Result<bool, StoreError> {
    let running = Condition::any()
        .add(entitlement::Column::EffectiveUntil.is_null())
        .add(entitlement::Column::EffectiveUntil.gt(over.tx.today().get()));
    let found = entitlement::Entity::find()
        .filter(entitlement::Column::ResidentId.eq(resident.id))
        .filter(entitlement::Column::Programme.eq(row.programme.as_str()))
        .filter(entitlement::Column::Benefit.eq(row.benefit.as_str()))
        .filter(running)
        .one(over.tx.db)
        .await?;
    Ok(found.is_some())
}

/// The application and decision on which the entitlements rest: handed in by the clerk, approved by another person.
async fn keep_decision(over: &TakeOver<'_>, opening: &Opening, row: &OpeningRow, approver: PersonId) -> Result<DecisionId, StoreError> {
    let tx = over.tx;
    let application: ApplicationId = tx.id();
    let carried = application_row::Model {
        id: application.uuid(),
        resident_id: opening.resident.id,
        programme: row.programme.to_string(),
        state: ApplicationState::Filed.on(ApplicationTrigger::TakeOver)?.to.to_string(),
        applied_on: row.effective_from.get(),
        filed_by: over.clerk.uuid(),
        accepted_by: None,
        reviewed_by: Some(over.clerk.uuid()),
        approved_by: Some(approver.uuid()),
        notice_ends_on: None,
        owner_role: None,
        deadline_on: None,
        created_at: tx.now(),
        version: 1,
    };
    application_row::Entity::insert(carried.clone().into_active_model()).exec_without_returning(tx.db).await?;
    tx.emit(Event::ApplicationFiled {
        application,
        resident: ResidentId::from_uuid(carried.resident_id),
        programme: row.programme.to_string(),
    });
    tx.emit(Event::ApplicationMoved { application, to: ApplicationState::Effective });
    tx.record(&application, None, Some(&carried));
    let id: DecisionId = tx.id();
    let version = policy::version_row(tx, &opening.decided.programme, &opening.decided.version).await?;
    let kept = decision::ActiveModel {
        id: Set(id.uuid()),
        application_id: Set(application.uuid()),
        resident_id: Set(opening.resident.id),
        programme: Set(row.programme.to_string()),
        policy_version_id: Set(version.id),
        granted: Set(true),
        explanation_enc: Set(tx.seal_json("decision", "explanation_enc", id.uuid(), &opening.decided)?),
        effective_from: Set(Some(row.effective_from.get())),
        effective_until: Set(opening.decided.effective_until.map(BusinessDate::get)),
        decided_by: Set(approver.uuid()),
        decided_at: Set(tx.now()),
    };
    decision::Entity::insert(kept).exec_without_returning(tx.db).await?;
    Ok(id)
}

async fn open(over: &TakeOver<'_>, opening: &Opening, row: &OpeningRow, decision: DecisionId) -> Result<(), StoreError> {
    let tx = over.tx;
    let id = entitlements::open(tx, &opening.resident, decision, &opening.decided, &opening.grant, row.effective_from).await?;
    if opening.used == 0 {
        return Ok(());
    }
    let window = window_of(over, id).await?;
    // Used before these books began: reserved and posted at once, by the sheet instead of an order.
    let held = entitlements::change(tx, &window, (Pot::Available, Pot::Held), opening.used, "opening/hold").await?;
    entitlements::change(tx, &held, (Pot::Held, Pot::Posted), opening.used, "opening/post").await?;
    let used = opening_use::Model { window_id: window.id, units: opening.used, import_id: over.import.uuid() };
    opening_use::Entity::insert(used.into_active_model()).exec_without_returning(tx.db).await?;
    Ok(())
}

async fn window_of(over: &TakeOver<'_>, id: EntitlementId) -> Result<entitlement_window::Model, StoreError> {
    let found = entitlement_window::Entity::find().filter(entitlement_window::Column::EntitlementId.eq(id.uuid())).one(over.tx.db).await?;
    found.ok_or_else(|| convert::corrupt("entitlement_window", "entitlement_id", &"an entitlement that has begun has no window"))
}
