//! Signing in: guessing is slow, however it is done.
#![cfg(test)]

use domain::{access::Actor, access::Role, resident::PersonName};
use futures::future::join_all;
use store::{
    Store,
    command::account::{CreateAccount, Credentials, NewRole, PasswordHashed, RoleReach},
};
use tests::{db::TestDb, on_each_database};

/// Guesses that come at one time.
const GUESSES: usize = 20;
/// Wrong passwords that are judged before an account waits.
const JUDGED: usize = 5;

async fn try_password(db: &TestDb, store: &Store, password: &str) -> &'static str {
    let ctx = db.source().context(Actor::System("sign_in"));
    let now = db.source().now();
    let given = Credentials { login: "family".to_owned(), password: password.to_owned().into(), code: None, device: "phone".into() };
    store.sign_in(ctx, given, now).await.map_or_else(|fault| fault.code(), |_session| "signed in")
}

on_each_database!(guesses_at_one_time_are_no_more_than_guesses_one_after_another, async |db: TestDb| {
    let store = db.store().await.unwrap();
    let account = CreateAccount {
        name: PersonName::parse("李建国").unwrap(),
        login: "family".to_owned(),
        password: PasswordHashed::new(&"correct horse battery staple".to_owned().into()).unwrap(),
        roles: vec![NewRole { role: Role::FamilyMember, reach: RoleReach::Bound }],
    };
    store.write(db.source().context(Actor::System("test")), account).await.unwrap();
    assert_eq!(try_password(&db, &store, "correct horse battery staple").await, "signed in");

    let answers = join_all((0..GUESSES).map(|_guess| try_password(&db, &store, "wrong horse battery staple"))).await;
    let judged = answers.iter().filter(|code| **code == "account.wrong").count();
    // As many are under way at one time as half the cores.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    assert!((JUDGED..JUDGED + (cores / 2).max(1)).contains(&judged), "{answers:?}");
    assert!(answers.iter().all(|code| ["account.wrong", "account.waiting"].contains(code)), "{answers:?}");

    // Then the right one waits too, until the time is over.
    assert_eq!(try_password(&db, &store, "correct horse battery staple").await, "account.waiting");
    db.clock().advance(chrono::TimeDelta::hours(2));
    assert_eq!(try_password(&db, &store, "correct horse battery staple").await, "signed in");
});
