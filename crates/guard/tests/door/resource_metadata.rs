//! Clients that know only the API's address find its issuer (RFC 9728).

use axum::Router;
use axum::routing::{get, post};
use http::{Method, header};
use serde_json::{Value, json};
use tokenhouse_guard::{BuildError, Builder};

use crate::{House, outcome, send, text, whoami};

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource/mcp";

fn described(builder: Builder) -> Builder {
    builder
        .resource("https://api.example.com/mcp")
        .scopes_supported(["mcp:read", "mcp:write"])
        .resource_name("Messages")
}

fn app(house: &House) -> Router {
    let metadata = house.guard.resource_metadata().unwrap();
    Router::new()
        .route(
            "/mcp",
            post(|| async { "…" }).layer(house.guard.layer().scope("mcp:read")),
        )
        .route("/plain", get(whoami).layer(house.guard.layer()))
        .route_service(metadata.path(), metadata.clone())
}

#[tokio::test]
async fn the_metadata_is_where_the_challenge_says() {
    let house = House::with(described);
    let refused = send(&app(&house), Method::POST, "/mcp", None).await;
    let expected = format!(r#"Bearer realm="api", scope="mcp:read", resource_metadata="{METADATA}""#);
    assert_eq!(outcome(&refused), (401, Some(expected)));
    let path = METADATA.strip_prefix("https://api.example.com").unwrap();
    let response = send(&app(&house), Method::GET, path, None).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(
        serde_json::from_str::<Value>(&text(response).await).unwrap(),
        json!({
            "resource": "https://api.example.com/mcp",
            "authorization_servers": ["https://issuer.example.com/"],
            "scopes_supported": ["mcp:read", "mcp:write"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Messages",
        })
    );
}

#[tokio::test]
async fn one_line_routes_it() {
    let house = House::with(described);
    let path = METADATA.strip_prefix("https://api.example.com").unwrap();
    let app = Router::new()
        .route("/plain", get(whoami))
        .route_layer(house.guard.layer())
        .merge(house.guard.resource_routes().unwrap());
    let response = send(&app, Method::GET, path, None).await;
    assert_eq!(response.status(), 200);
    let document = house.guard.resource_metadata().unwrap().document().to_owned();
    assert_eq!(text(response).await, document);
    let plain = House::with(|builder| builder);
    assert!(
        plain.guard.resource_routes::<()>().is_err(),
        "it has no address to publish"
    );
}

#[tokio::test]
async fn every_challenge_names_the_metadata() {
    let house = House::with(described);
    let named = format!(r#", resource_metadata="{METADATA}""#);
    for (path, token, status) in [
        ("/plain", None, 401),
        ("/plain", Some("opaque".to_owned()), 401),
        ("/mcp", Some(house.token("")), 403),
        ("/plain?access_token=a", Some(house.token("")), 400),
    ] {
        let method = if path == "/mcp" { Method::POST } else { Method::GET };
        let (was, challenge) = outcome(&send(&app(&house), method, path, token.as_deref()).await);
        let challenge = challenge.unwrap();
        assert_eq!(was, status, "{path}");
        assert!(challenge.ends_with(&named), "{path}: {challenge}");
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed_and_pages_may_ask_first() {
    let house = House::with(described);
    let path = "/.well-known/oauth-protected-resource/mcp";
    let response = send(&app(&house), Method::POST, path, None).await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()[header::ALLOW], "GET, HEAD, OPTIONS");
    let response = send(&app(&house), Method::OPTIONS, path, None).await;
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "*");
}

#[tokio::test]
async fn a_token_for_the_resource_itself_is_taken() {
    let house = House::with(|builder| builder.resource("https://api.example.com/"));
    let claims = json!({ "iss": "https://issuer.example.com/", "sub": "a", "azp": "a",
        "aud": "https://api.example.com/", "exp": crate::NOW + 60 });
    let token = house.signer.sign(claims.to_string().as_bytes());
    assert_eq!(
        send(&app(&house), Method::GET, "/plain", Some(&token)).await.status(),
        200
    );
}

#[tokio::test]
async fn without_an_address_there_is_no_metadata() {
    let house = House::new();
    assert_eq!(house.guard.resource_metadata().unwrap_err(), BuildError::NoResource);
    let app = Router::new().route("/plain", get(whoami).layer(house.guard.layer()));
    let (_, challenge) = outcome(&send(&app, Method::GET, "/plain", None).await);
    assert_eq!(challenge.unwrap(), r#"Bearer realm="api""#);
}
