//! The planted frauds: a flag in the city for whoever supervises, and an answer for whoever tests the supervision.

use std::collections::BTreeMap;

use domain::{
    id::{Flag, FlagId, Id, VisitId},
    resident::LifeStatus,
    sample::{Fraud, Planted},
    time::{BusinessDate, Instant, Month},
};
use serde::{Deserialize, Serialize};

use super::{
    Seat,
    home::{HomeIds, Later},
    maker::Maker,
};
use crate::{convert, entity::flag, error::StoreError};

/// All planted cases of a made-up city.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The seed that they follow from.
    pub seed: u64,
    /// The instant up to which the city was made.
    pub now: Instant,
    /// The cases, in the order of their neighbourhoods.
    pub cases: Vec<Answer>,
}

/// One planted case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What was done.
    pub fraud: Fraud,
    /// The thing that the flags name.
    pub object: String,
    /// Everything of the case, as the texts of typed ids: carers, providers, residents, assessments, visits.
    pub objects: Vec<String>,
    /// The months in which it shows.
    pub months: Vec<Month>,
    /// Days on which the resident was away, in hospital or dead.
    pub away: Option<(BusinessDate, Option<BusinessDate>)>,
    /// What can be measured of it.
    pub values: BTreeMap<String, i64>,
    /// Its flags, one for each month.
    pub flags: Vec<FlagId>,
}

impl Answers {
    /// One line per case: fraud, object, months, all objects.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let line = |case: &Answer| {
            let months: Vec<String> = case.months.iter().map(ToString::to_string).collect();
            format!("{},{},{},{}\n", case.fraud, case.object, months.join(";"), case.objects.join(";"))
        };
        std::iter::once("fraud,object,months,objects\n".to_owned()).chain(self.cases.iter().map(line)).collect()
    }
}

/// Ids of what was made, by their places in the plan.
#[derive(Default)]
pub(super) struct Made {
    pub(super) residents: Vec<HomeIds>,
    pub(super) visits: BTreeMap<usize, VisitId>,
}

/// The changes of a resident's life status that the cases of hospital and death rest on, in their order.
pub(super) fn statuses_of(planted: &[Planted], resident: usize) -> Vec<Later> {
    let mut changes = Vec::new();
    for case in planted.iter().filter(|case| case.residents.contains(&resident)) {
        let Some((from, until)) = case.away else { continue };
        if case.fraud == Fraud::InHospital {
            changes.push(Later { status: LifeStatus::Hospital, since: from });
            changes.extend(until.map(|until| Later { status: LifeStatus::Alive, since: until }));
        } else if case.fraud == Fraud::AfterDeath {
            changes.push(Later { status: LifeStatus::Dead, since: from });
        }
    }
    changes.sort_by_key(|change| change.since);
    changes
}

/// Raises a flag for each month of each planted case.
pub(super) fn flag_all(maker: &mut Maker<'_>, planted: &[Planted], made: &Made, seats: &[Seat]) -> Result<Vec<Answer>, StoreError> {
    let mut answers = Vec::new();
    for case in planted {
        let objects = objects(case, made, seats);
        let Some(object) = objects.first().cloned() else { continue };
        let provider = case.provider.and_then(|place| seats.get(place)).map(|seat| seat.provider);
        let evidence = serde_json::json!({ "values": case.values, "away": case.away, "visits": ids_of_visits(case, made) });
        let mut flags = Vec::new();
        for month in &case.months {
            let at = month.next()?.first_day().start().min(maker.now());
            let id: FlagId = maker.id::<Flag>(at);
            maker.push(flag::Model {
                id: id.uuid(),
                rule: case.fraud.to_string(),
                object: object.clone(),
                provider_id: provider.map(Id::uuid),
                month: month.to_string(),
                evidence: convert::to_json("flag", &evidence)?,
                raised_at: at,
            })?;
            flags.push(id);
        }
        let (months, values) = (case.months.clone(), case.values.clone());
        answers.push(Answer { fraud: case.fraud, object, objects, months, away: case.away, values, flags });
    }
    Ok(answers)
}

fn ids_of_visits(case: &Planted, made: &Made) -> Vec<String> {
    case.visits.iter().filter_map(|place| made.visits.get(place)).map(ToString::to_string).collect()
}

/// What a case is about; the first is what its flags name.
fn objects(case: &Planted, made: &Made, seats: &[Seat]) -> Vec<String> {
    let seat = case.provider.and_then(|place| seats.get(place));
    let carers = case.carers.iter().filter_map(|place| seat.and_then(|seat| seat.carers.get(*place))).map(|(carer, _)| carer.to_string());
    let providers = seat.map(|seat| seat.provider.to_string());
    let homes: Vec<_> = case.residents.iter().filter_map(|place| made.residents.get(*place)).collect();
    let assessments = homes.iter().map(|home| home.assessment.to_string());
    let residents = homes.iter().map(|home| home.resident.to_string());
    let (carers, assessments, residents): (Vec<_>, Vec<_>, Vec<_>) = (carers.collect(), assessments.collect(), residents.collect());
    let visits = ids_of_visits(case, made);
    match case.fraud {
        Fraud::FakedDisability | Fraud::InflatedAssessments => assessments.into_iter().chain(residents).collect(),
        Fraud::InsiderApproval | Fraud::PriceRaised => providers.into_iter().collect(),
        Fraud::FalseList => providers.into_iter().chain(carers).chain(residents).chain(visits).collect(),
        Fraud::LentCard | Fraud::GoodwillSignature | Fraud::LongAbsence | Fraud::InHospital | Fraud::AfterDeath => {
            residents.into_iter().chain(carers).chain(providers).chain(visits).collect()
        }
        Fraud::LocationOff
        | Fraud::VirtualLocation
        | Fraud::OtherWorkersName
        | Fraud::NoVisit
        | Fraud::ShortVisit
        | Fraud::BackFilled
        | Fraud::TwoAtOnce
        | Fraud::ImpossibleTravel => carers.into_iter().chain(providers).chain(residents).chain(visits).collect(),
    }
}
