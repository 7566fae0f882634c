//! What is known of providers and carers: for whoever looks for one that can serve, and for those who keep their
//! records.

mod papers;

pub use papers::StepView;

use std::collections::BTreeMap;

use domain::{
    access::{Action, Actor},
    catalogue::{CatalogueItem, ServiceClass},
    division::DivisionCode,
    id::{CarerId, CarerLeaveId, PersonId, ProviderId},
    money::Fen,
    provider::{CarerProfile, CarerStanding, Credential, ProviderProfile, ProviderStatus, Unfit},
    time::{BusinessDate, DateRange},
};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Store,
    command::provider::{
        AgreementView, agreements, carer_profile, carer_standings, certificates, licences, object, provider_profile, provider_standings,
    },
    convert,
    entity::{self, carer, carer_leave, person, price, provider},
    error::StoreError,
    keys::Cell,
    tx::open_text,
};

/// A provider that has a price for a service, with everything that decides whether it can give it.
#[derive(Debug, Clone)]
pub struct ServingProvider {
    /// The provider.
    pub provider: ProviderId,
    /// Its name as registered.
    pub name: String,
    /// Its seat.
    pub seat: DivisionCode,
    /// Where and when it serves; one that has not said so cannot be found.
    pub profile: Option<ProviderProfile>,
    /// Its price of one catalogue unit on the day.
    pub unit_price: Fen,
    /// Every reason why it may not give the service on the day; empty when it may.
    pub unfit: Vec<Unfit>,
    /// Whether an agreement with the bureau covers the day: programmes pay only then.
    pub has_agreement: bool,
    /// Its carers.
    pub carers: Vec<ServingCarer>,
}

/// A carer, as far as it decides whether they can give a service on a day.
#[derive(Debug, Clone)]
pub struct ServingCarer {
    /// The carer.
    pub carer: CarerId,
    /// The natural person: the same may work for two providers.
    pub person: PersonId,
    /// What is known of them; ask it for `unavailable` between two instants.
    pub standing: CarerStanding,
    /// Every reason why they may not give the service on the day; empty when they may.
    pub unfit: Vec<Unfit>,
}

/// All providers that have a price for a service in a class on a day, in order of their ids. `only` narrows it to
/// some of them.
pub(crate) async fn serving(
    db: &impl ConnectionTrait,
    item: &CatalogueItem,
    class: ServiceClass,
    day: BusinessDate,
    only: Option<&[ProviderId]>,
) -> Result<Vec<ServingProvider>, StoreError> {
    let prices = prices_on(db, item, class, day, only).await?;
    let ids: Vec<Uuid> = prices.keys().copied().collect();
    let rows = provider::Entity::find().filter(provider::Column::Id.is_in(ids.clone())).order_by_asc(provider::Column::Id).all(db).await?;
    let standings = provider_standings(db, &rows).await?;
    let mut profiles = BTreeMap::new();
    for row in
        entity::provider_profile::Entity::find().filter(entity::provider_profile::Column::ProviderId.is_in(ids.clone())).all(db).await?
    {
        profiles.insert(row.provider_id, provider_profile(&row)?);
    }
    let mut carers = serving_carers(db, item, day, ids).await?;
    let licences = licences(item)?;
    let mut found = Vec::new();
    for row in rows {
        let (Some(unit_price), Some(standing)) = (prices.get(&row.id), standings.get(&row.id)) else { continue };
        found.push(ServingProvider {
            provider: ProviderId::from_uuid(row.id),
            seat: convert::code("provider", "division", &row.division)?,
            profile: profiles.remove(&row.id),
            unit_price: *unit_price,
            unfit: standing.unfit(&licences, false, day),
            has_agreement: standing.agreements.iter().any(|valid| valid.contains(day)),
            carers: carers.remove(&row.id).unwrap_or_default(),
            name: row.name,
        });
    }
    Ok(found)
}

async fn prices_on(
    db: &impl ConnectionTrait,
    item: &CatalogueItem,
    class: ServiceClass,
    day: BusinessDate,
    only: Option<&[ProviderId]>,
) -> Result<BTreeMap<Uuid, Fen>, StoreError> {
    let mut select = price::Entity::find()
        .filter(price::Column::Item.eq(item.code().to_string()))
        .filter(price::Column::Class.eq(class.to_string()))
        .filter(price::Column::EffectiveFrom.lte(day.get()))
        .order_by_asc(price::Column::EffectiveFrom);
    if let Some(only) = only {
        select = select.filter(price::Column::ProviderId.is_in(only.iter().map(|id| id.uuid())));
    }
    let mut prices = BTreeMap::new();
    for row in select.all(db).await? {
        // In order of time: the last one in force on the day stays.
        prices.insert(row.provider_id, convert::fen("price", "unit_price_fen", row.unit_price_fen)?);
    }
    Ok(prices)
}

async fn serving_carers(
    db: &impl ConnectionTrait,
    item: &CatalogueItem,
    day: BusinessDate,
    providers: Vec<Uuid>,
) -> Result<BTreeMap<Uuid, Vec<ServingCarer>>, StoreError> {
    let rows = carer::Entity::find().filter(carer::Column::ProviderId.is_in(providers)).order_by_asc(carer::Column::Id).all(db).await?;
    let mut standings = carer_standings(db, rows.iter().map(|row| row.id).collect(), day).await?;
    let certificates = certificates(item)?;
    let mut found: BTreeMap<Uuid, Vec<ServingCarer>> = BTreeMap::new();
    for row in rows {
        let Some(standing) = standings.remove(&row.id) else { continue };
        let unfit = standing.unfit(&certificates, day);
        let serving = ServingCarer { carer: CarerId::from_uuid(row.id), person: PersonId::from_uuid(row.person_id), standing, unfit };
        found.entry(row.provider_id).or_default().push(serving);
    }
    Ok(found)
}

/// A provider as its manager and the bureau see it.
#[derive(Debug, Clone, Serialize)]
pub struct ProviderView {
    /// The provider.
    pub provider_id: ProviderId,
    /// Its name as registered.
    pub name: String,
    /// Its credit code.
    pub credit_code: String,
    /// Its seat.
    pub division: String,
    /// How far it has come.
    pub state: ProviderStatus,
    /// Since when it is admitted; the day of its application before that.
    pub admitted_on: BusinessDate,
    /// Its licences.
    pub licences: Vec<Credential>,
    /// Its agreements, the latest first.
    pub agreements: Vec<AgreementView>,
    /// Its yearly reviews: whether the last one of each year was passed.
    pub reviews: BTreeMap<i32, bool>,
    /// Its prices, the latest of each service first.
    pub prices: Vec<PriceView>,
}

/// A row of a price list.
#[derive(Debug, Clone, Serialize)]
pub struct PriceView {
    /// Service item.
    pub item: String,
    /// Where it is given.
    pub class: String,
    /// Price of one catalogue unit.
    pub unit_price: Fen,
    /// First day.
    pub effective_from: BusinessDate,
}

/// A profile of a provider with its version, for edits.
#[derive(Debug, Clone)]
pub struct ProfileView {
    /// Where and when it serves; none before it has said so.
    pub profile: Option<ProviderProfile>,
    /// Version; 0 before the first.
    pub version: i64,
}

/// A carer as their provider and the bureau see them.
#[derive(Debug, Clone)]
pub struct CarerView {
    /// The carer.
    pub carer_id: CarerId,
    /// The provider.
    pub provider_id: ProviderId,
    /// Name.
    pub name: String,
    /// What they can do and when they work; none before it was said.
    pub profile: Option<CarerProfile>,
    /// Their certificates.
    pub certificates: Vec<Credential>,
    /// Leave that has not ended.
    pub leave: Vec<LeaveView>,
    /// Version of the profile, for edits; 0 before the first.
    pub version: i64,
}

/// Days on which a carer is away.
#[derive(Debug, Clone)]
pub struct LeaveView {
    /// The leave.
    pub leave_id: CarerLeaveId,
    /// The days.
    pub days: DateRange,
}

impl Store {
    /// All providers that have a price for a service in a class on a day, with every reason why they may not give
    /// it: what the search for a provider starts from.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn serving_providers(
        &self,
        item: &CatalogueItem,
        class: ServiceClass,
        day: BusinessDate,
    ) -> Result<Vec<ServingProvider>, StoreError> {
        serving(self.db(), item, class, day, None).await
    }

    async fn provider_row(&self, actor: &Actor, id: ProviderId) -> Result<provider::Model, StoreError> {
        actor.may(Action::ReadProvider)?;
        let row = provider::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        actor.permit(Action::ReadProvider, &object(&row)?)?;
        Ok(row)
    }

    /// A provider's record.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn provider(&self, actor: &Actor, id: ProviderId) -> Result<ProviderView, StoreError> {
        let row = self.provider_row(actor, id).await?;
        let mut standings = provider_standings(self.db(), std::slice::from_ref(&row)).await?;
        let standing = standings.remove(&row.id).ok_or_else(StoreError::not_found)?;
        let prices = price::Entity::find()
            .filter(price::Column::ProviderId.eq(row.id))
            .order_by_asc(price::Column::Item)
            .order_by_asc(price::Column::Class)
            .order_by_desc(price::Column::EffectiveFrom)
            .all(self.db())
            .await?;
        let prices = prices.into_iter().map(|row| {
            let unit_price = convert::fen("price", "unit_price_fen", row.unit_price_fen)?;
            Ok(PriceView { item: row.item, class: row.class, unit_price, effective_from: convert::date(row.effective_from) })
        });
        Ok(ProviderView {
            provider_id: id,
            name: row.name,
            credit_code: row.credit_code,
            division: row.division,
            state: standing.status,
            admitted_on: standing.admitted_on,
            licences: standing.licences,
            agreements: agreements(self.db(), row.id).await?,
            reviews: standing.reviews,
            prices: prices.collect::<Result<_, StoreError>>()?,
        })
    }

    /// Where and when a provider serves.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn provider_profile(&self, actor: &Actor, id: ProviderId) -> Result<ProfileView, StoreError> {
        let provider = self.provider_row(actor, id).await?;
        let row = entity::provider_profile::Entity::find_by_id(provider.id).one(self.db()).await?;
        let version = row.as_ref().map_or(0, |row| row.version);
        Ok(ProfileView { profile: row.as_ref().map(provider_profile).transpose()?, version })
    }

    /// The carers of a provider.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn carers(&self, actor: &Actor, id: ProviderId, today: BusinessDate) -> Result<Vec<CarerView>, StoreError> {
        let provider = self.provider_row(actor, id).await?;
        let rows = carer::Entity::find().filter(carer::Column::ProviderId.eq(provider.id)).order_by_asc(carer::Column::Id).all(self.db());
        self.carer_views(rows.await?, today).await
    }

    /// One carer.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn carer(&self, actor: &Actor, id: CarerId, today: BusinessDate) -> Result<CarerView, StoreError> {
        actor.may(Action::ReadProvider)?;
        let row = carer::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        self.provider_row(actor, ProviderId::from_uuid(row.provider_id)).await?;
        self.carer_views(vec![row], today).await?.into_iter().next().ok_or_else(StoreError::not_found)
    }

    async fn carer_views(&self, rows: Vec<carer::Model>, today: BusinessDate) -> Result<Vec<CarerView>, StoreError> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut standings = carer_standings(self.db(), ids.clone(), today).await?;
        let profiles = entity::carer_profile::Entity::find().filter(entity::carer_profile::Column::CarerId.is_in(ids.clone()));
        let mut profiles: BTreeMap<Uuid, _> = profiles.all(self.db()).await?.into_iter().map(|row| (row.carer_id, row)).collect();
        let persons = person::Entity::find().filter(person::Column::Id.is_in(rows.iter().map(|row| row.person_id)));
        let persons: BTreeMap<Uuid, _> = persons.all(self.db()).await?.into_iter().map(|row| (row.id, row)).collect();
        let leave = carer_leave::Entity::find()
            .filter(carer_leave::Column::CarerId.is_in(ids))
            .filter(carer_leave::Column::EndsOn.gt(today.get()))
            .order_by_asc(carer_leave::Column::FirstDay)
            .all(self.db())
            .await?;
        let mut views = Vec::new();
        for row in rows {
            let person = persons.get(&row.person_id).ok_or_else(StoreError::not_found)?;
            let cell = Cell { table: "person", column: "name_enc", row: person.id };
            let profile = profiles.remove(&row.id);
            let away = leave.iter().filter(|leave| leave.carer_id == row.id).map(|leave| {
                let days = DateRange::new(convert::date(leave.first_day), Some(convert::date(leave.ends_on)))
                    .map_err(|cause| convert::corrupt("carer_leave", "ends_on", &cause))?;
                Ok(LeaveView { leave_id: CarerLeaveId::from_uuid(leave.id), days })
            });
            views.push(CarerView {
                carer_id: CarerId::from_uuid(row.id),
                provider_id: ProviderId::from_uuid(row.provider_id),
                name: open_text(self.keys(), cell, &person.name_enc)?,
                version: profile.as_ref().map_or(0, |row| row.version),
                profile: profile.as_ref().map(carer_profile).transpose()?,
                certificates: standings.remove(&row.id).map(|standing| standing.certificates).unwrap_or_default(),
                leave: away.collect::<Result<_, StoreError>>()?,
            });
        }
        Ok(views)
    }
}
