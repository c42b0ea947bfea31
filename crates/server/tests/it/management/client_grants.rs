//! `/client-grants`: the life of a client grant (CONTRACT §4.5, §5.4).

use serde_json::{Value, json};

use super::Api;
use crate::house::{AUDIENCE, House, ISSUER};

#[tokio::test]
async fn a_grant_is_made_changed_and_removed_and_tokens_follow_at_once() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let password = &house.samples.password;
    let query = format!(
        "client-grants?audience={AUDIENCE}&client_id={}&include_totals=true&per_page=50",
        password.client_id
    );
    assert_eq!(
        api.get(&query).await,
        json!({"start": 0, "limit": 50, "total": 0, "client_grants": []})
    );
    let body = json!({"client_id": password.client_id, "audience": AUDIENCE, "scope": ["write:messages"]});
    let made = api.expect(201, "POST", "client-grants", body.clone()).await;
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("cgr_") && id.len() == 20, "{id}");
    let expected = json!({"id": id, "client_id": password.client_id, "audience": AUDIENCE,
        "scope": ["write:messages"], "subject_type": "client"});
    assert_eq!(made, expected);
    assert_eq!(api.get(&query).await["client_grants"], json!([made]));
    assert_eq!(house.token(password).await.text("scope"), "write:messages");
    let again = api.expect(409, "POST", "client-grants", body).await;
    assert_eq!(again["error"], "Conflict");

    let path = format!("client-grants/{id}");
    let all = api.expect(200, "PATCH", &path, json!({"allow_all_scopes": true})).await;
    assert_eq!((&all["allow_all_scopes"], all.get("scope")), (&json!(true), None));
    assert_eq!(
        house.token(password).await.text("scope"),
        "read:messages write:messages"
    );
    let change = json!({"allow_all_scopes": false, "scope": ["read:messages"], "organization_usage": "deny"});
    let some = api.expect(200, "PATCH", &path, change).await;
    assert_eq!(
        (&some["scope"], &some["organization_usage"]),
        (&json!(["read:messages"]), &json!("deny"))
    );
    assert_eq!(api.get(&path).await, some);
    assert_eq!(house.token(password).await.text("scope"), "read:messages");
    api.expect(204, "DELETE", &path, Value::Null).await;
    assert_eq!(house.client_credentials(password).await.status, 403);
    let gone = api.expect(404, "GET", &path, Value::Null).await;
    assert_eq!(gone["errorCode"], "inexistent_client_grant");
    api.expect(204, "DELETE", &path, Value::Null).await;
}

#[tokio::test]
async fn a_grant_is_of_things_that_there_are() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let client = &house.samples.password.client_id;
    let refused = async |status, client: &str, audience: &str, scope: &str| {
        let body = json!({"client_id": client, "audience": audience, "scope": [scope]});
        let refused = api.expect(status, "POST", "client-grants", body).await;
        refused["errorCode"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(
        refused(404, "nobody", AUDIENCE, "read:messages").await,
        "inexistent_client"
    );
    assert_eq!(
        refused(404, client, "https://nowhere", "x").await,
        "inexistent_resource_server"
    );
    assert_eq!(refused(400, client, AUDIENCE, "read:nothing").await, "invalid_body");
    let both = json!({"client_id": client, "audience": AUDIENCE, "scope": [], "subject_type": "user"});
    let of_users = api.expect(201, "POST", "client-grants", both).await;
    assert_eq!(of_users["subject_type"], "user");
    api.expect(
        400,
        "PATCH",
        &format!("client-grants/{}", of_users["id"].as_str().unwrap()),
        json!({"audience": "x"}),
    )
    .await;
}

#[tokio::test]
async fn a_narrowed_grant_narrows_tokens_that_are_out_already() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let system = format!("{ISSUER}api/v2/");
    let query = format!(
        "client-grants?client_id={}&audience={system}",
        house.samples.admin.client_id
    );
    let own = api.get(&query).await[0]["id"].as_str().unwrap().to_owned();
    let change = json!({"allow_all_scopes": false, "scope": ["read:clients"]});
    api.expect(200, "PATCH", &format!("client-grants/{own}"), change).await;
    api.get("clients").await;
    api.expect(403, "GET", "client-grants", Value::Null).await;
}

#[tokio::test]
async fn grants_are_listed_by_number_by_checkpoint_and_filtered() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let all = api.get("client-grants?include_totals=true&per_page=100").await;
    assert_eq!(all["total"], 4, "the samples'");
    let mut seen = Vec::new();
    let mut query = "client-grants?take=3".to_owned();
    loop {
        let page = api.get(&query).await;
        seen.extend(page["client_grants"].as_array().unwrap().clone());
        let Some(next) = page.get("next") else { break };
        query = format!("client-grants?take=3&from={}", next.as_str().unwrap());
    }
    assert_eq!(Value::Array(seen), all["client_grants"]);
    let total = async |query: &str| {
        let page = api.get(&format!("client-grants?include_totals=true&{query}")).await;
        assert_eq!(
            page["client_grants"].as_array().unwrap().len() as u64,
            page["total"].as_u64().unwrap()
        );
        page["total"].as_u64().unwrap()
    };
    assert_eq!(total(&format!("audience={AUDIENCE}")).await, 3);
    assert_eq!(total(&format!("audience={AUDIENCE}&subject_type=user")).await, 0);
    assert_eq!(total("subject_type=client").await, 4);
    assert_eq!(total("audience=https://nowhere").await, 0);
    assert_eq!(total("default_for=third_party_clients").await, 0);
    let client = &house.samples.admin.client_id;
    let by_client = api.get(&format!("client-grants?client_id={client}&take=1")).await;
    assert_eq!(
        (
            by_client["client_grants"].as_array().unwrap().len(),
            by_client.get("next")
        ),
        (1, None)
    );
}

#[tokio::test]
async fn a_grant_names_its_application_and_its_scopes() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let body = json!({"default_for": "third_party_clients", "audience": AUDIENCE, "scope": []});
    let refused = api.expect(403, "POST", "client-grants", body).await;
    assert_eq!(refused["errorCode"], "operation_not_supported");
    let id = &house.samples.sample.client_id;
    let both = json!({"default_for": "third_party_clients", "client_id": id, "audience": AUDIENCE, "scope": []});
    for (body, property) in [
        (both, "default_for"),
        (json!({"audience": AUDIENCE, "scope": []}), "client_id"),
    ] {
        let refused = api.expect(400, "POST", "client-grants", body).await;
        assert!(refused["message"].as_str().unwrap().contains(property), "{refused}");
    }
    let grants = api.get(&format!("client-grants?client_id={id}")).await;
    let path = format!("client-grants/{}", grants[0]["id"].as_str().unwrap());
    let all = api.expect(200, "PATCH", &path, json!({"allow_all_scopes": true})).await;
    assert_eq!(all.get("scope"), None);
    for change in [
        json!({"allow_all_scopes": false}),
        json!({"allow_all_scopes": null, "scope": null}),
    ] {
        let refused = api.expect(400, "PATCH", &path, change).await;
        assert!(refused["message"].as_str().unwrap().contains("scope"), "{refused}");
    }
    let some = json!({"allow_all_scopes": false, "scope": []});
    assert_eq!(api.expect(200, "PATCH", &path, some).await["scope"], json!([]));
    let again = json!({"allow_all_scopes": false});
    assert_eq!(
        api.expect(200, "PATCH", &path, again).await["scope"],
        json!([]),
        "nothing ends"
    );
}
