//! Claim lines that wait for a decision.

use domain::{
    access::{Action, Actor, Reach},
    claim::AdjustmentCode,
    id::{ClaimLineId, OrderId, ProviderId, ResidentId},
    money::Fen,
    policy::ProgrammeCode,
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};
use serde::Serialize;

use super::{Page, PageAsked, Pager, Position, bureau_inside, within};
use crate::{Store, convert, entity::claim_line, error::StoreError};

/// Which held claim lines.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HeldClaimFilter {
    /// Of which programme.
    pub programme: Option<ProgrammeCode>,
    /// Of which provider.
    pub provider: Option<ProviderId>,
}

/// A held claim line in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldClaimRow {
    /// The line.
    pub claim_line_id: ClaimLineId,
    /// The order that it judges.
    pub order_id: OrderId,
    /// For whom.
    pub resident_id: ResidentId,
    /// By whom.
    pub provider_id: ProviderId,
    /// The programme.
    pub programme: String,
    /// The bureau that decides and pays.
    pub bureau: String,
    /// Day of the service.
    pub service_on: BusinessDate,
    /// What was quoted, in fen.
    pub quoted: Fen,
    /// What would be paid, in fen.
    pub subsidy: Fen,
    /// Why it is held.
    pub codes: Vec<AdjustmentCode>,
}

impl Store {
    /// Claim lines that are held for missing evidence, of the bureaus within reach, the newest first.
    ///
    /// # Errors
    /// A role that may not, a limit or cursor that cannot be used.
    pub async fn held_claims(&self, actor: &Actor, filter: &HeldClaimFilter, page: &PageAsked) -> Result<Page<HeldClaimRow>, StoreError> {
        actor.may(Action::ReadSettlement)?;
        let pager = Pager::new(self, actor, "held_claim_lines", filter, page)?;
        let mut select = claim_line::Entity::find().filter(claim_line::Column::State.eq("held")).filter(within(
            actor,
            Action::ReadSettlement,
            |_role, reach| match reach {
                Reach::Division(scope) => bureau_inside(claim_line::Column::Bureau, *scope),
                Reach::Provider(_) | Reach::Bound(_) => None,
            },
        ));
        let wanted: [Option<Expr>; 2] = [
            filter.programme.as_ref().map(|programme| claim_line::Column::Programme.eq(programme.as_str())),
            filter.provider.map(|provider| claim_line::Column::ProviderId.eq(provider.uuid())),
        ];
        for condition in wanted.into_iter().flatten() {
            select = select.filter(condition);
        }
        let rows = pager.newest_first(select, claim_line::Column::Id).await?;
        pager.finish(rows, |row| Position::of_id(row.id))?.try_map(|row| {
            Ok(HeldClaimRow {
                claim_line_id: ClaimLineId::from_uuid(row.id),
                order_id: OrderId::from_uuid(row.order_id),
                resident_id: ResidentId::from_uuid(row.resident_id),
                provider_id: ProviderId::from_uuid(row.provider_id),
                service_on: convert::date(row.service_on),
                quoted: convert::fen("claim_line", "quoted_fen", row.quoted_fen)?,
                subsidy: convert::fen("claim_line", "subsidy_fen", row.subsidy_fen)?,
                codes: convert::json("claim_line", "codes", &row.codes)?,
                programme: row.programme,
                bureau: row.bureau,
            })
        })
    }
}
