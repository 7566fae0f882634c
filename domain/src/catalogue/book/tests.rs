use super::*;
use crate::catalogue::{CertificateKind, LicenceKind, Quantity, ServiceClass};

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

fn shipped() -> Catalogue {
    Catalogue::shipped().unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn item(catalogue: &Catalogue, code: ItemCode) -> &CatalogueItem {
    catalogue.item(code, date("2026-11-23")).unwrap()
}

#[test]
fn every_service_has_rules_that_one_can_book_by() {
    let catalogue = shipped();
    for code in ItemCode::iter() {
        let item = item(&catalogue, code);
        assert!(item.minutes_min() <= item.minutes_default() && item.minutes_default() <= item.minutes_max(), "{code}");
        assert!(!item.licences().is_empty() && !item.certificates().is_empty() && !item.classes().is_empty(), "{code}");
    }
}

#[test]
fn bathing_a_severely_dependent_resident_at_home_needs_two_carers() {
    let catalogue = shipped();
    let bathing = item(&catalogue, ItemCode::Bathing);
    let needed = |class, level| bathing.staff_needed(class, level);
    assert_eq!(needed(ServiceClass::Home, Some(Level::Moderate)), 1);
    assert_eq!(needed(ServiceClass::Home, Some(Level::Severe)), 2);
    assert_eq!(needed(ServiceClass::Home, Some(Level::Total)), 2);
    assert_eq!(needed(ServiceClass::Home, None), 2, "an unknown level is served as if it were severe");
    assert_eq!(needed(ServiceClass::Community, Some(Level::Total)), 1);
}

#[test]
fn licences_and_certificates_are_those_of_the_service() {
    let catalogue = shipped();
    assert!(item(&catalogue, ItemCode::Meal).licences().contains(&LicenceKind::Catering));
    assert!(item(&catalogue, ItemCode::DayCare).licences().contains(&LicenceKind::DayCare));
    assert!(item(&catalogue, ItemCode::Rehabilitation).certificates().contains(&CertificateKind::Therapist));
    assert!(item(&catalogue, ItemCode::Bathing).certificates().contains(&CertificateKind::HealthProof));
}

#[test]
fn a_meal_may_lie_inside_day_care_and_two_baths_may_not_lie_in_one_another() {
    let catalogue = shipped();
    let overlap = |one, other| catalogue.may_overlap(one, other, date("2026-11-23"));
    assert!(overlap(ItemCode::Meal, ItemCode::DayCare) && overlap(ItemCode::DayCare, ItemCode::Meal));
    assert!(!overlap(ItemCode::Bathing, ItemCode::Bathing));
    assert!(!overlap(ItemCode::Bathing, ItemCode::Meal));
}

#[test]
fn minutes_used_are_the_smaller_of_presence_and_booking() {
    let catalogue = shipped();
    let cleaning = item(&catalogue, ItemCode::Cleaning);
    let quantity: Quantity = "1.5".parse().unwrap();
    assert_eq!(cleaning.minutes_booked(quantity), 90);
    assert_eq!(cleaning.minutes_used(100, quantity), 90);
    assert_eq!(cleaning.minutes_used(80, quantity), 80);
}

#[test]
fn every_fault_of_a_catalogue_names_line_rule_and_cure() {
    let cases = [
        ("unit = \"meal\"\n", "unit = \"bowl\" #!\n", "items[0].unit", "\"hour\""),
        ("staff = 1\n", "staff = 0 #!\n", "items[0].staff", "from 1"),
        ("minutes_default = 30\n", "minutes_default = 3 #!\n", "items[0].minutes_default", "minutes_min <= minutes_default"),
        ("licences = [\"catering\"]", "licences = [\"cook\"] #!", "items[0].licences[0]", "\"home_service\""),
        (
            "code = \"bathing\"\neffective_from = 2000-01-01",
            "code = \"meal\"\neffective_from = 2000-01-01 #!",
            "items[1].effective_from",
            "effective_until",
        ),
        (
            "class = \"home\", level_min = 3, staff = 2",
            "staff = 2 }, #!\n{ class = \"home\", staff = 2",
            "items[1].staff_rules[0].staff",
            "level_min",
        ),
        ("format = 1\n", "format = 1\ncolour = 1 #!\n", "colour", "use one of format, items"),
    ];
    for (from, to, rule, cure) in cases {
        assert!(TEXT.contains(from), "{from}");
        let text = TEXT.replacen(from, to, 1);
        let faults = Catalogue::parse("c.toml", &text).expect_err(rule);
        let line = text.lines().position(|line| line.contains("#!")).map(|place| place + 1);
        let fault = faults.iter().find(|fault| fault.rule == rule).unwrap_or_else(|| panic!("{rule}: {faults:#?}"));
        assert_eq!(Some(fault.line), line, "{fault}");
        assert!(fault.cure.contains(cure), "{fault}");
    }
    let none = Catalogue::parse("c.toml", "format = 1\nitems = []").expect_err("no items");
    assert!(none.iter().any(|fault| fault.message.contains("no rules for bathing")), "{none:#?}");
}
