//! What a token must allow: scopes, permissions and tests of claims, by route and method.

use axum::Router;
use axum::routing::{any, get};
use http::Method;
use tokenhouse_guard::{GuardLayer, Requirement};

use crate::{House, outcome, send};

fn app(layer: GuardLayer) -> Router {
    Router::new().route("/", any(|| async { "in" }).layer(layer))
}

fn forbidden(description: &str, scope: &str) -> (u16, Option<String>) {
    let scope = match scope {
        "" => String::new(),
        scope => format!(r#", scope="{scope}""#),
    };
    let challenge =
        format!(r#"Bearer realm="api", error="insufficient_scope", error_description="{description}"{scope}"#);
    (403, Some(challenge))
}

#[tokio::test]
async fn requirements_open_what_they_name_and_nothing_else() {
    let house = House::new();
    let scopes = |names: &[&str]| Requirement::scopes(names.iter().copied()).unwrap();
    let editor = || Requirement::permissions(["edit", "publish"]).unwrap();
    let staff = || Requirement::any_permission(["edit", "publish"]).unwrap();
    let press = |team: &'static str| {
        Requirement::claims("Only the press may do this", move |token| {
            token.claims()["https://example.com/team"] == team
        })
    };
    let in_ = || (200, None);
    let no_permission = || forbidden("Unexpected 'permissions' value", "");
    for (name, requirement, scope, permissions, expected) in [
        ("all scopes", scopes(&["a", "b"]), "b c a", &[][..], in_()),
        (
            "one scope short",
            scopes(&["a", "b"]),
            "b",
            &[],
            forbidden("Insufficient Scope", "a b"),
        ),
        (
            "part of a scope's name",
            scopes(&["read"]),
            "read:all",
            &[],
            forbidden("Insufficient Scope", "read"),
        ),
        (
            "any scope",
            Requirement::any_scope(["a", "b"]).unwrap(),
            "b",
            &[],
            in_(),
        ),
        (
            "no scope of any",
            Requirement::any_scope(["a", "b"]).unwrap(),
            "c",
            &[],
            forbidden("Insufficient Scope", "a b"),
        ),
        ("all permissions", editor(), "", &["publish", "edit"], in_()),
        ("a permission short", editor(), "", &["edit"], no_permission()),
        (
            "a scope is no permission",
            editor(),
            "edit publish",
            &[],
            no_permission(),
        ),
        ("any permission", staff(), "", &["publish"], in_()),
        ("no permission of any", staff(), "", &["read"], no_permission()),
        ("claims that hold", press("press"), "", &[], in_()),
        (
            "claims that do not",
            press("radio"),
            "",
            &[],
            forbidden("Only the press may do this", ""),
        ),
        ("both", scopes(&["a"]).and(editor()), "a", &["edit", "publish"], in_()),
        (
            "the first of both",
            scopes(&["a"]).and(editor()),
            "a",
            &["edit"],
            no_permission(),
        ),
        (
            "the second of both",
            editor().and(scopes(&["a"])),
            "",
            &["edit", "publish"],
            forbidden("Insufficient Scope", "a"),
        ),
        ("either, the first", scopes(&["a"]).or(staff()), "a", &[], in_()),
        ("either, the second", scopes(&["a"]).or(staff()), "", &["edit"], in_()),
        (
            "neither",
            scopes(&["a"]).or(staff()),
            "",
            &[],
            forbidden("Insufficient Scope", "a"),
        ),
        (
            "either of three and one",
            scopes(&["a"]).or(scopes(&["b"])).or(scopes(&["c"])).and(staff()),
            "c",
            &["edit"],
            in_(),
        ),
        ("nothing", Requirement::nothing(), "", &[], in_()),
    ] {
        let app = app(house.guard.layer().require(requirement));
        let response = send(&app, Method::GET, "/", Some(&house.token_of(scope, permissions))).await;
        assert_eq!(outcome(&response), expected, "{name}");
    }
}

#[tokio::test]
async fn every_demand_of_a_layer_must_be_met() {
    let house = House::new();
    let layer = || house.guard.layer().scope("a").permission("edit").any_scope(["b", "c"]);
    for (scope, permissions, status) in [
        ("a b", &["edit"][..], 200),
        ("a", &["edit"], 403),
        ("b", &["edit"], 403),
        ("a b", &[], 403),
    ] {
        let token = house.token_of(scope, permissions);
        let response = send(&app(layer()), Method::GET, "/", Some(&token)).await;
        assert_eq!(response.status(), status, "{scope} {permissions:?}");
    }
    let nobody: [&str; 0] = [];
    let closed = app(house.guard.layer().any_scope(nobody));
    assert_eq!(
        send(&closed, Method::GET, "/", Some(&house.token("a"))).await.status(),
        403
    );
}

#[tokio::test]
async fn each_method_has_its_requirement_and_a_method_without_one_is_closed() {
    let house = House::new();
    let scope = |name: &str| Requirement::scopes([name]).unwrap();
    let layer = house.guard.layer();
    let layer = layer
        .require_for(Method::GET, scope("read"))
        .require_for(Method::POST, scope("write"));
    let app = app(layer);
    for (method, scope, status) in [
        (Method::GET, "read", 200),
        (Method::GET, "write", 403),
        (Method::HEAD, "read", 200),
        (Method::HEAD, "write", 403),
        (Method::POST, "write", 200),
        (Method::POST, "read", 403),
        (Method::DELETE, "read write", 403),
        (Method::OPTIONS, "read write", 403),
        (Method::from_bytes(b"get").unwrap(), "read", 403),
    ] {
        let response = send(&app, method.clone(), "/", Some(&house.token(scope))).await;
        assert_eq!(response.status(), status, "{method} with {scope}");
    }
    assert_eq!(send(&app, Method::DELETE, "/", None).await.status(), 401);
}

#[tokio::test]
async fn a_method_named_twice_wants_both_and_head_may_differ_from_get() {
    let house = House::new();
    let scope = |name: &str| Requirement::scopes([name]).unwrap();
    let layer = house.guard.layer().scope("api");
    let layer = layer
        .require_for(Method::GET, scope("a"))
        .require_for(Method::GET, scope("b"));
    let app = Router::new().route(
        "/",
        get(|| async { "in" }).layer(layer.require_for(Method::HEAD, Requirement::nothing())),
    );
    for (method, scope, status) in [
        (Method::GET, "api a b", 200),
        (Method::GET, "api a", 403),
        (Method::GET, "a b", 403),
        (Method::HEAD, "api", 200),
        (Method::HEAD, "a b", 403),
    ] {
        let response = send(&app, method.clone(), "/", Some(&house.token(scope))).await;
        assert_eq!(response.status(), status, "{method} with {scope}");
    }
}
