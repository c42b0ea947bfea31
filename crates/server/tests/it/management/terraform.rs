//! The calls that Auth0's Terraform provider makes for each of its resources, in its order (CONTRACT §5.4): it creates,
//! reads, changes, reads, deletes, reads, and after each step plans nothing, since what it wrote is what it reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};

use super::Api;
use crate::house::{AUDIENCE, House, USERNAME};

const CONNECTION: &str = "Username-Password-Authentication";
const IDENTIFIER: &str = "https://orders.example.com/v2/";

/// Terraform's plan would be empty: every configured key is read as it was written.
fn no_drift(read: &Value, configured: &Value) {
    for (key, value) in configured.as_object().unwrap() {
        assert_eq!(&read[key], value, "{key} drifted");
    }
}

fn id_of<'a>(made: &'a Value, key: &str) -> &'a str {
    made[key].as_str().unwrap()
}

#[tokio::test]
async fn auth0_resource_server_and_its_scopes() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let made = api
        .expect(201, "POST", "resource-servers", json!({"identifier": IDENTIFIER}))
        .await;
    let path = format!("resource-servers/{}", id_of(&made, "id"));
    // Its GETs carry a body.
    assert_eq!(api.expect(200, "GET", &path, json!({})).await, made);
    let change = json!({"name": "Orders", "token_lifetime": 3600, "token_lifetime_for_web": 1800,
        "allow_offline_access": true, "signing_alg": "PS256", "enforce_policies": true,
        "token_dialect": "rfc9068_profile_authz",
        "skip_consent_for_verifiable_first_party_clients": true});
    no_drift(&api.expect(200, "PATCH", &path, change.clone()).await, &change);
    for absent in ["authorization_details", "token_encryption", "proof_of_possession"] {
        let read = api.expect(200, "PATCH", &path, json!({absent: null})).await;
        assert_eq!(read.get(absent), None);
    }
    no_drift(&api.get(&path).await, &change);

    // auth0_resource_server_scopes and auth0_resource_server_scope name the API by its identifier, encoded once or twice.
    for by_identifier in [
        "resource-servers/https:%2F%2Forders.example.com%2Fv2%2F",
        "resource-servers/https:%252F%252Forders.example.com%252Fv2%252F",
    ] {
        api.expect(200, "GET", by_identifier, json!({})).await;
        let scopes = json!({"scopes": [{"value": "read:orders", "description": "Read orders"}]});
        no_drift(&api.expect(200, "PATCH", by_identifier, scopes.clone()).await, &scopes);
        let merged =
            json!({"scopes": [{"value": "read:orders", "description": "Read orders"}, {"value": "create:orders"}]});
        no_drift(&api.expect(200, "PATCH", by_identifier, merged.clone()).await, &merged);
        no_drift(&api.get(by_identifier).await, &merged);
        api.expect(200, "PATCH", by_identifier, json!({"scopes": []})).await;
        let none = api.get(by_identifier).await;
        assert!(none["scopes"].as_array().is_none_or(Vec::is_empty), "{none}");
    }
    api.expect(204, "DELETE", &path, json!({})).await;
    api.expect(404, "GET", &path, json!({})).await;
}

#[tokio::test]
async fn auth0_client_sends_empty_strings_and_lists_then_nulls() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let configured = json!({"name": "Worker", "app_type": "non_interactive", "description": "",
        "grant_types": ["client_credentials"], "callbacks": [], "allowed_origins": [], "web_origins": [],
        "allowed_logout_urls": [], "oidc_conformant": true, "is_first_party": true,
        "client_metadata": {"team": "orders"}, "custom_login_page_on": false, "initiate_login_uri": ""});
    let made = api.expect(201, "POST", "clients", configured.clone()).await;
    let path = format!("clients/{}", id_of(&made, "client_id"));
    no_drift(&api.expect(200, "GET", &path, json!({})).await, &configured);
    let change = json!({"name": "Worker", "description": "", "grant_types": ["client_credentials"],
        "callbacks": ["https://a.example/cb"], "client_metadata": {"team": null, "stage": "live"},
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 300}});
    let changed = api.expect(200, "PATCH", &path, change).await;
    assert_eq!(changed["client_metadata"], json!({"stage": "live"}));
    assert_eq!(changed["jwt_configuration"]["lifetime_in_seconds"], 300);
    let quota = json!({"token_quota": {"client_credentials": {"per_hour": 10, "per_day": 50, "enforce": true}}});
    no_drift(&api.expect(200, "PATCH", &path, quota.clone()).await, &quota);
    let nulls = json!({"token_quota": null, "default_organization": null, "addons": null});
    let without = api.expect(200, "PATCH", &path, nulls).await;
    assert_eq!((without.get("token_quota"), without.get("addons")), (None, None));

    // data.auth0_client finds it by name in the pages of all.
    let mut names = Vec::new();
    for page in 0.. {
        let list = api
            .get(&format!("clients?include_totals=true&page={page}&per_page=2"))
            .await;
        let rows = list["clients"].as_array().unwrap();
        names.extend(rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()));
        if rows.is_empty() || names.len() as u64 == list["total"].as_u64().unwrap() {
            break;
        }
    }
    assert!(names.iter().any(|name| name == "Worker"), "{names:?}");
    api.expect(204, "DELETE", &path, json!({})).await;
    api.expect(404, "GET", &path, json!({})).await;
}

#[tokio::test]
async fn auth0_client_credentials_move_between_a_secret_and_a_key() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let made = api.expect(201, "POST", "clients", json!({"name": "Keyed"})).await;
    let path = format!("clients/{}", id_of(&made, "client_id"));
    let own = format!("{path}?fields=client_id&include_fields=true");
    assert_eq!(id_of(&api.get(&own).await, "client_id"), id_of(&made, "client_id"));
    let method = json!({"token_endpoint_auth_method": "client_secret_basic"});
    no_drift(&api.expect(200, "PATCH", &path, method.clone()).await, &method);
    let secret = json!({"client_secret": "LUFqPx+sRLjbL7peYRPFmFu-bbvE7u7og4YUNe_C345="});
    no_drift(&api.expect(200, "PATCH", &path, secret.clone()).await, &secret);

    let body = json!({"name": "laptop", "credential_type": "public_key", "pem": pem(), "alg": "RS256"});
    let credentials = format!("{path}/credentials");
    let key = api.expect(201, "POST", &credentials, body).await;
    let methods = json!({"private_key_jwt": {"credentials": [{"id": key["id"]}]}});
    let change = json!({"client_authentication_methods": methods, "token_endpoint_auth_method": null});
    let keyed = api.expect(200, "PATCH", &path, change).await;
    assert_eq!(keyed.get("client_secret"), None);
    api.get(&format!("{path}?fields=client_id%2Capp_type&include_fields=true"))
        .await;
    let listed = api.get(&format!("{credentials}?include_totals=true&per_page=50")).await;
    assert_eq!(listed, json!([key]), "an array, whatever was asked");
    assert_eq!(api.get(&format!("{credentials}/{}", id_of(&key, "id"))).await, key);

    let back = json!({"client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post"});
    api.expect(200, "PATCH", &path, back).await;
    api.expect(
        204,
        "DELETE",
        &format!("{credentials}/{}", id_of(&key, "id")),
        json!({}),
    )
    .await;
    assert_eq!(api.get(&credentials).await, json!([]));
}

#[tokio::test]
async fn auth0_client_grant_looks_before_it_creates() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let client = api.expect(201, "POST", "clients", json!({"name": "Granted"})).await;
    let client_id = id_of(&client, "client_id");
    let audience = AUDIENCE.replace(':', "%3A").replace('/', "%2F");
    let look = format!("client-grants?audience={audience}&client_id={client_id}&include_totals=true&per_page=50");
    let none = api.get(&look).await;
    assert_eq!((&none["total"], &none["client_grants"]), (&json!(0), &json!([])));
    let configured = json!({"client_id": client_id, "audience": AUDIENCE, "scope": []});
    let made = api.expect(201, "POST", "client-grants", configured.clone()).await;
    no_drift(&made, &configured);
    let path = format!("client-grants/{}", id_of(&made, "id"));
    assert_eq!(api.expect(200, "GET", &path, json!({})).await, made);
    let change = json!({"scope": ["read:messages"]});
    no_drift(&api.expect(200, "PATCH", &path, change.clone()).await, &change);
    assert_eq!(api.get(&look).await["total"], 1);
    api.expect(204, "DELETE", &path, json!({})).await;
    api.expect(404, "GET", &path, json!({})).await;
}

#[tokio::test]
async fn auth0_user_changes_one_kind_of_field_a_call() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let configured = json!({"email": "terra@example.com", "username": "terra", "name": "Terra Form",
        "nickname": "tf", "user_metadata": {"a": 1}, "app_metadata": {"b": {"c": 2}}});
    let mut body = configured.clone();
    body["connection"] = json!(CONNECTION);
    body["password"] = json!("Correct horse 7");
    body["user_id"] = json!("terraform");
    let made = api.expect(201, "POST", "users", body).await;
    let path = format!("users/{}", id_of(&made, "user_id").replace('|', "%7C"));
    no_drift(&api.expect(200, "GET", &path, json!({})).await, &configured);
    for change in [
        json!({"connection": CONNECTION, "password": "Another horse 8"}),
        json!({"connection": CONNECTION, "email": "form@example.com", "email_verified": true}),
        json!({"connection": CONNECTION, "username": "former"}),
        json!({"name": "Former", "blocked": true}),
    ] {
        api.expect(200, "PATCH", &path, change).await;
    }
    let read = api.get(&path).await;
    let expected = json!({"email": "form@example.com", "email_verified": true, "username": "former",
        "name": "Former", "blocked": true});
    no_drift(&read, &expected);

    // auth0_user_roles and auth0_user_permissions
    let role = api.expect(200, "POST", "roles", json!({"name": "Reader"})).await;
    let roles = format!("{path}/roles");
    let list = json!({"roles": [role["id"]]});
    api.expect(204, "POST", &roles, list.clone()).await;
    let held = api.get(&format!("{roles}?include_totals=true&per_page=50")).await;
    assert_eq!(held["roles"][0]["id"], role["id"]);
    api.expect(204, "DELETE", &roles, list).await;
    assert_eq!(api.get(&format!("{roles}?page=0&per_page=100")).await, json!([]));
    permissions_live(&api, &format!("{path}/permissions")).await;
    api.expect(204, "DELETE", &path, json!({})).await;
    api.expect(404, "GET", &path, json!({})).await;
}

#[tokio::test]
async fn auth0_role_and_its_permissions() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let configured = json!({"name": "Editor", "description": "Edits"});
    let made = api.expect(200, "POST", "roles", configured.clone()).await;
    let path = format!("roles/{}", id_of(&made, "id"));
    no_drift(&api.expect(200, "GET", &path, json!({})).await, &configured);
    let change = json!({"name": "Author", "description": "Writes"});
    no_drift(&api.expect(200, "PATCH", &path, change.clone()).await, &change);
    permissions_live(&api, &format!("{path}/permissions")).await;
    let users = api
        .get(&format!("{path}/users?include_totals=true&per_page=50&take=100"))
        .await;
    assert_eq!((&users["users"], users.get("next")), (&json!([]), None), "take wins");
    assert_eq!(api.expect(200, "DELETE", &path, json!({})).await, json!({}));
    api.expect(404, "GET", &path, json!({})).await;
}

#[tokio::test]
async fn auth0_connection_clients_and_the_data_sources() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let client = api.expect(201, "POST", "clients", json!({"name": "Enabled"})).await;
    let connections = api.get("connections?include_totals=true&per_page=50&take=100").await;
    let connection = connections["connections"]
        .as_array()
        .unwrap()
        .iter()
        .find(|connection| connection["name"] == CONNECTION)
        .unwrap();
    let path = format!("connections/{}/clients", id_of(connection, "id"));
    let enabled = async || {
        let list = api.get(&format!("{path}?take=100")).await;
        let clients = list["clients"].as_array().unwrap();
        clients.iter().any(|row| row["client_id"] == client["client_id"])
    };
    for status in [true, false] {
        let change = json!([{"client_id": client["client_id"], "status": status}]);
        api.expect(204, "PATCH", &path, change).await;
        assert_eq!(enabled().await, status);
    }

    assert!(api.get("tenants/settings").await["session_lifetime"].is_number());
    let keys = api.get("keys/signing").await;
    assert!(keys.as_array().unwrap().iter().any(|key| key["current"] == true));
    let identifier = AUDIENCE.replace('/', "%2F");
    assert_eq!(
        api.get(&format!("resource-servers/{identifier}")).await["identifier"],
        AUDIENCE
    );
    let users = api
        .get(&format!(
            "users?q=email%3A%22{USERNAME}%22&search_engine=v3&include_totals=true&per_page=50"
        ))
        .await;
    assert!(users["total"].is_number() && users["users"].is_array());
}

/// A user's or a role's permissions: given, read with totals, taken with a body.
async fn permissions_live(api: &Api<'_>, path: &str) {
    let permission = json!({"resource_server_identifier": AUDIENCE, "permission_name": "read:messages"});
    let list = json!({"permissions": [permission]});
    assert_eq!(api.expect(201, "POST", path, list.clone()).await, json!({}));
    let held = api
        .get(&format!("{path}?include_totals=true&page=0&per_page=100"))
        .await;
    assert_eq!(held["total"], 1, "{held}");
    no_drift(&held["permissions"][0], &permission);
    api.expect(204, "DELETE", path, list).await;
    let none = api.get(&format!("{path}?include_totals=true&per_page=50")).await;
    assert_eq!((&none["total"], &none["permissions"]), (&json!(0), &json!([])));
}

/// A public key as PEM.
fn pem() -> String {
    let key = SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048);
    let der = STANDARD.encode(key.public_spki().unwrap());
    format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
}
