//! A made-up resident: registered, bound to whoever acts for them, assessed by two people.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    access::Role,
    assessment::{Assessment, AssessmentForm, Scores},
    eligibility::Reason,
    event::Event,
    id::{AssessmentId, PersonId, ResidentId, ServiceAddressId},
    policy::ProgrammeCode,
    resident::{Consent, ConsentChannel, ConsentPurpose, IdentityDocument, LifeStatus, Relation, Resident, ResidentForm},
    sample::{ResidentPlan, at_minute},
    time::{BusinessDate, Instant},
};

use super::{
    facts,
    grant::Granted,
    maker::{Maker, Who},
    price::Use,
};
use crate::{
    audit::row_hash,
    command::{
        assessment::{ConfirmAssessment, RecordAssessment},
        family::BindFamilyMember,
        likeness::marks,
        resident::{RegisterResident, StoredFacts},
    },
    convert,
    entity::{assessment, person, relation, resident, service_address},
    error::StoreError,
    ground::Ground,
    write::Command as _,
};

/// A resident as the seed knows them while it makes their history.
pub(super) struct Home<'a> {
    pub(super) plan: &'a ResidentPlan,
    pub(super) id: ResidentId,
    pub(super) address: ServiceAddressId,
    /// What was known of them while services were given.
    pub(super) ground: Ground,
    pub(super) assessment: Assessment,
    /// From which visit codes are derived.
    pub(super) secret: [u8; 32],
    /// Who acts for them.
    pub(super) agent: Who,
    /// When everything about them was recorded.
    pub(super) settled_in: Instant,
    pub(super) grants: Vec<Granted>,
    pub(super) uses: Vec<Use>,
    /// Answers of the rules, by programme and day.
    pub(super) eligible: BTreeMap<(ProgrammeCode, BusinessDate), Result<(), Reason>>,
}

/// Ids of a resident, for flags.
#[derive(Debug, Clone, Copy)]
pub(super) struct HomeIds {
    pub(super) resident: ResidentId,
    pub(super) assessment: AssessmentId,
}

impl Home<'_> {
    pub(super) fn ids(&self) -> HomeIds {
        HomeIds { resident: self.id, assessment: self.assessment.id() }
    }
}

/// Registers a resident with everything that a street knows of them. `later` are changes of their life status that were
/// recorded after the fact.
pub(super) fn move_in<'a>(maker: &mut Maker<'_>, plan: &'a ResidentPlan, later: &[Later]) -> Result<Home<'a>, StoreError> {
    let staff = maker.world.plan.staff;
    let at = at_minute(plan.registered_on, 9 * 60) + TimeDelta::minutes(maker.draw.between(0, 400));
    let clerk = Who::Person(staff.community_worker, Role::CommunityWorker);
    let id: ResidentId = maker.id(at);
    let form = form(plan, id)?;
    let secret = maker.derive("seed_home_secret", &[id.uuid().as_bytes()])?;
    let address = register(maker, plan, (at, clerk), &form, (secret, later))?;
    let facts = facts::state(maker, plan, &form, (at, clerk))?;
    let agent = bind(maker, plan, id, (at + TimeDelta::minutes(6), clerk))?;
    let assessed = at_minute(plan.registered_on.plus_days(1)?, 10 * 60) + TimeDelta::minutes(maker.draw.between(0, 300));
    let assessment = assess(maker, plan, id, assessed)?;
    let settled_in = assessed + TimeDelta::hours(1);
    let ground = Ground::of_registered(form.facts().clone(), facts, assessment.clone());
    let (grants, uses, eligible) = (Vec::new(), Vec::new(), BTreeMap::new());
    Ok(Home { plan, id, address, ground, assessment, secret, agent, settled_in, grants, uses, eligible })
}

/// A change of life status that was recorded after the fact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Later {
    pub(super) status: LifeStatus,
    pub(super) since: BusinessDate,
}

/// What the document states; everything else stands in facts with their days.
fn form(plan: &ResidentPlan, id: ResidentId) -> Result<Resident, StoreError> {
    let form = ResidentForm {
        id,
        birth_date: plan.birth_date,
        sex: plan.sex,
        hukou: None,
        residence: plan.residence,
        living: None,
        categories: None,
        disability: None,
        status: LifeStatus::Alive,
        status_since: plan.registered_on,
    };
    Resident::register(form, plan.registered_on).map_err(|faults| {
        let first = faults.first().copied().map(domain::sample::SampleError::from);
        first.map_or_else(|| StoreError::Corrupt { table: "resident", why: "refused without a fault".to_owned() }, StoreError::from)
    })
}

fn register(
    maker: &mut Maker<'_>,
    plan: &ResidentPlan,
    by: (Instant, Who),
    form: &Resident,
    more: ([u8; 32], &[Later]),
) -> Result<ServiceAddressId, StoreError> {
    let ((at, who), (secret, later)) = (by, more);
    let (id, row, document) = (form.id(), form.id().uuid(), IdentityDocument::ResidentId);
    let stored = StoredFacts { resident: form.clone(), declared: BTreeMap::new() };
    let last = later.last().copied().unwrap_or(Later { status: LifeStatus::Alive, since: plan.registered_on });
    let index = maker.world.store.keys().blind_index("resident.document", &format!("{document}:{}", plan.number));
    let model = resident::Model {
        id: row,
        document_kind: document.to_string(),
        document_enc: maker.seal("resident", "document_enc", row, plan.number.as_bytes())?,
        document_index: index,
        name_enc: maker.seal("resident", "name_enc", row, plan.name.as_bytes())?,
        phone_enc: None,
        facts_enc: maker.seal_json("resident", "facts_enc", row, &stored)?,
        home_secret_enc: maker.seal("resident", "home_secret_enc", row, &secret)?,
        hukou_division: plan.hukou.to_string(),
        residence_division: plan.residence.to_string(),
        status: last.status.to_string(),
        status_on: last.since.get(),
        registered_by: who.person().map(domain::id::Id::uuid),
        created_at: at,
        version: 1 + i64::try_from(later.len()).unwrap_or(0),
    };
    maker.push(model)?;
    for mark in marks(maker.world.store.keys(), id, (&plan.number, &plan.name, plan.birth_date), None) {
        maker.push(mark)?;
    }
    let address: ServiceAddressId = maker.id(at);
    maker.push(service_address::Model {
        id: address.uuid(),
        resident_id: row,
        division: plan.residence.to_string(),
        text_enc: maker.seal("service_address", "text_enc", address.uuid(), plan.address.as_bytes())?,
        coordinate_enc: Some(maker.seal_json("service_address", "coordinate_enc", address.uuid(), &plan.home)?),
        created_at: at,
        ended_on: None,
    })?;
    let step = maker.step(at, who, RegisterResident::NAME);
    maker.event(&step, &Event::ResidentRegistered { resident: id })?;
    maker.audit(&step, &id, (None, None))?;
    facts::report(maker, id, who, later)?;
    Ok(address)
}

/// Binds who acts for the resident: a family member, or the resident alone.
fn bind(maker: &mut Maker<'_>, plan: &ResidentPlan, id: ResidentId, by: (Instant, Who)) -> Result<Who, StoreError> {
    let (at, who) = by;
    let (name, relation, role) = match &plan.family {
        Some(family) => (&family.name, family.relation, Role::FamilyMember),
        None => (&plan.name, Relation::Self_, Role::Resident),
    };
    let person: PersonId = maker.id(at);
    maker.push(person::Model {
        id: person.uuid(),
        name_enc: maker.seal("person", "name_enc", person.uuid(), name.as_bytes())?,
        phone_enc: None,
        created_at: at,
    })?;
    let day = BusinessDate::of(at);
    let purposes = [ConsentPurpose::Service, ConsentPurpose::Health, ConsentPurpose::Location, ConsentPurpose::ProviderSharing];
    let consent = Consent::new("2026-1", purposes, day, ConsentChannel::InPerson).map_err(domain::sample::SampleError::from)?;
    maker.push(relation::Model {
        person_id: person.uuid(),
        resident_id: id.uuid(),
        relation: relation.to_string(),
        consent: convert::to_json("relation", &consent)?,
        valid_from: day.get(),
        valid_until: None,
        recorded_by: who.person().map(domain::id::Id::uuid),
        created_at: at,
    })?;
    let step = maker.step(at, who, BindFamilyMember::NAME);
    maker.event(&step, &Event::FamilyMemberBound { resident: id, person })?;
    maker.audit(&step, &id, (None, None))?;
    Ok(Who::Person(person, role))
}

fn assess(maker: &mut Maker<'_>, plan: &ResidentPlan, resident: ResidentId, at: Instant) -> Result<Assessment, StoreError> {
    let [first, second] = maker.world.plan.staff.assessors;
    let id: AssessmentId = maker.id(at);
    let day = BusinessDate::of(at);
    let scores = Scores::new(plan.scores.iter().copied())?;
    let form = AssessmentForm { id, resident, assessors: [first, second], assessed_on: day, scores, facts: plan.changes };
    let assessment = Assessment::record(form, day)?;
    let row = assessment::Model {
        id: id.uuid(),
        resident_id: resident.uuid(),
        state: "confirmed".to_owned(),
        record_enc: maker.seal_json("assessment", "record_enc", id.uuid(), &assessment)?,
        first_assessor: first.uuid(),
        second_assessor: Some(second.uuid()),
        assessed_on: day.get(),
        valid_until: assessment.valid_until().get(),
        created_at: at,
        version: 2,
    };
    let recorded = maker.step(at, Who::Person(first, Role::Assessor), RecordAssessment::NAME);
    maker.event(&recorded, &Event::AssessmentRecorded { assessment: id, resident })?;
    maker.audit(&recorded, &id, (None, None))?;
    let confirmed = maker.step(at + TimeDelta::minutes(40), Who::Person(second, Role::Assessor), ConfirmAssessment::NAME);
    maker.event(&confirmed, &Event::AssessmentConfirmed { assessment: id, resident })?;
    maker.audit(&confirmed, &id, (Some(row_hash(&row)), None))?;
    maker.push(row)?;
    Ok(assessment)
}
