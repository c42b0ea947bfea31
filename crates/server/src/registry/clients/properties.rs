//! An application as one map of properties, as it is on the wire: what is looked up has columns, the rest is carried;
//! what was never said has Auth0's defaults (CONTRACT §4.3).

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use tokenhouse_protocol::grant::GrantType;
use tokenhouse_store::Client;

use super::super::patch::{self, Rules};
use super::super::{RegistryError, check_quota, checked_length, checked_name};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 255;
/// Longest description, in characters.
const MAX_DESCRIPTION_CHARS: usize = 140;
/// Longest origin whose pages may read the token endpoint's answers, in characters.
const MAX_ORIGIN_CHARS: usize = 2048;
/// Most keys of an application's metadata.
const MAX_METADATA: usize = 10;
/// The grant types that an application may list beside those that there are here: Auth0's that are still to come.
const OTHER_GRANT_TYPES: [&str; 13] = [
    "authorization_code",
    "implicit",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:openid:params:grant-type:ciba",
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
    "http://auth0.com/oauth/grant-type/mfa-otp",
    "http://auth0.com/oauth/grant-type/mfa-oob",
    "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    "http://auth0.com/oauth/grant-type/passwordless/otp",
    "http://auth0.com/oauth/legacy/grant-type/delegation/refresh_token",
];
/// Auth0's grant types where none were said.
const DEFAULT_GRANT_TYPES: [&str; 4] = ["authorization_code", "implicit", "refresh_token", "client_credentials"];
/// How a change of an application's properties meets those that are there (CONTRACT §4.12.1).
pub(super) const RULES: Rules = Rules {
    merged: &["jwt_configuration", "session_transfer", "mobile", "native_social_login"],
    metadata: &["client_metadata"],
};

/// The properties that can be written, with their defaults where nothing was said. Neither its id nor its secrets are
/// among them.
pub fn properties(client: &Client) -> Map<String, Value> {
    let mut properties = client.rest.clone();
    if let Some(cross_origin) = properties.get("cross_origin_authentication").cloned() {
        // The older name of the same.
        properties.entry("cross_origin_auth").or_insert(cross_origin);
    }
    for (name, default) in &*DEFAULTS {
        if !properties.contains_key(*name) {
            properties.insert((*name).into(), default.clone());
        }
    }
    properties.insert("name".into(), json!(client.name));
    properties.insert("grant_types".into(), json!(client.grant_types));
    properties.insert("is_first_party".into(), json!(client.is_first_party));
    let optional = [
        ("app_type", &client.app_type),
        ("token_endpoint_auth_method", &client.token_endpoint_auth_method),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            properties.insert(name.into(), json!(value));
        }
    }
    properties
}

/// Completes what a new application's properties leave open; what depends on how it was made is written down now.
pub(super) fn complete(properties: &mut Map<String, Value>) {
    let method = properties.get("token_endpoint_auth_method").and_then(Value::as_str);
    let (is_public, is_confidential) = (method == Some("none"), method.is_some_and(|method| method != "none"));
    if is_confidential && !properties.contains_key("refresh_token") {
        properties.insert("refresh_token".into(), default_refresh_token(true));
    }
    complete_refresh_token(properties);
    if is_public && !properties.contains_key("grant_types") {
        // The one default that a public application may not have.
        let kept = DEFAULT_GRANT_TYPES.iter().filter(|word| **word != "client_credentials");
        properties.insert("grant_types".into(), kept.copied().collect());
    }
}

/// Completes a `refresh_token` of which only some was said.
pub(super) fn complete_refresh_token(properties: &mut Map<String, Value>) {
    if !properties.contains_key("refresh_token") {
        return;
    }
    let method = properties.get("token_endpoint_auth_method").and_then(Value::as_str);
    let default = default_refresh_token(method.is_some_and(|method| method != "none"));
    let (Some(Value::Object(said)), Value::Object(default)) = (properties.get_mut("refresh_token"), default) else {
        return;
    };
    let expires = said.get("expiration_type").is_some_and(|kind| kind == "expiring");
    for (name, value) in default {
        let is_endless = name.starts_with("infinite");
        said.entry(name)
            .or_insert(if is_endless { json!(!expires) } else { value });
    }
}

/// Writes properties into an application, in place of all that it had; refuses those that do not go together.
pub(super) fn assign(client: &mut Client, mut properties: Map<String, Value>) -> Result<(), RegistryError> {
    let mut text = |name: &str| match properties.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    client.name = text("name").unwrap_or_default();
    client.app_type = text("app_type").filter(|kind| !kind.is_empty());
    client.token_endpoint_auth_method = text("token_endpoint_auth_method").filter(|method| !method.is_empty());
    client.grant_types = match properties.remove("grant_types") {
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) | None => DEFAULT_GRANT_TYPES.map(str::to_owned).to_vec(),
    };
    client.is_first_party = properties
        .remove("is_first_party")
        .and_then(|value| value.as_bool())
        .unwrap_or(true);
    client.rest = properties;
    patch::forget_defaults(&mut client.rest, &*DEFAULTS);
    check(client)
}

/// What an application carries unless it says otherwise.
static DEFAULTS: LazyLock<[(&str, Value); 8]> = LazyLock::new(|| {
    let jwt_configuration = json!({"lifetime_in_seconds": 36_000, "secret_encoded": false});
    [
        ("cross_origin_auth", json!(false)),
        ("cross_origin_authentication", json!(false)),
        ("custom_login_page_on", json!(true)),
        ("is_token_endpoint_ip_header_trusted", json!(false)),
        ("jwt_configuration", jwt_configuration),
        ("oidc_conformant", json!(false)),
        ("refresh_token", default_refresh_token(false)),
        ("sso_disabled", json!(false)),
    ]
});

/// Refuses an application whose properties do not go together.
pub(super) fn check(client: &Client) -> Result<(), RegistryError> {
    checked_name(&client.name, MAX_NAME_CHARS)?;
    let description = client.rest.get("description").and_then(Value::as_str);
    checked_length("description", description.unwrap_or_default(), MAX_DESCRIPTION_CHARS)?;
    let origins = client.rest.get("web_origins").and_then(Value::as_array);
    for origin in origins.into_iter().flatten().filter_map(Value::as_str) {
        checked_length("web_origins", origin, MAX_ORIGIN_CHARS)?;
    }
    let known = |word: &str| word.parse::<GrantType>().is_ok() || OTHER_GRANT_TYPES.contains(&word);
    if let Some(unknown) = client.grant_types.iter().find(|word| !known(word)) {
        return Err(RegistryError::invalid(
            "grant_types",
            format!("Invalid grant types: {unknown}"),
        ));
    }
    let auth_method = client.token_endpoint_auth_method.as_deref();
    if !matches!(
        auth_method,
        None | Some("none" | "client_secret_post" | "client_secret_basic")
    ) {
        let text = "token_endpoint_auth_method must be none, client_secret_post or client_secret_basic";
        return Err(RegistryError::invalid("token_endpoint_auth_method", text));
    }
    let metadata = client.rest.get("client_metadata").and_then(Value::as_object);
    if metadata.is_some_and(|metadata| metadata.len() > MAX_METADATA) {
        let text = format!("client_metadata has at most {MAX_METADATA} keys");
        return Err(RegistryError::invalid("client_metadata", text));
    }
    check_quota("token_quota", client.rest.get("token_quota"))?;
    let client_credentials = GrantType::ClientCredentials.as_str();
    if auth_method == Some("none") && client.grant_types.iter().any(|word| word == client_credentials) {
        return Err(RegistryError::invalid(
            "grant_types",
            format!("Invalid grant types: {client_credentials}"),
        ));
    }
    Ok(())
}

/// `refresh_token` where nothing was said; longer for an application that says from the start how it keeps its secret.
fn default_refresh_token(is_confidential: bool) -> Value {
    let (life, idle) = match is_confidential {
        true => (31_557_600, 2_592_000),
        false => (2_592_000, 1_296_000),
    };
    json!({
        "expiration_type": "non-expiring", "rotation_type": "non-rotating", "leeway": 0,
        "token_lifetime": life, "idle_token_lifetime": idle,
        "infinite_token_lifetime": true, "infinite_idle_token_lifetime": true,
    })
}
