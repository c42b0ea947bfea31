//! Settings of the tenant: what it is called, how its errors are worded, the API of requests that name none; and who
//! administers it.

use askama::Template;
use serde_json::{Map, Value, json};

use tokenhouse_store::Page as StorePage;

use super::answer::{Done, Failure, Reply, problem};
use super::display::Moment;
use super::frame::{Frame, Section};
use super::record::Record;
use super::visit::Visit;
use super::words;
use crate::registry::apis::MAX_TOKEN_LIFETIME_S;
use crate::registry::{self, apis, tenants};

pub(crate) mod administrators;

/// Administrators and APIs that are shown.
const MAX_SHOWN: u32 = 200;

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    problem_of: &'static str,
    tenant: String,
    name: String,
    is_rfc6749: bool,
    default_audience: String,
    audiences: Vec<String>,
    /// How long sessions last at most and without use, and the most that the configuration allows.
    session_hours: String,
    idle_minutes: String,
    most_hours: u32,
    most_idle_minutes: u32,
    /// Seconds that tokens of new APIs live; empty for a day.
    default_token_lifetime: String,
    administrators: Vec<Row>,
}

struct Row {
    id: String,
    email: String,
    signed_in: Option<Moment>,
    is_you: bool,
}

/// `GET /console/settings`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    Reply::page(&page(&visit, "", None).await?)
}

/// `POST /console/settings`
pub(crate) async fn save(visit: Visit) -> Result<Done, Failure> {
    let form = &visit.form;
    let is_dialect = ["auth0", "rfc6749"].contains(&form.text("error_dialect"));
    let audience = form.text("default_audience");
    let is_api = audience.is_empty() || apis::api(&visit.tenant, audience).await.is_ok();
    if !is_dialect || !is_api {
        let text = if is_api {
            words::problems::NO_DIALECT
        } else {
            words::problems::NO_API
        };
        let page = page(&visit, "settings", Some(text.to_owned())).await?;
        return Ok(Done::unchanged(Reply::refused(&page)?));
    }
    let mut changes = match lifetimes(&visit) {
        Ok(changes) => changes,
        Err(text) => {
            let page = page(&visit, "settings", Some(text)).await?;
            return Ok(Done::unchanged(Reply::refused(&page)?));
        }
    };
    changes.insert("friendly_name".into(), json!(form.text("friendly_name")));
    changes.insert("error_dialect".into(), json!(form.text("error_dialect")));
    changes.insert("default_audience".into(), json!(audience));
    match tenants::update_settings(&visit.tenant, changes.clone()).await {
        Ok(_) => {
            let record = Record::change(words::log::SETTINGS_CHANGED).with("changed", Value::Object(changes));
            let reply = Reply::see("/console/settings").saying(words::notices::SAVED);
            Ok(Done::recorded(record, reply))
        }
        Err(error) => {
            let page = page(&visit, "settings", Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

/// The lifetimes of the form, as settings: an empty field removes one.
fn lifetimes(visit: &Visit) -> Result<Map<String, Value>, String> {
    let console = &visit.tenant.house.console;
    let fields = [
        (
            "default_token_lifetime",
            MAX_TOKEN_LIFETIME_S,
            words::problems::NOT_A_TOKEN_LIFETIME,
        ),
        (
            "session_hours",
            i64::from(console.session_hours.max(1)),
            words::problems::NOT_A_SESSION,
        ),
        (
            "idle_minutes",
            i64::from(console.idle_minutes.max(1)),
            words::problems::NOT_A_SESSION,
        ),
    ];
    let mut said = [None; 3];
    for ((name, most, text), said) in fields.into_iter().zip(&mut said) {
        if visit.form.text(name).is_empty() {
            continue;
        }
        let number = visit.form.number(name).filter(|number| (1..=most).contains(number));
        *said = Some(number.ok_or_else(|| words::problems::up_to(text, most))?);
    }
    let [token, hours, minutes] = said;
    let mut changes = Map::new();
    changes.insert("default_token_lifetime".into(), json!(token));
    changes.insert("session_lifetime".into(), json!(hours));
    // Kept in hours, as all that is said of sessions.
    let idle = minutes.map(|minutes| match minutes % 60 {
        0 => json!(minutes / 60),
        _ => json!(f64::from(i32::try_from(minutes).unwrap_or(i32::MAX)) / 60.0),
    });
    changes.insert("idle_session_lifetime".into(), json!(idle));
    Ok(changes)
}

async fn page(visit: &Visit, problem_of: &'static str, problem: Option<String>) -> Result<Page, Failure> {
    let tenant = &visit.tenant;
    let stored = tenants::settings(tenant).await?;
    let text = |name: &str| stored.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = registry::administrators::administrators(tenant, StorePage::first(MAX_SHOWN)).await?;
    let audiences = apis::apis(tenant, StorePage::first(MAX_SHOWN)).await?;
    let console = &tenant.house.console;
    let parsed = tenant.settings();
    let again = |name: &str, now: Option<i64>| match problem_of == "settings" {
        true => visit.form.text(name).to_owned(),
        false => now.map(|now| now.to_string()).unwrap_or_default(),
    };
    Ok(Page {
        frame: visit.frame(Section::Settings, words::navigation::SETTINGS).await?,
        problem,
        problem_of,
        tenant: tenant.id.to_string(),
        name: text("friendly_name"),
        is_rfc6749: text("error_dialect") == "rfc6749",
        default_audience: text("default_audience"),
        audiences: audiences.iter().map(|api| apis::identifier(tenant, api)).collect(),
        session_hours: again("session_hours", parsed.session_lifetime_s.map(|seconds| seconds / 3600)),
        idle_minutes: again(
            "idle_minutes",
            parsed.idle_session_lifetime_s.map(|seconds| seconds / 60),
        ),
        most_hours: console.session_hours.max(1),
        most_idle_minutes: console.idle_minutes.max(1),
        default_token_lifetime: again("default_token_lifetime", parsed.default_token_lifetime_s),
        administrators: found
            .iter()
            .map(|row| Row {
                id: row.id.to_string(),
                email: row.email.clone(),
                signed_in: row.signed_in_at.map(Moment::of),
                is_you: row.id == *visit.administrator(),
            })
            .collect(),
    })
}
