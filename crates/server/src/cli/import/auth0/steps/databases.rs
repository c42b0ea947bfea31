//! Database connections: made where there is none of the name, and open to the applications that the export names.

use std::collections::{HashMap, HashSet};

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::super::plan::{Action, Plan, Subject, segment, text};
use super::super::source::Thing;
use super::{NEW, member, subject};
use crate::cli::Failure;

/// What can be said of a database connection.
const OF_CONNECTIONS: [&str; 8] = [
    "display_name",
    "options",
    "realms",
    "is_domain_connection",
    "show_as_button",
    "metadata",
    "authentication",
    "connected_accounts",
];
/// What belongs to a database that runs scripts.
const SCRIPTS: [&str; 3] = ["customScripts", "configuration", "enabledDatabaseCustomization"];
/// Applications that are named in one request.
const CLIENTS_AT_ONCE: usize = 50;

/// One of them; `ids` are the applications' by their names, and `exported` the names of those that come with it.
pub(super) async fn database(
    plan: &mut Plan<'_>,
    thing: Thing,
    ids: &HashMap<String, String>,
    exported: &HashSet<String>,
) -> Result<(), Failure> {
    let name = member(&thing, "name");
    let Thing { at, said: mut wanted } = thing;
    let listed = plan.get("connections", &format!("name={}", segment(&name))).await?;
    let current = listed.as_array().and_then(|found| found.first());
    let enabled = wanted.remove("enabled_clients");
    wanted.retain(|name, value| OF_CONNECTIONS.contains(&name.as_str()) && !value.is_null());
    if let Some(Value::Object(options)) = wanted.get_mut("options") {
        if SCRIPTS
            .iter()
            .any(|name| options.get(*name).is_some_and(|value| *value != json!(false)))
        {
            plan.note(format!(
                "The scripts of the database connection {name} are not run here."
            ));
        }
        options.retain(|name, value| !SCRIPTS.contains(&name.as_str()) && !value.is_null());
    }
    let subject = subject("database", &name, &at);
    let id = match current {
        Some(current) => {
            if let Some(Value::Object(options)) = wanted.get_mut("options") {
                // A change replaces them whole: what the export does not say stays.
                let mut all = current.get("options").and_then(Value::as_object).cloned();
                let all = all.get_or_insert_with(Map::new);
                all.extend(std::mem::take(options));
                *options = std::mem::take(all);
            }
            let id = text(current, "id").to_owned();
            plan.update(&subject, &format!("connections/{}", segment(&id)), &wanted, current)
                .await;
            id
        }
        None => {
            wanted.insert("name".into(), json!(name));
            wanted.insert("strategy".into(), json!("auth0"));
            match plan.create(&subject, "connections", wanted).await {
                Some(made) => text(&made, "id").to_owned(),
                None if plan.is_dry => NEW.to_owned(),
                None => return Ok(()),
            }
        }
    };
    match enabled {
        Some(Value::Array(wanted)) => enable(plan, &subject, &id, &changes(&wanted, ids, exported)).await,
        Some(_) | None => Ok(()),
    }
}

/// Of each application of the export whether it may use the connection: its name, its id, and that.
fn changes<'a>(
    wanted: &[Value],
    ids: &'a HashMap<String, String>,
    exported: &'a HashSet<String>,
) -> Vec<(&'a str, &'a str, bool)> {
    let wanted: HashSet<&str> = wanted.iter().filter_map(Value::as_str).collect();
    let mut names: Vec<&String> = exported.iter().collect();
    names.sort_unstable();
    let pairs = names.into_iter().filter_map(|name| ids.get_key_value(name));
    pairs
        .map(|(name, id)| {
            let is_wanted = wanted.contains(name.as_str()) || wanted.contains(id.as_str());
            (name.as_str(), id.as_str(), is_wanted)
        })
        .collect()
}

async fn enable(
    plan: &mut Plan<'_>,
    subject: &Subject<'_>,
    connection: &str,
    wanted: &[(&str, &str, bool)],
) -> Result<(), Failure> {
    let path = format!("connections/{}/clients", segment(connection));
    let open: HashSet<String> = match connection {
        NEW => HashSet::new(),
        _ => {
            let clients = plan.all_by_checkpoint(&path, "clients").await?;
            clients
                .iter()
                .map(|client| text(client, "client_id").to_owned())
                .collect()
        }
    };
    // In a dry run, what is not made yet may use what is open to all: the connection that a tenant begins with.
    let is_open = |id: &str| open.contains(id) || (id == NEW && connection != NEW);
    let differing: Vec<_> = wanted
        .iter()
        .filter(|(_, id, is_wanted)| is_open(id) != *is_wanted)
        .collect();
    for some in differing.chunks(CLIENTS_AT_ONCE) {
        let body: Vec<Value> = some
            .iter()
            .map(|(_, id, is_wanted)| json!({ "client_id": id, "status": is_wanted }))
            .collect();
        if plan.done(subject, &Method::PATCH, &path, body.into()).await.is_some() {
            let names: Vec<&str> = some.iter().map(|(name, ..)| *name).collect();
            let detail = format!("enabled_clients: {}", names.join(", "));
            plan.line(Action::Updated, subject, detail);
        }
    }
    Ok(())
}
