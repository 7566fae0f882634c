//! A city in which everything has happened once: a resident with a subsidy, visits that were paid, held,
//! refused and called off, a released settlement, sealed audit rows and delivered events.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::{Actor, Grant, Reach, Role, SignedIn},
    catalogue::{ItemCode, Quantity, ServiceClass},
    claim::ClaimLineState,
    division::Scope,
    event::Event,
    id::{ApplicationId, CarerId, ClaimLineId, OrderId, ProviderId, ResidentId, ServiceAddressId, SessionId, VisitId},
    money::Fen,
    order::{CancelReason, OfferMode},
    policy::ProgrammeCode,
    provider::{BankAccount, Credential, CreditCode},
    resident::{Coordinate, CoordinateSystem, IdentityDocument, PersonName, Relation},
    time::{BusinessDate, DateRange, Instant, parse_instant},
    visit::{Explanation, LocationFix},
};
use store::{
    SealAudit, Store,
    command::{
        account::{CreateAccount, NewRole, PasswordHashed, RoleReach},
        application::{AcceptApplication, DecideApplication, EndNotice, FileApplication, ReviewApplication},
        city::ImportDivisions,
        claim::DecideHeldClaim,
        entitlement::{ExpireWindow, OpenWindow},
        order::{AcceptOrder, AssignOrder, CancelOrder, ConfirmOrder, OfferOrder, OrderStep, PassDeadline, PlaceOrder},
        policy::{DraftPolicy, PublishPolicy, SetBudget},
        provider::{AdmitProvider, ApplyAsProvider, DecideBankAccount, PublishPrice, RegisterCarer, RequestBankAccount, ReviewProvider},
        quote::RequestQuote,
        resident::{NewAddress, RegisterResident, Registrant},
        settlement::{ApproveSettlement, ComputeSettlement, ReleaseSettlement},
        visit::{ClockKind, ClockVisit},
    },
    delivery::{Claim, Complete, Dispatch, Outcome},
    query::work::{windows_that_ended, windows_to_open},
    write::Command,
};

use crate::db::TestDb;

mod market;

pub use market::Shop;

/// The resident's name, which nothing but the encrypted columns may hold.
pub const RESIDENT_NAME: &str = "王淑兰";
/// The resident's identity number, likewise; it is made up.
pub const RESIDENT_NUMBER: &str = "12010119400229002X";
/// The provider's account, likewise.
pub const BANK_NUMBER: &str = "6222021234567890123";
/// The county whose bureau settles.
pub const BUREAU: &str = "120101";
/// The only programme.
pub const PROGRAMME: &str = "sample-cleaning";

const COMMUNITY: &str = "120101001001";
/// Its divisions, as the statistics bureau lists them.
pub const DIVISIONS: &str =
    "code,name\n120000000000,天津市\n120100000000,市辖区\n120101000000,和平区\n120101001000,劝业场街道\n120101001001,兆丰路社区居委会\n";
/// Half the price of cleaning at home, at most 800.00 a month, city and district 1 : 1.
pub const POLICY: &str = r#"
format = 1
programme = "sample-cleaning"
version = "v1"
title = { zh = "助洁补贴", en = "Cleaning subsidy" }
division = "1201"
effective_from = 2026-01-01
order_of_use = 10
rounding = "half_up"

[source]
name = "Worked example"
knowledge = "confirmed"

[requires]
age_min = 60

[[funds]]
code = "city"
title = { zh = "市级", en = "City" }
weight = 1

[[funds]]
code = "district"
title = { zh = "区级", en = "District" }
weight = 1

[[benefits]]
code = "cleaning"
title = { zh = "助洁", en = "Cleaning" }
unit = "fen"
window = "month"
amount = 80000
items = ["cleaning"]
classes = ["home"]
share_percent = 50
share_of = "own_paid"
"#;

/// A city with one resident, one provider and two carers, as far as it has come.
#[derive(Debug)]
pub struct SampleCity<'a> {
    db: &'a TestDb,
    store: Store,
    pub(crate) people: People,
    pub(crate) resident: ResidentId,
    pub(crate) address: ServiceAddressId,
    home: Coordinate,
    pub(crate) provider: ProviderId,
    pub(crate) carers: Vec<(CarerId, Actor)>,
}

/// Who lives and works in it, one person per role.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are the roles")]
pub struct People {
    pub worker: Actor,
    pub street: Actor,
    pub clerk: Actor,
    pub cashier: Actor,
    pub approver: Actor,
    pub officer: Actor,
    pub manager: Actor,
    pub family: Actor,
}

/// How much of a visit is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The position at both ends, and the family confirms: paid.
    Confirmed,
    /// The position and an explanation, and nobody confirms: held.
    Explained,
}

fn system() -> Actor {
    Actor::System("test")
}

fn at(text: &str) -> anyhow::Result<Instant> {
    Ok(parse_instant(text)?)
}

impl<'a> SampleCity<'a> {
    /// Founds the city and brings it up to 2 December 2026: November is settled and released.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn build(db: &'a TestDb) -> anyhow::Result<Self> {
        let mut city = Self::prepare(db).await?;
        city.entitle().await?;
        city.serve_november().await?;
        city.settle_november().await?;
        city.deliver().await?;
        city.begin_december().await?;
        city.run(system(), SealAudit).await?;
        Ok(city)
    }

    /// As [`SampleCity::build`], up to the end of November: what was served is neither computed nor paid.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn unsettled(db: &'a TestDb) -> anyhow::Result<Self> {
        let mut city = Self::prepare(db).await?;
        city.entitle().await?;
        city.serve_november().await?;
        Ok(city)
    }

    /// Its store.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) async fn run<C: Command>(&self, actor: Actor, command: C) -> anyhow::Result<C::Output> {
        Ok(self.store.write(self.db.source().context(actor), command).await?)
    }

    /// People, rules, prices: what must be there before anybody is served.
    pub(crate) async fn prepare(db: &'a TestDb) -> anyhow::Result<Self> {
        let store = db.store().await?;
        let write = |actor| db.source().context(actor);
        store.write(write(system()), ImportDivisions { csv: DIVISIONS.to_owned() }).await?;
        let password = PasswordHashed::new(&"correct horse battery staple".to_owned().into())?;
        let staff = Accounts { db, store: &store, password: &password };
        let county = || -> anyhow::Result<_> { Ok(RoleReach::Division(BUREAU.parse()?)) };
        let whole = || -> anyhow::Result<_> { Ok(RoleReach::Division(crate::db::CITY.parse()?)) };
        let mut people = People {
            worker: staff.create("worker", Role::CommunityWorker, county()?).await?,
            street: staff.create("street", Role::StreetClerk, county()?).await?,
            clerk: staff.create("clerk", Role::CountyClerk, whole()?).await?,
            cashier: staff.create("cashier", Role::CountyClerk, whole()?).await?,
            approver: staff.create("approver", Role::Approver, whole()?).await?,
            officer: staff.create("officer", Role::ProviderLicensingOfficer, county()?).await?,
            manager: staff.create("manager", Role::ProviderManager, RoleReach::Bound).await?,
            family: staff.create("family", Role::FamilyMember, RoleReach::Bound).await?,
        };
        let provider = admit(db, &store, &people).await?;
        people.manager = with_reach(people.manager, &Reach::Provider(provider));
        let mut carers = Vec::new();
        for login in ["carer-one", "carer-two"] {
            let actor = staff.create(login, Role::Carer, RoleReach::Provider(provider)).await?;
            let register = RegisterCarer { provider, login: login.to_owned(), certificates: vec![credential("health_proof")?] };
            let registered = store.write(write(people.manager.clone()), register).await?;
            carers.push((registered.carer_id, actor));
        }
        let home = Coordinate::parse(CoordinateSystem::Wgs84, "39.117220", "117.195980")?;
        let registered = store.write(write(people.worker.clone()), resident(home)?).await?;
        let resident = registered.resident_id;
        people.family = with_reach(people.family, &Reach::Bound(vec![resident]));
        let address = registered.address_ids.into_iter().next().ok_or_else(|| anyhow::anyhow!("no address"))?;
        Ok(Self { db, store, people, resident, address, home, provider, carers })
    }

    /// Publishes the policy with its budgets and brings an application through to its first window.
    pub(crate) async fn entitle(&mut self) -> anyhow::Result<()> {
        let draft = DraftPolicy { file_name: "sample.toml".to_owned(), text: POLICY.to_owned() };
        let drafted = self.run(self.people.clerk.clone(), draft).await?;
        let publish = PublishPolicy { policy: drafted.policy_version_id, digest: drafted.digest };
        self.run(self.people.approver.clone(), publish).await?;
        for fund in ["city", "district"] {
            let budget = SetBudget { programme: PROGRAMME.parse()?, fund: fund.parse()?, year: 2026, amount: Fen::new(1_000_000)? };
            self.run(self.people.clerk.clone(), budget).await?;
        }
        let application = self.apply(PROGRAMME).await?;
        self.db.clock().set(at("2026-11-10T08:00:00+08:00")?);
        self.run(system(), EndNotice { application }).await?;
        self.turn_windows().await
    }

    pub(crate) async fn apply(&self, programme: &str) -> anyhow::Result<ApplicationId> {
        let file = FileApplication { resident: self.resident, programme: programme.parse()? };
        let application = self.run(self.people.family.clone(), file).await?.application_id;
        self.run(self.people.worker.clone(), AcceptApplication { application }).await?;
        self.run(self.people.street.clone(), ReviewApplication { application }).await?;
        self.run(self.people.approver.clone(), DecideApplication { application, approve: true, reason: None }).await?;
        Ok(application)
    }

    /// Expires the windows that are over and opens those that have begun.
    pub(crate) async fn turn_windows(&self) -> anyhow::Result<()> {
        let today = BusinessDate::of(self.db.source().now());
        for window in windows_that_ended(&self.store, today, 100).await? {
            self.run(system(), ExpireWindow { window }).await?;
        }
        for entitlement in windows_to_open(&self.store, today, "month", None, 100).await? {
            self.run(system(), OpenWindow { entitlement }).await?;
        }
        Ok(())
    }

    async fn serve_november(&self) -> anyhow::Result<()> {
        let own_money = Some(BTreeSet::new());
        self.serve("2026-11-12T09:00:00+08:00", None, Proof::Confirmed).await?;
        self.serve("2026-11-12T14:00:00+08:00", own_money, Proof::Confirmed).await?;
        let approved = self.serve("2026-11-13T09:00:00+08:00", None, Proof::Explained).await?;
        let claim = self.held_claim(approved).await?;
        let decided = self.run(self.people.clerk.clone(), DecideHeldClaim { claim, pay: true }).await?;
        anyhow::ensure!(decided.state == ClaimLineState::Posted, "the held claim was approved");
        self.serve("2026-11-18T09:00:00+08:00", None, Proof::Explained).await?;
        let called_off = self.book("2026-11-25T09:00:00+08:00", None).await?;
        self.run(
            self.people.family.clone(),
            CancelOrder { order: called_off.order_id, reason: CancelReason::PlansChanged, fee_agreed: Fen::ZERO },
        )
        .await?;
        Ok(())
    }

    /// Books cleaning for two hours.
    pub(crate) async fn book(&self, start: &str, programmes: Option<BTreeSet<ProgrammeCode>>) -> anyhow::Result<OrderStep> {
        let quote = RequestQuote {
            resident: self.resident,
            provider: self.provider,
            address: Some(self.address),
            item: ItemCode::Cleaning,
            class: ServiceClass::Home,
            starts_at: at(start)?,
            quantity: Quantity::from_hundredths(200)?,
            facts: BTreeMap::new(),
            programmes,
        };
        let quoted = self.run(self.people.family.clone(), quote).await?;
        self.run(self.people.family.clone(), PlaceOrder { quote: quoted.quote_id, mode: OfferMode::default(), centre: None }).await
    }

    pub(crate) async fn assign(&self, order: OrderId, carer: CarerId) -> anyhow::Result<()> {
        self.run(system(), OfferOrder { order }).await?;
        self.run(self.people.manager.clone(), AcceptOrder { order }).await?;
        self.run(self.people.manager.clone(), AssignOrder { order, carers: vec![carer] }).await?;
        Ok(())
    }

    /// Books a visit the day before, serves it and lets it be judged.
    pub(crate) async fn serve(&self, start: &str, programmes: Option<BTreeSet<ProgrammeCode>>, proof: Proof) -> anyhow::Result<OrderId> {
        let begin = at(start)?;
        self.db.clock().set(begin - chrono::TimeDelta::hours(20));
        let OrderStep { order_id: order, visit_id, .. } = self.book(start, programmes).await?;
        let (carer, actor) = self.carers.first().ok_or_else(|| anyhow::anyhow!("no carer"))?;
        self.assign(order, *carer).await?;
        self.db.clock().set(begin);
        self.run(actor.clone(), self.clock(visit_id, ClockKind::ClockIn, proof)).await?;
        self.db.clock().advance(chrono::TimeDelta::hours(2));
        self.run(actor.clone(), self.clock(visit_id, ClockKind::ClockOut, proof)).await?;
        match proof {
            Proof::Confirmed => self.run(self.people.family.clone(), ConfirmOrder { order }).await.map(drop)?,
            Proof::Explained => {
                self.db.clock().advance(chrono::TimeDelta::hours(49));
                self.run(system(), PassDeadline { order }).await?;
            }
        }
        Ok(order)
    }

    pub(crate) fn clock(&self, visit: VisitId, kind: ClockKind, proof: Proof) -> ClockVisit {
        ClockVisit {
            visit,
            kind,
            client_event_id: format!("{visit}-{kind}"),
            occurred_at: self.db.source().now(),
            location: Some(LocationFix { coordinate: self.home, accuracy_m: 20 }),
            code: None,
            explanation: (proof == Proof::Explained).then_some(Explanation::NobodyToShowCode),
            signed: None,
        }
    }

    /// The claim line of an order, as its event tells.
    pub(crate) async fn held_claim(&self, order: OrderId) -> anyhow::Result<ClaimLineId> {
        while self.run(system(), Dispatch { subscribers: |_event| vec!["claims"] }).await? > 0 {}
        loop {
            let claimed = self.run(system(), Claim).await?;
            anyhow::ensure!(!claimed.is_empty(), "no claim was adjudicated for {order}");
            let mut found = None;
            for delivery in claimed {
                if let Event::ClaimAdjudicated { claim, order: of, .. } = delivery.event
                    && of == order
                {
                    found = Some(claim);
                }
                self.run(system(), Complete { id: delivery.id, epoch: delivery.epoch, outcome: Outcome::Done }).await?;
            }
            if let Some(claim) = found {
                return Ok(claim);
            }
        }
    }

    /// Computes, approves and releases November.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn settle_november(&self) -> anyhow::Result<()> {
        self.run(system(), SealAudit).await?;
        self.db.clock().set(at("2026-12-02T09:00:00+08:00")?);
        self.turn_windows().await?;
        let bureau: Scope = BUREAU.parse()?;
        let compute = ComputeSettlement { programme: PROGRAMME.parse()?, bureau, month: "2026-11".parse()? };
        let computed = self.run(self.people.clerk.clone(), compute).await?;
        anyhow::ensure!(computed.line_count == 2, "two lines were posted in November, not {}", computed.line_count);
        let period = computed.settlement_period_id;
        let approve = ApproveSettlement { period, content_hash: computed.content_hash };
        self.run(self.people.approver.clone(), approve).await?;
        self.run(self.people.cashier.clone(), ReleaseSettlement { period }).await?;
        Ok(())
    }

    /// Delivers some of the events: one is done, one dead, the others wait.
    async fn deliver(&self) -> anyhow::Result<()> {
        self.run(system(), Dispatch { subscribers: |_event| vec!["mail"] }).await?;
        let claimed = self.run(system(), Claim).await?;
        let outcomes = [Outcome::Done, Outcome::Dead { error: "no such address".to_owned() }];
        for (delivery, outcome) in claimed.into_iter().zip(outcomes) {
            let complete = Complete { id: delivery.id, epoch: delivery.epoch, outcome };
            anyhow::ensure!(self.run(system(), complete).await?, "the claim is the latest");
        }
        Ok(())
    }

    /// One visit is assigned and one offered; neither is due.
    async fn begin_december(&self) -> anyhow::Result<()> {
        let (carer, _actor) = self.carers.last().ok_or_else(|| anyhow::anyhow!("no carer"))?;
        let assigned = self.book("2026-12-05T09:00:00+08:00", None).await?;
        self.assign(assigned.order_id, *carer).await?;
        let offered = self.book("2026-12-06T09:00:00+08:00", None).await?;
        self.run(system(), OfferOrder { order: offered.order_id }).await
    }
}

/// Makes accounts that share a password: hashing one is slow by design.
struct Accounts<'a> {
    db: &'a TestDb,
    store: &'a Store,
    password: &'a PasswordHashed,
}

impl Accounts<'_> {
    async fn create(&self, login: &str, role: Role, reach: RoleReach) -> anyhow::Result<Actor> {
        let held = match &reach {
            RoleReach::Division(scope) => Reach::Division(*scope),
            RoleReach::Provider(provider) => Reach::Provider(*provider),
            RoleReach::Bound => Reach::Bound(Vec::new()),
        };
        let roles = vec![NewRole { role, reach }];
        let account =
            CreateAccount { name: PersonName::parse("李建国")?, login: login.to_owned(), password: self.password.clone(), roles };
        let created = self.store.write(self.db.source().context(system()), account).await?;
        let session = SessionId::from_parts(1, [1; 10]);
        let grants = vec![Grant { role, reach: held }];
        Ok(Actor::Person(SignedIn { person: created.person_id, account: created.account_id, session, grants, key: None }))
    }
}

/// The same person with another reach in all roles.
fn with_reach(actor: Actor, reach: &Reach) -> Actor {
    match actor {
        Actor::Person(person) => {
            let grants = person.grants.into_iter().map(|grant| Grant { reach: reach.clone(), ..grant }).collect();
            Actor::Person(SignedIn { grants, ..person })
        }
        Actor::System(name) => Actor::System(name),
    }
}

fn credential(kind: &str) -> anyhow::Result<Credential> {
    let valid = DateRange::new(BusinessDate::from_ymd(2026, 1, 1)?, Some(BusinessDate::from_ymd(2028, 1, 1)?))?;
    Ok(Credential::new(kind.parse()?, "TJ-2026-0001", valid)?)
}

/// Admits a provider that offers cleaning at 60.00 an hour.
async fn admit(db: &TestDb, store: &Store, people: &People) -> anyhow::Result<ProviderId> {
    let apply = ApplyAsProvider {
        name: "和平区安心养老服务中心".to_owned(),
        credit_code: CreditCode::parse("91350100M000100Y43")?,
        division: BUREAU.parse::<Scope>()?.division(),
        licences: vec![credential("home_service")?],
    };
    let write = |actor: &Actor| db.source().context(actor.clone());
    let provider = store.write(write(&people.manager), apply).await?.provider_id;
    store.write(write(&people.officer), ReviewProvider { provider }).await?;
    store.write(write(&people.approver), AdmitProvider { provider }).await?;
    store.write(write(&people.officer), market::agreement(db, provider, "HP-2026-7")?).await?;
    let account =
        BankAccount::new("和平区安心养老服务中心", "示范银行和平支行", BANK_NUMBER).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    let manager = with_reach(people.manager.clone(), &Reach::Provider(provider));
    let asked = store.write(write(&manager), RequestBankAccount { provider, account }).await?;
    let decide = DecideBankAccount { account: asked.bank_account_id, version: asked.version, approve: true };
    store.write(write(&people.officer), decide).await?;
    let price = PublishPrice {
        provider,
        item: ItemCode::Cleaning,
        class: ServiceClass::Home,
        unit_price: Fen::new(6_000)?,
        effective_from: BusinessDate::of(db.source().now()),
    };
    store.write(write(&manager), price).await?;
    store.write(write(&manager), market::serves_bureau(provider)?).await?;
    Ok(provider)
}

fn resident(home: Coordinate) -> anyhow::Result<RegisterResident> {
    let division = COMMUNITY.parse()?;
    Ok(RegisterResident {
        document: IdentityDocument::ResidentId,
        number: RESIDENT_NUMBER.to_owned().into(),
        name: PersonName::parse(RESIDENT_NAME)?,
        phone: None,
        birth_date: None,
        sex: None,
        hukou: Some(division),
        residence: division,
        living: None,
        categories: None,
        disability: None,
        declared: BTreeMap::new(),
        addresses: vec![NewAddress { division, text: "兆丰路1号".to_owned().into(), coordinate: Some(home) }],
        registrant: Registrant::Community { requested_by: Relation::Child },
    })
}
