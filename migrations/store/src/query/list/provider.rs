//! Providers.

use domain::{
    access::{Action, Actor, Reach},
    division::Scope,
    id::ProviderId,
    provider::ProviderStatus,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::Serialize;

use super::{Page, PageAsked, Pager, Position, inside, within};
use crate::{Store, convert, entity::provider, error::StoreError};

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
}
