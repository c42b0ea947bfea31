//! The layer by itself: tokens, scopes, preflights, and the reasons of an inspection.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{any, get};
use http::{Method, Request, StatusCode, header};
use tokenhouse_guard::{AccessToken, Guard, KeySet, LocalKeys, Outcome, Refusal};
use tower::ServiceExt;

use crate::{House, send, text, whoami};

impl House {
    fn app(&self) -> Router {
        let reader = self.guard.layer().scope("read:messages");
        let either = self.guard.layer().any_scope(["admin", "write:messages"]);
        let both = self.guard.layer().scope("read:messages").scope("write:messages");
        Router::new()
            .route("/private", get(whoami).layer(self.guard.layer()))
            .route("/scoped", get(|| async { "scoped" }).layer(reader))
            .route("/either", get(|| async { "either" }).layer(either))
            .route("/both", get(|| async { "both" }).layer(both))
            .route("/inside", get(inside).route_layer(self.guard.layer()))
            .route("/forgotten", get(whoami))
    }

    async fn get(&self, path: &str, token: Option<&str>) -> Response {
        send(&self.app(), Method::GET, path, token).await
    }
}

async fn inside(token: AccessToken) -> Result<&'static str, Refusal> {
    token.require_scope("read:messages")?;
    Ok("inside")
}

#[tokio::test]
async fn without_a_token_the_challenge_is_bare() {
    let response = House::new().get("/private", None).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], r#"Bearer realm="api""#);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(
        text(response).await,
        r#"{"error":"unauthorized","error_description":"Unauthorized. Send an access token for this API in the header \"Authorization: Bearer <token>\"."}"#
    );
}

#[tokio::test]
async fn a_handler_learns_who_calls() {
    let house = House::new();
    let response = house.get("/private", Some(&house.token(""))).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, r#"reader@clients reader ["read:messages"]"#);
}

#[tokio::test]
async fn scopes_open_what_they_name() {
    let house = House::new();
    let forbidden = |scope: &str| {
        format!(
            r#"Bearer realm="api", error="insufficient_scope", error_description="Insufficient Scope", scope="{scope}""#
        )
    };
    for (path, scope, challenge) in [
        ("/scoped", "write:messages read:messages", None),
        ("/scoped", "write:messages", Some(forbidden("read:messages"))),
        ("/either", "write:messages", None),
        ("/either", "read:messages", Some(forbidden("admin write:messages"))),
        ("/both", "write:messages read:messages", None),
        (
            "/both",
            "write:messages",
            Some(forbidden("read:messages write:messages")),
        ),
        ("/inside", "read:messages", None),
        ("/inside", "", Some(forbidden("read:messages"))),
    ] {
        let response = house.get(path, Some(&house.token(scope))).await;
        let said = response
            .headers()
            .get(header::WWW_AUTHENTICATE)
            .map(|value| value.to_str().unwrap().to_owned());
        let status = if challenge.is_some() {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::OK
        };
        assert_eq!((response.status(), said), (status, challenge), "{path} with {scope:?}");
    }
}

#[tokio::test]
async fn a_preflight_passes_and_a_plain_options_does_not() {
    let house = House::new();
    let preflight = Request::options("/private").header("origin", "https://a.example");
    let plain = Request::options("/private").body(Body::empty()).unwrap();
    let preflight = preflight
        .header("access-control-request-method", "GET")
        .body(Body::empty())
        .unwrap();
    let passed = house.app().oneshot(preflight).await.unwrap();
    assert_eq!(
        passed.status(),
        StatusCode::METHOD_NOT_ALLOWED,
        "it reached the router, which has no OPTIONS"
    );
    assert_eq!(
        house.app().oneshot(plain).await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_preflight_brings_a_handler_of_any_method_no_token_and_can_be_kept_out() {
    let house = House::new();
    let preflight = |path: &str| {
        let request = Request::options(path).header("origin", "https://a.example");
        let request = request.header("access-control-request-method", "GET");
        request.body(Body::empty()).unwrap()
    };
    let ran = || async { "ran" };
    let app = Router::new()
        .route("/wants", any(whoami).layer(house.guard.layer()))
        .route("/passes", any(ran).layer(house.guard.layer()))
        .route("/guarded", any(ran).layer(house.guard.layer().guard_preflights()));
    for (path, status) in [("/wants", 401), ("/passes", 200), ("/guarded", 401)] {
        let response = app.clone().oneshot(preflight(path)).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
}

#[tokio::test]
async fn a_handler_without_a_guard_is_the_programs_mistake() {
    let house = House::new();
    let response = house.get("/forgotten", Some(&house.token(""))).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn an_api_may_answer_in_its_own_shape() {
    let guard = Guard::builder()
        .issuer("https://issuer.example.com/")
        .audience("https://api.example.com")
        .realm("messages")
        .keys(LocalKeys::fixed(KeySet::new([])))
        .on_refusal(|refusal, parts| {
            let status = refusal.denied.status().as_u16();
            refusal.response_with(format!(r#"{{"statusCode":{status},"path":"{}"}}"#, parts.uri.path()))
        })
        .build()
        .unwrap();
    let app: Router = Router::new()
        .route("/a", get(|| async { "" }))
        .route_layer(guard.layer());
    let response = app
        .oneshot(Request::get("/a").body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(
        response.headers()[header::WWW_AUTHENTICATE],
        r#"Bearer realm="messages""#
    );
    assert_eq!(text(response).await, r#"{"statusCode":401,"path":"/a"}"#);
}

#[tokio::test]
async fn inspecting_a_token_tells_each_check_up_to_the_one_that_fails() {
    let house = House::new();
    let good = house.guard.inspect(&house.token("")).await;
    assert!(
        good.iter().all(|check| matches!(check.outcome, Outcome::Passed(_))),
        "{good:?}"
    );
    let claims = serde_json::json!({ "iss": "https://issuer.example.com/", "aud": "https://other.example.com" });
    let checks = house
        .guard
        .inspect(&house.signer.sign(claims.to_string().as_bytes()))
        .await;
    assert_eq!(checks.len(), good.len());
    let failed = checks.iter().position(|check| check.name == "audience").unwrap();
    assert_eq!(
        checks[failed].outcome,
        Outcome::Failed("Unexpected 'aud' value. Ask for a token with the audience https://api.example.com.".into())
    );
    assert!(
        checks[..failed]
            .iter()
            .all(|check| matches!(check.outcome, Outcome::Passed(_)))
    );
    assert!(
        checks[failed + 1..]
            .iter()
            .all(|check| check.outcome == Outcome::NotReached)
    );
    assert!(matches!(
        house.guard.inspect("opaque").await[0].outcome,
        Outcome::Failed(_)
    ));
}
