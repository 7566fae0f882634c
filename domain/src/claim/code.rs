//! Why an amount is less than a rule alone would give: stable codes, the keys of their texts in every language.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// Why a programme pays less, or nothing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AdjustmentCode {
    /// The cap of one use, or what was left of the window, is smaller than the share.
    CapReached,
    /// Nothing is left of the window's entitlement.
    WindowExhausted,
    /// The meal costs less than the district's standard set.
    BelowStandardPrice,
    /// The service costs less than the smallest price that is subsidised.
    BelowMinimumPrice,
    /// More meals on one day than the programme pays for.
    SecondMealOfDay,
    /// More meals from Monday to Sunday than the programme pays for.
    SixthMealOfWeek,
    /// More visits on one day than the programme pays for.
    DayLimitReached,
    /// More visits from Monday to Sunday than the programme pays for.
    WeekLimitReached,
    /// A meal of the day that the programme does not pay for.
    MealNotCovered,
    /// The programme pays on working days only.
    NotWorkingDay,
    /// The programme does not pay for this service in this place.
    ItemNotCovered,
    /// The bureau's purchase catalogue does not have this service where the resident lives.
    NotOnPurchaseList,
    /// A fact of the visit that the rule needs is not known or not valid.
    FactUnknown,
    /// Less than one whole meal, or not a minute, was delivered.
    NoWholeUnit,
    /// The share rounds to nothing.
    RoundedToNothing,
    /// A fund of the programme has nothing left to spend this year.
    BudgetExhausted,
    /// Programmes used before have left less to pay.
    PriceCovered,
    /// The resident is not eligible at the start of the visit.
    NotEligible,
    /// The resident has no entitlement to this programme: nobody applied, or nothing was granted.
    NoEntitlement,
    /// Another programme gives more, and only the higher one is given.
    Superseded,
    /// A benefit that excludes this one was used first in the window.
    MutuallyExclusive,
    /// Independent evidence of the visit is missing or contradicts itself.
    EvidenceMissing,
    /// The evidence is weak: another person must approve first.
    AwaitingApproval,
    /// More was delivered than quoted; only the quote is paid.
    OverQuote,
    /// Less was delivered than quoted.
    DeliveredLess,
}
