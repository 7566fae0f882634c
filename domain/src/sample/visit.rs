use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{Draw, Fraud, Habit, Neighbourhood, Period, ProviderPlan, SampleError, at_minute};
use crate::{
    assessment::{Level, Scores, assess},
    catalogue::{Catalogue, ItemCode, Quantity, ServiceClass},
    policy::FactValue,
    time::{BusinessDate, Instant},
};

/// What becomes of a booking, if it has time to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The provider declines.
    Declined,
    /// The provider does not answer.
    Unanswered,
    /// The family calls it off.
    Cancelled,
    /// Nobody comes.
    Missed,
    /// The service is given.
    Served(Proof, Closing),
}

/// What evidence a visit leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Position, visit code and the key of the device.
    Full,
    /// Position and visit code.
    Fair,
    /// A position and an explanation of what is missing.
    Thin,
    /// Nothing at all.
    Silent,
    /// A position elsewhere.
    Elsewhere,
}

/// How a served visit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The family confirms.
    Family,
    /// The deadline confirms.
    Deadline,
    /// A dispute, decided for the provider.
    DisputePaid,
    /// A dispute, decided against the provider.
    DisputeRejected,
}

/// Which position the carer's phone states where it states one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// As measured: some metres around the home.
    Measured,
    /// To the last digit the home itself, each time: made by a program.
    Exact,
    /// None: switched off.
    Off,
}

/// One booking.
#[derive(Debug, Clone)]
pub struct VisitPlan {
    /// Place of the resident in the neighbourhood.
    pub resident: usize,
    /// Place of the provider in the neighbourhood.
    pub provider: usize,
    /// Places of its carers.
    pub carers: Vec<usize>,
    /// Which service.
    pub item: ItemCode,
    /// Where: at home.
    pub class: ServiceClass,
    /// How much.
    pub quantity: Quantity,
    /// Facts of the visit.
    pub facts: BTreeMap<String, FactValue>,
    /// When it is to begin.
    pub start: Instant,
    /// When it is to end.
    pub end: Instant,
    /// How long before its start it is booked, where the window allows it.
    pub lead: TimeDelta,
    /// What becomes of it.
    pub ending: Ending,
    /// Which position the phone states.
    pub position: Position,
    /// When the carer arrives, after the planned start.
    pub arrives_after: TimeDelta,
    /// When the carer leaves, after the planned end.
    pub leaves_after: TimeDelta,
    /// How late the phone's events reach the server.
    pub received_after: TimeDelta,
    /// The fraud that it is part of.
    pub fraud: Option<Fraud>,
}

/// How long a carer is on the way between two homes.
const TRAVEL_MINUTES: i64 = 20;
/// How often a booking is put off by half an hour when nobody is free.
const TRIES: i64 = 6;

/// When somebody is free again.
type Busy<K> = BTreeMap<K, Instant>;

/// Plans the visits of a neighbourhood day by day.
pub(super) fn plan(draw: &mut Draw, of: &Neighbourhood, period: &Period, catalogue: &Catalogue) -> Result<Vec<VisitPlan>, SampleError> {
    let regular = regular_providers(draw, of);
    let mut visits = Vec::new();
    let mut day = period.first;
    let mut number: u64 = 0;
    while day < period.until {
        let mut free = Day { residents: Busy::new(), carers: Busy::new() };
        let mut wanted = due(of, day, number);
        wanted.sort_by_key(|(resident, habit)| (habit.minute, *resident));
        for (resident, habit) in wanted {
            let Some(provider) = regular.get(&(resident, habit.item)).copied() else { continue };
            let wish = Wish { day, resident, provider, habit };
            // People are ill, away or do not feel like it.
            if draw.chance(60) {
                continue;
            }
            visits.extend(free.book(draw, of, &wish, catalogue));
        }
        day = day.plus_days(1)?;
        number += 1;
    }
    visits.sort_by_key(|visit: &VisitPlan| (visit.start, visit.resident));
    Ok(visits)
}

/// The provider to which each resident turns for each service.
fn regular_providers(draw: &mut Draw, of: &Neighbourhood) -> BTreeMap<(usize, ItemCode), usize> {
    let mut regular = BTreeMap::new();
    for (place, resident) in of.residents.iter().enumerate() {
        for habit in &resident.habits {
            let offers = |provider: &ProviderPlan| provider.prices.iter().any(|(item, _)| *item == habit.item);
            let offering: Vec<_> =
                of.providers.iter().enumerate().filter(|(_, provider)| offers(provider)).map(|(place, _)| place).collect();
            if let Some(chosen) = draw.pick(&offering) {
                regular.insert((place, habit.item), *chosen);
            }
        }
    }
    regular
}

/// The habits that fall on a day.
fn due(of: &Neighbourhood, day: BusinessDate, number: u64) -> Vec<(usize, &Habit)> {
    let weekday = u64::try_from((day.get() - day.monday().get()).num_days()).unwrap_or(0);
    let mut due = Vec::new();
    for (place, resident) in of.residents.iter().enumerate() {
        let week = number / 7 + u64::try_from(place).unwrap_or(0);
        let falls = |habit: &&Habit| habit.weekdays.contains(&weekday) && week.is_multiple_of(habit.weeks);
        due.extend(resident.habits.iter().filter(falls).map(|habit| (place, habit)));
    }
    due
}

struct Wish<'a> {
    day: BusinessDate,
    resident: usize,
    provider: usize,
    habit: &'a Habit,
}

/// Who is taken until when on one day.
struct Day {
    residents: Busy<usize>,
    carers: Busy<(usize, usize)>,
}

impl Day {
    /// Books a wish with the first carers that are free, a little later if nobody is.
    fn book(&mut self, draw: &mut Draw, of: &Neighbourhood, wish: &Wish<'_>, catalogue: &Catalogue) -> Option<VisitPlan> {
        let (Some(resident), Some(provider)) = (of.residents.get(wish.resident), of.providers.get(wish.provider)) else { return None };
        let item = catalogue.item(wish.habit.item, wish.day)?;
        let Ok(quantity) = Quantity::from_hundredths(wish.habit.quantity_hundredths) else { return None };
        let class = ServiceClass::Home;
        let level = Scores::new(resident.scores.iter().copied()).map(|scores| assess(&scores, &resident.changes).final_level);
        let staff = item.staff_needed(class, level.ok().filter(|level| *level != Level::Able));
        let length = TimeDelta::minutes(i64::from(item.minutes_booked(quantity)));
        for late in 0..TRIES {
            let start = at_minute(wish.day, wish.habit.minute + late * 30);
            let end = start + length;
            if self.residents.get(&wish.resident).is_some_and(|until| *until > start) {
                continue;
            }
            let needs_therapist = wish.habit.item == ItemCode::Rehabilitation;
            let fits = |place: &usize| {
                let can = provider.carers.get(*place).is_some_and(|carer| carer.is_therapist || !needs_therapist);
                can && self.carers.get(&(wish.provider, *place)).is_none_or(|until| *until <= start)
            };
            let count = usize::try_from(staff).unwrap_or(1);
            let carers: Vec<usize> = (0..provider.carers.len()).filter(fits).take(count).collect();
            if carers.len() < count {
                continue;
            }
            self.residents.insert(wish.resident, end);
            for carer in &carers {
                self.carers.insert((wish.provider, *carer), end + TimeDelta::minutes(TRAVEL_MINUTES));
            }
            return Some(drawn(draw, wish, carers, (quantity, start, end)));
        }
        None
    }
}

fn drawn(draw: &mut Draw, wish: &Wish<'_>, carers: Vec<usize>, what: (Quantity, Instant, Instant)) -> VisitPlan {
    let (quantity, start, end) = what;
    let ending = ending(draw);
    let offline = draw.chance(40);
    VisitPlan {
        resident: wish.resident,
        provider: wish.provider,
        carers,
        item: wish.habit.item,
        class: ServiceClass::Home,
        quantity,
        facts: wish.habit.facts.clone(),
        start,
        end,
        lead: TimeDelta::minutes(draw.between(5 * 60, 6 * 24 * 60)),
        ending,
        position: Position::Measured,
        arrives_after: TimeDelta::seconds(draw.between(-540, 600)),
        leaves_after: TimeDelta::seconds(draw.between(-120, 540)),
        received_after: if offline { TimeDelta::minutes(draw.between(20, 600)) } else { TimeDelta::seconds(draw.between(0, 4)) },
        fraud: None,
    }
}

/// What becomes of bookings: of a thousand, some 54 end without service.
fn ending(draw: &mut Draw) -> Ending {
    let proof = draw.weighted(Proof::Full, &[(300, Proof::Fair), (75, Proof::Thin), (28, Proof::Silent), (17, Proof::Elsewhere)], 580);
    let closing =
        draw.weighted(Closing::Family, &[(250, Closing::Deadline), (14, Closing::DisputePaid), (9, Closing::DisputeRejected)], 727);
    // Whoever has little to show is seldom confirmed.
    let closing = match (proof, closing) {
        (Proof::Thin | Proof::Silent, Closing::Family) if draw.chance(850) => Closing::Deadline,
        (_, closing) => closing,
    };
    let served = Ending::Served(proof, closing);
    draw.weighted(served, &[(10, Ending::Declined), (7, Ending::Unanswered), (25, Ending::Cancelled), (12, Ending::Missed)], 946)
}
