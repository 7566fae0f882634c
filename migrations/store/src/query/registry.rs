//! What belongs to one resident: stated facts, life statuses, the people who act for them, possible doubles.

use domain::{
    access::{Action, Actor},
    id::{PersonId, ResidentFactId, ResidentId},
    resident::{Consent, Evidence, FactState, LifeStatus, Relation, Statement},
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    Store,
    command::likeness::{self, Likenesses},
    convert,
    entity::{past_relation, person, relation},
    error::StoreError,
    ground,
    keys::Cell,
    query::resident::load,
    tx::open_text,
};

/// A stated fact.
#[derive(Debug, Clone)]
pub struct FactView {
    /// The fact.
    pub fact_id: ResidentFactId,
    /// What is stated.
    pub statement: Statement,
    /// First day on which it holds.
    pub from: BusinessDate,
    /// First day on which it no longer holds.
    pub until: Option<BusinessDate>,
    /// On what it rests.
    pub evidence: Option<Evidence>,
    /// Whether it counts.
    pub state: FactState,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Who recorded it.
    pub recorded_by: Option<PersonId>,
    /// Who compared it with the papers.
    pub settled_by: Option<PersonId>,
    /// Version, for edits.
    pub version: i64,
}

/// A life status.
#[derive(Debug, Clone)]
pub struct StatusView {
    /// The status.
    pub status: LifeStatus,
    /// Its first day.
    pub since: BusinessDate,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Whether another person found it wrong.
    pub corrected: bool,
}

/// Somebody who acts, or acted, for a resident.
#[derive(Debug, Clone)]
pub struct FamilyMemberView {
    /// The person.
    pub person_id: PersonId,
    /// Their name.
    pub name: String,
    /// What they are to the resident.
    pub relation: Relation,
    /// What the resident consented to, and when it was withdrawn.
    pub consent: Consent,
    /// First day.
    pub from: BusinessDate,
    /// First day on which they no longer act.
    pub until: Option<BusinessDate>,
}

impl Store {
    /// All that is stated of a resident, in the order of recording.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn facts(&self, actor: &Actor, id: ResidentId) -> Result<Vec<FactView>, StoreError> {
        let resident = load(self, actor, Action::ReadFacts, id).await?;
        let mut views = Vec::new();
        for row in ground::fact_rows(self.db(), resident.id).await? {
            let fact = ground::dated(self.keys(), &row)?;
            views.push(FactView {
                fact_id: ResidentFactId::from_uuid(row.id),
                from: fact.valid.from(),
                until: fact.until(),
                evidence: ground::evidence(self.keys(), &row)?,
                state: fact.state,
                statement: fact.statement,
                recorded_at: row.recorded_at,
                recorded_by: row.recorded_by.map(PersonId::from_uuid),
                settled_by: row.settled_by.map(PersonId::from_uuid),
                version: row.version,
            });
        }
        Ok(views)
    }

    /// The life statuses of a resident since the registration, in the order of recording.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn statuses(&self, actor: &Actor, id: ResidentId) -> Result<Vec<StatusView>, StoreError> {
        let resident = load(self, actor, Action::ReadFacts, id).await?;
        let rows = ground::status_rows(self.db(), resident.id).await?;
        let corrected = |row: &crate::entity::resident_status::Model| rows.iter().any(|later| later.corrects == Some(row.id));
        let first = ground::Ground::load(self.db(), self.keys(), &resident).await?.statuses.first();
        let begun = StatusView { status: first.status, since: first.since, recorded_at: resident.created_at, corrected: false };
        let mut views = vec![begun];
        for row in &rows {
            views.push(StatusView {
                status: convert::code("resident_status", "status", &row.status)?,
                since: convert::date(row.since),
                recorded_at: row.recorded_at,
                corrected: corrected(row),
            });
        }
        Ok(views)
    }

    /// Who acts for a resident and who did, with the consent to it; those who act now first.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn family_members(&self, actor: &Actor, id: ResidentId, today: BusinessDate) -> Result<Vec<FamilyMemberView>, StoreError> {
        let resident = load(self, actor, Action::ReadFamilyMembers, id).await?;
        let now = relation::Entity::find()
            .filter(relation::Column::ResidentId.eq(resident.id))
            .order_by_asc(relation::Column::CreatedAt)
            .order_by_asc(relation::Column::PersonId)
            .all(self.db())
            .await?;
        let past = past_relation::Entity::find()
            .filter(past_relation::Column::ResidentId.eq(resident.id))
            .order_by_asc(past_relation::Column::Id)
            .all(self.db())
            .await?;
        let acting = now.into_iter().filter(|row| row.valid_until.is_none_or(|until| today.get() < until));
        let acting = acting.map(|row| (row.person_id, row.relation, row.consent, row.valid_from, row.valid_until));
        let past = past.into_iter().map(|row| (row.person_id, row.relation, row.consent, row.valid_from, Some(row.valid_until)));
        let mut views = Vec::new();
        for (person_id, relation, consent, from, until) in acting.chain(past) {
            views.push(FamilyMemberView {
                person_id: PersonId::from_uuid(person_id),
                name: self.person_name(person_id).await?,
                relation: convert::code("relation", "relation", &relation)?,
                consent: convert::json("relation", "consent", &consent)?,
                from: convert::date(from),
                until: until.map(convert::date),
            });
        }
        Ok(views)
    }

    async fn person_name(&self, id: uuid::Uuid) -> Result<String, StoreError> {
        let row = person::Entity::find_by_id(id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        open_text(self.keys(), Cell { table: "person", column: "name_enc", row: row.id }, &row.name_enc)
    }

    /// Who may be the same person as a resident.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn likenesses(&self, actor: &Actor, id: ResidentId) -> Result<Likenesses, StoreError> {
        load(self, actor, Action::ReadDuplicates, id).await?;
        likeness::find(self.db(), actor, id).await
    }
}
