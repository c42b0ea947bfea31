//! Two tenants on two hosts of one server: neither can use anything of the other's (DESIGN §2, "Tenants").

use std::sync::Arc;

use tokenhouse::dev::seed::{Applications, seed};
use tokenhouse::registry::RegistryError;
use tokenhouse::registry::tenants::{self, NewTenant};
use tokenhouse::tenant::{Issuer, Tenant};
use tokenhouse_protocol::id::TenantId;

use crate::house::{AUDIENCE, Ask, House, ISSUER, Jwt, PASSWORD, USERNAME, with_secret};

const OTHER_HOST: &str = "auth.other.example";
const OTHER_ISSUER: &str = "https://auth.other.example/";
const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];

/// RFC 6797 §6.1.
#[tokio::test]
async fn only_hosts_of_tenants_on_https_are_told_to_use_it_alone_and_this_machine_never() {
    let house = House::new().await;
    let issuer = Issuer::parse("https://auth.other.example/").unwrap();
    let new = NewTenant {
        id: TenantId::new("other"),
        name: "Other".into(),
        issuer: Some(issuer.clone()),
        hosts: ["auth.other.example", "other.localhost:4000", "127.0.0.9"]
            .map(Into::into)
            .into(),
    };
    tenants::create(&house.app.house, new, issuer).await.unwrap();
    for (host, expected) in [
        ("auth.other.example", "max-age=31536000"),
        ("other.localhost:4000", ""),
        ("127.0.0.9", ""),
        // The default tenant's, whose issuer is http.
        ("localhost:4000", ""),
        // Nobody's.
        ("stranger.example", ""),
    ] {
        for path in [
            "/.well-known/jwks.json",
            "/oauth/token",
            "/console/sign-in",
            "/nothing",
            "/healthz",
        ] {
            let answer = house.ask(Ask::get(path).host(host)).await;
            let expected = if path == "/healthz" { "" } else { expected };
            assert_eq!(answer.header("strict-transport-security"), expected, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn each_host_is_its_own_issuer() {
    let (house, _, other) = two().await;
    let ours = house.token(&house.samples.sample).await;
    let theirs = house
        .ask(Ask::token(&with_secret(&other.sample, &MACHINE)).host(OTHER_HOST))
        .await
        .token();
    assert_eq!((ours.text("iss"), theirs.text("iss")), (ISSUER, OTHER_ISSUER));
    let metadata = house
        .ask(Ask::get("/.well-known/openid-configuration").host(OTHER_HOST))
        .await;
    assert_eq!(
        metadata.text("jwks_uri"),
        format!("{OTHER_ISSUER}.well-known/jwks.json")
    );
}

#[tokio::test]
async fn an_application_is_unknown_at_another_tenant() {
    let (house, _, other) = two().await;
    let unknown = house.post_form(&with_secret(&other.sample, &MACHINE)).await;
    let invented = house
        .post_form(&[MACHINE[0], MACHINE[1], ("client_id", "x"), ("client_secret", "y")])
        .await;
    assert_eq!((unknown.status, &unknown.body), (401, &invented.body));
    let ours = Ask::token(&with_secret(&house.samples.sample, &MACHINE)).host(OTHER_HOST);
    assert_eq!(house.ask(ours).await.status, 401);
}

#[tokio::test]
async fn a_token_of_one_tenant_is_refused_by_apis_of_the_other() {
    let (house, _, other) = two().await;
    let ours = house.token(&house.samples.sample).await;
    let theirs = house
        .ask(Ask::token(&with_secret(&other.sample, &MACHINE)).host(OTHER_HOST))
        .await
        .token();
    let our_guard = house.guard("localhost:4000", AUDIENCE).await;
    let their_guard = house.guard(OTHER_HOST, AUDIENCE).await;
    assert!(our_guard.verify(&ours.raw).await.is_ok() && their_guard.verify(&theirs.raw).await.is_ok());
    assert!(our_guard.verify(&theirs.raw).await.is_err());
    assert!(their_guard.verify(&ours.raw).await.is_err());
}

#[tokio::test]
async fn tenants_share_no_key() {
    let (house, _, _) = two().await;
    let ours = house.get("/.well-known/jwks.json").await.body;
    let theirs = house
        .ask(Ask::get("/.well-known/jwks.json").host(OTHER_HOST))
        .await
        .json();
    for key in theirs["keys"].as_array().unwrap() {
        assert!(!ours.contains(key["kid"].as_str().unwrap()) && !ours.contains(key["n"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn a_token_for_userinfo_opens_only_its_own_tenants() {
    let (house, _, other) = two().await;
    let login = [
        ("grant_type", "password"),
        ("username", USERNAME),
        ("password", PASSWORD),
    ];
    let ours = house.password(&[]).await;
    let theirs = house
        .ask(Ask::token(&with_secret(&other.password, &login)).host(OTHER_HOST))
        .await;
    let with_api = [
        login[0],
        login[1],
        login[2],
        ("audience", AUDIENCE),
        ("scope", "openid"),
    ];
    let their_jwt = house
        .ask(Ask::token(&with_secret(&other.password, &with_api)).host(OTHER_HOST))
        .await;
    assert_eq!(
        Jwt::read(&their_jwt.text("access_token")).claims["aud"][1],
        format!("{OTHER_ISSUER}userinfo")
    );
    for (token, opens_here) in [(&ours, true), (&theirs, false), (&their_jwt, false)] {
        let ask = Ask::get("/userinfo").bearer(&token.text("access_token"));
        assert_eq!(house.ask(ask.clone()).await.status, if opens_here { 200 } else { 401 });
        assert_eq!(
            house.ask(ask.host(OTHER_HOST)).await.status,
            if opens_here { 401 } else { 200 }
        );
    }
}

#[tokio::test]
async fn each_tenant_has_its_own_log_and_its_own_limits() {
    let (house, other_tenant, other) = two().await;
    house.token(&house.samples.sample).await;
    let wrong = [
        ("grant_type", "password"),
        ("username", USERNAME),
        ("password", "wrong"),
    ];
    for _ in 0..10 {
        assert_eq!(house.password(&wrong[2..]).await.status, 403);
    }
    assert_eq!(house.password(&[]).await.status, 429);
    let login = [wrong[0], wrong[1], ("password", PASSWORD)];
    let theirs = house
        .ask(Ask::token(&with_secret(&other.password, &login)).host(OTHER_HOST))
        .await;
    assert_eq!(theirs.status, 200, "{theirs:?}");
    let kinds = |rows: Vec<tokenhouse_store::LogRow>| rows.into_iter().map(|row| row.kind).collect::<Vec<_>>();
    assert_eq!(kinds(house.logs_of(&other_tenant.id).await), ["sepft"]);
    assert_eq!(kinds(house.logs().await)[0], "seccft");
}

#[tokio::test]
async fn the_system_api_is_each_tenants_own() {
    let (house, _, other) = two().await;
    let system = |issuer: &str| format!("{issuer}api/v2/");
    let (ours, theirs) = (system(ISSUER), system(OTHER_ISSUER));
    let ask =
        |audience: &str, application| Ask::token(&with_secret(application, &[MACHINE[0], ("audience", audience)]));
    assert_eq!(
        house.ask(ask(&ours, &house.samples.admin)).await.token().text("aud"),
        ours
    );
    assert_eq!(house.ask(ask(&theirs, &house.samples.admin)).await.status, 403);
    assert_eq!(
        house
            .ask(ask(&theirs, &other.admin).host(OTHER_HOST))
            .await
            .token()
            .text("aud"),
        theirs
    );
    assert_eq!(house.ask(ask(&ours, &other.admin).host(OTHER_HOST)).await.status, 403);
}

#[tokio::test]
async fn a_removed_tenant_is_gone_with_its_log_and_the_others_stay() {
    let (house, tenant, other) = two().await;
    house.token(&house.samples.sample).await;
    let ask = Ask::token(&with_secret(&other.sample, &MACHINE)).host(OTHER_HOST);
    assert_eq!(house.ask(ask.clone()).await.status, 200);
    let app = &house.app;
    let default = TenantId::default_tenant();
    let refused = tenants::remove(&app.house, &default).await;
    assert!(matches!(refused, Err(RegistryError::Refused(_))), "{refused:?}");
    assert!(tenants::remove(&app.house, &tenant.id).await.unwrap() > 5);
    app.catch_up().await.unwrap();
    assert_eq!(house.ask(ask.clone()).await.status, 421);
    assert_eq!(house.logs_of(&tenant.id).await, []);
    assert_eq!(house.token(&house.samples.sample).await.text("iss"), ISSUER);
    let again = tenants::remove(&app.house, &tenant.id).await;
    assert!(matches!(again, Err(RegistryError::NotFound(_))), "{again:?}");

    // Who comes to live under its name finds nothing of it.
    let issuer = Issuer::parse(OTHER_ISSUER).unwrap();
    tenants::create(&app.house, other_tenant(&issuer), issuer)
        .await
        .unwrap();
    app.forget_unknown_hosts();
    assert_eq!(house.ask(ask).await.status, 401);
    let rows = house.logs_of(&tenant.id).await;
    assert_eq!(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["feccft"]);
}

#[tokio::test]
async fn an_unknown_host_is_never_the_default() {
    let (house, _, _) = two().await;
    for host in [
        "evil.example",
        "auth.other.example.evil.example",
        "auth.other.example:81",
        "localhost.evil.example",
    ] {
        let answer = house
            .ask(Ask::get("/.well-known/openid-configuration").host(host))
            .await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (421, "invalid_request".into()),
            "{host}"
        );
    }
    let capitals = house
        .ask(Ask::get("/.well-known/openid-configuration").host("AUTH.other.example"))
        .await;
    assert_eq!(capitals.text("issuer"), OTHER_ISSUER);
}

#[tokio::test]
async fn a_tenants_own_host_wins_over_a_name_of_this_machine_and_never_over_the_default_issuers() {
    let house = House::new().await;
    let host = "localhost:4403";
    let issuer_at = async |host| {
        let ask = Ask::get("/.well-known/openid-configuration").host(host);
        house.ask(ask).await.text("issuer")
    };
    assert_eq!(issuer_at(host).await, ISSUER);
    let issuer = Issuer::parse(OTHER_ISSUER).unwrap();
    let mut new = other_tenant(&issuer);
    new.hosts.push("localhost:4000".into());
    let refused = tenants::create(&house.app.house, new.clone(), issuer.clone()).await;
    assert!(matches!(refused, Err(RegistryError::Conflict(_))), "{refused:?}");
    new.hosts = vec![host.into()];
    tenants::create(&house.app.house, new, issuer).await.unwrap();
    house.app.forget_unknown_hosts();
    assert_eq!(issuer_at(host).await, OTHER_ISSUER);
    assert_eq!(issuer_at("localhost:4404").await, ISSUER);
    assert_eq!(issuer_at("localhost:4000").await, ISSUER);
}

/// A house with a second tenant, which has samples of its own.
async fn two() -> (House, Arc<Tenant>, Applications) {
    let house = House::new().await;
    let issuer = Issuer::parse(OTHER_ISSUER).unwrap();
    let new = other_tenant(&issuer);
    let id = new.id.clone();
    tenants::create(&house.app.house, new, issuer).await.unwrap();
    let tenant = house.app.tenant(&id).await.unwrap().unwrap();
    let samples = Box::pin(seed(&tenant, &[])).await.unwrap();
    (house, tenant, samples)
}

fn other_tenant(issuer: &Issuer) -> NewTenant {
    NewTenant {
        id: TenantId::new("other"),
        name: "Other".into(),
        issuer: Some(issuer.clone()),
        hosts: vec![OTHER_HOST.into()],
    }
}
