use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{Category, DisabilityKind, LifeStatus, Living, ResidentError, Sex};
use crate::{
    division::DivisionCode,
    id::ResidentId,
    time::{BusinessDate, DateRange},
};

/// A category with the days on which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategorySpan {
    /// The category.
    pub category: Category,
    /// When it holds.
    pub valid: DateRange,
}

/// A recognised disability (残疾人证).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredDisability", into = "StoredDisability")]
pub struct Disability {
    kind: DisabilityKind,
    grade: u8,
}

impl Disability {
    /// Checks a grade, 1 (most severe) to 4.
    ///
    /// # Errors
    /// [`ResidentError::DisabilityGrade`].
    pub const fn new(kind: DisabilityKind, grade: u8) -> Result<Self, ResidentError> {
        if grade >= 1 && grade <= 4 { Ok(Self { kind, grade }) } else { Err(ResidentError::DisabilityGrade) }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> DisabilityKind {
        self.kind
    }

    /// Its grade, 1 to 4.
    #[must_use]
    pub const fn grade(self) -> u8 {
        self.grade
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDisability {
    kind: DisabilityKind,
    grade: u8,
}

impl TryFrom<StoredDisability> for Disability {
    type Error = ResidentError;
    fn try_from(stored: StoredDisability) -> Result<Self, Self::Error> {
        Self::new(stored.kind, stored.grade)
    }
}
impl From<Disability> for StoredDisability {
    fn from(disability: Disability) -> Self {
        Self { kind: disability.kind, grade: disability.grade }
    }
}

/// What is known of a resident when they are registered. Absent means unknown, never "none".
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidentForm {
    /// The resident's id.
    pub id: ResidentId,
    /// Birth date.
    pub birth_date: BusinessDate,
    /// Sex as on the document.
    pub sex: Sex,
    /// Where the household is registered (户籍).
    pub hukou: Option<DivisionCode>,
    /// Where the resident lives.
    pub residence: DivisionCode,
    /// With whom they live.
    pub living: Option<Living>,
    /// Recognised circumstances with their validity; an empty list means known to have none.
    pub categories: Option<Vec<CategorySpan>>,
    /// A recognised disability.
    pub disability: Option<Disability>,
    /// Whether the resident can be served at home.
    pub status: LifeStatus,
    /// First day of that status.
    pub status_since: BusinessDate,
}

/// A resident with the facts on which eligibility rests. The stored form holds personal data: it is for
/// encrypted storage only, and debug texts show the id alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ResidentForm", into = "ResidentForm")]
pub struct Resident(ResidentForm);

impl Resident {
    /// Registers a resident.
    ///
    /// # Errors
    /// Every fault at once: a birth or status date in the future ([`ResidentError::Date`]), a status before
    /// birth, overlapping ranges of one category.
    pub fn register(form: ResidentForm, today: BusinessDate) -> Result<Self, Vec<ResidentError>> {
        let mut faults = check(&form);
        let future = form.birth_date > today || form.status_since > today;
        if future && !faults.contains(&ResidentError::Date) {
            faults.insert(0, ResidentError::Date);
        }
        if faults.is_empty() { Ok(Self(form)) } else { Err(faults) }
    }

    /// All facts as they stand.
    #[must_use]
    pub const fn facts(&self) -> &ResidentForm {
        &self.0
    }

    /// The resident's id.
    #[must_use]
    pub const fn id(&self) -> ResidentId {
        self.0.id
    }

    /// Age in full years on a day.
    #[must_use]
    pub fn age_on(&self, date: BusinessDate) -> u32 {
        date.full_years_since(self.0.birth_date)
    }

    /// The categories that hold on a day; none if they are unknown.
    #[must_use]
    pub fn categories_on(&self, date: BusinessDate) -> Option<BTreeSet<Category>> {
        let spans = self.0.categories.as_ref()?;
        Some(spans.iter().filter(|span| span.valid.contains(date)).map(|span| span.category).collect())
    }
}

/// What can be checked without knowing today's date.
fn check(form: &ResidentForm) -> Vec<ResidentError> {
    let date = (form.status_since < form.birth_date).then_some(ResidentError::Date);
    let overlap = has_overlap(form).then_some(ResidentError::CategoryOverlap);
    date.into_iter().chain(overlap).collect()
}

fn has_overlap(form: &ResidentForm) -> bool {
    let spans = form.categories.as_deref().unwrap_or_default();
    spans
        .iter()
        .enumerate()
        .any(|(place, span)| spans.iter().skip(place + 1).any(|other| other.category == span.category && other.valid.overlaps(&span.valid)))
}

impl TryFrom<ResidentForm> for Resident {
    type Error = ResidentError;
    fn try_from(form: ResidentForm) -> Result<Self, Self::Error> {
        check(&form).into_iter().next().map_or(Ok(Self(form)), Err)
    }
}
impl From<Resident> for ResidentForm {
    fn from(resident: Resident) -> Self {
        resident.0
    }
}

impl fmt::Debug for ResidentForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResidentForm").field("id", &self.id).finish_non_exhaustive()
    }
}
impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resident").field("id", &self.0.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn span(category: Category, from: &str, until: Option<&str>) -> CategorySpan {
        CategorySpan { category, valid: DateRange::new(date(from), until.map(date)).unwrap() }
    }

    fn form() -> ResidentForm {
        ResidentForm {
            id: ResidentId::from_parts(1, [1; 10]),
            birth_date: date("1940-02-29"),
            sex: Sex::Male,
            hukou: Some("120101001001".parse().unwrap()),
            residence: "120101001001".parse().unwrap(),
            living: Some(Living::Alone),
            categories: Some(vec![
                span(Category::Dibao, "2025-01-01", Some("2026-01-01")),
                span(Category::Dibao, "2026-07-01", None),
                span(Category::VeteranCare, "2020-01-01", None),
            ]),
            disability: Some(Disability::new(DisabilityKind::Limb, 2).unwrap()),
            status: LifeStatus::Alive,
            status_since: date("2026-01-01"),
        }
    }

    fn today() -> BusinessDate {
        date("2026-11-23")
    }

    #[test]
    fn categories_hold_on_the_days_of_their_ranges() {
        let resident = Resident::register(form(), today()).unwrap();
        let on = |text: &str| resident.categories_on(date(text)).unwrap();
        assert_eq!(on("2026-06-30"), BTreeSet::from([Category::VeteranCare]));
        assert_eq!(on("2026-07-01"), BTreeSet::from([Category::Dibao, Category::VeteranCare]));
        let unknown = Resident::register(ResidentForm { categories: None, ..form() }, today()).unwrap();
        assert_eq!(unknown.categories_on(today()), None, "unknown is not none");
        let none = Resident::register(ResidentForm { categories: Some(Vec::new()), ..form() }, today()).unwrap();
        assert_eq!(none.categories_on(today()), Some(BTreeSet::new()));
    }

    #[test]
    fn a_registration_names_all_its_faults() {
        let overlapping = Some(vec![span(Category::Dibao, "2025-01-01", None), span(Category::Dibao, "2026-01-01", None)]);
        let wrong = ResidentForm { birth_date: date("2026-11-24"), categories: overlapping, ..form() };
        assert_eq!(Resident::register(wrong, today()), Err(vec![ResidentError::Date, ResidentError::CategoryOverlap]));
        let unborn = ResidentForm { status_since: date("1940-02-28"), ..form() };
        assert_eq!(Resident::register(unborn, today()), Err(vec![ResidentError::Date]));
    }

    #[test]
    fn age_is_full_years_and_grades_are_one_to_four() {
        let resident = Resident::register(form(), today()).unwrap();
        assert_eq!((resident.age_on(date("2026-02-28")), resident.age_on(date("2026-03-01"))), (85, 86));
        for grade in [0, 5] {
            assert_eq!(Disability::new(DisabilityKind::Limb, grade), Err(ResidentError::DisabilityGrade));
        }
    }

    #[test]
    fn the_stored_form_round_trips_and_debug_shows_the_id_alone() {
        let resident = Resident::register(form(), today()).unwrap();
        let text = serde_json::to_string(&resident).unwrap();
        assert_eq!(serde_json::from_str::<Resident>(&text).unwrap(), resident);
        assert!(serde_json::from_str::<Resident>(&text.replace(r#""grade":2"#, r#""grade":9"#)).is_err());
        assert!(serde_json::from_str::<Resident>(&text.replace("2026-07-01", "2025-07-01")).is_err());
        assert!(!format!("{resident:?}").contains("1940"));
    }
}
