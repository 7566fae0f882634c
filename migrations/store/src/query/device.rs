//! The phones of a carer.

use domain::{
    access::{Action, Actor, Object},
    device::KeyAlgorithm,
    id::{CarerId, DeviceId, ProviderId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    Store,
    command::device::is_managed,
    convert,
    entity::{carer, device},
    error::StoreError,
};

/// A phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceView {
    /// The device.
    pub device_id: DeviceId,
    /// Kind of its key.
    pub algorithm: KeyAlgorithm,
    /// When it was bound.
    pub bound_at: Instant,
    /// Since when it counts no more.
    pub revoked_at: Option<Instant>,
}

impl Store {
    /// The phones of whoever asks, or of a carer whose provider they manage.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn devices(&self, actor: &Actor, of: Option<CarerId>) -> Result<Vec<DeviceView>, StoreError> {
        actor.may(Action::ReadDevices)?;
        let person = match of {
            None => actor.need_person()?.uuid(),
            Some(id) => {
                let row = carer::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
                let object = Object { provider: Some(ProviderId::from_uuid(row.provider_id)), ..Object::default() };
                if !is_managed(actor, &object) {
                    return Err(StoreError::not_found());
                }
                row.person_id
            }
        };
        let rows = device::Entity::find()
            .filter(device::Column::PersonId.eq(person))
            .order_by_asc(device::Column::BoundAt)
            .order_by_asc(device::Column::Id)
            .all(self.db())
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(DeviceView {
                    device_id: DeviceId::from_uuid(row.id),
                    algorithm: convert::code("device", "algorithm", &row.algorithm)?,
                    bound_at: row.bound_at,
                    revoked_at: row.revoked_at,
                })
            })
            .collect()
    }
}
