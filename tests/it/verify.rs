//! `verify` finds nothing in a city that only commands have changed, and finds each fault that is planted.
//!
//! A plant is done past the store, with all guards of the schema gone: what a hand-edited or badly restored
//! database would hold. Each is planted in a city of its own and must be found by its check, at its row.
#![cfg(test)]

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use store::verify::Report;
use tests::{
    city::{RESIDENT_NAME, RESIDENT_NUMBER, SampleCity},
    db::TestDb,
    on_each_database,
};

on_each_database!(a_city_that_was_only_changed_by_commands_is_clean, async |db: TestDb| {
    let city = SampleCity::build(&db).await.unwrap();
    let report = city.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    for check in &report.checks {
        assert!(check.rows_checked > 0, "{} looked at nothing", check.id);
    }
    let ids: Vec<_> = report.checks.iter().map(|check| check.id).collect();
    assert_eq!(ids, ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I12", "I17", "I18", "I19"]);
});

on_each_database!(an_overdue_order_is_a_fault_only_when_the_system_had_a_day_to_move_it, async |db: TestDb| {
    let city = SampleCity::build(&db).await.unwrap();
    let faults = async |now: &str| {
        let report = city.store().verify(now.parse().unwrap()).await.unwrap();
        report.checks.into_iter().map(|check| check.faults_found).sum::<u64>()
    };
    // The order offered on 2 December had a day; the one assigned for 5 December, 09:00 to 11:00 in Shanghai, is
    // missed a day after its end.
    assert_eq!(faults("2026-12-04T01:00:00Z").await, 0);
    assert_eq!(faults("2026-12-04T01:00:01Z").await, 1);
    assert_eq!(faults("2026-12-07T03:00:00Z").await, 1);
    assert_eq!(faults("2026-12-07T03:00:01Z").await, 2);
});

/// The row that a plant changes.
#[derive(Clone, Copy)]
enum Victim {
    /// A UUID, and the prefix under which it is reported.
    Id(&'static str, &'static str),
    /// A text, reported as it is.
    Text(&'static str),
}
use Victim::{Id, Text};

/// A fault: where it is expected, which row it concerns (the query), and what is done to it, with the row's key
/// in place of `{victim}` and an unused key in place of `{fresh}`.
struct Plant {
    check: &'static str,
    victim: Victim,
    harm: &'static str,
    /// A part of what the check must say, so that it is this rule of the check that found it.
    says: &'static str,
}

const fn plant(check: &'static str, victim: Victim, harm: &'static str, says: &'static str) -> Plant {
    Plant { check, victim, harm, says }
}

/// Finds the row, harms it, and answers under which name it must be reported.
async fn commit(raw: &DatabaseConnection, plant: &Plant) -> String {
    let backend = raw.get_database_backend();
    let (Id(_, query) | Text(query)) = plant.victim;
    let row = raw.query_one_raw(Statement::from_string(backend, query)).await.unwrap();
    let row = row.unwrap_or_else(|| panic!("no victim: {query}"));
    let (name, literal) = match plant.victim {
        Id(prefix, _) => {
            let id: uuid::Uuid = row.try_get_by_index(0).unwrap();
            let literal = match backend {
                DbBackend::Postgres => format!("'{id}'::uuid"),
                _ => format!("X'{}'", id.simple()),
            };
            (format!("{prefix}_{}", id.simple()), literal)
        }
        Text(_) => {
            let text: String = row.try_get_by_index(0).unwrap();
            (text.clone(), format!("'{text}'"))
        }
    };
    let fresh = match backend {
        DbBackend::Postgres => "'0198c0de-0000-7000-8000-000000000001'::uuid",
        _ => "X'0198c0de000070008000000000000001'",
    };
    let harm = plant.harm.replace("{victim}", &literal).replace("{fresh}", fresh);
    for statement in harm.split(';') {
        let done = raw.execute_unprepared(statement).await.unwrap();
        assert!(statement.contains("DROP INDEX") || done.rows_affected() > 0, "nothing was harmed: {statement}");
    }
    name
}

fn assert_found(report: &Report, plant: &Plant, row: &str) {
    let check = report.checks.iter().find(|check| check.id == plant.check).unwrap();
    let found = check.faults.iter().any(|fault| fault.row == row && fault.detail.contains(plant.says));
    assert!(found, "{} does not say of {row} that {} after: {}\n{report:#?}", plant.check, plant.says, plant.harm);
    assert!(!report.is_clean());
    let text = serde_json::to_string(report).unwrap();
    assert!(!text.contains(RESIDENT_NAME) && !text.contains(RESIDENT_NUMBER), "a report holds nothing personal");
}

/// Plants each fault in a copy of the city and looks whether it is found.
async fn assert_each_is_found(db: TestDb, plants: &[Plant]) {
    SampleCity::build(&db).await.unwrap().store().close().await.unwrap();
    for plant in plants {
        let copy = db.copy().await.unwrap();
        let raw = copy.raw_without_guards().await.unwrap();
        let row = commit(&raw, plant).await;
        let store = copy.store().await.unwrap();
        let report = store.verify(copy.source().now()).await.unwrap();
        assert_found(&report, plant, &row);
        raw.close().await.unwrap();
        store.close().await.unwrap();
    }
}

const TRANSFER: Victim = Id(
    "ltr",
    "SELECT transfer_id FROM ledger_entry GROUP BY transfer_id HAVING COUNT(*) = 2 AND MIN(amount) = 6000 AND MAX(amount) = 6000 ORDER BY transfer_id LIMIT 1",
);
const PAY_OUT: &str = "SELECT id FROM statement ORDER BY id LIMIT 1";
const WINDOW: Victim = Id("win", "SELECT id FROM entitlement_window WHERE posted > 0 ORDER BY id LIMIT 1");
const POSTED: Victim = Id("cla", "SELECT id FROM claim_line WHERE state = 'posted' ORDER BY id LIMIT 1");
const CONFIRMED: Victim = Id("ord", "SELECT order_id FROM claim_line WHERE state = 'posted' ORDER BY id LIMIT 1");
const ASSIGNED: Victim = Id("ord", "SELECT id FROM care_order WHERE state = 'assigned' ORDER BY id LIMIT 1");
const APPLICATION: Victim = Id("app", "SELECT id FROM application ORDER BY id LIMIT 1");
const STATEMENT: Victim = Id("sta", PAY_OUT);
const PERIOD: Victim = Id("set", "SELECT id FROM settlement_period ORDER BY id LIMIT 1");
const FIRST_SEAL: Victim = Text("SELECT 'audit_seal/1' FROM audit_seal WHERE seq = 1");
const SECOND_SEAL: Victim = Text("SELECT 'audit_seal/2' FROM audit_seal WHERE seq = 2");
const STREAM: Victim = Text("SELECT stream FROM event WHERE kind = 'order_moved' AND seq > 2 ORDER BY stream LIMIT 1");

on_each_database!(a_transfer_that_does_not_balance_is_found, async |db: TestDb| {
    let plants = [
        plant(
            "I1",
            TRANSFER,
            "UPDATE ledger_entry SET amount = amount + 1 WHERE transfer_id = {victim} AND line = 1",
            "debits of 6001 do not equal credits of 6000",
        ),
        plant("I1", TRANSFER, "UPDATE ledger_entry SET amount = -amount WHERE transfer_id = {victim}", "line 1 is not positive"),
        plant(
            "I1",
            TRANSFER,
            "UPDATE ledger_entry SET side = 'left' WHERE transfer_id = {victim} AND line = 1",
            "line 1 is neither debit nor credit",
        ),
        plant(
            "I1",
            TRANSFER,
            "UPDATE ledger_entry SET account = 'elsewhere' WHERE transfer_id = {victim} AND line = 1",
            "line 1 is on an account of another book",
        ),
        plant(
            "I1",
            TRANSFER,
            "UPDATE ledger_transfer SET fact = 'another' WHERE id = {victim}",
            "its id is not the one of the fact it records",
        ),
        plant("I1", TRANSFER, "UPDATE ledger_transfer SET unit = 'yuan' WHERE id = {victim}", "its book, kind or unit is unknown"),
        plant("I1", TRANSFER, "DELETE FROM ledger_entry WHERE transfer_id = {victim}", "it has no entries"),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(a_balance_that_is_not_the_sum_of_its_ledger_is_found, async |db: TestDb| {
    let budget = Text("SELECT 'budget/' || programme || '/' || fund || '/' || year FROM budget WHERE posted > 0 ORDER BY id LIMIT 1");
    let account =
        Text("SELECT 'window/' || substr(account, 8, 36) FROM ledger_entry WHERE account LIKE 'window/%' ORDER BY account LIMIT 1");
    let plants = [
        plant(
            "I2",
            WINDOW,
            "UPDATE entitlement_window SET granted = granted + 1 WHERE id = {victim}",
            "issued is -80001 in its row and -80000 in the ledger",
        ),
        plant(
            "I2",
            WINDOW,
            "UPDATE entitlement_window SET held = held - 1, expired = expired + 1 WHERE id = {victim}",
            "held is 5999 in its row and 6000 in the ledger",
        ),
        plant(
            "I2",
            budget,
            "UPDATE budget SET held = held + 1 WHERE 'budget/' || programme || '/' || fund || '/' || year = {victim}",
            "held is 9001 in its row and 9000 in the ledger",
        ),
        plant("I2", account, "DELETE FROM entitlement_window", "the ledger has entries for it, but there is no such row"),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(an_order_that_is_charged_too_much_is_found, async |db: TestDb| {
    let self_paid = Id("ord", "SELECT id FROM care_order WHERE state = 'confirmed' AND subsidy_fen = 0 ORDER BY id LIMIT 1");
    let plants = [
        plant(
            "I3",
            CONFIRMED,
            "UPDATE claim_line SET family_fen = family_fen + 1 WHERE order_id = {victim}",
            "the ledger charges the family 6000, its claim lines 6001",
        ),
        plant(
            "I3",
            CONFIRMED,
            "UPDATE claim_line SET subsidy_fen = subsidy_fen + 1 WHERE order_id = {victim}",
            "subsidies of 6001 and a family share of 6000 exceed the price of 12000",
        ),
        plant(
            "I3",
            CONFIRMED,
            "UPDATE care_order SET family_fen = family_fen - 1, subsidy_fen = subsidy_fen + 1 WHERE id = {victim}",
            "the family share of 6000 exceeds the quoted 5999",
        ),
        plant(
            "I3",
            self_paid,
            "UPDATE care_order SET family_fen = family_fen - 1, gross_fen = gross_fen - 1 WHERE id = {victim}",
            "the ledger charges the family 12000, quoted were 11999",
        ),
        plant(
            "I3",
            ASSIGNED,
            "UPDATE care_order SET subsidy_fen = subsidy_fen + 1 WHERE id = {victim}",
            "subsidy and family share do not add up to the price",
        ),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(a_visit_that_is_paid_twice_or_otherwise_than_approved_is_found, async |db: TestDb| {
    const TWICE: &str = "DROP INDEX ux_claim_line;INSERT INTO claim_line (id, order_id, visit_id, hold_id, resident_id, provider_id, bureau, \
        programme, policy_version, benefit, gross_fen, quoted_fen, subsidy_fen, family_fen, split, units, uses, codes, state, service_on, service_month, \
        period_id, adjudicated_at, decided_by, version) SELECT {fresh}, order_id, visit_id, (SELECT h.id FROM hold h WHERE h.state = \
        'voided' ORDER BY h.id LIMIT 1), resident_id, provider_id, bureau, programme, policy_version, benefit, gross_fen, quoted_fen, \
        subsidy_fen, family_fen, split, units, uses, codes, state, service_on, service_month, period_id, adjudicated_at, decided_by, version \
        FROM claim_line WHERE visit_id = {victim}";
    let visit = Id("vis", "SELECT visit_id FROM claim_line WHERE state = 'posted' ORDER BY id LIMIT 1");
    let plants = [
        plant("I4", visit, TWICE, "it has more than one claim line for sample-cleaning/cleaning"),
        plant(
            "I4",
            POSTED,
            "UPDATE claim_line SET quoted_fen = subsidy_fen - 1 WHERE id = {victim}",
            "the subsidy of 6000 is more than the quoted 5999 or the price of 12000",
        ),
        plant("I4", POSTED, "UPDATE claim_line SET split = '[]' WHERE id = {victim}", "its funds pay 0, its subsidy is 6000"),
        plant("I4", POSTED, "UPDATE claim_line SET state = 'voided' WHERE id = {victim}", "it is voided and lies in a period"),
        plant(
            "I4",
            POSTED,
            "UPDATE claim_line SET service_month = '2026-12' WHERE id = {victim}",
            "which is of another programme or bureau, or of an earlier month",
        ),
        plant(
            "I4",
            POSTED,
            "UPDATE hold SET state = 'held' WHERE id = (SELECT hold_id FROM claim_line WHERE id = {victim})",
            "it is posted and its hold is held",
        ),
        plant(
            "I4",
            POSTED,
            "UPDATE hold SET posted_fen = posted_fen - 1 WHERE id = (SELECT hold_id FROM claim_line WHERE id = {victim})",
            "it pays 6000 and its hold has posted 5999",
        ),
        plant(
            "I4",
            STATEMENT,
            "UPDATE statement SET total_fen = total_fen + 1 WHERE id = {victim}",
            "its total is 12001, its lines add up to 12000",
        ),
        plant("I4", STATEMENT, "UPDATE statement SET line_count = line_count + 1 WHERE id = {victim}", "it counts 3 lines, there are 2"),
        plant("I4", STATEMENT, "UPDATE statement SET split = '{}' WHERE id = {victim}", "its parts by fund are not those of its lines"),
        plant(
            "I4",
            PERIOD,
            "UPDATE settlement_period SET total_fen = total_fen + 1 WHERE id = {victim}",
            "its statements add up to 12000, its total is 12001",
        ),
        plant(
            "I4",
            PERIOD,
            "UPDATE settlement_period SET line_count = line_count - 1 WHERE id = {victim}",
            "its statements have 2 lines, it counts 1",
        ),
        plant("I4", PERIOD, "DELETE FROM statement WHERE period_id = {victim}", "but no statement"),
        // Both sides of each part: the transfer balances, and still pays too much.
        plant(
            "I4",
            STATEMENT,
            "UPDATE ledger_entry SET amount = amount + 1 WHERE transfer_id IN (SELECT id FROM ledger_transfer WHERE kind = 'pay_out')",
            "its period is released and the money book does not pay it accordingly",
        ),
        // Paid, although nobody has released it.
        plant(
            "I4",
            STATEMENT,
            "UPDATE settlement_period SET state = 'approved' WHERE id = (SELECT period_id FROM statement WHERE id = {victim})",
            "its period is approved and the money book does not pay it accordingly",
        ),
        plant(
            "I4",
            STATEMENT,
            "UPDATE bank_account SET effective_from = '2027-01-04'",
            "it was paid to an account that was not approved and in force on that day",
        ),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(a_window_that_is_overdrawn_or_whose_holds_differ_is_found, async |db: TestDb| {
    let hold = Id("hld", "SELECT id FROM hold WHERE state = 'posted' ORDER BY id LIMIT 1");
    let waiting = Id("win", "SELECT window_id FROM hold WHERE state = 'held' ORDER BY id LIMIT 1");
    let plants = [
        plant(
            "I5",
            WINDOW,
            "UPDATE entitlement_window SET granted = posted - 1 WHERE id = {victim}",
            "80000 of 11999 units are held, posted or expired",
        ),
        plant("I5", WINDOW, "UPDATE entitlement_window SET expired = -1 WHERE id = {victim}", "expired is negative: -1"),
        plant(
            "I5",
            waiting,
            "UPDATE hold SET units = units + 1 WHERE window_id = {victim} AND state = 'held'",
            "its holds reserve 6001, it says 6000",
        ),
        plant(
            "I5",
            WINDOW,
            "UPDATE hold SET posted_units = posted_units - 1 WHERE window_id = {victim} AND state = 'posted'",
            "its holds have used 11998, it says 12000",
        ),
        plant(
            "I5",
            hold,
            "UPDATE hold SET service_on = '2026-10-31' WHERE id = {victim}",
            "its service on 2026-10-31 lies outside its window",
        ),
        plant(
            "I5",
            hold,
            "UPDATE hold SET window_start = '2026-10-01' WHERE id = {victim}",
            "its window is of another programme, benefit, unit or start",
        ),
        plant("I5", hold, "UPDATE hold SET posted_units = units + 1 WHERE id = {victim}", "it has used 6001 of 6000 units"),
        plant("I5", hold, "UPDATE hold SET state = 'voided' WHERE id = {victim}", "it is voided and has used 6000 units and 6000 fen"),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(what_waits_for_ever_is_found, async |db: TestDb| {
    let on_notice = "UPDATE application SET state = 'on_notice', notice_ends_on = '2026-11-09' WHERE id = {victim}";
    let plants = [
        plant("I6", ASSIGNED, "UPDATE care_order SET deadline_at = NULL WHERE id = {victim}", "it is assigned and has no deadline"),
        plant(
            "I6",
            ASSIGNED,
            "UPDATE care_order SET deadline_at = (SELECT created_at FROM city) WHERE id = {victim}",
            "it is still assigned, its deadline was 2026-11-02 01:00:00 UTC",
        ),
        plant("I6", ASSIGNED, "UPDATE care_order SET state = 'waiting' WHERE id = {victim}", "its state is unknown"),
        plant("I6", APPLICATION, on_notice, "its public notice ended on 2026-11-09 and it is still on notice"),
        plant(
            "I6",
            APPLICATION,
            "UPDATE application SET state = 'on_notice', notice_ends_on = NULL WHERE id = {victim}",
            "it is on notice and the notice has no end",
        ),
        plant(
            "I6",
            APPLICATION,
            "UPDATE application SET state = 'reviewed', owner_role = NULL WHERE id = {victim}",
            "it is reviewed without owner or deadline",
        ),
        plant("I6", APPLICATION, "UPDATE application SET state = 'waiting' WHERE id = {victim}", "its state is unknown"),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(whoever_is_in_two_places_at_one_time_is_found, async |db: TestDb| {
    // Of two that begin at the same time the one with the larger id is reported.
    let visit = Id("vis", "SELECT visit_id FROM assignment WHERE active ORDER BY visit_id DESC LIMIT 1");
    let same_carer = "UPDATE assignment SET (carer_id, starts_at, ends_at) = \
        (SELECT a.carer_id, a.starts_at, a.ends_at FROM assignment a ORDER BY a.visit_id LIMIT 1) WHERE visit_id = {victim}";
    let order = Id("ord", "SELECT id FROM care_order WHERE state IN ('confirmed', 'assigned', 'offered') ORDER BY id DESC LIMIT 1");
    let same_time = "UPDATE care_order SET (starts_at, ends_at) = \
        (SELECT o.starts_at, o.ends_at FROM care_order o WHERE o.state = 'confirmed' ORDER BY o.id LIMIT 1) WHERE id = {victim}";
    let served = Id("vis", "SELECT id FROM visit WHERE actual_end IS NOT NULL ORDER BY id LIMIT 1");
    let plants = [
        plant("I7", visit, same_carer, "at the same time"),
        plant("I7", order, same_time, "at the same time"),
        plant(
            "I7",
            served,
            "UPDATE visit SET actual_end = (SELECT created_at FROM city) WHERE id = {victim}",
            "its end 2026-11-02 01:00:00 UTC lies before its start 2026-11-12 01:00:00 UTC",
        ),
        plant("I7", served, "UPDATE visit SET actual_start = NULL WHERE id = {victim}", "it has an end without a start"),
        plant(
            "I7",
            served,
            "UPDATE assignment SET clock_out_at = (SELECT created_at FROM city) WHERE visit_id = {victim}",
            "its end 2026-11-02 01:00:00 UTC lies before its start 2026-11-12 01:00:00 UTC",
        ),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(an_event_that_is_missing_or_lost_on_its_way_is_found, async |db: TestDb| {
    let delivery = Id("dlv", "SELECT id FROM delivery WHERE state = 'dead' ORDER BY id LIMIT 1");
    let unmark = "INSERT INTO event_pending (event_id) SELECT event_id FROM delivery WHERE id = {victim}";
    let plants = [
        plant("I9", STREAM, "DELETE FROM event WHERE stream = {victim} AND seq = 2", "it has 9 events, numbered from 1 to 10"),
        plant("I9", STREAM, "DELETE FROM event WHERE stream = {victim} AND seq = 1", "it has 9 events, numbered from 2 to 10"),
        plant(
            "I9",
            STREAM,
            "UPDATE event SET seq = seq + 1 WHERE stream = {victim} AND seq = (SELECT MAX(e.seq) FROM event e WHERE e.stream = {victim})",
            "it has 10 events, numbered from 1 to 11",
        ),
        plant("I9", delivery, "UPDATE delivery SET state = 'lost' WHERE id = {victim}", "its state is unknown"),
        plant("I9", delivery, "UPDATE delivery SET last_error = NULL WHERE id = {victim}", "it is dead without a reason"),
        plant("I9", delivery, unmark, "its event still waits to be dispatched"),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(an_audit_trail_that_was_touched_is_found, async |db: TestDb| {
    let row = Id("aud", "SELECT audit_id FROM audit_sealed WHERE seal_seq = 1 AND position = 3");
    let line = Id("cla", "SELECT id FROM claim_line ORDER BY id LIMIT 1");
    let object = "DELETE FROM audit WHERE action IN ('confirm_order', 'pass_deadline') AND object LIKE 'cla_%'";
    let plants = [
        plant(
            "I12",
            FIRST_SEAL,
            "UPDATE audit SET action = 'nothing' WHERE id = (SELECT first_audit FROM audit_seal WHERE seq = 1)",
            "a row that it covers was changed",
        ),
        plant("I12", FIRST_SEAL, "UPDATE audit_seal SET leaves = leaves + 1 WHERE seq = 1", "it covers 82 rows, 81 are there"),
        plant("I12", FIRST_SEAL, "UPDATE audit_seal SET root = previous WHERE seq = 1", "a row that it covers was changed"),
        plant("I12", FIRST_SEAL, "UPDATE audit_seal SET mac = root WHERE seq = 1", "its signature is wrong"),
        plant("I12", SECOND_SEAL, "UPDATE audit_seal SET mac = root WHERE seq = 1", "it does not continue the seal before it"),
        plant("I12", FIRST_SEAL, "UPDATE audit_seal SET key_id = 'deadbeef' WHERE seq = 1", "is not in the key file"),
        plant("I12", FIRST_SEAL, "UPDATE audit_seal SET last_audit = first_audit WHERE seq = 1", "it names other first and last rows"),
        plant(
            "I12",
            FIRST_SEAL,
            "UPDATE audit_sealed SET position = position + 1000 WHERE seal_seq = 1 AND position > 5",
            "no row has its place 6",
        ),
        plant("I12", SECOND_SEAL, "DELETE FROM audit_seal WHERE seq = 1", "it follows number 0"),
        plant("I12", row, "DELETE FROM audit WHERE id = {victim}", "audit_seal/1 covers it, but there is no such row"),
        plant("I12", line, object, "no audit row names it"),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(a_state_that_does_not_follow_from_its_events_is_found, async |db: TestDb| {
    let stream = Text("SELECT stream FROM event WHERE kind = 'order_placed' ORDER BY id LIMIT 1");
    let clocked = Id("vis", "SELECT visit_id FROM visit_event ORDER BY visit_id LIMIT 1");
    let plants = [
        plant(
            "I18",
            clocked,
            "UPDATE visit_event SET occurred_at = (SELECT created_at FROM city) WHERE visit_id = {victim}",
            "its times are not those that were recorded or corrected",
        ),
        plant(
            "I18",
            ASSIGNED,
            "UPDATE care_order SET state = 'accepted' WHERE id = {victim}",
            "it is accepted, its events end in assigned",
        ),
        plant(
            "I18",
            STREAM,
            "DELETE FROM event WHERE stream = {victim} AND seq = 5",
            "an event moves it on from another state than offered",
        ),
        plant("I18", STREAM, "DELETE FROM event WHERE stream = {victim} AND seq = 1", "its beginning was recorded 0 times"),
        plant("I18", STREAM, "UPDATE event SET payload = '{}' WHERE stream = {victim} AND seq = 2", "its event number 2 cannot be read"),
        plant("I18", stream, "DELETE FROM care_order", "its events tell of it, but there is no such row"),
        plant(
            "I18",
            APPLICATION,
            "UPDATE application SET state = 'refused' WHERE id = {victim}",
            "it is refused, its events end in effective",
        ),
        plant(
            "I18",
            APPLICATION,
            "DELETE FROM event WHERE kind = 'application_moved' AND seq < 5",
            "an event moves it from filed to on_notice, which is not a legal move",
        ),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(a_closed_period_that_has_changed_is_found, async |db: TestDb| {
    let plants = [
        plant(
            "I19",
            PERIOD,
            "UPDATE settlement_period SET content_hash = 'another' WHERE id = {victim}",
            "its lines are not those that were approved",
        ),
        plant("I19", PERIOD, "UPDATE settlement_period SET month = '2026-13' WHERE id = {victim}", "its month cannot be read"),
        plant(
            "I19",
            PERIOD,
            "UPDATE claim_line SET provider_id = {fresh} WHERE period_id = {victim}",
            "its lines are not those that were approved",
        ),
        plant(
            "I19",
            PERIOD,
            "UPDATE claim_line SET period_id = NULL WHERE period_id = {victim}",
            "its lines are not those that were approved",
        ),
        plant("I19", POSTED, "UPDATE claim_line SET split = '7' WHERE id = {victim}", "its split cannot be read"),
    ];
    assert_each_is_found(db, &plants).await;
});

on_each_database!(a_visit_with_more_carers_than_it_needs_and_a_row_of_somebody_else_are_found, async |db: TestDb| {
    let named = Id("vis", "SELECT visit_id FROM assignment WHERE active ORDER BY visit_id DESC LIMIT 1");
    let held = Id("hld", "SELECT id FROM hold WHERE state = 'held' ORDER BY id LIMIT 1");
    let plants = [
        plant("I8", named, "UPDATE visit SET staff_count = 0 WHERE id = {victim}", "1 carers are named, it needs 0"),
        plant("I17", named, "UPDATE carer SET provider_id = {fresh}", "a carer of another provider is named for it"),
        plant("I17", held, "UPDATE entitlement_window SET resident_id = {fresh}", "its window belongs to another resident than its order"),
        plant(
            "I17",
            POSTED,
            "UPDATE claim_line SET resident_id = {fresh} WHERE id = {victim}",
            "it is of another resident, provider or visit than its order",
        ),
        plant(
            "I17",
            ASSIGNED,
            "UPDATE quote SET family_fen = family_fen + 1 WHERE id = (SELECT quote_id FROM care_order WHERE id = {victim})",
            "its quote is of another resident, provider or share, or missing",
        ),
    ];
    assert_each_is_found(db, &plants).await;
});

/// A correction of a posted line, with the id of the line, that takes back one fen too many.
const TAKE_BACK: &str = "INSERT INTO claim_correction (id, claim_line_id, reversal_id, provider_id, bureau, programme, cause, \
    subsidy_fen, units, split, service_month, booked_month, period_id, created_at) SELECT id, id, {fresh}, provider_id, bureau, programme, \
    'not_delivered', subsidy_fen + 1, units, split, service_month, service_month, NULL, adjudicated_at FROM claim_line WHERE id = {victim}";
/// A question about an order, with the id of the order, to which nobody has to answer.
const ASK: &str = "INSERT INTO consent_request (id, order_id, resident_id, old_quote_id, new_quote_id, cause, old_family_fen, \
    new_family_fen, state, owner_role, deadline_at, answered_by, created_at, version) SELECT id, id, resident_id, quote_id, quote_id, \
    'policy_changed', 1, 2, 'open', NULL, NULL, NULL, created_at, 1 FROM care_order WHERE id = {victim}";

on_each_database!(a_correction_a_question_and_a_projection_that_are_not_as_they_must_be_are_found, async |db: TestDb| {
    let corrected = Id("cor", "SELECT id FROM claim_line WHERE state = 'posted' ORDER BY id LIMIT 1");
    let asked = Id("csr", "SELECT id FROM care_order WHERE state = 'assigned' ORDER BY id LIMIT 1");
    let spent = "UPDATE entitlement_window SET state = 'projected', window_start = '2027-12-01' WHERE id = {victim}";
    let plants = [
        plant("I4", corrected, TAKE_BACK, "it takes back 6001 of a line that pays 6000"),
        plant("I6", asked, ASK, "it is open and has no deadline"),
        plant("I5", WINDOW, spent, "it opens on 2027-12-01 and 12000 units of it are used"),
    ];
    assert_each_is_found(db, &plants).await;
});
