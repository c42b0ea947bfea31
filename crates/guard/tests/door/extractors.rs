//! What handlers demand by the types of their arguments.

use axum::Router;
use axum::routing::get;
use http::Method;
use serde::Deserialize;
use tokenhouse_guard::axum::{Authorization, Authorized};
use tokenhouse_guard::{AccessToken, Refusal, Requirement};

use crate::{House, outcome, send, text};

struct Editors;

impl Authorization for Editors {
    const ANY_SCOPE: &[&str] = &["write", "admin"];
    const PERMISSIONS: &[&str] = &["edit"];
}

#[derive(Deserialize)]
struct OfTheTeam {
    #[serde(rename = "https://example.com/team")]
    team: String,
}

#[derive(Deserialize)]
struct OfTheTown {
    town: String,
}

async fn edit(token: Authorized<Editors>) -> String {
    format!("{} edits", token.into_token().subject().unwrap())
}

async fn team(token: AccessToken<OfTheTeam>) -> String {
    token.extras().team.clone()
}

async fn town(token: Option<AccessToken<OfTheTown>>) -> String {
    token.map(|token| token.extras().town.clone()).unwrap_or_default()
}

async fn decide(token: AccessToken) -> Result<&'static str, Refusal> {
    token.require(&Requirement::permissions(["edit"]).expect("a permission"))?;
    Ok("edited")
}

fn app(house: &House) -> Router {
    Router::new()
        .route("/edit", get(edit))
        .route("/team", get(team))
        .route("/town", get(town))
        .route("/decide", get(decide))
        .route_layer(house.guard.layer())
}

#[tokio::test]
async fn a_handler_demands_scopes_and_permissions_by_its_argument() {
    let house = House::new();
    for (path, scope, permissions, status) in [
        ("/edit", "admin", &["edit"][..], 200),
        ("/edit", "read", &["edit"], 403),
        ("/edit", "write", &["read"], 403),
        ("/decide", "", &["edit"], 200),
        ("/decide", "edit", &[], 403),
    ] {
        let token = house.token_of(scope, permissions);
        let response = send(&app(&house), Method::GET, path, Some(&token)).await;
        assert_eq!(response.status(), status, "{path} {scope} {permissions:?}");
    }
    let response = send(
        &app(&house),
        Method::GET,
        "/edit",
        Some(&house.token_of("read", &["edit"])),
    )
    .await;
    let challenge = outcome(&response).1.unwrap();
    assert!(challenge.ends_with(r#"scope="write admin""#), "{challenge}");
}

#[tokio::test]
async fn a_handler_reads_claims_as_its_own_type() {
    let house = House::new();
    let token = house.token("");
    let response = send(&app(&house), Method::GET, "/team", Some(&token)).await;
    assert_eq!(text(response).await, "press");
    let response = send(&app(&house), Method::GET, "/town", Some(&token)).await;
    assert_eq!(response.status(), 401);
    let body = text(response).await;
    assert!(body.contains("town"), "the body says what is missing: {body}");
}
