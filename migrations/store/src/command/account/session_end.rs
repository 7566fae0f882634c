//! Ending sessions, and noting that one is in use.

use domain::{
    access::Action,
    id::{PersonId, SessionId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};

use crate::{entity::session, error::StoreError, tx::Tx, write::Command};

/// Ends all sessions of an account.
pub(super) async fn end_all(tx: &Tx<'_>, account: uuid::Uuid) -> Result<(), StoreError> {
    let change = session::ActiveModel { revoked_at: Set(Some(tx.now())), ..Default::default() };
    let open = session::Column::RevokedAt.is_null();
    session::Entity::update_many().set(change).filter(session::Column::AccountId.eq(account)).filter(open).exec(tx.db).await?;
    Ok(())
}

/// Ends a session.
#[derive(Debug, Clone)]
pub struct EndSession {
    /// The session.
    pub session: SessionId,
}

impl Command for EndSession {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "end_session";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let change = session::ActiveModel { revoked_at: Set(Some(tx.now())), ..Default::default() };
        session::Entity::update_many().set(change).filter(session::Column::Id.eq(self.session.uuid())).exec(tx.db).await?;
        tx.record(&self.session, None, None);
        Ok(())
    }
}

/// Which of one's own sessions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// This one.
    One(SessionId),
    /// All but this one.
    OthersThan(SessionId),
}

/// Ends sessions of a person, as that person asks.
#[derive(Debug, Clone)]
pub struct EndOwnSessions {
    /// The person who asks.
    pub person: PersonId,
    /// Which of their sessions.
    pub ending: Ending,
}

impl Command for EndOwnSessions {
    type Output = u64;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "end_own_sessions";

    async fn run(&self, tx: &Tx<'_>) -> Result<u64, StoreError> {
        let (condition, object) = match self.ending {
            Ending::One(session) => (session::Column::Id.eq(session.uuid()), session.to_string()),
            Ending::OthersThan(session) => (session::Column::Id.ne(session.uuid()), self.person.to_string()),
        };
        let change = session::ActiveModel { revoked_at: Set(Some(tx.now())), ..Default::default() };
        let ended = session::Entity::update_many()
            .set(change)
            .filter(session::Column::PersonId.eq(self.person.uuid()))
            .filter(session::Column::RevokedAt.is_null())
            .filter(condition)
            .exec(tx.db)
            .await?
            .rows_affected;
        if ended == 0 && matches!(self.ending, Ending::One(_)) {
            return Err(StoreError::not_found());
        }
        tx.record(&object, None, None);
        Ok(ended)
    }
}

/// Notes that a session is in use.
#[derive(Debug, Clone)]
pub struct TouchSession {
    /// The session.
    pub session: SessionId,
    /// When, in real time.
    pub at: Instant,
}

impl Command for TouchSession {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "touch_session";
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let change = session::ActiveModel { last_used_at: Set(Some(self.at)), ..Default::default() };
        session::Entity::update_many().set(change).filter(session::Column::Id.eq(self.session.uuid())).exec(tx.db).await?;
        Ok(())
    }
}
