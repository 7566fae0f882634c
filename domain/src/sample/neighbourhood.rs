use super::{Draw, Period, Planted, ResidentPlan, SampleError, Shape, VisitPlan, fraud, name, resident, visit};
use crate::{
    catalogue::{Catalogue, ItemCode},
    division::{DivisionCode, DivisionLevel, DivisionTable, Scope},
    resident::Sex,
};

/// What kind of house a provider is: it decides what it offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProviderKind {
    /// 居家养老服务中心: everything at home.
    Service,
    /// 老人家食堂: meals.
    Kitchen,
    /// 护理站: nursing, rehabilitation, bathing.
    Nursing,
    /// 家政: cleaning, errands, company.
    Household,
}

impl ProviderKind {
    /// Kinds of the providers of a neighbourhood, in turn. The first three offer everything, so that a small one
    /// lacks nothing.
    const TURN: [Self; 8] =
        [Self::Service, Self::Service, Self::Kitchen, Self::Service, Self::Nursing, Self::Household, Self::Kitchen, Self::Service];

    const fn title(self) -> &'static str {
        match self {
            Self::Service => "居家养老服务中心",
            Self::Kitchen => "老人家食堂",
            Self::Nursing => "护理站",
            Self::Household => "家政服务社",
        }
    }

    /// What it offers, at how many fen a unit before its own mark-up.
    #[must_use]
    pub const fn prices(self) -> &'static [(ItemCode, i64)] {
        match self {
            Self::Service => &[
                (ItemCode::Meal, 1_500),
                (ItemCode::Bathing, 12_000),
                (ItemCode::Cleaning, 4_000),
                (ItemCode::MedicalEscort, 5_000),
                (ItemCode::Mobility, 4_500),
                (ItemCode::Nursing, 7_500),
                (ItemCode::Rehabilitation, 12_000),
                (ItemCode::Companionship, 3_500),
                (ItemCode::Errand, 2_500),
            ],
            Self::Kitchen => &[(ItemCode::Meal, 1_300)],
            Self::Nursing => &[(ItemCode::Nursing, 8_000), (ItemCode::Rehabilitation, 11_500), (ItemCode::Bathing, 12_500)],
            Self::Household => &[(ItemCode::Cleaning, 3_800), (ItemCode::Errand, 2_200), (ItemCode::Companionship, 3_300)],
        }
    }

    /// The licences that it holds.
    #[must_use]
    pub const fn licences(self) -> &'static [&'static str] {
        match self {
            Self::Service => &["home_service", "catering", "nursing", "rehabilitation"],
            Self::Kitchen => &["catering"],
            Self::Nursing => &["home_service", "nursing", "rehabilitation"],
            Self::Household => &["home_service"],
        }
    }
}

/// A made-up provider.
#[derive(Debug, Clone)]
pub struct ProviderPlan {
    /// Number in the city, from 0.
    pub number: u32,
    /// Registered name.
    pub name: String,
    /// What it is.
    pub kind: ProviderKind,
    /// Division of its seat.
    pub division: DivisionCode,
    /// Name of its manager.
    pub manager: String,
    /// Price of a unit, in fen.
    pub prices: Vec<(ItemCode, i64)>,
    /// Prices that follow from the first day of the last past month: raised before the subsidy is taken off.
    pub raised: Vec<(ItemCode, i64)>,
    /// Its workers.
    pub carers: Vec<CarerPlan>,
}

/// A made-up carer.
#[derive(Debug, Clone)]
pub struct CarerPlan {
    /// Number in the city, from 0.
    pub number: u32,
    /// Name.
    pub name: String,
    /// Whether they are nurse and therapist too.
    pub is_therapist: bool,
}

impl CarerPlan {
    /// The certificates that the carer holds.
    #[must_use]
    pub const fn certificates(&self) -> &'static [&'static str] {
        if self.is_therapist { &["health_proof", "care_worker", "nurse", "therapist"] } else { &["health_proof", "care_worker"] }
    }
}

/// Residents with the providers that serve them: nobody else does, and they serve nobody else.
#[derive(Debug, Clone)]
pub struct Neighbourhood {
    /// Number in the city, from 0.
    pub number: u32,
    /// The county whose bureau settles.
    pub county: Scope,
    /// Who lives there.
    pub residents: Vec<ResidentPlan>,
    /// Who serves them.
    pub providers: Vec<ProviderPlan>,
}

impl Neighbourhood {
    /// The counties in which a city of this shape has residents.
    ///
    /// # Errors
    /// [`SampleError::NoCommunity`] when the table has no county.
    pub fn counties(shape: &Shape, divisions: &DivisionTable, city: Scope) -> Result<Vec<Scope>, SampleError> {
        let counties = divisions.codes().filter(|code| code.level() == DivisionLevel::County && city.covers(*code)).map(Scope::of);
        let counties: Vec<_> = if shape.all_districts { counties.collect() } else { counties.take(1).collect() };
        if counties.is_empty() { Err(SampleError::NoCommunity(city.to_string())) } else { Ok(counties) }
    }

    /// Draws a neighbourhood. Neighbourhoods are dealt out to the counties in blocks, so that those of one county
    /// follow each other.
    ///
    /// # Errors
    /// [`SampleError`].
    pub fn draw(
        seed: u64,
        number: u32,
        shape: &Shape,
        period: &Period,
        divisions: &DivisionTable,
        counties: &[Scope],
    ) -> Result<Self, SampleError> {
        let county = county_of(number, shape, counties).ok_or_else(|| SampleError::NoCommunity(String::new()))?;
        let inside = |code: &DivisionCode| code.level() == DivisionLevel::Community && county.covers(*code);
        let communities: Vec<_> = divisions.codes().filter(inside).collect();
        if communities.is_empty() {
            return Err(SampleError::NoCommunity(county.to_string()));
        }
        let mut draw = Draw::branch(seed, "neighbourhood", u64::from(number));
        let first = number * shape.neighbourhood;
        let count = shape.neighbourhood.min(shape.residents.saturating_sub(first));
        let mut residents = Vec::new();
        for place in 0..count {
            let residence = draw.pick(&communities).copied().ok_or_else(|| SampleError::NoCommunity(county.to_string()))?;
            let community = divisions.name(residence).unwrap_or_default();
            let served = draw.chance(shape.served_permille);
            residents.push(resident::draw(&mut draw, period, (residence, community), first + place, served)?);
        }
        let providers = providers(&mut draw, (number, county), shape, &communities);
        Ok(Self { number, county, residents, providers })
    }

    /// The visits from the first day to the last, in the order of their start, with the frauds among them.
    ///
    /// # Errors
    /// [`SampleError`].
    pub fn visits(&self, seed: u64, period: &Period, catalogue: &Catalogue) -> Result<(Vec<VisitPlan>, Vec<Planted>), SampleError> {
        let mut draw = Draw::branch(seed, "visits", u64::from(self.number));
        let mut visits = visit::plan(&mut draw, self, period, catalogue)?;
        let planted = fraud::plant(&mut draw, self, &mut visits, period)?;
        Ok((visits, planted))
    }
}

fn county_of(number: u32, shape: &Shape, counties: &[Scope]) -> Option<Scope> {
    let count = u32::try_from(counties.len()).unwrap_or(1).max(1);
    let per_county = shape.neighbourhoods().div_ceil(count).max(1);
    let place = usize::try_from(number / per_county).unwrap_or(0);
    counties.get(place).or_else(|| counties.last()).copied()
}

fn providers(draw: &mut Draw, of: (u32, Scope), shape: &Shape, communities: &[DivisionCode]) -> Vec<ProviderPlan> {
    let (neighbourhood, county) = of;
    let mut providers = Vec::new();
    for (place, kind) in (0..shape.providers).zip(ProviderKind::TURN.into_iter().cycle()) {
        let number = neighbourhood * shape.providers + place;
        let mark_up = draw.between(-5, 12);
        let prices: Vec<_> = kind.prices().iter().map(|(item, fen)| (*item, (fen + fen * mark_up / 100) / 50 * 50)).collect();
        // One provider of each neighbourhood raises its prices by two fifths.
        let raised =
            if place + 1 == shape.providers { prices.iter().map(|(item, fen)| (*item, fen * 7 / 5)).collect() } else { Vec::new() };
        let carers = (0..shape.carers).map(|worker| carer(draw, number * shape.carers + worker, worker < shape.carers.div_ceil(3)));
        let carers = carers.collect();
        let sex = draw.one_of(Sex::Female, &[Sex::Male]);
        providers.push(ProviderPlan {
            number,
            name: name::provider(number, kind.title()),
            kind,
            division: draw.pick(communities).copied().unwrap_or(county.division()).at(DivisionLevel::Street),
            manager: name::person(draw, sex),
            prices,
            raised,
            carers,
        });
    }
    providers
}

fn carer(draw: &mut Draw, number: u32, is_therapist: bool) -> CarerPlan {
    let sex = draw.weighted(Sex::Male, &[(85, Sex::Female)], 15);
    CarerPlan { number, name: name::person(draw, sex), is_therapist }
}
