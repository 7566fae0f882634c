//! What providers say about themselves: area, hours, closing days; what their carers can do, when they work and
//! when they are away.

use domain::{
    access::{Action, Object},
    error::FieldError,
    event::Event,
    id::{CarerId, CarerLeaveId, ProviderId},
    provider::{CarerProfile, ProviderProfile},
    time::{BusinessDate, DateRange},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _, Set};
use serde::{Deserialize, Serialize};

use crate::{
    convert,
    entity::{self, carer, carer_leave, division, provider},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// Leave that is recorded further ahead than this is a slip of the pen.
const LEAVE_DAYS_MAX: u64 = 400;

/// What was changed, in its new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// The version, for the next edit.
    pub version: i64,
}

/// Says where and when a provider serves.
#[derive(Debug, Clone)]
pub struct EditProfile {
    /// The provider.
    pub provider: ProviderId,
    /// The version that was read; 0 before the first.
    pub version: i64,
    /// What holds from now on.
    pub profile: ProviderProfile,
}

impl Command for EditProfile {
    type Output = Versioned;
    const ACTION: Option<Action> = Some(Action::EditProvider);
    const NAME: &'static str = "edit_provider_profile";

    async fn run(&self, tx: &Tx<'_>) -> Result<Versioned, StoreError> {
        let provider = super::lock(tx, self.provider).await?;
        tx.permit(Action::EditProvider, &super::object(&provider)?)?;
        self.check_divisions(tx).await?;
        let before = entity::provider_profile::Entity::find_by_id(provider.id).one(tx.db).await?;
        let version = next_version(before.as_ref().map_or(0, |row| row.version), self.version, "the profile of the provider")?;
        let row = entity::provider_profile::Model {
            provider_id: provider.id,
            area: convert::to_json("provider_profile", &self.profile.area)?,
            hours: convert::to_json("provider_profile", &self.profile.hours)?,
            closing_days: convert::to_json("provider_profile", &self.profile.closing_days)?,
            changed_by: tx.actor().need_person()?.uuid(),
            changed_at: tx.now(),
            version,
        };
        if before.is_some() {
            tx.save(row.clone()).await?;
        } else {
            entity::provider_profile::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await?;
        }
        tx.emit(Event::ProviderChanged { provider: self.provider });
        tx.record(&self.provider, before.as_ref().map(|row| -> &dyn std::fmt::Debug { row }), Some(&row));
        Ok(Versioned { version })
    }
}

impl EditProfile {
    async fn check_divisions(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let codes: Vec<String> = self.profile.area.divisions().iter().map(|scope| scope.division().to_string()).collect();
        let known: Vec<String> = division::Entity::find()
            .select_only()
            .column(division::Column::Code)
            .filter(division::Column::Code.is_in(codes))
            .into_tuple()
            .all(tx.db)
            .await?;
        let unknown = self.profile.area.divisions().iter().filter(|scope| !known.contains(&scope.division().to_string()));
        let unknown: Vec<_> = unknown.map(ToString::to_string).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let cure = format!("name divisions of this city's table; these are none: {}", unknown.join(", "));
        Err(StoreError::fields(vec![FieldError::new("divisions", "profile.divisions", cure)]))
    }
}

/// The version after the stored one, when the caller has read that one.
pub(super) fn next_version(stored: i64, read: i64, what: &'static str) -> Result<i64, StoreError> {
    if stored == read { Ok(stored + 1) } else { Err(StoreError::Stale(what)) }
}

/// Reads a stored profile of a provider.
pub(crate) fn provider_profile(row: &entity::provider_profile::Model) -> Result<ProviderProfile, StoreError> {
    let profile = ProviderProfile::new(
        convert::json("provider_profile", "area", &row.area)?,
        convert::json("provider_profile", "hours", &row.hours)?,
        convert::json("provider_profile", "closing_days", &row.closing_days)?,
    );
    profile.map_err(|cause| convert::corrupt("provider_profile", "closing_days", &cause))
}

/// Reads a stored profile of a carer.
pub(crate) fn carer_profile(row: &entity::carer_profile::Model) -> Result<CarerProfile, StoreError> {
    let profile = CarerProfile {
        sex: convert::code("carer_profile", "sex", &row.sex)?,
        skills: convert::json("carer_profile", "skills", &row.skills)?,
        dialects: convert::json("carer_profile", "dialects", &row.dialects)?,
        working_times: convert::json("carer_profile", "working_times", &row.working_times)?,
        employed_from: convert::date(row.employed_from),
        employed_until: row.employed_until.map(convert::date),
    };
    profile.check().map_err(|cause| convert::corrupt("carer_profile", "dialects", &cause))
}

/// A carer with their provider, locked, and the handles by which they are reached. The lock on the carer's row
/// makes the change take turns with assignments.
pub(super) async fn lock_carer(tx: &Tx<'_>, id: CarerId) -> Result<(carer::Model, Object), StoreError> {
    let row = for_update!(tx, carer::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let provider = provider::Entity::find_by_id(row.provider_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    Ok((row, super::object(&provider)?))
}

/// Says what a carer can do and when they work; also ends the employment.
#[derive(Debug, Clone)]
pub struct EditCarer {
    /// The carer.
    pub carer: CarerId,
    /// The version that was read; 0 before the first.
    pub version: i64,
    /// What holds from now on.
    pub profile: CarerProfile,
}

impl Command for EditCarer {
    type Output = Versioned;
    const ACTION: Option<Action> = Some(Action::EditCarer);
    const NAME: &'static str = "edit_carer";

    async fn run(&self, tx: &Tx<'_>) -> Result<Versioned, StoreError> {
        let (carer, object) = lock_carer(tx, self.carer).await?;
        tx.permit(Action::EditCarer, &object)?;
        let before = entity::carer_profile::Entity::find_by_id(carer.id).one(tx.db).await?;
        let version = next_version(before.as_ref().map_or(0, |row| row.version), self.version, "the profile of the carer")?;
        let row = entity::carer_profile::Model {
            carer_id: carer.id,
            sex: self.profile.sex.to_string(),
            skills: convert::to_json("carer_profile", &self.profile.skills)?,
            dialects: convert::to_json("carer_profile", &self.profile.dialects)?,
            working_times: convert::to_json("carer_profile", &self.profile.working_times)?,
            employed_from: self.profile.employed_from.get(),
            employed_until: self.profile.employed_until.map(BusinessDate::get),
            changed_by: tx.actor().need_person()?.uuid(),
            changed_at: tx.now(),
            version,
        };
        if before.is_some() {
            tx.save(row.clone()).await?;
        } else {
            entity::carer_profile::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await?;
        }
        tx.emit(Event::CarerChanged { provider: ProviderId::from_uuid(carer.provider_id), carer: self.carer });
        tx.record(&self.carer, before.as_ref().map(|row| -> &dyn std::fmt::Debug { row }), Some(&row));
        Ok(Versioned { version })
    }
}

/// Records days on which a carer is away.
#[derive(Debug, Clone)]
pub struct RecordLeave {
    /// The carer.
    pub carer: CarerId,
    /// The days; they end.
    pub days: DateRange,
}

/// Recorded leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedLeave {
    /// The leave.
    pub leave_id: CarerLeaveId,
}

impl Command for RecordLeave {
    type Output = RecordedLeave;
    const ACTION: Option<Action> = Some(Action::EditCarer);
    const NAME: &'static str = "record_leave";

    async fn run(&self, tx: &Tx<'_>) -> Result<RecordedLeave, StoreError> {
        let (carer, object) = lock_carer(tx, self.carer).await?;
        tx.permit(Action::EditCarer, &object)?;
        let last = tx.today().plus_days(LEAVE_DAYS_MAX)?;
        let ends_on = self.days.until().filter(|until| *until <= last);
        let Some(ends_on) = ends_on else {
            let cure = format!("write the first day after the leave, on or before {last}");
            return Err(StoreError::fields(vec![FieldError::new("ends_on", "leave.ends_on", cure)]));
        };
        let id: CarerLeaveId = tx.id();
        let row = carer_leave::ActiveModel {
            id: Set(id.uuid()),
            carer_id: Set(carer.id),
            first_day: Set(self.days.from().get()),
            ends_on: Set(ends_on.get()),
            recorded_by: Set(tx.actor().need_person()?.uuid()),
            created_at: Set(tx.now()),
        };
        carer_leave::Entity::insert(row).exec_without_returning(tx.db).await?;
        tx.emit(Event::CarerChanged { provider: ProviderId::from_uuid(carer.provider_id), carer: self.carer });
        tx.record(&id, None, None);
        Ok(RecordedLeave { leave_id: id })
    }
}

/// Takes recorded leave back.
#[derive(Debug, Clone)]
pub struct EndLeave {
    /// The leave.
    pub leave: CarerLeaveId,
}

impl Command for EndLeave {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::EditCarer);
    const NAME: &'static str = "end_leave";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let row = carer_leave::Entity::find_by_id(self.leave.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let (carer, object) = lock_carer(tx, CarerId::from_uuid(row.carer_id)).await?;
        tx.permit(Action::EditCarer, &object)?;
        carer_leave::Entity::delete_by_id(row.id).exec(tx.db).await?;
        let carer_id = CarerId::from_uuid(carer.id);
        tx.emit(Event::CarerChanged { provider: ProviderId::from_uuid(carer.provider_id), carer: carer_id });
        tx.record(&self.leave, Some(&row), None);
        Ok(())
    }
}
