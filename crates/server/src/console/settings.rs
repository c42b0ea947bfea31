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
    session_hours: u32,
    idle_minutes: u32,
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
        let text = if is_api { words::NO_DIALECT } else { words::NO_API };
        let page = page(&visit, "settings", Some(text.to_owned())).await?;
        return Ok(Done::unchanged(Reply::refused(&page)?));
    }
    let mut changes = Map::new();
    changes.insert("friendly_name".into(), json!(form.text("friendly_name")));
    changes.insert("error_dialect".into(), json!(form.text("error_dialect")));
    changes.insert("default_audience".into(), json!(audience));
    match tenants::update_settings(&visit.tenant, changes.clone()).await {
        Ok(_) => {
            let record = Record::change(words::log::SETTINGS_CHANGED).with("changed", Value::Object(changes));
            let reply = Reply::see("/console/settings").saying(words::SAVED);
            Ok(Done::recorded(record, reply))
        }
        Err(error) => {
            let page = page(&visit, "settings", Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

async fn page(visit: &Visit, problem_of: &'static str, problem: Option<String>) -> Result<Page, Failure> {
    let tenant = &visit.tenant;
    let stored = tenants::settings(tenant).await?;
    let text = |name: &str| stored.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = registry::administrators::administrators(tenant, StorePage::first(MAX_SHOWN)).await?;
    let audiences = apis::apis(tenant, StorePage::first(MAX_SHOWN)).await?;
    let console = &tenant.house.console;
    Ok(Page {
        frame: visit.frame(Section::Settings, "Settings").await?,
        problem,
        problem_of,
        tenant: tenant.id.to_string(),
        name: text("friendly_name"),
        is_rfc6749: text("error_dialect") == "rfc6749",
        default_audience: text("default_audience"),
        audiences: audiences.iter().map(|api| apis::identifier(tenant, api)).collect(),
        session_hours: console.session_hours,
        idle_minutes: console.idle_minutes,
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
