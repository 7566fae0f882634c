//! Applications, for those who must act on them and those who wait for them.

use domain::{
    access::{Action, Actor, Reach, Role},
    application::ApplicationState,
    id::{ApplicationId, ResidentId},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _, sea_query::Expr};
use serde::Serialize;

use super::{Page, PageAsked, Pager, Position, inside, within};
use crate::{
    Store, convert,
    entity::{application, resident},
    error::StoreError,
};

/// Which applications.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ApplicationFilter {
    /// In which state.
    pub state: Option<ApplicationState>,
    /// Of which resident.
    pub resident: Option<ResidentId>,
    /// Whose owner must act next.
    pub owner_role: Option<Role>,
    /// Only those whose deadline lies before this day.
    pub overdue_on: Option<BusinessDate>,
}

/// An application in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRow {
    /// The application.
    pub application_id: ApplicationId,
    /// For whom.
    pub resident_id: ResidentId,
    /// For which programme.
    pub programme: String,
    /// Its state.
    pub state: ApplicationState,
    /// When it was filed.
    pub applied_on: BusinessDate,
    /// Who must act next.
    pub owner_role: Option<Role>,
    /// By when.
    pub deadline_on: Option<BusinessDate>,
}

impl Store {
    /// Applications of residents within reach, the newest first.
    ///
    /// # Errors
    /// A role that may not, a limit or cursor that cannot be used.
    pub async fn applications(
        &self,
        actor: &Actor,
        filter: &ApplicationFilter,
        page: &PageAsked,
    ) -> Result<Page<ApplicationRow>, StoreError> {
        actor.may(Action::ReadApplication)?;
        let pager = Pager::new(self, actor, "applications", filter, page)?;
        let mut select = application::Entity::find().filter(within(actor, Action::ReadApplication, |_role, reach| match reach {
            Reach::Division(scope) => Some(application::Column::ResidentId.in_subquery(residents_inside(*scope))),
            Reach::Bound(residents) => Some(application::Column::ResidentId.is_in(residents.iter().map(|id| id.uuid()))),
            Reach::Provider(_) => None,
        }));
        let wanted: [Option<Expr>; 4] = [
            filter.state.map(|state| application::Column::State.eq(state.to_string())),
            filter.resident.map(|resident| application::Column::ResidentId.eq(resident.uuid())),
            filter.owner_role.map(|role| application::Column::OwnerRole.eq(role.to_string())),
            filter.overdue_on.map(|today| application::Column::DeadlineOn.lt(today.get())),
        ];
        for condition in wanted.into_iter().flatten() {
            select = select.filter(condition);
        }
        let rows = pager.newest_first(select, application::Column::Id).await?;
        pager.finish(rows, |row| Position::of_id(row.id))?.try_map(|row| {
            Ok(ApplicationRow {
                application_id: ApplicationId::from_uuid(row.id),
                resident_id: ResidentId::from_uuid(row.resident_id),
                state: convert::code("application", "state", &row.state)?,
                owner_role: row.owner_role.as_deref().map(|role| convert::code("application", "owner_role", role)).transpose()?,
                programme: row.programme,
                applied_on: convert::date(row.applied_on),
                deadline_on: row.deadline_on.map(convert::date),
            })
        })
    }
}

/// Ids of the residents of a division.
pub(super) fn residents_inside(scope: domain::division::Scope) -> sea_orm::sea_query::SelectStatement {
    resident::Entity::find()
        .select_only()
        .column(resident::Column::Id)
        .filter(inside(resident::Column::ResidenceDivision, scope))
        .into_query()
}
