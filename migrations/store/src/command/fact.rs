//! What is stated of a resident: claimed by the resident or the family with its evidence, compared with the
//! papers by the community or the street, ended when it is no longer so. Nothing is overwritten.

use domain::{
    access::Action,
    error::FieldError,
    event::Event,
    id::{PersonId, ResidentFactId, ResidentId},
    resident::{FactState, FactTrigger, NewFact, Statement},
    state::StateMachine as _,
    time::BusinessDate,
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use serde::{Deserialize, Serialize};

use crate::{
    command::resident,
    convert,
    entity::{self, resident_fact},
    error::StoreError,
    ground::{self, Ground},
    tx::{Tx, for_update},
    write::Command,
};

/// Writes a statement.
pub(crate) async fn insert(tx: &Tx<'_>, resident: ResidentId, new: &NewFact, state: FactState) -> Result<ResidentFactId, StoreError> {
    let id: ResidentFactId = tx.id();
    let by = tx.actor().person().map(PersonId::uuid);
    let settled = state != FactState::Claimed;
    let evidence_enc = match &new.evidence {
        Some(evidence) => Some(tx.seal_json("resident_fact", "evidence_enc", id.uuid(), evidence)?),
        None => None,
    };
    let row = resident_fact::Model {
        id: id.uuid(),
        resident_id: resident.uuid(),
        state: state.to_string(),
        statement_enc: tx.seal_json("resident_fact", "statement_enc", id.uuid(), &new.statement)?,
        evidence_enc,
        valid_from: new.valid.from().get(),
        valid_until: new.valid.until().map(BusinessDate::get),
        recorded_by: by,
        recorded_at: tx.now(),
        settled_by: by.filter(|_| settled),
        settled_at: settled.then(|| tx.now()),
        ended_on: None,
        ended_by: None,
        ended_at: None,
        version: 1,
    };
    resident_fact::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
    Ok(id)
}

/// States a fact about a resident. What staff state was compared with the papers by them; what others state is
/// a claim until somebody has.
#[derive(Debug, Clone)]
pub struct RecordFact {
    /// About whom.
    pub resident: ResidentId,
    /// What, for which days, on which evidence.
    pub fact: NewFact,
}

/// A recorded or settled fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactStep {
    /// The fact.
    pub fact_id: ResidentFactId,
    /// About whom.
    pub resident_id: ResidentId,
    /// Whether it counts.
    pub state: FactState,
    /// First day on which it no longer holds, if it was ended.
    pub ended_on: Option<BusinessDate>,
}

impl Command for RecordFact {
    type Output = FactStep;
    const ACTION: Option<Action> = Some(Action::RecordFact);
    const NAME: &'static str = "record_fact";

    async fn run(&self, tx: &Tx<'_>) -> Result<FactStep, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        let object = resident::object(&resident)?;
        tx.permit(Action::RecordFact, &object)?;
        // Whoever may compare claims with papers states what the papers say.
        let state = if tx.actor().permit(Action::SettleFact, &object).is_ok() { FactState::Verified } else { FactState::Claimed };
        let ground = Ground::of(tx, &resident).await?;
        let faults = ground.facts.check(&self.fact, ground.birth_date(), tx.today()).err().unwrap_or_default();
        let mut faults: Vec<FieldError> = faults.iter().flat_map(domain::error::Fault::fields).map(named).collect();
        faults.extend(self.own_faults(tx).await?);
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        let id = insert(tx, self.resident, &self.fact, state).await?;
        apply(tx, &resident, &self.fact.statement, state).await?;
        tx.emit(Event::ResidentFactsChanged { resident: self.resident });
        tx.record(&id, None, None);
        Ok(FactStep { fact_id: id, resident_id: self.resident, state, ended_on: None })
    }
}

/// The day of a statement is written as `from`.
fn named(fault: FieldError) -> FieldError {
    let field = if fault.field == "date" { "from".to_owned() } else { fault.field };
    FieldError { field, ..fault }
}

impl RecordFact {
    async fn own_faults(&self, tx: &Tx<'_>) -> Result<Vec<FieldError>, StoreError> {
        match &self.fact.statement {
            Statement::Residence { division } => resident::division_faults(tx, "division", *division).await,
            Statement::Declared { name, value } => {
                Ok(crate::facts::faults("value", &[(name.clone(), value.clone())].into_iter().collect()))
            }
            Statement::Identity
            | Statement::Category { .. }
            | Statement::CategoriesChecked
            | Statement::Living { .. }
            | Statement::Disability { .. }
            | Statement::Income { .. }
            | Statement::Hukou { .. } => Ok(Vec::new()),
        }
    }
}

/// Brings the register's own columns up to a verified statement.
async fn apply(tx: &Tx<'_>, row: &entity::resident::Model, statement: &Statement, state: FactState) -> Result<(), StoreError> {
    if state != FactState::Verified {
        return Ok(());
    }
    let changed = match statement {
        Statement::Residence { division } => entity::resident::Model { residence_division: division.to_string(), ..row.clone() },
        Statement::Hukou { division } => entity::resident::Model { hukou_division: division.to_string(), ..row.clone() },
        Statement::Identity
        | Statement::Category { .. }
        | Statement::CategoriesChecked
        | Statement::Living { .. }
        | Statement::Disability { .. }
        | Statement::Income { .. }
        | Statement::Declared { .. } => return Ok(()),
    };
    tx.save(entity::resident::Model { version: row.version + 1, ..changed }).await
}

/// Loads a fact with its resident, both locked.
async fn lock(tx: &Tx<'_>, id: ResidentFactId) -> Result<(entity::resident::Model, resident_fact::Model), StoreError> {
    let seen = resident_fact::Entity::find_by_id(id.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let resident = resident::lock(tx, ResidentId::from_uuid(seen.resident_id)).await?;
    let row = for_update!(tx, resident_fact::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    Ok((resident, row))
}

/// Settles a claimed fact: the papers prove it, or not.
#[derive(Debug, Clone)]
pub struct SettleFact {
    /// The fact.
    pub fact: ResidentFactId,
    /// Whether the papers prove it.
    pub verified: bool,
}

impl Command for SettleFact {
    type Output = FactStep;
    const ACTION: Option<Action> = Some(Action::SettleFact);
    const NAME: &'static str = "settle_fact";

    async fn run(&self, tx: &Tx<'_>) -> Result<FactStep, StoreError> {
        let (resident, before) = lock(tx, self.fact).await?;
        tx.permit(Action::SettleFact, &resident::object(&resident)?)?;
        let by = match before.recorded_by {
            Some(claimed_by) => tx.actor().other_than(PersonId::from_uuid(claimed_by), "the one who claimed it")?,
            None => tx.actor().need_person()?,
        };
        let state: FactState = convert::code("resident_fact", "state", &before.state)?;
        let trigger = if self.verified { FactTrigger::Verify } else { FactTrigger::Reject };
        let state = state.on(trigger)?.to;
        let row = resident_fact::Model {
            state: state.to_string(),
            settled_by: Some(by.uuid()),
            settled_at: Some(tx.now()),
            version: before.version + 1,
            ..before.clone()
        };
        tx.save(row.clone()).await?;
        let fact = ground::dated(tx.keys, &row)?;
        apply(tx, &resident, &fact.statement, state).await?;
        tx.emit(Event::ResidentFactsChanged { resident: ResidentId::from_uuid(resident.id) });
        tx.record(&self.fact, Some(&before), Some(&row));
        step(&row)
    }
}

/// Ends a fact before its time: a category is no longer recognised, a household has changed.
#[derive(Debug, Clone)]
pub struct EndFact {
    /// The fact.
    pub fact: ResidentFactId,
    /// The version that was looked at.
    pub version: i64,
    /// First day on which it no longer holds.
    pub on: BusinessDate,
}

impl Command for EndFact {
    type Output = FactStep;
    const ACTION: Option<Action> = Some(Action::SettleFact);
    const NAME: &'static str = "end_fact";

    async fn run(&self, tx: &Tx<'_>) -> Result<FactStep, StoreError> {
        let (resident, before) = lock(tx, self.fact).await?;
        tx.permit(Action::SettleFact, &resident::object(&resident)?)?;
        if before.version != self.version {
            return Err(StoreError::Stale("this fact"));
        }
        let until = ground::dated(tx.keys, &before)?.until();
        let inside = before.valid_from <= self.on.get() && until.is_none_or(|until| self.on < until);
        if before.state != FactState::Verified.to_string() || !inside {
            let cure = "write a day from the first on which the fact holds, before it ends by itself";
            return Err(StoreError::fields(vec![FieldError::new("on", "fact.end", cure)]));
        }
        let row = resident_fact::Model {
            ended_on: Some(self.on.get()),
            ended_by: tx.actor().person().map(PersonId::uuid),
            ended_at: Some(tx.now()),
            version: before.version + 1,
            ..before.clone()
        };
        tx.save(row.clone()).await?;
        tx.emit(Event::ResidentFactsChanged { resident: ResidentId::from_uuid(resident.id) });
        tx.record(&self.fact, Some(&before), Some(&row));
        step(&row)
    }
}

fn step(row: &resident_fact::Model) -> Result<FactStep, StoreError> {
    Ok(FactStep {
        fact_id: ResidentFactId::from_uuid(row.id),
        resident_id: ResidentId::from_uuid(row.resident_id),
        state: convert::code("resident_fact", "state", &row.state)?,
        ended_on: row.ended_on.map(convert::date),
    })
}
