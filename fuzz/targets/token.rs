//! A token at a guard: any text, any header and claims signed by the right key and by wrong ones, and a good token
//! with bytes changed. What is accepted was signed by the right key as it stands, and says what the guard demands,
//! read here by other code.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

use tokenhouse_fuzz::{Made, NOW_S, Origin, encode, key, make, said};
use tokenhouse_guard::{Check, Guard, KeySet, LocalKeys, Outcome};
use tokenhouse_protocol::crypto::{Algorithm, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet};
use tokenhouse_protocol::time::{Clock, Timestamp};

const ISSUER: &str = "https://issuer.example/";
const AUDIENCE: &str = "https://api.example";
const LEEWAY_S: i64 = 5;
const GOOD: [&str; 2] = [
    r#"{"alg":"EdDSA","typ":"JWT","kid":"right"}"#,
    r#"{"iss":"https://issuer.example/","aud":["https://api.example"],"exp":1768471260,"iat":1768471200,"sub":"a"}"#,
];

struct Bench {
    right: SigningKey,
    guard: Guard,
    runtime: Runtime,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let right = key(1);
    let jwk = Jwk::from_signing_key(&right, &KeyId::new("right")).expect("an Ed25519 key has a public half");
    let guard = Guard::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .algorithms([Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256])
        .clock(Clock::set_to(Timestamp::from_seconds(NOW_S)))
        .keys(LocalKeys::fixed(KeySet::from_jwks(&JwkSet { keys: vec![jwk] })))
        .build()
        .expect("the guard has all it needs");
    let runtime = Builder::new_current_thread().build().expect("a runtime without I/O");
    Bench { right, guard, runtime }
});

fuzz_target!(|bytes: &[u8]| {
    let Bench { right, guard, runtime } = &*BENCH;
    let Some(Made { token, origin }) = make(bytes, right, GOOD, str::to_owned) else {
        return;
    };
    let (verified, checks) = runtime.block_on(async { (guard.verify(&token).await, guard.inspect(&token).await) });
    let passed = |check: &Check| matches!(check.outcome, Outcome::Passed(_));
    assert_eq!(
        checks.iter().all(passed),
        verified.is_ok(),
        "whoever asks why is told otherwise: {checks:?}"
    );
    match &origin {
        Origin::Edited { signed } if *signed == token => assert!(verified.is_ok(), "a good token is refused"),
        Origin::Edited { .. } | Origin::Text | Origin::Right | Origin::Wrong => {}
    }
    let Ok(accepted) = verified else { return };
    let (input, signature) = token.rsplit_once('.').expect("what was accepted has parts");
    match &origin {
        Origin::Wrong => panic!("a wrong key's token is accepted: {token}"),
        Origin::Edited { signed } => {
            assert_eq!(
                signed.rsplit_once('.').map(|(input, _)| input),
                Some(input),
                "another text is accepted"
            );
        }
        Origin::Text | Origin::Right => {}
    }
    let bytes = base64url(signature);
    assert!(
        right.verifying_key().verify(input.as_bytes(), &bytes),
        "not signed: {token}"
    );
    assert_eq!(encode(&bytes), signature, "a second text of one signature");
    let [header, claims] = said(&token).expect("what was accepted is JSON");
    check_said(&header, &claims);
    assert_eq!(*accepted.claims(), claims, "the handler sees other claims");
});

/// What every accepted token says.
fn check_said(header: &Map<String, Value>, claims: &Map<String, Value>) {
    assert_eq!(header["alg"], "EdDSA");
    let typ = header["typ"].as_str().expect("a type").to_ascii_lowercase();
    assert!(
        ["jwt", "at+jwt", "application/jwt", "application/at+jwt"].contains(&typ.as_str()),
        "{typ}"
    );
    assert!(header.get("kid").is_none_or(|kid| kid == "right"), "{header:?}");
    for refused in ["crit", "b64", "zip"] {
        assert!(!header.contains_key(refused), "{header:?}");
    }
    assert_eq!(claims["iss"], ISSUER);
    let audience = &claims["aud"];
    let is_ours = audience == AUDIENCE
        || audience
            .as_array()
            .is_some_and(|names| names.iter().any(|name| name == AUDIENCE));
    assert!(is_ours, "{claims:?}");
    assert!(
        claims["exp"].as_i64().is_some_and(|exp| exp + LEEWAY_S > NOW_S),
        "{claims:?}"
    );
    let has_begun = |begin: &Value| begin.as_i64().is_some_and(|begin| begin <= NOW_S + LEEWAY_S);
    assert!(claims.get("nbf").is_none_or(has_begun), "{claims:?}");
    assert!(
        !claims.contains_key("cnf"),
        "a bound token is accepted without its proof"
    );
}

fn base64url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .expect("what was accepted is base64url")
}
