//! The monthly close of one programme: posted claim lines become statements per provider, computed by one
//! person, approved by another, released by a third.
//!
//! The same lines always give the same content, byte for byte; the approval signs its hash, so that any
//! later change voids it. A line that comes late belongs to the next open month.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    access::Role,
    claim::covered,
    error::{Fault, Kind},
    id::{ClaimLineId, CorrectionId, ProviderId},
    money::{Fen, MoneyError},
    state::{StateMachine, Transition},
    time::Month,
};

/// Where a settlement period stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PeriodState {
    /// Computed by a clerk.
    Computed,
    /// Approved by another person.
    Approved,
    /// Paid out and closed for ever.
    Released,
}

/// What moves a settlement period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PeriodTrigger {
    /// The clerk computes it again before approval.
    Compute,
    /// Another person approves the content.
    Approve,
    /// A third person releases the money.
    Release,
}

impl StateMachine for PeriodState {
    type Trigger = PeriodTrigger;
    const NAME: &'static str = "settlement period";
    const INITIAL: Self = Self::Computed;
    const STATES: &'static [Self] = &[Self::Computed, Self::Approved, Self::Released];
    const TABLE: &'static [Transition<Self, PeriodTrigger>] = &[
        Transition {
            from: Self::Computed,
            trigger: PeriodTrigger::Compute,
            to: Self::Computed,
            who: &[Role::CountyClerk],
            why: "lines may still arrive before approval",
        },
        Transition {
            from: Self::Computed,
            trigger: PeriodTrigger::Approve,
            to: Self::Approved,
            who: &[Role::Approver],
            why: "another person has seen this very content",
        },
        Transition {
            from: Self::Approved,
            trigger: PeriodTrigger::Release,
            to: Self::Released,
            who: &[Role::CountyClerk],
            why: "a third person lets the money go",
        },
    ];
}

/// One posted claim line as the close sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedLine {
    /// The line.
    pub id: ClaimLineId,
    /// Who served.
    pub provider: ProviderId,
    /// Parts by fund, in the order of the policy.
    pub split: Vec<(String, Fen)>,
}

/// What is taken back of an earlier line, as the close sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The correction.
    pub id: CorrectionId,
    /// Who served.
    pub provider: ProviderId,
    /// Parts by fund.
    pub split: Vec<(String, Fen)>,
}

/// What one provider is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementDraft {
    /// The provider.
    pub provider: ProviderId,
    /// The lines, by id.
    pub lines: Vec<ClaimLineId>,
    /// The corrections, by id. What the lines do not cover is not among them and waits.
    pub corrections: Vec<CorrectionId>,
    /// Sum by fund, less what is taken back.
    pub split: BTreeMap<String, Fen>,
    /// Sum of all funds.
    pub total: Fen,
}

/// The whole close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// Statements, by provider.
    pub statements: Vec<StatementDraft>,
    /// Sum of all statements.
    pub total: Fen,
    /// SHA-256 of the canonical content, in hexadecimal.
    pub content_hash: String,
}

/// Why a period could not be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettlementError {
    /// The month is not over.
    #[error("{0} is not over yet")]
    MonthOpen(Month),
    /// The month lies before anything could be settled.
    #[error("{0} lies before the first visit of this city; there is nothing to settle")]
    BeforeStart(Month),
    /// An earlier month has lines that no period holds.
    #[error("{0} has lines that are not settled; close it first")]
    EarlierOpen(Month),
    /// The content differs from what the approver saw.
    #[error("the content has changed; look at it again")]
    ContentChanged,
    /// Amounts out of range.
    #[error("an amount is out of range")]
    Money(#[from] MoneyError),
}

impl Fault for SettlementError {
    fn code(&self) -> &'static str {
        match self {
            Self::MonthOpen(_) => "settlement.month_open",
            Self::BeforeStart(_) => "settlement.before_start",
            Self::EarlierOpen(_) => "settlement.earlier_open",
            Self::ContentChanged => "settlement.content_changed",
            Self::Money(_) => "settlement.money",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::MonthOpen(_) | Self::BeforeStart(_) | Self::EarlierOpen(_) => Kind::Conflict,
            Self::ContentChanged => Kind::Stale,
            Self::Money(_) => Kind::Broken,
        }
    }
}

/// Closes a month of a programme over its posted lines and the corrections that wait, in whatever order they come.
///
/// # Errors
/// [`SettlementError::Money`] when sums leave the range of an amount.
pub fn close(programme: &str, month: Month, lines: &[PostedLine], waiting: &[TakenBack]) -> Result<Close, SettlementError> {
    let mut sorted: Vec<_> = lines.iter().collect();
    sorted.sort_by_key(|line| (line.provider, line.id));
    let mut statements: Vec<StatementDraft> = Vec::new();
    let mut digest = Sha256::new();
    digest.update(format!("{programme}\n{month}\n"));
    for line in sorted {
        digest.update(format!("{}\t{}\t{}\n", line.provider, line.id, parts_text(&line.split)));
        if statements.last().is_none_or(|statement| statement.provider != line.provider) {
            statements.push(StatementDraft::empty(line.provider));
        }
        if let Some(statement) = statements.last_mut() {
            statement.add(line)?;
        }
    }
    for statement in &mut statements {
        for taken in statement.take_back(waiting)? {
            digest.update(format!("{}\t{}\t-\t{}\n", taken.provider, taken.id, parts_text(&taken.split)));
        }
    }
    let total = Fen::sum(statements.iter().map(|statement| statement.total))?;
    let hash: [u8; 32] = digest.finalize().into();
    let content_hash = hash.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    Ok(Close { statements, total, content_hash })
}

fn parts_text(split: &[(String, Fen)]) -> String {
    split.iter().map(|(fund, amount)| format!("{fund}={}", amount.get())).collect::<Vec<_>>().join(";")
}

impl StatementDraft {
    const fn empty(provider: ProviderId) -> Self {
        Self { provider, lines: Vec::new(), corrections: Vec::new(), split: BTreeMap::new(), total: Fen::ZERO }
    }

    fn add(&mut self, line: &PostedLine) -> Result<(), MoneyError> {
        self.lines.push(line.id);
        for (fund, amount) in &line.split {
            let sum = self.split.entry(fund.clone()).or_insert(Fen::ZERO);
            *sum = sum.add(*amount)?;
            self.total = self.total.add(*amount)?;
        }
        Ok(())
    }

    /// Takes back what the lines cover, and says what that is.
    fn take_back<'a>(&mut self, waiting: &'a [TakenBack]) -> Result<Vec<&'a TakenBack>, MoneyError> {
        let mut mine: Vec<&TakenBack> = waiting.iter().filter(|taken| taken.provider == self.provider).collect();
        mine.sort_by_key(|taken| taken.id);
        let parts: Vec<_> = mine.iter().map(|taken| taken.split.clone()).collect();
        let places = covered(&self.split, &parts);
        let taken: Vec<&TakenBack> = mine.into_iter().enumerate().filter(|(place, _)| places.contains(place)).map(|(_, one)| one).collect();
        for one in &taken {
            self.corrections.push(one.id);
            for (fund, amount) in &one.split {
                let sum = self.split.entry(fund.clone()).or_insert(Fen::ZERO);
                *sum = sum.sub(*amount)?;
                self.total = self.total.sub(*amount)?;
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(number: u8, provider: u8, city: i64, district: i64) -> PostedLine {
        let fen = |amount| Fen::new(amount).unwrap();
        PostedLine {
            id: ClaimLineId::from_parts(1, [number; 10]),
            provider: ProviderId::from_parts(1, [provider; 10]),
            split: vec![("city".to_owned(), fen(city)), ("district".to_owned(), fen(district))],
        }
    }

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<PeriodState>();
    }

    #[test]
    fn the_order_of_lines_does_not_change_a_byte() {
        let month = "2026-12".parse().unwrap();
        let lines = [line(1, 2, 30, 30), line(2, 1, 10, 11), line(3, 2, 5, 5)];
        let mut turned = lines.to_vec();
        turned.reverse();
        let closed = close("bathing", month, &lines, &[]).unwrap();
        assert_eq!(close("bathing", month, &turned, &[]).unwrap(), closed);
        assert_eq!(closed.total.get(), 91);
        assert_eq!(closed.statements[1].split["city"].get(), 35);
        assert_ne!(close("bathing", month, &lines[..2], &[]).unwrap().content_hash, closed.content_hash);
    }

    fn taken(number: u8, provider: u8, city: i64, district: i64) -> TakenBack {
        let of = line(number, provider, city, district);
        TakenBack { id: CorrectionId::from_parts(1, [number; 10]), provider: of.provider, split: of.split }
    }

    #[test]
    fn a_correction_lowers_the_statement_of_its_provider_and_what_is_not_covered_waits() {
        let month = "2026-12".parse().unwrap();
        let lines = [line(1, 2, 30, 30), line(2, 1, 10, 11)];
        let waiting = [taken(1, 2, 20, 20), taken(2, 2, 20, 20), taken(3, 9, 1, 1)];
        let closed = close("bathing", month, &lines, &waiting).unwrap();
        let second = &closed.statements[1];
        assert_eq!((second.corrections.as_slice(), second.total.get()), (&[waiting[0].id][..], 20));
        assert_eq!(closed.total.get(), 41);
        // What the period holds in the end gives the same bytes again.
        assert_eq!(close("bathing", month, &lines, &waiting[..1]).unwrap(), closed);
        assert_ne!(close("bathing", month, &lines, &[]).unwrap().content_hash, closed.content_hash);
    }

    proptest! {
        #[test]
        fn lines_and_corrections_in_any_order_give_the_same_bytes_and_the_parts_sum_to_the_whole(
            amounts in proptest::collection::vec((0_u8..3, 0_i64..5_000, 0_i64..5_000), 1..20),
            takes in proptest::collection::vec((0_u8..3, 0_i64..3_000, 0_i64..3_000), 0..6),
            turn in 0_usize..20,
        ) {
            let month = "2026-12".parse().unwrap();
            let number = |place: usize| u8::try_from(place).unwrap();
            let lines: Vec<_> = amounts.iter().enumerate().map(|(place, (of, city, district))| line(number(place), *of, *city, *district)).collect();
            let waiting: Vec<_> = takes.iter().enumerate().map(|(place, (of, city, district))| taken(number(place), *of, *city, *district)).collect();
            let closed = close("bathing", month, &lines, &waiting).unwrap();
            let (mut turned, mut turned_waiting) = (lines.clone(), waiting.clone());
            turned.rotate_left(turn % lines.len());
            turned_waiting.reverse();
            prop_assert_eq!(&close("bathing", month, &turned, &turned_waiting).unwrap(), &closed);
            let paid: i64 = closed.statements.iter().map(|statement| statement.total.get()).sum();
            let by_fund: i64 = closed.statements.iter().flat_map(|statement| statement.split.values()).map(|part| part.get()).sum();
            prop_assert_eq!((paid, by_fund), (closed.total.get(), closed.total.get()));
            let posted: i64 = amounts.iter().map(|(_, city, district)| city + district).sum();
            let back: i64 = closed.statements.iter().flat_map(|statement| &statement.corrections).map(|id| {
                waiting.iter().find(|one| one.id == *id).unwrap().split.iter().map(|(_, part)| part.get()).sum::<i64>()
            }).sum();
            prop_assert_eq!(posted - back, paid);
        }
    }
}
