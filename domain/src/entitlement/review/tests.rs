use super::*;
use crate::{catalogue::Unit, money::BasisPoints, resident::LifeStatus, time::WindowKind};

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

fn grant(amount: i64) -> BenefitGrant {
    BenefitGrant {
        benefit: "home-care".parse().unwrap(),
        unit: Unit::Fen,
        amount,
        window: WindowKind::Month,
        share: Some(BasisPoints::new(10_000).unwrap()),
        per_unit: None,
        use_cap: None,
    }
}

fn today() -> BusinessDate {
    date("2026-11-23")
}

/// Reviews an entitlement that began in January.
fn consequence(
    standing: Standing,
    until: Option<&str>,
    found: Result<i64, (&[Reason], &'static str)>,
    rule: EndRule,
) -> Option<(EntitlementChange, String)> {
    let last = grant(40_000);
    let present = Present { standing, from: date("2026-01-01"), until: until.map(date), granted: &last };
    let now = found.map(grant);
    let found = match &now {
        Ok(grant) => Ok(grant),
        Err((reasons, on)) => Err(Ceased { reasons, on: date(on) }),
    };
    review(&present, found, rule, today()).unwrap().map(|consequence| (consequence.change, consequence.from.to_string()))
}

#[expect(clippy::unnecessary_wraps, reason = "what a review answers is optional")]
fn is(change: EntitlementChange, from: &str) -> Option<(EntitlementChange, String)> {
    Some((change, from.to_owned()))
}

fn not_in() -> [Reason; 1] {
    [Reason::NotIn { fact: "categories".to_owned(), wanted: vec!["dibao".to_owned()] }]
}

#[test]
fn what_has_ceased_ends_when_the_file_says() {
    use EntitlementChange::Stopped;
    let reasons = not_in();
    let ceased = Err((&reasons[..], "2026-11-01"));
    assert_eq!(consequence(Standing::Running, None, ceased, EndRule::AtOnce), is(Stopped, "2026-11-01"));
    assert_eq!(
        consequence(Standing::Running, None, ceased, EndRule::NextMonth),
        is(Stopped, "2026-12-01"),
        "the month is that of the confirmation"
    );
    assert_eq!(consequence(Standing::Stopped, Some("2026-12-01"), ceased, EndRule::NextMonth), None, "once is enough");
}

#[test]
fn death_ends_everything_at_once() {
    let reasons = [Reason::excluded("status", LifeStatus::Dead), Reason::unknown("level")];
    let dead = Err((&reasons[..], "2026-11-20"));
    for (standing, until) in [(Standing::Running, None), (Standing::Suspended, Some("2026-12-01")), (Standing::Stopped, Some("2026-12-01"))]
    {
        assert_eq!(consequence(standing, until, dead, EndRule::NextMonth), is(EntitlementChange::Stopped, "2026-11-20"), "{standing}");
    }
    assert_eq!(consequence(Standing::Stopped, Some("2026-11-01"), dead, EndRule::NextMonth), None, "it had ended before");
}

#[test]
fn what_passes_only_suspends_and_begins_again_by_itself() {
    use EntitlementChange::{Resumed, Suspended};
    let institution = [Reason::excluded("status", LifeStatus::Institution)];
    let away = Err((&institution[..], "2026-11-20"));
    assert_eq!(consequence(Standing::Running, None, away, EndRule::AtOnce), is(Suspended, "2026-11-20"));
    let unassessed = [Reason::unknown("level")];
    assert_eq!(consequence(Standing::Running, None, Err((&unassessed[..], "2026-11-23")), EndRule::AtOnce), is(Suspended, "2026-11-23"));
    assert_eq!(consequence(Standing::Suspended, Some("2026-11-20"), away, EndRule::AtOnce), None);
    assert_eq!(consequence(Standing::Suspended, Some("2026-11-20"), Ok(40_000), EndRule::AtOnce), is(Resumed, "2026-11-23"));
    let both = [institution[0].clone(), not_in()[0].clone()];
    let lost = Err((&both[..], "2026-11-22"));
    assert_eq!(consequence(Standing::Suspended, Some("2026-11-20"), lost, EndRule::AtOnce), is(EntitlementChange::Stopped, "2026-11-20"));
}

#[test]
fn an_end_that_has_not_come_is_taken_back_and_one_that_has_is_not() {
    assert_eq!(
        consequence(Standing::Stopped, Some("2026-12-01"), Ok(40_000), EndRule::NextMonth),
        is(EntitlementChange::Resumed, "2026-11-23")
    );
    assert_eq!(consequence(Standing::Stopped, Some("2026-11-23"), Ok(40_000), EndRule::NextMonth), None);
}

#[test]
fn more_is_given_at_once_and_less_from_the_next_window() {
    use EntitlementChange::Changed;
    assert_eq!(consequence(Standing::Running, None, Ok(40_000), EndRule::AtOnce), None);
    assert_eq!(consequence(Standing::Running, None, Ok(60_000), EndRule::AtOnce), is(Changed, "2026-11-23"));
    assert_eq!(consequence(Standing::Running, None, Ok(20_000), EndRule::AtOnce), is(Changed, "2026-12-01"));
}

#[test]
fn nothing_ends_before_it_began() {
    let last = grant(40_000);
    let present = Present { standing: Standing::Running, from: date("2026-12-01"), until: None, granted: &last };
    let reasons = not_in();
    let found = Err(Ceased { reasons: &reasons, on: date("2026-11-01") });
    let consequence = review(&present, found, EndRule::AtOnce, today()).unwrap().unwrap();
    assert_eq!(consequence.from, date("2026-12-01"));
}
