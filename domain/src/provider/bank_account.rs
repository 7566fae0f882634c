//! Where a provider is paid. Swapping the account of an office is a known fraud, so a change waits three working
//! days and is approved by somebody else than who asked for it.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::{
    access::Role,
    error::{Fault, FieldError, Kind},
    id::ProviderId,
    state::{StateMachine, Transition},
    time::{BusinessDate, TimeError, WorkingCalendar},
};

/// Whole working days for which a change is held.
pub const HOLD_WORKING_DAYS: u32 = 3;

/// Why an account was refused. The refused value itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BankAccountError {
    /// Not the holder's name.
    #[error("the holder has a name of 1 to 100 visible characters")]
    Holder,
    /// Not a bank's name.
    #[error("the bank has a name of 1 to 100 visible characters")]
    Bank,
    /// Not an account number.
    #[error("an account number has 8 to 32 digits")]
    Number,
}

impl Fault for BankAccountError {
    fn code(&self) -> &'static str {
        match self {
            Self::Holder => "bank_account.holder",
            Self::Bank => "bank_account.bank",
            Self::Number => "bank_account.number",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        let (field, cure) = match self {
            Self::Holder => ("holder", "write the name in which the account is held, 1 to 100 characters"),
            Self::Bank => ("bank", "write bank and branch, 1 to 100 characters"),
            Self::Number => ("number", "write the account number with digits alone, 8 to 32 of them"),
        };
        vec![FieldError::new(field, self.code(), cure)]
    }
}

/// Why nothing can be paid out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayoutError {
    /// The provider has no approved account that is in force.
    #[error("{name} ({provider}) has no approved bank account in force; let it ask for one, another person approve it, and release then")]
    NoAccount {
        /// The provider.
        provider: ProviderId,
        /// Its name as registered.
        name: String,
    },
}

impl Fault for PayoutError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoAccount { .. } => "payout.no_account",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Conflict
    }
}

/// An account at a bank. Debug texts show the last four digits only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct BankAccount {
    holder: String,
    bank: String,
    number: String,
}

impl BankAccount {
    /// Checks an account. Blanks between the digits are taken out.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn new(holder: &str, bank: &str, number: &str) -> Result<Self, Vec<BankAccountError>> {
        let named = |text: &str| text.trim() == text && (1..=100).contains(&text.chars().count()) && !text.contains(char::is_control);
        let number: String = number.chars().filter(|letter| *letter != ' ').collect();
        let digits = (8..=32).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        let faults: Vec<_> = [
            (!named(holder)).then_some(BankAccountError::Holder),
            (!named(bank)).then_some(BankAccountError::Bank),
            (!digits).then_some(BankAccountError::Number),
        ]
        .into_iter()
        .flatten()
        .collect();
        if faults.is_empty() { Ok(Self { holder: holder.to_owned(), bank: bank.to_owned(), number }) } else { Err(faults) }
    }

    /// In whose name it is held.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Bank and branch.
    #[must_use]
    pub fn bank(&self) -> &str {
        &self.bank
    }

    /// The whole number, for the payout alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.number
    }

    /// The last four digits.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("****{}", self.number.get(self.number.len().saturating_sub(4)..).unwrap_or_default())
    }
}

impl fmt::Debug for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BankAccount({})", self.masked())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    holder: String,
    bank: String,
    number: String,
}

impl TryFrom<Stored> for BankAccount {
    type Error = BankAccountError;
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::new(&stored.holder, &stored.bank, &stored.number)
            .map_err(|faults| faults.first().copied().unwrap_or(BankAccountError::Number))
    }
}
impl From<BankAccount> for Stored {
    fn from(account: BankAccount) -> Self {
        Self { holder: account.holder, bank: account.bank, number: account.number }
    }
}

/// Where a change of the account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum BankAccountState {
    /// Asked for; held.
    Requested,
    /// Approved; in force from its day on, until a later one is.
    Approved,
    /// Not approved.
    Refused,
    /// Taken back.
    Withdrawn,
}

/// What moves a change of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum BankAccountTrigger {
    /// Another person agrees.
    Approve,
    /// Another person disagrees.
    Refuse,
    /// The provider takes it back.
    Withdraw,
}

const DECIDERS: &[Role] = &[Role::ProviderLicensingOfficer, Role::Approver];

impl StateMachine for BankAccountState {
    type Trigger = BankAccountTrigger;
    const NAME: &'static str = "bank account";
    const INITIAL: Self = Self::Requested;
    const STATES: &'static [Self] = &[Self::Requested, Self::Approved, Self::Refused, Self::Withdrawn];
    const TABLE: &'static [Transition<Self, BankAccountTrigger>] = {
        use BankAccountState::{Approved, Refused, Requested, Withdrawn};
        use BankAccountTrigger as T;
        &[
            Transition { from: Requested, trigger: T::Approve, to: Approved, who: DECIDERS, why: "the account is the provider's own" },
            Transition {
                from: Requested,
                trigger: T::Refuse,
                to: Refused,
                who: DECIDERS,
                why: "the account is not proven to be the provider's",
            },
            Transition {
                from: Requested,
                trigger: T::Withdraw,
                to: Withdrawn,
                who: &[Role::ProviderManager],
                why: "the provider did not want the change, or wrote it wrong",
            },
        ]
    };
}

/// The first day on which a change that was asked for on a day may take effect: three whole working days lie
/// between.
///
/// # Errors
/// [`TimeError::Range`] at the end of the calendar.
pub fn hold_ends_on(calendar: &WorkingCalendar, requested_on: BusinessDate) -> Result<BusinessDate, TimeError> {
    calendar.add_working_days(requested_on, HOLD_WORKING_DAYS)?.plus_days(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<BankAccountState>();
    }

    #[test]
    fn three_whole_working_days_lie_between_request_and_effect() {
        let calendar = WorkingCalendar::shipped().unwrap();
        let after = |day: &str| hold_ends_on(&calendar, day.parse().unwrap()).unwrap().to_string();
        assert_eq!(after("2026-11-23"), "2026-11-27", "asked for on Monday, in force on Friday");
        assert_eq!(after("2026-11-26"), "2026-12-02", "over a weekend");
        assert_eq!(after("2026-09-30"), "2026-10-11", "over the week of the National Day: 8, 9 and the make-up day 10");
    }

    #[test]
    fn an_account_is_masked_wherever_it_shows() {
        let account = BankAccount::new("和平区示范中心", "示范银行和平支行", "6222 0212 3456 7890 123").unwrap();
        assert_eq!((account.masked().as_str(), account.expose()), ("****0123", "6222021234567890123"));
        assert_eq!(format!("{account:?}"), "BankAccount(****0123)");
        let text = serde_json::to_string(&account).unwrap();
        assert_eq!(serde_json::from_str::<BankAccount>(&text).unwrap(), account);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        use BankAccountError::{Bank, Holder, Number};
        assert_eq!(BankAccount::new("", " x", "12-34").unwrap_err(), [Holder, Bank, Number]);
        assert_eq!(BankAccount::new("a", "b", "1234567").unwrap_err(), [Number]);
        assert_eq!(BankAccount::new("a", "b", "１２３４５６７８９").unwrap_err(), [Number]);
    }
}
