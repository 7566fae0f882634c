//! An order with its visit, its claim lines, and the code that proves presence.

use domain::{
    access::{Action, Actor, Object, Permit, Role},
    catalogue::{ItemCode, ServiceClass},
    claim::{AdjustmentCode, ClaimLineState},
    id::{CarerId, ClaimLineId, OrderId, ProviderId, ResidentId, SettlementPeriodId, VisitId},
    money::Fen,
    order::{CancelReason, Consequence, OfferState, OrderState, OrderTrigger},
    state::StateMachine as _,
    time::Instant,
    visit::{VisitStatus, code_at},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde::Serialize;

use crate::{
    Store, command, convert,
    entity::{assignment, care_order, carer, claim_line, offer, resident, visit},
    error::StoreError,
    keys::Cell,
    query::daycare::SeatView,
};

/// An order with its visit.
#[derive(Debug, Clone, Serialize)]
pub struct OrderView {
    /// The order.
    pub order_id: OrderId,
    /// Its visit.
    pub visit_id: VisitId,
    /// For whom.
    pub resident_id: ResidentId,
    /// By whom.
    pub provider_id: ProviderId,
    /// What.
    pub item: ItemCode,
    /// In which class.
    pub class: ServiceClass,
    /// Planned start.
    pub starts_at: Instant,
    /// Planned end.
    pub ends_at: Instant,
    /// State of the order.
    pub state: OrderState,
    /// Who must act next.
    pub owner_role: Option<Role>,
    /// By when.
    pub deadline_at: Option<Instant>,
    /// Whole price.
    pub gross: Fen,
    /// What programmes were quoted to pay.
    pub subsidy: Fen,
    /// What the family was quoted to pay.
    pub family: Fen,
    /// State of the visit.
    pub visit_state: VisitStatus,
    /// Grade of its evidence, `a` to `d`, once judged.
    pub grade: Option<String>,
    /// Why it has that grade, per carer.
    pub grade_reasons: Option<serde_json::Value>,
    /// Carers named for it.
    pub carers: Vec<CarerId>,
    /// Its seat, for day care.
    pub seat: Option<SeatView>,
    /// Its claim lines.
    pub claim_lines: Vec<ClaimLineView>,
}

/// A claim line.
#[derive(Debug, Clone, Serialize)]
pub struct ClaimLineView {
    /// The line.
    pub claim_line_id: ClaimLineId,
    /// The programme.
    pub programme: String,
    /// Version of its rules that was applied.
    pub policy_version: String,
    /// The benefit.
    pub benefit: String,
    /// Its state.
    pub state: ClaimLineState,
    /// What was quoted.
    pub quoted: Fen,
    /// What is paid.
    pub subsidy: Fen,
    /// Who pays which part.
    pub split: Vec<(String, Fen)>,
    /// Why it differs.
    pub codes: Vec<AdjustmentCode>,
    /// Month of the service.
    pub service_month: String,
    /// The settlement period that holds it.
    pub period_id: Option<SettlementPeriodId>,
}

impl Store {
    /// An order with its visit and claim lines.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn order(&self, actor: &Actor, id: OrderId) -> Result<OrderView, StoreError> {
        actor.may(Action::ReadOrder)?;
        let row = care_order::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let permit = self.permit_reading(actor, &row).await?;
        let visit =
            visit::Entity::find().filter(visit::Column::OrderId.eq(row.id)).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let team = assignment::Entity::find()
            .filter(assignment::Column::VisitId.eq(visit.id))
            .order_by_asc(assignment::Column::CarerId)
            .all(self.db())
            .await?;
        if permit.role == Some(Role::Carer) && self.need_own_assignment(actor, &team).await.is_err() {
            // Whoever is a carer besides may have another role that reaches it.
            actor
                .without(Role::Carer)
                .permit(Action::ReadOrder, &self.order_object(&row).await?)
                .map_err(|_role| StoreError::not_found())?;
        }
        let lines = claim_line::Entity::find()
            .filter(claim_line::Column::OrderId.eq(row.id))
            .order_by_asc(claim_line::Column::Id)
            .all(self.db())
            .await?;
        Ok(OrderView {
            order_id: id,
            visit_id: VisitId::from_uuid(visit.id),
            resident_id: ResidentId::from_uuid(row.resident_id),
            provider_id: ProviderId::from_uuid(row.provider_id),
            item: convert::code("care_order", "item", &row.item)?,
            class: convert::code("care_order", "class", &row.class)?,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            state: convert::code("care_order", "state", &row.state)?,
            owner_role: row.owner_role.as_deref().map(|role| convert::code("care_order", "owner_role", role)).transpose()?,
            deadline_at: row.deadline_at,
            gross: convert::fen("care_order", "gross_fen", row.gross_fen)?,
            subsidy: convert::fen("care_order", "subsidy_fen", row.subsidy_fen)?,
            family: convert::fen("care_order", "family_fen", row.family_fen)?,
            visit_state: convert::code("visit", "state", &visit.state)?,
            grade: visit.grade,
            grade_reasons: visit.grade_reasons,
            carers: team.into_iter().filter(|member| member.active).map(|member| CarerId::from_uuid(member.carer_id)).collect(),
            seat: self.seat_of(id).await?,
            claim_lines: lines.iter().map(line_view).collect::<Result<_, _>>()?,
        })
    }

    /// What cancelling an order would cost now, for a reason that the person names.
    ///
    /// # Errors
    /// Not found, also when out of reach; an order that is over.
    pub async fn cancellation(&self, actor: &Actor, id: OrderId, reason: CancelReason, now: Instant) -> Result<Consequence, StoreError> {
        actor.may(Action::CancelOrder)?;
        let order = care_order::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let role = actor.permit(Action::CancelOrder, &self.order_object(&order).await?)?.role;
        let state: OrderState = convert::code("care_order", "state", &order.state)?;
        state.on(OrderTrigger::Cancel)?;
        let resident = resident::Entity::find_by_id(order.resident_id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        command::order::CancelAsked { order: &order, resident: &resident, reason, role }.consequence(&self.reference().cancellation, now)
    }

    /// A carer sees the orders to which they are assigned, and no others of their provider.
    pub(super) async fn need_own_assignment(&self, actor: &Actor, team: &[assignment::Model]) -> Result<CarerId, StoreError> {
        let person = actor.need_person()?;
        let own = carer::Entity::find().filter(carer::Column::PersonId.eq(person.uuid())).all(self.db()).await?;
        let assigned = team.iter().find(|member| member.active && own.iter().any(|carer| carer.id == member.carer_id));
        assigned.map(|member| CarerId::from_uuid(member.carer_id)).ok_or_else(StoreError::not_found)
    }

    /// An order is also seen by whoever is asked to serve it, as long as they may answer.
    async fn permit_reading(&self, actor: &Actor, row: &care_order::Model) -> Result<Permit, StoreError> {
        let refused = match actor.permit(Action::ReadOrder, &self.order_object(row).await?) {
            Ok(permit) => return Ok(permit),
            Err(refused) => refused,
        };
        let open = offer::Entity::find()
            .filter(offer::Column::OrderId.eq(row.id))
            .filter(offer::Column::State.eq(OfferState::Open.to_string()))
            .all(self.db())
            .await?;
        let asked = open.iter().find_map(|offer| {
            let object = Object { provider: Some(ProviderId::from_uuid(offer.provider_id)), ..Object::default() };
            actor.permit(Action::ReadOrder, &object).ok()
        });
        asked.ok_or_else(|| refused.into())
    }

    pub(super) async fn order_object(&self, row: &care_order::Model) -> Result<Object, StoreError> {
        let resident = resident::Entity::find_by_id(row.resident_id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        Ok(Object { provider: Some(ProviderId::from_uuid(row.provider_id)), ..command::resident::object(&resident)? })
    }

    /// The code that the family or the resident shows to the carer now.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn visit_code(&self, actor: &Actor, id: VisitId, now: Instant) -> Result<String, StoreError> {
        actor.may(Action::ReadVisitCode)?;
        let visit = visit::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let order = care_order::Entity::find_by_id(visit.order_id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let resident = resident::Entity::find_by_id(order.resident_id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        actor.permit(Action::ReadVisitCode, &command::resident::object(&resident)?)?;
        let cell = Cell { table: "resident", column: "home_secret_enc", row: resident.id };
        let secret: [u8; 32] = self
            .keys()
            .open(cell, &resident.home_secret_enc)?
            .try_into()
            .map_err(|_wrong| StoreError::Corrupt { table: "resident", why: "the home secret is not 32 bytes".to_owned() })?;
        Ok(code_at(&secret, id, now).to_string())
    }
}

fn line_view(row: &claim_line::Model) -> Result<ClaimLineView, StoreError> {
    Ok(ClaimLineView {
        claim_line_id: ClaimLineId::from_uuid(row.id),
        programme: row.programme.clone(),
        policy_version: row.policy_version.clone(),
        benefit: row.benefit.clone(),
        state: convert::code("claim_line", "state", &row.state)?,
        quoted: convert::fen("claim_line", "quoted_fen", row.quoted_fen)?,
        subsidy: convert::fen("claim_line", "subsidy_fen", row.subsidy_fen)?,
        split: convert::json("claim_line", "split", &row.split)?,
        codes: convert::json("claim_line", "codes", &row.codes)?,
        service_month: row.service_month.clone(),
        period_id: row.period_id.map(SettlementPeriodId::from_uuid),
    })
}
