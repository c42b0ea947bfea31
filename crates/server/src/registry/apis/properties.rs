//! An API as one map of properties, as it is on the wire (CONTRACT §4.4): what is acted on has columns, the rest is
//! carried. What was never said is omitted, or has Auth0's default.

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::scope::is_scope_token;
use tokenhouse_store::{Api, ApiScope};

use super::super::patch::{self, Rules};
use super::super::token_dialect::TokenDialect;
use super::super::{RegistryError, checked_name};
use super::{DEFAULT_TOKEN_LIFETIME_FOR_WEB_S, DEFAULT_TOKEN_LIFETIME_S, MAX_TOKEN_LIFETIME_S, scopes};

/// Longest name, in characters (CONTRACT §4.4).
const MAX_NAME_CHARS: usize = 200;
/// Longest scope, in characters.
const MAX_SCOPE_CHARS: usize = 280;
/// Longest description of a scope, in characters.
const MAX_SCOPE_DESCRIPTION_CHARS: usize = 500;
/// Most scopes of one API.
const MAX_SCOPES: usize = 1000;
/// How a change meets what is there: the policies of applications and of users change apart.
pub(super) const RULES: Rules = Rules {
    merged: &["subject_type_authorization"],
    metadata: &[],
};

/// The properties that can be written, with their defaults where nothing was said. Neither its id nor its identifier,
/// nor its secret, is among them.
pub fn properties(api: &Api) -> Map<String, Value> {
    // That something was set to nothing is carried: `scopes` and `enforce_policies` are omitted until they are set.
    let mut properties = api.rest.clone();
    for (name, default) in defaults() {
        properties.entry(name).or_insert(default);
    }
    properties.insert("signing_alg".into(), json!(api.signing_alg));
    properties.insert("token_lifetime".into(), json!(api.token_lifetime_s));
    properties.insert("token_lifetime_for_web".into(), json!(api.token_lifetime_for_web_s));
    properties.insert("allow_offline_access".into(), json!(api.allow_offline_access));
    if let Some(name) = &api.name {
        properties.insert("name".into(), json!(name));
    }
    if let Some(dialect) = &api.token_dialect {
        properties.insert("token_dialect".into(), json!(dialect));
    }
    if api.enforce_policies {
        properties.insert("enforce_policies".into(), json!(true));
    }
    if api.is_system {
        properties.insert(
            "scopes".into(),
            scopes(api).iter().map(|scope| described(scope)).collect(),
        );
    } else if !api.scopes.is_empty() {
        properties.insert("scopes".into(), json!(api.scopes));
    }
    properties
}

/// Writes properties into an API, in place of all that it had. Their types were checked; what is missing is a default.
pub(super) fn assign(api: &mut Api, mut properties: Map<String, Value>) -> Result<(), RegistryError> {
    let mut text = |name: &str| match properties.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        Some(_) | None => None,
    };
    api.name = text("name");
    api.token_dialect = text("token_dialect");
    let algorithm = text("signing_alg");
    api.signing_alg = algorithm.unwrap_or_else(|| Algorithm::Rs256.as_str().into());
    let mut seconds = |name: &str| properties.remove(name).and_then(|value| value.as_i64());
    api.token_lifetime_s = seconds("token_lifetime").unwrap_or(DEFAULT_TOKEN_LIFETIME_S);
    api.token_lifetime_for_web_s =
        seconds("token_lifetime_for_web").unwrap_or(DEFAULT_TOKEN_LIFETIME_FOR_WEB_S.min(api.token_lifetime_s));
    api.allow_offline_access = properties.remove("allow_offline_access") == Some(json!(true));
    api.enforce_policies = properties.get("enforce_policies") == Some(&json!(true));
    if api.enforce_policies {
        properties.remove("enforce_policies");
    }
    let listed = properties.get("scopes").filter(|_| !api.is_system).cloned();
    let listed: Vec<ApiScope> = listed
        .map(serde_json::from_value)
        .transpose()
        .map_err(|_| RegistryError::invalid("scopes", "scopes must be a list of objects with a value"))?
        .unwrap_or_default();
    if !listed.is_empty() || api.is_system {
        properties.remove("scopes");
    }
    api.scopes = listed;
    api.rest = properties;
    patch::forget_defaults(&mut api.rest, &defaults());
    Ok(())
}

/// What an API carries unless it says otherwise.
fn defaults() -> [(&'static str, Value); 2] {
    [
        ("skip_consent_for_verifiable_first_party_clients", json!(false)),
        (
            "subject_type_authorization",
            json!({"client": {"policy": "require_client_grant"}, "user": {"policy": "allow_all"}}),
        ),
    ]
}

/// Refuses an API whose properties are wrong or do not go together.
pub(super) fn check(api: &Api) -> Result<(), RegistryError> {
    if let Some(name) = &api.name {
        checked_name(name, MAX_NAME_CHARS)?;
    }
    if api.signing_alg.parse::<Algorithm>().is_err() {
        let text = "signing_alg must be RS256, PS256, ES256, EdDSA or HS256";
        return Err(RegistryError::invalid("signing_alg", text));
    }
    if let Some(dialect) = &api.token_dialect
        && dialect.parse::<TokenDialect>().is_err()
    {
        let words = TokenDialect::ALL.map(TokenDialect::as_str).join(", ");
        let text = format!("token_dialect must be one of {words}");
        return Err(RegistryError::invalid("token_dialect", text));
    }
    check_lifetime("token_lifetime", api.token_lifetime_s)?;
    check_lifetime("token_lifetime_for_web", api.token_lifetime_for_web_s)?;
    if api.token_lifetime_for_web_s > api.token_lifetime_s {
        let text = "token_lifetime_for_web must not be longer than token_lifetime";
        return Err(RegistryError::invalid("token_lifetime_for_web", text));
    }
    check_scopes(&api.scopes)
}

fn check_lifetime(property: &'static str, seconds: i64) -> Result<(), RegistryError> {
    if (0..=MAX_TOKEN_LIFETIME_S).contains(&seconds) {
        return Ok(());
    }
    let text = format!("{property} must be between 0 and {MAX_TOKEN_LIFETIME_S} seconds");
    Err(RegistryError::invalid(property, text))
}

fn check_scopes(scopes: &[ApiScope]) -> Result<(), RegistryError> {
    if scopes.len() > MAX_SCOPES {
        return Err(RegistryError::invalid(
            "scopes",
            format!("an API has at most {MAX_SCOPES} scopes"),
        ));
    }
    for (index, scope) in scopes.iter().enumerate() {
        if !is_scope_token(&scope.value) || scope.value.len() > MAX_SCOPE_CHARS {
            let text = format!(
                "{:?} cannot be a scope: no spaces, quotes or backslashes, ASCII only",
                scope.value
            );
            return Err(RegistryError::invalid("scopes", text));
        }
        let description = scope.description.as_deref().unwrap_or_default();
        if description.chars().count() > MAX_SCOPE_DESCRIPTION_CHARS {
            let text = format!(
                "the description of {} is longer than {MAX_SCOPE_DESCRIPTION_CHARS} characters",
                scope.value
            );
            return Err(RegistryError::invalid("scopes", text));
        }
        if scopes[..index].iter().any(|other| other.value == scope.value) {
            return Err(RegistryError::invalid(
                "scopes",
                format!("the scope {} is there twice", scope.value),
            ));
        }
    }
    Ok(())
}

/// A scope of the system API with what it lets one do: `read:client_grants` is "Read Client Grants".
fn described(scope: &str) -> Value {
    let words = scope.split([':', '_']).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    json!({ "value": scope, "description": words.collect::<Vec<_>>().join(" ") })
}
