use store::Refusal;

use super::*;

#[test]
fn every_kind_has_its_status() {
    let with = |kind| {
        Problem::from(StoreError::Refused(Refusal { code: "order.any", kind, detail: "no".to_owned(), fields: Vec::new() }))
            .status()
            .as_u16()
    };
    for (kind, status) in [
        (Kind::Invalid, 422),
        (Kind::Unauthenticated, 401),
        (Kind::Forbidden, 403),
        (Kind::NotFound, 404),
        (Kind::Conflict, 409),
        (Kind::Stale, 412),
        (Kind::Unavailable, 503),
        (Kind::Broken, 500),
    ] {
        assert_eq!(with(kind), status, "{kind:?}");
    }
}

#[test]
fn faults_of_the_request_have_the_statuses_of_http() {
    for (fault, status) in [
        (RequestError::Malformed { line: 1, column: 2 }, 400),
        (RequestError::ContentType, 415),
        (RequestError::TooLarge { limit: 1 }, 413),
        (RequestError::KeyMissing, 400),
        (RequestError::KeyForm, 400),
        (RequestError::IfMatchMissing, 428),
        (RequestError::IfMatchForm, 400),
        (RequestError::NoRoute, 404),
        (RequestError::Method, 405),
        (RequestError::CrossOrigin, 403),
        (RequestError::BodyLate, 408),
        (RequestError::TimedOut, 503),
    ] {
        assert_eq!(Problem::from(fault).status().as_u16(), status, "{fault}");
    }
    assert_eq!(Problem::from(StoreError::KeyReused).status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(Problem::from(AccountError::Waiting).status(), StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn failures_hide_their_cause_and_keep_it_for_the_log() {
    let problem = Problem::from(StoreError::Corrupt { table: "resident", why: "level has an unknown code".to_owned() });
    let body = problem.body(Locale::En, Locale::En, "req_1".to_owned());
    assert_eq!((body.status, body.detail.as_str(), body.code.as_str()), (500, HIDDEN, "store.corrupt"));
    let body = problem.body(Locale::ZhCn, Locale::ZhCn, "req_1".to_owned());
    assert_eq!(body.detail, "系统数据异常，请联系管理员");
    assert!(problem.0.cause.as_deref().is_some_and(|cause| cause.contains("resident")));
}

#[test]
fn a_refusal_says_who_shall_do_what() {
    let unauthenticated = Problem::from(AccountError::NotSignedIn).into_response();
    assert_eq!(unauthenticated.headers().get(header::WWW_AUTHENTICATE).unwrap(), "Bearer");
    let busy = Problem::from(StoreError::TimedOut).into_response();
    assert_eq!(busy.headers().get(header::RETRY_AFTER).unwrap(), "5");
    let fields = Problem::fields(vec![FieldError::new("login", "login.any", "use a-z")]);
    let body = serde_json::to_value(fields.body(Locale::ZhCn, Locale::ZhCn, "req_1".to_owned())).unwrap();
    assert_eq!(body["type"], "/problems/input.invalid");
    assert_eq!(body["errors"][0]["cure"], "use a-z");
    assert_eq!(body["status"], 422);
}

#[test]
fn an_answer_lists_a_hundred_faults_and_counts_the_others() {
    let faults = |count: usize| (0..count).map(|place| FieldError::new(format!("items.{place}"), "field.type", "write a text")).collect();
    assert_eq!(Problem::fields(faults(100)).errors().len(), 100);
    let refused = Refusal { code: "order.any", kind: Kind::Invalid, detail: "no".to_owned(), fields: faults(10_000) };
    for problem in [Problem::fields(faults(10_000)), StoreError::Refused(refused).into()] {
        let [listed @ .., last] = problem.errors() else { panic!("no fault is listed") };
        assert_eq!(listed.len(), 100);
        assert_eq!(*last, FieldError::new("", "field.more", "and 9900 more; cure the fields above first"));
    }
}
