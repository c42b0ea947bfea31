//! A user as one map of properties, as it is on the wire: what is looked up has columns, the rest is carried
//! (CONTRACT §4.6).

use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::UserId;
use tokenhouse_store::User;

use super::super::RegistryError;
use super::super::patch::Rules;

/// Longest id that a caller may choose, in characters.
const MAX_ID_CHARS: usize = 255;
/// How a change of a user's properties meets those that are there.
pub(in crate::registry) const RULES: Rules = Rules {
    merged: &[],
    metadata: &["user_metadata", "app_metadata"],
};

/// The properties that can be written. Neither the password nor its hash is among them.
pub fn properties(user: &User) -> Map<String, Value> {
    let mut properties = user.rest.clone();
    if let Some(email) = &user.email {
        properties.insert("email".into(), json!(email));
        properties.insert("email_verified".into(), json!(user.email_verified));
    }
    if let Some(username) = &user.username {
        properties.insert("username".into(), json!(username));
    }
    // Shown once it was said, and whenever it is so.
    if user.blocked || properties.contains_key("blocked") {
        properties.insert("blocked".into(), json!(user.blocked));
    }
    properties
}

/// Writes properties into a user, in place of all that they had.
pub(in crate::registry) fn assign(user: &mut User, mut properties: Map<String, Value>) {
    let mut text = |name: &str| match properties.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    user.email = text("email");
    user.username = text("username");
    let verified = properties.remove("email_verified").and_then(|value| value.as_bool());
    user.email_verified = user.email.is_some() && verified.unwrap_or(false);
    user.blocked = properties.get("blocked").and_then(Value::as_bool).unwrap_or(false);
    user.rest = properties;
}

/// The id of a user whose maker chose it.
pub(in crate::registry) fn user_id(chosen: &str) -> Result<UserId, RegistryError> {
    let chosen = chosen.strip_prefix("auth0|").unwrap_or(chosen);
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+@:~".contains(c);
    if chosen.is_empty() || chosen.len() > MAX_ID_CHARS || !chosen.chars().all(is_allowed) {
        let text = format!("user_id has 1 to {MAX_ID_CHARS} letters, digits and any of -_.+@:~");
        return Err(RegistryError::invalid("user_id", text));
    }
    Ok(UserId::new(format!("auth0|{chosen}")))
}
