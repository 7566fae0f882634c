use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    assessment::Level,
    policy::{
        FactValue,
        samples::{self, BATHING, SHENYANG},
    },
    resident::{Category, Living},
};

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

fn calendar() -> WorkingCalendar {
    WorkingCalendar::shipped().unwrap()
}

fn decided(policy: &Policy, facts: &Facts, on: &str) -> Decision {
    decide(policy, facts, date(on), &calendar()).unwrap()
}

/// The reasons of a refusal, as a sheet prints them.
fn reasons(policy: &Policy, facts: &Facts, on: &str) -> String {
    let decision = decided(policy, facts, on);
    assert_eq!(decision.granted, decision.reasons.is_empty());
    decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
}

fn amount(policy: &Policy, facts: &Facts, on: &str) -> i64 {
    decided(policy, facts, on).benefits.first().map_or(0, |grant| grant.amount)
}

/// 70 years old in 2017, urban hukou of Tianjin, dibao, in need of care.
fn tianjin_elder(level: Level) -> Facts {
    let declared = [("needs_care", FactValue::Bool(true)), ("hukou_kind", FactValue::Text("urban".to_owned()))];
    Facts {
        birth_date: Some(date("1947-01-01")),
        hukou: Some("120101001001".to_owned()),
        level: Some(level),
        categories: Some(BTreeSet::from([Category::Dibao])),
        declared: declared.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Facts::default()
    }
}

fn with_fact(mut facts: Facts, name: &str, value: FactValue) -> Facts {
    facts.declared.insert(name.to_owned(), value);
    facts
}

fn rural(facts: Facts) -> Facts {
    with_fact(facts, "hukou_kind", FactValue::Text("rural".to_owned()))
}

fn hangzhou_elder() -> Facts {
    let declared = ["receives_centralised_care", "receives_basic_care_uplift"];
    Facts {
        residence: Some("330106001001".to_owned()),
        level: Some(Level::Moderate),
        categories: Some(BTreeSet::new()),
        declared: declared.into_iter().map(|name| (name.to_owned(), FactValue::Bool(false))).collect(),
        ..Facts::default()
    }
}

fn meals_elder() -> Facts {
    Facts {
        birth_date: Some(date("1943-06-01")),
        hukou: Some("120103".to_owned()),
        level: Some(Level::Able),
        categories: Some(BTreeSet::new()),
        status: Some(LifeStatus::Alive),
        ..Facts::default()
    }
}

#[test]
fn tianjin_pays_by_level_and_month_as_the_tables_say() {
    let (v2, v3) = (samples::shipped("tianjin-home-care-v2.toml"), samples::shipped("tianjin-home-care-v3.toml"));
    let amounts = |policy: &Policy, on: &str| Level::ALL.map(|level| amount(policy, &tianjin_elder(level), on));
    assert_eq!(amounts(&v2, "2017-03-31"), [0, 15_000, 20_000, 40_000, 40_000]);
    assert_eq!(amounts(&v3, "2017-04-01"), [0, 20_000, 40_000, 60_000, 60_000]);
    assert_eq!(amounts(&v3, "2020-01-15"), [0, 20_000, 40_000, 60_000, 60_000]);
    assert_eq!(amounts(&v2, "2017-04-01"), [0; 5], "the version has ended");
    assert_eq!(amounts(&v3, "2017-03-31"), [0; 5], "the version has not begun");
}

#[test]
fn every_class_of_tianjin_has_its_boundary() {
    let v3 = samples::shipped("tianjin-home-care-v3.toml");
    let elder = |birth: &str, category: Option<Category>, living: Option<Living>| Facts {
        birth_date: Some(date(birth)),
        categories: Some(category.into_iter().collect()),
        living,
        ..tianjin_elder(Level::Mild)
    };
    let poor = |facts: Facts| with_fact(facts, "income_below_minimum_wage", FactValue::Bool(true));
    let rich = |facts: Facts| with_fact(facts, "income_below_minimum_wage", FactValue::Bool(false));
    let old_child = |facts: Facts| with_fact(rural(facts), "only_child_aged_60", FactValue::Bool(true));
    let alone = Some(Living::EmptyNest);
    let family = Some(Living::WithFamily);
    let cases: [(Facts, &str, bool); 18] = [
        (elder("1960-05-02", Some(Category::Dibao), family), "2020-05-02", true),
        (elder("1960-05-03", Some(Category::Dibao), family), "2020-05-02", false),
        (elder("1940-01-01", Some(Category::Tekun), family), "2020-05-02", true),
        (elder("1940-01-01", Some(Category::VeteranCare), family), "2020-05-02", true),
        (elder("1940-01-01", Some(Category::LowIncome), family), "2020-05-02", false),
        (poor(elder("1940-05-02", Some(Category::OnlyChildParent), family)), "2020-05-02", true),
        (poor(elder("1940-05-03", Some(Category::OnlyChildParent), family)), "2020-05-02", false),
        (rich(elder("1930-01-01", Some(Category::ModelWorker), family)), "2020-05-02", false),
        (poor(elder("1930-01-01", Some(Category::ModelWorker), family)), "2020-05-02", true),
        (poor(elder("1930-01-01", None, alone)), "2020-05-02", true),
        (rural(elder("1950-01-01", Some(Category::LowIncome), family)), "2019-11-30", false),
        (rural(elder("1950-01-01", Some(Category::LowIncome), family)), "2019-12-01", true),
        (rural(elder("1950-01-01", Some(Category::Tekun), family)), "2019-12-01", false),
        (rural(elder("1939-12-01", Some(Category::Childless), family)), "2019-12-01", true),
        (rural(elder("1939-12-02", Some(Category::Childless), family)), "2019-12-01", false),
        (old_child(elder("1939-12-01", Some(Category::OnlyChildParent), family)), "2019-12-01", true),
        (rural(elder("1939-12-01", Some(Category::OnlyChildParent), family)), "2019-12-01", false),
        (with_fact(elder("1940-01-01", Some(Category::Dibao), family), "needs_care", FactValue::Bool(false)), "2020-05-02", false),
    ];
    for (place, (facts, on, granted)) in cases.iter().enumerate() {
        let decision = decided(&v3, facts, on);
        assert_eq!(decision.granted, *granted, "case {place}: {:#?}", decision.reasons);
    }
}

#[test]
fn a_refusal_says_why_in_short_codes_of_the_nearest_class() {
    let v3 = samples::shipped("tianjin-home-care-v3.toml");
    let elder = tianjin_elder(Level::Moderate);
    let young = Facts { birth_date: Some(date("1967-06-01")), ..elder.clone() };
    assert_eq!(reasons(&v3, &young, "2026-01-01"), "age:58<60");
    let foreign = Facts { hukou: Some("110101".to_owned()), ..elder.clone() };
    assert_eq!(reasons(&v3, &foreign, "2026-01-01"), "hukou:not_in:12");
    let vague = Facts { hukou: Some("1".to_owned()), ..elder.clone() };
    assert_eq!(reasons(&v3, &vague, "2026-01-01"), "unknown:hukou");
    let able = tianjin_elder(Level::Able);
    assert_eq!(reasons(&v3, &able, "2026-01-01"), "no_amount");
    let unassessed = Facts { level: None, ..elder.clone() };
    assert_eq!(reasons(&v3, &unassessed, "2026-01-01"), "unknown:level");
    let dead = Facts { status: Some(LifeStatus::Dead), ..elder.clone() };
    assert_eq!(reasons(&v3, &dead, "2026-01-01"), "status:excluded:dead");
    assert_eq!(reasons(&v3, &elder, "2016-01-01"), "not_in_force:2016-01-01");
    let wrong_kind = with_fact(elder, "needs_care", FactValue::Int(1));
    assert_eq!(reasons(&v3, &wrong_kind, "2026-01-01"), "invalid:needs_care");
}

#[test]
fn hangzhou_asks_for_level_residence_and_no_other_scheme() {
    let voucher = samples::shipped("national-voucher-2026-hangzhou.toml");
    let decision = decided(&voucher, &hangzhou_elder(), "2026-01-01");
    let grants: Vec<_> = decision.benefits.iter().map(|grant| (grant.benefit.as_str(), grant.amount, grant.share)).collect();
    assert_eq!(grants, [("home-community", 80_000, BasisPoints::new(5_000).ok()), ("institution", 80_000, BasisPoints::new(4_000).ok())]);
    let refused = [
        (Facts { level: Some(Level::Mild), ..hangzhou_elder() }, "2026-01-01", "level<2"),
        (Facts { level: None, ..hangzhou_elder() }, "2026-01-01", "unknown:level"),
        (Facts { residence: Some("310101".to_owned()), ..hangzhou_elder() }, "2026-01-01", "residence:not_in:3301"),
        (Facts { categories: Some(BTreeSet::from([Category::Tekun])), ..hangzhou_elder() }, "2026-01-01", "categories:excluded:tekun"),
        (Facts { categories: None, ..hangzhou_elder() }, "2026-01-01", "unknown:categories"),
        (
            with_fact(hangzhou_elder(), "receives_centralised_care", FactValue::Bool(true)),
            "2026-01-01",
            "receives_centralised_care:excluded:true",
        ),
        (
            Facts { declared: BTreeMap::new(), ..hangzhou_elder() },
            "2026-01-01",
            "unknown:receives_basic_care_uplift;unknown:receives_centralised_care",
        ),
        (hangzhou_elder(), "2025-12-31", "not_in_force:2025-12-31"),
        (hangzhou_elder(), "2027-01-01", "not_in_force:2027-01-01"),
    ];
    for (facts, on, why) in refused {
        assert_eq!(reasons(&voucher, &facts, on), why);
    }
    let hukou_elsewhere = Facts { hukou: Some("110101".to_owned()), ..hangzhou_elder() };
    assert!(decided(&voucher, &hukou_elsewhere, "2026-12-31").granted, "residence counts, not registration");
}

#[test]
fn meals_are_for_eighty_year_olds_and_poor_severely_dependent_ones_outside_institutions() {
    let meals = samples::shipped("tianjin-meals-2022.toml");
    let severe = Facts {
        birth_date: Some(date("1963-06-01")),
        level: Some(Level::Severe),
        categories: Some(BTreeSet::from([Category::LowIncome])),
        ..meals_elder()
    };
    let cases = [
        (meals_elder(), "2023-06-01", ""),
        (meals_elder(), "2023-05-31", "age:79<80"),
        (severe.clone(), "2023-06-01", ""),
        (Facts { level: Some(Level::Moderate), ..severe.clone() }, "2023-06-01", "age:60<80"),
        (Facts { status: Some(LifeStatus::Institution), ..meals_elder() }, "2023-06-01", "status:excluded:institution"),
        (Facts { status: None, ..meals_elder() }, "2023-06-01", "unknown:status"),
        (Facts { level: None, categories: None, ..meals_elder() }, "2023-06-01", ""),
    ];
    for (facts, on, why) in cases {
        assert_eq!(reasons(&meals, &facts, on), why);
    }
}

#[test]
fn a_benefit_can_be_refused_where_another_is_granted() {
    let text = SHENYANG.replacen("amount = 50000", "amounts = [{ level_min = 3, amount = 50000 }]", 1);
    let facts = Facts { birth_date: Some(date("1950-01-01")), level: Some(Level::Moderate), ..Facts::default() };
    let decision = decided(&samples::policy(&text), &facts, "2025-08-01");
    assert!(decision.granted && decision.reasons.is_empty());
    assert_eq!(decision.refused, [BenefitRefusal { benefit: "home".parse().unwrap(), reasons: vec![Reason::NoAmount] }]);
    assert_eq!(decision.benefits.len(), 2);
}

#[test]
fn every_rule_tried_stands_with_its_inputs() {
    let policy = samples::policy(BATHING);
    let facts = Facts { birth_date: Some(date("1970-01-01")), ..Facts::default() };
    let decision = decided(&policy, &facts, "2026-03-01");
    let tried: Vec<_> = decision.rules.iter().map(|rule| (rule.rule.as_str(), rule.inputs.as_str(), rule.verdict)).collect();
    assert_eq!(
        tried,
        [
            ("effective", "on=2026-03-01", Verdict::Pass),
            ("requires.age_min", "age=56", Verdict::Fail),
            ("requires.level_min", "level=?", Verdict::Unknown)
        ]
    );
    let text = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), decision);
}

#[test]
fn start_and_end_follow_the_policy_and_the_working_calendar() {
    let voucher = samples::shipped("national-voucher-2026-hangzhou.toml");
    // 29 and 30 September, then the National Day holiday, then 8, 9 and the make-up Saturday 10 October.
    let facts = Facts { applied_on: Some(date("2026-09-28")), ended_on: Some(date("2026-11-30")), ..hangzhou_elder() };
    let decision = decided(&voucher, &facts, "2026-09-28");
    assert_eq!(decision.effective_from, Some(calendar().add_working_days(date("2026-09-28"), 5).unwrap()));
    assert_eq!(decision.effective_from, Some(date("2026-10-10")));
    assert_eq!(decision.effective_until, Some(date("2026-12-01")));
    assert_eq!(decision.covers(date("2026-10-09")), Err(Reason::NotYet { from: date("2026-10-10") }));
    assert_eq!(decision.covers(date("2026-11-30")), Ok(()));
    assert_eq!(decision.covers(date("2026-12-01")), Err(Reason::Ended { on: date("2026-12-01") }));
    let month = |day: &str| Window::holding(WindowKind::Month, date(day)).unwrap();
    let covered = ["2026-09-01", "2026-10-01", "2026-11-01", "2026-12-01"].map(|day| decision.overlaps(&month(day)));
    assert_eq!(covered, [false, true, true, false]);

    let next_month = samples::policy(&BATHING.replacen("[requires]", "[start]\nrule = \"next_month\"\n\n[requires]", 1));
    let elder = Facts { birth_date: Some(date("1940-01-01")), level: Some(Level::Mild), ..Facts::default() };
    let december = Facts { applied_on: Some(date("2026-12-31")), ended_on: Some(date("2026-12-31")), ..elder };
    let decision = decided(&next_month, &december, "2026-12-31");
    assert_eq!((decision.effective_from, decision.effective_until), (Some(date("2027-01-01")), Some(date("2026-12-31"))));
    assert!(!decision.overlaps(&month("2026-12-01")) && !decision.overlaps(&month("2027-01-01")), "it ended before it began");
}

#[test]
fn every_kind_of_test_passes_fails_and_is_unknown() {
    use crate::resident::{DisabilityKind, Sex};
    let known = Facts {
        birth_date: Some(date("1950-01-01")),
        sex: Some(Sex::Female),
        hukou: Some("120101".to_owned()),
        residence: Some("120102".to_owned()),
        level: Some(Level::Moderate),
        categories: Some(BTreeSet::from([Category::Dibao])),
        living: Some(Living::Alone),
        status: Some(LifeStatus::Alive),
        disability_grade: Some(2),
        disability_kind: Some(DisabilityKind::Limb),
        income_month_fen: Fen::new(200_000).ok(),
        declared: BTreeMap::from([("pension_fen".to_owned(), FactValue::Int(300_000)), ("needs_care".to_owned(), FactValue::Bool(true))]),
        ..Facts::default()
    };
    let cases = [
        ("age_min = 76", "age_min = 77", "age:76<77"),
        ("age_below = 77", "age_below = 76", "age:76>=76"),
        ("sex = \"female\"", "sex = \"male\"", "sex:not_in:male"),
        ("hukou_within = [\"12\", \"31\"]", "hukou_within = [\"120102\"]", "hukou:not_in:120102"),
        ("residence_within = [\"120102\"]", "residence_within = [\"11\"]", "residence:not_in:11"),
        ("level_min = 2", "level_min = 3", "level<3"),
        ("level_max = 2", "level_max = 1", "level>=2"),
        ("levels = [2, 3]", "levels = [3, 4]", "level:not_in:3|4"),
        ("categories_any = [\"dibao\"]", "categories_any = [\"tekun\", \"childless\"]", "categories:not_in:tekun|childless"),
        ("categories_none = [\"tekun\"]", "categories_none = [\"dibao\"]", "categories:excluded:dibao"),
        ("living_any = [\"alone\"]", "living_any = [\"empty_nest\"]", "living:not_in:empty_nest"),
        ("living_none = [\"institution\"]", "living_none = [\"alone\"]", "living:excluded:alone"),
        ("status_any = [\"alive\"]", "status_any = [\"hospital\"]", "status:not_in:hospital"),
        ("status_none = [\"moved\"]", "status_none = [\"alive\"]", "status:excluded:alive"),
        ("disability_grades = [1, 2]", "disability_grades = [1]", "disability_grade:not_in:1"),
        ("disability_kinds = [\"limb\"]", "disability_kinds = [\"vision\"]", "disability_kind:not_in:vision"),
        ("income_month_min_fen = 200000", "income_month_min_fen = 200001", "income_month_fen<200001"),
        ("income_month_below_fen = 200001", "income_month_below_fen = 200000", "income_month_fen>=200000"),
        ("facts = { needs_care = true }", "facts = { needs_care = false }", "needs_care:not_in:false"),
        ("facts_none = { needs_care = false }", "facts_none = { needs_care = true }", "needs_care:excluded:true"),
        ("facts_min = { pension_fen = 300000 }", "facts_min = { pension_fen = 300001 }", "pension_fen<300001"),
        ("facts_below = { pension_fen = 300001 }", "facts_below = { pension_fen = 300000 }", "pension_fen>=300000"),
    ];
    for (passes, fails, why) in cases {
        let asking = |rule: &str| samples::policy(&BATHING.replacen("age_min = 60\nlevel_min = 1", rule, 1));
        assert_eq!(reasons(&asking(passes), &known, "2026-06-01"), "", "{passes}");
        assert_eq!(reasons(&asking(fails), &known, "2026-06-01"), why, "{fails}");
        let nothing = reasons(&asking(passes), &Facts::default(), "2026-06-01");
        assert!(nothing.starts_with("unknown:") && !nothing.contains(';'), "{passes}: {nothing}");
    }
}

#[test]
fn a_value_that_the_declaration_does_not_allow_passes_no_exclusion() {
    let policy = samples::policy(&BATHING.replacen("age_min = 60\nlevel_min = 1", "facts_none = { hukou_kind = \"rural\" }", 1));
    let with = |value: FactValue| reasons(&policy, &with_fact(Facts::default(), "hukou_kind", value), "2026-06-01");
    assert_eq!(with(FactValue::Text("urban".to_owned())), "");
    assert_eq!(with(FactValue::Text("Rural".to_owned())), "invalid:hukou_kind");
    assert_eq!(with(FactValue::Bool(false)), "invalid:hukou_kind");
}

#[test]
fn facts_refuse_unknown_fields_and_never_print_values() {
    let facts: Facts = serde_json::from_str(r#"{"birth_date":"1940-01-01","level":3,"declared":{"needs_care":true}}"#).unwrap();
    assert_eq!(format!("{facts:?}"), "{\"birth_date\", \"level\", \"needs_care\"}");
    assert!(serde_json::from_str::<Facts>(r#"{"levle":3}"#).is_err());
    assert!(serde_json::from_str::<Facts>(r#"{"level":5}"#).is_err());
    assert_eq!(serde_json::from_str::<Facts>(&serde_json::to_string(&facts).unwrap()).unwrap(), facts);
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let category = prop::sample::select(vec![Category::Dibao, Category::LowIncome, Category::Tekun, Category::OnlyChildParent]);
    let declared = ["needs_care", "income_below_minimum_wage", "receives_centralised_care", "receives_basic_care_uplift"];
    (
        (1920_i32..1990, 0_u8..5, prop::collection::btree_set(category, 0..3)),
        (prop::bool::ANY, prop::bool::ANY, prop::collection::vec(prop::bool::ANY, declared.len())),
    )
        .prop_map(move |((year, level, categories), (is_urban, in_hangzhou, truths))| {
            let place = if in_hangzhou { "330106001001" } else { "120101001001" };
            let kind = FactValue::Text(if is_urban { "urban" } else { "rural" }.to_owned());
            let mut facts = Facts {
                birth_date: BusinessDate::from_ymd(year, 6, 1).ok(),
                hukou: Some(place.to_owned()),
                residence: Some(place.to_owned()),
                level: Level::try_from(level).ok(),
                categories: Some(categories),
                living: Some(Living::EmptyNest),
                status: Some(LifeStatus::Alive),
                ..Facts::default()
            };
            facts.declared = declared.iter().zip(truths).map(|(name, truth)| ((*name).to_owned(), FactValue::Bool(truth))).collect();
            facts.declared.insert("hukou_kind".to_owned(), kind);
            facts
        })
}

/// Forgets the facts whose bit is set.
fn forget(facts: &Facts, bits: u32) -> Facts {
    let keeps = |place: u32| bits & (1 << place) == 0;
    let mut less = facts.clone();
    less.birth_date = less.birth_date.filter(|_| keeps(0));
    less.hukou = less.hukou.filter(|_| keeps(1));
    less.residence = less.residence.filter(|_| keeps(2));
    less.level = less.level.filter(|_| keeps(3));
    less.categories = less.categories.filter(|_| keeps(4));
    less.living = less.living.filter(|_| keeps(5));
    less.status = less.status.filter(|_| keeps(6));
    let mut place = 6;
    less.declared.retain(|_, _| {
        place += 1;
        keeps(place)
    });
    less
}

proptest! {
    #[test]
    fn knowing_less_never_grants_more(facts in any_facts(), bits in 0_u32..4_096) {
        let calendar = calendar();
        for policy in Policy::shipped().unwrap() {
            let (from, _) = policy.effective();
            let on = if policy.is_in_force(date("2026-06-01")) { date("2026-06-01") } else { from };
            let all = decide(&policy, &facts, on, &calendar).unwrap();
            let less = decide(&policy, &forget(&facts, bits), on, &calendar).unwrap();
            for grant in &less.benefits {
                prop_assert_eq!(all.grant(&grant.benefit), Some(grant));
            }
            let nothing = decide(&policy, &Facts::default(), on, &calendar).unwrap();
            prop_assert!(!nothing.granted);
        }
    }

    #[test]
    fn more_need_never_gives_less(facts in any_facts()) {
        let v3 = samples::shipped("tianjin-home-care-v3.toml");
        let at = |level| amount(&v3, &Facts { level: Some(level), ..facts.clone() }, "2026-06-01");
        prop_assert!(Level::ALL.map(at).is_sorted());
    }
}
