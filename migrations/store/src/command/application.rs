//! Applications for a programme: filed, accepted, reviewed, decided by another person, put on public notice,
//! and effective when nobody has objected in time.

use domain::{
    access::{Action, Role},
    application::{ApplicationError, ApplicationState, ApplicationTrigger},
    eligibility::{Decision, Facts, decide},
    error::FieldError,
    event::Event,
    id::{ApplicationId, ApplicationNoteId, DecisionId, EntitlementId, PersonId, ResidentId},
    policy::ProgrammeCode,
    state::StateMachine as _,
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    command::{entitlement, policy, resident, status::reason_faults},
    convert,
    entity::{self, application, application_note, decision},
    error::{StoreError, exists},
    ground::Ground,
    tx::{Tx, for_update},
    write::Command,
};

/// What is known of a resident on a day, as policies see it.
pub(crate) async fn facts_on(
    tx: &Tx<'_>,
    row: &entity::resident::Model,
    day: BusinessDate,
    applied_on: Option<BusinessDate>,
) -> Result<Facts, StoreError> {
    Ok(Ground::of(tx, row).await?.facts_on(day, applied_on))
}

/// Files an application.
#[derive(Debug, Clone)]
pub struct FileApplication {
    /// For whom.
    pub resident: ResidentId,
    /// For which programme.
    pub programme: ProgrammeCode,
}

/// Where an application stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationStep {
    /// The application.
    pub application_id: ApplicationId,
    /// Its state.
    pub state: ApplicationState,
    /// Who must act next.
    pub owner_role: Option<Role>,
    /// By when.
    pub deadline_on: Option<BusinessDate>,
    /// Last day of the public notice.
    pub notice_ends_on: Option<BusinessDate>,
}

impl Command for FileApplication {
    type Output = ApplicationStep;
    const ACTION: Option<Action> = Some(Action::Apply);
    const NAME: &'static str = "file_application";

    async fn run(&self, tx: &Tx<'_>) -> Result<ApplicationStep, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        tx.permit(Action::Apply, &resident::object(&resident)?)?;
        let book = tx.reference.policies(tx.db).await?;
        if book.in_force(&self.programme, tx.today()).is_none() {
            let cure = "name a programme that has a published version in force today";
            return Err(StoreError::fields(vec![FieldError::new("programme", "programme.unknown", cure)]));
        }
        self.refuse_running(tx).await?;
        let id: ApplicationId = tx.id();
        let row = application::Model {
            id: id.uuid(),
            resident_id: resident.id,
            programme: self.programme.to_string(),
            state: ApplicationState::INITIAL.to_string(),
            applied_on: tx.today().get(),
            filed_by: tx.actor().need_person()?.uuid(),
            accepted_by: None,
            reviewed_by: None,
            approved_by: None,
            notice_ends_on: None,
            owner_role: None,
            deadline_on: None,
            created_at: tx.now(),
            version: 0,
        };
        let row = with_owner(tx, row, ApplicationState::INITIAL)?;
        application::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(tx.db)
            .await
            .map_err(exists("an open application for this programme"))?;
        tx.emit(Event::ApplicationFiled { application: id, resident: self.resident, programme: self.programme.to_string() });
        tx.record(&id, None, Some(&row));
        step(&row)
    }
}

impl FileApplication {
    /// Whoever has the programme already does not apply for it again.
    async fn refuse_running(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let running = Condition::any()
            .add(entity::entitlement::Column::EffectiveUntil.is_null())
            .add(entity::entitlement::Column::EffectiveUntil.gt(tx.today().get()));
        let found = entity::entitlement::Entity::find()
            .filter(entity::entitlement::Column::ResidentId.eq(self.resident.uuid()))
            .filter(entity::entitlement::Column::Programme.eq(self.programme.as_str()))
            .filter(running)
            .one(tx.db)
            .await?;
        if found.is_some() { Err(StoreError::Exists { what: "an entitlement of this programme" }) } else { Ok(()) }
    }
}

/// Sets state, owner and deadline of the state.
fn with_owner(tx: &Tx<'_>, row: application::Model, state: ApplicationState) -> Result<application::Model, StoreError> {
    let (owner, deadline_on) = match state.waits_for() {
        Some((role, _)) => (Some(role), state.deadline(tx.today(), &tx.reference.calendar)?.map(BusinessDate::get)),
        None if state == ApplicationState::OnNotice => (Some(ApplicationState::NOTICE_OWNER), row.notice_ends_on),
        None => (None, None),
    };
    let owner_role = owner.map(|role| role.to_string());
    Ok(application::Model { state: state.to_string(), owner_role, deadline_on, version: row.version + 1, ..row })
}

fn step(row: &application::Model) -> Result<ApplicationStep, StoreError> {
    Ok(ApplicationStep {
        application_id: ApplicationId::from_uuid(row.id),
        state: convert::code("application", "state", &row.state)?,
        owner_role: row.owner_role.as_deref().map(|role| convert::code("application", "owner_role", role)).transpose()?,
        deadline_on: row.deadline_on.map(convert::date),
        notice_ends_on: row.notice_ends_on.map(convert::date),
    })
}

async fn lock(tx: &Tx<'_>, id: ApplicationId) -> Result<(entity::resident::Model, application::Model), StoreError> {
    let seen = application::Entity::find_by_id(id.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let resident = resident::lock(tx, ResidentId::from_uuid(seen.resident_id)).await?;
    let row = for_update!(tx, application::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    Ok((resident, row))
}

/// Moves an application and writes it.
async fn advance(
    tx: &Tx<'_>,
    before: &application::Model,
    change: application::Model,
    trigger: ApplicationTrigger,
) -> Result<application::Model, StoreError> {
    let state: ApplicationState = convert::code("application", "state", &before.state)?;
    let to = state.on(trigger)?.to;
    let row = with_owner(tx, change, to)?;
    tx.save(row.clone()).await?;
    let id = ApplicationId::from_uuid(row.id);
    tx.emit(Event::ApplicationMoved { application: id, to });
    tx.record(&id, Some(before), Some(&row));
    Ok(row)
}

/// Accepts an application at the community.
#[derive(Debug, Clone)]
pub struct AcceptApplication {
    /// The application.
    pub application: ApplicationId,
}

impl Command for AcceptApplication {
    type Output = ApplicationStep;
    const ACTION: Option<Action> = Some(Action::AcceptApplication);
    const NAME: &'static str = "accept_application";

    async fn run(&self, tx: &Tx<'_>) -> Result<ApplicationStep, StoreError> {
        let (resident, row) = lock(tx, self.application).await?;
        tx.permit(Action::AcceptApplication, &resident::object(&resident)?)?;
        let claims = Ground::of(tx, &resident).await?.facts.claims();
        if claims > 0 {
            return Err(ApplicationError::FactsUnverified(claims).into());
        }
        let change = application::Model { accepted_by: Some(tx.actor().need_person()?.uuid()), ..row.clone() };
        step(&advance(tx, &row, change, ApplicationTrigger::Accept).await?)
    }
}

/// Reviews an accepted application at the street.
#[derive(Debug, Clone)]
pub struct ReviewApplication {
    /// The application.
    pub application: ApplicationId,
}

impl Command for ReviewApplication {
    type Output = ApplicationStep;
    const ACTION: Option<Action> = Some(Action::ReviewApplication);
    const NAME: &'static str = "review_application";

    async fn run(&self, tx: &Tx<'_>) -> Result<ApplicationStep, StoreError> {
        let (resident, row) = lock(tx, self.application).await?;
        tx.permit(Action::ReviewApplication, &resident::object(&resident)?)?;
        let person = match row.accepted_by {
            Some(accepted_by) => tx.actor().other_than(PersonId::from_uuid(accepted_by), "the one who accepted")?,
            None => tx.actor().need_person()?,
        };
        let change = application::Model { reviewed_by: Some(person.uuid()), ..row.clone() };
        step(&advance(tx, &row, change, ApplicationTrigger::Review).await?)
    }
}

/// Decides a reviewed application. The rules decide whether it can be granted at all.
#[derive(Debug, Clone)]
pub struct DecideApplication {
    /// The application.
    pub application: ApplicationId,
    /// Whether the approver grants what the rules allow.
    pub approve: bool,
    /// Why not, where the approver refuses.
    pub reason: Option<SecretString>,
}

/// A decided application with its explanation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DecidedApplication {
    /// Where it stands.
    pub step: ApplicationStep,
    /// Every rule that was tried, what it looked at and what came of it.
    pub decision: Decision,
}

impl Command for DecideApplication {
    type Output = DecidedApplication;
    const ACTION: Option<Action> = Some(Action::ApproveApplication);
    const NAME: &'static str = "decide_application";

    async fn run(&self, tx: &Tx<'_>) -> Result<DecidedApplication, StoreError> {
        let (resident, row) = lock(tx, self.application).await?;
        tx.permit(Action::ApproveApplication, &resident::object(&resident)?)?;
        let approver = tx.actor().need_person()?;
        for (earlier, what) in [(row.accepted_by, "the one who accepted"), (row.reviewed_by, "the reviewer")] {
            if let Some(earlier) = earlier {
                tx.actor().other_than(PersonId::from_uuid(earlier), what)?;
            }
        }
        // A decided application is told to be so, whatever has become of its programme.
        let state: ApplicationState = convert::code("application", "state", &row.state)?;
        state.on(if self.approve { ApplicationTrigger::Approve } else { ApplicationTrigger::Refuse })?;
        self.check_reason()?;
        let programme: ProgrammeCode = convert::code("application", "programme", &row.programme)?;
        let book = tx.reference.policies(tx.db).await?;
        // A programme that has ended grants nothing, but whoever applied for it gets an answer.
        let ended = || book.versions(&programme).last().filter(|_| !self.approve);
        let rules = book.in_force(&programme, tx.today()).or_else(ended).ok_or_else(|| {
            StoreError::fields(vec![FieldError::new(
                "programme",
                "programme.not_in_force",
                "no version of the programme is in force any more",
            )])
        })?;
        let facts = facts_on(tx, &resident, tx.today(), Some(convert::date(row.applied_on))).await?;
        let decision = decide(rules, &facts, tx.today(), &tx.reference.calendar)?;
        let granted = decision.granted && self.approve;
        self.keep(tx, &row, &decision, granted).await?;
        if let Some(reason) = self.reason.as_ref().filter(|_| !self.approve) {
            note(tx, row.id, ApplicationTrigger::Refuse, reason).await?;
        }
        let mut change = application::Model { approved_by: Some(approver.uuid()), ..row.clone() };
        let trigger = if granted {
            let last = tx.reference.calendar.add_working_days(tx.today(), rules.notice_working_days())?;
            change.notice_ends_on = Some(last.get());
            ApplicationTrigger::Approve
        } else {
            ApplicationTrigger::Refuse
        };
        let row = advance(tx, &row, change, trigger).await?;
        Ok(DecidedApplication { step: step(&row)?, decision })
    }
}

impl DecideApplication {
    /// Whoever refuses says why; the rules speak for themselves.
    fn check_reason(&self) -> Result<(), StoreError> {
        let faults = match (&self.reason, self.approve) {
            (Some(reason), _) => reason_faults("reason", reason),
            (None, false) => vec![FieldError::new("reason", "reason.missing", "say why the application is refused")],
            (None, true) => Vec::new(),
        };
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }

    async fn keep(&self, tx: &Tx<'_>, row: &application::Model, decided: &Decision, granted: bool) -> Result<(), StoreError> {
        let id: DecisionId = tx.id();
        let version = policy::version_row(tx, &decided.programme, &decided.version).await?;
        let model = decision::ActiveModel {
            id: Set(id.uuid()),
            application_id: Set(row.id),
            resident_id: Set(row.resident_id),
            programme: Set(row.programme.clone()),
            policy_version_id: Set(version.id),
            granted: Set(granted),
            explanation_enc: Set(tx.seal_json("decision", "explanation_enc", id.uuid(), decided)?),
            effective_from: Set(decided.effective_from.map(BusinessDate::get)),
            effective_until: Set(decided.effective_until.map(BusinessDate::get)),
            decided_by: Set(tx.actor().need_person()?.uuid()),
            decided_at: Set(tx.now()),
        };
        decision::Entity::insert(model).exec_without_returning(tx.db).await?;
        tx.emit(Event::EligibilityDecided { decision: id, application: self.application, granted });
        Ok(())
    }
}

/// Keeps what was written about a step, after its text was checked.
async fn write_note(tx: &Tx<'_>, application: uuid::Uuid, trigger: ApplicationTrigger, text: &SecretString) -> Result<(), StoreError> {
    let faults = reason_faults("reason", text);
    if faults.is_empty() { note(tx, application, trigger, text).await } else { Err(StoreError::fields(faults)) }
}

async fn note(tx: &Tx<'_>, application: uuid::Uuid, trigger: ApplicationTrigger, text: &SecretString) -> Result<(), StoreError> {
    let id: ApplicationNoteId = tx.id();
    let row = application_note::Model {
        id: id.uuid(),
        application_id: application,
        step: trigger.to_string(),
        text_enc: tx.seal("application_note", "text_enc", id.uuid(), text.expose_secret().as_bytes())?,
        written_by: tx.actor().need_person()?.uuid(),
        written_at: tx.now(),
    };
    application_note::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
    Ok(())
}

/// Raises an objection during the public notice.
#[derive(Debug, Clone)]
pub struct ObjectToApplication {
    /// The application.
    pub application: ApplicationId,
    /// What is objected.
    pub reason: SecretString,
}

impl Command for ObjectToApplication {
    type Output = ApplicationStep;
    const ACTION: Option<Action> = Some(Action::ObjectToApplication);
    const NAME: &'static str = "object_to_application";

    async fn run(&self, tx: &Tx<'_>) -> Result<ApplicationStep, StoreError> {
        let (resident, row) = lock(tx, self.application).await?;
        tx.permit(Action::ObjectToApplication, &resident::object(&resident)?)?;
        write_note(tx, row.id, ApplicationTrigger::Object, &self.reason).await?;
        let change = application::Model { notice_ends_on: None, ..row.clone() };
        step(&advance(tx, &row, change, ApplicationTrigger::Object).await?)
    }
}

/// Takes an application up again after an objection; it is decided anew.
#[derive(Debug, Clone)]
pub struct ReopenApplication {
    /// The application.
    pub application: ApplicationId,
    /// What looking into the objection has shown.
    pub reason: SecretString,
}

impl Command for ReopenApplication {
    type Output = ApplicationStep;
    const ACTION: Option<Action> = Some(Action::ReopenApplication);
    const NAME: &'static str = "reopen_application";

    async fn run(&self, tx: &Tx<'_>) -> Result<ApplicationStep, StoreError> {
        let (resident, row) = lock(tx, self.application).await?;
        tx.permit(Action::ReopenApplication, &resident::object(&resident)?)?;
        write_note(tx, row.id, ApplicationTrigger::Reopen, &self.reason).await?;
        let change = application::Model { approved_by: None, ..row.clone() };
        step(&advance(tx, &row, change, ApplicationTrigger::Reopen).await?)
    }
}

/// Ends a public notice that nobody objected to: the entitlements begin, on the policy's first day but not
/// before the notice is over.
#[derive(Debug, Clone)]
pub struct EndNotice {
    /// The application.
    pub application: ApplicationId,
}

impl Command for EndNotice {
    type Output = Vec<EntitlementId>;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "end_notice";

    async fn run(&self, tx: &Tx<'_>) -> Result<Vec<EntitlementId>, StoreError> {
        let (resident, row) = lock(tx, self.application).await?;
        let Some(last) = row.notice_ends_on.map(convert::date).filter(|last| *last < tx.today()) else { return Ok(Vec::new()) };
        let kept = decision::Entity::find()
            .filter(decision::Column::ApplicationId.eq(row.id))
            .order_by_desc(decision::Column::Id)
            .one(tx.db)
            .await?
            .ok_or_else(|| StoreError::Corrupt { table: "application", why: "on notice without a decision".to_owned() })?;
        let decided: Decision = tx.open_json("decision", "explanation_enc", kept.id, &kept.explanation_enc)?;
        let over = last.plus_days(1)?;
        let from = decided.effective_from.map_or(over, |day| day.max(over));
        let mut opened = Vec::new();
        for grant in &decided.benefits {
            opened.push(entitlement::open(tx, &resident, DecisionId::from_uuid(kept.id), &decided, grant, from).await?);
        }
        advance(tx, &row, row.clone(), ApplicationTrigger::EndNotice).await?;
        Ok(opened)
    }
}
