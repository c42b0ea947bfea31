//! The kinds of thing of an export, in the order in which they need one another.

use std::collections::{HashMap, HashSet};

use axum::http::Method;
use serde_json::{Value, json};

use super::plan::{Action, Plan, Subject, segment, text};
use super::source::{Export, Thing};
use crate::cli::Failure;
use crate::registry::apis;

mod databases;
pub(in crate::cli) mod pages;

/// What an application's export says that is not ours to write.
const NOT_OF_CLIENTS: [&str; 11] = [
    "client_id",
    "tenant",
    "global",
    "is_global",
    "callback_url_template",
    "signing_keys",
    "created_at",
    "updated_at",
    "owners",
    "client_authentication_methods",
    "signed_request_object",
];
/// The protections whose settings are kept.
const PROTECTIONS: [&str; 3] = [
    "brute-force-protection",
    "breached-password-detection",
    "suspicious-ip-throttling",
];
/// What stands for the id of what a dry run does not make.
const NEW: &str = "new";

/// Every step.
pub(super) async fn all(plan: &mut Plan<'_>, export: Export) -> Result<(), Failure> {
    let [tenant, pages, protections, apis, clients, grants, roles, databases] = export.kinds;
    for thing in tenant {
        settings(plan, thing).await?;
    }
    for thing in pages {
        pages::page(plan, thing).await?;
    }
    for thing in protections {
        protection(plan, thing).await?;
    }
    resource_servers(plan, apis).await?;
    let exported: HashSet<String> = clients.iter().map(|thing| member(thing, "name")).collect();
    self::clients(plan, clients).await?;
    let mut ids: HashMap<String, String> = HashMap::new();
    if plan.is_dry {
        ids.extend(exported.iter().map(|name| (name.clone(), NEW.to_owned())));
    }
    for client in listed_clients(plan).await? {
        ids.insert(text(&client, "name").to_owned(), text(&client, "client_id").to_owned());
    }
    client_grants(plan, grants, &ids).await?;
    self::roles(plan, roles).await?;
    for thing in databases {
        databases::database(plan, thing, &ids, &exported).await?;
    }
    Ok(())
}

async fn settings(plan: &mut Plan<'_>, mut thing: Thing) -> Result<(), Failure> {
    thing.said.remove("sandbox_versions_available");
    let current = plan.get("tenants/settings", "").await?;
    let subject = subject("settings", "of the tenant", &thing.at);
    plan.update(&subject, "tenants/settings", &thing.said, &current).await;
    Ok(())
}

async fn protection(plan: &mut Plan<'_>, thing: Thing) -> Result<(), Failure> {
    for (kind, wanted) in &thing.said {
        let Value::Object(wanted) = wanted else { continue };
        if !PROTECTIONS.contains(&kind.as_str()) {
            plan.note(format!("There is no {kind} here."));
            continue;
        }
        let path = format!("attack-protection/{kind}");
        let current = plan.get(&path, "").await?;
        plan.update(&subject("protection", kind, &thing.at), &path, wanted, &current)
            .await;
    }
    Ok(())
}

async fn resource_servers(plan: &mut Plan<'_>, things: Vec<Thing>) -> Result<(), Failure> {
    let current = plan.all("resource-servers", "").await?;
    for thing in things {
        let Thing { at, said: mut wanted } = thing;
        let identifier = wanted.remove("identifier").unwrap_or_default();
        let identifier = identifier.as_str().unwrap_or_default();
        if wanted.get("is_system") == Some(&json!(true)) || is_management(identifier) {
            // The system API is each house's own.
            continue;
        }
        for name in ["id", "is_system", "created_at", "updated_at", "client_id"] {
            wanted.remove(name);
        }
        let subject = subject("API", identifier, &at);
        match current.iter().find(|api| text(api, "identifier") == identifier) {
            Some(api) => {
                let path = format!("resource-servers/{}", segment(text(api, "id")));
                plan.update(&subject, &path, &wanted, api).await;
            }
            None => {
                wanted.insert("identifier".into(), json!(identifier));
                wanted.retain(|_, value| !value.is_null());
                plan.create(&subject, "resource-servers", wanted).await;
            }
        }
    }
    Ok(())
}

async fn listed_clients(plan: &Plan<'_>) -> Result<Vec<Value>, Failure> {
    // Without the secrets, so that the log has no row of them.
    plan.all("clients", "&is_global=false&fields=client_secret&include_fields=false")
        .await
}

async fn clients(plan: &mut Plan<'_>, things: Vec<Thing>) -> Result<(), Failure> {
    let current = listed_clients(plan).await?;
    for thing in things {
        let name = member(&thing, "name");
        let Thing { at, said: mut wanted } = thing;
        if wanted.get("global") == Some(&json!(true)) || wanted.get("is_global") == Some(&json!(true)) {
            continue;
        }
        let methods = wanted
            .get("client_authentication_methods")
            .is_some_and(|methods| !methods.is_null());
        if methods {
            plan.note(format!(
                "{name} proves itself by a key, which an export does not hold: `tokenhouse apps add-key` adds it."
            ));
        }
        wanted.retain(|name, _| !NOT_OF_CLIENTS.contains(&name.as_str()));
        let subject = subject("application", &name, &at);
        let same: Vec<&Value> = current.iter().filter(|client| text(client, "name") == name).collect();
        match same.as_slice() {
            [] => {
                wanted.retain(|_, value| !value.is_null());
                plan.create(&subject, "clients", wanted).await;
            }
            [client] => {
                let path = format!("clients/{}", segment(text(client, "client_id")));
                // A secret is not shown to be compared: it is given once, to a new application.
                wanted.remove("client_secret");
                plan.update(&subject, &path, &wanted, client).await;
            }
            several => {
                let count = several.len();
                let text = format!("application {name} ({at}): there are {count} of this name: rename or delete some");
                plan.failures.push(text);
            }
        }
    }
    Ok(())
}

async fn client_grants(plan: &mut Plan<'_>, things: Vec<Thing>, ids: &HashMap<String, String>) -> Result<(), Failure> {
    let current = plan.all("client-grants", "").await?;
    let system = plan.tenant.issuer.system_api();
    let known: HashSet<String> = apis::system_scopes().collect();
    for thing in things {
        let (client, audience) = (member(&thing, "client_id"), member(&thing, "audience"));
        let Thing { at, said: mut wanted } = thing;
        let audience = match is_management(&audience) {
            true => system.clone(),
            false => audience,
        };
        let name = format!("{client} → {audience}");
        let subject = subject("grant", &name, &at);
        // An export names applications by their names, or by ids that are still theirs.
        let is_id = || ids.values().any(|id| *id == client).then(|| client.clone());
        let Some(id) = ids.get(&client).cloned().or_else(is_id) else {
            plan.failures
                .push(format!("grant {name} ({at}): there is no application {client}"));
            continue;
        };
        if audience == system
            && let Some(Value::Array(scopes)) = wanted.get_mut("scope")
        {
            let before = scopes.len();
            scopes.retain(|scope| scope.as_str().is_some_and(|scope| known.contains(scope)));
            if scopes.len() < before {
                let dropped = before - scopes.len();
                plan.note(format!(
                    "{name}: {dropped} scopes are for what the Management API has not here"
                ));
            }
        }
        for name in ["id", "client_id", "audience", "is_system", "created_at", "updated_at"] {
            wanted.remove(name);
        }
        let kind = match wanted.remove("subject_type") {
            Some(Value::String(kind)) => kind,
            _ => "client".to_owned(),
        };
        let is_same = |grant: &&Value| {
            let shown = match text(grant, "subject_type") {
                "" => "client",
                shown => shown,
            };
            text(grant, "client_id") == id && text(grant, "audience") == audience && shown == kind
        };
        match current.iter().find(is_same) {
            Some(grant) => {
                let path = format!("client-grants/{}", segment(text(grant, "id")));
                plan.update(&subject, &path, &wanted, grant).await;
            }
            None => {
                wanted.retain(|_, value| !value.is_null());
                wanted.insert("client_id".into(), json!(id));
                wanted.insert("audience".into(), json!(audience));
                if kind != "client" {
                    wanted.insert("subject_type".into(), json!(kind));
                }
                plan.create(&subject, "client-grants", wanted).await;
            }
        }
    }
    Ok(())
}

async fn roles(plan: &mut Plan<'_>, things: Vec<Thing>) -> Result<(), Failure> {
    let current = plan.all("roles", "").await?;
    for thing in things {
        let name = member(&thing, "name");
        let Thing { at, said: mut wanted } = thing;
        let permissions = wanted.remove("permissions").unwrap_or_default();
        wanted.retain(|name, value| ["name", "description"].contains(&name.as_str()) && !value.is_null());
        let subject = subject("role", &name, &at);
        let (id, held) = match current.iter().find(|role| text(role, "name") == name) {
            Some(role) => {
                let id = text(role, "id").to_owned();
                let held = plan.all(&format!("roles/{}/permissions", segment(&id)), "").await?;
                plan.update(&subject, &format!("roles/{}", segment(&id)), &wanted, role)
                    .await;
                (id, held)
            }
            None => match plan.create(&subject, "roles", wanted).await {
                Some(role) => (text(&role, "id").to_owned(), Vec::new()),
                None if plan.is_dry => (NEW.to_owned(), Vec::new()),
                None => continue,
            },
        };
        let system = plan.tenant.issuer.system_api();
        let named = |permissions: &[Value]| -> HashSet<(String, String)> {
            let pair = |permission: &Value| {
                let api = text(permission, "resource_server_identifier");
                let api = if is_management(api) { &system } else { api };
                (api.to_owned(), text(permission, "permission_name").to_owned())
            };
            permissions.iter().map(pair).collect()
        };
        let wanted = named(permissions.as_array().map(Vec::as_slice).unwrap_or_default());
        let held = named(&held);
        let path = format!("roles/{}/permissions", segment(&id));
        for (method, changes) in [(Method::POST, &wanted - &held), (Method::DELETE, &held - &wanted)] {
            if changes.is_empty() {
                continue;
            }
            let mut changes: Vec<_> = changes.into_iter().collect();
            changes.sort_unstable();
            let body: Vec<Value> = changes
                .iter()
                .map(|(api, name)| json!({ "resource_server_identifier": api, "permission_name": name }))
                .collect();
            let body = json!({ "permissions": body });
            if plan.done(&subject, &method, &path, body).await.is_some() {
                let sign = if method == Method::POST { "+" } else { "-" };
                let names: Vec<String> = changes.iter().map(|(_, name)| format!("{sign}{name}")).collect();
                plan.line(Action::Updated, &subject, names.join(", "));
            }
        }
    }
    Ok(())
}

/// Whether an identifier is an Auth0 tenant's Management API: here it is the house's own.
fn is_management(identifier: &str) -> bool {
    let host = identifier
        .strip_prefix("https://")
        .and_then(|rest| rest.strip_suffix("/api/v2/"));
    host.is_some_and(|host| !host.is_empty() && !host.contains('/'))
}

fn subject<'a>(kind: &'static str, name: &'a str, at: &'a str) -> Subject<'a> {
    Subject { kind, name, at }
}

fn member(thing: &Thing, name: &str) -> String {
    let value = thing.said.get(name).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}
