//! Reading a table in pages by its UUID key.

use sea_orm::{ColumnTrait as _, DatabaseTransaction, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};
use uuid::Uuid;

use crate::error::StoreError;

/// Rows of one page. Look-ups for a page bind a few values per row; SQLite allows 32,766 of them.
pub(super) const PAGE: u64 = 500;

/// A table, or a selection of it, from its smallest key to its largest.
pub(super) struct Pages<E: EntityTrait> {
    select: Select<E>,
    key: E::Column,
    id: fn(&E::Model) -> Uuid,
    last: Option<Uuid>,
}

impl<E: EntityTrait> Pages<E> {
    pub(super) fn new(select: Select<E>, key: E::Column, id: fn(&E::Model) -> Uuid) -> Self {
        Self { select, key, id, last: None }
    }

    /// The next page; none after the last.
    pub(super) async fn next(&mut self, db: &DatabaseTransaction) -> Result<Option<Vec<E::Model>>, StoreError> {
        let mut select = self.select.clone();
        if let Some(last) = self.last {
            select = select.filter(self.key.gt(last));
        }
        let rows = select.order_by_asc(self.key).limit(PAGE).all(db).await?;
        self.last = rows.last().map(self.id);
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// The keys of the next page; none after the last.
    pub(super) async fn next_ids(&mut self, db: &DatabaseTransaction) -> Result<Option<Vec<Uuid>>, StoreError> {
        let id = self.id;
        Ok(self.next(db).await?.map(|rows| rows.iter().map(id).collect()))
    }
}
