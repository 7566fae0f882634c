use domain::id::OrderId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Booking {
    #[validate(length(min = 1, max = 5))]
    note: String,
    quantity: u32,
    #[schema(value_type = String)]
    order_id: OrderId,
    method: Method,
    comment: Option<String>,
    #[validate(nested)]
    items: Vec<Item>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Method {
    Cash,
    Card,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Item {
    #[validate(range(min = 1, max = 9))]
    count: u8,
    code: String,
}

const GOOD: &str =
    r#"{"note":"a","quantity":1,"order_id":"ord_018bcfe5680070000707070707070707","method":"cash","items":[{"count":1,"code":"x"}]}"#;

fn faults_of(body: &str) -> Vec<(String, String, String)> {
    let problem = read::<Booking>(body.as_bytes()).unwrap_err();
    let text = format!("{problem:?}");
    assert!(!text.contains("11010519"), "a value was repeated: {text}");
    problem.errors().iter().map(|fault| (fault.field.clone(), fault.code.clone(), fault.cure.clone())).collect()
}

fn places(faults: &[(String, String, String)]) -> Vec<(&str, &str)> {
    faults.iter().map(|(field, code, _)| (field.as_str(), code.as_str())).collect()
}

#[test]
fn a_good_body_is_read() {
    let booking: Booking = read(GOOD.as_bytes()).unwrap();
    assert_eq!((booking.quantity, booking.method, booking.comment), (1, Method::Cash, None));
}

#[test]
fn all_mistyped_unknown_and_missing_fields_are_named_at_once() {
    let faults = faults_of(
        r#"{"quantity":"110105194912310021","order_id":"110105194912310021","method":"110105194912310021","extra":"110105194912310021",
            "note":7,"other":1,"items":[{"count":-1,"code":2,"x":1}]}"#,
    );
    let mut places = places(&faults);
    places.sort_unstable();
    assert_eq!(
        places,
        [
            ("extra", "field.unknown"),
            ("items.0.code", "field.type"),
            ("items.0.count", "field.value"),
            ("items.0.x", "field.unknown"),
            ("method", "field.value"),
            ("note", "field.type"),
            ("order_id", "field.value"),
            ("other", "field.unknown"),
            ("quantity", "field.type"),
        ]
    );
    let cure = |field: &str| faults.iter().find(|fault| fault.0 == field).unwrap().2.clone();
    assert_eq!(cure("method"), "write cash or card");
    assert_eq!(cure("quantity"), "write a whole number from 0 up");
    assert_eq!(cure("order_id"), "not an id of the form ord_<32 hexadecimal digits>");
}

#[test]
fn missing_fields_are_named_beside_mistyped_ones() {
    let faults = faults_of(r#"{"quantity":"x","items":[]}"#);
    let wanted = [("note", "field.missing"), ("order_id", "field.missing"), ("method", "field.missing"), ("quantity", "field.type")];
    assert_eq!(places(&faults), wanted);
    let faults = faults_of(&GOOD.replace(r#""count":1,"#, ""));
    assert_eq!(places(&faults), [("items.0.count", "field.missing")]);
}

#[test]
fn doubled_fields_are_refused_at_any_depth() {
    let faults = faults_of(r#"{"note":"a","note":"b","items":[{"count":1,"count":2,"code":"x"}]}"#);
    assert_eq!(places(&faults), [("note", "field.doubled"), ("items.0.count", "field.doubled")]);
}

#[test]
fn broken_shape_rules_are_named_with_their_limits() {
    let faults = faults_of(&GOOD.replace(r#""note":"a""#, r#""note":"too long""#).replace(r#""count":1"#, r#""count":10"#));
    assert_eq!(places(&faults), [("items.0.count", "field.range"), ("note", "field.length")]);
    assert_eq!(faults[1].2, "use 1 to 5 characters or entries");
}

#[test]
fn text_that_is_not_json_is_malformed_and_other_values_are_not_objects() {
    for wrong in ["", "{", "{\"note\": }", "{}x", "\u{feff}{}", "{\"a\":01}", &"[".repeat(5_000)] {
        assert_eq!(read::<Booking>(wrong.as_bytes()).unwrap_err().code(), "request.malformed", "{wrong}");
    }
    assert_eq!(read::<Booking>(b"\xff").unwrap_err().code(), "request.malformed");
    for other in ["[]", r#"["a",1,"ord_018bcfe5680070000707070707070707","cash",null,[]]"#, "3", "null", "\"110105194912310021\""] {
        assert_eq!(places(&faults_of(other))[0].1, "field.type", "{other}");
    }
}

#[test]
fn eighty_five_thousand_unknown_fields_are_refused_at_once() {
    let body = format!("{{{}}}", (0..85_000).map(|place| format!("\"k{place}\":1")).collect::<Vec<_>>().join(","));
    let begin = std::time::Instant::now();
    assert_eq!(places(&faults_of(&body)), [("", "field.count")]);
    assert!(begin.elapsed().as_secs() < 3, "{:?}", begin.elapsed());
}

#[test]
fn no_body_of_the_longest_length_takes_long() {
    let letters = |mut place: usize| {
        let mut name = String::from("k_");
        for _ in 0..4 {
            name.push(char::from(b'a' + u8::try_from(place % 26).unwrap()));
            place /= 26;
        }
        name
    };
    let unknown = (0..9_900).map(|place| format!("\"{}\":1", letters(place))).collect::<Vec<_>>().join(",");
    let entries = vec!["{\"a\":1}"; 4_900].join(",");
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for body in [
        format!("{{{unknown}}}"),
        format!("{{{unknown},\"note\":\"{}\"}}", "x".repeat(900_000)),
        GOOD.replace(r#"{"count":1,"code":"x"}"#, &entries),
        GOOD.replace(r#""a""#, &format!("[\"{}\"]", "\\u0001".repeat(170_000))),
        format!("{{\"note\":{deep},\"quantity\":\"{}\"}}", "x".repeat(1_000_000)),
        format!("{{\"note\":\"{}\"}}", ",[{".repeat(340_000)),
    ] {
        let begin = std::time::Instant::now();
        let faults = faults_of(&body);
        assert!(faults.len() <= 101 && !faults.iter().any(|fault| fault.1 == "field.count"), "{:?}", faults.first());
        assert!(begin.elapsed().as_secs() < 3, "{:?} for {}", begin.elapsed(), body.get(..40).unwrap());
    }
}

#[test]
fn all_unknown_fields_are_found_by_one_reading_and_counted() {
    let extra: Vec<String> =
        (b'a'..=b'z').flat_map(|a| (b'a'..=b'e').map(move |b| format!("\"x_{}{}\":1", char::from(a), char::from(b)))).collect();
    let faults = faults_of(&GOOD.replace(r#"{"note""#, &format!("{{{},\"note\"", extra.join(","))));
    assert_eq!(faults.len(), 101);
    assert!(faults[..100].iter().all(|fault| fault.1 == "field.unknown"));
    assert_eq!(faults[100], (String::new(), "field.more".to_owned(), "and 30 more; cure the fields above first".to_owned()));
}

#[test]
fn an_unknown_field_that_may_be_personal_is_not_named() {
    let nameless = ["110105194912310021", "Zhang", "a b", "张三", "", "x1", &"x".repeat(41)];
    for name in nameless {
        let faults = faults_of(&GOOD.replace(r#"{"note""#, &format!("{{\"{name}\":1,\"note\"")));
        assert_eq!(places(&faults), [("(unknown field)", "field.unknown")], "{name}");
        let doubled = faults_of(&format!("{{\"110105194912310021\":{{\"{name}\":1,\"{name}\":2}}}}"));
        assert!(doubled[0].0.starts_with("(unknown field)."), "{doubled:?}");
    }
}

#[test]
fn nul_is_refused_in_every_text_and_name() {
    let faults = faults_of(&GOOD.replace(r#""note":"a""#, r#""note":"a\u0000""#).replace(r#""x""#, r#""\u0000""#));
    assert_eq!(places(&faults), [("note", "field.nul"), ("items.0.code", "field.nul")]);
    let faults = faults_of(&GOOD.replace(r#"{"note""#, r#"{"a\u0000":1,"note""#));
    assert_eq!(places(&faults), [("(unknown field)", "field.nul")]);
}
