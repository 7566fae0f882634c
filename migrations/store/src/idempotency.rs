//! One effect per key: the answer of a creating request is kept under the caller's key, in the same
//! transaction as its effects and encrypted like what it may repeat. A repeat gets the same answer; another request under the same key is refused.

use std::time::Duration;

use domain::access::Action;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    Store,
    context::{Ctx, cut},
    entity::idempotency_key,
    error::StoreError,
    tx::Tx,
    write::Command,
};

/// Longest key that is accepted.
pub const KEY_LENGTH_MAX: usize = 128;

/// An answer, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// Whether this is a repeat of an earlier answer.
    pub replayed: bool,
}

#[derive(Debug, Clone)]
struct Once<C> {
    key: String,
    request_hash: String,
    command: C,
}

impl<C: Command> Command for Once<C>
where
    C::Output: Serialize + DeserializeOwned,
{
    type Output = Answer<C::Output>;
    const ACTION: Option<Action> = C::ACTION;
    const NAME: &'static str = C::NAME;
    const LIMIT: Duration = C::LIMIT;

    fn keeps(&self, output: &Self::Output) -> bool {
        output.replayed || self.command.keeps(&output.value)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Output, StoreError> {
        let person = tx.actor().need_person()?.uuid();
        let cell = place(person, &self.key);
        let known = idempotency_key::Entity::find_by_id((person, self.key.clone())).one(tx.db).await?;
        if let Some(known) = known {
            if known.command != C::NAME || known.request_hash != self.request_hash {
                return Err(StoreError::KeyReused);
            }
            let response =
                known.response_enc.ok_or_else(|| StoreError::Corrupt { table: TABLE, why: "a key without its answer".to_owned() })?;
            tx.record(&"replay", None, None);
            return Ok(Answer { value: tx.open_json(TABLE, COLUMN, cell, &response)?, replayed: true });
        }
        // The key is taken first: of two requests under one key the second waits here for the first one's
        // commit, is tried again, and then finds its answer.
        let row = idempotency_key::ActiveModel {
            person_id: Set(person),
            key: Set(self.key.clone()),
            command: Set(C::NAME.to_owned()),
            request_hash: Set(self.request_hash.clone()),
            response_enc: Set(None),
            created_at: Set(tx.now()),
        };
        idempotency_key::Entity::insert(row).exec_without_returning(tx.db).await?;
        let value = self.command.run(tx).await?;
        let answer =
            idempotency_key::ActiveModel { response_enc: Set(Some(tx.seal_json(TABLE, COLUMN, cell, &value)?)), ..Default::default() };
        idempotency_key::Entity::update_many()
            .set(answer)
            .filter(idempotency_key::Column::PersonId.eq(person))
            .filter(idempotency_key::Column::Key.eq(&self.key))
            .exec(tx.db)
            .await?;
        Ok(Answer { value, replayed: false })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

const TABLE: &str = "idempotency_key";
const COLUMN: &str = "response_enc";

/// The place to which an answer's ciphertext is bound.
pub(crate) fn place(person: Uuid, key: &str) -> Uuid {
    let mut digest = Sha256::new();
    digest.update(person.as_bytes());
    digest.update(key);
    let hash: [u8; 32] = digest.finalize().into();
    Uuid::from_bytes(cut(hash))
}

impl Store {
    /// As [`Store::write`], at most once per person and key. `request` is the request as received; the same
    /// key with other bytes is refused.
    ///
    /// # Errors
    /// [`StoreError::KeyReused`], and those of [`Store::write`].
    pub async fn write_once<C: Command>(&self, ctx: Ctx, key: String, request: &[u8], command: C) -> Result<Answer<C::Output>, StoreError>
    where
        C::Output: Serialize + DeserializeOwned,
    {
        // Under the index key: a request can hold a password, which a bare digest would let anybody guess at.
        let digest = hexadecimal(&Sha256::digest(request));
        let request_hash = hexadecimal(&self.keys().blind_index("idempotency_key.request", &digest));
        self.write(ctx, Once { key, request_hash, command }).await
    }
}
