//! The ledger: immutable transfers between accounts, double entry, at most once.
//!
//! Three books follow the same rules. `money` holds fen. `entitlement` holds the units of each resident's
//! windows, `budget` the fen of each programme fund's year; in both, an amount moves between pots:
//! issued → available → held → posted, back to available when voided, or out to expired. A transfer's id is
//! derived from the business fact that it records, so that recording the fact twice is noticed as the same
//! transfer. A correction is a new transfer.
//!
//! Money accounts (normal side in brackets): `expense/<programme>/<fund>` (debit), `receivable/<resident>`
//! (debit), `payable/<provider>/<payer>` (credit; one per funding layer and one for the family),
//! `bank/<programme>/<fund>` (debit).

#![warn(clippy::arithmetic_side_effects)]

mod post;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use post::{Payer, Pot, Purse, move_units, pay_out, recognise, reverse_recognition, take_back};

use crate::{
    catalogue::Unit,
    error::{Fault, Kind},
    id::TransferId,
    money::Fen,
    time::BusinessDate,
};

/// Which book a transfer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Book {
    /// Fen owed and paid.
    Money,
    /// Units that residents may use.
    Entitlement,
    /// Fen that programme funds may spend.
    Budget,
}

/// What a transfer records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TransferKind {
    /// A window opens or a budget is set.
    Grant,
    /// An order reserves.
    Reserve,
    /// A confirmed visit uses what was reserved.
    Post,
    /// What was reserved goes back.
    Void,
    /// What was not used lapses.
    Expire,
    /// A window grants less than was foreseen before it opened.
    Revoke,
    /// A correction takes back what was posted or recognised.
    Reverse,
    /// A confirmed visit is owed to the provider.
    Recognise,
    /// A released statement is paid.
    PayOut,
}

/// Side of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Side {
    /// 借.
    Debit,
    /// 贷.
    Credit,
}

/// Name of an account, unique within its book: path segments joined by `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountCode(String);

impl AccountCode {
    /// Joins segments; none of them contains the separator.
    #[must_use]
    pub fn new(segments: &[&str]) -> Self {
        debug_assert!(segments.iter().all(|segment| !segment.is_empty() && !segment.contains('/')));
        Self(segments.join("/"))
    }

    /// The code as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One side of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The account.
    pub account: AccountCode,
    /// The side.
    pub side: Side,
    /// Units, always positive.
    pub amount: i64,
}

/// A balanced set of entries that is recorded whole and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    book: Book,
    kind: TransferKind,
    unit: Unit,
    key: String,
    effective_on: BusinessDate,
    entries: Vec<Entry>,
}

/// Why a transfer is impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Debits and credits differ.
    #[error("debits of {debits} do not equal credits of {credits}")]
    Unbalanced {
        /// Sum of the debits.
        debits: i64,
        /// Sum of the credits.
        credits: i64,
    },
    /// An entry of nothing or less.
    #[error("an entry must be positive")]
    NotPositive,
    /// Beyond the range of an amount.
    #[error("an amount is out of range")]
    Range,
    /// A restricted account would become negative.
    #[error("{0} does not hold enough")]
    Short(String),
    /// The same fact was recorded with other amounts.
    #[error("the transfer {0} was already recorded with other amounts")]
    Differs(String),
}

impl Fault for LedgerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unbalanced { .. } => "ledger.unbalanced",
            Self::NotPositive => "ledger.not_positive",
            Self::Range => "ledger.range",
            Self::Short(_) => "ledger.short",
            Self::Differs(_) => "ledger.differs",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Short(_) => Kind::Conflict,
            Self::Unbalanced { .. } | Self::NotPositive | Self::Range | Self::Differs(_) => Kind::Broken,
        }
    }
}

/// The fact that a transfer records.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The book.
    pub book: Book,
    /// What happened.
    pub kind: TransferKind,
    /// Unit of all entries.
    pub unit: Unit,
    /// The business fact, such as `ord_…/recognise`; the transfer's id is derived from it.
    pub key: String,
    /// The day to which it belongs.
    pub effective_on: BusinessDate,
}

impl Transfer {
    /// Checks a transfer. Entries of zero are left out, so that a layer with no part needs no special case.
    ///
    /// # Errors
    /// [`LedgerError::Unbalanced`], [`LedgerError::NotPositive`], [`LedgerError::Range`].
    pub fn new(fact: Fact, entries: Vec<Entry>) -> Result<Self, LedgerError> {
        let entries: Vec<_> = entries.into_iter().filter(|entry| entry.amount != 0).collect();
        let (mut debits, mut credits) = (0_i64, 0_i64);
        for entry in &entries {
            if entry.amount < 0 {
                return Err(LedgerError::NotPositive);
            }
            let sum = match entry.side {
                Side::Debit => &mut debits,
                Side::Credit => &mut credits,
            };
            *sum = sum.checked_add(entry.amount).ok_or(LedgerError::Range)?;
        }
        if debits != credits {
            return Err(LedgerError::Unbalanced { debits, credits });
        }
        let Fact { book, kind, unit, key, effective_on } = fact;
        Ok(Self { book, kind, unit, key, effective_on, entries })
    }

    /// The id, derived from book and key.
    #[must_use]
    pub fn id(&self) -> TransferId {
        let mut digest = Sha256::new();
        digest.update(self.book.to_string());
        digest.update([0]);
        digest.update(&self.key);
        let hash: [u8; 32] = digest.finalize().into();
        let mut bytes = [0_u8; 16];
        for (to, from) in bytes.iter_mut().zip(hash) {
            *to = from;
        }
        TransferId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Whether there is nothing to record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The book.
    #[must_use]
    pub const fn book(&self) -> Book {
        self.book
    }

    /// What it records.
    #[must_use]
    pub const fn kind(&self) -> TransferKind {
        self.kind
    }

    /// Unit of all entries.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The business fact.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The day to which it belongs.
    #[must_use]
    pub const fn effective_on(&self) -> BusinessDate {
        self.effective_on
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

pub(crate) fn debit(account: AccountCode, amount: Fen) -> Entry {
    Entry { account, side: Side::Debit, amount: amount.get() }
}

pub(crate) fn credit(account: AccountCode, amount: Fen) -> Entry {
    Entry { account, side: Side::Credit, amount: amount.get() }
}
