//! The bureau's purchase catalogue (政府购买服务目录): which services a programme may pay, in which divisions, and the
//! standard price of each.
//!
//! A list holds from a day on until the next one. A programme without a list in force pays whatever its policy
//! covers; with one, it pays nothing that is not on it. Sources: the guiding catalogues that the civil-affairs and finance
//! bureaus publish for government-purchased elderly care.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ItemCode, ServiceClass};
use crate::{
    division::{DivisionCode, Scope},
    error::{Fault, FieldError, Kind},
    money::Fen,
};

/// The most lines of one list: every service in every class, differently in each of some ten counties.
pub const PURCHASE_LINES_MAX: usize = 500;

/// One service that a programme may pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurchaseLine {
    /// The service.
    pub item: ItemCode,
    /// In which class.
    pub class: ServiceClass,
    /// Where it is bought, by the resident's residence; none means the whole city.
    pub divisions: BTreeSet<Scope>,
    /// The standard price of one catalogue unit, in fen; a policy may ask that a service costs no less.
    pub standard_price: Option<Fen>,
}

/// What a programme may pay from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<PurchaseLine>", into = "Vec<PurchaseLine>")]
pub struct PurchaseList(Vec<PurchaseLine>);

/// What the purchase catalogue says of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purchase {
    /// No list is in force: the policy alone decides.
    Open,
    /// The service is bought there.
    Listed {
        /// Standard price of one catalogue unit.
        standard_price: Option<Fen>,
    },
    /// The service is not bought there.
    NotListed,
}

/// Why a list was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PurchaseError {
    /// No line, or more than [`PURCHASE_LINES_MAX`].
    #[error("a list has 1 to {PURCHASE_LINES_MAX} lines")]
    Count,
    /// Two lines speak of one service in one class for the same division.
    #[error("another line names this service for the same division")]
    Doubled {
        /// The later line, from 0.
        line: usize,
    },
    /// A standard price of nothing.
    #[error("a standard price is more than nothing")]
    StandardPrice {
        /// The line, from 0.
        line: usize,
    },
}

impl Fault for PurchaseError {
    fn code(&self) -> &'static str {
        match self {
            Self::Count => "purchase.count",
            Self::Doubled { .. } => "purchase.doubled",
            Self::StandardPrice { .. } => "purchase.standard_price",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        let (field, cure) = match self {
            Self::Count => ("lines".to_owned(), "name 1 to 500 services that the programme buys"),
            Self::Doubled { line } => (format!("lines.{line}"), "name each service once for a division"),
            Self::StandardPrice { line } => (format!("lines.{line}.standard_price_fen"), "write a price above 0, or leave it out"),
        };
        vec![FieldError::new(field, self.code(), cure)]
    }
}

impl PurchaseList {
    /// Checks a list.
    ///
    /// # Errors
    /// Every fault of it, in the order of its lines.
    pub fn new(lines: Vec<PurchaseLine>) -> Result<Self, Vec<PurchaseError>> {
        let mut faults = Vec::new();
        if !(1..=PURCHASE_LINES_MAX).contains(&lines.len()) {
            faults.push(PurchaseError::Count);
        }
        let mut seen = BTreeSet::new();
        for (place, line) in lines.iter().enumerate() {
            let whole_city = line.divisions.is_empty().then_some(None);
            let named = line.divisions.iter().copied().map(Some).chain(whole_city);
            if named.filter(|division| !seen.insert((line.item, line.class, *division))).count() > 0 {
                faults.push(PurchaseError::Doubled { line: place });
            }
            if line.standard_price.is_some_and(Fen::is_zero) {
                faults.push(PurchaseError::StandardPrice { line: place });
            }
        }
        if faults.is_empty() { Ok(Self(lines)) } else { Err(faults) }
    }

    /// Its lines, as given.
    #[must_use]
    pub fn lines(&self) -> &[PurchaseLine] {
        &self.0
    }

    /// What it says of a service for somebody who lives in a division. Of several lines the one for the smallest
    /// division decides.
    #[must_use]
    pub fn says_of(&self, item: ItemCode, class: ServiceClass, residence: DivisionCode) -> Purchase {
        let of_service = self.0.iter().filter(|line| line.item == item && line.class == class);
        let nearest = of_service.filter_map(|line| Some((line.nearness(residence)?, line))).max_by_key(|(nearness, _)| *nearness);
        nearest.map_or(Purchase::NotListed, |(_, line)| Purchase::Listed { standard_price: line.standard_price })
    }
}

impl PurchaseLine {
    /// Digits of the smallest of its divisions that holds a place, 0 for the whole city; none when none does.
    fn nearness(&self, residence: DivisionCode) -> Option<usize> {
        if self.divisions.is_empty() {
            return Some(0);
        }
        let holding = self.divisions.iter().filter(|division| division.covers(residence));
        holding.map(|division| division.division().level().digits()).max()
    }
}

impl TryFrom<Vec<PurchaseLine>> for PurchaseList {
    type Error = PurchaseError;
    fn try_from(lines: Vec<PurchaseLine>) -> Result<Self, PurchaseError> {
        Self::new(lines).map_err(|faults| faults.first().copied().unwrap_or(PurchaseError::Count))
    }
}
impl From<PurchaseList> for Vec<PurchaseLine> {
    fn from(list: PurchaseList) -> Self {
        list.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(item: ItemCode, divisions: &[&str], standard_price: Option<i64>) -> PurchaseLine {
        let divisions = divisions.iter().map(|division| division.parse().unwrap()).collect();
        let standard_price = standard_price.map(|fen| Fen::new(fen).unwrap());
        PurchaseLine { item, class: ServiceClass::Home, divisions, standard_price }
    }

    fn says(list: &PurchaseList, item: ItemCode, residence: &str) -> Purchase {
        list.says_of(item, ServiceClass::Home, residence.parse().unwrap())
    }

    #[test]
    fn the_line_for_the_smallest_division_decides() {
        let lines = vec![
            line(ItemCode::Bathing, &["120101001", "120102"], Some(9_000)),
            line(ItemCode::Bathing, &["120101"], Some(8_000)),
            line(ItemCode::Meal, &[], Some(1_300)),
        ];
        let list = PurchaseList::new(lines).unwrap();
        let at = |fen| Purchase::Listed { standard_price: Some(Fen::new(fen).unwrap()) };
        assert_eq!(says(&list, ItemCode::Bathing, "120101001003"), at(9_000));
        assert_eq!(says(&list, ItemCode::Bathing, "120101002000"), at(8_000));
        assert_eq!(says(&list, ItemCode::Bathing, "120103001000"), Purchase::NotListed);
        assert_eq!(says(&list, ItemCode::Meal, "120103001000"), at(1_300));
        assert_eq!(says(&list, ItemCode::Cleaning, "120101001003"), Purchase::NotListed);
        let elsewhere = list.says_of(ItemCode::Meal, ServiceClass::Community, "120101001003".parse().unwrap());
        assert_eq!(elsewhere, Purchase::NotListed, "a service at home is another one than in the community");
    }

    #[test]
    fn a_list_tells_all_its_faults_at_once() {
        assert_eq!(PurchaseList::new(Vec::new()), Err(vec![PurchaseError::Count]));
        let lines = vec![
            line(ItemCode::Meal, &["120101"], None),
            line(ItemCode::Meal, &["120102", "120101"], Some(0)),
            line(ItemCode::Meal, &[], None),
            line(ItemCode::Meal, &[], None),
        ];
        let wanted = [PurchaseError::Doubled { line: 1 }, PurchaseError::StandardPrice { line: 1 }, PurchaseError::Doubled { line: 3 }];
        assert_eq!(PurchaseList::new(lines), Err(wanted.to_vec()));
    }
}
