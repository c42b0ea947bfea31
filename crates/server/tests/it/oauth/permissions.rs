//! Users' permissions and roles at the token endpoint, RBAC (CONTRACT §1.5, §2.1, §4.6, §4.7).

use std::sync::Arc;

use serde_json::json;

use tokenhouse::registry::RegistryError;
use tokenhouse::registry::apis::{self, ApiChanges, NewApi};
use tokenhouse::registry::roles;
use tokenhouse::registry::token_dialect::TokenDialect;
use tokenhouse::tenant::Tenant;
use tokenhouse_protocol::id::{RoleId, UserId};
use tokenhouse_store::{ApiScope, Page};

use crate::house::{House, Jwt, USERNAME};

const API: &str = "https://rbac.example.com";

#[tokio::test]
async fn a_user_gets_what_was_asked_for_and_is_permitted_directly_or_by_a_role() {
    let (house, tenant, user) = arranged(TokenDialect::AccessToken).await;
    roles::grant(&tenant, &user, API, "read:a").await.unwrap();
    let role = roles::create(&tenant, "Writer", None).await.unwrap();
    roles::add_permission(&tenant, &role.id, API, "write:a").await.unwrap();
    roles::assign(&tenant, &user, &role.id).await.unwrap();
    let token = token(&house, "openid delete:a write:a read:a").await;
    assert_eq!(token.text("scope"), "openid write:a read:a");
    assert_eq!(token.claims.get("permissions"), None);
}

#[tokio::test]
async fn who_asks_for_no_scope_gets_every_permission_in_the_apis_order() {
    let (house, tenant, user) = arranged(TokenDialect::AccessToken).await;
    assert_eq!(
        token(&house, "").await.claims.get("scope"),
        None,
        "nothing is permitted yet"
    );
    for scope in ["write:a", "read:a"] {
        roles::grant(&tenant, &user, API, scope).await.unwrap();
    }
    assert_eq!(token(&house, "").await.text("scope"), "read:a write:a");
}

#[tokio::test]
async fn the_permissions_claim_tells_all_that_the_user_may_whatever_was_asked_for() {
    let (house, tenant, user) = arranged(TokenDialect::Rfc9068ProfileAuthz).await;
    assert_eq!(token(&house, "").await.claims["permissions"], json!([]));
    for scope in ["write:a", "read:a"] {
        roles::grant(&tenant, &user, API, scope).await.unwrap();
    }
    let token = token(&house, "write:a").await;
    assert_eq!(token.text("scope"), "write:a");
    assert_eq!(token.claims["permissions"], json!(["read:a", "write:a"]));
}

#[tokio::test]
async fn what_is_taken_away_is_missing_from_the_next_token() {
    let (house, tenant, user) = arranged(TokenDialect::AccessToken).await;
    let role = roles::create(&tenant, "Writer", None).await.unwrap();
    roles::add_permission(&tenant, &role.id, API, "write:a").await.unwrap();
    roles::assign(&tenant, &user, &role.id).await.unwrap();
    roles::grant(&tenant, &user, API, "write:a").await.unwrap();
    assert!(roles::revoke(&tenant, &user, API, "write:a").await.unwrap());
    assert!(!roles::revoke(&tenant, &user, API, "write:a").await.unwrap());
    assert_eq!(
        token(&house, "").await.text("scope"),
        "write:a",
        "the role still gives it"
    );
    assert!(
        roles::remove_permission(&tenant, &role.id, API, "write:a")
            .await
            .unwrap()
    );
    assert_eq!(token(&house, "").await.text("scope"), "");
    roles::add_permission(&tenant, &role.id, API, "write:a").await.unwrap();
    assert!(roles::unassign(&tenant, &user, &role.id).await.unwrap());
    assert_eq!(token(&house, "").await.text("scope"), "");
    roles::assign(&tenant, &user, &role.id).await.unwrap();
    roles::remove(&tenant, &role.id).await.unwrap();
    assert_eq!(token(&house, "").await.text("scope"), "");
}

#[tokio::test]
async fn a_scope_that_the_api_drops_is_gone_even_if_it_comes_back() {
    let (house, tenant, user) = arranged(TokenDialect::AccessToken).await;
    roles::grant(&tenant, &user, API, "read:a").await.unwrap();
    let scopes = |names: &[&str]| ApiChanges {
        scopes: Some(names.iter().map(|name| scope(name)).collect()),
        ..ApiChanges::default()
    };
    apis::update(&tenant, API, scopes(&["write:a"])).await.unwrap();
    apis::update(&tenant, API, scopes(&["read:a", "write:a"]))
        .await
        .unwrap();
    assert_eq!(token(&house, "").await.text("scope"), "");
}

#[tokio::test]
async fn nobody_is_given_what_does_not_exist() {
    let (_house, tenant, user) = arranged(TokenDialect::AccessToken).await;
    let role = roles::create(&tenant, "Writer", Some("Writes")).await.unwrap();
    let (nobody, nothing) = (UserId::new("auth0|nobody"), RoleId::new("rol_nothing"));
    let invalid = |made: Result<(), RegistryError>| matches!(made, Err(RegistryError::Invalid { .. }));
    let missing = |made: Result<(), RegistryError>| matches!(made, Err(RegistryError::NotFound(_)));
    assert!(invalid(roles::grant(&tenant, &user, API, "fly:a").await));
    assert!(invalid(roles::add_permission(&tenant, &role.id, API, "fly:a").await));
    assert!(missing(
        roles::grant(&tenant, &user, "https://no.example.com", "read:a").await
    ));
    assert!(missing(roles::grant(&tenant, &nobody, API, "read:a").await));
    assert!(missing(roles::assign(&tenant, &nobody, &role.id).await));
    assert!(missing(roles::assign(&tenant, &user, &nothing).await));
    assert!(missing(roles::add_permission(&tenant, &nothing, API, "read:a").await));
    assert!(missing(roles::remove(&tenant, &nothing).await));
}

#[tokio::test]
async fn a_role_is_found_by_its_name_which_no_other_has() {
    let (_house, tenant, _user) = arranged(TokenDialect::AccessToken).await;
    let role = roles::create(&tenant, "Writer", Some("Writes")).await.unwrap();
    assert_eq!(roles::role(&tenant, "Writer").await.unwrap(), role);
    assert_eq!(roles::role(&tenant, role.id.as_str()).await.unwrap(), role);
    let again = roles::create(&tenant, "Writer", None).await;
    assert!(matches!(again, Err(RegistryError::Conflict(_))));
    let renamed = roles::update(&tenant, &role.id, "Author", None).await.unwrap();
    assert_eq!(roles::roles(&tenant, Page::first(9)).await.unwrap(), [renamed]);
    assert!(roles::create(&tenant, " ", None).await.is_err());
}

/// A house with an API that enforces policies and has three scopes, and the sample user.
async fn arranged(dialect: TokenDialect) -> (House, Arc<Tenant>, UserId) {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let new = NewApi {
        scopes: ["read:a", "write:a", "delete:a"].map(scope).to_vec(),
        dialect,
        enforces_policies: true,
        ..NewApi::new(API)
    };
    apis::create(&tenant, new).await.unwrap();
    let users = tenant.house.store.users(&tenant.id, Page::first(9)).await.unwrap();
    let user = users.into_iter().find(|user| user.email.as_deref() == Some(USERNAME));
    (house, tenant, user.unwrap().id)
}

async fn token(house: &House, scope: &str) -> Jwt {
    house.password(&[("audience", API), ("scope", scope)]).await.token()
}

fn scope(value: &str) -> ApiScope {
    ApiScope {
        value: value.into(),
        description: None,
    }
}
