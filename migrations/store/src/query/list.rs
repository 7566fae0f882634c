//! Lists: bounded pages, cut to the actor's reach by the database itself, with cursors that cannot be made up.
//!
//! A cursor is a position under a MAC that also covers the list, its filter and the person, so that one taken
//! from another list, filter or person is refused. A page never shows what a single look-up would not: the
//! conditions of [`within`] say the same as [`domain::access::Reach::covers`].

mod application;
mod claim;
mod delivery;
mod flag;
mod order;
mod provider;
mod resident;
mod settlement;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    access::{Action, Actor, Reach, Role},
    division::Scope,
    error::FieldError,
    time::Instant,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, ExprTrait as _},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{Store, error::StoreError, keys::KeyError};

pub use application::{ApplicationFilter, ApplicationRow};
pub use claim::{HeldClaimFilter, HeldClaimRow};
pub use delivery::DeadDeliveryRow;
pub use flag::{FlagFilter, FlagRow};
pub use order::{OrderFilter, OrderRow, VisitFilter};
pub use provider::{ProviderFilter, ProviderRow};
pub use resident::{ResidentFilter, ResidentRow};
pub use settlement::{PeriodFilter, PeriodRow};

/// Most rows of a page.
pub const LIMIT_MAX: u64 = 100;
/// Rows of a page when nothing else is asked for.
pub const LIMIT_DEFAULT: u64 = 50;

const CURSOR_VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 8;
const POSITION_LENGTH: usize = 24;
const MAC_LENGTH: usize = 16;

/// How many rows are asked for, and after which cursor.
#[derive(Debug, Clone, Default)]
pub struct PageAsked {
    /// From 1 to [`LIMIT_MAX`]; [`LIMIT_DEFAULT`] if absent.
    pub limit: Option<u64>,
    /// What the page before gave as its `next_cursor`.
    pub cursor: Option<String>,
}

/// Some rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub items: Vec<T>,
    /// What to ask the next page with; none at the end.
    pub next_cursor: Option<String>,
}

/// Where in a list a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// For lists in order of time.
    at: Option<Instant>,
    id: Uuid,
}

impl Position {
    pub(crate) const fn of_id(id: Uuid) -> Self {
        Self { at: None, id }
    }

    pub(crate) const fn of_time(at: Instant, id: Uuid) -> Self {
        Self { at: Some(at), id }
    }

    fn to_bytes(self) -> [u8; POSITION_LENGTH] {
        let micros = self.at.map_or(i64::MIN, |at| at.timestamp_micros());
        let mut bytes = [0; POSITION_LENGTH];
        for (to, from) in bytes.iter_mut().zip(micros.to_be_bytes().into_iter().chain(*self.id.as_bytes())) {
            *to = from;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (micros, id) = bytes.split_first_chunk::<8>()?;
        let micros = i64::from_be_bytes(*micros);
        let at = (micros != i64::MIN).then_some(micros).and_then(chrono::DateTime::from_timestamp_micros);
        Some(Self { at, id: Uuid::from_slice(id).ok()? })
    }
}

/// One page that is being answered.
pub(crate) struct Pager<'a> {
    store: &'a Store,
    list: &'static str,
    filter: Vec<u8>,
    person: Uuid,
    limit: u64,
    after: Option<Position>,
}

impl<'a> Pager<'a> {
    /// Checks limit and cursor.
    pub(crate) fn new(
        store: &'a Store,
        actor: &Actor,
        list: &'static str,
        filter: &impl Serialize,
        asked: &PageAsked,
    ) -> Result<Self, StoreError> {
        let limit = asked.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let cure = format!("use 1 to {LIMIT_MAX}");
            return Err(StoreError::fields(vec![FieldError::new("limit", "field.range", cure)]));
        }
        let filter = serde_json::to_vec(filter).map_err(|cause| StoreError::Corrupt { table: "list", why: cause.to_string() })?;
        let person = actor.person().map_or(Uuid::nil(), domain::id::Id::uuid);
        let mut pager = Self { store, list, filter, person, limit, after: None };
        if let Some(cursor) = &asked.cursor {
            let refused = || {
                let cure = "take the next_cursor of the page before, with the same filter, or leave it out to begin anew";
                StoreError::fields(vec![FieldError::new("cursor", "cursor.foreign", cure)])
            };
            pager.after = Some(pager.open(cursor).ok_or_else(refused)?);
        }
        Ok(pager)
    }

    fn signed<'b>(&'b self, position: &'b [u8]) -> (&'static str, [&'b [u8]; 4]) {
        ("cursor", [self.list.as_bytes(), &self.filter, self.person.as_bytes(), position])
    }

    fn seal(&self, position: Position) -> Result<String, StoreError> {
        let key_id = self.store.keys().active();
        let position = position.to_bytes();
        let (purpose, parts) = self.signed(&position);
        let mac = self.store.keys().authenticate_under(&key_id, purpose, &parts);
        let mac = mac.ok_or_else(|| KeyError::UnknownKey(key_id.clone()))?;
        let parts = [&[CURSOR_VERSION][..], key_id.as_bytes(), &position, mac.get(..MAC_LENGTH).unwrap_or_default()];
        Ok(URL_SAFE_NO_PAD.encode(parts.concat()))
    }

    fn open(&self, cursor: &str) -> Option<Position> {
        // Longer texts are no cursor of ours.
        let bytes =
            (cursor.len() <= 2 * (1 + KEY_ID_LENGTH + POSITION_LENGTH + MAC_LENGTH)).then(|| URL_SAFE_NO_PAD.decode(cursor).ok())??;
        let (version, rest) = bytes.split_first()?;
        let (key_id, rest) = rest.split_at_checked(KEY_ID_LENGTH)?;
        let (position, mac) = rest.split_at_checked(POSITION_LENGTH)?;
        let (purpose, parts) = self.signed(position);
        let right = self.store.keys().verifies_under(std::str::from_utf8(key_id).ok()?, purpose, &parts, mac);
        if *version == CURSOR_VERSION && mac.len() == MAC_LENGTH && right { Position::from_bytes(position) } else { None }
    }

    /// The rows of a list whose newest entries come first.
    pub(crate) async fn newest_first<E: EntityTrait>(&self, select: Select<E>, id: E::Column) -> Result<Vec<E::Model>, StoreError> {
        let select = match self.after {
            Some(position) => select.filter(id.lt(position.id)),
            None => select,
        };
        Ok(select.order_by_desc(id).limit(self.limit + 1).all(self.store.db()).await?)
    }

    /// The rows of a list in order of time.
    pub(crate) async fn earliest_first<E: EntityTrait>(
        &self,
        select: Select<E>,
        at: E::Column,
        id: E::Column,
    ) -> Result<Vec<E::Model>, StoreError> {
        let select = match self.after.and_then(|position| position.at.map(|time| (time, position.id))) {
            Some((time, last)) => select.filter(Condition::any().add(at.gt(time)).add(Condition::all().add(at.eq(time)).add(id.gt(last)))),
            None => select,
        };
        Ok(select.order_by_asc(at).order_by_asc(id).limit(self.limit + 1).all(self.store.db()).await?)
    }

    /// Cuts the one row too many that tells whether a next page exists.
    pub(crate) fn finish<R>(&self, mut rows: Vec<R>, position: impl Fn(&R) -> Position) -> Result<Page<R>, StoreError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| self.seal(position(last))).transpose()?;
        Ok(Page { items: rows, next_cursor })
    }
}

impl<R> Page<R> {
    pub(crate) fn try_map<T>(self, view: impl FnMut(R) -> Result<T, StoreError>) -> Result<Page<T>, StoreError> {
        let items = self.items.into_iter().map(view).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor: self.next_cursor })
    }
}

/// The rows that the actor may see: those that one of the roles which may take the action reaches. `by` says
/// how the list tells what a reach covers; none for a reach that covers nothing in it.
pub(crate) fn within(actor: &Actor, action: Action, by: impl Fn(Role, &Reach) -> Option<Expr>) -> Condition {
    match actor {
        Actor::System(_) => Condition::all(),
        Actor::Person(signed_in) => {
            let grants = signed_in.grants.iter().filter(|grant| action.roles().contains(&grant.role));
            // Nothing reached is nothing seen; an empty condition would be everything.
            let nothing = Condition::any().add(Expr::value(1_i32).eq(0_i32));
            grants.filter_map(|grant| by(grant.role, &grant.reach)).fold(nothing, Condition::add)
        }
    }
}

/// Whether a column with the twelve digits of a division lies within a scope.
pub(crate) fn inside(column: impl ColumnTrait, scope: Scope) -> Expr {
    let digits = scope.to_string();
    column.between(format!("{digits:0<12}"), format!("{digits:9<12}"))
}

/// Whether a column with the six digits of a county whose bureau settles lies within a scope.
pub(crate) fn bureau_inside(column: impl ColumnTrait, scope: Scope) -> Option<Expr> {
    let digits = scope.to_string();
    (digits.len() <= 6).then(|| column.between(format!("{digits:0<6}"), format!("{digits:9<6}")))
}
