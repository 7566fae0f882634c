use proptest::prelude::*;

use super::{samples::BATHING, *};

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

/// Replaces one passage of the sample; the passage must be there, so that no case tests nothing.
fn edited(from: &str, to: &str) -> String {
    assert!(BATHING.contains(from), "the sample has no {from:?}");
    BATHING.replacen(from, to, 1)
}

/// Parses a text that has exactly one fault, in the line that bears the mark `#!`.
fn only_fault(text: &str) -> PolicyFault {
    let faults = Policy::parse("city.toml", text).expect_err("the text is faulty");
    assert_eq!(faults.len(), 1, "{faults:#?}");
    let fault = faults.into_iter().next().unwrap();
    let marked = text.lines().position(|line| line.contains("#!")).map(|place| place + 1);
    assert_eq!(Some(fault.line), marked, "line of {fault}");
    fault
}

/// Edit of the sample, with the faulty line marked; the rule, a part of the message, and a part of the cure.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[test]
fn each_fault_of_the_head_names_line_rule_and_cure() {
    const CASES: [Case; 15] = [
        ("order_of_use = 10", "order_of_use = 10\nroundnig = \"up\" #!", "roundnig", "unknown key roundnig", "rounding"),
        ("format = 1", "format = 2 #!", "format", "out of range", "from 1 to 1"),
        ("\"sample-bathing\"", "\"Sample Bathing\" #!", "programme", "wrong code", "city-home-care"),
        ("version = \"v1\"", "version = \"V 1\" #!", "version", "wrong version name", "\"v3\""),
        ("division = \"1201\"", "division = \"120\" #!", "division", "not a division prefix", "2, 4, 6, 9 or 12"),
        ("division = \"1201\"", "division = 1201 #!", "division", "a whole number where a text", "a text in quotes"),
        ("effective_from = 2026-01-01", "effective_from = \"2026-02-30\" #!", "effective_from", "not a date", "2026-01-31"),
        ("effective_from = 2026-01-01", "effective_from = 2026-01-01T08:00:00 #!", "effective_from", "not a date", "2026-01-31"),
        (
            "order_of_use = 10",
            "effective_until = 2026-01-01 #!\norder_of_use = 10",
            "effective_until",
            "not after effective_from",
            "no longer in force",
        ),
        ("rounding = \"half_up\"", "rounding = \"nearest\" #!", "rounding", "wrong code", "\"half_even\""),
        ("[source]\nname = \"Worked example\"", "[source] #!", "source.name", "missing", "add name"),
        ("name = \"Worked example\"", "name = \" \" #!", "source.name", "empty text", "fill it in"),
        ("knowledge = \"confirmed\"", "knowledge = \"sure\" #!", "source.knowledge", "wrong code", "\"reported\""),
        ("knowledge = \"confirmed\"", "knowledge = \"confirmed\"\ndate = \"soon\" #!", "source.date", "not a date", "2026-01-31"),
        ("[requires]", "[start] #!\nrule = \"working_days\"\n[requires]", "start.days", "missing", "days = 5"),
    ];
    check(&CASES);
}

#[test]
fn each_fault_of_facts_and_conditions_names_line_rule_and_cure() {
    const CASES: [Case; 15] = [
        (
            "needs_care = { of = \"resident\", kind = \"bool\" }",
            "level = { of = \"resident\", kind = \"int\" } #!",
            "facts.level",
            "fixed fact",
            "without declaring",
        ),
        ("kind = \"bool\" }", "kind = \"yes\" } #!", "facts.needs_care.kind", "wrong code", "\"bool\""),
        (
            "kind = \"text\", values = [\"urban\", \"rural\"] }",
            "kind = \"text\" } #!",
            "facts.hukou_kind.kind",
            "without its values",
            "add values",
        ),
        ("age_min = 60", "age_min = 600 #!", "requires.age_min", "out of range", "from 0 to 150"),
        ("age_min = 60", "age_min = 60.5 #!", "requires.age_min", "with decimals", "a whole number"),
        ("[requires]\nage_min = 60", "[requires]\nage_min = 60\nage_below = 60 #!", "requires.age_below", "no age", "raise age_below"),
        ("level_min = 1", "level_min = 5 #!", "requires.level_min", "out of range", "from 0 to 4"),
        ("level_min = 1", "categories_any = [\"poor\"]#!", "requires.categories_any[0]", "wrong code", "\"dibao\""),
        ("level_min = 1", "categories_any = [] #!", "requires.categories_any", "empty list", "at least one"),
        ("level_min = 1", "status_none = [\"dead\", \"dead\"] #!", "requires.status_none", "twice", "once"),
        ("level_min = 1", "hukou_within = [\"123\"] #!", "requires.hukou_within", "not a division prefix", "\"12\""),
        ("level_min = 1", "facts = { is_poor = true } #!", "requires.facts.is_poor", "not declared", "under [facts]"),
        ("level_min = 1", "facts = { needs_care = 1 } #!", "requires.facts.needs_care", "cannot have", "true or false"),
        ("level_min = 1", "facts = { hukou_kind = \"city\" } #!", "requires.facts.hukou_kind", "cannot have", "rural, urban"),
        (
            "level_min = 1",
            "facts_min = { needs_care = 1 } #!",
            "requires.facts_min.needs_care",
            "not declared as a number",
            "kind = \"int\"",
        ),
    ];
    check(&CASES);
}

#[test]
fn each_fault_of_funds_names_line_rule_and_cure() {
    const CASES: [Case; 6] = [
        (
            "weight = 1\n\n[[funds]]\ncode = \"district\"",
            "weight = 1\n\n[[funds]]\ncode = \"city\" #!",
            "funds[1].code",
            "fund city stands twice",
            "its own code",
        ),
        ("weight = 1", "weight = 0 #!", "funds[0].weight", "out of range", "from 1"),
        ("weight = 1", "weight = -1 #!", "funds[0].weight", "out of range", "from 1"),
        (
            "[[funds]]\ncode = \"city\"",
            "[[funds]]\npercent = 50 #!\ncode = \"city\"",
            "funds[0].percent",
            "not exactly one part",
            "one of percent",
        ),
        (
            "[[funds]]\ncode = \"city\"\ntitle = { zh = \"市级\", en = \"City\" }\nweight = 1",
            "[[funds]] #!\ncode = \"city\"\ntitle = { zh = \"市级\", en = \"City\" }\nfixed_fen = 100",
            "funds",
            "different kinds",
            "one rest",
        ),
        ("title = { zh = \"市级\", en = \"City\" }", "title = { zh = \"市级\" } #!", "funds[0].title.en", "missing", "add en"),
    ];
    check(&CASES);
}

#[test]
fn bounds_between_which_nothing_lies_are_refused() {
    for (bounds, rule) in [
        ("level_min = 3\nlevel_max = 2 #!", "requires.level_max"),
        ("income_month_min_fen = 200000\nincome_month_below_fen = 200000 #!", "requires.income_month_below_fen"),
    ] {
        assert_eq!(only_fault(&edited("age_min = 60\nlevel_min = 1", bounds)).rule, rule);
    }
    assert!(Policy::parse("city.toml", &edited("level_min = 1", "level_min = 2\nlevel_max = 2")).is_ok());
}

#[test]
fn percentages_of_funds_must_make_a_whole() {
    let text = BATHING.replace("weight = 1", "percent = 49").replacen("[[funds]]", "[[funds]] #!", 1);
    let fault = only_fault(&text);
    assert_eq!((fault.rule.as_str(), fault.message.as_str()), ("funds", "the funds' percentages add up to 98.00"));
    assert_eq!(fault.cure, "make them add up to 100");
    let thirds = BATHING.replacen("weight = 1", "percent = \"33.33\"", 1).replacen("weight = 1", "percent = \"66.67\"", 1);
    assert!(Policy::parse("city.toml", &thirds).is_ok());
}

#[test]
fn each_fault_of_benefits_names_line_rule_and_cure() {
    const CASES: [Case; 17] = [
        ("unit = \"fen\"", "unit = \"yuan\" #!", "benefits[0].unit", "wrong code", "\"fen\""),
        ("window = \"month\"", "window = \"fortnight\" #!", "benefits[0].window", "wrong code", "\"quarter\""),
        ("amount = 80000", "amount = 0 #!", "benefits[0].amount", "out of range", "from 1"),
        ("amount = 80000", "amount = 800.00 #!", "benefits[0].amount", "with decimals", "a whole number"),
        ("items = [\"bathing\"]", "items = [\"spa\"] #!", "benefits[0].items[0]", "wrong code", "\"bathing\""),
        ("classes = [\"home\"]", "classes = \"home\" #!", "benefits[0].classes", "a text where a list", "square brackets"),
        ("share_percent = 50", "share_percent = 101 #!", "benefits[0].share_percent", "out of range", "from 0 to 100"),
        ("share_percent = 50", "share_percent = \"33.333\" #!", "benefits[0].share_percent", "not a percentage", "\"33.33\""),
        ("share_percent = 50", "share_percent = 50 #!\nper_unit_fen = 300", "benefits[0].share_percent", "beside a fixed amount", "either"),
        ("share_of = \"own_paid\"", "share_of = \"rest\" #!", "benefits[0].share_of", "wrong code", "\"own_paid\""),
        ("[[benefits]]\ncode", "[[benefits]]\nmeals = [\"lunch\"] #!\ncode", "benefits[0].meals", "does not pay for meals", "remove"),
        (
            "[[benefits]]\ncode",
            "[[benefits]]\nstandard_price = true #!\ncode",
            "benefits[0].standard_price",
            "standard_price_fen of the visit is not declared",
            "of = \"visit\"",
        ),
        (
            "[[benefits]]\ncode",
            "[[benefits]]\nexclusive_with = [\"bathing\"] #!\ncode",
            "benefits[0].exclusive_with",
            "excludes itself",
            "another",
        ),
        (
            "[[benefits]]\ncode",
            "[[benefits]]\nexclusive_with = [\"spa\"] #!\ncode",
            "benefits[0].exclusive_with",
            "no benefit spa",
            "another",
        ),
        ("amount = 80000", "amount = 80000 #!\namounts = [{ amount = 1 }]", "benefits[0].amount", "beside a table", "either"),
        (
            "amount = 80000",
            "amounts = [\n{ levels = [1], amount = 1 },\n{ levels = [1], age_min = 80, amount = 2 }, #!\n]",
            "benefits[0].amounts",
            "row 2 can never decide",
            "wider row",
        ),
        (
            "unit = \"fen\"\nwindow = \"month\"\namount = 80000",
            "unit = \"minutes\"\nwindow = \"day\"\namount = 1441 #!",
            "benefits[0].amount",
            "cannot hold 1441 minutes",
            "at most 1440",
        ),
    ];
    check(&CASES);
}

fn check(cases: &[Case]) {
    for (from, to, rule, message, cure) in cases {
        let fault = only_fault(&edited(from, to));
        assert_eq!(fault.rule, *rule, "{fault}");
        assert!(fault.message.contains(message), "{fault}");
        assert!(fault.cure.contains(cure), "{fault}");
    }
}

#[test]
fn all_faults_of_a_file_come_at_once_in_order_of_line() {
    let text = edited("order_of_use = 10", "order_of_use = -1").replace("unit = \"fen\"", "unit = \"yuan\"").replace("name = ", "nmae = ");
    let faults = Policy::parse("city.toml", &text).expect_err("the text is faulty");
    let rules: Vec<_> = faults.iter().map(|fault| fault.rule.as_str()).collect();
    assert_eq!(rules, ["order_of_use", "source.name", "source.nmae", "benefits[0].unit"]);
    assert!(faults.is_sorted_by_key(|fault| fault.line));
    assert_eq!(faults[0].to_string(), "city.toml:8: order_of_use: number out of range; write a whole number from 0 to 1000000");
}

#[test]
fn a_text_that_is_not_toml_is_refused_with_its_line() {
    for (text, line) in
        [("format = 1\nprogramme = \"a", 2), ("format = 1\nformat = 1\n", 2), ("= 1", 1), ("effective_from = 2026-02-30", 1)]
    {
        let faults = Policy::parse("city.toml", text).expect_err("not TOML");
        assert_eq!((faults[0].rule.as_str(), faults[0].line), ("toml", line), "{faults:?}");
    }
    assert!(Policy::parse("city.toml", "").is_err());
    let nested = format!("a = {}", "[".repeat(100_000));
    assert!(Policy::parse("city.toml", &nested).is_err());
    let huge = Policy::parse("city.toml", &"#\n".repeat(200_000)).expect_err("too large");
    assert_eq!(huge[0].rule, "file");
}

#[test]
fn a_missing_source_is_refused() {
    let without = edited("[source]\nname = \"Worked example\"\nknowledge = \"confirmed\"\n", "");
    let faults = Policy::parse("city.toml", &without).expect_err("no source");
    assert_eq!(faults.len(), 1);
    assert_eq!((faults[0].rule.as_str(), faults[0].line), ("source", 1));
    assert!(faults[0].cure.contains("add source"), "{}", faults[0]);
}

#[test]
fn fixed_parts_of_funds_must_fit_into_what_is_given() {
    let fixed = |first: &str, second: &str| BATHING.replacen("weight = 1", first, 1).replacen("weight = 1", second, 1);
    assert!(Policy::parse("city.toml", &fixed("fixed_fen = 20000", "rest = true")).is_ok());
    let too_much = fixed("fixed_fen = 80001", "rest = true").replace("[[benefits]]", "[[benefits]] #!");
    assert_eq!(only_fault(&too_much).rule, "benefits[0].funds");
    let no_rest = fixed("fixed_fen = 20000", "fixed_fen = 20000").replacen("[[funds]]", "[[funds]] #!", 1);
    assert_eq!(only_fault(&no_rest).message, "0 funds pay the rest");
}

#[test]
fn fixed_parts_are_divided_in_the_proportion_of_the_full_amount() {
    let text = BATHING.replacen("weight = 1", "fixed_fen = 20000", 1).replacen("weight = 1", "rest = true", 1);
    let policy = samples::policy(&text);
    let benefit = &policy.benefits()[0];
    let parts = policy.split_over_funds(benefit, Fen::new(6_000).unwrap(), 80_000).unwrap();
    assert_eq!(parts.iter().map(|(_, part)| part.get()).collect::<Vec<_>>(), [1_500, 4_500]);
}

#[test]
fn the_shipped_files_are_clean_and_name_their_sources() {
    let book = PolicyBook::shipped().unwrap_or_else(|faults| panic!("{faults:#?}"));
    let policies = Policy::shipped().unwrap();
    assert_eq!(policies.len(), Policy::shipped_texts().len());
    for policy in &policies {
        assert!(!policy.source().name().is_empty());
        assert!(!policy.title(Language::Zh).is_empty() && !policy.title(Language::En).is_empty());
        assert_eq!(book.version(policy.programme(), policy.version()).map(Policy::file), Some(policy.file()));
    }
    let programmes: Vec<_> = book.programmes().map(ProgrammeCode::as_str).collect();
    assert_eq!(programmes, ["national-voucher-hangzhou", "national-voucher-tianjin", "tianjin-home-care", "tianjin-meals"]);
}

#[test]
fn the_book_finds_the_version_of_a_day() {
    let book = PolicyBook::shipped().unwrap();
    let home_care: ProgrammeCode = "tianjin-home-care".parse().unwrap();
    let version = |day: &str| book.in_force(&home_care, date(day)).map(Policy::version);
    assert_eq!(version("2017-02-28"), None);
    assert_eq!(version("2017-03-31"), Some("v2"));
    assert_eq!(version("2017-04-01"), Some("v3"));
    assert_eq!(version("2026-11-23"), Some("v3"));
    let meals_first: Vec<_> = book.all_in_force(date("2026-06-01")).iter().map(|policy| policy.programme().as_str()).collect();
    assert_eq!(meals_first, ["tianjin-meals", "tianjin-home-care", "national-voucher-hangzhou", "national-voucher-tianjin"]);
    let voucher: ProgrammeCode = "national-voucher-hangzhou".parse().unwrap();
    assert!(book.in_force(&voucher, date("2026-12-31")).is_some());
    assert!(book.in_force(&voucher, date("2027-01-01")).is_none());
}

#[test]
fn a_version_without_an_end_is_in_force_until_the_next_begins() {
    let first = samples::policy(BATHING);
    let second = samples::policy(&edited("effective_from = 2026-01-01", "effective_from = 2026-07-01").replace("\"v1\"", "\"v2\""));
    let book = PolicyBook::new([second, first.clone()]).unwrap();
    assert_eq!(book.effective(&first), (date("2026-01-01"), Some(date("2026-07-01"))));
    let version = |day: &str| book.in_force(first.programme(), date(day)).map(Policy::version);
    assert_eq!((version("2026-06-30"), version("2026-07-01")), (Some("v1"), Some("v2")));
}

#[test]
fn overlapping_versions_are_refused_with_line_rule_and_cure() {
    let first = edited("order_of_use = 10", "effective_until = 2027-01-01\norder_of_use = 10");
    let second = BATHING.replace("\"v1\"", "\"v2\"").replace("effective_from = 2026-01-01", "effective_from = 2026-12-31");
    let parse = |file: &str, text: &str| Policy::parse(file, text).unwrap();
    let faults = PolicyBook::new([parse("b.toml", &second), parse("a.toml", &first)]).expect_err("they overlap");
    assert_eq!(
        faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "b.toml:7: effective_from: version v2 overlaps version v1 of sample-bathing; begin on 2027-01-01 or later, or end v1 in a.toml earlier"
        ]
    );
    let touching = second.replace("2026-12-31", "2027-01-01");
    assert!(PolicyBook::new([parse("a.toml", &first), parse("b.toml", &touching)]).is_ok());
    let twins = PolicyBook::new([parse("a.toml", BATHING), parse("b.toml", BATHING)]).expect_err("the same version twice");
    assert_eq!(twins.iter().map(|fault| fault.rule.as_str()).collect::<Vec<_>>(), ["effective_from", "version"]);
}

proptest! {
    #[test]
    fn a_damaged_file_is_refused_or_read_and_never_breaks_the_reader(
        at in 0_usize..4_000,
        cut in 0_usize..40,
        put in "[\\[\\]{}=,.\"0-9a-z_ \\n-]{0,12}",
    ) {
        for (file, text) in Policy::shipped_texts() {
            let chars: Vec<char> = text.chars().collect();
            let at = at.min(chars.len());
            let damaged: String = chars[..at].iter().copied().chain(put.chars()).chain(chars[at..].iter().copied().skip(cut)).collect();
            if let Err(faults) = Policy::parse(file, &damaged) {
                prop_assert!(!faults.is_empty());
                let lines = damaged.lines().count() + 1;
                for fault in faults {
                    prop_assert!((1..=lines).contains(&fault.line) && !fault.rule.is_empty() && !fault.cure.is_empty(), "{fault}");
                }
            }
        }
    }
}
