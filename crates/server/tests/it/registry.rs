//! Changes of configuration: seen at once on this node, and by another process once it has looked.

use serde_json::{Map, json};

use tokenhouse::dev::seed::Application;
use tokenhouse::registry::apis::{self, NewApi};
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse::registry::clients::{self, Kind, NewClient};
use tokenhouse::registry::{RegistryError, keys, tenants, users};
use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::{ClientId, UserId};
use tokenhouse_store::Page;

use crate::house::{AUDIENCE, House, with_secret};

#[tokio::test]
async fn a_new_application_gets_tokens_at_once() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let (client, secret) = clients::create(&tenant, NewClient::of_kind(Kind::MachineToMachine, "New"))
        .await
        .unwrap();
    let application = Application {
        client_id: client.id.as_str().into(),
        client_secret: secret.unwrap().expose().into(),
    };
    let answer = house.client_credentials(&application).await;
    assert_eq!(
        (answer.status, answer.text("error")),
        (403, "access_denied".into()),
        "no client grant yet"
    );
    grant(&house, &application, AUDIENCE, &["read:messages"]).await.unwrap();
    assert_eq!(house.token(&application).await.text("scope"), "read:messages");
}

#[tokio::test]
async fn a_name_asked_for_too_early_is_found_once_it_exists() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let audience = "https://later.example.com";
    let ask = |audience| {
        let fields = [("grant_type", "client_credentials"), ("audience", audience)];
        with_secret(&house.samples.sample, &fields)
    };
    assert_eq!(house.post_form(&ask(audience)).await.status, 403);
    apis::create(&tenant, NewApi::new(audience)).await.unwrap();
    grant(&house, &house.samples.sample, audience, &[]).await.unwrap();
    assert_eq!(house.post_form(&ask(audience)).await.token().text("aud"), audience);
}

#[tokio::test]
async fn a_rotated_secret_ends_the_old_one_at_once() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let old = house.samples.sample.clone();
    house.token(&old).await;
    let secret = clients::rotate_secret(&tenant, &ClientId::new(&old.client_id))
        .await
        .unwrap();
    assert_eq!(house.client_credentials(&old).await.status, 401);
    house
        .token(&Application {
            client_secret: secret.expose().into(),
            ..old
        })
        .await;
}

#[tokio::test]
async fn what_was_removed_gets_no_more_tokens() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let reader = &house.samples.reader;
    house.token(reader).await;
    let of_reader = tenant
        .house
        .store
        .grants_of_client(&tenant.id, &ClientId::new(&reader.client_id))
        .await
        .unwrap();
    client_grants::remove(&tenant, &of_reader[0].id).await.unwrap();
    let answer = house.client_credentials(reader).await;
    assert!(
        answer
            .text("error_description")
            .contains("You need to create a \"client-grant\""),
        "{answer:?}"
    );

    let sample = &house.samples.sample;
    house.token(sample).await;
    let api = apis::api(&tenant, AUDIENCE).await.unwrap();
    apis::remove(&tenant, &api.id).await.unwrap();
    let answer = house.client_credentials(sample).await;
    assert!(
        answer
            .text("error_description")
            .starts_with("Service not enabled within domain: "),
        "{answer:?}"
    );

    clients::remove(&tenant, &ClientId::new(&sample.client_id))
        .await
        .unwrap();
    assert_eq!(house.client_credentials(sample).await.status, 401);
}

#[tokio::test]
async fn an_api_made_again_under_its_old_name_inherits_no_grant() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    house.token(&house.samples.sample).await;
    let api = apis::api(&tenant, AUDIENCE).await.unwrap();
    apis::remove(&tenant, &api.id).await.unwrap();
    apis::create(
        &tenant,
        NewApi {
            scopes: api.scopes,
            ..NewApi::new(AUDIENCE)
        },
    )
    .await
    .unwrap();
    let answer = house.client_credentials(&house.samples.sample).await;
    assert_eq!(
        (answer.status, answer.text("error")),
        (403, "access_denied".into()),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_grant_of_all_scopes_has_those_to_come() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let stranger = &house.samples.stranger;
    let client_id = ClientId::new(&stranger.client_id);
    let old = tenant
        .house
        .store
        .grants_of_client(&tenant.id, &client_id)
        .await
        .unwrap();
    client_grants::remove(&tenant, &old[0].id).await.unwrap();
    let new = NewClientGrant {
        client_id,
        audience: AUDIENCE.into(),
        scopes: vec![],
        allow_all_scopes: true,
    };
    client_grants::create(&tenant, new).await.unwrap();
    assert_eq!(
        house.token(stranger).await.text("scope"),
        "read:messages write:messages"
    );
}

#[tokio::test]
async fn settings_are_in_force_at_once_and_null_unsets_them() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let fields = with_secret(&house.samples.sample, &[("grant_type", "client_credentials")]);
    let ask = async || house.post_form(&fields).await.status;
    assert_eq!(ask().await, 403);
    let set = |value| Map::from_iter([("default_audience".to_owned(), value)]);
    tenants::update_settings(&tenant, set(json!(AUDIENCE))).await.unwrap();
    assert_eq!(ask().await, 200);
    tenants::update_settings(&tenant, set(json!(null))).await.unwrap();
    assert_eq!(ask().await, 403);
}

#[tokio::test]
async fn every_change_counts_the_revision_and_a_refused_one_does_not() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let start = revision(&house).await;
    let new = || NewClient::of_kind(Kind::MachineToMachine, "Counted");
    let (client, _) = clients::create(&tenant, new()).await.unwrap();
    assert_eq!(revision(&house).await, start + 1);
    clients::rotate_secret(&tenant, &client.id).await.unwrap();
    clients::remove(&tenant, &client.id).await.unwrap();
    assert_eq!(revision(&house).await, start + 3);
    assert!(clients::remove(&tenant, &client.id).await.is_err());
    assert!(apis::create(&tenant, NewApi::new(AUDIENCE)).await.is_err());
    assert!(
        clients::create(
            &tenant,
            NewClient {
                name: "<".into(),
                ..new()
            }
        )
        .await
        .is_err()
    );
    assert!(
        users::set_blocked(&tenant, &UserId::new("auth0|unknown"), true)
            .await
            .is_err()
    );
    assert_eq!(revision(&house).await, start + 3);
}

#[tokio::test]
async fn a_stranger_never_bumps_the_revision() {
    let house = House::new().await;
    let start = revision(&house).await;
    house.token(&house.samples.sample).await;
    house.password(&[]).await;
    house.password(&[("password", "wrong")]).await;
    assert_eq!(revision(&house).await, start);
}

#[tokio::test]
async fn an_identifier_that_would_confuse_two_kinds_of_token_is_refused() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let client = house.samples.sample.client_id.as_str();
    let reserved = [
        "http://localhost:4000/",
        "http://localhost:4000/userinfo",
        "http://localhost:4000/api/v2/",
        client,
    ];
    for identifier in reserved {
        let refused = apis::create(&tenant, NewApi::new(identifier)).await;
        assert!(
            matches!(
                refused,
                Err(RegistryError::Invalid {
                    property: "identifier",
                    ..
                })
            ),
            "{identifier}"
        );
    }
}

#[tokio::test]
async fn another_process_sees_every_change_once_it_has_looked() {
    let here = House::on_file().await;
    let there = here.second_node().await;
    let sample = here.samples.sample.clone();
    let old = there.token(&sample).await;
    let tenant = here.tenant().await;

    let secret = clients::rotate_secret(&tenant, &ClientId::new(&sample.client_id))
        .await
        .unwrap();
    let sample = Application {
        client_secret: secret.expose().into(),
        ..sample
    };
    assert_eq!(there.client_credentials(&sample).await.status, 401, "not looked yet");
    there.app.catch_up().await.unwrap();
    there.token(&sample).await;

    keys::rotate(&tenant, Algorithm::Rs256, true).await.unwrap();
    there.app.catch_up().await.unwrap();
    let new = there.token(&sample).await;
    assert_ne!(old.kid(), new.kid());
    assert_eq!(here.token(&sample).await.kid(), new.kid());

    let dialect = Map::from_iter([("error_dialect".to_owned(), json!("rfc6749"))]);
    tenants::update_settings(&tenant, dialect).await.unwrap();
    there.app.catch_up().await.unwrap();
    let unknown = there.post_form(&[("grant_type", "magic"), ("client_id", "x")]).await;
    assert_eq!(unknown.status, 400, "{unknown:?}");

    let api = apis::api(&tenant, AUDIENCE).await.unwrap();
    apis::remove(&tenant, &api.id).await.unwrap();
    there.app.catch_up().await.unwrap();
    assert_eq!(there.client_credentials(&sample).await.text("error"), "invalid_target");
}

#[tokio::test]
async fn changes_made_on_two_nodes_at_once_are_all_counted() {
    let here = House::on_file().await;
    let there = here.second_node().await;
    let start = revision(&here).await;
    let make = |house: &House, number: usize| {
        let app = house.app.clone();
        tokio::spawn(async move {
            let tenant = app.default_tenant().await.unwrap();
            let new = NewClient::of_kind(Kind::MachineToMachine, format!("Number {number}"));
            clients::create(&tenant, new).await.unwrap();
        })
    };
    let made: Vec<_> = (0..20)
        .map(|number| make(if number % 2 == 0 { &here } else { &there }, number))
        .collect();
    for one in made {
        one.await.unwrap();
    }
    assert_eq!(revision(&here).await, start + 20);
    let tenant = there.tenant().await;
    let all = clients::clients(&tenant, Page::first(100)).await.unwrap();
    assert_eq!(all.len(), 25, "five samples and twenty more");
}

async fn revision(house: &House) -> i64 {
    let tenant = house.tenant().await;
    tenant
        .house
        .store
        .revisions(std::slice::from_ref(&tenant.id))
        .await
        .unwrap()[0]
        .1
}

async fn grant(house: &House, application: &Application, audience: &str, scopes: &[&str]) -> Result<(), RegistryError> {
    let new = NewClientGrant {
        client_id: ClientId::new(&application.client_id),
        audience: audience.into(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        allow_all_scopes: false,
    };
    client_grants::create(&*house.tenant().await, new).await.map(drop)
}
