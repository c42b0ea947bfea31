//! A user as Auth0's imports describe them: checked, and turned into ours. The codes and sentences are those of Auth0's
//! validator, as far as they are known.

use serde_json::{Map, Value};

use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::id::{ConnectionId, UserId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::User;

use super::super::RegistryError;
use super::super::users::{blank, check_id, check_names, user_id};
use super::Problem;
use crate::accounts::password::legacy::Legacy;
use crate::tenant::Tenant;

/// Longest e-mail address, in characters.
const MAX_EMAIL_CHARS: usize = 254;

/// What a property of an imported user may be.
#[derive(Clone, Copy)]
enum Form {
    /// A text of so many characters at most.
    Text(usize),
    Flag,
    Object,
    /// A time, as exports have it.
    Time,
    /// What an export says and no import can: passed over.
    Passed,
}

const PROPERTIES: [(&str, Form); 29] = [
    ("email", Form::Text(MAX_EMAIL_CHARS)),
    ("email_verified", Form::Flag),
    ("user_id", Form::Text(255)),
    ("username", Form::Text(128)),
    ("phone_number", Form::Text(32)),
    ("phone_verified", Form::Flag),
    ("given_name", Form::Text(150)),
    ("family_name", Form::Text(150)),
    ("name", Form::Text(300)),
    ("nickname", Form::Text(300)),
    ("picture", Form::Text(2048)),
    ("blocked", Form::Flag),
    ("user_metadata", Form::Object),
    ("app_metadata", Form::Object),
    ("password_hash", Form::Text(255)),
    ("custom_password_hash", Form::Object),
    ("created_at", Form::Time),
    ("updated_at", Form::Time),
    ("connection", Form::Passed),
    ("mfa_factors", Form::Passed),
    ("identities", Form::Passed),
    ("last_ip", Form::Passed),
    ("last_login", Form::Passed),
    ("last_password_reset", Form::Passed),
    ("logins_count", Form::Passed),
    ("multifactor", Form::Passed),
    ("multifactor_last_modified", Form::Passed),
    ("lastIP", Form::Passed),
    ("id", Form::Passed),
];

/// An imported user.
pub(super) struct Given {
    /// As they would be if they are new.
    pub(super) user: User,
    /// Whether their id was chosen.
    pub(super) has_id: bool,
    /// Their properties as they were written, for one who is there already.
    pub(super) said: Map<String, Value>,
    /// Whether their second factors were left behind.
    pub(super) leaves_factors: bool,
}

/// Reads one for a connection. Their hash is `known_hash`, if it was read already, or one of theirs as Auth0 writes it.
pub(super) fn read(
    tenant: &Tenant,
    connection: &ConnectionId,
    mut said: Map<String, Value>,
    known_hash: Option<String>,
) -> Result<Given, Vec<Problem>> {
    said.retain(|_, value| !value.is_null());
    let problems = problems(&said);
    if !problems.is_empty() {
        return Err(problems);
    }
    let leaves_factors = said.contains_key("mfa_factors");
    let own_hash = password_hash(&mut said).map_err(|problem| vec![problem])?;
    let password_hash = known_hash.or(own_hash);
    let created_at = time(&mut said, "created_at");
    let updated_at = time(&mut said, "updated_at");
    said.retain(|name, _| {
        !PROPERTIES
            .iter()
            .any(|(known, form)| known == name && matches!(form, Form::Passed))
    });
    let chosen = match said.remove("user_id") {
        Some(Value::String(id)) => Some(
            user_id(&id)
                .and_then(|id| check_id(&id).map(|()| id))
                .map_err(refused)?,
        ),
        Some(_) | None => None,
    };
    let has_id = chosen.is_some();
    let id = chosen.unwrap_or_else(|| UserId::generate(&tenant.house.random));
    let mut user = blank(tenant, id, connection.clone());
    super::super::users::assign(&mut user, said.clone());
    user.password_hash = password_hash;
    user.created_at = created_at.unwrap_or(user.created_at);
    user.updated_at = updated_at.or(created_at).unwrap_or(user.updated_at);
    check_names(&user).map_err(refused)?;
    Ok(Given {
        user,
        has_id,
        said,
        leaves_factors,
    })
}

fn problems(said: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, value) in said {
        let Some((_, form)) = PROPERTIES.iter().find(|(known, _)| known == name) else {
            let text = format!("Additional properties not allowed: {}", reflected(name));
            problems.push(Problem::new("OBJECT_ADDITIONAL_PROPERTIES", "", text));
            continue;
        };
        let expected = match (form, value) {
            (Form::Passed, _) | (Form::Flag, Value::Bool(_)) | (Form::Object, Value::Object(_)) => None,
            (Form::Text(max), Value::String(text)) => {
                if text.chars().count() > *max {
                    let text = format!("String is too long, maximum {max}");
                    problems.push(Problem::new("MAX_LENGTH", name, text));
                }
                None
            }
            (Form::Time, Value::String(text)) => {
                if Timestamp::parse(text).is_none() {
                    let text = "Object didn't pass validation for format date-time";
                    problems.push(Problem::new("INVALID_FORMAT", name, text));
                }
                None
            }
            (Form::Text(_) | Form::Time, _) => Some("string"),
            (Form::Flag, _) => Some("boolean"),
            (Form::Object, _) => Some("object"),
        };
        if let Some(expected) = expected {
            let text = format!("Expected type {expected}");
            problems.push(Problem::new("INVALID_TYPE", name, text));
        }
        if holds_nul(value) {
            problems.push(Problem::new(
                "PATTERN",
                name,
                "Texts must not hold the character U+0000",
            ));
        }
    }
    problems
}

/// Takes the hash out; either of two properties holds one.
fn password_hash(said: &mut Map<String, Value>) -> Result<Option<String>, Problem> {
    match (said.remove("password_hash"), said.remove("custom_password_hash")) {
        (Some(_), Some(_)) => {
            let text = "password_hash and custom_password_hash exclude each other";
            Err(Problem::new("ONE_OF_MULTIPLE", "custom_password_hash", text))
        }
        (Some(hash), None) => {
            let hash = hash.as_str().filter(|hash| hash.starts_with("$2"));
            let hash = hash.ok_or("the hash is not bcrypt's: use custom_password_hash".to_owned());
            let checked = hash.and_then(|hash| Legacy::read(hash).map(|_| hash.to_owned()).map_err(|error| error.0));
            let checked = checked.map_err(|text| Problem::new("PATTERN", "password_hash", text))?;
            Ok(Some(checked))
        }
        (None, Some(hash)) => {
            let stored = Legacy::of_auth0(&hash);
            stored
                .map(Some)
                .map_err(|error| Problem::new("PATTERN", "custom_password_hash", error.0))
        }
        (None, None) => Ok(None),
    }
}

fn time(said: &mut Map<String, Value>, name: &str) -> Option<Timestamp> {
    let text = said.remove(name)?;
    text.as_str().and_then(Timestamp::parse)
}

/// What the registry says of a name or an id.
fn refused(error: RegistryError) -> Vec<Problem> {
    let problem = match error {
        RegistryError::Invalid { property, text } => Problem::new("INVALID_FORMAT", property, text),
        other => Problem::unreadable(other.to_string()),
    };
    vec![problem]
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
