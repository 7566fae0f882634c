//! Entitlements decided anew.
//!
//! When something else is known of a resident, when a new version of the rules begins, or when a day comes on which
//! either is so by itself, every entitlement of the resident is looked at by the version in force: it stops, rests,
//! begins again or gives another amount from the day that the file says. Each change keeps the decision with every
//! rule that was tried.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Action,
    eligibility::{Decision, Reason, decide},
    entitlement::{Ceased, Consequence, EntitlementChange, Present, Standing, review},
    event::Event,
    id::{EntitlementId, EntitlementReviewId, PolicyVersionId, ResidentId},
    policy::{BenefitCode, EndRule, Policy, PolicyBook, ProgrammeCode},
    time::BusinessDate,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
    sea_query::{Expr, OnConflict, Query},
};

use crate::{
    command::{policy, resident},
    convert,
    entity::{self, decision, entitlement, entitlement_review, policy_version, resident_review},
    error::StoreError,
    ground::Ground,
    tx::Tx,
    write::Command,
};

/// How far ahead the next look is planned at most.
const AHEAD_MONTHS: u32 = 24;

/// Looks at all entitlements of a resident again. Looking twice changes nothing.
#[derive(Debug, Clone)]
pub struct ReviewEntitlements {
    /// The resident.
    pub resident: ResidentId,
}

impl Command for ReviewEntitlements {
    type Output = usize;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "review_entitlements";

    async fn run(&self, tx: &Tx<'_>) -> Result<usize, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        let rows = latest(tx, self.resident).await?;
        let book = tx.reference.policies(tx.db).await?;
        let reviewing = Reviewing { tx, ground: Ground::of(tx, &resident).await?, book: &book };
        let mut changed = 0;
        for row in &rows {
            if let Some((consequence, decided, ceased_on)) = reviewing.look(row).await? {
                reviewing.apply(row, consequence, &decided, ceased_on).await?;
                changed += 1;
            }
        }
        reviewing.plan(self.resident, &rows).await?;
        Ok(changed)
    }
}

/// Of several entitlements to one benefit the latest speaks.
async fn latest(tx: &Tx<'_>, resident: ResidentId) -> Result<Vec<entitlement::Model>, StoreError> {
    let rows = entitlement::Entity::find()
        .filter(entitlement::Column::ResidentId.eq(resident.uuid()))
        .order_by_asc(entitlement::Column::EffectiveFrom)
        .order_by_asc(entitlement::Column::Id)
        .all(tx.db)
        .await?;
    let by_benefit: BTreeMap<_, _> = rows.into_iter().map(|row| ((row.programme.clone(), row.benefit.clone()), row)).collect();
    Ok(by_benefit.into_values().collect())
}

/// How an entitlement stands.
pub(crate) fn standing(row: &entitlement::Model) -> Result<Standing, StoreError> {
    row.ended_as.as_deref().map_or(Ok(Standing::Running), |code| convert::code("entitlement", "ended_as", code))
}

/// The version in force on a day; for a programme that has ended its last version, which then refuses.
fn rules_on<'b>(book: &'b PolicyBook, programme: &ProgrammeCode, day: BusinessDate) -> Option<&'b Policy> {
    book.in_force(programme, day).or_else(|| book.versions(programme).last())
}

struct Reviewing<'a> {
    tx: &'a Tx<'a>,
    ground: Ground,
    book: &'a PolicyBook,
}

impl Reviewing<'_> {
    fn decided(&self, programme: &ProgrammeCode, day: BusinessDate) -> Result<Option<(&Policy, Decision)>, StoreError> {
        let Some(rules) = rules_on(self.book, programme, day) else { return Ok(None) };
        let decided = decide(rules, &self.ground.facts_on(day, None), day, &self.tx.reference.calendar)?;
        Ok(Some((rules, decided)))
    }

    /// What follows for one entitlement, with the decision and the day on which its grounds ceased.
    async fn look(&self, row: &entitlement::Model) -> Result<Option<(Consequence, Decision, Option<BusinessDate>)>, StoreError> {
        let programme: ProgrammeCode = convert::code("entitlement", "programme", &row.programme)?;
        let benefit: BenefitCode = convert::code("entitlement", "benefit", &row.benefit)?;
        let today = self.tx.today();
        let Some((rules, decided)) = self.decided(&programme, today)? else { return Ok(None) };
        let last = last_decision(self.tx, row).await?;
        let Some(granted) = last.grant(&benefit) else {
            return Err(StoreError::Corrupt { table: "entitlement", why: "its last decision does not grant it".to_owned() });
        };
        let standing = standing(row)?;
        let (from, until) = (convert::date(row.effective_from), row.effective_until.map(convert::date));
        let present = Present { standing, from, until, granted };
        let reasons = reasons(&decided, &benefit);
        let ceased_on = if decided.grant(&benefit).is_some() { None } else { Some(self.ceased_on(&programme, &benefit, from)?) };
        let found = match (decided.grant(&benefit), ceased_on) {
            (Some(grant), _) => Ok(grant),
            (None, on) => Err(Ceased { reasons: &reasons, on: on.unwrap_or(today) }),
        };
        let consequence = review(&present, found, rules.end_rule(), today)?;
        let stops = |one: &Consequence| matches!(one.change, EntitlementChange::Stopped | EntitlementChange::Suspended);
        Ok(consequence.map(|one| {
            let ceased_on = stops(&one).then(|| ceased_on.unwrap_or(today));
            (one, decided, ceased_on)
        }))
    }

    /// The first of the days up to today on which the rules have not granted without a break.
    fn ceased_on(&self, programme: &ProgrammeCode, benefit: &BenefitCode, from: BusinessDate) -> Result<BusinessDate, StoreError> {
        let today = self.tx.today();
        let mut days: BTreeSet<BusinessDate> = self.ground.change_days(today);
        days.extend(
            self.book
                .versions(programme)
                .map(|version| self.book.effective(version))
                .flat_map(|(from, until)| [Some(from), until])
                .flatten(),
        );
        days.insert(from);
        let mut ceased = today;
        for day in days.into_iter().rev().filter(|day| from <= *day && *day <= today) {
            let grants = self.decided(programme, day)?.is_some_and(|(_, decided)| decided.grant(benefit).is_some());
            if grants {
                break;
            }
            ceased = day;
        }
        Ok(ceased)
    }

    async fn apply(
        &self,
        row: &entitlement::Model,
        consequence: Consequence,
        decided: &Decision,
        ceased_on: Option<BusinessDate>,
    ) -> Result<(), StoreError> {
        let next = match consequence.change {
            EntitlementChange::Stopped | EntitlementChange::Suspended => self.end(row, consequence).await?,
            EntitlementChange::Resumed => self.resume(row).await?,
            EntitlementChange::Changed => row.clone(),
        };
        self.keep(&next, consequence, decided, ceased_on).await?;
        let entitlement = EntitlementId::from_uuid(next.id);
        let Consequence { change, from } = consequence;
        let resident = ResidentId::from_uuid(next.resident_id);
        self.tx.emit(Event::EntitlementChanged { entitlement, resident, programme: next.programme.clone(), change, from });
        self.tx.record(&entitlement, Some(row), Some(&next));
        Ok(())
    }

    async fn end(&self, row: &entitlement::Model, consequence: Consequence) -> Result<entitlement::Model, StoreError> {
        let ended_as = match consequence.change {
            EntitlementChange::Suspended => Standing::Suspended,
            EntitlementChange::Stopped | EntitlementChange::Resumed | EntitlementChange::Changed => Standing::Stopped,
        };
        let next = entitlement::Model {
            effective_until: Some(consequence.from.get()),
            ended_as: Some(ended_as.to_string()),
            version: row.version + 1,
            ..row.clone()
        };
        self.tx.save(next.clone()).await?;
        Ok(next)
    }

    /// An end that has not come is taken back; one that has come stays, and the right begins anew beside it.
    async fn resume(&self, row: &entitlement::Model) -> Result<entitlement::Model, StoreError> {
        let today = self.tx.today().get();
        let goes_on = row.effective_until.is_none_or(|until| today < until) || row.effective_from == today;
        if goes_on {
            let next = entitlement::Model { effective_until: None, ended_as: None, version: row.version + 1, ..row.clone() };
            self.tx.save(next.clone()).await?;
            return Ok(next);
        }
        let id: EntitlementId = self.tx.id();
        let next = entitlement::Model {
            id: id.uuid(),
            effective_from: today,
            effective_until: None,
            created_at: self.tx.now(),
            version: 1,
            ended_as: None,
            ..row.clone()
        };
        entitlement::Entity::insert(next.clone().into_active_model()).exec_without_returning(self.tx.db).await?;
        self.tx.emit(Event::EntitlementOpened { entitlement: id, resident: ResidentId::from_uuid(row.resident_id) });
        Ok(next)
    }

    async fn keep(
        &self,
        row: &entitlement::Model,
        consequence: Consequence,
        decided: &Decision,
        ceased_on: Option<BusinessDate>,
    ) -> Result<(), StoreError> {
        let id: EntitlementReviewId = self.tx.id();
        let version = policy::version_row(self.tx, &decided.programme, &decided.version).await?;
        let kept = entitlement_review::Model {
            id: id.uuid(),
            entitlement_id: row.id,
            resident_id: row.resident_id,
            programme: row.programme.clone(),
            policy_version_id: version.id,
            outcome: consequence.change.to_string(),
            explanation_enc: self.tx.seal_json("entitlement_review", "explanation_enc", id.uuid(), decided)?,
            ceased_on: ceased_on.map(BusinessDate::get),
            effective_on: consequence.from.get(),
            reviewed_at: self.tx.now(),
        };
        entitlement_review::Entity::insert(kept.into_active_model()).exec_without_returning(self.tx.db).await?;
        Ok(())
    }

    /// Plans the next look: the first day on which something else is known by itself, or other rules begin.
    async fn plan(&self, resident: ResidentId, rows: &[entitlement::Model]) -> Result<(), StoreError> {
        let today = self.tx.today();
        let ahead = today.plus_months(AHEAD_MONTHS)?;
        let mut days = self.ground.change_days(ahead);
        for row in rows {
            let programme: ProgrammeCode = convert::code("entitlement", "programme", &row.programme)?;
            let versions = self.book.versions(&programme).map(|version| self.book.effective(version));
            days.extend(versions.flat_map(|(from, until)| [Some(from), until]).flatten());
        }
        let due_on = days.into_iter().find(|day| *day > today).unwrap_or(ahead).min(ahead);
        let planned = resident_review::Model { resident_id: resident.uuid(), due_on: due_on.get(), reviewed_on: Some(today.get()) };
        let again = OnConflict::column(resident_review::Column::ResidentId)
            .update_columns([resident_review::Column::DueOn, resident_review::Column::ReviewedOn])
            .to_owned();
        resident_review::Entity::insert(planned.into_active_model()).on_conflict(again).exec_without_returning(self.tx.db).await?;
        Ok(())
    }
}

/// The decision by which an entitlement last began or changed.
async fn last_decision(tx: &Tx<'_>, row: &entitlement::Model) -> Result<Decision, StoreError> {
    let reviewed = entitlement_review::Entity::find()
        .filter(entitlement_review::Column::EntitlementId.eq(row.id))
        .filter(entitlement_review::Column::Outcome.is_in(["resumed", "changed"]))
        .order_by_desc(entitlement_review::Column::ReviewedAt)
        .order_by_desc(entitlement_review::Column::Id)
        .one(tx.db)
        .await?;
    if let Some(reviewed) = reviewed {
        return tx.open_json("entitlement_review", "explanation_enc", reviewed.id, &reviewed.explanation_enc);
    }
    let kept = decision::Entity::find_by_id(row.decision_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    tx.open_json("decision", "explanation_enc", kept.id, &kept.explanation_enc)
}

/// Why a benefit is not granted: the programme's reasons, or its own.
fn reasons(decided: &Decision, benefit: &BenefitCode) -> Vec<Reason> {
    let own = decided.refused.iter().find(|refusal| refusal.benefit == *benefit).map(|refusal| refusal.reasons.clone());
    let reasons = if decided.granted { own.unwrap_or_default() } else { decided.reasons.clone() };
    // A version that does not have the benefit any more says nothing of it.
    if reasons.is_empty() { vec![Reason::NoAmount] } else { reasons }
}

/// Lets the next run of the reconciler look at a resident.
pub(crate) async fn ask_for_review(tx: &Tx<'_>, resident: uuid::Uuid) -> Result<(), StoreError> {
    let due = resident_review::Model { resident_id: resident, due_on: tx.today().get(), reviewed_on: None };
    let sooner = OnConflict::column(resident_review::Column::ResidentId).update_column(resident_review::Column::DueOn).to_owned();
    resident_review::Entity::insert(due.into_active_model()).on_conflict(sooner).exec_without_returning(tx.db).await?;
    Ok(())
}

/// Brings the next look at all who have a programme forward to the first day of a version that was published.
#[derive(Debug, Clone)]
pub struct ScheduleReviews {
    /// The version.
    pub policy: PolicyVersionId,
}

impl Command for ScheduleReviews {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "schedule_reviews";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let version = policy_version::Entity::find_by_id(self.policy.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let due_on = version.effective_from.max(tx.today().get());
        let mut holders = Query::select();
        holders
            .column(entitlement::Column::ResidentId)
            .from(entitlement::Entity)
            .and_where(entitlement::Column::Programme.eq(&version.programme));
        resident_review::Entity::update_many()
            .col_expr(resident_review::Column::DueOn, Expr::value(due_on))
            .filter(resident_review::Column::DueOn.gt(due_on))
            .filter(resident_review::Column::ResidentId.in_subquery(holders))
            .exec(tx.db)
            .await?;
        tx.record(&self.policy, None, None);
        Ok(())
    }
}

/// What the rules say for a day, with what the file lets run out: an entitlement whose grounds have ceased goes on,
/// until the day of its end, as it was last decided.
pub(crate) async fn decision_on(
    tx: &Tx<'_>,
    row: &entity::resident::Model,
    rules: &Policy,
    day: BusinessDate,
) -> Result<Decision, StoreError> {
    let ground = Ground::of(tx, row).await?;
    let decided = decide(rules, &ground.facts_on(day, None), day, &tx.reference.calendar)?;
    let dead = decided.reasons.iter().any(Reason::is_death);
    if decided.granted || dead || rules.end_rule() == EndRule::AtOnce {
        return Ok(decided);
    }
    let running_out = entitlement::Entity::find()
        .filter(entitlement::Column::ResidentId.eq(row.id))
        .filter(entitlement::Column::Programme.eq(rules.programme().as_str()))
        .filter(entitlement::Column::EndedAs.is_not_null())
        .filter(entitlement::Column::EffectiveFrom.lte(day.get()))
        .filter(entitlement::Column::EffectiveUntil.gt(day.get()))
        .one(tx.db)
        .await?;
    let Some(running_out) = running_out else { return Ok(decided) };
    let last = last_decision(tx, &running_out).await?;
    // Other rules have begun since: what the earlier ones granted does not fit them.
    Ok(if last.version == rules.version() { last } else { decided })
}
