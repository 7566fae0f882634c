use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Closing, Draw, Ending, Neighbourhood, Period, Position, Proof, SampleError, VisitPlan};
use crate::time::{BusinessDate, Month};

/// A fraud or error that supervision has found in real cities, after reference cases of courts and notices.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Fraud {
    /// Arrivals and departures with the phone's position switched off (Shanghai Jing'an).
    LocationOff,
    /// Positions made by a program: the same to the last digit, visit after visit (Shanghai Jiading).
    VirtualLocation,
    /// The cap on hours passed by visits under a colleague's name (Shanghai Jiading).
    OtherWorkersName,
    /// The family lends code and card, and confirms at once (Shanghai Yangpu).
    LentCard,
    /// The older person signs out of goodwill for a visit of a few minutes (Shanghai Jing'an).
    GoodwillSignature,
    /// A severe level that daily life does not show (Shanghai Yangpu).
    FakedDisability,
    /// Whoever approves grants to a house that they control (Nanjing Jiangning).
    InsiderApproval,
    /// An assessor who is paid by the head raises levels (Zhenjiang Jingkou).
    InflatedAssessments,
    /// A provider's list of people whom nobody serves (Huangshan She county).
    FalseList,
    /// Nobody came, and the records say so themselves.
    NoVisit,
    /// A visit much shorter than was paid.
    ShortVisit,
    /// Records written together in the office, a day later.
    BackFilled,
    /// The price raised before the subsidy is taken off (national notice).
    PriceRaised,
    /// Subsidy drawn while the resident is away for 15 days or more (Xi'an).
    LongAbsence,
    /// Service recorded while the resident is in hospital.
    InHospital,
    /// Service recorded after the resident's death.
    AfterDeath,
    /// One carer in two homes at one time.
    TwoAtOnce,
    /// A way between two homes that nobody covers in that time.
    ImpossibleTravel,
}

/// One planted case, by places in its neighbourhood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// What was done.
    pub fraud: Fraud,
    /// Residents of the case.
    pub residents: Vec<usize>,
    /// The provider of the case.
    pub provider: Option<usize>,
    /// Its carers.
    pub carers: Vec<usize>,
    /// Its visits.
    pub visits: Vec<usize>,
    /// The months in which it shows.
    pub months: Vec<Month>,
    /// Days on which its resident was away, in hospital or dead: from the first, to before the last if there is one.
    pub away: Option<(BusinessDate, Option<BusinessDate>)>,
    /// What supervision would measure, such as visits, minutes or fen.
    pub values: BTreeMap<String, i64>,
}

impl Planted {
    fn of(fraud: Fraud) -> Self {
        Self {
            fraud,
            residents: Vec::new(),
            provider: None,
            carers: Vec::new(),
            visits: Vec::new(),
            months: Vec::new(),
            away: None,
            values: BTreeMap::new(),
        }
    }

    fn value(mut self, name: &str, value: i64) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }
}

/// Frauds that show in visits, with how many visits of one carer a case has.
const IN_VISITS: [(Fraud, usize); 11] = [
    (Fraud::LocationOff, 8),
    (Fraud::VirtualLocation, 8),
    (Fraud::OtherWorkersName, 5),
    (Fraud::LentCard, 5),
    (Fraud::GoodwillSignature, 4),
    (Fraud::FalseList, 4),
    (Fraud::NoVisit, 4),
    (Fraud::ShortVisit, 5),
    (Fraud::BackFilled, 6),
    (Fraud::LongAbsence, 1),
    (Fraud::InHospital, 1),
];

/// Plants one case of each fraud among the visits of the past months. Other visits stay as they are.
pub(super) fn plant(
    draw: &mut Draw,
    of: &Neighbourhood,
    visits: &mut Vec<VisitPlan>,
    period: &Period,
) -> Result<Vec<Planted>, SampleError> {
    let mut cases: Vec<Planted> = plant_death(visits, period)?.into_iter().collect();
    for (fraud, most) in IN_VISITS {
        let free = free_by_carer(visits, period);
        // The carers with the most visits left, so that a case has its number.
        let Some((carer, places)) = free.into_iter().max_by_key(|(carer, places)| (places.len().min(most), draw_key(draw, *carer))) else {
            continue;
        };
        let chosen: Vec<usize> = places.into_iter().take(most).collect();
        for place in &chosen {
            if let Some(visit) = visits.get_mut(*place) {
                disguise(visit, fraud);
            }
        }
        cases.push(with_absence(described(fraud, carer, chosen, visits), visits)?);
    }
    for fraud in [Fraud::TwoAtOnce, Fraud::ImpossibleTravel] {
        cases.extend(plant_pair(fraud, visits, period));
    }
    cases.extend(plant_elsewhere(draw, of, period)?);
    Ok(cases)
}

/// A death that the records do not know of: the last visit of the case is a day after it, and none follows.
fn plant_death(visits: &mut Vec<VisitPlan>, period: &Period) -> Result<Option<Planted>, SampleError> {
    let last_of_all = visits.iter().rev().find(|visit| is_free(visit, period) && visit.carers.len() == 1).cloned();
    let Some(last) = last_of_all else { return Ok(None) };
    visits.retain(|visit| visit.resident != last.resident || visit.start <= last.start);
    let Some(place) = visits.iter().position(|visit| visit.resident == last.resident && visit.start == last.start) else { return Ok(None) };
    if let Some(visit) = visits.get_mut(place) {
        disguise(visit, Fraud::AfterDeath);
        visit.ending = Ending::Served(Proof::Fair, Closing::Deadline);
    }
    let carer = (last.provider, last.carers.first().copied().unwrap_or(0));
    let died = BusinessDate::of(last.start).minus_days(1)?;
    Ok(Some(Planted { away: Some((died, None)), ..described(Fraud::AfterDeath, carer, vec![place], visits) }))
}

/// The days on which the resident of a case was not at home.
fn with_absence(case: Planted, visits: &[VisitPlan]) -> Result<Planted, SampleError> {
    let Some(day) = case.visits.first().and_then(|place| visits.get(*place)).map(|visit| BusinessDate::of(visit.start)) else {
        return Ok(case);
    };
    let days = match case.fraud {
        Fraud::LongAbsence => (9, 12),
        Fraud::InHospital => (2, 4),
        Fraud::LocationOff
        | Fraud::VirtualLocation
        | Fraud::OtherWorkersName
        | Fraud::LentCard
        | Fraud::GoodwillSignature
        | Fraud::FakedDisability
        | Fraud::InsiderApproval
        | Fraud::InflatedAssessments
        | Fraud::FalseList
        | Fraud::NoVisit
        | Fraud::ShortVisit
        | Fraud::BackFilled
        | Fraud::PriceRaised
        | Fraud::AfterDeath
        | Fraud::TwoAtOnce
        | Fraud::ImpossibleTravel => return Ok(case),
    };
    Ok(Planted { away: Some((day.minus_days(days.0)?, Some(day.plus_days(days.1)?))), ..case })
}

/// Breaks ties between carers.
fn draw_key(draw: &mut Draw, _carer: (usize, usize)) -> u32 {
    draw.below(1_000)
}

/// Visits that were served in past months and are part of no case, by provider and carer.
fn free_by_carer(visits: &[VisitPlan], period: &Period) -> BTreeMap<(usize, usize), Vec<usize>> {
    let mut free: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (place, visit) in visits.iter().enumerate().filter(|(_, visit)| is_free(visit, period)) {
        if let [carer] = visit.carers.as_slice() {
            free.entry((visit.provider, *carer)).or_default().push(place);
        }
    }
    free
}

fn is_free(visit: &VisitPlan, period: &Period) -> bool {
    visit.fraud.is_none() && matches!(visit.ending, Ending::Served(..)) && visit.end < period.current.start()
}

/// What the records of a visit look like under a fraud.
fn disguise(visit: &mut VisitPlan, fraud: Fraud) {
    visit.fraud = Some(fraud);
    visit.ending = Ending::Served(Proof::Fair, Closing::Family);
    let length = visit.end - visit.start;
    match fraud {
        Fraud::LocationOff => visit.position = Position::Off,
        Fraud::VirtualLocation => visit.position = Position::Exact,
        Fraud::NoVisit => visit.ending = Ending::Served(Proof::Silent, Closing::Deadline),
        Fraud::ShortVisit => visit.leaves_after = visit.arrives_after + TimeDelta::minutes(9) - length,
        Fraud::GoodwillSignature => visit.leaves_after = visit.arrives_after + TimeDelta::minutes(4) - length,
        Fraud::BackFilled => visit.received_after = TimeDelta::hours(22),
        Fraud::OtherWorkersName
        | Fraud::LentCard
        | Fraud::FakedDisability
        | Fraud::InsiderApproval
        | Fraud::InflatedAssessments
        | Fraud::FalseList
        | Fraud::PriceRaised
        | Fraud::LongAbsence
        | Fraud::InHospital
        | Fraud::AfterDeath
        | Fraud::TwoAtOnce
        | Fraud::ImpossibleTravel => {}
    }
}

fn described(fraud: Fraud, carer: (usize, usize), places: Vec<usize>, visits: &[VisitPlan]) -> Planted {
    let of: Vec<&VisitPlan> = places.iter().filter_map(|place| visits.get(*place)).collect();
    let mut residents: Vec<_> = of.iter().map(|visit| visit.resident).collect();
    residents.sort_unstable();
    residents.dedup();
    let mut months: Vec<_> = of.iter().map(|visit| Month::of(visit.start)).collect();
    months.dedup();
    let minutes: i64 = of.iter().map(|visit| (visit.end + visit.leaves_after - visit.start - visit.arrives_after).num_minutes()).sum();
    let count = i64::try_from(places.len()).unwrap_or(i64::MAX);
    let case = Planted { residents, provider: Some(carer.0), carers: vec![carer.1], visits: places, months, ..Planted::of(fraud) };
    case.value("visits", count).value("minutes_recorded", minutes)
}

/// Two visits of one carer on one day, the second of which begins too early for the first.
fn plant_pair(fraud: Fraud, visits: &mut [VisitPlan], period: &Period) -> Option<Planted> {
    let (first, second) = next_pair(visits, period)?;
    let end = visits.get(first).map(|visit| visit.end)?;
    let overlap = if fraud == Fraud::TwoAtOnce { TimeDelta::minutes(-8) } else { TimeDelta::seconds(50) };
    {
        let earlier = visits.get_mut(first)?;
        disguise(earlier, fraud);
        earlier.leaves_after = TimeDelta::zero();
    }
    let later = visits.get_mut(second)?;
    disguise(later, fraud);
    later.arrives_after = end + overlap - later.start;
    let carer = (later.provider, later.carers.first().copied()?);
    Some(described(fraud, carer, vec![first, second], visits).value("seconds_between", overlap.num_seconds()))
}

/// The first two free visits of one carer that follow each other within the hour in which one may begin early.
fn next_pair(visits: &[VisitPlan], period: &Period) -> Option<(usize, usize)> {
    free_by_carer(visits, period).into_values().find_map(|places| {
        places.windows(2).find_map(|pair| {
            let [first, second] = pair else { return None };
            let (earlier, later) = (visits.get(*first)?, visits.get(*second)?);
            let gap = later.start - earlier.end;
            (gap <= TimeDelta::minutes(45) && later.resident != earlier.resident).then_some((*first, *second))
        })
    })
}

/// The cases that show in grants, levels and prices rather than in visits.
fn plant_elsewhere(draw: &mut Draw, of: &Neighbourhood, period: &Period) -> Result<Vec<Planted>, SampleError> {
    let months = period.months()?.into_iter().filter(|first| *first < period.current).map(BusinessDate::month);
    let months: Vec<Month> = months.collect();
    let mut severe: Vec<usize> =
        of.residents.iter().enumerate().filter(|(_, one)| one.disability.is_some()).map(|(place, _)| place).collect();
    severe.truncate(7);
    let provider = usize::try_from(draw.below(u32::try_from(of.providers.len()).unwrap_or(1))).unwrap_or(0);
    let faked =
        Planted { residents: severe.iter().take(1).copied().collect(), months: months.clone(), ..Planted::of(Fraud::FakedDisability) };
    let heads = i64::try_from(severe.len()).unwrap_or(0);
    let inflated = Planted { residents: severe, months: months.clone(), ..Planted::of(Fraud::InflatedAssessments) };
    let insider = Planted { provider: Some(provider), months: months.clone(), ..Planted::of(Fraud::InsiderApproval) };
    let raised = of.providers.iter().position(|provider| !provider.raised.is_empty());
    let raised = raised.map(|provider| {
        let last = months.last().copied().into_iter().collect();
        Planted { provider: Some(provider), months: last, ..Planted::of(Fraud::PriceRaised) }.value("raised_percent", 40)
    });
    Ok([faked, inflated.value("assessments", heads), insider].into_iter().chain(raised).collect())
}
