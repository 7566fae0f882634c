//! Clocking in and out. What a phone sends is kept as it came; a repeat of the same event has one effect.

use chrono::TimeDelta;
use domain::{
    access::{Action, Object},
    error::FieldError,
    event::Event,
    id::{CarerId, OrderId, PersonId, ProviderId, VisitId},
    order::{CLOCK_OUT_HOURS, EARLY_MINUTES_MAX, LATE_MINUTES_MAX, OrderError, OrderState, OrderTrigger},
    time::{BusinessDate, Instant},
    visit::{
        ClockEvidence, CodeCheck, Explanation, LocationFix, Place, VisitCode, VisitEvidence, VisitStatus, VisitTrigger,
        forgotten_clock_out, verify,
    },
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    command::{order, provider},
    convert,
    entity::{assignment, carer, quote, service_address, visit, visit_event},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// How far a phone's clock may be ahead.
const AHEAD_MINUTES_MAX: i64 = 5;

/// Which end of a visit is clocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ClockKind {
    /// Arrival.
    ClockIn,
    /// Departure.
    ClockOut,
}

/// A clock event as the carer's phone sends it.
#[derive(Debug, Clone)]
pub struct ClockVisit {
    /// The visit.
    pub visit: VisitId,
    /// Arrival or departure.
    pub kind: ClockKind,
    /// Id that the phone made; repeats carry the same one.
    pub client_event_id: String,
    /// When it happened, by the phone.
    pub occurred_at: Instant,
    /// Where the phone was; absent is absent evidence.
    pub location: Option<LocationFix>,
    /// The code that the family or the resident showed.
    pub code: Option<VisitCode>,
    /// Why something is missing.
    pub explanation: Option<Explanation>,
}

/// What a stored clock event holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredClock {
    pub(crate) evidence: ClockEvidence,
    pub(crate) explanation: Option<Explanation>,
}

/// A visit after a clock event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockedVisit {
    /// The visit.
    pub visit_id: VisitId,
    /// Its state.
    pub visit_state: VisitStatus,
    /// State of its order.
    pub order_state: OrderState,
    /// Whether the code that was given is the right one; none if none was given.
    pub code_right: Option<bool>,
}

impl Command for ClockVisit {
    type Output = ClockedVisit;
    const ACTION: Option<Action> = Some(Action::ClockVisit);
    const NAME: &'static str = "clock_visit";

    async fn run(&self, tx: &Tx<'_>) -> Result<ClockedVisit, StoreError> {
        let seen = visit::Entity::find_by_id(self.visit.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let locked = order::lock(tx, OrderId::from_uuid(seen.order_id)).await?;
        tx.permit(Action::ClockVisit, &Object { resident: None, division: None, ..locked.object.clone() })?;
        let row = self.assignment(tx, &locked).await?;
        let code = self.check_code(tx, &locked)?;
        if let Some(known) = self.find_known(tx, &row).await? {
            return self.repeat(&known, &locked, code);
        }
        self.check(tx, &locked, &row).await?;
        self.keep(tx, &row, code).await?;
        let (visit_state, order_state) = match self.kind {
            ClockKind::ClockIn => self.clock_in(tx, &locked, row).await?,
            ClockKind::ClockOut => self.clock_out(tx, &locked, row).await?,
        };
        tx.record(&self.visit, None, None);
        Ok(ClockedVisit { visit_id: self.visit, visit_state, order_state, code_right: right(code) })
    }
}

const fn right(code: CodeCheck) -> Option<bool> {
    match code {
        CodeCheck::Absent => None,
        CodeCheck::Right => Some(true),
        CodeCheck::Wrong => Some(false),
    }
}

impl ClockVisit {
    /// The assignment of the carer who asks; for anybody else the visit does not exist.
    async fn assignment(&self, tx: &Tx<'_>, locked: &order::Locked) -> Result<assignment::Model, StoreError> {
        let person: PersonId = tx.actor().need_person()?;
        let carer = carer::Entity::find()
            .filter(carer::Column::PersonId.eq(person.uuid()))
            .filter(carer::Column::ProviderId.eq(locked.order.provider_id))
            .one(tx.db)
            .await?
            .ok_or_else(StoreError::not_found)?;
        let row = assignment::Entity::find_by_id((locked.visit.id, carer.id)).one(tx.db).await?;
        row.ok_or_else(StoreError::not_found)
    }

    fn check_code(&self, tx: &Tx<'_>, locked: &order::Locked) -> Result<CodeCheck, StoreError> {
        let Some(code) = self.code else { return Ok(CodeCheck::Absent) };
        let secret = home_secret(tx, &locked.resident)?;
        Ok(if verify(&secret, self.visit, self.occurred_at, code) { CodeCheck::Right } else { CodeCheck::Wrong })
    }

    async fn find_known(&self, tx: &Tx<'_>, row: &assignment::Model) -> Result<Option<visit_event::Model>, StoreError> {
        Ok(visit_event::Entity::find()
            .filter(visit_event::Column::CarerId.eq(row.carer_id))
            .filter(visit_event::Column::ClientEventId.eq(&self.client_event_id))
            .one(tx.db)
            .await?)
    }

    /// The same event again gets the present state; other content under the same id is refused.
    fn repeat(&self, known: &visit_event::Model, locked: &order::Locked, code: CodeCheck) -> Result<ClockedVisit, StoreError> {
        if known.digest != self.digest() {
            return Err(StoreError::Exists { what: "another event with this client_event_id" });
        }
        let visit_state = convert::code("visit", "state", &locked.visit.state)?;
        Ok(ClockedVisit { visit_id: self.visit, visit_state, order_state: locked.state()?, code_right: right(code) })
    }

    /// What a repeat of the same event must have in common with it.
    pub(crate) fn digest(&self) -> String {
        let code = self.code.map(|code| code.to_string());
        let text = format!("{}|{}|{:?}|{:?}|{code:?}|{:?}", self.visit, self.kind, self.occurred_at, self.location, self.explanation);
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    async fn check(&self, tx: &Tx<'_>, locked: &order::Locked, row: &assignment::Model) -> Result<(), StoreError> {
        if self.client_event_id.is_empty() || self.client_event_id.len() > 64 || !self.client_event_id.bytes().all(|b| b.is_ascii_graphic())
        {
            let cure = "use 1 to 64 visible ASCII characters, such as a ULID";
            return Err(StoreError::fields(vec![FieldError::new("client_event_id", "client_event_id.form", cure)]));
        }
        if self.occurred_at > tx.now() + TimeDelta::minutes(AHEAD_MINUTES_MAX) {
            return Err(OrderError::ClockTime.into());
        }
        match self.kind {
            ClockKind::ClockIn => {
                if row.clock_in_at.is_some() {
                    return Err(OrderError::ClockOrder.into());
                }
                let early = locked.order.starts_at - TimeDelta::minutes(EARLY_MINUTES_MAX);
                let late = locked.order.starts_at + TimeDelta::minutes(LATE_MINUTES_MAX);
                if self.occurred_at < early || self.occurred_at > late {
                    return Err(OrderError::ClockInTime.into());
                }
                let provider = provider::read(tx, ProviderId::from_uuid(locked.order.provider_id)).await?;
                self.refuse_elsewhere(tx, row, (self.occurred_at, self.occurred_at)).await?;
                let (item, day) = (convert::code("care_order", "item", &locked.order.item)?, BusinessDate::of(self.occurred_at));
                provider::check_provider(tx, &provider, item, day).await?;
                provider::check_carer(tx, CarerId::from_uuid(row.carer_id), item, day).await
            }
            ClockKind::ClockOut => {
                let Some(clock_in) = row.clock_in_at else { return Err(OrderError::ClockOrder.into()) };
                if row.clock_out_at.is_some() {
                    return Err(OrderError::ClockOrder.into());
                }
                let last = locked.order.ends_at + TimeDelta::hours(CLOCK_OUT_HOURS);
                if self.occurred_at < clock_in || self.occurred_at > last {
                    return Err(OrderError::ClockTime.into());
                }
                self.refuse_elsewhere(tx, row, (clock_in, self.occurred_at)).await
            }
        }
    }

    /// Nobody is in two homes at once: between the two instants the same person is clocked in nowhere else,
    /// whatever provider they work for. The lock on the carer's rows makes two phones take turns.
    async fn refuse_elsewhere(&self, tx: &Tx<'_>, row: &assignment::Model, between: (Instant, Instant)) -> Result<(), StoreError> {
        let person = tx.actor().need_person()?;
        let own = for_update!(tx, carer::Entity::find().filter(carer::Column::PersonId.eq(person.uuid())).order_by_asc(carer::Column::Id));
        let own: Vec<_> = own.all(tx.db).await?.into_iter().map(|carer| carer.id).collect();
        let not_out = Condition::any().add(assignment::Column::ClockOutAt.is_null()).add(assignment::Column::ClockOutAt.gt(between.0));
        let elsewhere = assignment::Entity::find()
            .filter(assignment::Column::CarerId.is_in(own))
            .filter(assignment::Column::VisitId.ne(row.visit_id))
            .filter(assignment::Column::Active.eq(true))
            .filter(assignment::Column::ClockInAt.lte(between.1))
            // A departure that nobody recorded ends with the visit at the latest.
            .filter(assignment::Column::EndsAt.gt(between.0))
            .filter(not_out)
            .one(tx.db)
            .await?;
        if elsewhere.is_some() { Err(OrderError::CarerBusy.into()) } else { Ok(()) }
    }

    async fn keep(&self, tx: &Tx<'_>, row: &assignment::Model, code: CodeCheck) -> Result<(), StoreError> {
        let id = tx.id::<domain::id::Event>().uuid();
        // Devices have no key of their own yet: the signal is absent, and absent evidence never counts.
        let evidence = ClockEvidence { at: self.occurred_at, location: self.location, code, device_bound: false };
        let stored = StoredClock { evidence, explanation: self.explanation };
        let model = visit_event::ActiveModel {
            id: Set(id),
            visit_id: Set(row.visit_id),
            carer_id: Set(row.carer_id),
            client_event_id: Set(self.client_event_id.clone()),
            kind: Set(self.kind.to_string()),
            occurred_at: Set(self.occurred_at),
            received_at: Set(tx.now()),
            evidence_enc: Set(tx.seal_json("visit_event", "evidence_enc", id, &stored)?),
            digest: Set(self.digest()),
        };
        visit_event::Entity::insert(model).exec_without_returning(tx.db).await?;
        Ok(())
    }

    async fn clock_in(&self, tx: &Tx<'_>, locked: &order::Locked, row: assignment::Model) -> Result<(VisitStatus, OrderState), StoreError> {
        let carer = CarerId::from_uuid(row.carer_id);
        let next = assignment::Model { clock_in_at: Some(self.occurred_at), ..row };
        tx.save(next).await?;
        tx.emit(Event::CarerClockedIn { visit: self.visit, carer });
        if locked.state()? == OrderState::InService {
            return Ok((VisitStatus::InService, OrderState::InService));
        }
        let moved = order::advance(tx, locked, OrderTrigger::ClockIn).await?;
        let start = self.occurred_at;
        order::move_visit(tx, &locked.visit, VisitTrigger::ClockIn, |visit| visit::Model { actual_start: Some(start), ..visit }).await?;
        Ok((VisitStatus::InService, moved.state))
    }

    async fn clock_out(
        &self,
        tx: &Tx<'_>,
        locked: &order::Locked,
        row: assignment::Model,
    ) -> Result<(VisitStatus, OrderState), StoreError> {
        let carer = CarerId::from_uuid(row.carer_id);
        let next = assignment::Model { clock_out_at: Some(self.occurred_at), ..row };
        tx.save(next).await?;
        tx.emit(Event::CarerClockedOut { visit: self.visit, carer });
        let team = assignments(tx, self.visit).await?;
        if team.iter().any(|member| member.clock_out_at.is_none()) {
            return Ok((VisitStatus::InService, OrderState::InService));
        }
        let end = team.iter().filter_map(|member| member.clock_out_at).max();
        order::move_visit(tx, &locked.visit, VisitTrigger::ClockOut, |visit| visit::Model { actual_end: end, ..visit }).await?;
        let moved = order::advance(tx, locked, OrderTrigger::Complete).await?;
        Ok((VisitStatus::Completed, moved.state))
    }
}

/// The secret of a resident's home, from which visit codes are derived.
pub(crate) fn home_secret(tx: &Tx<'_>, resident: &crate::entity::resident::Model) -> Result<[u8; 32], StoreError> {
    let cell = crate::keys::Cell { table: "resident", column: "home_secret_enc", row: resident.id };
    let plain = tx.keys.open(cell, &resident.home_secret_enc)?;
    plain.try_into().map_err(|_wrong| StoreError::Corrupt { table: "resident", why: "the home secret is not 32 bytes".to_owned() })
}

/// The active assignments of a visit, in a fixed order.
pub(crate) async fn assignments(tx: &Tx<'_>, visit: VisitId) -> Result<Vec<assignment::Model>, StoreError> {
    Ok(assignment::Entity::find()
        .filter(assignment::Column::VisitId.eq(visit.uuid()))
        .filter(assignment::Column::Active.eq(true))
        .order_by_asc(assignment::Column::CarerId)
        .all(tx.db)
        .await?)
}

/// Closes a visit whose departure nobody recorded in time: it ended as planned, at the latest.
pub(crate) async fn close_forgotten(tx: &Tx<'_>, locked: &order::Locked) -> Result<(), StoreError> {
    let mut last = None;
    for row in assignments(tx, locked.visit_id()).await? {
        // A carer who never arrived keeps no departure; the grade will show the missing arrival.
        let Some(clock_in) = row.clock_in_at else { continue };
        let next = next_clock_in(tx, &row, clock_in).await?;
        let end = row.clock_out_at.unwrap_or_else(|| forgotten_clock_out(clock_in, locked.order.ends_at, next));
        last = last.max(Some(end));
    }
    order::move_visit(tx, &locked.visit, VisitTrigger::CloseForgotten, |visit| visit::Model { actual_end: last, ..visit }).await?;
    Ok(())
}

/// When the carer arrived somewhere else after this arrival.
async fn next_clock_in(tx: &Tx<'_>, row: &assignment::Model, after: Instant) -> Result<Option<Instant>, StoreError> {
    let next = assignment::Entity::find()
        .filter(assignment::Column::CarerId.eq(row.carer_id))
        .filter(assignment::Column::VisitId.ne(row.visit_id))
        .filter(assignment::Column::ClockInAt.gt(after))
        .order_by_asc(assignment::Column::ClockInAt)
        .one(tx.db)
        .await?;
    Ok(next.and_then(|next| next.clock_in_at))
}

/// The evidence of each assigned carer, and where the visit was to be.
pub(crate) async fn evidence(
    tx: &Tx<'_>,
    locked: &order::Locked,
    family_confirmed: bool,
) -> Result<(Vec<VisitEvidence>, Place), StoreError> {
    let rows = visit_event::Entity::find().filter(visit_event::Column::VisitId.eq(locked.visit.id)).all(tx.db).await?;
    let mut team = Vec::new();
    for member in assignments(tx, locked.visit_id()).await? {
        let mut one = VisitEvidence { clock_in: None, clock_out: None, family_confirmed, explanation: None };
        for row in rows.iter().filter(|row| row.carer_id == member.carer_id) {
            let stored: StoredClock = tx.open_json("visit_event", "evidence_enc", row.id, &row.evidence_enc)?;
            match convert::code("visit_event", "kind", &row.kind)? {
                ClockKind::ClockIn => one.clock_in = Some(stored.evidence),
                ClockKind::ClockOut => one.clock_out = Some(stored.evidence),
            }
            one.explanation = stored.explanation.or(one.explanation);
        }
        if one.clock_in.is_some() && one.clock_out.is_none() && one.explanation.is_none() {
            one.explanation = Some(Explanation::Forgotten);
        }
        team.push(one);
    }
    Ok((team, place(tx, locked).await?))
}

async fn place(tx: &Tx<'_>, locked: &order::Locked) -> Result<Place, StoreError> {
    let unknown = Place { clock_in: None, clock_out: None };
    let quoted = quote::Entity::find_by_id(locked.order.quote_id).one(tx.db).await?;
    let Some(address) = quoted.and_then(|quoted| quoted.address_id) else { return Ok(unknown) };
    let row = service_address::Entity::find_by_id(address).one(tx.db).await?;
    let Some((id, envelope)) = row.and_then(|row| row.coordinate_enc.map(|envelope| (row.id, envelope))) else { return Ok(unknown) };
    Ok(Place::at(tx.open_json("service_address", "coordinate_enc", id, &envelope)?))
}
