//! Sheets of what a city has already: looked at, taken over whole or not at all, and never twice.
#![cfg(test)]

use serde_json::{Value, json};
use tests::{
    desk::{Desk, faults},
    on_each_database,
    served::Served,
};

const RESIDENTS: &str = "number,name,phone,hukou,residence,living,categories,facts,address,level,level_assessed_on,level_valid_until\n\
    12010119400229002X,王淑兰,13800001234,120101001001,120101001001,alone,none,receives_centralised_care=false;receives_basic_care_uplift=false,示范里1号楼1门101,3,2025-06-01,2027-06-01\n\
    120101194501010010,王秀英,,120101001001,120101002002,with_spouse,,,,,,\n";
const ENTITLEMENTS: &str = "number,programme,benefit,effective_from,used\n\
    12010119400229002X,national-voucher-tianjin,home-community,2026-03-01,250.00\n";

fn sheet(kind: &str, csv: &str) -> Value {
    json!({ "kind": kind, "csv": csv })
}

fn counts(answer: &Value) -> (u64, u64) {
    (answer["new"].as_u64().unwrap(), answer["same"].as_u64().unwrap())
}

on_each_database!(a_sheet_of_residents_is_taken_over_once, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let seen = desk.post(200, "county-clerk", "/sheet_imports/preview", sheet("residents", RESIDENTS)).await.unwrap();
    assert_eq!((seen["sound"].as_bool(), counts(&seen)), (Some(true), (2, 0)));
    let seen = desk.post(200, "county-clerk", "/sheet_imports/preview", sheet("residents", RESIDENTS)).await.unwrap();
    assert_eq!(counts(&seen), (2, 0), "looking writes nothing");
    let made = desk.post(201, "county-clerk", "/sheet_imports", sheet("residents", RESIDENTS)).await.unwrap();
    assert_eq!((made["state"].as_str(), counts(&made)), (Some("applied"), (2, 0)));

    // Again, with the columns and rows in another order and one resident more.
    let more = "residence,name,number\n120101001001,李桂芳,120101193812120028\n";
    let again = desk.post(201, "county-clerk", "/sheet_imports", sheet("residents", RESIDENTS)).await.unwrap();
    assert_eq!(counts(&again), (0, 2));
    let new = desk.post(201, "county-clerk", "/sheet_imports", sheet("residents", more)).await.unwrap();
    assert_eq!(counts(&new), (1, 0));

    // A row that says something else now is a fault, and nothing beside it is taken over.
    let changed = format!("{}12010119300101001X,赵玉珍,,120101001001,120101001001,,,,,,,\n", RESIDENTS.replace("alone", "empty_nest"));
    let refused = desk.ask("county-clerk", "POST", "/sheet_imports", Some(sheet("residents", &changed))).await.unwrap();
    assert_eq!((refused.status, faults(&refused)), (422, vec![("2.number".to_owned(), "sheet.fault".to_owned())]));
    let later = changed.lines().filter(|line| !line.contains("王淑兰")).collect::<Vec<_>>().join("\n");
    let seen = desk.post(200, "county-clerk", "/sheet_imports/preview", sheet("residents", &later)).await.unwrap();
    assert_eq!(counts(&seen), (1, 1), "the new row beside the fault was not taken over");
});

on_each_database!(every_fault_of_a_sheet_is_named_and_comes_back_beside_its_row, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let csv = "number,name,residence,categories\n\
        120101194501010011,王秀英,120101001001,\n\
        120101193812120028,李桂芳,320301001001,dibao\n\
        120101193812120028,李桂芬,120101001001,\n";
    let seen = desk.post(200, "county-clerk", "/sheet_imports/preview", sheet("residents", csv)).await.unwrap();
    let places: Vec<_> = seen["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["line"].as_u64().unwrap(), fault["column"].as_str().unwrap()))
        .collect();
    assert_eq!(places, [(3, "categories"), (2, "number")], "{seen}");
    let back = seen["sheet_with_faults"].as_str().unwrap();
    assert!(back.lines().nth(1).unwrap().contains("column number") && back.lines().nth(3).unwrap().ends_with(','), "{back}");
    // Only clerks of the county, and only within their county.
    desk.post(403, "street-clerk", "/sheet_imports", sheet("residents", csv)).await.unwrap();
    let elsewhere = "number,name,residence\n120101193812120028,李桂芳,320301001001\n";
    let refused = desk.ask("county-clerk", "POST", "/sheet_imports", Some(sheet("residents", elsewhere))).await.unwrap();
    assert_eq!(faults(&refused), vec![("2.residence".to_owned(), "sheet.fault".to_owned())]);
    for (body, field) in [(json!({ "kind": "residents" }), "csv"), (json!({ "kind": "residents", "xlsx_base64": "!" }), "xlsx_base64")] {
        let refused = desk.ask("county-clerk", "POST", "/sheet_imports", Some(body)).await.unwrap();
        assert_eq!((refused.status, faults(&refused)[0].0.as_str()), (422, field));
    }
});

on_each_database!(running_entitlements_wait_for_another_person_and_keep_what_was_used, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    desk.post(201, "county-clerk", "/sheet_imports", sheet("residents", RESIDENTS)).await.unwrap();

    // The policy refuses whoever has no level, and nobody has used more than was granted.
    for (from, to) in
        [("12010119400229002X", "120101194501010010"), ("250.00", "800.01"), ("home-community", "home"), ("national", "local")]
    {
        let wrong = ENTITLEMENTS.replace(from, to);
        let refused = desk.ask("county-clerk", "POST", "/sheet_imports", Some(sheet("entitlements", &wrong))).await.unwrap();
        assert_eq!((refused.status, faults(&refused).len()), (422, 1), "{to}: {}", refused.body);
    }
    let handed = desk.post(201, "county-clerk", "/sheet_imports", sheet("entitlements", ENTITLEMENTS)).await.unwrap();
    assert_eq!((handed["state"].as_str(), counts(&handed)), (Some("submitted"), (1, 0)));
    let approval = format!("/sheet_imports/{}/approval", handed["sheet_import_id"].as_str().unwrap());
    let roles = json!([{ "role": "county_clerk", "division": "120101" }, { "role": "approver", "division": "120101" }]);
    desk.account("both", roles).await.unwrap();
    desk.post(403, "county-clerk", &approval, json!({ "approve": true })).await.unwrap();
    let applied = desk.post(200, "approver", &approval, json!({ "approve": true })).await.unwrap();
    assert_eq!((applied["state"].as_str(), counts(&applied)), (Some("applied"), (1, 0)));
    desk.post(409, "approver", &approval, json!({ "approve": true })).await.unwrap();
    let again = desk.post(201, "county-clerk", "/sheet_imports", sheet("entitlements", ENTITLEMENTS)).await.unwrap();
    assert_eq!(counts(&again), (0, 1));
    // Whoever handed a sheet in does not approve it, whatever other roles they hold.
    let own = desk.post(201, "both", "/sheet_imports", sheet("entitlements", ENTITLEMENTS)).await.unwrap();
    let own = format!("/sheet_imports/{}/approval", own["sheet_import_id"].as_str().unwrap());
    desk.post(403, "both", &own, json!({ "approve": true })).await.unwrap();
    let refused = desk.post(200, "approver", &own, json!({ "approve": false })).await.unwrap();
    assert_eq!(refused["state"].as_str(), Some("refused"));

    served.drain().await.unwrap();
    let report = served.store.verify(served.now()).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
});

on_each_database!(providers_their_carers_and_prices_come_in_sheets, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let providers = "credit_code,name,division,licences\n91350100M000100Y43,和平养老服务中心,120101001000,home_service:A-1:2024-01-01\n";
    let carers = "credit_code,login,name,phone,certificates\n91350100M000100Y43,li.na,李娜,13800005678,health_proof:H-1:2026-01-01:2027-01-01;care_worker:C-1:2020-01-01\n";
    let prices = "credit_code,item,class,unit_price_yuan,effective_from\n91350100M000100Y43,bathing,home,110.00,2026-03-01\n91350100M000100Y43,bathing,home,120.00,2026-09-01\n";
    let early = desk.ask("county-clerk", "POST", "/sheet_imports", Some(sheet("carers", carers))).await.unwrap();
    assert_eq!(faults(&early), vec![("2.credit_code".to_owned(), "sheet.fault".to_owned())]);
    for (kind, csv, rows) in [("providers", providers, 1), ("carers", carers, 1), ("prices", prices, 2)] {
        let made = desk.post(201, "county-clerk", "/sheet_imports", sheet(kind, csv)).await.unwrap();
        assert_eq!(counts(&made), (rows, 0), "{kind}");
        let again = desk.post(201, "county-clerk", "/sheet_imports", sheet(kind, csv)).await.unwrap();
        assert_eq!(counts(&again), (0, rows), "{kind}");
        let one = csv.replace("和平", "河西").replace("李娜", "李丽").replace("110.00", "111.00");
        let refused = desk.ask("county-clerk", "POST", "/sheet_imports", Some(sheet(kind, &one))).await.unwrap();
        assert_eq!((refused.status, faults(&refused).len()), (422, 1), "{kind}");
    }
});
