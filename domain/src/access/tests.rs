use strum::IntoEnumIterator as _;

use super::*;

fn actor(role: Role, reach: Reach) -> Actor {
    Actor::Person(SignedIn {
        person: PersonId::from_parts(1, [1; 10]),
        account: AccountId::from_parts(1, [1; 10]),
        session: SessionId::from_parts(1, [1; 10]),
        grants: vec![Grant { role, reach }],
        key: None,
    })
}

#[test]
fn a_role_reaches_only_its_own_scope() {
    let clerk = actor(Role::StreetClerk, Reach::Division("120101001".parse().unwrap()));
    let inside = Object { division: Some("120101001002".parse().unwrap()), ..Object::default() };
    let outside = Object { division: Some("120101002002".parse().unwrap()), ..Object::default() };
    assert_eq!(clerk.permit(Action::ReviewApplication, &inside).map(|permit| permit.role), Ok(Some(Role::StreetClerk)));
    assert_eq!(clerk.permit(Action::ReviewApplication, &outside), Err(AccessError::NotFound));
    assert_eq!(clerk.permit(Action::ApproveApplication, &inside), Err(AccessError::Role(Action::ApproveApplication)));
}

#[test]
fn a_key_narrows_what_its_person_may_do() {
    let Actor::Person(clerk) = actor(Role::CountyClerk, Reach::Division("1201".parse().unwrap())) else { panic!("a clerk is a person") };
    let key = Some(KeyScope::new(vec![Action::ReadOrder], &[Role::CountyClerk]).unwrap());
    let inside = Object { division: Some("120101001002".parse().unwrap()), ..Object::default() };
    let by_key = Actor::Person(SignedIn { key, ..clerk });
    assert!(by_key.permit(Action::ReadOrder, &inside).is_ok());
    assert_eq!(by_key.permit(Action::ReadSettlement, &inside), Err(AccessError::Key(Action::ReadSettlement)));
    assert_eq!(by_key.permit_anywhere(Action::ReadSettlement), Err(AccessError::Key(Action::ReadSettlement)));
    assert_eq!(by_key.without(Role::Carer).may(Action::ReadSettlement), Err(AccessError::Key(Action::ReadSettlement)));
}

#[test]
fn the_auditor_changes_nothing_and_the_operator_sees_no_resident() {
    for action in Action::iter() {
        let name = action.to_string();
        if action.roles().contains(&Role::Auditor) {
            assert!(name.starts_with("read_"), "{name}");
        }
    }
    assert!(!Action::ReadResident.roles().contains(&Role::SystemOperator));
}

#[test]
fn nobody_both_prepares_and_approves() {
    for (prepare, approve) in [
        (Action::ReviewApplication, Action::ApproveApplication),
        (Action::DraftPolicy, Action::PublishPolicy),
        (Action::DraftPurchaseList, Action::PublishPurchaseList),
        (Action::ApplyAsProvider, Action::ReviewProvider),
        (Action::ReviewProvider, Action::AdmitProvider),
        (Action::SuspendProvider, Action::DecideProvider),
        (Action::RequestLicence, Action::DecideLicence),
        (Action::RequestBankAccount, Action::DecideBankAccount),
        (Action::ComputeSettlement, Action::ApproveSettlement),
        (Action::ApproveSettlement, Action::ReleaseSettlement),
        (Action::ProposeReversal, Action::DecideReversal),
    ] {
        assert!(prepare.roles().iter().all(|role| !approve.roles().contains(role)), "{prepare} and {approve}");
    }
}
