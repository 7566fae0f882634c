//! The audit rows of a batch are sealed at once, in the chain that the sealer of the living city continues.

use domain::time::Instant;
use sea_orm::{EntityTrait as _, QueryOrder as _};
use uuid::Uuid;

use crate::{
    Store,
    audit::{BATCH_MAX, root, seal_mac},
    entity::{audit_seal, audit_sealed},
    error::StoreError,
    keys::KeyError,
    seed::rows::Rows,
};

/// An audit row and its hash.
pub(crate) type Leaf = (Uuid, [u8; 32]);

/// The end of the chain of seals.
pub(super) struct Chain {
    seq: i64,
    mac: Vec<u8>,
}

impl Chain {
    pub(super) async fn after_last(store: &Store) -> Result<Self, StoreError> {
        let last = audit_seal::Entity::find().order_by_desc(audit_seal::Column::Seq).one(store.db()).await?;
        Ok(last.map_or(Self { seq: 0, mac: vec![0; 32] }, |seal| Self { seq: seal.seq, mac: seal.mac }))
    }

    /// Seals audit rows in their order and adds the seals to the rows that are to be written.
    pub(super) fn seal(&mut self, store: &Store, at: &Instant, leaves: &[Leaf], rows: &mut Rows) -> Result<(), StoreError> {
        let keys = store.keys();
        let key_id = keys.active();
        for batch in leaves.chunks(usize::try_from(BATCH_MAX).unwrap_or(1)) {
            let (Some((first, _)), Some((last, _))) = (batch.first(), batch.last()) else { continue };
            let (seq, count) = (self.seq + 1, i64::try_from(batch.len()).unwrap_or(i64::MAX));
            let hashes: Vec<[u8; 32]> = batch.iter().map(|(_, hash)| *hash).collect();
            let root = root(&hashes);
            let mac = seal_mac(keys, &key_id, seq, count, &root, &self.mac);
            let mac = mac.ok_or_else(|| KeyError::UnknownKey(key_id.clone()))?.to_vec();
            rows.push(audit_seal::Model {
                seq,
                first_audit: *first,
                last_audit: *last,
                leaves: count,
                root: root.to_vec(),
                previous: std::mem::replace(&mut self.mac, mac.clone()),
                mac,
                key_id: key_id.clone(),
                sealed_at: *at,
            })?;
            self.seq = seq;
            for ((audit_id, _), position) in batch.iter().zip(0_i64..) {
                rows.push(audit_sealed::Model { audit_id: *audit_id, seal_seq: seq, position })?;
            }
        }
        Ok(())
    }
}
