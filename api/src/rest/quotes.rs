//! Quotes: the payability preview.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use domain::{
    catalogue::{ItemCode, Quantity, ServiceClass},
    error::FieldError,
    id::{ProviderId, QuoteId, ResidentId, ServiceAddressId},
    money::Fen,
    policy::{FactValue, Language, ProgrammeCode},
    tariff::{Adjustment, Share, Split},
    time::{Instant, parse_instant},
};
use i18n::Locale;
use serde::{Deserialize, Serialize};
use store::command::quote::{Lack, Outlook, PriceLine, QuoteView, RequestQuote, Rule};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// What is to be priced.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteRequest {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    /// Where the resident is served; needed for services at home.
    #[schema(value_type = Option<String>)]
    address_id: Option<ServiceAddressId>,
    #[schema(value_type = String)]
    item: ItemCode,
    #[schema(value_type = String)]
    class: ServiceClass,
    /// RFC 3339; without an offset it is China Standard Time.
    #[schema(format = DateTime)]
    starts_at: String,
    /// In catalogue units, with at most two decimals, as text: `1`, `1.5`.
    #[schema(value_type = String)]
    quantity: Quantity,
    /// Facts of the visit that policies declare, such as `meal`.
    #[serde(default)]
    #[schema(value_type = Object)]
    facts: BTreeMap<String, FactValue>,
    /// The programmes to use; absent means all that the resident has.
    #[schema(value_type = Option<Vec<String>>)]
    programmes: Option<Vec<ProgrammeCode>>,
}

/// A quote: who would pay which part, and why programmes pay less or nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuoteResponse {
    #[schema(value_type = String)]
    quote_id: QuoteId,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    ends_at: Instant,
    /// Whole price, in fen.
    gross_fen: i64,
    /// What programmes pay, in the order of use.
    shares: Vec<ShareResponse>,
    /// What is left to the family, in fen.
    family_fen: i64,
    /// Why programmes pay less or nothing.
    adjustments: Vec<AdjustmentResponse>,
    /// What would have to change for programmes to pay more: `eligibility`, `window`, `budget`, `catalogue`, `price`; and
    /// `licence` or `agreement` for what the provider lacks.
    blocked_by: BTreeSet<String>,
    /// What the provider lacks at the time of service; until it is cured, the quote cannot be booked.
    provider_lacks: Vec<LackResponse>,
    /// How the price came about.
    lines: Vec<PriceLineResponse>,
    /// Carers that the visit needs.
    staff_count: u32,
}

/// One line of the price.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceLineResponse {
    item: String,
    class: String,
    unit: String,
    quantity: String,
    unit_price_fen: i64,
    amount_fen: i64,
}

/// A code in words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WordsResponse {
    zh: String,
    en: String,
}

impl WordsResponse {
    pub(super) fn of(area: &str, code: impl std::fmt::Display) -> Self {
        let key = format!("{area}.{code}");
        let text = |locale| i18n::text(locale, &key).map_or_else(|| code.to_string(), std::borrow::Cow::into_owned);
        Self { zh: text(Locale::ZhCn), en: text(Locale::En) }
    }

    /// A text that a policy file holds itself.
    pub(super) fn in_each(text: impl Fn(Language) -> String) -> Self {
        Self { zh: text(Language::Zh), en: text(Language::En) }
    }
}

/// Something that the provider lacks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LackResponse {
    /// Code of the refusal that a booking would meet.
    code: String,
    /// The code in words.
    text: WordsResponse,
    /// `licence` or `agreement`.
    blocked_by: String,
}

impl From<Lack> for LackResponse {
    fn from(lack: Lack) -> Self {
        Self { text: WordsResponse::of("problem", &lack.code), blocked_by: lack.block.to_string(), code: lack.code }
    }
}

/// What a share leaves of its entitlement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeftResponse {
    /// What the window grants, in the unit.
    granted: i64,
    /// What could be used before.
    before: i64,
    /// What can be used afterwards.
    after: i64,
    /// Whether the window lies ahead: all this is then a projection, and the family is asked again if its share grows.
    provisional: bool,
}

/// The rule that gave a share.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleResponse {
    /// Hundredths of a percent, for a share of a price.
    share_basis_points: Option<i64>,
    /// `price` the whole price, `own_paid` what earlier programmes left.
    share_of: Option<String>,
    /// A fixed sum for each meal or visit, in fen.
    per_unit_fen: Option<i64>,
    /// The most for one use, in fen.
    use_cap_fen: Option<i64>,
}

/// What one benefit pays.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareResponse {
    programme: String,
    policy_version: String,
    benefit: String,
    window_start: String,
    unit: String,
    /// How much of the entitlement it uses, in the unit.
    units: i64,
    subsidy_fen: i64,
    /// Who pays which part, in fen.
    split: BTreeMap<String, i64>,
    /// What it leaves of the entitlement.
    left: Option<LeftResponse>,
    /// The rule that gave it.
    rule: Option<RuleResponse>,
}

/// Why a programme pays less or nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdjustmentResponse {
    programme: String,
    policy_version: String,
    benefit: String,
    code: String,
    /// The code in words.
    text: WordsResponse,
    /// What would have to change: `eligibility`, `window`, `budget`, `catalogue`, `price`.
    blocked_by: String,
    reason: Option<String>,
}

impl ShareResponse {
    fn new(share: Share, outlook: &[Outlook]) -> Self {
        let outlook = outlook.iter().find(|one| one.programme == share.programme && one.benefit == share.benefit);
        Self {
            left: outlook.map(LeftResponse::from),
            rule: outlook.map(|one| RuleResponse::from(&one.rule)),
            programme: share.programme.to_string(),
            policy_version: share.version,
            benefit: share.benefit.to_string(),
            window_start: share.window.start.to_string(),
            unit: share.unit.to_string(),
            units: share.units,
            subsidy_fen: share.subsidy.get(),
            split: share.split.into_iter().map(|(fund, part)| (fund.to_string(), part.get())).collect(),
        }
    }
}

impl From<&Outlook> for LeftResponse {
    fn from(outlook: &Outlook) -> Self {
        Self { granted: outlook.granted, before: outlook.before, after: outlook.after, provisional: outlook.provisional }
    }
}

impl From<&Rule> for RuleResponse {
    fn from(rule: &Rule) -> Self {
        match rule {
            Rule::Share { rate, of, use_cap } => Self {
                share_basis_points: Some(rate.get()),
                share_of: Some(of.to_string()),
                per_unit_fen: None,
                use_cap_fen: use_cap.map(Fen::get),
            },
            Rule::PerUnit { amount, use_cap } => {
                Self { share_basis_points: None, share_of: None, per_unit_fen: Some(amount.get()), use_cap_fen: use_cap.map(Fen::get) }
            }
        }
    }
}

impl From<PriceLine> for PriceLineResponse {
    fn from(line: PriceLine) -> Self {
        Self {
            item: line.item.to_string(),
            class: line.class.to_string(),
            unit: line.unit.to_string(),
            quantity: line.quantity.to_string(),
            unit_price_fen: line.unit_price.get(),
            amount_fen: line.amount.get(),
        }
    }
}

impl From<Adjustment> for AdjustmentResponse {
    fn from(adjustment: Adjustment) -> Self {
        Self {
            programme: adjustment.programme.to_string(),
            policy_version: adjustment.version,
            benefit: adjustment.benefit.to_string(),
            code: adjustment.code.to_string(),
            text: WordsResponse::of("adjustment", adjustment.code),
            blocked_by: adjustment.code.block().to_string(),
            reason: adjustment.reason.map(|reason| reason.to_string()),
        }
    }
}

/// A price divided, as quotes and questions to the family show it.
pub(super) struct Divided {
    pub(super) shares: Vec<ShareResponse>,
    pub(super) adjustments: Vec<AdjustmentResponse>,
    pub(super) blocked_by: BTreeSet<String>,
}

impl Divided {
    pub(super) fn new(split: Split, outlook: &[Outlook]) -> Self {
        Self {
            blocked_by: split.codes.iter().map(|one| one.code.block().to_string()).collect(),
            shares: split.shares.into_iter().map(|share| ShareResponse::new(share, outlook)).collect(),
            adjustments: split.codes.into_iter().map(AdjustmentResponse::from).collect(),
        }
    }
}

impl From<QuoteView> for QuoteResponse {
    fn from(view: QuoteView) -> Self {
        let QuoteView { quote_id, expires_at, ends_at, body } = view;
        let (gross_fen, family_fen) = (body.split.gross.get(), body.split.family.get());
        let Divided { shares, adjustments, mut blocked_by } = Divided::new(body.split, &body.outlook);
        let provider_lacks: Vec<LackResponse> = body.lacks.into_iter().map(LackResponse::from).collect();
        blocked_by.extend(provider_lacks.iter().map(|lack| lack.blocked_by.clone()));
        Self {
            quote_id,
            expires_at,
            starts_at: body.priced.start,
            ends_at,
            gross_fen,
            shares,
            family_fen,
            adjustments,
            blocked_by,
            provider_lacks,
            lines: body.lines.into_iter().map(PriceLineResponse::from).collect(),
            staff_count: body.staff_count,
        }
    }
}

/// Quotes a service (payability preview)
///
/// The same code judges the visit afterwards; the family never pays more than the quote without a new consent.
#[utoipa::path(post, path = "/quotes", tag = "orders", request_body = QuoteRequest, responses((status = CREATED, body = QuoteResponse)))]
pub(crate) async fn request(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<QuoteRequest>,
) -> Result<Created<QuoteResponse>, Problem> {
    let given = &body.value;
    let starts_at = read_instant("starts_at", &given.starts_at)?;
    let command = RequestQuote {
        resident: given.resident_id,
        provider: given.provider_id,
        address: given.address_id,
        item: given.item,
        class: given.class,
        starts_at,
        quantity: given.quantity,
        facts: given.facts.clone(),
        programmes: given.programmes.as_deref().map(distinct).transpose()?,
    };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &QuoteResponse| format!("/quotes/{}", made.quote_id), answer))
}

/// A programme that is named twice is a mistake, not a wish to use it twice.
fn distinct(named: &[ProgrammeCode]) -> Result<BTreeSet<ProgrammeCode>, Problem> {
    let mut programmes = BTreeSet::new();
    let doubled = named.iter().enumerate().filter(|(_, programme)| !programmes.insert((*programme).clone()));
    let faults: Vec<_> =
        doubled.map(|(place, _)| FieldError::new(format!("programmes.{place}"), "programme.twice", "name each programme once")).collect();
    if faults.is_empty() { Ok(programmes) } else { Err(Problem::fields(faults)) }
}

/// Reads an instant of a request.
pub(super) fn read_instant(field: &str, text: &str) -> Result<Instant, Problem> {
    parse_instant(text).map_err(|fault| Problem::fields(vec![FieldError::new(field, "time.instant", fault.to_string())]))
}
