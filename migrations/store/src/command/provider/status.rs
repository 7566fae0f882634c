//! The steps of a provider after its application: review, admission, suspension, ending. Each is kept with who
//! took it and why.

use domain::{
    access::Action,
    error::FieldError,
    event::Event,
    id::{CreditCodeReviewId, PersonId, ProviderId, ProviderStepId},
    provider::{CreditCode, Provider, ProviderError, ProviderForm, ProviderStatus, ProviderTrigger, SuspensionReason},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, Set};

use super::{ProviderStep, lock, object};
use crate::{
    convert,
    entity::{credit_code_review, provider, provider_step},
    error::{StoreError, exists},
    tx::Tx,
    write::Command,
};

/// Takes a stored provider up.
async fn restore(tx: &Tx<'_>, row: &provider::Model) -> Result<Provider, StoreError> {
    let credit_code =
        CreditCode::parse_with_override(&row.credit_code, true).map_err(|cause| convert::corrupt("provider", "credit_code", &cause))?;
    let suspension = provider_step::Entity::find()
        .filter(provider_step::Column::ProviderId.eq(row.id))
        .filter(provider_step::Column::Step.eq(ProviderTrigger::Suspend.to_string()))
        .order_by_desc(provider_step::Column::At)
        .order_by_desc(provider_step::Column::Id)
        .one(tx.db)
        .await?;
    let form = ProviderForm {
        id: ProviderId::from_uuid(row.id),
        credit_code,
        status: convert::code("provider", "state", &row.state)?,
        applied_by: PersonId::from_uuid(row.applied_by),
        reviewed_by: row.reviewed_by.map(PersonId::from_uuid),
        admitted_by: row.admitted_by.map(PersonId::from_uuid),
        suspended_by: suspension.map(|step| PersonId::from_uuid(step.by_person)),
    };
    Provider::restore(form).map_err(|cause| convert::corrupt("provider", "state", &cause))
}

/// One step with its reason.
struct Step<'a> {
    trigger: ProviderTrigger,
    reason: Option<SuspensionReason>,
    note: Option<&'a str>,
}

impl Step<'_> {
    const fn plain(trigger: ProviderTrigger) -> Self {
        Self { trigger, reason: None, note: None }
    }

    async fn save(&self, tx: &Tx<'_>, before: &provider::Model, after: &Provider) -> Result<ProviderStep, StoreError> {
        let facts = after.facts();
        let row = provider::Model {
            state: facts.status.to_string(),
            reviewed_by: facts.reviewed_by.map(PersonId::uuid),
            admitted_by: facts.admitted_by.map(PersonId::uuid),
            version: before.version + 1,
            ..before.clone()
        };
        tx.save(row.clone()).await?;
        let id: ProviderStepId = tx.id();
        let note = self.note.map(|note| tx.seal("provider_step", "note_enc", id.uuid(), note.as_bytes())).transpose()?;
        let step = provider_step::ActiveModel {
            id: Set(id.uuid()),
            provider_id: Set(row.id),
            step: Set(self.trigger.to_string()),
            state: Set(row.state.clone()),
            reason: Set(self.reason.map(|reason| reason.to_string())),
            note_enc: Set(note),
            by_person: Set(tx.actor().need_person()?.uuid()),
            at: Set(tx.now()),
        };
        provider_step::Entity::insert(step).exec_without_returning(tx.db).await?;
        tx.record(&facts.id, Some(before), Some(&row));
        Ok(ProviderStep { provider_id: facts.id, state: facts.status })
    }
}

fn need_note(note: &str) -> Result<(), StoreError> {
    let sound = (1..=1_000).contains(&note.chars().count()) && !note.trim().is_empty();
    let fault = || StoreError::fields(vec![FieldError::new("note", "provider.note", "say why, in 1 to 1000 characters")]);
    if sound { Ok(()) } else { Err(fault()) }
}

/// Says why a credit code whose check character is wrong is accepted: the certificate was compared.
#[derive(Debug, Clone)]
pub struct AcceptCreditCode {
    /// The provider.
    pub provider: ProviderId,
    /// What was found.
    pub reason: String,
}

impl Command for AcceptCreditCode {
    type Output = ProviderStep;
    const ACTION: Option<Action> = Some(Action::ReviewProvider);
    const NAME: &'static str = "accept_credit_code";

    async fn run(&self, tx: &Tx<'_>) -> Result<ProviderStep, StoreError> {
        let row = lock(tx, self.provider).await?;
        tx.permit(Action::ReviewProvider, &object(&row)?)?;
        need_note(&self.reason)?;
        let officer = tx.actor().other_than(PersonId::from_uuid(row.applied_by), "the applicant")?;
        if !restore(tx, &row).await?.facts().credit_code.is_overridden() {
            return Err(ProviderError::CreditCodeRight.into());
        }
        let id: CreditCodeReviewId = tx.id();
        let review = credit_code_review::Model {
            id: id.uuid(),
            provider_id: row.id,
            reason_enc: tx.seal("credit_code_review", "reason_enc", id.uuid(), self.reason.as_bytes())?,
            reviewed_by: officer.uuid(),
            reviewed_at: tx.now(),
        };
        credit_code_review::Entity::insert(review.clone().into_active_model())
            .exec_without_returning(tx.db)
            .await
            .map_err(exists("a reason for this credit code"))?;
        tx.emit(Event::ProviderChanged { provider: self.provider });
        tx.record(&id, None, Some(&review));
        Ok(ProviderStep { provider_id: self.provider, state: convert::code("provider", "state", &row.state)? })
    }
}

/// Finds a provider's papers complete and true.
#[derive(Debug, Clone)]
pub struct ReviewProvider {
    /// The provider.
    pub provider: ProviderId,
}

impl Command for ReviewProvider {
    type Output = ProviderStep;
    const ACTION: Option<Action> = Some(Action::ReviewProvider);
    const NAME: &'static str = "review_provider";

    async fn run(&self, tx: &Tx<'_>) -> Result<ProviderStep, StoreError> {
        let row = lock(tx, self.provider).await?;
        tx.permit(Action::ReviewProvider, &object(&row)?)?;
        let applied = restore(tx, &row).await?;
        let overridden = applied.facts().credit_code.is_overridden();
        let reviewed = applied.review(tx.actor().need_person()?)?;
        let reasons = credit_code_review::Entity::find().filter(credit_code_review::Column::ProviderId.eq(row.id)).count(tx.db).await?;
        if overridden && reasons == 0 {
            return Err(ProviderError::CreditCodeUnreviewed.into());
        }
        tx.emit(Event::ProviderReviewed { provider: self.provider });
        Step::plain(ProviderTrigger::Review).save(tx, &row, &reviewed).await
    }
}

/// Admits a reviewed provider.
#[derive(Debug, Clone)]
pub struct AdmitProvider {
    /// The provider.
    pub provider: ProviderId,
}

impl Command for AdmitProvider {
    type Output = ProviderStep;
    const ACTION: Option<Action> = Some(Action::AdmitProvider);
    const NAME: &'static str = "admit_provider";

    async fn run(&self, tx: &Tx<'_>) -> Result<ProviderStep, StoreError> {
        let row = lock(tx, self.provider).await?;
        tx.permit(Action::AdmitProvider, &object(&row)?)?;
        let admitted = restore(tx, &row).await?.admit(tx.actor().need_person()?)?;
        tx.emit(Event::ProviderAdmitted { provider: self.provider });
        Step::plain(ProviderTrigger::Admit).save(tx, &row, &admitted).await
    }
}

/// Stops a provider's service for the time being: it can accept, assign and begin nothing. What it was to serve is
/// taken from it order by order ([`super::TakeOrderAway`]), once this is committed.
#[derive(Debug, Clone)]
pub struct SuspendProvider {
    /// The provider.
    pub provider: ProviderId,
    /// Why, as a code.
    pub reason: SuspensionReason,
    /// Why, for the file.
    pub note: String,
}

impl Command for SuspendProvider {
    type Output = ProviderStep;
    const ACTION: Option<Action> = Some(Action::SuspendProvider);
    const NAME: &'static str = "suspend_provider";

    async fn run(&self, tx: &Tx<'_>) -> Result<ProviderStep, StoreError> {
        let row = lock(tx, self.provider).await?;
        tx.permit(Action::SuspendProvider, &object(&row)?)?;
        need_note(&self.note)?;
        let suspended = restore(tx, &row).await?.suspend(tx.actor().need_person()?)?;
        tx.emit(Event::ProviderSuspended { provider: self.provider });
        let step = Step { trigger: ProviderTrigger::Suspend, reason: Some(self.reason), note: Some(&self.note) };
        step.save(tx, &row, &suspended).await
    }
}

macro_rules! decisions {
    ($($(#[$doc:meta])* $name:ident, $action:ident, $text:literal, $method:ident, $trigger:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            /// The provider.
            pub provider: ProviderId,
            /// Why, for the file.
            pub note: String,
        }

        impl Command for $name {
            type Output = ProviderStep;
            const ACTION: Option<Action> = Some(Action::$action);
            const NAME: &'static str = $text;

            async fn run(&self, tx: &Tx<'_>) -> Result<ProviderStep, StoreError> {
                let row = lock(tx, self.provider).await?;
                tx.permit(Action::$action, &object(&row)?)?;
                need_note(&self.note)?;
                let moved = restore(tx, &row).await?.$method(tx.actor().need_person()?)?;
                tx.emit(Event::ProviderMoved { provider: self.provider, to: moved.status() });
                Step { trigger: ProviderTrigger::$trigger, reason: None, note: Some(&self.note) }.save(tx, &row, &moved).await
            }
        }
    )*};
}

decisions! {
    /// Sends a reviewed provider's papers back to be completed.
    ReturnProvider, DecideProvider, "return_provider", send_back, Return;
    /// Lets a suspended provider serve again.
    ResumeProvider, DecideProvider, "resume_provider", resume, Resume;
    /// Ends the admission of a suspended provider.
    EndProvider, DecideProvider, "end_provider", end, End;
}

/// Refuses admission: an officer on the application, an approver after the review.
#[derive(Debug, Clone)]
pub struct RefuseProvider {
    /// The provider.
    pub provider: ProviderId,
    /// Why, for the file.
    pub note: String,
}

impl Command for RefuseProvider {
    type Output = ProviderStep;
    const ACTION: Option<Action> = Some(Action::RefuseProvider);
    const NAME: &'static str = "refuse_provider";

    async fn run(&self, tx: &Tx<'_>) -> Result<ProviderStep, StoreError> {
        let row = lock(tx, self.provider).await?;
        tx.permit(Action::RefuseProvider, &object(&row)?)?;
        let status: ProviderStatus = convert::code("provider", "state", &row.state)?;
        // Whoever may take the step that leads on may refuse it.
        let step = if status == ProviderStatus::Applied { Action::ReviewProvider } else { Action::AdmitProvider };
        tx.permit(step, &object(&row)?)?;
        need_note(&self.note)?;
        let refused = restore(tx, &row).await?.refuse(tx.actor().need_person()?)?;
        tx.emit(Event::ProviderMoved { provider: self.provider, to: refused.status() });
        Step { trigger: ProviderTrigger::Refuse, reason: None, note: Some(&self.note) }.save(tx, &row, &refused).await
    }
}

/// Takes an application back, or closes during a suspension.
#[derive(Debug, Clone)]
pub struct WithdrawProvider {
    /// The provider.
    pub provider: ProviderId,
}

impl Command for WithdrawProvider {
    type Output = ProviderStep;
    const ACTION: Option<Action> = Some(Action::WithdrawProvider);
    const NAME: &'static str = "withdraw_provider";

    async fn run(&self, tx: &Tx<'_>) -> Result<ProviderStep, StoreError> {
        let row = lock(tx, self.provider).await?;
        tx.permit(Action::WithdrawProvider, &object(&row)?)?;
        let withdrawn = restore(tx, &row).await?.withdraw()?;
        tx.emit(Event::ProviderMoved { provider: self.provider, to: withdrawn.status() });
        Step::plain(ProviderTrigger::Withdraw).save(tx, &row, &withdrawn).await
    }
}
