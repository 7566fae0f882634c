//! A city's rules as data: one file is one version of one programme.
//!
//! A [`Policy`] is read from TOML, checked completely, and never edited: a change is a new version. What it
//! means for a resident is decided in [`crate::eligibility`], for a price in [`crate::tariff`]. The format
//! is described for analysts in `domain/policies/README.md`.

mod benefit;
mod book;
mod code;
mod condition;
pub(crate) mod document;
mod fact;
mod fault;
mod fund;
mod load;

pub use benefit::{AmountRow, Benefit, Payment, ShareBase, UseLimits};
pub use book::PolicyBook;
pub use code::{BenefitCode, ClassCode, FundCode, ProgrammeCode};
pub use condition::{Condition, Test};
pub use fact::{FactDeclaration, FactDeclarations, FactKind, FactSubject, FactValue};
pub use fault::{PolicyError, PolicyFault};
pub use fund::{Fund, FundPart};
pub(crate) use load::read_title;

use crate::{
    money::{Fen, MoneyError, Rounding},
    time::BusinessDate,
};

/// One version of one programme's rules, fully checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    file: String,
    version_line: usize,
    effective_line: usize,
    programme: ProgrammeCode,
    version: String,
    title: Title,
    source: Source,
    division: String,
    effective_from: BusinessDate,
    effective_until: Option<BusinessDate>,
    order_of_use: i64,
    notice_working_days: u32,
    start_rule: StartRule,
    end_rule: EndRule,
    rounding: Rounding,
    facts: FactDeclarations,
    requires: Condition,
    classes: Vec<Class>,
    funds: Vec<Fund>,
    benefits: Vec<Benefit>,
}

/// Languages in which rules have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// A name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    zh: String,
    en: String,
}

impl Title {
    /// The name in a language.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }
}

/// How well the source is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Knowledge {
    /// Read in the authority's own text.
    Confirmed,
    /// Only a report or a repost was read; pages that show the rule say so.
    Reported,
}

/// The document that a version is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    number: Option<String>,
    date: Option<BusinessDate>,
    knowledge: Knowledge,
    gaps: Vec<String>,
}

impl Source {
    /// Name of the document.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of the document, where known.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        self.number.as_deref()
    }

    /// Date of the document, where known.
    #[must_use]
    pub fn date(&self) -> Option<BusinessDate> {
        self.date
    }

    /// How well it is known.
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        self.knowledge
    }

    /// What the text that was read does not say, in sentences for people.
    #[must_use]
    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }
}

/// When a granted benefit begins, reckoned from the fact `applied_on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartRule {
    /// On the same day.
    AtOnce,
    /// On the first day of the next month.
    NextMonth,
    /// On the n-th working day after.
    WorkingDays(u32),
}

/// When a benefit ends, reckoned from the fact `ended_on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EndRule {
    /// On the same day.
    AtOnce,
    /// On the first day of the next month.
    NextMonth,
}

/// One class of entitled persons; whoever is in one class is entitled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    code: ClassCode,
    effective_from: Option<BusinessDate>,
    when: Condition,
}

impl Class {
    /// Key within the programme.
    #[must_use]
    pub fn code(&self) -> &ClassCode {
        &self.code
    }

    /// First day of the class, where it was added after the version's own first day.
    #[must_use]
    pub fn effective_from(&self) -> Option<BusinessDate> {
        self.effective_from
    }

    /// Who is in it.
    #[must_use]
    pub fn when(&self) -> &Condition {
        &self.when
    }
}

/// The shipped policy files.
const SHIPPED: [(&str, &str); 5] = [
    ("tianjin-home-care-v2.toml", include_str!("../policies/tianjin-home-care-v2.toml")),
    ("tianjin-home-care-v3.toml", include_str!("../policies/tianjin-home-care-v3.toml")),
    ("tianjin-meals-2022.toml", include_str!("../policies/tianjin-meals-2022.toml")),
    ("national-voucher-2026-hangzhou.toml", include_str!("../policies/national-voucher-2026-hangzhou.toml")),
    ("national-voucher-2026-tianjin.toml", include_str!("../policies/national-voucher-2026-tianjin.toml")),
];

impl Policy {
    /// Reads and checks one file completely; `file` is its name for messages.
    ///
    /// # Errors
    /// Every fault of the file, in order of line: invalid TOML, unknown or missing keys, wrong codes and
    /// values, and rules that contradict each other.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<PolicyFault>> {
        document::read(file, text, |root| load::read_policy(file, root))
    }

    /// The shipped files, read and checked.
    ///
    /// # Errors
    /// Every fault of every file; a test keeps them clean.
    pub fn shipped() -> Result<Vec<Self>, Vec<PolicyFault>> {
        Self::parse_all(SHIPPED)
    }

    /// The shipped files as they are: name and text.
    #[must_use]
    pub fn shipped_texts() -> &'static [(&'static str, &'static str)] {
        &SHIPPED
    }

    /// Reads several files and gives all policies, or the faults of all files.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn parse_all<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<Self>, Vec<PolicyFault>> {
        let (mut policies, mut faults) = (Vec::new(), Vec::new());
        for (file, text) in files {
            match Self::parse(file, text) {
                Ok(policy) => policies.push(policy),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(policies) } else { Err(faults) }
    }

    /// Name of the file, for messages.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Key of the programme over all its versions.
    #[must_use]
    pub fn programme(&self) -> &ProgrammeCode {
        &self.programme
    }

    /// Name of the version, such as `v3`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Name of the programme in a language.
    #[must_use]
    pub fn title(&self, language: Language) -> &str {
        self.title.get(language)
    }

    /// The document that the rules are taken from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Prefix of the divisions in which the programme exists.
    #[must_use]
    pub fn division(&self) -> &str {
        &self.division
    }

    /// First day in force, and the first day no longer in force where the file names one.
    #[must_use]
    pub fn effective(&self) -> (BusinessDate, Option<BusinessDate>) {
        (self.effective_from, self.effective_until)
    }

    /// Whether the file itself is in force on a day. A later version may end it earlier: see [`PolicyBook`].
    #[must_use]
    pub fn is_in_force(&self, date: BusinessDate) -> bool {
        self.effective_from <= date && self.effective_until.is_none_or(|until| date < until)
    }

    /// Place among programmes that pay for the same service: the smaller number pays first.
    #[must_use]
    pub fn order_of_use(&self) -> i64 {
        self.order_of_use
    }

    /// Length of the public notice (公示) before a grant takes effect.
    #[must_use]
    pub fn notice_working_days(&self) -> u32 {
        self.notice_working_days
    }

    /// When a granted benefit begins.
    #[must_use]
    pub fn start_rule(&self) -> StartRule {
        self.start_rule
    }

    /// When a benefit ends.
    #[must_use]
    pub fn end_rule(&self) -> EndRule {
        self.end_rule
    }

    /// How a fraction of a fen is settled.
    #[must_use]
    pub fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// Facts that the file declares beyond the fixed ones.
    #[must_use]
    pub fn facts(&self) -> &FactDeclarations {
        &self.facts
    }

    /// What everyone must fulfil.
    #[must_use]
    pub fn requires(&self) -> &Condition {
        &self.requires
    }

    /// Classes of entitled persons, at least one of which must apply; empty = everyone who fulfils
    /// [`Policy::requires`].
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Who pays which part.
    #[must_use]
    pub fn funds(&self) -> &[Fund] {
        &self.funds
    }

    /// What is given.
    #[must_use]
    pub fn benefits(&self) -> &[Benefit] {
        &self.benefits
    }

    /// The benefit with this code.
    #[must_use]
    pub fn benefit(&self, code: &BenefitCode) -> Option<&Benefit> {
        self.benefits.iter().find(|benefit| benefit.code() == code)
    }

    /// Divides a subsidy over the funding layers by largest remainder, ties in file order. `granted` is
    /// what the benefit gives in the window; fixed parts of funds refer to it.
    ///
    /// # Errors
    /// [`MoneyError`] for a negative grant; checked weights never add up to nothing.
    pub fn split_over_funds(&self, benefit: &Benefit, subsidy: Fen, granted: i64) -> Result<Vec<(FundCode, Fen)>, MoneyError> {
        let whole = match benefit.payment() {
            Payment::PerUnit(fen) => fen,
            Payment::Share { .. } => Fen::new(granted)?,
        };
        fund::split(&self.funds, subsidy, whole)
    }
}

#[cfg(test)]
mod readme_tests;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
