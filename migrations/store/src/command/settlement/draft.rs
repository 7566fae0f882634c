//! The draft of a month: what the clerk finds on the 1st, computed by the same code, binding nobody.

use domain::{access::Action, division::Scope, event::Event, id::SettlementPeriodId, policy::ProgrammeCode, time::Month};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::content::{Of, check_month, line_count};
use crate::{
    entity::{settlement_draft, settlement_period},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// Works out a month of one programme and bureau for the clerk who will submit it. Does nothing once a period of
/// that month exists, or where the draft says the same already.
#[derive(Debug, Clone)]
pub struct DraftSettlement {
    /// The programme.
    pub programme: ProgrammeCode,
    /// The bureau.
    pub bureau: Scope,
    /// The month.
    pub month: Month,
}

impl Command for DraftSettlement {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "draft_settlement";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        check_month(tx.db, &self.programme, self.month, tx.today()).await?;
        let (bureau, month) = (self.bureau.to_string(), self.month.to_string());
        let submitted = settlement_period::Entity::find()
            .filter(settlement_period::Column::Programme.eq(self.programme.as_str()))
            .filter(settlement_period::Column::Bureau.eq(&bureau))
            .filter(settlement_period::Column::Month.eq(&month))
            .one(tx.db)
            .await?;
        if submitted.is_some() {
            return Ok(());
        }
        let nobody = SettlementPeriodId::from_uuid(uuid::Uuid::nil());
        let closed = Of { programme: self.programme.as_str(), bureau: &bureau, month: self.month, period: nobody }.close(tx.db).await?;
        let key = (self.programme.to_string(), bureau.clone(), month.clone());
        let known = for_update!(tx, settlement_draft::Entity::find_by_id(key)).one(tx.db).await?;
        if known.as_ref().is_some_and(|draft| draft.content_hash == closed.content_hash) {
            return Ok(());
        }
        let row = settlement_draft::Model {
            programme: self.programme.to_string(),
            bureau: bureau.clone(),
            month: month.clone(),
            content_hash: closed.content_hash.clone(),
            line_count: line_count(&closed),
            total_fen: closed.total.get(),
            drafted_at: tx.now(),
            version: known.as_ref().map_or(1, |draft| draft.version + 1),
        };
        if known.is_some() {
            tx.save(row.clone()).await?;
        } else {
            settlement_draft::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await?;
        }
        tx.emit(Event::SettlementDrafted { programme: self.programme.to_string(), bureau, month, total: closed.total });
        let object = format!("settlement/{}/{}/{}", row.programme, row.bureau, row.month);
        tx.record(&object, None, Some(&row));
        Ok(())
    }
}
