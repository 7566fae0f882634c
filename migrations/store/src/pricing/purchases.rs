//! What the bureau's purchase catalogue says of a use, programme by programme.

use std::collections::BTreeMap;

use domain::{catalogue::Purchase, division::DivisionCode, policy::ProgrammeCode, time::BusinessDate};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use super::{Pricing, offers::Found};
use crate::{command::purchase::list, convert, entity::purchase_list, error::StoreError, tx::Tx};

/// What is said of a use by the lists in force at its start; a programme without a list is not named.
pub(super) type Purchases = BTreeMap<ProgrammeCode, Purchase>;

impl Pricing<'_> {
    pub(super) async fn purchases(&self, tx: &Tx<'_>, found: &[Found], day: BusinessDate) -> Result<Purchases, StoreError> {
        let mut said = Purchases::new();
        if found.is_empty() {
            return Ok(said);
        }
        let residence: DivisionCode = convert::code("resident", "residence_division", &self.resident.residence_division)?;
        let rows = purchase_list::Entity::find()
            .filter(purchase_list::Column::State.eq("published"))
            .filter(purchase_list::Column::Programme.is_in(found.iter().map(|one| one.programme.as_str())))
            .filter(purchase_list::Column::EffectiveFrom.lte(day.get()))
            .order_by_asc(purchase_list::Column::EffectiveFrom)
            .all(tx.db)
            .await?;
        // The last to begin holds.
        let in_force: BTreeMap<&str, &purchase_list::Model> = rows.iter().map(|row| (row.programme.as_str(), row)).collect();
        for one in found {
            if let Some(row) = in_force.get(one.programme.as_str()) {
                said.insert(one.programme.clone(), list(row)?.says_of(self.priced.item, self.priced.class, residence));
            }
        }
        Ok(said)
    }
}
