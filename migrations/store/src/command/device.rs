//! Devices: the server's time for phones, binding a phone by its key, revoking it.

use domain::{
    access::{Action, Actor, Object},
    device::{BINDING_MINUTES, DEVICES_MAX, DeviceError, KeyAlgorithm, PublicKey, binding_statement, digest},
    event::Event,
    id::{DeviceId, PersonId, ProviderId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};

use crate::{
    Store, convert,
    entity::{carer, device, person},
    error::{StoreError, exists},
    keys::KeyRing,
    signature,
    tx::{Tx, for_update},
    write::Command,
};

/// What the server's time is authenticated for.
const ANCHOR_PURPOSE: &str = "device anchor 1";
/// Bytes of the authentication that a token carries.
const MAC_BYTES: usize = 16;

/// The server's time as a token that only the server could have made, for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The token: key id, microseconds since 1970, authentication.
    pub token: String,
    /// The time in it.
    pub told_at: Instant,
}

impl Store {
    /// Tells the time to the phone of a carer.
    ///
    /// # Errors
    /// A role that has no devices.
    pub fn device_anchor(&self, actor: &Actor, now: Instant) -> Result<Anchor, StoreError> {
        actor.permit_anywhere(Action::BindDevice)?;
        let person = actor.need_person()?;
        let token = anchor_token(self.keys(), &self.keys().active(), person, now.timestamp_micros());
        let token = token.ok_or_else(|| StoreError::Configuration("the active key is not in the key file".to_owned()))?;
        Ok(Anchor { token, told_at: now })
    }
}

fn anchor_token(keys: &KeyRing, key_id: &str, person: PersonId, micros: i64) -> Option<String> {
    let mac = keys.authenticate_under(key_id, ANCHOR_PURPOSE, &[person.uuid().as_bytes(), &micros.to_be_bytes()])?;
    let mac: Vec<String> = mac.iter().take(MAC_BYTES).map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{key_id}.{micros}.{}", mac.concat()))
}

/// The time in a token that the server told this person.
pub(crate) fn read_anchor(keys: &KeyRing, person: PersonId, token: &str) -> Result<Instant, DeviceError> {
    let told = || {
        let (key_id, rest) = token.split_once('.')?;
        let micros: i64 = rest.split_once('.')?.0.parse().ok()?;
        let right = anchor_token(keys, key_id, person, micros)?;
        // The token is made anew and compared whole; both are of one length, and no byte ends the comparison early.
        let same = right.len() == token.len() && right.bytes().zip(token.bytes()).fold(0, |found, (one, other)| found | (one ^ other)) == 0;
        Instant::from_timestamp_micros(micros).filter(|_| same)
    };
    told().ok_or(DeviceError::Anchor)
}

/// Binds the phone of the carer who asks.
#[derive(Debug, Clone)]
pub struct BindDevice {
    /// The key of the phone.
    pub key: PublicKey,
    /// The server's time, told a moment ago.
    pub anchor: String,
    /// Signature over [`binding_statement`]: the phone holds the private key.
    pub signature: Vec<u8>,
}

/// A bound phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundDevice {
    /// The device.
    pub device_id: DeviceId,
    /// What its first event names as `previous`.
    pub genesis: String,
}

impl Command for BindDevice {
    type Output = BoundDevice;
    const ACTION: Option<Action> = Some(Action::BindDevice);
    const NAME: &'static str = "bind_device";

    async fn run(&self, tx: &Tx<'_>) -> Result<BoundDevice, StoreError> {
        let person = tx.actor().need_person()?;
        tx.permit_anywhere(Action::BindDevice)?;
        let told_at = read_anchor(tx.keys, person, &self.anchor)?;
        let age = tx.now() - told_at;
        if age < chrono::TimeDelta::zero() || age > chrono::TimeDelta::minutes(BINDING_MINUTES) {
            return Err(DeviceError::Anchor.into());
        }
        let held = HeldKey::proven(self.key.clone(), &binding_statement(&self.key, &self.anchor), &self.signature)?;
        lock_person(tx, person).await?;
        held.bind(tx, person).await
    }
}

/// The key of a phone that proved to hold the private one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    key: PublicKey,
    /// Digest of the statement that it signed.
    genesis: String,
}

impl HeldKey {
    /// Checks the signature of a phone over a statement.
    ///
    /// # Errors
    /// [`DeviceError::Signature`].
    pub fn proven(key: PublicKey, statement: &str, signature: &[u8]) -> Result<Self, DeviceError> {
        let right = signature::is_of(&key, statement, signature);
        if right { Ok(Self { key, genesis: digest(statement) }) } else { Err(DeviceError::Signature) }
    }

    /// The phone of a person under this key: the one that is bound already, or a new one.
    pub(crate) async fn bind_or_find(&self, tx: &Tx<'_>, person: PersonId) -> Result<BoundDevice, StoreError> {
        lock_person(tx, person).await?;
        let known = device::Entity::find()
            .filter(device::Column::PublicKey.eq(self.key.bytes()))
            .filter(device::Column::PersonId.eq(person.uuid()))
            .filter(device::Column::RevokedAt.is_null())
            .one(tx.db)
            .await?;
        match known {
            Some(row) => Ok(BoundDevice { device_id: DeviceId::from_uuid(row.id), genesis: row.genesis }),
            None => self.bind(tx, person).await,
        }
    }

    /// Binds the phone. The row of the person is locked.
    async fn bind(&self, tx: &Tx<'_>, person: PersonId) -> Result<BoundDevice, StoreError> {
        self.refuse_more(tx, person).await?;
        let id: DeviceId = tx.id();
        let row = device::Model {
            id: id.uuid(),
            person_id: person.uuid(),
            algorithm: self.key.algorithm().to_string(),
            public_key: self.key.bytes().to_vec(),
            genesis: self.genesis.clone(),
            bound_at: tx.now(),
            revoked_at: None,
            revoked_by: None,
            version: 1,
        };
        let inserted = device::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await;
        inserted.map_err(exists("a device with this key")).map_err(key_used)?;
        tx.emit(Event::DeviceBound { device: id, person });
        tx.record(&id, None, Some(&row));
        Ok(BoundDevice { device_id: id, genesis: row.genesis })
    }
}

/// Two phones of one person are bound one after the other.
async fn lock_person(tx: &Tx<'_>, person: PersonId) -> Result<(), StoreError> {
    for_update!(tx, person::Entity::find_by_id(person.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    Ok(())
}

fn key_used(cause: StoreError) -> StoreError {
    if matches!(cause, StoreError::Exists { .. }) { DeviceError::KeyUsed.into() } else { cause }
}

impl HeldKey {
    async fn refuse_more(&self, tx: &Tx<'_>, person: PersonId) -> Result<(), StoreError> {
        let known = device::Entity::find().filter(device::Column::PublicKey.eq(self.key.bytes())).count(tx.db).await?;
        if known > 0 {
            return Err(DeviceError::KeyUsed.into());
        }
        let active = device::Entity::find()
            .filter(device::Column::PersonId.eq(person.uuid()))
            .filter(device::Column::RevokedAt.is_null())
            .count(tx.db)
            .await?;
        if usize::try_from(active).is_ok_and(|active| active < DEVICES_MAX) { Ok(()) } else { Err(DeviceError::TooMany.into()) }
    }
}

/// Revokes a phone: from now on nothing that it signs counts, however it says when it was recorded.
#[derive(Debug, Clone)]
pub struct RevokeDevice {
    /// The device.
    pub device: DeviceId,
}

impl Command for RevokeDevice {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::RevokeDevice);
    const NAME: &'static str = "revoke_device";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let row = for_update!(tx, device::Entity::find_by_id(self.device.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let asking = tx.actor().need_person()?;
        if row.person_id == asking.uuid() {
            tx.permit_anywhere(Action::RevokeDevice)?;
        } else {
            permit_employer(tx, PersonId::from_uuid(row.person_id)).await?;
        }
        if row.revoked_at.is_some() {
            return Ok(());
        }
        let next = device::Model { revoked_at: Some(tx.now()), revoked_by: Some(asking.uuid()), version: row.version + 1, ..row.clone() };
        tx.save(next.clone()).await?;
        tx.emit(Event::DeviceRevoked { device: self.device });
        tx.record(&self.device, Some(&row), Some(&next));
        Ok(())
    }
}

/// The manager of a provider at which the person is a carer may; for everybody else there is no such device.
async fn permit_employer(tx: &Tx<'_>, person: PersonId) -> Result<(), StoreError> {
    for employed in carer::Entity::find().filter(carer::Column::PersonId.eq(person.uuid())).all(tx.db).await? {
        let object = Object { provider: Some(ProviderId::from_uuid(employed.provider_id)), ..Object::default() };
        if is_managed(tx.actor(), &object) {
            return tx.permit(Action::RevokeDevice, &object);
        }
    }
    Err(StoreError::not_found())
}

/// Whether the actor reaches a provider's devices as its manager: a colleague who serves there does not.
pub(crate) fn is_managed(actor: &Actor, object: &Object) -> bool {
    let Actor::Person(person) = actor else { return false };
    person.grants.iter().any(|grant| grant.role == domain::access::Role::ProviderManager && grant.reach.covers(object))
}

/// The public key of a stored device.
pub(crate) fn key_of(row: &device::Model) -> Result<PublicKey, StoreError> {
    let algorithm: KeyAlgorithm = convert::code("device", "algorithm", &row.algorithm)?;
    PublicKey::new(algorithm, row.public_key.clone()).map_err(|cause| convert::corrupt("device", "public_key", &cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_told_time_is_of_its_person_its_key_and_its_bytes() {
        let keys = KeyRing::from_random([7; 64]);
        let person = PersonId::from_parts(1, [1; 10]);
        let at = Instant::from_timestamp_micros(1_796_086_800_000_000).unwrap();
        let token = anchor_token(&keys, &keys.active(), person, at.timestamp_micros()).unwrap();
        assert_eq!(read_anchor(&keys, person, &token), Ok(at));
        assert_eq!(read_anchor(&keys, PersonId::from_parts(1, [2; 10]), &token), Err(DeviceError::Anchor));
        assert_eq!(read_anchor(&KeyRing::from_random([8; 64]), person, &token), Err(DeviceError::Anchor));
        for wrong in
            [token.replace("1796", "1797"), format!("{token}0"), token.to_uppercase(), String::new(), "a.b".to_owned(), "..".to_owned()]
        {
            assert_eq!(read_anchor(&keys, person, &wrong), Err(DeviceError::Anchor), "{wrong}");
        }
    }
}
