//! What anybody may know: metadata and keys (RFC 8414, RFC 7517; CONTRACT §3, Decisions 10 and 15).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use tokenhouse::registry::keys::JWKS_MAX_AGE_S;
use tokenhouse_protocol::crypto::sha1;
use tokenhouse_protocol::jose::base64url;

use crate::house::{Ask, House, ISSUER, member_names};

const CONFIGURATION: &str = "/.well-known/openid-configuration";
const JWKS: &str = "/.well-known/jwks.json";

#[tokio::test]
async fn both_names_lead_to_one_document_that_says_what_there_is() {
    let house = House::shared().await;
    let answer = house.get(CONFIGURATION).await;
    assert_eq!(
        answer.body,
        house.get("/.well-known/oauth-authorization-server").await.body
    );
    let document = answer.json();
    assert_eq!(document["issuer"], house.token(&house.samples.sample).await.text("iss"));
    let expected = json!({
        "issuer": ISSUER,
        "token_endpoint": "http://localhost:4000/oauth/token",
        "userinfo_endpoint": "http://localhost:4000/userinfo",
        "jwks_uri": "http://localhost:4000/.well-known/jwks.json",
        "response_types_supported": [],
        "grant_types_supported": [
            "client_credentials", "password", "http://auth0.com/oauth/grant-type/password-realm",
        ],
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "PS256", "ES256", "EdDSA"],
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA", "HS256"],
        "subject_types_supported": ["public"],
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&document[name], value, "{name}");
    }
    for absent in [
        "authorization_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "registration_endpoint",
    ] {
        assert_eq!(document[absent], Value::Null, "{absent}");
    }
}

#[tokio::test]
async fn every_address_in_the_document_answers() {
    let house = House::shared().await;
    let document = house.get(CONFIGURATION).await.json();
    for (name, value) in document.as_object().unwrap() {
        if let Some(path) = value
            .as_str()
            .and_then(|url| url.strip_prefix(ISSUER))
            .filter(|path| !path.is_empty())
        {
            assert_ne!(house.get(&format!("/{path}")).await.status, 404, "{name}");
        }
    }
}

#[tokio::test]
async fn a_key_is_published_with_its_certificate_and_in_auth0s_order() {
    let house = House::shared().await;
    let answer = house.get(JWKS).await;
    let document = answer.json();
    let keys = document["keys"].as_array().unwrap();
    assert!(keys.len() >= 2);
    let kid = house.token(&house.samples.sample).await.kid();
    assert!(keys.iter().any(|key| key["kid"] == kid));
    for key in keys {
        let text = |name: &str| key[name].as_str().unwrap();
        assert_eq!(
            (text("kty"), text("use"), text("alg"), text("e")),
            ("RSA", "sig", "RS256", "AQAB")
        );
        assert_eq!(text("kid").len(), 21);
        let certificate = STANDARD.decode(key["x5c"][0].as_str().unwrap()).unwrap();
        assert_eq!(text("x5t"), base64url::encode(sha1(&certificate)));
        // The certificate holds this very key.
        let n = base64url::decode(text("n")).unwrap();
        assert_eq!(n.len(), 256);
        assert!(certificate.windows(n.len()).any(|window| window == n));
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key[private], Value::Null, "{private}");
        }
    }
    let (start, end) = (answer.body.find("[{").unwrap() + 1, answer.body.find('}').unwrap() + 1);
    assert_eq!(
        member_names(&answer.body[start..end]),
        ["kty", "use", "n", "e", "kid", "x5t", "x5c", "alg"]
    );
}

#[tokio::test]
async fn documents_are_cacheable_by_everybody_and_readable_by_pages() {
    let house = House::shared().await;
    for path in [CONFIGURATION, JWKS] {
        let answer = house.ask(Ask::get(path).header("origin", "https://page.example")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(
            answer
                .header("cache-control")
                .starts_with(&format!("public, max-age={JWKS_MAX_AGE_S}"))
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(answer.header("etag").starts_with('"'), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("set-cookie").is_empty());
    }
}

#[tokio::test]
async fn who_has_the_document_is_told_so() {
    let house = House::shared().await;
    for path in [CONFIGURATION, JWKS] {
        let etag = house.get(path).await.header("etag").to_owned();
        for known in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"other\", {etag}"),
            "*".into(),
        ] {
            let answer = house.ask(Ask::get(path).header("if-none-match", &known)).await;
            assert_eq!(
                (answer.status, answer.body.as_str(), answer.header("etag")),
                (304, "", etag.as_str()),
                "{known}"
            );
            assert!(!answer.header("cache-control").is_empty());
        }
        for unknown in ["\"other\"", "", &etag[1..]] {
            assert_eq!(
                house.ask(Ask::get(path).header("if-none-match", unknown)).await.status,
                200,
                "{unknown}"
            );
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let house = House::shared().await;
    for path in [CONFIGURATION, JWKS, "/healthz"] {
        let (get, head) = (house.get(path).await, house.ask(Ask::new("HEAD", path)).await);
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert_eq!(head.header("etag"), get.header("etag"));
    }
}

#[tokio::test]
async fn probes_need_no_host_that_we_know() {
    let house = House::shared().await;
    for path in ["/healthz", "/readyz"] {
        let answer = house.ask(Ask::get(path).host("10.0.0.7:4000")).await;
        assert_eq!(
            (answer.status, answer.text("status"), answer.header("cache-control")),
            (200, "ok".into(), "no-store")
        );
    }
}

#[tokio::test]
async fn the_page_that_errors_point_to_loads_nothing_from_elsewhere() {
    let house = House::shared().await;
    let page = house.get("/docs/errors").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(
        page.body.contains("id=\"unauthorized_client\""),
        "the anchor of error_uri"
    );
    for foreign in ["src=\"http", "href=\"//", "<script", "style=\""] {
        assert!(!page.body.contains(foreign), "{foreign}");
    }
}
