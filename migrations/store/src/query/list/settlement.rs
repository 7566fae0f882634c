//! Settlement periods.

use domain::{
    access::{Action, Actor, Reach},
    id::SettlementPeriodId,
    money::Fen,
    policy::ProgrammeCode,
    settlement::PeriodState,
    time::Month,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};
use serde::Serialize;

use super::{Page, PageAsked, Pager, Position, bureau_inside, within};
use crate::{Store, convert, entity::settlement_period, error::StoreError};

/// Which settlement periods.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PeriodFilter {
    /// Of which programme.
    pub programme: Option<ProgrammeCode>,
    /// Of which month.
    pub month: Option<Month>,
    /// In which state.
    pub state: Option<PeriodState>,
}

/// A settlement period in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodRow {
    /// The period.
    pub settlement_period_id: SettlementPeriodId,
    /// The programme.
    pub programme: String,
    /// The bureau.
    pub bureau: String,
    /// The month.
    pub month: Month,
    /// Its state.
    pub state: PeriodState,
    /// Lines in it.
    pub line_count: i64,
    /// Sum, in fen.
    pub total: Fen,
}

impl Store {
    /// Settlement periods of the bureaus within reach, the newest first.
    ///
    /// # Errors
    /// A role that may not, a limit or cursor that cannot be used.
    pub async fn settlement_periods(&self, actor: &Actor, filter: &PeriodFilter, page: &PageAsked) -> Result<Page<PeriodRow>, StoreError> {
        actor.may(Action::ReadSettlement)?;
        let pager = Pager::new(self, actor, "settlement_periods", filter, page)?;
        let mut select = settlement_period::Entity::find().filter(within(actor, Action::ReadSettlement, |_role, reach| match reach {
            Reach::Division(scope) => bureau_inside(settlement_period::Column::Bureau, *scope),
            Reach::Provider(_) | Reach::Bound(_) => None,
        }));
        let wanted: [Option<Expr>; 3] = [
            filter.programme.as_ref().map(|programme| settlement_period::Column::Programme.eq(programme.as_str())),
            filter.month.map(|month| settlement_period::Column::Month.eq(month.to_string())),
            filter.state.map(|state| settlement_period::Column::State.eq(state.to_string())),
        ];
        for condition in wanted.into_iter().flatten() {
            select = select.filter(condition);
        }
        let rows = pager.newest_first(select, settlement_period::Column::Id).await?;
        pager.finish(rows, |row| Position::of_id(row.id))?.try_map(|row| {
            Ok(PeriodRow {
                settlement_period_id: SettlementPeriodId::from_uuid(row.id),
                month: row.month.parse().map_err(|cause| convert::corrupt("settlement_period", "month", &cause))?,
                state: convert::code("settlement_period", "state", &row.state)?,
                total: convert::fen("settlement_period", "total_fen", row.total_fen)?,
                programme: row.programme,
                bureau: row.bureau,
                line_count: row.line_count,
            })
        })
    }
}
