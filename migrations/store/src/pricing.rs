//! What a use of a service costs whom. The one code behind the quote, the booking and the adjudication: it
//! loads a resident's entitlements, windows, earlier uses and the funds' budgets, and lets the domain divide
//! the price. Start reading at [`Pricing::price`]; which entitlements can be asked is found in [`offers`].

mod offers;
mod outlook;
mod purchases;

use std::collections::BTreeSet;

use chrono::Datelike as _;
use domain::{
    claim::AdjustmentCode,
    id::{OrderId, ResidentId},
    policy::{FundCode, PolicyBook, ProgrammeCode},
    tariff::{Adjustment, PricedUse, Share, Split, split},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{
    convert,
    entity::{self, budget, hold},
    error::StoreError,
    tx::{Tx, for_update},
};
use offers::{Entitlements, Found};
pub use outlook::{Outlook, Rule, ShareOf};

/// What may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// What is available now: a new booking.
    New,
    /// What is available, and what this order holds already: its price is divided anew.
    Again(OrderId),
    /// What this order holds and no more: it is judged.
    Booked(OrderId),
}

impl Basis {
    /// The order whose own holds do not stand in its way.
    const fn own_order(self) -> Option<OrderId> {
        match self {
            Self::New => None,
            Self::Again(order) | Self::Booked(order) => Some(order),
        }
    }
}

/// What is to be priced.
pub(crate) struct Pricing<'a> {
    /// For whom.
    pub(crate) resident: &'a entity::resident::Model,
    /// The use with its whole price.
    pub(crate) priced: &'a PricedUse,
    /// The programmes that may be used; none means all.
    pub(crate) programmes: Option<&'a BTreeSet<ProgrammeCode>>,
    /// What may be used.
    pub(crate) basis: Basis,
}

/// A price divided, with what it does to the entitlements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Priced {
    /// Who pays which part.
    pub(crate) split: Split,
    /// What each share leaves of its entitlement, in the order of the shares.
    pub(crate) outlook: Vec<Outlook>,
}

impl Pricing<'_> {
    /// Divides the price.
    pub(crate) async fn split(&self, tx: &Tx<'_>) -> Result<Split, StoreError> {
        Ok(self.price(tx).await?.split)
    }

    /// Divides the price and says what is left afterwards. A programme whose funds cannot pay their part is left
    /// out and says so; so does a programme that was named and cannot pay at all.
    pub(crate) async fn price(&self, tx: &Tx<'_>) -> Result<Priced, StoreError> {
        let book = tx.reference.policies(tx.db).await?;
        let day = BusinessDate::of(self.priced.start);
        let Entitlements { found, unusable } = self.entitlements(tx, &book, day).await?;
        let purchases = self.purchases(tx, &found, day).await?;
        let mut without_money: BTreeSet<ProgrammeCode> = BTreeSet::new();
        loop {
            let entitled = self.entitled(tx, &book, (found.as_slice(), &purchases), &without_money).await?;
            let mut divided = split(self.priced, &entitled)?;
            let short = self.first_without_money(tx, &divided, day).await?;
            let Some(short) = short else {
                divided.codes.extend(unusable);
                divided.codes.extend(without_money.iter().filter_map(|programme| budget_exhausted(&book, &found, programme, day)));
                let outlook = outlook::of(&book, &divided, &found, day);
                return Ok(Priced { split: divided, outlook });
            };
            without_money.insert(short);
        }
    }

    /// The first programme that a fund of which cannot pay its part.
    async fn first_without_money(&self, tx: &Tx<'_>, divided: &Split, day: BusinessDate) -> Result<Option<ProgrammeCode>, StoreError> {
        // A booked order has its funds' parts reserved.
        let own = match self.basis {
            Basis::New => Vec::new(),
            Basis::Again(order) => own_holds(tx, order).await?,
            Basis::Booked(_) => return Ok(None),
        };
        for share in &divided.shares {
            for (fund, part) in parts(share) {
                let row = find_budget(tx, &share.programme, fund, day.get().year()).await?;
                let mut available = row.map_or(0, |row| row.granted - row.held - row.posted);
                for held in own.iter().filter(|held| held.programme == share.programme.as_str()) {
                    available += stored_parts(held)?.iter().filter(|(other, _)| other == fund).map(|(_, part)| part).sum::<i64>();
                }
                if available < part {
                    return Ok(Some(share.programme.clone()));
                }
            }
        }
        Ok(None)
    }
}

/// What an order holds now.
async fn own_holds(tx: &Tx<'_>, order: OrderId) -> Result<Vec<hold::Model>, StoreError> {
    let select = hold::Entity::find().filter(hold::Column::OrderId.eq(order.uuid())).filter(hold::Column::State.eq("held"));
    Ok(select.all(tx.db).await?)
}

fn budget_exhausted(book: &PolicyBook, found: &[Found], programme: &ProgrammeCode, day: BusinessDate) -> Option<Adjustment> {
    let policy = book.in_force(programme, day)?;
    let benefit = found.iter().find(|one| one.programme == *programme)?.benefit.clone();
    Some(Adjustment {
        programme: programme.clone(),
        version: policy.version().to_owned(),
        benefit,
        code: AdjustmentCode::BudgetExhausted,
        reason: None,
    })
}

/// The parts of a share that are more than nothing.
pub(crate) fn parts(share: &Share) -> impl Iterator<Item = (&FundCode, i64)> {
    share.split.iter().map(|(fund, part)| (fund, part.get())).filter(|(_, part)| *part > 0)
}

/// The parts that a stored hold reserved of each fund.
pub(crate) fn stored_parts(row: &hold::Model) -> Result<Vec<(FundCode, i64)>, StoreError> {
    convert::json("hold", "split", &row.split)
}

/// The budget of a fund in a year, as it is now; the booking locks it and looks again.
async fn find_budget(tx: &Tx<'_>, programme: &ProgrammeCode, fund: &FundCode, year: i32) -> Result<Option<budget::Model>, StoreError> {
    Ok(budget_of(programme, fund, year).one(tx.db).await?)
}

/// The budget of a fund in a year, locked.
pub(crate) async fn lock_budget(
    tx: &Tx<'_>,
    programme: &ProgrammeCode,
    fund: &FundCode,
    year: i32,
) -> Result<Option<budget::Model>, StoreError> {
    Ok(for_update!(tx, budget_of(programme, fund, year)).one(tx.db).await?)
}

fn budget_of(programme: &ProgrammeCode, fund: &FundCode, year: i32) -> sea_orm::Select<budget::Entity> {
    budget::Entity::find()
        .filter(budget::Column::Programme.eq(programme.as_str()))
        .filter(budget::Column::Fund.eq(fund.as_str()))
        .filter(budget::Column::Year.eq(year))
}

/// A resident's id from a row that names it.
pub(crate) fn resident_id(row: &entity::resident::Model) -> ResidentId {
    ResidentId::from_uuid(row.id)
}
