//! The transfers of the business, one function each.

use std::fmt;

use super::{AccountCode, Book, Entry, Fact, LedgerError, Side, Transfer, TransferKind, credit, debit};
use crate::{
    catalogue::Unit,
    id::{EntitlementWindowId, OrderId, ProviderId, ResidentId, StatementId},
    money::Fen,
    time::BusinessDate,
};

/// Where units of a purse can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Pot {
    /// Given out by the bureau: the counter-account, the only one that may go negative.
    Issued,
    /// Free to be reserved.
    Available,
    /// Reserved by an order.
    Held,
    /// Used.
    Posted,
    /// Lapsed.
    Expired,
}

/// Something that holds units in pots: a resident's window or a fund's yearly budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purse {
    /// One entitlement window.
    Window(EntitlementWindowId),
    /// One fund of one programme in one year.
    Budget {
        /// Programme.
        programme: String,
        /// Fund.
        fund: String,
        /// Calendar year.
        year: i32,
    },
}

impl Purse {
    const fn book(&self) -> Book {
        match self {
            Self::Window(_) => Book::Entitlement,
            Self::Budget { .. } => Book::Budget,
        }
    }

    /// The account of one pot.
    #[must_use]
    pub fn account(&self, pot: Pot) -> AccountCode {
        match self {
            Self::Window(window) => AccountCode::new(&["window", &window.to_string(), &pot.to_string()]),
            Self::Budget { programme, fund, year } => AccountCode::new(&["budget", programme, fund, &year.to_string(), &pot.to_string()]),
        }
    }
}

/// Moves units of a purse from one pot to another. The move names its kind: available → held is a reserve.
///
/// # Errors
/// [`LedgerError::Range`] for a move that is no business fact, and those of [`Transfer::new`].
pub fn move_units(purse: &Purse, unit: Unit, pots: (Pot, Pot), amount: i64, fact: &str, on: BusinessDate) -> Result<Transfer, LedgerError> {
    let kind = match pots {
        (Pot::Issued, Pot::Available) => TransferKind::Grant,
        (Pot::Available, Pot::Held) => TransferKind::Reserve,
        (Pot::Held, Pot::Posted) => TransferKind::Post,
        (Pot::Held, Pot::Available) => TransferKind::Void,
        (Pot::Available, Pot::Expired) => TransferKind::Expire,
        (Pot::Available, Pot::Issued) => TransferKind::Revoke,
        (Pot::Issued | Pot::Available | Pot::Held | Pot::Posted | Pot::Expired, _) => return Err(LedgerError::Range),
    };
    let entries = vec![
        Entry { account: purse.account(pots.0), side: Side::Debit, amount },
        Entry { account: purse.account(pots.1), side: Side::Credit, amount },
    ];
    let key = format!("{fact}/{}/{kind}", purse.account(pots.1).as_str());
    Transfer::new(Fact { book: purse.book(), kind, unit, key, effective_on: on }, entries)
}

/// Takes back what a visit used: posted units are available again.
///
/// Only an approved correction does this; `fact` names it.
///
/// # Errors
/// Those of [`Transfer::new`].
pub fn take_back(purse: &Purse, unit: Unit, amount: i64, fact: &str, on: BusinessDate) -> Result<Transfer, LedgerError> {
    let entries = vec![
        Entry { account: purse.account(Pot::Posted), side: Side::Debit, amount },
        Entry { account: purse.account(Pot::Available), side: Side::Credit, amount },
    ];
    let key = format!("{fact}/{}/{}", purse.account(Pot::Posted).as_str(), TransferKind::Reverse);
    Transfer::new(Fact { book: purse.book(), kind: TransferKind::Reverse, unit, key, effective_on: on }, entries)
}

/// Who owes a provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payer {
    /// One fund of one programme.
    Fund {
        /// Programme.
        programme: String,
        /// Fund.
        fund: String,
    },
    /// The resident's family.
    Family,
}

impl fmt::Display for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fund { programme, fund } => write!(f, "{programme}:{fund}"),
            Self::Family => f.write_str("family"),
        }
    }
}

fn payable(provider: ProviderId, payer: &Payer) -> AccountCode {
    AccountCode::new(&["payable", &provider.to_string(), &payer.to_string()])
}

/// A confirmed visit: each fund's expense and the family's debt against what the provider is owed by each.
///
/// # Errors
/// Those of [`Transfer::new`].
pub fn recognise(
    order: OrderId,
    parties: (ResidentId, ProviderId),
    subsidies: &[(Payer, Fen)],
    family: Fen,
    fact: &str,
    on: BusinessDate,
) -> Result<Transfer, LedgerError> {
    let (resident, provider) = parties;
    let mut entries = Vec::new();
    for (payer, amount) in subsidies {
        let owed_by = match payer {
            Payer::Fund { programme, fund } => AccountCode::new(&["expense", programme, fund]),
            Payer::Family => AccountCode::new(&["receivable", &resident.to_string()]),
        };
        entries.push(debit(owed_by, *amount));
        entries.push(credit(payable(provider, payer), *amount));
    }
    entries.push(debit(AccountCode::new(&["receivable", &resident.to_string()]), family));
    entries.push(credit(payable(provider, &Payer::Family), family));
    let key = format!("{order}/{fact}/recognise");
    Transfer::new(Fact { book: Book::Money, kind: TransferKind::Recognise, unit: Unit::Fen, key, effective_on: on }, entries)
}

/// A correction of a confirmed visit: what was recognised for the funds and the family is turned round.
///
/// The provider owes what was paid out already: it is taken from its next statement.
///
/// # Errors
/// Those of [`Transfer::new`].
pub fn reverse_recognition(
    order: OrderId,
    parties: (ResidentId, ProviderId),
    subsidies: &[(Payer, Fen)],
    family: Fen,
    fact: &str,
    on: BusinessDate,
) -> Result<Transfer, LedgerError> {
    let turned = |entry: &Entry| {
        let side = match entry.side {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        };
        Entry { side, ..entry.clone() }
    };
    let recognised = recognise(order, parties, subsidies, family, fact, on)?;
    let key = format!("{order}/{fact}/{}", TransferKind::Reverse);
    let fact = Fact { book: Book::Money, kind: TransferKind::Reverse, unit: Unit::Fen, key, effective_on: on };
    Transfer::new(fact, recognised.entries().iter().map(turned).collect())
}

/// A released statement: what each fund owed the provider leaves its bank account.
///
/// # Errors
/// Those of [`Transfer::new`].
pub fn pay_out(statement: StatementId, provider: ProviderId, parts: &[(Payer, Fen)], on: BusinessDate) -> Result<Transfer, LedgerError> {
    let mut entries = Vec::new();
    for (payer, amount) in parts {
        let bank = match payer {
            Payer::Fund { programme, fund } => AccountCode::new(&["bank", programme, fund]),
            Payer::Family => AccountCode::new(&["bank", "family"]),
        };
        entries.push(debit(payable(provider, payer), *amount));
        entries.push(credit(bank, *amount));
    }
    let key = format!("{statement}/pay_out");
    Transfer::new(Fact { book: Book::Money, kind: TransferKind::PayOut, unit: Unit::Fen, key, effective_on: on }, entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fen(amount: i64) -> Fen {
        Fen::new(amount).unwrap()
    }
    fn fund(name: &str) -> Payer {
        Payer::Fund { programme: "bathing".to_owned(), fund: name.to_owned() }
    }
    fn day() -> BusinessDate {
        "2026-12-01".parse().unwrap()
    }

    #[test]
    fn the_worked_example_of_a_bathing_visit() {
        let order = OrderId::from_parts(1, [1; 10]);
        let parties = (ResidentId::from_parts(1, [2; 10]), ProviderId::from_parts(1, [3; 10]));
        let subsidies = [(fund("city"), fen(3_000)), (fund("district"), fen(3_000))];
        let transfer = recognise(order, parties, &subsidies, fen(6_000), "confirmation", day()).unwrap();
        let total = |side| transfer.entries().iter().filter(|entry| entry.side == side).map(|entry| entry.amount).sum::<i64>();
        assert_eq!((total(Side::Debit), total(Side::Credit)), (12_000, 12_000));
        let debits: Vec<_> = transfer
            .entries()
            .iter()
            .filter(|entry| entry.side == Side::Debit)
            .map(|entry| (entry.account.as_str(), entry.amount))
            .collect();
        assert_eq!(debits[0], ("expense/bathing/city", 3_000));
        assert_eq!(debits[1], ("expense/bathing/district", 3_000));
        assert_eq!(debits[2].1, 6_000);
    }

    #[test]
    fn the_same_fact_has_the_same_id_and_another_fact_another() {
        let window = Purse::Window(EntitlementWindowId::from_parts(1, [1; 10]));
        let reserve = |fact, amount| move_units(&window, Unit::Fen, (Pot::Available, Pot::Held), amount, fact, day()).unwrap();
        assert_eq!(reserve("ord_1", 5).id(), reserve("ord_1", 6).id());
        assert_ne!(reserve("ord_1", 5).id(), reserve("ord_2", 5).id());
    }

    #[test]
    fn units_never_move_backwards_out_of_posted_or_expired() {
        let window = Purse::Window(EntitlementWindowId::from_parts(1, [1; 10]));
        for pots in
            [(Pot::Posted, Pot::Available), (Pot::Expired, Pot::Available), (Pot::Available, Pot::Posted), (Pot::Held, Pot::Expired)]
        {
            assert_eq!(move_units(&window, Unit::Fen, pots, 1, "x", day()), Err(LedgerError::Range));
        }
    }

    #[test]
    fn a_correction_turns_every_entry_of_the_recognition_round() {
        let order = OrderId::from_parts(1, [1; 10]);
        let parties = (ResidentId::from_parts(1, [2; 10]), ProviderId::from_parts(1, [3; 10]));
        let subsidies = [(fund("city"), fen(3_000)), (fund("district"), fen(3_000))];
        let made = recognise(order, parties, &subsidies, fen(6_000), "x", day()).unwrap();
        let turned = reverse_recognition(order, parties, &subsidies, fen(6_000), "x", day()).unwrap();
        let signed = |entry: &Entry, plus| if entry.side == plus { entry.amount } else { -entry.amount };
        for (one, other) in made.entries().iter().zip(turned.entries()) {
            assert_eq!((&one.account, signed(one, Side::Debit) + signed(other, Side::Debit)), (&other.account, 0));
        }
        assert_eq!(turned.kind(), TransferKind::Reverse);
        assert_ne!(made.id(), turned.id());
    }

    #[test]
    fn only_a_correction_takes_units_out_of_posted() {
        let window = Purse::Window(EntitlementWindowId::from_parts(1, [1; 10]));
        let back = take_back(&window, Unit::Fen, 5, "rev_1", day()).unwrap();
        assert_eq!(back.entries()[1].account, window.account(Pot::Available));
        let revoked = move_units(&window, Unit::Fen, (Pot::Available, Pot::Issued), 5, "x", day()).unwrap();
        assert_eq!(revoked.kind(), TransferKind::Revoke);
    }

    #[test]
    fn an_unbalanced_or_negative_transfer_is_refused() {
        let fact = Fact { book: Book::Money, kind: TransferKind::Recognise, unit: Unit::Fen, key: "k".to_owned(), effective_on: day() };
        let account = AccountCode::new(&["bank", "x"]);
        assert!(matches!(Transfer::new(fact.clone(), vec![debit(account.clone(), fen(1))]), Err(LedgerError::Unbalanced { .. })));
        let negative = Entry { account, side: Side::Debit, amount: -1 };
        assert_eq!(Transfer::new(fact, vec![negative]), Err(LedgerError::NotPositive));
    }
}
