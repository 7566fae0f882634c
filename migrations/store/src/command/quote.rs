//! Quotes: what a service would cost, who would pay which part and why, and until when that holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    access::Action,
    catalogue::{CatalogueItem, CatalogueUnit, ItemCode, Quantity, ServiceClass},
    claim::Block,
    error::FieldError,
    id::{ProviderId, QuoteId, ResidentId, ServiceAddressId},
    money::{Fen, Rounding},
    order::{OrderError, QUOTE_MINUTES},
    policy::{FactValue, ProgrammeCode},
    provider::{Unfit, UnfitError},
    resident::LifeStatus,
    tariff::{PricedUse, Split},
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};
use serde::{Deserialize, Serialize};

use crate::{
    command::{assessment, order, provider, resident},
    convert,
    entity::{self, care_order, quote, service_address},
    error::StoreError,
    holds,
    pricing::{Basis, Pricing},
    tx::Tx,
    write::Command,
};

pub use crate::pricing::{Outlook, Rule, ShareOf};

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
    /// How the price came about.
    #[serde(default)]
    pub lines: Vec<PriceLine>,
    /// What each share leaves of its entitlement.
    #[serde(default)]
    pub outlook: Vec<Outlook>,
    /// What the provider lacks at the time of service: until it is cured, the quote cannot be booked.
    #[serde(default)]
    pub lacks: Vec<Lack>,
}

/// Something that a provider lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lack {
    /// Code of the refusal that a booking would meet.
    pub code: String,
    /// What stands in the way.
    pub block: Block,
}

/// One line of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceLine {
    /// What.
    pub item: ItemCode,
    /// In which class.
    pub class: ServiceClass,
    /// In what it is counted.
    pub unit: CatalogueUnit,
    /// How much of it.
    pub quantity: Quantity,
    /// Price of one unit by the provider's list.
    pub unit_price: Fen,
    /// Price of the line.
    pub amount: Fen,
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
        let provider = self.provider;
        let expires_at = body.priced.start.min(tx.now() + TimeDelta::minutes(QUOTE_MINUTES));
        let made_by = tx.actor().need_person()?.uuid();
        let kept = Kept { resident: resident.id, provider, address: self.address.map(domain::id::Id::uuid), made_by, expires_at };
        let row = kept.insert(tx, &body).await?;
        let quote_id = QuoteId::from_uuid(row.id);
        Ok(QuoteView { quote_id, expires_at, ends_at: ends_at(&body.priced), body })
    }
}

/// What a quote is about beside its body.
struct Kept {
    resident: uuid::Uuid,
    provider: ProviderId,
    address: Option<uuid::Uuid>,
    made_by: uuid::Uuid,
    expires_at: Instant,
}

impl Kept {
    async fn insert(&self, tx: &Tx<'_>, body: &QuoteBody) -> Result<quote::Model, StoreError> {
        let quote_id: QuoteId = tx.id();
        let subsidy = Fen::sum(body.split.shares.iter().map(|share| share.subsidy))?;
        let row = quote::Model {
            id: quote_id.uuid(),
            resident_id: self.resident,
            provider_id: self.provider.uuid(),
            address_id: self.address,
            item: body.priced.item.to_string(),
            class: body.priced.class.to_string(),
            starts_at: body.priced.start,
            minutes: i64::from(body.priced.minutes),
            gross_fen: body.split.gross.get(),
            subsidy_fen: subsidy.get(),
            family_fen: body.split.family.get(),
            body_enc: tx.seal_json("quote", "body_enc", quote_id.uuid(), body)?,
            made_by: self.made_by,
            created_at: tx.now(),
            expires_at: self.expires_at,
        };
        quote::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await?;
        tx.record(&quote_id, None, None);
        Ok(row)
    }
}

/// Keeps another division of the price of the same service. It stands under the name of whoever asked first, and
/// cannot be booked: its order exists.
pub(crate) async fn keep_again(tx: &Tx<'_>, old: &quote::Model, body: &QuoteBody) -> Result<quote::Model, StoreError> {
    let provider = ProviderId::from_uuid(old.provider_id);
    let kept = Kept { resident: old.resident_id, provider, address: old.address_id, made_by: old.made_by, expires_at: tx.now() };
    kept.insert(tx, body).await
}

/// A quote with its body.
pub(crate) async fn read(tx: &Tx<'_>, id: QuoteId) -> Result<(quote::Model, QuoteBody), StoreError> {
    let row = quote::Entity::find_by_id(id.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let body = body(tx, &row)?;
    Ok((row, body))
}

/// A booked service priced for another provider.
pub(crate) struct Repriced {
    /// What the other provider's quote says.
    pub(crate) body: QuoteBody,
    provider: ProviderId,
    quoted: quote::Model,
}

/// Prices a booked order for another provider: the same service, time and programmes at the other's price, with
/// what the order holds already. Refuses a provider that may not or does not offer it.
///
/// Whether the family may be switched without asking is said by [`Repriced::costs_family_no_more`].
pub(crate) async fn reprice(tx: &Tx<'_>, locked: &order::Locked, provider: ProviderId) -> Result<Repriced, StoreError> {
    let (quoted, stands) = read(tx, QuoteId::from_uuid(locked.order.quote_id)).await?;
    let day = BusinessDate::of(stands.priced.start);
    let (item, class, quantity) = (stands.priced.item, stands.priced.class, stands.priced.quantity);
    let offered = provider::read(tx, provider).await?;
    provider::check_provider(tx, &offered, item, day).await?;
    let price = provider::price_on(tx, provider, item, class, day).await?.ok_or(OrderError::NotOffered)?;
    let entry = tx.reference.catalogue.item(item, day).ok_or(OrderError::NotOffered)?;
    let line = PriceLine::of(&stands.priced, entry, price)?;
    let priced = PricedUse { gross: line.amount, quantity, ..stands.priced };
    let basis = Basis::Again(locked.id());
    let divided = Pricing { resident: &locked.resident, priced: &priced, programmes: stands.programmes.as_ref(), basis }.price(tx).await?;
    if !divided.split.shares.is_empty() {
        provider::check_agreement(tx, &offered, day).await?;
    }
    let body = QuoteBody { priced, split: divided.split, outlook: divided.outlook, lines: vec![line], lacks: Vec::new(), ..stands };
    Ok(Repriced { body, provider, quoted })
}

impl Repriced {
    /// Whether the family pays no more than it has agreed to for the order.
    pub(crate) fn costs_family_no_more(&self, order: &care_order::Model) -> bool {
        self.body.split.family.get() <= order.family_max_fen
    }

    /// Puts the order under the other provider's price, with its holds. The caller has checked that the family
    /// pays no more, or has its consent.
    pub(crate) async fn adopt(&self, tx: &Tx<'_>, locked: &order::Locked) -> Result<care_order::Model, StoreError> {
        holds::release(tx, locked.id()).await?;
        let service_on = BusinessDate::of(self.body.priced.start);
        let booking = holds::Booking { order: locked.id(), resident: &locked.resident, service_on };
        holds::place(tx, &booking, &self.body.split.shares).await?;
        let quoted = quote::Model { provider_id: self.provider.uuid(), ..self.quoted.clone() };
        let new = keep_again(tx, &quoted, &self.body).await?;
        order::adopt_quote(tx, locked, &new).await
    }
}

impl PriceLine {
    /// The line of a use at a price.
    pub(crate) fn of(priced: &PricedUse, item: &CatalogueItem, unit_price: Fen) -> Result<Self, StoreError> {
        Ok(Self {
            item: priced.item,
            class: priced.class,
            unit: item.unit(),
            quantity: priced.quantity,
            unit_price,
            amount: unit_price.scale(priced.quantity.hundredths(), 100, Rounding::HalfUp)?,
        })
    }
}

/// What is asked of any provider that could serve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Length of the service.
    pub(crate) minutes: u32,
    /// Carers at a time.
    pub(crate) staff_count: u32,
}

/// When a use would end.
pub(crate) fn ends_at(priced: &PricedUse) -> Instant {
    priced.start + TimeDelta::minutes(i64::from(priced.minutes))
}

impl RequestQuote {
    /// Checks that the service can be given and divides its price.
    pub(crate) async fn body(&self, tx: &Tx<'_>, resident: &entity::resident::Model) -> Result<QuoteBody, StoreError> {
        let asked = self.asked(tx, resident).await?;
        let day = BusinessDate::of(self.starts_at);
        let item = tx.reference.catalogue.item(self.item, day).ok_or(OrderError::NotOffered)?;
        let provider = provider::read(tx, self.provider).await?;
        let mut unfit = provider::provider_unfit(tx, &provider, self.item, day).await?;
        // Papers can be renewed before the day; a provider that may not serve at all makes no quote.
        if unfit.iter().any(|one| matches!(one, Unfit::ProviderState(_))) {
            UnfitError::check(unfit.clone())?;
        }
        let price = provider::price_on(tx, self.provider, self.item, self.class, day).await?.ok_or(OrderError::NotOffered)?;
        let priced = self.priced(tx, asked, price)?;
        let line = PriceLine::of(&priced, item, price)?;
        let pricing = Pricing { resident, priced: &priced, programmes: self.programmes.as_ref(), basis: Basis::New };
        let divided = pricing.price(tx).await?;
        if !divided.split.shares.is_empty() && !provider::has_agreement(tx, &provider, day).await? {
            unfit.push(Unfit::Agreement);
        }
        let lacks = unfit.iter().filter_map(|one| Some(Lack { code: one.code().to_owned(), block: one.block()? })).collect();
        let programmes = self.programmes.clone();
        let (split, staff_count) = (divided.split, asked.staff_count);
        Ok(QuoteBody { priced, split, programmes, staff_count, lines: vec![line], outlook: divided.outlook, lacks })
    }

    /// Checks that the service can be given at all, whoever gives it.
    pub(crate) async fn asked(&self, tx: &Tx<'_>, resident: &entity::resident::Model) -> Result<Asked, StoreError> {
        let day = BusinessDate::of(self.starts_at);
        self.check_time(tx)?;
        let status: LifeStatus = convert::code("resident", "status", &resident.status)?;
        if status != LifeStatus::Alive {
            return Err(OrderError::ResidentStatus(status.to_string()).into());
        }
        let item = tx.reference.catalogue.item(self.item, day).ok_or(OrderError::NotOffered)?;
        let minutes = item.minutes_booked(self.quantity);
        self.check_shape(tx, item, minutes).await?;
        let level = assessment::valid_on(tx, self.resident, day).await?.map(|assessment| assessment.outcome().final_level);
        Ok(Asked { minutes, staff_count: item.staff_needed(self.class, level) })
    }

    /// The use at a unit price.
    pub(crate) fn priced(&self, tx: &Tx<'_>, asked: Asked, unit_price: Fen) -> Result<PricedUse, StoreError> {
        Ok(PricedUse {
            item: self.item,
            class: self.class,
            start: self.starts_at,
            minutes: asked.minutes,
            quantity: self.quantity,
            gross: unit_price.scale(self.quantity.hundredths(), 100, Rounding::HalfUp)?,
            working_day: tx.reference.calendar.is_working_day(BusinessDate::of(self.starts_at)),
            facts: self.facts.clone(),
        })
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

/// The request that led to a stored quote.
pub(crate) fn request(row: &quote::Model, body: &QuoteBody) -> RequestQuote {
    RequestQuote {
        resident: ResidentId::from_uuid(row.resident_id),
        provider: ProviderId::from_uuid(row.provider_id),
        address: row.address_id.map(ServiceAddressId::from_uuid),
        item: body.priced.item,
        class: body.priced.class,
        starts_at: body.priced.start,
        quantity: body.priced.quantity,
        facts: body.priced.facts.clone(),
        programmes: body.programmes.clone(),
    }
}

/// Reads a stored quote back.
pub(crate) fn body(tx: &Tx<'_>, row: &quote::Model) -> Result<QuoteBody, StoreError> {
    tx.open_json("quote", "body_enc", row.id, &row.body_enc)
}
