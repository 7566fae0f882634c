//! The small set that a demo city begins with: its division table, the published policies with budgets, one
//! login per role, and one admitted provider with prices and two carers.
//!
//! Everything is made by the same commands that the API gives, each as the right person; nothing is written
//! past them.

use std::collections::BTreeSet;

use domain::{
    access::{Actor, Role},
    catalogue::{ItemCode, ServiceClass},
    contact::Contact,
    division::{DivisionCode, DivisionLevel, Scope},
    id::{AccountId, PersonId, ProviderId},
    money::Fen,
    policy::{Policy, ProgrammeCode},
    provider::{
        Agreement, BankAccount, CarerProfile, Credential, CreditCode, ProfileError, ProviderProfile, ServiceArea, WeekHours, WeekRange,
    },
    resident::{PersonName, Sex},
    time::{BusinessDate, DateRange},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{
    CityMode, Ctx, Source, Store, StoreError,
    command::{
        account::{CreateAccount, NewRole, PasswordHashed, RoleReach, SetContact},
        city::{FoundCity, ImportDivisions},
        policy::{DraftPolicy, PublishPolicy, SetBudget},
        provider::{
            AdmitProvider, ApplyAsProvider, DecideBankAccount, EditCarer, EditProfile, PublishPrice, RecordAgreement, RegisterCarer,
            RequestBankAccount, ReviewProvider,
        },
    },
};

/// Password of every demo login. The demo listens on the loopback address and holds no real person.
pub const PASSWORD: &str = "yijia-demo-2026";

/// The demo city: Tianjin.
const CITY: &str = "12";
/// Seat of the demo provider: 和平区.
const SEAT: &str = "120101000000";
/// A made-up credit code with a right check character.
/// Name of the demo's own provider.
const PROVIDER_NAME: &str = "和平颐家居家养老服务中心（演示）";
const CREDIT_CODE: &str = "52120101MJ0000018L";
/// What each fund may spend in a year: ten million yuan.
pub(super) const BUDGET_FEN: i64 = 1_000_000_000;

/// One way to sign in to the demo.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Login.
    pub login: String,
    /// The role that it shows.
    pub role: Role,
    /// Secret of the authenticator, for staff.
    pub totp_secret: Option<String>,
    /// The person.
    pub person_id: PersonId,
    /// The account.
    pub account_id: AccountId,
}

/// What a demo city begins with, as far as a visitor needs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    /// Password of every login.
    pub password: String,
    /// The logins, in the order of the roles.
    pub logins: Vec<Login>,
    /// The admitted provider.
    pub provider_id: ProviderId,
}

impl Demo {
    /// A login by its name.
    #[must_use]
    pub fn login(&self, login: &str) -> Option<&Login> {
        self.logins.iter().find(|one| one.login == login)
    }
}

/// Login, role, name and reach of each demo person. Some steps need two persons of one role.
const PEOPLE: &[(&str, Role, &str, &str)] = &[
    ("operator", Role::SystemOperator, "系统管理员", "12"),
    ("community-worker", Role::CommunityWorker, "社区工作者", "120101001"),
    ("assessor", Role::Assessor, "评估员甲", "120101"),
    ("assessor-2", Role::Assessor, "评估员乙", "120101"),
    ("street-clerk", Role::StreetClerk, "街道经办", "120101001"),
    ("county-clerk", Role::CountyClerk, "区级经办", "12"),
    ("county-clerk-2", Role::CountyClerk, "区级出纳", "12"),
    ("approver", Role::Approver, "区级审批", "12"),
    ("licensing-officer", Role::ProviderLicensingOfficer, "机构管理员", "12"),
    ("auditor", Role::Auditor, "审计员", "12"),
    ("hotline", Role::HotlineDesk, "热线坐席", "120101"),
    ("volunteer", Role::Volunteer, "志愿者", "120101001"),
    ("family", Role::FamilyMember, "家属", ""),
    ("resident", Role::Resident, "老人", ""),
    ("provider-manager", Role::ProviderManager, "机构负责人", ""),
];

/// Where the demo's families are sent codes; the sandbox shows them and delivers nothing.
pub(super) const CONTACTS: [(&str, &str); 2] = [("family", "family@example.com"), ("resident", "13800138000")];

/// Founds a demo city with the small set alone.
///
/// # Errors
/// A database that has a city already, and failures of the store.
pub async fn seed(store: &Store, source: &Source) -> Result<Demo, StoreError> {
    let last_year = BusinessDate::of(source.now()).month().year() + 1;
    found(store, source, &Founding { last_year, yearly_fen: BUDGET_FEN, clock_offset_seconds: 0 }).await
}

/// What a larger city is founded with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Founding {
    /// The last year in which programmes have budgets.
    pub(super) last_year: i32,
    /// What every fund of every programme may spend in each year, in fen.
    pub(super) yearly_fen: i64,
    /// How far the city's clock is ahead of the machine's.
    pub(super) clock_offset_seconds: i64,
}

/// As [`seed`], with budgets of a larger city.
///
/// # Errors
/// As [`seed`].
pub(super) async fn found(store: &Store, source: &Source, founding: &Founding) -> Result<Demo, StoreError> {
    let seed = Seed { store, source };
    let scope: Scope = CITY.parse().map_err(|cause| StoreError::refused(&cause))?;
    let found = FoundCity { scope, mode: CityMode::Demo, clock_offset_seconds: founding.clock_offset_seconds };
    store.write(source.context(Actor::System("seed")), found).await?;
    let csv = include_str!("../../../domain/data/divisions.csv").to_owned();
    store.write(source.context(Actor::System("seed")), ImportDivisions { csv }).await?;
    let password = hash(PASSWORD).await?;
    let mut logins = Vec::new();
    for (login, role, name, scope) in PEOPLE {
        let reach = if scope.is_empty() {
            RoleReach::Bound
        } else {
            RoleReach::Division(scope.parse().map_err(|cause| StoreError::refused(&cause))?)
        };
        logins.push(seed.account(login, *role, name, reach, &password).await?);
    }
    let mut demo = Demo { password: PASSWORD.to_owned(), logins, provider_id: ProviderId::from_uuid(uuid::Uuid::nil()) };
    seed.contacts(&demo).await?;
    seed.policies(&demo, founding).await?;
    demo.provider_id = seed.provider(&demo).await?;
    for login in ["carer", "carer-2"] {
        let reach = RoleReach::Provider(demo.provider_id);
        let carer = seed.account(login, Role::Carer, "护理员", reach, &password).await?;
        demo.logins.push(carer);
        seed.carer(&demo, login).await?;
    }
    Ok(demo)
}

pub(super) async fn hash(password: &'static str) -> Result<PasswordHashed, StoreError> {
    tokio::task::spawn_blocking(move || PasswordHashed::new(&SecretString::from(password))).await.map_err(|_died| StoreError::Panicked)?
}

/// Makes things through the write door, as the people of the demo.
pub(super) struct Seed<'a> {
    pub(super) store: &'a Store,
    pub(super) source: &'a Source,
}

impl Seed<'_> {
    pub(super) async fn account(
        &self,
        login: &str,
        role: Role,
        name: &str,
        reach: RoleReach,
        password: &PasswordHashed,
    ) -> Result<Login, StoreError> {
        let name = PersonName::parse(name).map_err(|cause| StoreError::refused(&cause))?;
        let command = CreateAccount { name, login: login.to_owned(), password: password.clone(), roles: vec![NewRole { role, reach }] };
        let made = self.store.write(self.source.context(Actor::System("seed")), command).await?;
        Ok(Login { login: login.to_owned(), role, totp_secret: made.totp_secret, person_id: made.person_id, account_id: made.account_id })
    }

    /// A context of one of the demo people.
    pub(super) async fn as_person(&self, demo: &Demo, login: &str) -> Result<Ctx, StoreError> {
        let who = demo.login(login).ok_or_else(StoreError::not_found)?;
        let actor = self.store.actor_of(who.person_id, who.account_id, BusinessDate::of(self.source.now())).await?;
        Ok(self.source.context(actor))
    }

    /// Gives those who may sign in by code their contacts.
    async fn contacts(&self, demo: &Demo) -> Result<(), StoreError> {
        for (login, contact) in CONTACTS {
            let account = demo.login(login).ok_or_else(StoreError::not_found)?.account_id;
            let contact = Contact::parse(contact).map_err(|cause| StoreError::refused(&cause))?;
            self.store.write(self.as_person(demo, "operator").await?, SetContact { account, contact }).await?;
        }
        Ok(())
    }

    /// Publishes the shipped policies of this city, with their budgets.
    async fn policies(&self, demo: &Demo, founding: &Founding) -> Result<(), StoreError> {
        let city: Scope = CITY.parse().map_err(|cause| StoreError::refused(&cause))?;
        let year = self.source.now();
        let year = BusinessDate::of(year).month().year();
        for (file_name, text) in Policy::shipped_texts() {
            let policy = Policy::parse(file_name, text).map_err(|faults| damaged(&faults))?;
            if !policy.division().starts_with(&city.to_string()) {
                continue;
            }
            let draft = DraftPolicy { file_name: (*file_name).to_owned(), text: (*text).to_owned() };
            let drafted = self.store.write(self.as_person(demo, "county-clerk").await?, draft).await?;
            let publish = PublishPolicy { policy: drafted.policy_version_id, digest: drafted.digest };
            self.store.write(self.as_person(demo, "approver").await?, publish).await?;
            for fund in policy.funds() {
                for year in year..=founding.last_year {
                    let programme: ProgrammeCode = policy.programme().clone();
                    let budget = SetBudget { programme, fund: fund.code().clone(), year, amount: Fen::new(founding.yearly_fen)? };
                    self.store.write(self.as_person(demo, "county-clerk").await?, budget).await?;
                }
            }
        }
        Ok(())
    }

    async fn provider(&self, demo: &Demo) -> Result<ProviderId, StoreError> {
        let credit_code = CreditCode::parse(CREDIT_CODE).map_err(|cause| StoreError::refused(&cause))?;
        let division = SEAT.parse().map_err(|cause| StoreError::refused(&cause))?;
        let licences = self.credentials(&["home_service", "catering", "nursing", "rehabilitation"], "演示")?;
        let apply = ApplyAsProvider { name: PROVIDER_NAME.to_owned(), credit_code, division, licences };
        let provider = self.store.write(self.as_person(demo, "provider-manager").await?, apply).await?.provider_id;
        self.store.write(self.as_person(demo, "licensing-officer").await?, ReviewProvider { provider }).await?;
        self.store.write(self.as_person(demo, "approver").await?, AdmitProvider { provider }).await?;
        self.agreement(self.as_person(demo, "licensing-officer").await?, provider, 0).await?;
        let profile = serves_county(division)?;
        self.store.write(self.as_person(demo, "provider-manager").await?, EditProfile { provider, version: 0, profile }).await?;
        let (manager, approver) = (self.as_person(demo, "provider-manager").await?, self.as_person(demo, "approver").await?);
        self.bank_account(manager, approver, (provider, PROVIDER_NAME, 0)).await?;
        let prices = [
            (ItemCode::Bathing, 12_000),
            (ItemCode::Cleaning, 4_000),
            (ItemCode::Meal, 1_300),
            (ItemCode::Nursing, 9_000),
            (ItemCode::MedicalEscort, 6_000),
        ];
        for (item, fen) in prices {
            let price = PublishPrice {
                provider,
                item,
                class: ServiceClass::Home,
                unit_price: Fen::new(fen)?,
                effective_from: BusinessDate::of(self.source.now()),
            };
            self.store.write(self.as_person(demo, "provider-manager").await?, price).await?;
        }
        Ok(provider)
    }

    /// An agreement with the bureau for two years from today.
    pub(super) async fn agreement(&self, officer: Ctx, provider: ProviderId, number: u32) -> Result<(), StoreError> {
        let today = BusinessDate::of(self.source.now());
        let valid = DateRange::new(today, Some(today.plus_months(24)?)).map_err(|cause| StoreError::refused(&cause))?;
        let agreement = Agreement::new(&format!("演示-购买服务协议-{number}"), today, valid);
        let agreement = agreement.map_err(|cause| StoreError::refused(&cause))?;
        self.store.write(officer, RecordAgreement { provider, agreement }).await?;
        Ok(())
    }

    /// An account that another person has approved; it is in force once its hold is over. The numbers are made up.
    pub(super) async fn bank_account(&self, manager: Ctx, approver: Ctx, what: (ProviderId, &str, u32)) -> Result<(), StoreError> {
        let (provider, holder, number) = what;
        let account = BankAccount::new(holder, "演示银行", &format!("62220000000{number:08}"));
        let account = account.map_err(|_faults| StoreError::Configuration("the demo account is not usable".to_owned()))?;
        let asked = self.store.write(manager, RequestBankAccount { provider, account }).await?;
        let decide = DecideBankAccount { account: asked.bank_account_id, version: asked.version, approve: true };
        self.store.write(approver, decide).await?;
        Ok(())
    }

    async fn carer(&self, demo: &Demo, login: &str) -> Result<(), StoreError> {
        let certificates = self.credentials(&["health_proof", "care_worker", "nurse", "therapist"], login)?;
        let register = RegisterCarer { provider: demo.provider_id, login: login.to_owned(), certificates };
        let carer = self.store.write(self.as_person(demo, "provider-manager").await?, register).await?.carer_id;
        let profile = CarerProfile {
            sex: Sex::Female,
            skills: BTreeSet::from([ItemCode::Bathing, ItemCode::Cleaning, ItemCode::Meal, ItemCode::Nursing, ItemCode::MedicalEscort]),
            dialects: BTreeSet::from(["tianjin".parse().map_err(|cause: ProfileError| StoreError::refused(&cause))?]),
            working_times: week("07:00", "21:00")?,
            employed_from: BusinessDate::of(self.source.now()),
            employed_until: None,
        };
        self.store.write(self.as_person(demo, "provider-manager").await?, EditCarer { carer, version: 0, profile }).await?;
        Ok(())
    }

    /// Credentials that hold for two years from today.
    pub(super) fn credentials(&self, kinds: &[&str], number: &str) -> Result<Vec<Credential>, StoreError> {
        let today = BusinessDate::of(self.source.now());
        let valid = DateRange::new(today, Some(today.plus_months(24)?)).map_err(|cause| StoreError::refused(&cause))?;
        kinds
            .iter()
            .map(|kind| {
                let kind = kind.parse().map_err(|cause| StoreError::refused(&cause))?;
                Credential::new(kind, number, valid).map_err(|cause| StoreError::refused(&cause))
            })
            .collect()
    }
}

/// Serves the whole county of its seat on all days from morning to evening.
pub(super) fn serves_county(seat: DivisionCode) -> Result<ProviderProfile, StoreError> {
    let area =
        ServiceArea::new(BTreeSet::from([Scope::of(seat.at(DivisionLevel::County))]), None).map_err(|cause| StoreError::refused(&cause))?;
    ProviderProfile::new(area, week("07:00", "21:00")?, BTreeSet::new()).map_err(|cause| StoreError::refused(&cause))
}

/// The same hours on each day of the week.
fn week(from: &str, until: &str) -> Result<WeekHours, StoreError> {
    let time = |text: &str| text.parse().map_err(|cause: ProfileError| StoreError::refused(&cause));
    let (from, until) = (time(from)?, time(until)?);
    WeekHours::new((1..=7).map(|weekday| WeekRange { weekday, from, until }).collect()).map_err(|cause| StoreError::refused(&cause))
}

fn damaged(faults: &[domain::policy::PolicyFault]) -> StoreError {
    StoreError::Configuration(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}
