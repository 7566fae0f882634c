//! Who acts for a resident: a recorded relation with the resident's consent, until it is withdrawn or ends.

use domain::{
    access::Action,
    error::{Fault as _, FieldError},
    event::Event,
    id::{PastRelationId, PersonId, ResidentId},
    resident::{Consent, ConsentPurpose, Relation},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    command::resident,
    convert,
    entity::{account, past_relation, relation, role_grant},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// Binds somebody with an account to a resident: from now on they may act for them.
#[derive(Debug, Clone)]
pub struct BindFamilyMember {
    /// The resident.
    pub resident: ResidentId,
    /// Login of the family member's account, or of the resident's own.
    pub login: String,
    /// How they are related.
    pub relation: Relation,
    /// The resident's consent.
    pub consent: Consent,
}

/// A bound family member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundFamilyMember {
    /// The resident.
    pub resident_id: ResidentId,
    /// Who may act for them.
    pub person_id: PersonId,
}

impl Command for BindFamilyMember {
    type Output = BoundFamilyMember;
    const ACTION: Option<Action> = Some(Action::BindFamilyMember);
    const NAME: &'static str = "bind_family_member";

    async fn run(&self, tx: &Tx<'_>) -> Result<BoundFamilyMember, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        tx.permit(Action::BindFamilyMember, &resident::object(&resident)?)?;
        let mut faults = consent_faults(&self.consent, tx.today());
        let account = account::Entity::find().filter(account::Column::Login.eq(&self.login)).one(tx.db).await?;
        let account = match account {
            Some(account) if acts_for_others(tx, account.person_id).await? => Some(account),
            Some(_) | None => None,
        };
        if account.is_none() {
            let cure = "name the login of an account with the role family_member or resident";
            faults.push(FieldError::new("login", "login.unknown", cure));
        }
        match account {
            Some(account) if faults.is_empty() => {
                let person = PersonId::from_uuid(account.person_id);
                bind(tx, self.resident, person, self.relation, &self.consent).await?;
                tx.record(&self.resident, None, None);
                Ok(BoundFamilyMember { resident_id: self.resident, person_id: person })
            }
            Some(_) | None => Err(StoreError::fields(faults)),
        }
    }
}

async fn acts_for_others(tx: &Tx<'_>, person: Uuid) -> Result<bool, StoreError> {
    let grants = role_grant::Entity::find()
        .filter(role_grant::Column::PersonId.eq(person))
        .filter(role_grant::Column::Role.is_in(["family_member", "resident"]))
        .one(tx.db)
        .await?;
    Ok(grants.is_some())
}

/// What is wrong with a consent on which a relation is to rest: it is given, and it covers service.
pub(crate) fn consent_faults(consent: &Consent, today: BusinessDate) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if consent.given_on() > today {
        faults.push(FieldError::new("consent.given_on", "consent.future", "write the day on which the consent was given"));
    }
    if !consent.purposes().contains(&ConsentPurpose::Service) {
        let cure = "nobody acts for a resident without the consent to service: ask for it";
        faults.push(FieldError::new("consent.purposes", "consent.service", cure));
    }
    faults
}

/// Writes a relation; one that has ended begins again.
pub(crate) async fn bind(
    tx: &Tx<'_>,
    resident: ResidentId,
    person: PersonId,
    relation: Relation,
    consent: &Consent,
) -> Result<(), StoreError> {
    let before = find(tx, resident, person).await?;
    let row = relation::Model {
        person_id: person.uuid(),
        resident_id: resident.uuid(),
        relation: relation.to_string(),
        consent: convert::to_json("relation", consent)?,
        valid_from: tx.today().get(),
        valid_until: None,
        recorded_by: tx.actor().person().map(PersonId::uuid),
        created_at: tx.now(),
    };
    match before {
        Some(before) if before.valid_until.is_none_or(|until| tx.today().get() < until) => {
            return Err(StoreError::Exists { what: "the relation" });
        }
        // The one that has ended stands among the past ones.
        Some(_) => tx.save(row).await?,
        None => relation::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await.map(drop)?,
    }
    tx.emit(Event::FamilyMemberBound { resident, person });
    Ok(())
}

async fn find(tx: &Tx<'_>, resident: ResidentId, person: PersonId) -> Result<Option<relation::Model>, StoreError> {
    Ok(for_update!(tx, relation::Entity::find_by_id((person.uuid(), resident.uuid()))).one(tx.db).await?)
}

/// Ends a relation, by the resident's withdrawal of the consent or because it is over: from now on the person
/// no longer acts for the resident. What was done before stays lawful.
#[derive(Debug, Clone)]
pub struct EndRelation {
    /// The resident.
    pub resident: ResidentId,
    /// Who acted for them.
    pub person: PersonId,
    /// Whether the resident withdrew the consent.
    pub consent_withdrawn: bool,
}

/// An ended relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedRelation {
    /// The resident.
    pub resident_id: ResidentId,
    /// Who acted for them.
    pub person_id: PersonId,
    /// First day on which they no longer do.
    pub ended_on: BusinessDate,
}

impl Command for EndRelation {
    type Output = EndedRelation;
    const ACTION: Option<Action> = Some(Action::EndRelation);
    const NAME: &'static str = "end_relation";

    async fn run(&self, tx: &Tx<'_>) -> Result<EndedRelation, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        tx.permit(Action::EndRelation, &resident::object(&resident)?)?;
        let before = find(tx, self.resident, self.person).await?.ok_or_else(StoreError::not_found)?;
        let on = tx.today();
        if before.valid_until.is_some_and(|until| until <= on.get()) {
            return Err(StoreError::not_found());
        }
        self.refuse_others(tx, &before).await?;
        let consent: Consent = convert::json("relation", "consent", &before.consent)?;
        let consent =
            if self.consent_withdrawn { consent.withdraw(on).map_err(|fault| StoreError::fields(fault.fields()))? } else { consent };
        let ended = relation::Model { consent: convert::to_json("relation", &consent)?, valid_until: Some(on.get()), ..before.clone() };
        tx.save(ended.clone()).await?;
        let past_id: PastRelationId = tx.id();
        let past = past_relation::Model {
            id: past_id.uuid(),
            person_id: ended.person_id,
            resident_id: ended.resident_id,
            relation: ended.relation.clone(),
            consent: ended.consent.clone(),
            valid_from: ended.valid_from,
            valid_until: on.get(),
            recorded_by: ended.recorded_by,
            ended_by: tx.actor().person().map(PersonId::uuid),
            ended_at: tx.now(),
        };
        past_relation::Entity::insert(past.into_active_model()).exec_without_returning(tx.db).await?;
        tx.emit(Event::FamilyMemberUnbound { resident: self.resident, person: self.person });
        tx.record(&self.resident, Some(&before), Some(&ended));
        Ok(EndedRelation { resident_id: self.resident, person_id: self.person, ended_on: on })
    }
}

impl EndRelation {
    /// A family member ends the own relation; those of others are the resident's and the community's to end.
    async fn refuse_others(&self, tx: &Tx<'_>, row: &relation::Model) -> Result<(), StoreError> {
        let Some(person) = tx.actor().person() else { return Ok(()) };
        let own = find(tx, self.resident, person).await?;
        let of_family = own.is_some_and(|own| own.relation != Relation::Self_.to_string());
        if of_family && person.uuid() != row.person_id { Err(StoreError::not_found()) } else { Ok(()) }
    }
}
