//! What follows for an entitlement when its grounds are looked at again: a category has ended, the resident has
//! died or lives in an institution, a new assessment was confirmed, a new version of the rules has begun.

use serde::{Deserialize, Serialize};

use crate::{
    eligibility::{BenefitGrant, Reason},
    policy::EndRule,
    time::{BusinessDate, TimeError, Window},
};

/// How an entitlement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Standing {
    /// It can be used.
    Running,
    /// It rests, and begins again by itself when what stands in its way is over.
    Suspended,
    /// It has ended; whoever wants it again applies again.
    Stopped,
}

/// What a review changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EntitlementChange {
    /// The grounds have ceased.
    Stopped,
    /// Something stands in its way for a time, or is not known any more.
    Suspended,
    /// It begins again.
    Resumed,
    /// It gives more, less, or otherwise than before.
    Changed,
}

/// An entitlement as it stands before a review.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    /// How it stands.
    pub standing: Standing,
    /// First day.
    pub from: BusinessDate,
    /// First day no longer covered.
    pub until: Option<BusinessDate>,
    /// What was granted last.
    pub granted: &'a BenefitGrant,
}

/// Why the rules no longer grant.
#[derive(Debug, Clone, Copy)]
pub struct Ceased<'a> {
    /// The reasons of the rules.
    pub reasons: &'a [Reason],
    /// First day on which they did not grant.
    pub on: BusinessDate,
}

/// What follows from a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consequence {
    /// What changes.
    pub change: EntitlementChange,
    /// From which day on.
    pub from: BusinessDate,
}

/// What follows when the rules are tried again `today` and grant, or do not.
///
/// An entitlement whose grounds have ceased ends on the day that the file's end rule says: at once on the day on
/// which they ceased, or with the month in which that is confirmed; death, and the end of the rules themselves, end it
/// at once whatever the file says.
/// When nothing but the life status stands in its way (hospital, institution), or a fact is not known any more
/// (the assessment is too old), it is suspended and begins again by itself. More is given at once, less from the
/// next window on: what a window was granted is not taken back.
///
/// # Errors
/// [`TimeError::Range`] beyond the calendar.
pub fn review(
    present: &Present<'_>,
    found: Result<&BenefitGrant, Ceased<'_>>,
    rule: EndRule,
    today: BusinessDate,
) -> Result<Option<Consequence>, TimeError> {
    match found {
        Ok(grant) => granted(present, grant, today),
        Err(ceased) => refused(present, ceased, rule, today),
    }
}

fn granted(present: &Present<'_>, grant: &BenefitGrant, today: BusinessDate) -> Result<Option<Consequence>, TimeError> {
    let resumed = Some(Consequence { change: EntitlementChange::Resumed, from: today });
    let not_yet_over = present.until.is_none_or(|until| today < until);
    match present.standing {
        Standing::Suspended => Ok(resumed),
        // The end was announced, and its ground is gone before the day came.
        Standing::Stopped if not_yet_over => Ok(resumed),
        Standing::Stopped => Ok(None),
        Standing::Running if present.granted == grant => Ok(None),
        Standing::Running if present.granted.unit != grant.unit || present.granted.window != grant.window => {
            // Another form of benefit is another right: it is applied for.
            Ok(Some(Consequence { change: EntitlementChange::Stopped, from: today }))
        }
        Standing::Running => {
            let next = Window::holding(grant.window, today)?.end.unwrap_or(today);
            let from = if grant.amount < present.granted.amount { next } else { today };
            Ok(Some(Consequence { change: EntitlementChange::Changed, from }))
        }
    }
}

fn refused(present: &Present<'_>, ceased: Ceased<'_>, rule: EndRule, today: BusinessDate) -> Result<Option<Consequence>, TimeError> {
    let dead = ceased.reasons.iter().any(Reason::is_death);
    let at_once = dead || ceased.reasons.iter().any(|reason| matches!(reason, Reason::NotInForce { .. }));
    let day = match rule {
        EndRule::NextMonth if !at_once => today.month().next()?.first_day(),
        EndRule::NextMonth | EndRule::AtOnce => ceased.on,
    };
    let day = present.until.map_or(day, |until| day.min(until)).max(present.from);
    let lasting = ceased.reasons.iter().any(|reason| !reason.may_pass());
    let change = if lasting { EntitlementChange::Stopped } else { EntitlementChange::Suspended };
    let earlier = present.until.is_none_or(|until| day < until);
    let follows = match present.standing {
        Standing::Running => true,
        Standing::Suspended => change == EntitlementChange::Stopped,
        Standing::Stopped => dead && earlier,
    };
    Ok(follows.then_some(Consequence { change, from: day }))
}

#[cfg(test)]
mod tests;
