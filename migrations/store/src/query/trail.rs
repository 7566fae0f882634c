//! The audit trail and the state of background work, for those who watch over the service.

use domain::{
    access::{Action, Actor, Object},
    id::{AuditId, PersonId, RequestId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::{Store, delivery::Backlog, entity::audit, error::StoreError};

/// Rows that one page of the trail holds at most.
pub const PAGE_MAX: u64 = 100;

/// One row of the audit trail.
#[derive(Debug, Clone)]
pub struct AuditView {
    /// The row; earlier rows are smaller.
    pub audit_id: AuditId,
    /// When.
    pub at: Instant,
    /// Who; none for the system itself.
    pub person_id: Option<PersonId>,
    /// In which role.
    pub role: Option<String>,
    /// `person`, or `system/<name>`.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// Within which request.
    pub request_id: RequestId,
}

impl Store {
    /// The latest rows of the audit trail, of one object or of all, before a row if one is named.
    ///
    /// # Errors
    /// A role that may not, or a reach that is not the whole city.
    pub async fn audit_trail(&self, actor: &Actor, object: Option<&str>, before: Option<AuditId>) -> Result<Vec<AuditView>, StoreError> {
        actor.permit(Action::ReadAudit, &self.whole_city().await?)?;
        let mut select = audit::Entity::find().order_by_desc(audit::Column::Id).limit(PAGE_MAX);
        if let Some(object) = object {
            select = select.filter(audit::Column::Object.eq(object));
        }
        if let Some(before) = before {
            select = select.filter(audit::Column::Id.lt(before.uuid()));
        }
        let rows = select.all(self.db()).await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// How many events and deliveries wait.
    ///
    /// # Errors
    /// A role that may not.
    pub async fn jobs(&self, actor: &Actor) -> Result<Backlog, StoreError> {
        actor.permit(Action::ReadJobs, &self.whole_city().await?)?;
        self.backlog().await
    }

    pub(crate) async fn whole_city(&self) -> Result<Object, StoreError> {
        let city = self.city().await?;
        Ok(Object { division: Some(city.scope.division()), ..Object::default() })
    }
}

fn view(row: audit::Model) -> AuditView {
    AuditView {
        audit_id: AuditId::from_uuid(row.id),
        at: row.at,
        person_id: row.person_id.map(PersonId::from_uuid),
        role: row.role,
        actor: row.actor,
        action: row.action,
        object: row.object,
        request_id: RequestId::from_uuid(row.request_id),
    }
}
