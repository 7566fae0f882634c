//! More than one provider: what matching and offers need.

use std::collections::BTreeSet;

use anyhow::Context as _;
use chrono::TimeDelta;
use domain::{
    access::{Actor, Reach, Role, SignedIn},
    catalogue::{ItemCode, Quantity, ServiceClass},
    division::Scope,
    id::{CarerId, DayCareCentreId, OrderId, ProviderId, ResidentId, VisitId},
    money::Fen,
    order::OfferMode,
    policy::ProgrammeCode,
    provider::{Agreement, CreditCode, ProviderProfile, ServiceArea, WeekHours, WeekRange},
    time::{BusinessDate, DateRange, parse_instant},
};
use store::{
    StoreError,
    command::{
        account::{PasswordHashed, RoleReach},
        candidates::{CandidatesView, FindCandidates},
        order::{OrderStep, PlaceOrder},
        provider::{AdmitProvider, ApplyAsProvider, EditProfile, PublishPrice, RecordAgreement, RegisterCarer, ReviewProvider},
        quote::RequestQuote,
        resident::RegisterResident,
        visit::{ClockKind, ClockVisit},
    },
    write::Command,
};

use super::{Accounts, BUREAU, Proof, SampleCity, at, credential, with_reach};
use crate::{db::TestDb, walk::numbers};

/// A provider with its people.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The provider.
    pub provider: ProviderId,
    /// Who answers for it.
    pub manager: Actor,
    /// Its carers.
    pub carers: Vec<(CarerId, Actor)>,
}

/// Serves the bureau's county on all days, around the clock.
pub(super) fn serves_bureau(provider: ProviderId) -> anyhow::Result<EditProfile> {
    let area = ServiceArea::new(BTreeSet::from([BUREAU.parse::<Scope>()?]), None)?;
    let (from, until) = ("00:00".parse()?, "24:00".parse()?);
    let hours = WeekHours::new((1..=7).map(|weekday| WeekRange { weekday, from, until }).collect())?;
    Ok(EditProfile { provider, version: 0, profile: ProviderProfile::new(area, hours, BTreeSet::new())? })
}

/// An agreement with the bureau from today on.
pub(super) fn agreement(db: &TestDb, provider: ProviderId, number: &str) -> anyhow::Result<RecordAgreement> {
    let valid = DateRange::new(BusinessDate::of(db.source().now()), Some(BusinessDate::from_ymd(2028, 1, 1)?))?;
    Ok(RecordAgreement { provider, agreement: Agreement::new(number, valid.from(), valid)? })
}

impl<'a> SampleCity<'a> {
    /// The city as far as its resident has a subsidy for November and nothing was booked yet.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn entitled(db: &'a TestDb) -> anyhow::Result<Self> {
        let mut city = Self::prepare(db).await?;
        city.entitle().await?;
        Ok(city)
    }

    /// The family of its resident.
    #[must_use]
    pub fn family(&self) -> Actor {
        self.people.family.clone()
    }

    /// A clerk of the bureau.
    #[must_use]
    pub fn clerk(&self) -> Actor {
        self.people.clerk.clone()
    }

    /// An approver of the bureau.
    #[must_use]
    pub fn approver(&self) -> Actor {
        self.people.approver.clone()
    }

    /// The person of the family in the office of a county clerk.
    #[must_use]
    pub fn clerk_of_the_family(&self) -> Actor {
        let office = |actor: &Actor| match actor {
            Actor::Person(person) => person.grants.clone(),
            Actor::System(_) => Vec::new(),
        };
        match self.people.family.clone() {
            Actor::Person(person) => Actor::Person(SignedIn { grants: office(&self.people.clerk), ..person }),
            Actor::System(name) => Actor::System(name),
        }
    }

    /// The community worker.
    #[must_use]
    pub fn worker(&self) -> Actor {
        self.people.worker.clone()
    }

    /// Its resident.
    #[must_use]
    pub const fn resident(&self) -> ResidentId {
        self.resident
    }

    /// The provider that it begins with; cleaning costs 60.00 an hour there.
    #[must_use]
    pub fn shop(&self) -> Shop {
        Shop { provider: self.provider, manager: self.people.manager.clone(), carers: self.carers.clone() }
    }

    /// Runs a command as somebody.
    ///
    /// # Errors
    /// What the command refuses.
    pub async fn act<C: Command>(&self, actor: &Actor, command: C) -> Result<C::Output, StoreError> {
        self.store.write(self.db.source().context(actor.clone()), command).await
    }

    /// Admits another provider with one carer that offers cleaning at a price per hour.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn open_shop(&self, number: u32, hour_fen: i64) -> anyhow::Result<Shop> {
        let password = PasswordHashed::new(&"correct horse battery staple".to_owned().into())?;
        let accounts = Accounts { db: self.db, store: &self.store, password: &password };
        let manager = accounts.create(&format!("manager-{number}"), Role::ProviderManager, RoleReach::Bound).await?;
        let apply = ApplyAsProvider {
            name: format!("第{number}养老服务中心"),
            credit_code: CreditCode::parse(&numbers::credit_code(number)?)?,
            division: BUREAU.parse::<Scope>()?.division(),
            licences: vec![credential("home_service")?, credential("day_care")?],
        };
        let provider = self.act(&manager, apply).await?.provider_id;
        self.act(&self.people.officer, ReviewProvider { provider }).await?;
        self.act(&self.people.approver, AdmitProvider { provider }).await?;
        self.act(&self.people.officer, agreement(self.db, provider, &format!("HP-{number}"))?).await?;
        let manager = with_reach(manager, &Reach::Provider(provider));
        self.act(&manager, serves_bureau(provider)?).await?;
        let price = PublishPrice {
            provider,
            item: ItemCode::Cleaning,
            class: ServiceClass::Home,
            unit_price: Fen::new(hour_fen)?,
            effective_from: BusinessDate::of(self.db.source().now()),
        };
        self.act(&manager, price).await?;
        let login = format!("carer-of-{number}");
        let carer = accounts.create(&login, Role::Carer, RoleReach::Provider(provider)).await?;
        let register = RegisterCarer { provider, login, certificates: vec![credential("health_proof")?, credential("care_worker")?] };
        let registered = self.act(&manager, register).await?;
        Ok(Shop { provider, manager, carers: vec![(registered.carer_id, carer)] })
    }

    /// Which providers could clean for two hours.
    ///
    /// # Errors
    /// What the command refuses.
    pub async fn candidates(&self, start: &str) -> anyhow::Result<CandidatesView> {
        let find = FindCandidates {
            resident: self.resident,
            address: Some(self.address),
            item: ItemCode::Cleaning,
            class: ServiceClass::Home,
            starts_at: at(start)?,
            quantity: Quantity::from_hundredths(200)?,
            facts: std::collections::BTreeMap::new(),
            programmes: None,
        };
        Ok(self.act(&self.people.family, find).await?)
    }

    /// Books two hours of cleaning, quoted with one of the providers.
    ///
    /// # Errors
    /// What a command refuses.
    pub async fn book_with(
        &self,
        provider: ProviderId,
        start: &str,
        mode: OfferMode,
        programmes: Option<BTreeSet<ProgrammeCode>>,
    ) -> anyhow::Result<OrderStep> {
        let quote = RequestQuote {
            resident: self.resident,
            provider,
            address: Some(self.address),
            item: ItemCode::Cleaning,
            class: ServiceClass::Home,
            starts_at: at(start)?,
            quantity: Quantity::from_hundredths(200)?,
            facts: std::collections::BTreeMap::new(),
            programmes,
        };
        let quoted = self.act(&self.people.family, quote).await?;
        Ok(self.act(&self.people.family, PlaceOrder { quote: quoted.quote_id, mode, centre: None }).await?)
    }

    /// A carer of a shop comes, stays for two hours and leaves, with position and code as evidence.
    ///
    /// # Errors
    /// What a command refuses.
    pub async fn visit(&self, shop: &Shop, visit: VisitId, start: &str) -> anyhow::Result<()> {
        let (_carer, actor) = shop.carers.first().context("no carer")?;
        self.db.clock().set(at(start)?);
        for kind in [ClockKind::ClockIn, ClockKind::ClockOut] {
            let code = self.store.visit_code(&self.people.family, visit, self.db.source().now()).await?;
            let clock = ClockVisit { code: Some(code.parse()?), ..self.clock(visit, kind, Proof::Confirmed) };
            self.act(actor, clock).await?;
            if kind == ClockKind::ClockIn {
                self.db.clock().advance(TimeDelta::hours(2));
            }
        }
        Ok(())
    }

    /// Puts an order before its first providers, as the background work does.
    ///
    /// # Errors
    /// What the command refuses.
    pub async fn offer(&self, order: OrderId) -> anyhow::Result<()> {
        Ok(self.act(&super::system(), store::command::order::OfferOrder { order }).await?)
    }

    /// Registers another resident and answers who acts for them.
    ///
    /// # Errors
    /// What the command refuses.
    pub async fn another_family(&self, number: u32) -> anyhow::Result<Actor> {
        let register = RegisterResident { number: numbers::identity_number(number)?.into(), ..super::resident(self.home)? };
        let registered = self.act(&self.people.worker, register).await?;
        Ok(with_reach(self.people.family.clone(), &Reach::Bound(vec![registered.resident_id])))
    }

    /// For whom somebody acts; the city's own resident when it is nobody's family.
    #[must_use]
    pub fn bound_to(&self, actor: &Actor) -> ResidentId {
        let grants = match actor {
            Actor::Person(person) => person.grants.as_slice(),
            Actor::System(_) => &[],
        };
        let bound = grants.iter().find_map(|grant| match &grant.reach {
            Reach::Bound(residents) => residents.first().copied(),
            Reach::Division(_) | Reach::Provider(_) => None,
        });
        bound.unwrap_or(self.resident)
    }

    /// Books cleaning and names a day-care centre with it, which makes no sense.
    ///
    /// # Errors
    /// What the command refuses: it should.
    pub async fn book_at_centre(&self, centre: DayCareCentreId, start: &str) -> Result<OrderStep, StoreError> {
        let quote = RequestQuote {
            resident: self.resident,
            provider: self.provider,
            address: Some(self.address),
            item: ItemCode::Cleaning,
            class: ServiceClass::Home,
            starts_at: parse_instant(start)?,
            quantity: Quantity::from_hundredths(200).map_err(|fault| StoreError::refused(&fault))?,
            facts: std::collections::BTreeMap::new(),
            programmes: None,
        };
        let quoted = self.act(&self.people.family, quote).await?;
        self.act(&self.people.family, PlaceOrder { quote: quoted.quote_id, mode: OfferMode::default(), centre: Some(centre) }).await
    }
}
