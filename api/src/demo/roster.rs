//! The providers and carers of a made-up city: each applies with its papers, is reviewed and admitted, publishes prices
//! and registers its carers, all through the write door.

use domain::{
    access::{Actor, Role},
    catalogue::ServiceClass,
    division::Scope,
    id::{PersonId, ProviderId},
    money::Fen,
    sample::{Neighbourhood, Period, ProviderPlan, credit_code},
    time::BusinessDate,
};
use store::{
    Ctx, Source, Store, StoreError,
    command::{
        account::{PasswordHashed, RoleReach},
        provider::{AdmitProvider, ApplyAsProvider, EditProfile, PublishPrice, RegisterCarer, ReviewProvider},
    },
    seed::{Seat, Staff},
};

use super::{
    fill::Wanted,
    seed::{Demo, Login, PASSWORD, Seed, hash, serves_county},
};

/// Everybody who works in a made-up city.
pub(super) struct Roster {
    pub(super) staff: Staff,
    pub(super) seats: Vec<Seat>,
    /// Logins of the first provider, for visitors.
    pub(super) logins: Vec<Login>,
}

/// Providers that are still on their way, beside those that serve: applied, and reviewed.
const UNDER_WAY: [&str; 3] = ["和平新桥居家服务社（演示）", "劝业养老服务站（演示）", "南市助餐点（演示）"];
/// Serial of the first credit code of a provider; the demo's own one lies below.
const CREDIT_SERIAL: u32 = 1_000;

/// Enlists the providers of all neighbourhoods.
pub(super) async fn enlist(store: &Store, source: &Source, demo: &Demo, what: (&Wanted, &Period, &[Scope])) -> Result<Roster, StoreError> {
    let (wanted, period, counties) = what;
    let seed = Seed { store, source };
    let person = |login: &str| demo.login(login).map(|login| login.person_id).ok_or_else(StoreError::not_found);
    let staff = Staff {
        community_worker: person("community-worker")?,
        assessors: [person("assessor")?, person("assessor-2")?],
        street_clerk: person("street-clerk")?,
        county_clerk: person("county-clerk")?,
        approver: person("approver")?,
    };
    let enlisting = Enlisting {
        officer: seed.as_person(demo, "licensing-officer").await?.actor,
        approver: seed.as_person(demo, "approver").await?.actor,
        password: hash(PASSWORD).await?,
        raised_from: period.last_past()?,
        seed,
    };
    let (mut seats, mut logins) = (Vec::new(), Vec::new());
    for number in 0..wanted.shape.neighbourhoods() {
        let divisions = &store.reference().divisions;
        let of = Neighbourhood::draw(wanted.seed, number, &wanted.shape, period, divisions, counties)?;
        for plan in &of.providers {
            let (seat, own) = enlisting.provider(plan).await?;
            seats.push(seat);
            if logins.is_empty() {
                logins = own;
            }
        }
    }
    for (name, serial) in UNDER_WAY.into_iter().zip(0..) {
        enlisting.under_way(name, serial, counties).await?;
    }
    Ok(Roster { staff, seats, logins })
}

struct Enlisting<'a> {
    seed: Seed<'a>,
    officer: Actor,
    approver: Actor,
    password: PasswordHashed,
    raised_from: BusinessDate,
}

impl Enlisting<'_> {
    async fn actor(&self, login: &Login) -> Result<Actor, StoreError> {
        let today = BusinessDate::of(self.seed.source.now());
        self.seed.store.actor_of(login.person_id, login.account_id, today).await
    }

    fn as_actor(&self, actor: &Actor) -> Ctx {
        self.seed.source.context(actor.clone())
    }

    /// One provider with its carers; answers the logins of its manager and its first carer too.
    async fn provider(&self, plan: &ProviderPlan) -> Result<(Seat, Vec<Login>), StoreError> {
        let store = self.seed.store;
        let login = format!("manager-{}", plan.number + 1);
        let manager = self.seed.account(&login, Role::ProviderManager, &plan.manager, RoleReach::Bound, &self.password).await?;
        let licences = self.seed.credentials(plan.kind.licences(), &format!("演示{}", plan.number + 1))?;
        let credit_code = credit_code(CREDIT_SERIAL + plan.number)?;
        let apply = ApplyAsProvider { name: plan.name.clone(), credit_code, division: plan.division, licences };
        let provider = store.write(self.as_actor(&self.actor(&manager).await?), apply).await?.provider_id;
        store.write(self.as_actor(&self.officer), ReviewProvider { provider }).await?;
        store.write(self.as_actor(&self.approver), AdmitProvider { provider }).await?;
        // The application has made the applicant its manager.
        let actor = self.actor(&manager).await?;
        self.prices(&actor, provider, plan).await?;
        self.seed.agreement(self.as_actor(&self.officer), provider, plan.number + 1).await?;
        self.seed.bank_account(self.as_actor(&actor), self.as_actor(&self.approver), (provider, &plan.name, plan.number + 1)).await?;
        let profile = serves_county(plan.division)?;
        self.seed.store.write(self.as_actor(&actor), EditProfile { provider, version: 0, profile }).await?;
        let (mut carers, mut logins) = (Vec::new(), vec![manager.clone()]);
        for carer in &plan.carers {
            let login = format!("carer-{}", 101 + carer.number);
            let account = self.seed.account(&login, Role::Carer, &carer.name, RoleReach::Provider(provider), &self.password).await?;
            let certificates = self.seed.credentials(carer.certificates(), &login)?;
            let registered = store.write(self.as_actor(&actor), RegisterCarer { provider, login, certificates }).await?;
            carers.push((registered.carer_id, account.person_id));
            if logins.len() == 1 {
                logins.push(account);
            }
        }
        let manager: PersonId = manager.person_id;
        Ok((Seat { provider, manager, carers }, logins))
    }

    async fn prices(&self, actor: &Actor, provider: ProviderId, plan: &ProviderPlan) -> Result<(), StoreError> {
        let today = BusinessDate::of(self.seed.source.now());
        let first = plan.prices.iter().map(|price| (price, today));
        let raised = plan.raised.iter().map(|price| (price, self.raised_from));
        for ((item, fen), effective_from) in first.chain(raised) {
            let unit_price = Fen::new(*fen)?;
            let price = PublishPrice { provider, item: *item, class: ServiceClass::Home, unit_price, effective_from };
            self.seed.store.write(self.as_actor(actor), price).await?;
        }
        Ok(())
    }

    /// A provider whose application is not decided yet; every second one is reviewed.
    async fn under_way(&self, name: &str, serial: u32, counties: &[Scope]) -> Result<(), StoreError> {
        let login = format!("applicant-{}", serial + 1);
        let manager = self.seed.account(&login, Role::ProviderManager, "申请人", RoleReach::Bound, &self.password).await?;
        let seat = counties.first().copied().ok_or_else(StoreError::not_found)?.division();
        let licences = self.seed.credentials(&["home_service"], &login)?;
        let apply = ApplyAsProvider { name: name.to_owned(), credit_code: credit_code(serial)?, division: seat, licences };
        let provider = self.seed.store.write(self.as_actor(&self.actor(&manager).await?), apply).await?.provider_id;
        if serial % 2 == 1 {
            self.seed.store.write(self.as_actor(&self.officer), ReviewProvider { provider }).await?;
        }
        Ok(())
    }
}
