//! Who may be registered twice.
//!
//! Two registrations are alike in the number under another kind of document, in name and birth date, or in the
//! telephone. Likenesses are shown to those who know the people, and never merged by themselves.

use domain::{
    access::{Action, Actor},
    id::ResidentId,
    resident::{IdentityNumber, PersonName, PhoneNumber},
    time::BusinessDate,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    command::resident,
    convert,
    entity::{self, resident_match},
    error::StoreError,
    keys::KeyRing,
    tx::Tx,
};

/// Likenesses of one resident that are looked at.
const LIKENESSES_MAX: u64 = 50;

/// In what two registrations are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LikenessKind {
    /// The number of the identity document.
    Number,
    /// Name and birth date.
    NameAndBirth,
    /// Telephone.
    Phone,
}

impl LikenessKind {
    fn index(self, keys: &KeyRing, value: &str) -> Vec<u8> {
        keys.blind_index(&format!("resident.{self}"), value)
    }
}

/// A resident who may be the same person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Likeness {
    /// The resident.
    pub resident_id: ResidentId,
    /// In what they are alike.
    pub kinds: Vec<LikenessKind>,
}

/// The residents who may be the same person as one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Likenesses {
    /// Those within the reach of whoever asks.
    pub within_reach: Vec<Likeness>,
    /// How many there are elsewhere: nothing else is told of them.
    pub elsewhere: u64,
}

/// Keeps the marks of a new resident.
pub(crate) async fn mark(
    tx: &Tx<'_>,
    resident: ResidentId,
    number: &IdentityNumber,
    name: &PersonName,
    birth_date: BusinessDate,
    phone: Option<&PhoneNumber>,
) -> Result<(), StoreError> {
    let rows = marks(tx.keys, resident, (number.expose(), name.expose(), birth_date), phone);
    let rows = rows.into_iter().map(sea_orm::IntoActiveModel::into_active_model);
    resident_match::Entity::insert_many(rows.collect::<Vec<resident_match::ActiveModel>>()).exec_without_returning(tx.db).await?;
    Ok(())
}

/// The marks of a resident: by number, by name and birth date, by telephone.
pub(crate) fn marks(
    keys: &KeyRing,
    resident: ResidentId,
    of: (&str, &str, BusinessDate),
    phone: Option<&PhoneNumber>,
) -> Vec<resident_match::Model> {
    let (number, name, birth_date) = of;
    let mut marks = vec![(LikenessKind::Number, number.to_owned()), (LikenessKind::NameAndBirth, format!("{name}:{birth_date}"))];
    marks.extend(phone.map(|phone| (LikenessKind::Phone, phone.expose())));
    let row = |(kind, value): (LikenessKind, String)| resident_match::Model {
        resident_id: resident.uuid(),
        kind: kind.to_string(),
        match_index: kind.index(keys, &value),
    };
    marks.into_iter().map(row).collect()
}

/// Keeps the mark of another telephone.
pub(crate) async fn mark_phone(tx: &Tx<'_>, resident: Uuid, phone: Option<&PhoneNumber>) -> Result<(), StoreError> {
    let kind = LikenessKind::Phone.to_string();
    resident_match::Entity::delete_by_id((resident, kind.clone())).exec(tx.db).await?;
    if let Some(phone) = phone {
        let row = resident_match::Model { resident_id: resident, kind, match_index: LikenessKind::Phone.index(tx.keys, &phone.expose()) };
        resident_match::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
    }
    Ok(())
}

/// The residents who may be the same person, as far as the actor may see them.
pub(crate) async fn find(db: &impl ConnectionTrait, actor: &Actor, resident: ResidentId) -> Result<Likenesses, StoreError> {
    let own = resident_match::Entity::find().filter(resident_match::Column::ResidentId.eq(resident.uuid())).all(db).await?;
    let alike = resident_match::Entity::find()
        .filter(resident_match::Column::MatchIndex.is_in(own.into_iter().map(|mark| mark.match_index)))
        .filter(resident_match::Column::ResidentId.ne(resident.uuid()))
        .order_by_asc(resident_match::Column::ResidentId)
        .order_by_asc(resident_match::Column::Kind)
        .limit(LIKENESSES_MAX)
        .all(db)
        .await?;
    let mut found = Likenesses::default();
    for marks in alike.chunk_by(|one, next| one.resident_id == next.resident_id) {
        let Some(first) = marks.first() else { continue };
        let row = entity::resident::Entity::find_by_id(first.resident_id).one(db).await?.ok_or_else(StoreError::not_found)?;
        if actor.permit(Action::ReadDuplicates, &resident::object(&row)?).is_err() {
            found.elsewhere += 1;
            continue;
        }
        let kinds = marks.iter().map(|mark| convert::code("resident_match", "kind", &mark.kind));
        found.within_reach.push(Likeness { resident_id: ResidentId::from_uuid(row.id), kinds: kinds.collect::<Result<_, _>>()? });
    }
    Ok(found)
}
