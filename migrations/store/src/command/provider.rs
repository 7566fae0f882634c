//! Providers: application with papers, review, admission by a third person; prices, carers, certificates.

mod agreement;
mod bank_account;
mod licence;
mod profile;
mod standing;
mod status;
mod suspension;

use domain::{
    access::{Action, Object, Role},
    catalogue::{ItemCode, ServiceClass},
    division::DivisionCode,
    error::FieldError,
    event::Event,
    id::{CarerId, CredentialId, PersonId, PriceId, ProviderId},
    money::Fen,
    provider::{Credential, CreditCode, Provider, ProviderStatus},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use serde::{Deserialize, Serialize};

pub(crate) use agreement::agreements;
pub use agreement::{AgreementView, EndAgreement, RecordAgreement, RecordReview, RecordedReview};
pub use bank_account::{BankAccountView, DecideBankAccount, RequestBankAccount, WithdrawBankAccount};
pub(crate) use bank_account::{bank_account_view, name_accounts};
pub(crate) use licence::licence_request_view;
pub use licence::{AddCertificate, AddedCertificate, DecideLicence, LicenceRequestView, RequestLicence};
pub use profile::{EditCarer, EditProfile, EndLeave, RecordLeave, RecordedLeave, Versioned};
pub(crate) use profile::{carer_profile, provider_profile};
pub(crate) use standing::{
    carer_standings, certificates, check_agreement, check_available, check_carer, check_order, check_provider, has_agreement, licences,
    provider_standings, provider_unfit,
};
pub use status::{
    AcceptCreditCode, AdmitProvider, EndProvider, RefuseProvider, ResumeProvider, ReturnProvider, ReviewProvider, SuspendProvider,
    WithdrawProvider,
};
pub use suspension::TakeOrderAway;

use crate::{
    convert,
    entity::{account, carer, credential, division, price, provider, role_grant},
    error::{StoreError, exists},
    tx::{Tx, for_share, for_update},
    write::Command,
};

/// Applies for admission as a provider. Whoever applies manages it.
#[derive(Debug, Clone)]
pub struct ApplyAsProvider {
    /// Name as registered.
    pub name: String,
    /// Unified social credit code.
    pub credit_code: CreditCode,
    /// Division of its seat.
    pub division: DivisionCode,
    /// Its licences.
    pub licences: Vec<Credential>,
}

/// How far a provider has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderStep {
    /// The provider.
    pub provider_id: ProviderId,
    /// Its state.
    pub state: ProviderStatus,
}

impl Command for ApplyAsProvider {
    type Output = ProviderStep;
    const ACTION: Option<Action> = Some(Action::ApplyAsProvider);
    const NAME: &'static str = "apply_as_provider";

    async fn run(&self, tx: &Tx<'_>) -> Result<ProviderStep, StoreError> {
        tx.permit_anywhere(Action::ApplyAsProvider)?;
        let manager = tx.actor().need_person()?;
        let entered = self.enter(tx, manager).await?;
        grant_manager(tx, manager, entered.provider_id).await?;
        Ok(entered)
    }
}

impl ApplyAsProvider {
    /// Enters the applicant in somebody's name, without asking who does it: the caller has.
    pub(crate) async fn enter(&self, tx: &Tx<'_>, by: PersonId) -> Result<ProviderStep, StoreError> {
        let mut faults = Vec::new();
        if self.name.trim() != self.name || !(1..=100).contains(&self.name.chars().count()) || self.name.contains(char::is_control) {
            faults.push(FieldError::new("name", "provider.name", "write the registered name, 1 to 100 characters"));
        }
        if self.licences.is_empty() {
            faults.push(FieldError::new("licences", "licences.empty", "name at least one licence"));
        }
        if division::Entity::find_by_id(self.division.to_string()).one(tx.db).await?.is_none() {
            faults.push(FieldError::new("division", "division.unknown", "name a division of this city's table"));
        }
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        let id: ProviderId = tx.id();
        let applied = Provider::apply(id, self.credit_code.clone(), by);
        let row = provider::Model {
            id: id.uuid(),
            credit_code: self.credit_code.as_str().to_owned(),
            name: self.name.clone(),
            division: self.division.to_string(),
            state: applied.status().to_string(),
            applied_by: by.uuid(),
            reviewed_by: None,
            admitted_by: None,
            created_at: tx.now(),
            version: 1,
        };
        provider::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(tx.db)
            .await
            .map_err(exists("a provider with this credit code"))?;
        for licence in &self.licences {
            insert_credential(tx, Holder::Provider(id), licence, by).await?;
        }
        tx.emit(Event::ProviderApplied { provider: id });
        tx.record(&id, None, Some(&row));
        Ok(ProviderStep { provider_id: id, state: applied.status() })
    }
}

async fn grant_manager(tx: &Tx<'_>, person: PersonId, provider: ProviderId) -> Result<(), StoreError> {
    let row = role_grant::ActiveModel {
        id: Set(tx.id::<domain::id::RoleGrant>().uuid()),
        person_id: Set(person.uuid()),
        role: Set(Role::ProviderManager.to_string()),
        scope: Set(None),
        provider_id: Set(Some(provider.uuid())),
        valid_from: Set(tx.today().get()),
        valid_until: Set(None),
        granted_by: Set(None),
        created_at: Set(tx.now()),
    };
    role_grant::Entity::insert(row).exec_without_returning(tx.db).await?;
    tx.emit(Event::RoleGranted { person, role: Role::ProviderManager });
    Ok(())
}

enum Holder {
    Provider(ProviderId),
    Carer(CarerId),
}

async fn insert_credential(tx: &Tx<'_>, holder: Holder, held: &Credential, by: PersonId) -> Result<CredentialId, StoreError> {
    let id: CredentialId = tx.id();
    let (provider_id, carer_id) = match holder {
        Holder::Provider(provider) => (Some(provider.uuid()), None),
        Holder::Carer(carer) => (None, Some(carer.uuid())),
    };
    let row = credential::ActiveModel {
        id: Set(id.uuid()),
        provider_id: Set(provider_id),
        carer_id: Set(carer_id),
        kind: Set(held.kind().to_string()),
        number: Set(held.number().to_owned()),
        valid_from: Set(held.valid().from().get()),
        valid_until: Set(held.valid().until().map(BusinessDate::get)),
        recorded_by: Set(by.uuid()),
        created_at: Set(tx.now()),
    };
    credential::Entity::insert(row).exec_without_returning(tx.db).await?;
    Ok(id)
}

/// Loads a provider and excludes other writers.
pub(crate) async fn lock(tx: &Tx<'_>, id: ProviderId) -> Result<provider::Model, StoreError> {
    for_update!(tx, provider::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)
}

/// Loads a provider and keeps others from changing it until the commit; many may read it at once.
pub(crate) async fn read(tx: &Tx<'_>, id: ProviderId) -> Result<provider::Model, StoreError> {
    for_share!(tx, provider::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)
}

/// The handles by which a provider is reached.
pub(crate) fn object(row: &provider::Model) -> Result<Object, StoreError> {
    let division = convert::code("provider", "division", &row.division)?;
    Ok(Object { division: Some(division), provider: Some(ProviderId::from_uuid(row.id)), resident: None })
}

/// Publishes a provider's price of an item from a day on. Earlier prices stay as history.
#[derive(Debug, Clone)]
pub struct PublishPrice {
    /// The provider.
    pub provider: ProviderId,
    /// Service item.
    pub item: ItemCode,
    /// Where it is given.
    pub class: ServiceClass,
    /// Price of one catalogue unit.
    pub unit_price: Fen,
    /// First day.
    pub effective_from: BusinessDate,
}

/// A published price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPrice {
    /// The price.
    pub price_id: PriceId,
}

impl Command for PublishPrice {
    type Output = PublishedPrice;
    const ACTION: Option<Action> = Some(Action::PublishPrice);
    const NAME: &'static str = "publish_price";

    async fn run(&self, tx: &Tx<'_>) -> Result<PublishedPrice, StoreError> {
        let row = lock(tx, self.provider).await?;
        tx.permit(Action::PublishPrice, &object(&row)?)?;
        let mut faults = Vec::new();
        let offered = tx.reference.catalogue.item(self.item, self.effective_from).is_some_and(|item| item.classes().contains(&self.class));
        if !offered {
            faults.push(FieldError::new("class", "catalogue.class", "the catalogue does not have this item in this class on that day"));
        }
        if self.effective_from < tx.today() {
            faults.push(FieldError::new("effective_from", "price.past", "a price begins today or later; what was shown stays"));
        }
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        let id: PriceId = tx.id();
        let model = price::ActiveModel {
            id: Set(id.uuid()),
            provider_id: Set(row.id),
            item: Set(self.item.to_string()),
            class: Set(self.class.to_string()),
            unit_price_fen: Set(self.unit_price.get()),
            effective_from: Set(self.effective_from.get()),
            published_by: Set(tx.actor().need_person()?.uuid()),
            created_at: Set(tx.now()),
        };
        price::Entity::insert(model).exec_without_returning(tx.db).await.map_err(exists("a price of this item from this day"))?;
        tx.emit(Event::PricePublished { provider: self.provider, price: id });
        tx.record(&id, None, None);
        Ok(PublishedPrice { price_id: id })
    }
}

/// The price in force on a day.
pub(crate) async fn price_on(
    tx: &Tx<'_>,
    provider: ProviderId,
    item: ItemCode,
    class: ServiceClass,
    day: BusinessDate,
) -> Result<Option<Fen>, StoreError> {
    let row = price::Entity::find()
        .filter(price::Column::ProviderId.eq(provider.uuid()))
        .filter(price::Column::Item.eq(item.to_string()))
        .filter(price::Column::Class.eq(class.to_string()))
        .filter(price::Column::EffectiveFrom.lte(day.get()))
        .order_by_desc(price::Column::EffectiveFrom)
        .one(tx.db)
        .await?;
    row.map(|row| convert::fen("price", "unit_price_fen", row.unit_price_fen)).transpose()
}

/// Enters a carer with certificates.
#[derive(Debug, Clone)]
pub struct RegisterCarer {
    /// The provider.
    pub provider: ProviderId,
    /// Login of the carer's account.
    pub login: String,
    /// Certificates.
    pub certificates: Vec<Credential>,
}

/// A registered carer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredCarer {
    /// The carer.
    pub carer_id: CarerId,
    /// The natural person.
    pub person_id: PersonId,
}

impl Command for RegisterCarer {
    type Output = RegisteredCarer;
    const ACTION: Option<Action> = Some(Action::RegisterCarer);
    const NAME: &'static str = "register_carer";

    async fn run(&self, tx: &Tx<'_>) -> Result<RegisteredCarer, StoreError> {
        let row = lock(tx, self.provider).await?;
        tx.permit(Action::RegisterCarer, &object(&row)?)?;
        let unknown = || {
            StoreError::fields(vec![FieldError::new(
                "login",
                "login.unknown",
                "name the login of an account with the role carer at this provider",
            )])
        };
        let account = account::Entity::find().filter(account::Column::Login.eq(&self.login)).one(tx.db).await?.ok_or_else(unknown)?;
        let grant = role_grant::Entity::find()
            .filter(role_grant::Column::PersonId.eq(account.person_id))
            .filter(role_grant::Column::Role.eq(Role::Carer.to_string()))
            .filter(role_grant::Column::ProviderId.eq(row.id))
            .one(tx.db)
            .await?;
        grant.ok_or_else(unknown)?;
        let person_id = PersonId::from_uuid(account.person_id);
        let carer_id = enter_carer(tx, self.provider, person_id, &self.certificates, tx.actor().need_person()?).await?;
        Ok(RegisteredCarer { carer_id, person_id })
    }
}

/// Enters a carer with certificates in somebody's name, without asking who does it: the caller has.
pub(crate) async fn enter_carer(
    tx: &Tx<'_>,
    provider: ProviderId,
    person: PersonId,
    certificates: &[Credential],
    by: PersonId,
) -> Result<CarerId, StoreError> {
    let id: CarerId = tx.id();
    let model = carer::ActiveModel {
        id: Set(id.uuid()),
        provider_id: Set(provider.uuid()),
        person_id: Set(person.uuid()),
        created_at: Set(tx.now()),
    };
    carer::Entity::insert(model).exec_without_returning(tx.db).await.map_err(exists("this carer"))?;
    for certificate in certificates {
        insert_credential(tx, Holder::Carer(id), certificate, by).await?;
    }
    tx.emit(Event::CarerRegistered { provider, carer: id });
    tx.record(&id, None, None);
    Ok(id)
}
