//! Findings of supervision.

use domain::{
    access::{Action, Actor, Reach},
    division::Scope,
    id::{FlagId, ProviderId},
    time::{Instant, Month},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};
use serde::Serialize;

use super::{Page, PageAsked, Pager, Position, inside, within};
use crate::{
    Store, convert,
    entity::{flag, provider},
    error::StoreError,
};

/// Which findings.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FlagFilter {
    /// Of which rule.
    pub rule: Option<String>,
    /// Of which month.
    pub month: Option<Month>,
    /// About which provider.
    pub provider: Option<ProviderId>,
}

/// A finding in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagRow {
    /// The finding.
    pub flag_id: FlagId,
    /// The rule that found it.
    pub rule: String,
    /// Id of what it is about.
    pub object: String,
    /// The provider concerned, if one is.
    pub provider_id: Option<ProviderId>,
    /// The month that it is about.
    pub month: Month,
    /// What it rests on: values and ids.
    pub evidence: serde_json::Value,
    /// When it was raised.
    pub raised_at: Instant,
}

impl Store {
    /// Findings about the providers within reach, the newest first; those that concern no provider are for whoever
    /// reaches the whole city.
    ///
    /// # Errors
    /// A role that may not, a limit or cursor that cannot be used.
    pub async fn flags(&self, actor: &Actor, filter: &FlagFilter, page: &PageAsked) -> Result<Page<FlagRow>, StoreError> {
        actor.may(Action::ReadFlags)?;
        let pager = Pager::new(self, actor, "flags", filter, page)?;
        let city = self.city().await?.scope;
        let mut select = flag::Entity::find().filter(within(actor, Action::ReadFlags, |_role, reach| match reach {
            Reach::Division(scope) => Some(seen_from(*scope, city)),
            Reach::Provider(_) | Reach::Bound(_) => None,
        }));
        let wanted: [Option<Expr>; 3] = [
            filter.rule.as_ref().map(|rule| flag::Column::Rule.eq(rule)),
            filter.month.map(|month| flag::Column::Month.eq(month.to_string())),
            filter.provider.map(|provider| flag::Column::ProviderId.eq(provider.uuid())),
        ];
        for condition in wanted.into_iter().flatten() {
            select = select.filter(condition);
        }
        let rows = pager.newest_first(select, flag::Column::Id).await?;
        pager.finish(rows, |row| Position::of_id(row.id))?.try_map(|row| {
            Ok(FlagRow {
                flag_id: FlagId::from_uuid(row.id),
                provider_id: row.provider_id.map(ProviderId::from_uuid),
                month: row.month.parse().map_err(|cause| convert::corrupt("flag", "month", &cause))?,
                rule: row.rule,
                object: row.object,
                evidence: row.evidence,
                raised_at: row.raised_at,
            })
        })
    }
}

fn seen_from(scope: Scope, city: Scope) -> Expr {
    let seats = provider::Entity::find().select_only().column(provider::Column::Id).filter(inside(provider::Column::Division, scope));
    let of_providers = flag::Column::ProviderId.in_subquery(sea_orm::QueryTrait::into_query(seats));
    if scope.contains(city) { of_providers.or(flag::Column::ProviderId.is_null()) } else { of_providers }
}
