//! A client assertion at the token endpoint of a whole house in memory. A token comes only for one that the
//! application's own key signed as it stands, that says what RFC 7523 demands, read here by other code, and only once.
#![no_main]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt as _;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use tokenhouse::app::{App, AppOptions};
use tokenhouse::config::{Console, Limits, Passwords};
use tokenhouse::dev::seed::{AUDIENCE, seed};
use tokenhouse::registry::client_keys::{self, NewClientKey};
use tokenhouse::router::router;
use tokenhouse::tenant::Issuer;
use tokenhouse::web::door::Peer;
use tokenhouse_fuzz::{Made, NOW_S, Origin, key, make, said};
use tokenhouse_protocol::credentials::JWT_BEARER;
use tokenhouse_protocol::crypto::{SealingKey, SigningKey};
use tokenhouse_protocol::id::{ClientId, KeyId};
use tokenhouse_protocol::jose::jwk::Jwk;
use tokenhouse_protocol::time::{Clock, Timestamp};
use tokenhouse_store::Database;

const ISSUER: &str = "http://localhost:4000/";
const SKEW_S: i64 = 10;
const LIFETIME_S: i64 = 300;
/// `$C` becomes the application's id, `$J` a new number each time.
const GOOD: [&str; 2] = [
    r#"{"alg":"EdDSA","typ":"JWT"}"#,
    r#"{"iss":"$C","sub":"$C","aud":"http://localhost:4000/","exp":1768471260,"jti":"$J"}"#,
];

struct House {
    right: SigningKey,
    client_id: String,
    router: Router,
    /// The ids of the assertions that got a token.
    used: Mutex<HashSet<String>>,
    runtime: Runtime,
    /// What everything hangs on.
    _app: Arc<App>,
}

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let opened = runtime.block_on(Box::pin(open()));
    let (app, client_id, right) = opened.unwrap_or_else(|error| panic!("{error}"));
    House {
        right,
        client_id,
        router: router(&app),
        used: Mutex::default(),
        runtime,
        _app: app,
    }
});

async fn open() -> Result<(Arc<App>, String, SigningKey), String> {
    let options = AppOptions {
        database: Database::Memory,
        sealing: SealingKey::from_bytes([3; 32]),
        issuer: Issuer::parse(ISSUER)?,
        default_hosts: vec!["localhost".to_owned()],
        may_be_strict: false,
        clock: Clock::set_to(Timestamp::from_seconds(NOW_S)),
        passwords: Passwords {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
            threads: 1,
            queue: 64,
        },
        limits: Limits::default(),
        console: Console::default(),
        cache_entries: 1000,
    };
    let app = App::open(options).await.map_err(|error| error.to_string())?;
    let tenant = app.default_tenant().await.map_err(|error| error.to_string())?;
    let samples = seed(&tenant, &[]).await.map_err(|error| error.to_string())?;
    let client = ClientId::new(samples.sample.client_id.clone());
    let right = key(1);
    let jwk = Jwk::from_signing_key(&right, &KeyId::new("right")).ok_or("a public half")?;
    let text = serde_json::to_string(&jwk).map_err(|error| error.to_string())?;
    let new = NewClientKey::read(&text).map_err(|error| error.to_string())?;
    client_keys::add(&tenant, &client, new)
        .await
        .map_err(|error| error.to_string())?;
    Ok((app, samples.sample.client_id, right))
}

fuzz_target!(|bytes: &[u8]| {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let house = &*HOUSE;
    let number = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    let filled = |text: &str| text.replace("$C", &house.client_id).replace("$J", &number);
    let Some(Made { token, origin }) = make(bytes, &house.right, GOOD, filled) else {
        return;
    };
    let (status, body) = house.runtime.block_on(ask(&house.router, &token));
    assert!([200, 400, 401].contains(&status), "{status}: {body}");
    let answer: Map<String, Value> = serde_json::from_str(&body).expect("every answer is JSON");
    assert_eq!(answer.contains_key("access_token"), status == 200, "{status}: {body}");
    assert_eq!(
        answer.contains_key("error_description"),
        status != 200,
        "{status}: {body}"
    );
    if let Origin::Edited { signed } = &origin {
        assert!(*signed != token || status == 200, "a good assertion is refused: {body}");
    }
    if status != 200 {
        return;
    }
    match &origin {
        Origin::Wrong | Origin::Text => panic!("a token for an assertion that the client did not sign: {token}"),
        Origin::Edited { signed } => {
            let input = |token: &str| token.rsplit_once('.').map(|(input, _)| input.to_owned());
            assert_eq!(input(signed), input(&token), "a token for another text than was signed");
        }
        Origin::Right => {}
    }
    let [header, claims] = said(&token).expect("what was accepted is JSON");
    let jti = check_said(&header, &claims, &house.client_id);
    let is_new = house.used.lock().expect("no panic goes on").insert(jti.to_owned());
    assert!(is_new, "a second token for the assertion {jti}");
});

/// What every assertion says that gets a token: its `jti`.
fn check_said<'a>(header: &Map<String, Value>, claims: &'a Map<String, Value>, client_id: &str) -> &'a str {
    assert_eq!(header["alg"], "EdDSA");
    let types = [
        "jwt",
        "client-authentication+jwt",
        "application/jwt",
        "application/client-authentication+jwt",
    ];
    let typ = header
        .get("typ")
        .map(|typ| typ.as_str().expect("a text").to_ascii_lowercase());
    assert!(typ.is_none_or(|typ| types.contains(&typ.as_str())), "{header:?}");
    for name in ["iss", "sub"] {
        assert_eq!(claims[name], client_id, "{claims:?}");
    }
    assert_eq!(claims["aud"], ISSUER, "{claims:?}");
    let expires = claims["exp"].as_i64().expect("a whole number");
    assert!(
        (NOW_S - SKEW_S + 1..=NOW_S + LIFETIME_S + SKEW_S).contains(&expires),
        "{claims:?}"
    );
    for name in ["nbf", "iat"] {
        let has_begun = |begin: &Value| begin.as_i64().is_some_and(|begin| begin <= NOW_S + SKEW_S);
        assert!(claims.get(name).is_none_or(has_begun), "{claims:?}");
    }
    let jti = claims["jti"].as_str().expect("a text");
    assert!((1..=64).contains(&jti.chars().count()), "{claims:?}");
    jti
}

async fn ask(router: &Router, assertion: &str) -> (u16, String) {
    let percent: String = assertion.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let body = format!(
        "grant_type=client_credentials&audience={AUDIENCE}&client_assertion_type={JWT_BEARER}&client_assertion={percent}"
    );
    let request = Request::post("/oauth/token")
        .header(header::HOST, "localhost:4000")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .extension(Peer(SocketAddr::from(([127, 0, 0, 1], 50_000))))
        .body(Body::from(body))
        .expect("a well-formed request");
    let response = router
        .clone()
        .oneshot(request)
        .await
        .unwrap_or_else(|never| match never {});
    let status = response.status().as_u16();
    let bytes = response
        .into_body()
        .collect()
        .await
        .expect("a body in memory")
        .to_bytes();
    (
        status,
        String::from_utf8(bytes.to_vec()).expect("every answer is a text"),
    )
}
