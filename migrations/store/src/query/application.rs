//! Applications with their decisions, those that wait too long, and how entitlements were decided anew.

use std::collections::BTreeMap;

use domain::{
    access::{Action, Actor, Object, Reach, Role},
    application::ApplicationState,
    eligibility::Decision,
    entitlement::EntitlementChange,
    id::{ApplicationId, EntitlementId, EntitlementReviewId, ResidentId},
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Query};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Store, command, convert,
    entity::{self, application, application_note, decision, entitlement_review},
    error::StoreError,
    keys::Cell,
    query::resident,
    tx::{open_json, open_text},
};

/// Overdue applications that one look shows.
const OVERDUE_MAX: u64 = 200;
/// Reviews of one resident that one look shows.
const REVIEWS_MAX: u64 = 200;

/// An application with its last decision.
#[derive(Debug, Clone, Serialize)]
pub struct ApplicationView {
    /// The application.
    pub application_id: ApplicationId,
    /// For whom.
    pub resident_id: ResidentId,
    /// For which programme.
    pub programme: String,
    /// Its state.
    pub state: ApplicationState,
    /// When it was filed.
    pub applied_on: BusinessDate,
    /// Who must act next.
    pub owner_role: Option<Role>,
    /// By when.
    pub deadline_on: Option<BusinessDate>,
    /// Last day of the public notice.
    pub notice_ends_on: Option<BusinessDate>,
    /// The last decision, with every rule that was tried.
    pub decision: Option<Decision>,
    /// What was written about its steps, as far as the reader may see it.
    pub notes: Vec<NoteView>,
}

/// What was written about a step.
#[derive(Debug, Clone, Serialize)]
pub struct NoteView {
    /// `refuse`, `object` or `reopen`.
    pub step: String,
    /// The text.
    pub text: String,
    /// When it was written.
    pub written_at: Instant,
}

/// An application that waits beyond its deadline.
#[derive(Debug, Clone, Serialize)]
pub struct OverdueView {
    /// The application.
    pub application_id: ApplicationId,
    /// For whom.
    pub resident_id: ResidentId,
    /// For which programme.
    pub programme: String,
    /// Its state.
    pub state: ApplicationState,
    /// Who must act.
    pub owner_role: Role,
    /// By when they should have.
    pub deadline_on: BusinessDate,
}

/// An entitlement that was decided anew.
#[derive(Debug, Clone)]
pub struct ReviewView {
    /// The review.
    pub review_id: EntitlementReviewId,
    /// The entitlement.
    pub entitlement_id: EntitlementId,
    /// Its programme.
    pub programme: String,
    /// What it changed.
    pub change: EntitlementChange,
    /// First day on which the grounds did not suffice.
    pub ceased_on: Option<BusinessDate>,
    /// From which day the change holds.
    pub effective_on: BusinessDate,
    /// When it was made.
    pub reviewed_at: Instant,
    /// The decision, with every rule that was tried.
    pub decision: Decision,
}

impl Store {
    /// An application with its last decision.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn application(&self, actor: &Actor, id: ApplicationId) -> Result<ApplicationView, StoreError> {
        actor.may(Action::ReadApplication)?;
        let row = application::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let resident_id = ResidentId::from_uuid(row.resident_id);
        let resident = resident::load(self, actor, Action::ReadApplication, resident_id).await?;
        let notes = self.notes(actor, row.id, &command::resident::object(&resident)?).await?;
        let kept = decision::Entity::find()
            .filter(decision::Column::ApplicationId.eq(row.id))
            .order_by_desc(decision::Column::Id)
            .one(self.db())
            .await?;
        let decision = kept
            .map(|kept| open_json(self.keys(), Cell { table: "decision", column: "explanation_enc", row: kept.id }, &kept.explanation_enc))
            .transpose()?;
        Ok(ApplicationView {
            application_id: id,
            resident_id,
            state: convert::code("application", "state", &row.state)?,
            owner_role: row.owner_role.as_deref().map(|role| convert::code("application", "owner_role", role)).transpose()?,
            programme: row.programme,
            applied_on: convert::date(row.applied_on),
            deadline_on: row.deadline_on.map(convert::date),
            notice_ends_on: row.notice_ends_on.map(convert::date),
            decision,
            notes,
        })
    }

    /// What was written about an application. Why it was refused is for everybody who sees it; who objected to
    /// what is for the offices.
    async fn notes(&self, actor: &Actor, application: Uuid, object: &Object) -> Result<Vec<NoteView>, StoreError> {
        let all = actor.permit(Action::ReadApplicationNotes, object).is_ok();
        let rows = application_note::Entity::find()
            .filter(application_note::Column::ApplicationId.eq(application))
            .order_by_asc(application_note::Column::Id)
            .all(self.db())
            .await?;
        let mut notes = Vec::new();
        for row in rows.into_iter().filter(|row| all || row.step == "refuse") {
            let cell = Cell { table: "application_note", column: "text_enc", row: row.id };
            notes.push(NoteView { text: open_text(self.keys(), cell, &row.text_enc)?, step: row.step, written_at: row.written_at });
        }
        Ok(notes)
    }

    /// Applications that wait for one of the actor's roles beyond their deadline, the oldest first.
    ///
    /// # Errors
    /// A role that may not.
    pub async fn overdue_applications(&self, actor: &Actor, today: BusinessDate) -> Result<Vec<OverdueView>, StoreError> {
        actor.may(Action::ReadOverdueApplications)?;
        let Actor::Person(person) = actor else { return Ok(Vec::new()) };
        let mut found = BTreeMap::new();
        for grant in &person.grants {
            let Reach::Division(scope) = &grant.reach else { continue };
            let mut reached = Query::select();
            reached
                .column(entity::resident::Column::Id)
                .from(entity::resident::Entity)
                .and_where(entity::resident::Column::ResidenceDivision.like(format!("{scope}%")));
            let rows = application::Entity::find()
                .filter(application::Column::OwnerRole.eq(grant.role.to_string()))
                .filter(application::Column::DeadlineOn.lt(today.get()))
                .filter(application::Column::ResidentId.in_subquery(reached))
                .order_by_asc(application::Column::DeadlineOn)
                .order_by_asc(application::Column::Id)
                .limit(OVERDUE_MAX)
                .all(self.db())
                .await?;
            for row in rows {
                if let (Some(owner), Some(deadline)) = (&row.owner_role, row.deadline_on) {
                    let view = OverdueView {
                        application_id: ApplicationId::from_uuid(row.id),
                        resident_id: ResidentId::from_uuid(row.resident_id),
                        state: convert::code("application", "state", &row.state)?,
                        owner_role: convert::code("application", "owner_role", owner)?,
                        deadline_on: convert::date(deadline),
                        programme: row.programme,
                    };
                    found.insert((view.deadline_on, view.application_id), view);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// How a resident's entitlements were decided anew, the latest first.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn entitlement_reviews(&self, actor: &Actor, id: ResidentId) -> Result<Vec<ReviewView>, StoreError> {
        let resident = resident::load(self, actor, Action::ReadApplication, id).await?;
        let rows = entitlement_review::Entity::find()
            .filter(entitlement_review::Column::ResidentId.eq(resident.id))
            .order_by_desc(entitlement_review::Column::ReviewedAt)
            .order_by_desc(entitlement_review::Column::Id)
            .limit(REVIEWS_MAX)
            .all(self.db())
            .await?;
        let mut views = Vec::new();
        for row in rows {
            let cell = Cell { table: "entitlement_review", column: "explanation_enc", row: row.id };
            views.push(ReviewView {
                review_id: EntitlementReviewId::from_uuid(row.id),
                entitlement_id: EntitlementId::from_uuid(row.entitlement_id),
                change: convert::code("entitlement_review", "outcome", &row.outcome)?,
                ceased_on: row.ceased_on.map(convert::date),
                effective_on: convert::date(row.effective_on),
                reviewed_at: row.reviewed_at,
                decision: open_json(self.keys(), cell, &row.explanation_enc)?,
                programme: row.programme,
            });
        }
        Ok(views)
    }
}
