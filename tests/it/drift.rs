//! Committed texts that are made from the code: they must say what the code says.
//!
//! `make drift` writes them anew; look at the difference before you commit it.

use std::{fs, path::Path};

use domain::{
    application::ApplicationState,
    claim::ReversalState,
    consent::ConsentState,
    order::{OfferState, OrderState, deadlines},
    provider::{BankAccountState, ProviderStatus},
    resident::{FactState, LifeStatus},
    settlement::PeriodState,
    state::{StateMachine, diagram},
    visit::{IncidentState, QuarantineState, VisitStatus},
};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Compares a file with what the code makes, or writes it when `UPDATE=1`.
fn check(path: &str, made: &str) {
    let file = repository().join(path);
    if std::env::var("UPDATE").as_deref() == Ok("1") {
        fs::write(&file, made).unwrap();
        return;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    if kept == made {
        return;
    }
    let differs = kept
        .lines()
        .zip(made.lines())
        .position(|(kept, made)| kept != made)
        .unwrap_or_else(|| kept.lines().count().min(made.lines().count()));
    panic!("{path}:{} differs from what the code makes; run `make drift` and look at the difference", differs + 1);
}

#[test]
fn the_description_of_the_api_is_the_committed_one() {
    let parts = api::router::parts().unwrap();
    check("tests/it/snapshots/openapi.json", &(parts.openapi.to_pretty_json().unwrap() + "\n"));
}

#[test]
fn every_operation_of_the_description_has_a_name_of_its_own() {
    let description = serde_json::to_value(api::router::parts().unwrap().openapi).unwrap();
    let operations = description["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<_> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    names.sort_unstable();
    assert!(names.len() > 50, "{names:?}");
    let doubled: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(doubled.is_empty(), "rename these handlers: {doubled:?}");
}

#[test]
fn the_access_matrix_is_the_committed_one() {
    let parts = api::router::parts().unwrap();
    check("tests/it/snapshots/access_matrix.txt", &api::access::matrix(&parts.rules));
}

#[test]
fn the_state_diagrams_of_the_domain_are_those_of_its_tables() {
    let readme = fs::read_to_string(repository().join("domain/README.md")).unwrap();
    let (head, _) = readme.split_once("## State diagrams\n").expect("domain/README.md has a section `State diagrams`");
    let mut made = format!("{head}## State diagrams\n\nPrinted from the tables; `make drift` renews them.\n");
    for (name, text) in [
        machine::<LifeStatus>(),
        machine::<FactState>(),
        machine::<ApplicationState>(),
        machine::<OrderState>(),
        machine::<OfferState>(),
        machine::<VisitStatus>(),
        machine::<QuarantineState>(),
        machine::<IncidentState>(),
        machine::<ProviderStatus>(),
        machine::<BankAccountState>(),
        machine::<PeriodState>(),
        machine::<ConsentState>(),
        machine::<ReversalState>(),
    ] {
        made = made + "\n### " + name + "\n\n" + &text;
    }
    made.push_str(DEADLINES);
    let rows = deadlines().iter().map(|rule| {
        let owner = rule.owner.role().map_or_else(|| "the system".to_owned(), |role| role.to_string());
        format!("| {} | {owner} | {} | {} |\n", rule.state, rule.until, rule.consequence)
    });
    made.push_str(&rows.collect::<Vec<_>>().concat());
    check("domain/README.md", &made);
}

/// Heads the table of what waits.
const DEADLINES: &str = "\n## What an order waits for\n\n\
    Every state that is not an end has an owner and a deadline; `src/order/deadline.rs` is this table.\n\n\
    | State | Who must act | Until | Otherwise |\n|---|---|---|---|\n";

fn machine<S: StateMachine>() -> (&'static str, String) {
    (S::NAME, diagram::<S>())
}
