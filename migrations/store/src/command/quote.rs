//! Quotes: what a service would cost, who would pay which part and why, and until when that holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    access::Action,
    catalogue::{CatalogueItem, ItemCode, Quantity, ServiceClass},
    error::FieldError,
    id::{ProviderId, QuoteId, ResidentId, ServiceAddressId},
    money::{Fen, Rounding},
    order::{OrderError, QUOTE_MINUTES},
    policy::{FactValue, ProgrammeCode},
    resident::LifeStatus,
    tariff::{PricedUse, Split},
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use serde::{Deserialize, Serialize};

use crate::{
    command::{assessment, provider, resident},
    convert,
    entity::{self, quote, service_address},
    error::StoreError,
    pricing::Pricing,
    tx::Tx,
    write::Command,
};

/// How far ahead a service can be booked, in days.
pub const BOOKING_DAYS_MAX: i64 = 90;

/// Asks what a service would cost.
#[derive(Debug, Clone)]
pub struct RequestQuote {
    /// For whom.
    pub resident: ResidentId,
    /// By whom.
    pub provider: ProviderId,
    /// Where, for services at home.
    pub address: Option<ServiceAddressId>,
    /// What.
    pub item: ItemCode,
    /// In which class.
    pub class: ServiceClass,
    /// When it begins.
    pub starts_at: Instant,
    /// How much of it, in catalogue units.
    pub quantity: Quantity,
    /// Facts of the visit that policies declare, such as `meal`.
    pub facts: BTreeMap<String, FactValue>,
    /// The programmes to use; none means all that the resident has.
    pub programmes: Option<BTreeSet<ProgrammeCode>>,
}

/// What a quote keeps: the use, the division of its price, and what the booking needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteBody {
    /// The use with its price.
    pub priced: PricedUse,
    /// Who pays which part, and why programmes pay less or nothing.
    pub split: Split,
    /// The programmes that were asked for.
    pub programmes: Option<BTreeSet<ProgrammeCode>>,
    /// Carers that the visit needs.
    pub staff_count: u32,
}

/// A quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteView {
    /// The quote.
    pub quote_id: QuoteId,
    /// Until when it holds.
    pub expires_at: Instant,
    /// When the service would end.
    pub ends_at: Instant,
    /// What it says.
    pub body: QuoteBody,
}

impl Command for RequestQuote {
    type Output = QuoteView;
    const ACTION: Option<Action> = Some(Action::RequestQuote);
    const NAME: &'static str = "request_quote";

    async fn run(&self, tx: &Tx<'_>) -> Result<QuoteView, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        tx.permit(Action::RequestQuote, &resident::object(&resident)?)?;
        let body = self.body(tx, &resident).await?;
        let quote_id: QuoteId = tx.id();
        let expires_at = body.priced.start.min(tx.now() + TimeDelta::minutes(QUOTE_MINUTES));
        let subsidy = Fen::sum(body.split.shares.iter().map(|share| share.subsidy))?;
        let model = quote::ActiveModel {
            id: Set(quote_id.uuid()),
            resident_id: Set(resident.id),
            provider_id: Set(self.provider.uuid()),
            address_id: Set(self.address.map(domain::id::Id::uuid)),
            item: Set(self.item.to_string()),
            class: Set(self.class.to_string()),
            starts_at: Set(self.starts_at),
            minutes: Set(i64::from(body.priced.minutes)),
            gross_fen: Set(body.split.gross.get()),
            subsidy_fen: Set(subsidy.get()),
            family_fen: Set(body.split.family.get()),
            body_enc: Set(tx.seal_json("quote", "body_enc", quote_id.uuid(), &body)?),
            made_by: Set(tx.actor().need_person()?.uuid()),
            created_at: Set(tx.now()),
            expires_at: Set(expires_at),
        };
        quote::Entity::insert(model).exec_without_returning(tx.db).await?;
        tx.record(&quote_id, None, None);
        Ok(QuoteView { quote_id, expires_at, ends_at: ends_at(&body.priced), body })
    }
}

/// When a use would end.
pub(crate) fn ends_at(priced: &PricedUse) -> Instant {
    priced.start + TimeDelta::minutes(i64::from(priced.minutes))
}

impl RequestQuote {
    /// Checks that the service can be given and divides its price.
    pub(crate) async fn body(&self, tx: &Tx<'_>, resident: &entity::resident::Model) -> Result<QuoteBody, StoreError> {
        let day = BusinessDate::of(self.starts_at);
        self.check_time(tx)?;
        let status: LifeStatus = convert::code("resident", "status", &resident.status)?;
        if status != LifeStatus::Alive {
            return Err(OrderError::ResidentStatus(status.to_string()).into());
        }
        let item = tx.reference.catalogue.item(self.item, day).ok_or(OrderError::NotOffered)?;
        let minutes = item.minutes_booked(self.quantity);
        self.check_shape(tx, item, minutes).await?;
        let provider = provider::read(tx, self.provider).await?;
        provider::check_provider(tx, &provider, self.item, day).await?;
        let price = provider::price_on(tx, self.provider, self.item, self.class, day).await?.ok_or(OrderError::NotOffered)?;
        let priced = PricedUse {
            item: self.item,
            class: self.class,
            start: self.starts_at,
            minutes,
            quantity: self.quantity,
            gross: price.scale(self.quantity.hundredths(), 100, Rounding::HalfUp)?,
            working_day: tx.reference.calendar.is_working_day(day),
            facts: self.facts.clone(),
        };
        let pricing = Pricing { resident, priced: &priced, programmes: self.programmes.as_ref(), own_order: None };
        let split = pricing.split(tx).await?;
        let level = assessment::valid_on(tx, self.resident, day).await?.map(|assessment| assessment.outcome().final_level);
        let staff_count = item.staff_needed(self.class, level);
        Ok(QuoteBody { priced, split, programmes: self.programmes.clone(), staff_count })
    }

    fn check_time(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        if self.starts_at <= tx.now() {
            return Err(OrderError::StartPassed.into());
        }
        if self.starts_at > tx.now() + TimeDelta::days(BOOKING_DAYS_MAX) {
            return Err(OrderError::TooFarAhead(BOOKING_DAYS_MAX).into());
        }
        Ok(())
    }

    async fn check_shape(&self, tx: &Tx<'_>, item: &CatalogueItem, minutes: u32) -> Result<(), StoreError> {
        let mut faults = crate::facts::faults("facts", &self.facts);
        let book = tx.reference.policies(tx.db).await?;
        for (place, programme) in self.programmes.iter().flatten().enumerate() {
            if !book.programmes().any(|known| known == programme) {
                faults.push(FieldError::new(format!("programmes.{place}"), "programme.unknown", "name a published programme"));
            }
        }
        if !item.classes().contains(&self.class) {
            faults.push(FieldError::new("class", "catalogue.class", "the catalogue does not have this item in this class"));
        }
        if !(item.minutes_min()..=item.minutes_max()).contains(&minutes) {
            let cure = format!("book {} to {} minutes; one unit is {}", item.minutes_min(), item.minutes_max(), item.unit_minutes());
            faults.push(FieldError::new("quantity", "catalogue.minutes", cure));
        }
        let needs_address = self.class == ServiceClass::Home;
        match self.address {
            None if needs_address => {
                faults.push(FieldError::new("address_id", "address.missing", "name the address where the resident is served"));
            }
            None => {}
            Some(address) => {
                let known = service_address::Entity::find_by_id(address.uuid())
                    .filter(service_address::Column::ResidentId.eq(self.resident.uuid()))
                    .filter(service_address::Column::EndedOn.is_null())
                    .one(tx.db)
                    .await?;
                if known.is_none() {
                    faults.push(FieldError::new("address_id", "address.unknown", "name an address of this resident"));
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}

/// Reads a stored quote back.
pub(crate) fn body(tx: &Tx<'_>, row: &quote::Model) -> Result<QuoteBody, StoreError> {
    tx.open_json("quote", "body_enc", row.id, &row.body_enc)
}
