//! `POST /oauth/token`, password and password-realm (RFC 6749 §4.3; CONTRACT §1.4–§1.6).

use serde_json::{Map, Value, json};

use tokenhouse::registry::apis::{self, NewApi};
use tokenhouse::registry::tenants::update_settings;
use tokenhouse::registry::users::{self, NewUser};
use tokenhouse_protocol::secret::Secret;

use crate::house::{AUDIENCE, Ask, House, ISSUER, Jwt, PASSWORD, USERNAME, member_names, with_secret};

const CONNECTION: &str = "Username-Password-Authentication";
const REALM: [(&str, &str); 2] = [
    ("grant_type", "http://auth0.com/oauth/grant-type/password-realm"),
    ("realm", CONNECTION),
];

#[tokio::test]
async fn without_a_scope_a_user_gets_all_scopes_of_the_api() {
    let house = House::shared().await;
    let answer = house.password(&[("audience", AUDIENCE)]).await;
    assert_eq!(
        member_names(&answer.body),
        ["access_token", "scope", "expires_in", "token_type"]
    );
    assert_eq!(answer.text("scope"), "read:messages write:messages");
    let token = answer.token();
    assert_eq!(
        member_names(&token.payload),
        ["iss", "sub", "aud", "iat", "exp", "scope", "gty", "azp"]
    );
    assert_eq!((token.text("gty"), token.text("aud")), ("password", AUDIENCE));
    assert!(token.text("sub").starts_with("auth0|"));
    assert_eq!(token.text("azp"), house.samples.password.client_id);
    assert!(house.accepts(&token).await);
}

#[tokio::test]
async fn the_realm_form_gives_the_same_token() {
    let house = House::shared().await;
    let plain = house.password(&[("audience", AUDIENCE)]).await.token();
    let realm = house
        .password(&[REALM[0], REALM[1], ("audience", AUDIENCE)])
        .await
        .token();
    assert_eq!(plain.claims, realm.claims);
    // The plain form passes over a realm.
    assert_eq!(house.password(&[("realm", "nowhere")]).await.status, 200);
}

#[tokio::test]
async fn scopes_are_limited_to_those_of_the_api() {
    let house = House::shared().await;
    let cases = [
        ("read:messages", "read:messages"),
        (
            "write:messages unknown:scope read:messages",
            "write:messages read:messages",
        ),
        ("openid read:messages", "openid read:messages"),
        (
            "openid",
            "openid profile email address phone read:messages write:messages",
        ),
        ("openid profile", "openid profile read:messages write:messages"),
    ];
    for (asked, given) in cases {
        let answer = house.password(&[("audience", AUDIENCE), ("scope", asked)]).await;
        assert_eq!((answer.status, answer.text("scope")), (200, given.into()), "{asked}");
        assert_eq!(answer.token().text("scope"), given);
    }
}

#[tokio::test]
async fn asking_for_scopes_that_the_api_has_not_gives_none_of_its_own() {
    let house = House::shared().await;
    let answer = house
        .password(&[("audience", AUDIENCE), ("scope", "unknown:scope")])
        .await;
    assert_eq!(
        member_names(&answer.body),
        ["access_token", "expires_in", "token_type"],
        "{answer:?}"
    );
}

#[tokio::test]
async fn openid_brings_an_id_token_and_a_second_audience() {
    let house = House::shared().await;
    let answer = house
        .password(&[("audience", AUDIENCE), ("scope", "openid profile email read:messages")])
        .await;
    assert_eq!(
        member_names(&answer.body),
        ["access_token", "id_token", "scope", "expires_in", "token_type"]
    );
    assert_eq!(
        answer.token().claims["aud"],
        json!([AUDIENCE, format!("{ISSUER}userinfo")])
    );
    let id_token = Jwt::read(&answer.text("id_token"));
    let expected = [
        "nickname",
        "name",
        "updated_at",
        "email",
        "email_verified",
        "iss",
        "sub",
        "aud",
        "iat",
        "exp",
    ];
    let names: Vec<_> = member_names(&id_token.payload)
        .into_iter()
        .filter(|name| name != "picture")
        .collect();
    assert_eq!(names, expected);
    assert_eq!(id_token.claims["aud"], json!(house.samples.password.client_id));
    assert_eq!((id_token.text("email"), id_token.text("nickname")), (USERNAME, "user"));
    let seconds = |name: &str| id_token.claims[name].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 36_000);
    assert!(!house.accepts(&id_token).await, "an ID token is no access token");
}

#[tokio::test]
async fn without_an_audience_the_token_is_opaque_and_for_userinfo() {
    let house = House::shared().await;
    for scope in ["openid", ""] {
        let answer = house.password(&[("scope", scope)]).await;
        assert_eq!(answer.text("scope"), "openid profile email address phone");
        assert_eq!(answer.json()["expires_in"], 86_400);
        assert_eq!(
            member_names(&answer.body),
            ["access_token", "id_token", "scope", "expires_in", "token_type"]
        );
        assert!(!answer.text("access_token").contains('.'), "not to be taken for a JWT");
    }
    let mail = house.password(&[("scope", "openid email read:messages")]).await;
    assert_eq!(mail.text("scope"), "openid email");
}

#[tokio::test]
async fn a_user_is_found_by_address_or_name_however_written() {
    let house = House::new().await;
    let new = NewUser {
        connection: CONNECTION.into(),
        email: Some("Ümit@Example.COM".into()),
        email_verified: false,
        username: Some("umit".into()),
        password: Secret::new(PASSWORD),
    };
    let user = users::create(&*house.tenant().await, new).await.unwrap();
    for typed in ["Ümit@Example.COM", "ümit@example.com", "UMIT", " umit "] {
        let answer = house.password(&[("username", typed), ("audience", AUDIENCE)]).await;
        assert_eq!(answer.token().text("sub"), user.id.as_str(), "{typed:?}");
    }
}

#[tokio::test]
async fn a_password_is_taken_to_the_letter() {
    let house = House::shared().await;
    let from = [192, 0, 2, 99];
    for near in ["Pwd", "pwd ", " pwd", "pw", "pwdd", "p\u{200b}wd"] {
        let ask = Ask::token(&house.password_fields(&[("password", near)])).from(from);
        assert_eq!(house.ask(ask).await.status, 403, "{near:?}");
    }
}

#[tokio::test]
async fn the_management_api_is_not_to_be_had_with_a_password() {
    let house = House::shared().await;
    let answer = house.password(&[("audience", &format!("{ISSUER}api/v2/"))]).await;
    assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".into()));
    assert_eq!(
        answer.text("error_description"),
        "invalid audience specified for password grant exchange"
    );
}

#[tokio::test]
async fn an_application_without_the_grant_cannot_use_passwords() {
    let house = House::shared().await;
    let login = [("username", USERNAME), ("password", PASSWORD), ("audience", AUDIENCE)];
    for grant in ["password", REALM[0].1] {
        let fields = [
            ("grant_type", grant),
            login[0],
            login[1],
            login[2],
            ("realm", CONNECTION),
        ];
        let answer = house.post_form(&with_secret(&house.samples.sample, &fields)).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (403, "unauthorized_client".into())
        );
        let expected = format!("Grant type '{grant}' not allowed for the client.");
        assert!(answer.text("error_description").starts_with(&expected), "{answer:?}");
        assert!(
            answer.text("error_uri").starts_with(&format!("{ISSUER}docs/errors")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn the_default_audience_serves_users_too() {
    let house = House::new().await;
    let default = Map::from_iter([("default_audience".to_owned(), json!(AUDIENCE))]);
    update_settings(&*house.tenant().await, default).await.unwrap();
    assert_eq!(house.password(&[]).await.token().text("aud"), AUDIENCE);
}

#[tokio::test]
async fn an_api_that_denies_users_or_wants_a_grant_for_them_is_obeyed() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    for (policy, audience) in [
        ("deny_all", "https://deny.example.com"),
        ("require_client_grant", "https://ask.example.com"),
    ] {
        let mut api = apis::create(&tenant, NewApi::new(audience)).await.unwrap();
        api.rest.insert(
            "subject_type_authorization".into(),
            json!({ "user": { "policy": policy } }),
        );
        let change = tokenhouse_store::Change::Api(api.id.clone());
        let mut tx = tenant.house.store.begin().await.unwrap();
        tx.bump(&tenant.id, change.clone()).await.unwrap();
        assert!(tx.update_api(&tenant.id, &api).await.unwrap());
        tx.commit().await.unwrap();
        tenant.forget(&change);
        let answer = house.password(&[("audience", audience)]).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (400, "invalid_request".into()),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn no_refresh_token_is_given_while_there_is_no_grant_to_redeem_it() {
    let house = House::shared().await;
    let answer = house
        .password(&[("audience", AUDIENCE), ("scope", "openid offline_access")])
        .await;
    assert_eq!(answer.json()["refresh_token"], Value::Null);
    assert!(!answer.text("scope").contains("offline_access"));
}
