use std::collections::BTreeMap;

use super::{Draw, Period, SampleError, identity_number, name};
use crate::{
    assessment::{ChangeFacts, ITEMS},
    catalogue::ItemCode,
    division::{DivisionCode, DivisionLevel},
    policy::FactValue,
    resident::{Category, Coordinate, CoordinateSystem, Disability, DisabilityKind, Living, Relation, Sex},
    time::BusinessDate,
};

/// A made-up older person.
#[derive(Debug, Clone)]
pub struct ResidentPlan {
    /// Name.
    pub name: String,
    /// Sex.
    pub sex: Sex,
    /// Birth date.
    pub birth_date: BusinessDate,
    /// Identity number, see [`super::is_synthetic`].
    pub number: String,
    /// Community of the home.
    pub residence: DivisionCode,
    /// Division of the household register.
    pub hukou: DivisionCode,
    /// House, staircase and door.
    pub address: String,
    /// Where the home is.
    pub home: Coordinate,
    /// With whom they live.
    pub living: Living,
    /// Recognised circumstances.
    pub categories: Vec<Category>,
    /// Recognised disability.
    pub disability: Option<Disability>,
    /// Facts that policies declare.
    pub declared: BTreeMap<String, FactValue>,
    /// The score of each item of the assessment.
    pub scores: Vec<(&'static str, i64)>,
    /// What changes the level.
    pub changes: ChangeFacts,
    /// Who acts for them; nobody in one of five homes.
    pub family: Option<FamilyPlan>,
    /// What they use every week; nothing for most of a large city.
    pub habits: Vec<Habit>,
    /// Day of the registration; the assessment is the day after.
    pub registered_on: BusinessDate,
}

/// A made-up family member.
#[derive(Debug, Clone)]
pub struct FamilyPlan {
    /// Name.
    pub name: String,
    /// How they are related.
    pub relation: Relation,
}

/// A service that somebody uses regularly.
#[derive(Debug, Clone)]
pub struct Habit {
    /// Which.
    pub item: ItemCode,
    /// In hundredths of catalogue units.
    pub quantity_hundredths: i64,
    /// Days of the week, Monday is 0.
    pub weekdays: Vec<u64>,
    /// Every so many weeks.
    pub weeks: u64,
    /// Minute of the day.
    pub minute: i64,
    /// Facts of the visit, such as which meal.
    pub facts: BTreeMap<String, FactValue>,
}

/// Where the counties of Tianjin have their centres, in millionths of a degree (WGS-84), rounded to about a kilometre.
const CENTRES: [(&str, i32, i32); 16] = [
    ("120101", 39_117_000, 117_214_000),
    ("120102", 39_128_000, 117_252_000),
    ("120103", 39_110_000, 117_223_000),
    ("120104", 39_138_000, 117_151_000),
    ("120105", 39_148_000, 117_197_000),
    ("120106", 39_167_000, 117_152_000),
    ("120110", 39_087_000, 117_314_000),
    ("120111", 39_141_000, 117_009_000),
    ("120112", 38_938_000, 117_357_000),
    ("120113", 39_224_000, 117_135_000),
    ("120114", 39_384_000, 117_044_000),
    ("120115", 39_717_000, 117_310_000),
    ("120116", 39_003_000, 117_711_000),
    ("120117", 39_330_000, 117_825_000),
    ("120118", 38_947_000, 116_974_000),
    ("120119", 40_046_000, 117_408_000),
];

/// How far homes lie from the centre of their county, in millionths of a degree (about 2 km).
const SPREAD: i64 = 18_000;

/// Draws a resident. `serial` keeps identity numbers apart.
pub(super) fn draw(
    draw: &mut Draw,
    period: &Period,
    place: (DivisionCode, &str),
    serial: u32,
    served: bool,
) -> Result<ResidentPlan, SampleError> {
    let (residence, community) = place;
    let sex = draw.one_of(Sex::Male, &[Sex::Female]);
    let age = draw.weighted(88, &[(30, 66), (28, 72), (24, 78), (22, 83)], 14) + draw.between(-4, 4);
    let birth_date = birthday(draw, period, age)?;
    let registered_on = period.founded.plus_days(u64::from(draw.below(12)))?;
    let severity = severity(draw, age, served);
    let living = draw.weighted(Living::WithFamily, &[(22, Living::Alone), (25, Living::EmptyNest), (28, Living::WithSpouse)], 25);
    let categories = categories(draw, severity);
    let disability = match severity {
        0 | 1 => None,
        grave => Some(Disability::new(
            draw.one_of(DisabilityKind::Limb, &[DisabilityKind::Vision, DisabilityKind::Hearing, DisabilityKind::Multiple]),
            if grave >= 3 { 1 } else { 2 },
        )?),
    };
    let hukou = if draw.chance(930) { residence } else { elsewhere(residence) };
    let habits = if served { habits(draw, age, severity) } else { Vec::new() };
    Ok(ResidentPlan {
        name: name::person(draw, sex),
        sex,
        birth_date,
        number: identity_number(birth_date, sex, serial)?,
        residence,
        hukou,
        address: format!("{community}{}号楼{}门{}0{}", draw.between(1, 40), draw.between(1, 6), draw.between(1, 9), draw.between(1, 4)),
        home: home(draw, residence)?,
        living,
        declared: declared(draw, &categories, severity, age),
        categories,
        disability,
        scores: scores(draw, severity),
        changes: ChangeFacts { dementia: severity >= 2 && draw.chance(80), ..ChangeFacts::default() },
        family: draw.chance(790).then(|| family(draw)),
        habits,
        registered_on,
    })
}

fn birthday(draw: &mut Draw, period: &Period, age: i64) -> Result<BusinessDate, SampleError> {
    let year = period.current.month().year() - i32::try_from(age).unwrap_or(80);
    let (month, day) = (1 + draw.below(12), 1 + draw.below(28));
    Ok(BusinessDate::from_ymd(year, month, day)?)
}

/// How much help somebody needs, from 0 (able) to 4; those with services need more.
fn severity(draw: &mut Draw, age: i64, served: bool) -> u32 {
    let older = if age >= 80 { 8 } else { 0 };
    if served {
        draw.weighted(4, &[(26, 0), (24, 1), (24 + older, 2), (16 + older, 3)], 5)
    } else {
        draw.weighted(4, &[(68, 0), (18, 1), (7 + older, 2), (4, 3)], 2)
    }
}

fn categories(draw: &mut Draw, severity: u32) -> Vec<Category> {
    let chances = [
        (Category::Dibao, 90),
        (Category::LowIncome, 60),
        (Category::VeteranCare, 35),
        (Category::OnlyChildParent, 70),
        (Category::FamilyPlanningSpecial, 8),
        (Category::ModelWorker, 10),
        (Category::Tekun, 8),
        (Category::SevereDisability, if severity >= 3 { 350 } else { 0 }),
    ];
    let mut drawn: Vec<_> = chances.into_iter().filter(|(_, permille)| draw.chance(*permille)).map(|(category, _)| category).collect();
    // Whoever receives full support is not on the other two lists.
    if drawn.contains(&Category::Tekun) || drawn.contains(&Category::Dibao) {
        drawn.retain(|category| *category != Category::LowIncome);
    }
    if drawn.contains(&Category::Tekun) {
        drawn.retain(|category| *category != Category::Dibao);
    }
    drawn
}

fn declared(draw: &mut Draw, categories: &[Category], severity: u32, age: i64) -> BTreeMap<String, FactValue> {
    let poor = categories.contains(&Category::Dibao) || categories.contains(&Category::LowIncome);
    let text = if draw.chance(950) { "urban" } else { "rural" };
    BTreeMap::from([
        ("hukou_kind".to_owned(), FactValue::Text(text.to_owned())),
        ("needs_care".to_owned(), FactValue::Bool(severity >= 1 || age >= 85)),
        ("income_below_minimum_wage".to_owned(), FactValue::Bool(poor || draw.chance(180))),
        ("only_child_aged_60".to_owned(), FactValue::Bool(categories.contains(&Category::OnlyChildParent) && age >= 84)),
        ("receives_centralised_care".to_owned(), FactValue::Bool(draw.chance(15))),
        ("receives_basic_care_uplift".to_owned(), FactValue::Bool(draw.chance(25))),
    ])
}

/// Totals of the five levels, from able to total dependence (GB/T 42195-2022, preliminary levels).
const TOTALS: [(i64, i64); 5] = [(90, 90), (66, 89), (46, 65), (30, 45), (4, 29)];

/// Scores whose sum lies in the band of the severity: points are lost item by item.
fn scores(draw: &mut Draw, severity: u32) -> Vec<(&'static str, i64)> {
    let band = usize::try_from(severity).ok().and_then(|place| TOTALS.get(place)).copied().unwrap_or((90, 90));
    let total = draw.between(band.0, band.1);
    let mut scores: Vec<_> = ITEMS.iter().map(|item| (item.code, i64::from(item.max))).collect();
    let count = u32::try_from(scores.len()).unwrap_or(0);
    let mut sum: i64 = scores.iter().map(|(_, score)| score).sum();
    while sum > total {
        let place = usize::try_from(draw.below(count)).unwrap_or(0);
        if let Some((_, score)) = scores.get_mut(place).filter(|(_, score)| *score > 0) {
            *score -= 1;
            sum -= 1;
        }
    }
    scores
}

fn family(draw: &mut Draw) -> FamilyPlan {
    let relation = draw.weighted(
        Relation::Other,
        &[(60, Relation::Child), (22, Relation::Spouse), (8, Relation::ChildInLaw), (6, Relation::Grandchild)],
        4,
    );
    let sex = draw.one_of(Sex::Male, &[Sex::Female]);
    FamilyPlan { name: name::person(draw, sex), relation }
}

/// A household register in another province: Shijiazhuang.
fn elsewhere(residence: DivisionCode) -> DivisionCode {
    "130102000000".parse().unwrap_or(residence)
}

fn home(draw: &mut Draw, residence: DivisionCode) -> Result<Coordinate, SampleError> {
    let county = residence.at(DivisionLevel::County).to_string();
    let centre = CENTRES.iter().find(|(code, _, _)| county.starts_with(code)).map_or((39_117_000, 117_214_000), |row| (row.1, row.2));
    let mut near = |middle: i32| middle.saturating_add(i32::try_from(draw.between(-SPREAD, SPREAD)).unwrap_or(0));
    Ok(Coordinate::new(CoordinateSystem::Wgs84, near(centre.0), near(centre.1))?)
}

fn meal(draw: &mut Draw) -> Habit {
    let (minute, name) = draw.weighted((17 * 60 + 10, "dinner"), &[(80, (11 * 60 + 20, "lunch"))], 20);
    let facts =
        BTreeMap::from([("meal".to_owned(), FactValue::Text(name.to_owned())), ("standard_price_fen".to_owned(), FactValue::Int(1_300))]);
    let weekdays: &[u64] = draw.weighted(&[0, 1, 2, 3, 4], &[(60, &[0_u64, 2, 4][..]), (25, &[1, 3])], 15);
    Habit {
        item: ItemCode::Meal,
        quantity_hundredths: 100,
        weekdays: weekdays.to_vec(),
        weeks: 1,
        minute: minute + draw.between(-3, 3) * 5,
        facts,
    }
}

/// What somebody uses: by age and by how much help they need.
fn habits(draw: &mut Draw, age: i64, severity: u32) -> Vec<Habit> {
    let mut habits = Vec::new();
    if age >= 80 && draw.chance(420) || draw.chance(50) {
        habits.push(meal(draw));
    }
    let hour = |draw: &mut Draw, from: i64, to: i64| draw.between(from * 2, to * 2) * 30;
    let care: &[(ItemCode, i64, u64, u32)] = match severity {
        0 => &[(ItemCode::Cleaning, 200, 1, 620), (ItemCode::Companionship, 100, 2, 150), (ItemCode::MedicalEscort, 300, 4, 120)],
        1 => &[
            (ItemCode::Cleaning, 200, 1, 560),
            (ItemCode::Bathing, 100, 2, 350),
            (ItemCode::MedicalEscort, 300, 4, 200),
            (ItemCode::Errand, 100, 2, 150),
        ],
        2 => &[
            (ItemCode::Bathing, 100, 1, 640),
            (ItemCode::Cleaning, 200, 2, 350),
            (ItemCode::Rehabilitation, 100, 1, 330),
            (ItemCode::Mobility, 200, 2, 200),
        ],
        _ => &[(ItemCode::Nursing, 200, 1, 560), (ItemCode::Bathing, 100, 1, 640), (ItemCode::Rehabilitation, 100, 1, 260)],
    };
    for (item, quantity_hundredths, weeks, permille) in care {
        if draw.chance(*permille) {
            let minute = hour(draw, 8, 15);
            let weekdays = vec![u64::from(draw.below(6))];
            habits.push(Habit {
                item: *item,
                quantity_hundredths: *quantity_hundredths,
                weekdays,
                weeks: *weeks,
                minute,
                facts: BTreeMap::new(),
            });
        }
    }
    if habits.is_empty() {
        let minute = hour(draw, 8, 15);
        let weekdays = vec![u64::from(draw.below(6))];
        habits.push(Habit { item: ItemCode::Cleaning, quantity_hundredths: 200, weekdays, weeks: 1, minute, facts: BTreeMap::new() });
    }
    habits
}
