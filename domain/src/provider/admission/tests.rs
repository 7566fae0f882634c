use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn person(number: u8) -> PersonId {
    PersonId::from_parts(1, [number; 10])
}

fn applied() -> Provider {
    Provider::apply(ProviderId::from_parts(1, [1; 10]), CreditCode::parse("52120101MJ0000018L").unwrap(), person(1))
}

#[test]
fn two_persons_who_did_not_apply_admit_a_provider() {
    let reviewed = applied().review(person(2)).unwrap();
    assert!(!reviewed.may_serve());
    let admitted = reviewed.admit(person(3)).unwrap();
    assert!(admitted.may_serve());
    assert_eq!((admitted.facts().reviewed_by, admitted.facts().admitted_by), (Some(person(2)), Some(person(3))));
}

#[test]
fn nobody_decides_on_their_own_work() {
    assert_eq!(applied().review(person(1)), Err(ProviderError::SamePerson { trigger: Review }));
    for same in [person(1), person(2)] {
        let reviewed = || applied().review(person(2)).unwrap();
        assert_eq!(reviewed().admit(same), Err(ProviderError::SamePerson { trigger: Admit }));
        assert_eq!(reviewed().refuse(same), Err(ProviderError::SamePerson { trigger: Refuse }));
        let suspended = reviewed().admit(person(3)).unwrap().suspend(person(4)).unwrap();
        assert!(!suspended.may_serve());
        assert_eq!(suspended.resume(same), Err(ProviderError::SamePerson { trigger: Resume }));
    }
}

#[test]
fn one_person_suspends_and_another_lifts_or_ends_it() {
    let admitted = applied().review(person(2)).unwrap().admit(person(3)).unwrap();
    assert_eq!(admitted.clone().end(person(3)), Err(ProviderError::Transition { from: Admitted, trigger: End }));
    let suspended = admitted.suspend(person(4)).unwrap();
    assert_eq!(suspended.clone().resume(person(4)), Err(ProviderError::SamePerson { trigger: Resume }));
    assert_eq!(suspended.clone().end(person(4)), Err(ProviderError::SamePerson { trigger: End }));
    assert!(suspended.clone().resume(person(3)).unwrap().may_serve());
    assert_eq!(suspended.end(person(3)).unwrap().status(), Ended);
}

#[test]
fn papers_that_were_sent_back_are_reviewed_anew() {
    let back = applied().review(person(2)).unwrap().send_back(person(3)).unwrap();
    assert_eq!((back.status(), back.facts().reviewed_by), (Applied, None));
    assert_eq!(back.admit(person(3)), Err(ProviderError::Transition { from: Applied, trigger: Admit }));
}

#[test]
fn a_stored_provider_is_checked() {
    let form = ProviderForm { status: Admitted, ..applied().facts().clone() };
    assert_eq!(Provider::restore(form), Err(ProviderError::ReviewerMissing(Admitted)));
    let form = applied().review(person(2)).unwrap().facts().clone();
    assert_eq!(Provider::restore(form.clone()).unwrap().facts(), &form);
}

#[test]
fn the_table_is_sound() {
    crate::state::tests::check::<ProviderStatus>();
    assert!(Ended.is_final());
}

proptest! {
    #[test]
    fn whatever_is_tried_admission_has_two_persons_beside_the_applicant(steps in prop::collection::vec((0u8..8, 1u8..4), 0..12)) {
        let mut provider = applied();
        for (step, by) in steps {
            let by = person(by);
            let tried = provider.clone();
            let result = match step {
                0 => tried.review(by),
                1 => tried.admit(by),
                2 => tried.send_back(by),
                3 => tried.refuse(by),
                4 => tried.withdraw(),
                5 => tried.suspend(by),
                6 => tried.resume(by),
                _ => tried.end(by),
            };
            provider = result.unwrap_or(provider);
        }
        if matches!(provider.status(), Admitted | Suspended) {
            let form = provider.facts();
            let persons: BTreeSet<_> = [Some(form.applied_by), form.reviewed_by, form.admitted_by].into_iter().flatten().collect();
            prop_assert_eq!(persons.len(), 3);
        }
    }
}
