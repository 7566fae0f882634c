//! The monthly close: drafted, submitted, approved, released; late visits and corrections in the next open period.
#![cfg(test)]

use domain::{
    claim::{ReversalCause, ReversalState},
    division::Scope,
    id::{OrderId, SettlementPeriodId},
    time::Month,
};
use store::{
    StoreError,
    command::{
        correction::{DecideReversal, ProposeReversal},
        settlement::{ApproveSettlement, ComputeSettlement, DraftSettlement, PeriodView, ReleaseSettlement},
    },
    query::work::months_to_draft,
};
use tests::{
    city::{BUREAU, PROGRAMME},
    db::TestDb,
    market::Market,
    on_each_database,
};

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

async fn clean(market: &Market<'_>, db: &TestDb) {
    let report = market.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

/// Books, serves and confirms two hours; the subsidy is 60.00.
async fn served(market: &Market<'_>, start: &str) -> OrderId {
    let booked = market.book(start).await.unwrap();
    market.serve(&booked, start).await.unwrap();
    market.confirm(booked.order_id).await.unwrap();
    booked.order_id
}

async fn compute(market: &Market<'_>, text: &str) -> Result<PeriodView, StoreError> {
    let bureau: Scope = BUREAU.parse().unwrap();
    market.try_run(&market.people().clerk, ComputeSettlement { programme: PROGRAMME.parse().unwrap(), bureau, month: month(text) }).await
}

async fn close(market: &Market<'_>, text: &str) -> PeriodView {
    let computed = compute(market, text).await.unwrap();
    let period = computed.settlement_period_id;
    let approve = ApproveSettlement { period, content_hash: computed.content_hash };
    market.try_run(&market.people().approver, approve).await.unwrap();
    market.try_run(&market.people().cashier, ReleaseSettlement { period }).await.unwrap()
}

async fn balance(market: &Market<'_>, prefix: &str) -> i64 {
    let clerk = &market.people().clerk;
    market.store().account_balances(clerk, prefix).await.unwrap().iter().map(|account| account.net_fen).sum()
}

on_each_database!(the_draft_of_the_1st_is_what_the_clerk_submits_and_a_month_out_of_time_is_refused, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    served(&market, "2026-11-12T09:00:00+08:00").await;
    let today = || domain::time::BusinessDate::of(db.source().now());
    assert_eq!(compute(&market, "2026-11").await.unwrap_err().code(), "settlement.month_open");
    assert_eq!(compute(&market, "2027-03").await.unwrap_err().code(), "settlement.month_open");
    assert_eq!(compute(&market, "2026-10").await.unwrap_err().code(), "settlement.before_start");
    let programme = PROGRAMME.parse().unwrap();
    let early = market.store().month_contents(&programme, month("2026-11"), today()).await.unwrap_err();
    assert_eq!(early.code(), "settlement.month_open");
    market.set_clock("2026-12-01T01:30:00+08:00").unwrap();
    let due = months_to_draft(market.store(), month("2026-11")).await.unwrap();
    assert_eq!(due.len(), 1);
    for (programme, bureau) in due {
        let draft = DraftSettlement { programme, bureau, month: month("2026-11") };
        market.run_system(draft.clone()).await.unwrap();
        market.run_system(draft).await.unwrap();
    }
    let seen = market.store().month_contents(&programme, month("2026-11"), today()).await.unwrap();
    assert_eq!((seen.len(), seen[0].state, seen[0].line_count, seen[0].total.get()), (1, None, 1, 6_000));
    let computed = compute(&market, "2026-11").await.unwrap();
    assert_eq!(computed.content_hash, seen[0].content_hash, "the same bytes");
    assert_eq!(compute(&market, "2026-11").await.unwrap().content_hash, computed.content_hash);
    let after = market.store().month_contents(&programme, month("2026-11"), today()).await.unwrap();
    assert_eq!((&after[0].content_hash, &after[0].statements), (&seen[0].content_hash, &seen[0].statements));
    assert!(after[0].state.is_some());
    clean(&market, &db).await;
});

on_each_database!(a_visit_that_is_confirmed_too_late_goes_into_the_next_period_with_its_own_month, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    served(&market, "2026-11-12T09:00:00+08:00").await;
    let late = market.book("2026-11-30T09:00:00+08:00").await.unwrap();
    market.serve(&late, "2026-11-30T09:00:00+08:00").await.unwrap();
    market.set_clock("2026-12-01T09:00:00+08:00").unwrap();
    market.turn_windows().await.unwrap();
    assert_eq!(close(&market, "2026-11").await.line_count, 1);
    market.confirm(late.order_id).await.unwrap();
    served(&market, "2026-12-02T09:00:00+08:00").await;
    market.set_clock("2027-01-02T09:00:00+08:00").unwrap();
    let december = close(&market, "2026-12").await;
    assert_eq!((december.line_count, december.total.get()), (2, 12_000));
    let lines = market.store().statement_lines(&market.people().clerk, december.statements[0].statement_id).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.late).collect::<Vec<_>>(), [true, false]);
    clean(&market, &db).await;
});

on_each_database!(what_was_released_is_taken_back_by_two_persons_and_stands_in_the_next_period, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let wrong = served(&market, "2026-11-12T09:00:00+08:00").await;
    market.set_clock("2026-12-01T09:00:00+08:00").unwrap();
    market.turn_windows().await.unwrap();
    let november = close(&market, "2026-11").await;
    let (clerk, approver) = (&market.people().clerk, &market.people().approver);
    let propose = ProposeReversal { order: wrong, cause: ReversalCause::NotDelivered, note: "the camera shows nobody".to_owned() };
    let proposed = market.try_run(clerk, propose.clone()).await.unwrap();
    assert_eq!(market.try_run(clerk, propose.clone()).await.unwrap_err().code(), "store.exists");
    let decide = DecideReversal { reversal: proposed.reversal_id, approve: true };
    assert_eq!(market.try_run(clerk, decide.clone()).await.unwrap_err().code(), "access.role");
    let decided = market.try_run(approver, decide.clone()).await.unwrap();
    assert_eq!((decided.state, decided.corrections.len()), (ReversalState::Approved, 1));
    assert_eq!(market.try_run(approver, decide).await.unwrap_err().code(), "state.not_allowed");
    assert_eq!(market.try_run(clerk, propose).await.unwrap_err().code(), "correction.nothing_posted");
    assert_eq!(balance(&market, "expense/").await, 0, "nothing was spent in the end");
    assert_eq!(balance(&market, "receivable/").await, 0, "and the family owes nothing");
    let windows = market.entitlements().await.unwrap().remove(0).windows;
    let window = windows.last().unwrap();
    assert_eq!((window.posted, window.expired), (0, 80_000), "the window is over: what comes back lapses");
    clean(&market, &db).await;
    served(&market, "2026-12-02T09:00:00+08:00").await;
    served(&market, "2026-12-03T09:00:00+08:00").await;
    market.set_clock("2027-01-02T09:00:00+08:00").unwrap();
    let december = close(&market, "2026-12").await;
    assert_eq!((december.line_count, december.total.get()), (3, 6_000), "two visits less one that was taken back");
    let lines = market.store().statement_lines(clerk, december.statements[0].statement_id).await.unwrap();
    let back = lines.last().unwrap();
    assert_eq!((back.correction_id.is_some(), back.subsidy, back.late, back.reasons[0].group), (true, -6_000, true, "CR"));
    let period: SettlementPeriodId = november.settlement_period_id;
    let closed = market.store().settlement_period(clerk, period).await.unwrap();
    assert_eq!(closed.content_hash, november.content_hash, "the closed period is as it was");
    clean(&market, &db).await;
});

on_each_database!(a_correction_that_no_line_covers_waits_for_the_next_period, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let wrong = served(&market, "2026-11-12T09:00:00+08:00").await;
    market.set_clock("2026-12-01T09:00:00+08:00").unwrap();
    market.turn_windows().await.unwrap();
    close(&market, "2026-11").await;
    let propose = ProposeReversal { order: wrong, cause: ReversalCause::WronglyJudged, note: "x".to_owned() };
    let proposed = market.try_run(&market.people().clerk, propose).await.unwrap();
    let decide = DecideReversal { reversal: proposed.reversal_id, approve: true };
    market.try_run(&market.people().approver, decide).await.unwrap();
    assert_eq!(balance(&market, "receivable/").await, 6_000, "the family's part stands: the visit took place");
    market.set_clock("2027-01-02T09:00:00+08:00").unwrap();
    market.turn_windows().await.unwrap();
    let december = close(&market, "2026-12").await;
    assert_eq!((december.line_count, december.total.get(), december.statements.len()), (0, 0, 0));
    clean(&market, &db).await;
});
