//! The examples of the format's reference are read as they stand there.

use std::collections::BTreeSet;

use strum::IntoEnumIterator;

use super::{Policy, PolicyFault};
use crate::claim::AdjustmentCode;

const README: &str = include_str!("../../policies/README.md");

/// Blocks of the page: what each stands for, and its text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let opened = README.split("\n```toml ").skip(1);
    opened.map(|rest| rest.split_once('\n').unwrap()).map(|(part, rest)| (part, rest.split("\n```").next().unwrap())).collect()
}

fn complete() -> &'static str {
    blocks().into_iter().find(|(part, _)| *part == "file").unwrap().1
}

/// The complete file with one of its parts replaced by a block.
fn with_block(part: &str, block: &str) -> String {
    let text = complete();
    let (head, rest) = text.split_once("[source]").unwrap();
    let (source, rest) = rest.split_once("[requires]").unwrap();
    let (requires, rest) = rest.split_once("[[funds]]").unwrap();
    let (funds, benefit) = rest.split_once("[[benefits]]").unwrap();
    let source = format!("[source]{source}");
    let requires = format!("[requires]{requires}");
    let funds = format!("[[funds]]{funds}");
    let benefit = format!("[[benefits]]{benefit}");
    let meal_facts = "[facts]\nmeal = { of = \"visit\", kind = \"text\", values = [\"lunch\"] }\n\
                      standard_price_fen = { of = \"visit\", kind = \"int\" }\n";
    match part {
        "file" => block.to_owned(),
        "source" => [head, block, "\n", &requires, &funds, &benefit].concat(),
        "rules" | "facts" => [head, &source, block, "\n", &funds, &benefit].concat(),
        "funds" => [head, &source, &requires, block, "\n", &benefit].concat(),
        "benefit" => [head, &source, &requires, &funds, block].concat(),
        "meal-benefit" => [head, &source, meal_facts, &requires, &funds, block].concat(),
        other => panic!("the page has a block of an unknown part {other}"),
    }
}

#[test]
fn every_example_of_the_reference_is_read_without_a_fault() {
    let blocks = blocks();
    assert!(blocks.len() > 15, "the page lost its examples");
    for (part, block) in blocks {
        if let Err(faults) = Policy::parse("README.md", &with_block(part, block)) {
            panic!("{block}\n{}", faults.iter().map(PolicyFault::to_string).collect::<Vec<_>>().join("\n"));
        }
    }
}

#[test]
fn the_reference_names_every_key_and_every_code() {
    let unknown = "zzz = 1\n";
    let (head, rest) = complete().split_once("[source]").unwrap();
    let everywhere = [head, unknown, "[source]", rest].concat().replacen("[requires]", "[requires]\nzzz = 1", 1);
    let everywhere = everywhere.replacen("[[funds]]", "[[funds]]\nzzz = 1", 1).replacen("[[benefits]]", "[[benefits]]\nzzz = 1", 1);
    let faults = Policy::parse("README.md", &everywhere).expect_err("unknown keys");
    assert_eq!(faults.len(), 4, "{faults:#?}");
    let words: BTreeSet<&str> = README.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    for fault in faults {
        let keys = fault.cure.strip_prefix("remove it or use one of ").unwrap();
        let missing: Vec<_> = keys.split(", ").filter(|key| !words.contains(key)).collect();
        assert!(missing.is_empty(), "the page does not name {missing:?}");
    }
    let missing: Vec<_> = AdjustmentCode::iter().map(|code| code.to_string()).filter(|code| !words.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "the page does not name {missing:?}");
}
