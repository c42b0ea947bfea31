//! HTTP at the token endpoint: content types, sizes, methods, paths, hosts, CORS (CONTRACT §1.1, §1.2,
//! Decisions 5 and 16; RFC 9110).

use serde_json::json;

use crate::house::{AUDIENCE, Answer, Ask, House, ORIGIN, form, with_secret};

const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];

#[tokio::test]
async fn both_content_types_are_taken_in_every_honest_spelling() {
    let house = House::shared().await;
    let fields = with_secret(&house.samples.sample, &MACHINE);
    let object: serde_json::Map<_, _> = fields
        .iter()
        .map(|(name, value)| ((*name).into(), json!(value)))
        .collect();
    let cases = [
        ("application/x-www-form-urlencoded; charset=utf-8", form(&fields)),
        ("Application/X-WWW-Form-Urlencoded;charset=\"UTF-8\"", form(&fields)),
        ("application/json", json!(object).to_string()),
        ("application/json; charset=UTF-8", format!("\n {} \n", json!(object))),
        ("APPLICATION/JSON;odd=1", json!(object).to_string()),
    ];
    for (content_type, body) in cases {
        let answer = house.ask(Ask::token(&[]).content_type(content_type).body(body)).await;
        assert_eq!(answer.status, 200, "{content_type}: {answer:?}");
    }
}

#[tokio::test]
async fn other_content_types_are_415() {
    let house = House::shared().await;
    let ask = || Ask::token(&with_secret(&house.samples.sample, &MACHINE));
    let wrong = [
        ask().without("content-type"),
        ask().content_type(""),
        ask().content_type("text/plain"),
        ask().content_type("application/jsonp"),
        ask().content_type("multipart/form-data; boundary=x"),
        ask().content_type("application/x-www-form-urlencoded; charset=utf-7"),
        ask().content_type("application/x-www-form-urlencoded, application/json"),
        ask().header("content-type", "application/json"),
        ask().header("content-encoding", "gzip"),
    ];
    for ask in wrong {
        let answer = house.ask(ask.clone()).await;
        assert_refused(&answer, 415, "invalid_request");
    }
}

#[tokio::test]
async fn a_body_may_have_64_kib_and_no_byte_more() {
    let house = House::shared().await;
    let fields = with_secret(&house.samples.sample, &MACHINE);
    let filled = |bytes: usize| {
        let body = format!("{}&filler=", form(&fields));
        let filler = "x".repeat(bytes - body.len());
        Ask::token(&[]).body(body + &filler)
    };
    assert_eq!(house.ask(filled(64 * 1024)).await.status, 200);
    assert_refused(&house.ask(filled(64 * 1024 + 1)).await, 413, "invalid_request");
    assert_refused(&house.ask(filled(1024 * 1024)).await, 413, "invalid_request");
}

#[tokio::test]
async fn other_methods_are_405_with_those_that_there_are() {
    let house = House::shared().await;
    let cases = [
        (
            "/oauth/token",
            &["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "CONNECTED"][..],
            &["POST", "OPTIONS"][..],
        ),
        ("/userinfo", &["PUT", "DELETE"], &["GET", "HEAD", "POST", "OPTIONS"]),
        ("/.well-known/jwks.json", &["POST", "DELETE"], &["GET", "HEAD"]),
        ("/.well-known/openid-configuration", &["POST"], &["GET", "HEAD"]),
        ("/healthz", &["POST"], &["GET", "HEAD"]),
    ];
    for (path, methods, allowed) in cases {
        for method in methods {
            let answer = house.ask(Ask::new(method, path)).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            let mut allow: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
            allow.sort_unstable();
            let mut allowed = allowed.to_vec();
            allowed.sort_unstable();
            assert_eq!(allow, allowed, "{method} {path}");
            if *method != "HEAD" {
                assert_refused(&answer, 405, "invalid_request");
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_in_json() {
    let house = House::shared().await;
    let paths = [
        "/",
        "/oauth",
        "/oauth/token/",
        "/OAUTH/TOKEN",
        "//oauth/token",
        "/oauth/%74oken/",
        "/.well-known/",
        "/api/v3/clients",
    ];
    for path in paths {
        for method in ["GET", "POST"] {
            let answer = house.ask(Ask::new(method, path)).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
            assert_refused(&answer, 404, "not_found");
        }
    }
}

#[tokio::test]
async fn an_unknown_host_is_421_on_every_route() {
    let house = House::shared().await;
    for path in [
        "/oauth/token",
        "/userinfo",
        "/.well-known/jwks.json",
        "/docs/errors",
        "/nowhere",
    ] {
        for host in ["evil.example", "localhost.evil.example:4000", "10.0.0.1"] {
            let answer = house.ask(Ask::get(path).host(host)).await;
            assert_refused(&answer, 421, "invalid_request");
        }
    }
}

#[tokio::test]
async fn a_request_has_exactly_one_host() {
    let house = House::shared().await;
    let jwks = || Ask::get("/.well-known/jwks.json");
    for ask in [
        jwks().without("host"),
        jwks().header("host", "localhost:4000"),
        jwks().host(""),
        jwks().host("b\u{e4}d"),
        jwks().host("localhost:4000:4000"),
        jwks().host("evil@localhost"),
        jwks().host(&format!("{}.localhost", "x".repeat(5000))),
    ] {
        assert_refused(&house.ask(ask).await, 400, "invalid_request");
    }
    // The target's authority counts where there is one (RFC 9112 §3.2.2).
    let absolute = Ask::get("http://localhost:4000/.well-known/jwks.json").host("evil.example");
    assert_eq!(house.ask(absolute).await.status, 200);
    let absolute = Ask::get("http://evil.example/.well-known/jwks.json");
    assert_eq!(house.ask(absolute).await.status, 421);
}

#[tokio::test]
async fn a_preflight_is_answered_for_any_origin() {
    let house = House::shared().await;
    for origin in [ORIGIN, "https://anywhere.example", "null"] {
        let ask = Ask::new("OPTIONS", "/oauth/token")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "auth0-client,content-type");
        let answer = house.ask(ask).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-methods"), "POST");
        for header in ["content-type", "auth0-client", "dpop", "authorization"] {
            assert!(
                answer.header("access-control-allow-headers").contains(header),
                "{header}"
            );
        }
        assert!(answer.header("vary").contains("Origin"));
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn a_page_reads_the_answer_only_where_the_application_lists_its_origin() {
    let house = House::shared().await;
    let ask = |origin: &str| Ask::token(&with_secret(&house.samples.sample, &MACHINE)).header("origin", origin);
    let listed = house.ask(ask(ORIGIN)).await;
    assert_eq!(listed.header("access-control-allow-origin"), ORIGIN);
    assert!(listed.header("access-control-expose-headers").contains("x-request-id"));
    for origin in [
        "http://localhost:3998",
        "http://localhost",
        "HTTP://LOCALHOST:3999",
        "null",
        "*",
        "https://evil.example",
    ] {
        let answer = house.ask(ask(origin)).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, ""),
            "{origin}"
        );
        assert!(answer.header("vary").contains("Origin"));
    }
    // A refusal too, so that the page can say why; but not for an application that there is not.
    let wrong = Ask::token(&with_secret(
        &house.samples.sample,
        &[MACHINE[0], MACHINE[1], ("client_secret", "wrong")],
    ));
    assert_eq!(
        house
            .ask(wrong.header("origin", ORIGIN))
            .await
            .header("access-control-allow-origin"),
        ORIGIN
    );
    let unknown = Ask::token(&[MACHINE[0], ("client_id", "unknown")]).header("origin", ORIGIN);
    assert_eq!(house.ask(unknown).await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_stray_bearer_is_no_client_authentication() {
    let house = House::shared().await;
    let ask = || Ask::token(&with_secret(&house.samples.sample, &MACHINE));
    for stray in [
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Bearer",
        "Digest username=\"x\"",
        "basicx",
        "",
    ] {
        assert_eq!(
            house.ask(ask().header("authorization", stray)).await.status,
            200,
            "{stray:?}"
        );
    }
    let alone = house.ask(Ask::token(&MACHINE).bearer("eyJhbGciOiJub25lIn0.e30.")).await;
    assert_eq!(alone.status, 401);
    assert_eq!(
        alone.header("www-authenticate"),
        "",
        "the header was not what was wrong"
    );
}

#[tokio::test]
async fn basic_takes_form_encoded_parts_in_any_case_of_the_word() {
    let house = House::shared().await;
    let sample = &house.samples.sample;
    let plain = |word: &str, text: String| {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        crate::secrets::used(&encoded);
        Ask::token(&MACHINE).header("authorization", format!("{word} {encoded}"))
    };
    let percent: String = sample.client_secret.bytes().map(|b| format!("%{b:02x}")).collect();
    let asks = [
        plain("Basic", format!("{}:{}", sample.client_id, sample.client_secret)),
        plain("bASIC", format!("{}:{}", sample.client_id, sample.client_secret)),
        plain("Basic  ", format!("{}:{}", sample.client_id, sample.client_secret)),
        plain("Basic", format!("{}:{percent}", sample.client_id)),
    ];
    for ask in asks {
        assert_eq!(house.ask(ask.clone()).await.status, 200, "{ask:?}");
    }
}

#[tokio::test]
async fn a_callers_request_id_is_kept_if_it_is_short_and_plain() {
    let house = House::shared().await;
    let kept = house
        .ask(Ask::get("/healthz").header("x-request-id", "Trace-1.2_3:4"))
        .await;
    assert_eq!(kept.header("x-request-id"), "Trace-1.2_3:4");
    let long = "x".repeat(129);
    for odd in ["", "a b", "a\"b", "<script>", "a,b", &long, "\u{e9}"] {
        let answer = house.ask(Ask::get("/healthz").header("x-request-id", odd)).await;
        let id = answer.header("x-request-id");
        assert!(
            id.len() == 20 && id.bytes().all(|b| b.is_ascii_hexdigit()),
            "{odd:?} became {id:?}"
        );
    }
    let other = house.ask(Ask::get("/healthz")).await;
    assert_ne!(
        other.header("x-request-id"),
        house.get("/healthz").await.header("x-request-id")
    );
}

fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status, answer.text("error")),
        (status, error.to_owned()),
        "{answer:?}"
    );
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.header("cache-control").contains("no-store"), "{answer:?}");
    assert!(!answer.text("error_description").is_empty(), "{answer:?}");
    assert!(!answer.header("x-request-id").is_empty());
}
