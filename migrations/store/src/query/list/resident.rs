//! Residents, for those who look after a division and those who are bound to them.

use domain::{
    access::{Action, Actor, Reach},
    division::Scope,
    id::ResidentId,
    resident::LifeStatus,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::Serialize;

use super::{Page, PageAsked, Pager, Position, inside, within};
use crate::{Store, convert, entity::resident, error::StoreError, keys::Cell, tx::open_text};

/// Which residents.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ResidentFilter {
    /// Of which division.
    pub division: Option<Scope>,
    /// In which life status.
    pub status: Option<LifeStatus>,
}

/// A resident in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResidentRow {
    /// The resident.
    pub resident_id: ResidentId,
    /// Name.
    pub name: String,
    /// Community of residence.
    pub residence: String,
    /// The path of names of that community.
    pub residence_name: Option<String>,
    /// Whether they can be served.
    pub status: LifeStatus,
}

impl Store {
    /// Residents within reach, the newest first.
    ///
    /// # Errors
    /// A role that may not, a limit or cursor that cannot be used.
    pub async fn residents(&self, actor: &Actor, filter: &ResidentFilter, page: &PageAsked) -> Result<Page<ResidentRow>, StoreError> {
        actor.may(Action::ReadResident)?;
        let pager = Pager::new(self, actor, "residents", filter, page)?;
        let mut select = resident::Entity::find().filter(within(actor, Action::ReadResident, |_role, reach| match reach {
            Reach::Division(scope) => Some(inside(resident::Column::ResidenceDivision, *scope)),
            Reach::Bound(residents) => Some(resident::Column::Id.is_in(residents.iter().map(|id| id.uuid()))),
            Reach::Provider(_) => None,
        }));
        if let Some(division) = filter.division {
            select = select.filter(inside(resident::Column::ResidenceDivision, division));
        }
        if let Some(status) = filter.status {
            select = select.filter(resident::Column::Status.eq(status.to_string()));
        }
        let rows = pager.newest_first(select, resident::Column::Id).await?;
        pager.finish(rows, |row| Position::of_id(row.id))?.try_map(|row| {
            let residence = convert::code("resident", "residence_division", &row.residence_division)?;
            Ok(ResidentRow {
                resident_id: ResidentId::from_uuid(row.id),
                name: open_text(self.keys(), Cell { table: "resident", column: "name_enc", row: row.id }, &row.name_enc)?,
                residence_name: self.reference().divisions.display_name(residence),
                residence: row.residence_division,
                status: convert::code("resident", "status", &row.status)?,
            })
        })
    }
}
