use super::{super::EvidenceKind, *};

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

fn fact(statement: Statement, from: &str, until: Option<&str>, state: FactState) -> DatedFact {
    DatedFact { statement, valid: DateRange::new(date(from), until.map(date)).unwrap(), ended_on: None, state }
}

fn category(category: Category) -> Statement {
    Statement::Category { category }
}

#[test]
fn the_table_is_sound() {
    crate::state::tests::check::<FactState>();
}

#[test]
fn a_claim_is_unknown_until_it_is_verified() {
    let living = Statement::Living { living: Living::Alone };
    let claimed = FactHistory::new(vec![fact(living.clone(), "2026-11-01", None, FactState::Claimed)]);
    assert_eq!(claimed.known_on(date("2026-11-23")), KnownFacts::default());
    assert_eq!(claimed.claims(), 1);
    let verified = FactHistory::new(vec![fact(living, "2026-11-01", None, FactState::Verified)]);
    assert_eq!(verified.known_on(date("2026-11-23")).living, Some(Living::Alone));
    assert_eq!(verified.known_on(date("2026-10-31")).living, None);
}

#[test]
fn categories_are_known_once_they_were_looked_up() {
    let mut history = FactHistory::new(vec![fact(category(Category::Dibao), "2026-01-01", Some("2026-12-01"), FactState::Verified)]);
    assert_eq!(history.known_on(date("2026-11-23")).categories, None, "others may hold besides");
    history.push(fact(Statement::CategoriesChecked, "2026-06-01", None, FactState::Verified));
    assert_eq!(history.known_on(date("2026-11-30")).categories, Some(BTreeSet::from([Category::Dibao])));
    assert_eq!(history.known_on(date("2026-12-01")).categories, Some(BTreeSet::new()), "it has ended, and none is left");
}

#[test]
fn the_statement_that_began_last_speaks_and_none_comes_back() {
    let living = |living, from, until| fact(Statement::Living { living }, from, until, FactState::Verified);
    let history =
        FactHistory::new(vec![living(Living::WithFamily, "2026-06-01", Some("2026-09-01")), living(Living::Alone, "2026-01-01", None)]);
    assert_eq!(history.known_on(date("2026-05-31")).living, Some(Living::Alone));
    assert_eq!(history.known_on(date("2026-06-01")).living, Some(Living::WithFamily));
    assert_eq!(history.known_on(date("2026-09-01")).living, None, "what was true before June is not known to be true again");
}

#[test]
fn an_early_end_is_kept_beside_the_days_for_which_it_was_stated() {
    let dibao = DatedFact {
        ended_on: Some(date("2026-07-01")),
        ..fact(category(Category::Dibao), "2026-01-01", Some("2027-01-01"), FactState::Verified)
    };
    assert!(dibao.holds_on(date("2026-06-30")) && !dibao.holds_on(date("2026-07-01")));
    let days = FactHistory::new(vec![dibao]).change_days();
    assert_eq!(days, BTreeSet::from([date("2026-01-01"), date("2026-07-01")]));
}

#[test]
fn all_faults_of_a_statement_are_told_at_once() {
    let history = FactHistory::new(vec![fact(category(Category::Dibao), "2026-01-01", None, FactState::Verified)]);
    let (birth, today) = (date("1940-02-29"), date("2026-11-23"));
    let new = |statement, from: &str| NewFact { statement, valid: DateRange::new(date(from), None).unwrap(), evidence: None };
    let check = |fact: &NewFact| history.check(fact, birth, today);
    let wrong = new(category(Category::Dibao), "1940-02-28");
    assert_eq!(check(&wrong), Err(vec![ResidentError::Date, ResidentError::EvidenceMissing, ResidentError::CategoryOverlap]));
    let evidence = Some(Evidence::new(EvidenceKind::Register, Some("1")).unwrap());
    let next_month = NewFact { evidence, ..new(category(Category::Tekun), "2026-12-01") };
    assert_eq!(check(&next_month), Ok(()));
    assert_eq!(check(&new(Statement::Living { living: Living::Alone }, "2026-12-01")), Err(vec![ResidentError::Date]));
}

#[test]
fn debug_texts_hide_what_is_stated() {
    let shown = format!("{:?}", fact(category(Category::Tekun), "2026-01-01", None, FactState::Verified));
    assert!(shown.contains("Category") && !shown.contains("Tekun"), "{shown}");
}
