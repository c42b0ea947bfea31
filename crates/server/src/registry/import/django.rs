//! Django's users: rows of `auth_user` as `manage.py dumpdata auth.user` writes them, as Auth0's imports describe users.

use serde_json::{Map, Value, json};

use tokenhouse_protocol::time::Timestamp;

use super::Problem;
use crate::accounts::password::legacy::Legacy;

/// What Django calls its model of users, unless a project has its own.
const MODEL: &str = "auth.user";

/// A user's properties, and the hash of their password.
type Row = (Map<String, Value>, Option<String>);

/// A row as a user; `None` if it is a row of another model.
///
/// The id becomes `auth0|django-<pk>`. Names that are no user names here, since they hold an `@`, must be the e-mail
/// address. Groups, permissions and staff rights are kept in `app_metadata.django`.
pub(super) fn user(row: &Map<String, Value>) -> Result<Option<Row>, Problem> {
    let model = row.get("model").and_then(Value::as_str).unwrap_or_default();
    let Some(Value::Object(fields)) = row.get("fields") else {
        let text = "the record is no row of dumpdata: it has no model and fields";
        return Err(Problem::unreadable(text));
    };
    let is_user = model == MODEL || (fields.contains_key("password") && fields.contains_key("date_joined"));
    if !is_user {
        return Ok(None);
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut said = Map::new();
    let mut say = |name: &str, value: Value| drop(said.insert(name.to_owned(), value));
    match row.get("pk") {
        Some(Value::Number(number)) => say("user_id", json!(format!("django-{number}"))),
        Some(Value::String(id)) => say("user_id", json!(format!("django-{id}"))),
        _ => {
            return Err(Problem::new(
                "OBJECT_MISSING_REQUIRED_PROPERTY",
                "pk",
                "the row has no pk",
            ));
        }
    }
    let (username, email) = (text("username"), text("email"));
    if let Some(email) = email {
        say("email", json!(email));
    }
    match username {
        // Whoever signed in by their address does so here.
        Some(name) if name.contains('@') && email.is_none() => say("email", json!(name)),
        Some(name) if name.contains('@') => {
            let is_email = email.is_some_and(|email| email.to_lowercase() == name.to_lowercase());
            if !is_email {
                let text = "the username is an e-mail address other than the user's: make one of the two the other";
                return Err(Problem::new("INVALID_FORMAT", "fields/username", text));
            }
        }
        Some(name) => say("username", json!(name)),
        None => {}
    }
    for (property, field) in [("given_name", "first_name"), ("family_name", "last_name")] {
        if let Some(name) = text(field) {
            say(property, json!(name));
        }
    }
    let full_name: Vec<&str> = ["first_name", "last_name"].into_iter().filter_map(text).collect();
    if !full_name.is_empty() {
        say("name", json!(full_name.join(" ")));
    }
    if fields.get("is_active") == Some(&Value::Bool(false)) {
        say("blocked", json!(true));
    }
    if let Some(joined) = text("date_joined") {
        let joined = instant(joined).ok_or_else(|| {
            let text = "Object didn't pass validation for format date-time";
            Problem::new("INVALID_FORMAT", "fields/date_joined", text)
        })?;
        say("created_at", json!(joined.to_string()));
    }
    let kept: Map<String, Value> = ["is_staff", "is_superuser", "groups", "user_permissions"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), fields.get(name)?.clone())))
        .collect();
    say("app_metadata", json!({ "django": kept }));
    let password = Legacy::of_django(text("password").unwrap_or_default());
    let password = password.map_err(|error| Problem::new("PATTERN", "fields/password", error.0))?;
    Ok(Some((said, password)))
}

/// A time as Django's serializer writes it: with a zone, or in UTC without one.
fn instant(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}Z")))
}
