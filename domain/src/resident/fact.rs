use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{Category, Disability, Evidence, Living, ResidentError, ResidentForm};
use crate::{
    access::Role,
    division::DivisionCode,
    money::Fen,
    policy::FactValue,
    state::{StateMachine, Transition},
    time::{BusinessDate, DateRange},
};

/// Whether a stated fact counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FactState {
    /// Stated by the resident or the family; nobody has looked at the papers yet.
    Claimed,
    /// Compared with the papers by the community or the street.
    Verified,
    /// Found not to be so.
    Rejected,
}

/// What settles a claimed fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum FactTrigger {
    /// The papers prove it.
    Verify,
    /// They do not.
    Reject,
}

impl StateMachine for FactState {
    type Trigger = FactTrigger;
    const NAME: &'static str = "fact";
    const INITIAL: Self = Self::Claimed;
    const STATES: &'static [Self] = &[Self::Claimed, Self::Verified, Self::Rejected];
    const TABLE: &'static [Transition<Self, FactTrigger>] = {
        const WHO: &[Role] = &[Role::CommunityWorker, Role::StreetClerk];
        &[
            Transition {
                from: Self::Claimed,
                trigger: FactTrigger::Verify,
                to: Self::Verified,
                who: WHO,
                why: "the papers were compared with the claim",
            },
            Transition {
                from: Self::Claimed,
                trigger: FactTrigger::Reject,
                to: Self::Rejected,
                who: WHO,
                why: "the papers do not prove it",
            },
        ]
    };
}

/// What is stated of a resident. The ability level is none of these: it comes from assessments alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum Statement {
    /// The person is the one of the identity document.
    Identity,
    /// A recognised circumstance holds.
    Category {
        /// Which.
        category: Category,
    },
    /// All recognised circumstances were looked up: one that is not stated does not hold.
    CategoriesChecked,
    /// With whom the resident lives.
    Living {
        /// With whom.
        living: Living,
    },
    /// A recognised disability.
    Disability {
        /// Kind and grade.
        disability: Disability,
    },
    /// Monthly income per head of the household.
    Income {
        /// Fen a month.
        month_fen: Fen,
    },
    /// Where the household is registered (户籍).
    Hukou {
        /// The division.
        division: DivisionCode,
    },
    /// Where the resident lives.
    Residence {
        /// The community.
        division: DivisionCode,
    },
    /// A fact that a policy declares.
    Declared {
        /// Its name.
        name: String,
        /// Its value.
        value: FactValue,
    },
}

/// Of several statements about one subject, the one that began last speaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Identity,
    Category(Category),
    CategoriesChecked,
    Living,
    Disability,
    Income,
    Hukou,
    Residence,
    Declared(String),
}

impl Statement {
    fn subject(&self) -> Subject {
        match self {
            Self::Identity => Subject::Identity,
            Self::Category { category } => Subject::Category(*category),
            Self::CategoriesChecked => Subject::CategoriesChecked,
            Self::Living { .. } => Subject::Living,
            Self::Disability { .. } => Subject::Disability,
            Self::Income { .. } => Subject::Income,
            Self::Hukou { .. } => Subject::Hukou,
            Self::Residence { .. } => Subject::Residence,
            Self::Declared { name, .. } => Subject::Declared(name.clone()),
        }
    }

    /// Whether it is stated with its evidence alone: an authority other than the community recognises it.
    #[must_use]
    pub const fn needs_evidence(&self) -> bool {
        match self {
            Self::Category { .. } | Self::Disability { .. } | Self::Income { .. } => true,
            Self::Identity
            | Self::CategoriesChecked
            | Self::Living { .. }
            | Self::Hukou { .. }
            | Self::Residence { .. }
            | Self::Declared { .. } => false,
        }
    }

    /// Whether it can be stated for days to come, such as a recognition that begins next month.
    const fn may_begin_later(&self) -> bool {
        match self {
            Self::Category { .. } | Self::Disability { .. } | Self::Income { .. } | Self::Declared { .. } => true,
            Self::Identity | Self::CategoriesChecked | Self::Living { .. } | Self::Hukou { .. } | Self::Residence { .. } => false,
        }
    }
}

/// What a statement says can be anybody's health or need: debug texts show its subject alone.
impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "Identity",
            Self::Category { .. } => "Category",
            Self::CategoriesChecked => "CategoriesChecked",
            Self::Living { .. } => "Living",
            Self::Disability { .. } => "Disability",
            Self::Income { .. } => "Income",
            Self::Hukou { .. } => "Hukou",
            Self::Residence { .. } => "Residence",
            Self::Declared { .. } => "Declared",
        })
    }
}

/// A statement with the days for which it is made and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFact {
    /// What is stated.
    pub statement: Statement,
    /// The days for which it holds.
    pub valid: DateRange,
    /// What it rests on.
    pub evidence: Option<Evidence>,
}

/// A recorded statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedFact {
    /// What is stated.
    pub statement: Statement,
    /// The days for which it was made.
    pub valid: DateRange,
    /// First day on which it no longer holds, where it ended before its time.
    pub ended_on: Option<BusinessDate>,
    /// Whether it counts.
    pub state: FactState,
}

impl DatedFact {
    /// Whether it holds on a day.
    #[must_use]
    pub fn holds_on(&self, day: BusinessDate) -> bool {
        self.valid.contains(day) && self.ended_on.is_none_or(|end| day < end)
    }

    /// First day on which it no longer holds.
    #[must_use]
    pub fn until(&self) -> Option<BusinessDate> {
        self.valid.until().into_iter().chain(self.ended_on).min()
    }
}

/// All statements about one resident, in the order in which they were recorded. Nothing is ever taken out:
/// what was thought to be known on an earlier day can be asked again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactHistory(Vec<DatedFact>);

/// What is known on one day. Absent means unknown, never "none".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownFacts {
    /// Recognised circumstances; an empty set is known to have none.
    pub categories: Option<BTreeSet<Category>>,
    /// With whom the resident lives.
    pub living: Option<Living>,
    /// Recognised disability.
    pub disability: Option<Disability>,
    /// Monthly income per head of the household.
    pub income_month: Option<Fen>,
    /// Where the household is registered.
    pub hukou: Option<DivisionCode>,
    /// Where the resident lives.
    pub residence: Option<DivisionCode>,
    /// Facts that policies declare.
    pub declared: BTreeMap<String, FactValue>,
}

impl FactHistory {
    /// A history in the order of recording.
    #[must_use]
    pub const fn new(facts: Vec<DatedFact>) -> Self {
        Self(facts)
    }

    /// What a register form of the first schema stated, as facts since its day.
    #[must_use]
    pub fn of_form(form: &ResidentForm, declared: &BTreeMap<String, FactValue>) -> Vec<DatedFact> {
        let since = DateRange::from_day(form.status_since);
        let mut stated = Vec::new();
        stated.extend(form.living.map(|living| (Statement::Living { living }, since)));
        stated.extend(form.disability.map(|disability| (Statement::Disability { disability }, since)));
        stated.extend(form.hukou.map(|division| (Statement::Hukou { division }, since)));
        if let Some(spans) = &form.categories {
            stated.push((Statement::CategoriesChecked, since));
            stated.extend(spans.iter().map(|span| (Statement::Category { category: span.category }, span.valid)));
        }
        let named = declared.iter().map(|(name, value)| (Statement::Declared { name: name.clone(), value: value.clone() }, since));
        let all = stated.into_iter().chain(named);
        all.map(|(statement, valid)| DatedFact { statement, valid, ended_on: None, state: FactState::Verified }).collect()
    }

    /// Whether a new statement can join the others.
    ///
    /// # Errors
    /// Every fault: days before birth, or to come where the statement is about the present
    /// ([`ResidentError::Date`]); evidence that is missing; a category that is stated for one day twice.
    pub fn check(&self, new: &NewFact, birth: BusinessDate, today: BusinessDate) -> Result<(), Vec<ResidentError>> {
        let begins_later = new.valid.from() > today && !new.statement.may_begin_later();
        let date = (begins_later || new.valid.from() < birth).then_some(ResidentError::Date);
        let evidence = (new.statement.needs_evidence() && new.evidence.is_none()).then_some(ResidentError::EvidenceMissing);
        let same = |fact: &&DatedFact| fact.statement.subject() == new.statement.subject() && fact.state != FactState::Rejected;
        let is_category = matches!(new.statement, Statement::Category { .. });
        let overlap = |fact: &DatedFact| {
            let held = DateRange::new(fact.valid.from(), fact.until());
            held.is_ok_and(|held| held.overlaps(&new.valid))
        };
        let doubled = is_category && self.0.iter().filter(same).any(overlap);
        let faults: Vec<_> = date.into_iter().chain(evidence).chain(doubled.then_some(ResidentError::CategoryOverlap)).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Adds a statement.
    pub fn push(&mut self, fact: DatedFact) {
        self.0.push(fact);
    }

    /// What is known on a day: by verified statements alone. A claim that nobody has looked at is unknown.
    #[must_use]
    pub fn known_on(&self, day: BusinessDate) -> KnownFacts {
        let mut speaking: BTreeMap<Subject, &DatedFact> = BTreeMap::new();
        for fact in self.0.iter().filter(|fact| fact.state == FactState::Verified && fact.valid.from() <= day) {
            let place = speaking.entry(fact.statement.subject()).or_insert(fact);
            if fact.valid.from() >= place.valid.from() {
                *place = fact;
            }
        }
        let (mut known, mut categories, mut checked) = (KnownFacts::default(), BTreeSet::new(), false);
        for fact in speaking.into_values().filter(|fact| fact.holds_on(day)) {
            match &fact.statement {
                Statement::Identity => {}
                Statement::Category { category } => drop(categories.insert(*category)),
                Statement::CategoriesChecked => checked = true,
                Statement::Living { living } => known.living = Some(*living),
                Statement::Disability { disability } => known.disability = Some(*disability),
                Statement::Income { month_fen } => known.income_month = Some(*month_fen),
                Statement::Hukou { division } => known.hukou = Some(*division),
                Statement::Residence { division } => known.residence = Some(*division),
                Statement::Declared { name, value } => drop(known.declared.insert(name.clone(), value.clone())),
            }
        }
        known.categories = checked.then_some(categories);
        known
    }

    /// The days on which what is known changes.
    #[must_use]
    pub fn change_days(&self) -> BTreeSet<BusinessDate> {
        let verified = self.0.iter().filter(|fact| fact.state == FactState::Verified);
        verified.flat_map(|fact| [Some(fact.valid.from()), fact.until()]).flatten().collect()
    }

    /// How many claims nobody has looked at yet.
    #[must_use]
    pub fn claims(&self) -> usize {
        self.0.iter().filter(|fact| fact.state == FactState::Claimed).count()
    }
}

#[cfg(test)]
mod tests;
