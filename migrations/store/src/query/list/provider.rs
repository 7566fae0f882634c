//! Providers and their carers.

use domain::{
    access::{Action, Actor, Reach},
    division::Scope,
    id::{CarerId, PersonId, ProviderId},
    provider::ProviderStatus,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::Serialize;

use super::{Page, PageAsked, Pager, Position, inside, within};
use crate::{
    Store, command, convert,
    entity::{carer, person, provider},
    error::StoreError,
    keys::Cell,
    tx::open_text,
};

/// Which providers.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProviderFilter {
    /// With a seat in which division.
    pub division: Option<Scope>,
    /// In which state of admission.
    pub state: Option<ProviderStatus>,
}

/// A provider in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRow {
    /// The provider.
    pub provider_id: ProviderId,
    /// Its name.
    pub name: String,
    /// Its unified social credit code.
    pub credit_code: String,
    /// Division of its seat.
    pub division: String,
    /// State of its admission.
    pub state: ProviderStatus,
}

/// A carer in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarerRow {
    /// The carer.
    pub carer_id: CarerId,
    /// The person.
    pub person_id: PersonId,
    /// Name.
    pub name: String,
}

impl Store {
    /// Providers within reach, the newest first.
    ///
    /// # Errors
    /// A role that may not, a limit or cursor that cannot be used.
    pub async fn providers(&self, actor: &Actor, filter: &ProviderFilter, page: &PageAsked) -> Result<Page<ProviderRow>, StoreError> {
        actor.may(Action::ReadProvider)?;
        let pager = Pager::new(self, actor, "providers", filter, page)?;
        let mut select = provider::Entity::find().filter(within(actor, Action::ReadProvider, |_role, reach| match reach {
            Reach::Division(scope) => Some(inside(provider::Column::Division, *scope)),
            Reach::Provider(own) => Some(provider::Column::Id.eq(own.uuid())),
            Reach::Bound(_) => None,
        }));
        if let Some(division) = filter.division {
            select = select.filter(inside(provider::Column::Division, division));
        }
        if let Some(state) = filter.state {
            select = select.filter(provider::Column::State.eq(state.to_string()));
        }
        let rows = pager.newest_first(select, provider::Column::Id).await?;
        pager.finish(rows, |row| Position::of_id(row.id))?.try_map(|row| {
            Ok(ProviderRow {
                provider_id: ProviderId::from_uuid(row.id),
                state: convert::code("provider", "state", &row.state)?,
                name: row.name,
                credit_code: row.credit_code,
                division: row.division,
            })
        })
    }

    /// The carers of a provider, the newest first.
    ///
    /// # Errors
    /// A role that may not, a provider out of reach, a limit or cursor that cannot be used.
    pub async fn carers(&self, actor: &Actor, provider: ProviderId, page: &PageAsked) -> Result<Page<CarerRow>, StoreError> {
        actor.may(Action::ReadCarers)?;
        let row = provider::Entity::find_by_id(provider.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        actor.permit(Action::ReadCarers, &command::provider::object(&row)?)?;
        let pager = Pager::new(self, actor, "carers", &provider, page)?;
        let select = carer::Entity::find().filter(carer::Column::ProviderId.eq(row.id));
        let rows = pager.newest_first(select, carer::Column::Id).await?;
        let page = pager.finish(rows, |row| Position::of_id(row.id))?;
        let people =
            person::Entity::find().filter(person::Column::Id.is_in(page.items.iter().map(|row| row.person_id))).all(self.db()).await?;
        page.try_map(|row| {
            let person = people.iter().find(|person| person.id == row.person_id).ok_or_else(StoreError::not_found)?;
            let cell = Cell { table: "person", column: "name_enc", row: person.id };
            Ok(CarerRow {
                carer_id: CarerId::from_uuid(row.id),
                person_id: PersonId::from_uuid(row.person_id),
                name: open_text(self.keys(), cell, &person.name_enc)?,
            })
        })
    }
}
