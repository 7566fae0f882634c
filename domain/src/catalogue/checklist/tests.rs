use super::*;
use crate::policy::Language;

fn shipped() -> Checklists {
    Checklists::shipped().unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn day() -> BusinessDate {
    "2026-12-01".parse().unwrap()
}

fn faults(text: &str) -> Vec<String> {
    Checklists::parse("lists.toml", text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn every_service_has_tasks_of_which_one_is_required() {
    let lists = shipped();
    for item in ItemCode::iter() {
        let tasks = lists.tasks(item, day());
        assert!(tasks.iter().any(|task| task.required), "{item}");
        assert!(tasks.iter().all(|task| !task.title.get(Language::Zh).is_empty()));
    }
    assert!(lists.tasks(ItemCode::Bathing, "1999-12-31".parse().unwrap()).is_empty(), "before the rules");
}

#[test]
fn bathing_a_disabled_resident_needs_checks_and_other_services_do_not() {
    let lists = shipped();
    let rule = lists.safety(ItemCode::Bathing, day()).unwrap();
    assert!(rule.is_needed(Some(Level::Mild), false) && rule.is_needed(Some(Level::Total), false));
    assert!(rule.is_needed(None, false), "an unknown level is treated as bad");
    assert!(rule.is_needed(Some(Level::Able), true), "a recognised disability");
    assert!(!rule.is_needed(Some(Level::Able), false));
    for item in ItemCode::iter().filter(|item| *item != ItemCode::Bathing) {
        assert!(lists.safety(item, day()).is_none(), "{item}");
    }
}

#[test]
fn the_limits_of_a_bath_are_those_of_practice() {
    let lists = shipped();
    let rule = lists.safety(ItemCode::Bathing, day()).unwrap();
    let limits = |code: &str| rule.measures().iter().find(|measure| measure.code == code).map(|one| (one.ok_min, one.ok_max)).unwrap();
    // Water 38 to 42 °C, room 24 to 28 °C, not within an hour of a meal.
    assert_eq!(limits("water_temperature"), (380, 420));
    assert_eq!(limits("room_temperature"), (240, 280));
    assert_eq!(limits("minutes_after_meal").0, 60);
    let stops = |code: &str| rule.questions().iter().any(|one| one.code == code && !one.ok && one.otherwise == Consequence::Stop);
    assert!(stops("open_wound"));
}

#[test]
fn every_fault_of_a_file_is_named_with_its_line_and_cure() {
    let text = r#"format = 1
[[checklists]]
item = "bathing"
effective_from = 2000-01-01
tasks = [
  { code = "Bath", title = { zh = "浴", en = "Bath" }, required = true },
  { code = "skin", title = { zh = "皮", en = "Skin" }, required = true, value = { unit = "minutes", min = 9, max = 1 } },
  { code = "dry", title = { zh = "擦", en = "Dry" }, required = true, colour = "red" },
]
[[safety]]
item = "bathing"
effective_from = 2000-01-01
level_min = 9
minutes_valid = 30
measures = [ { code = "pulse", title = { zh = "脉", en = "Pulse" }, unit = "per_minute", min = 20, max = 220, ok_min = 110, ok_max = 50, outside = "stop" } ]
answers = [ { code = "wound", title = { zh = "伤", en = "Wound" }, ok = false, otherwise = "wait" } ]
"#;
    let found = faults(text);
    for wanted in [
        "lists.toml:6: checklists[0].tasks[0].code: not a code",
        "lists.toml:7: checklists[0].tasks[1].value.max: below min",
        "colour",
        "level_min: number out of range",
        "ok_max: limits in the wrong order",
        "otherwise: wrong code",
        "no checklist for meal",
    ] {
        assert!(found.iter().any(|fault| fault.contains(wanted)), "{wanted}: {found:#?}");
    }
}

#[test]
fn two_checklists_of_one_service_do_not_hold_on_one_day() {
    let list = |from: &str| {
        format!(
            "[[checklists]]\nitem = \"meal\"\neffective_from = {from}\ntasks = [{{ code = \"a\", title = {{ zh = \"一\", en = \"a\" }}, required = true }}]\n"
        )
    };
    let found = faults(&format!("format = 1\n{}{}", list("2026-01-01"), list("2026-06-01")));
    assert!(found.iter().any(|fault| fault.contains("two of meal hold on one day")), "{found:#?}");
}
