//! The APIs that an application may call by itself, with the permissions of each.

use askama::Template;
use serde_json::{Map, json};

use tokenhouse_protocol::id::{ApiId, ClientGrantId};
use tokenhouse_store::{Client, ClientGrant, Page as StorePage};

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::frame::Frame;
use super::super::link::encoded;
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::words;
use super::{found, frame, path_of};
use crate::registry::apis;
use crate::registry::client_grants::{self, NewClientGrant};

/// APIs to choose from.
const MAX_APIS: u32 = 200;

#[derive(Template)]
#[template(path = "application_apis.html")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    path: String,
    id: String,
    is_machine: bool,
    granted: Vec<Granted>,
    /// APIs that it may not call yet: identifier and name.
    others: Vec<(String, String)>,
}

struct Granted {
    grant: String,
    name: String,
    identifier: String,
    test: String,
    has_all: bool,
    scopes: Vec<(String, bool)>,
    held: usize,
}

/// `GET /console/applications/{id}/apis`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let client = found(&visit).await?;
    Reply::page(&page(&visit, &client, None).await?)
}

/// `POST /console/applications/{id}/apis`: authorises for an API, changes the permissions, or withdraws.
pub(crate) async fn save(visit: Visit) -> Result<Done, Failure> {
    let client = found(&visit).await?;
    let (tenant, form) = (&visit.tenant, &visit.form);
    let scopes: Vec<String> = form.all("scope").map(str::to_owned).collect();
    let has_all = form.is_ticked("all");
    let id = ClientGrantId::new(form.text("grant"));
    let action = form.text("action");
    if action != "authorise" && client_grants::client_grant(tenant, &id).await?.client_id != client.id {
        return Err(Failure::missing());
    }
    let (outcome, summary, notice) = match action {
        "authorise" => {
            let new = NewClientGrant {
                client_id: client.id.clone(),
                audience: form.text("audience").to_owned(),
                scopes: Vec::new(),
                allow_all_scopes: has_all,
            };
            let made = client_grants::create(tenant, new).await.map(drop);
            (made, words::log::GRANT_CREATED, words::notices::GRANT_CREATED)
        }
        "change" => {
            let mut changes = Map::new();
            changes.insert("allow_all_scopes".into(), json!(has_all));
            if !has_all {
                changes.insert("scope".into(), json!(scopes));
            }
            let changed = client_grants::update(tenant, &id, changes).await.map(drop);
            (changed, words::log::GRANT_CHANGED, words::notices::SAVED)
        }
        "withdraw" => {
            let removed = client_grants::remove(tenant, &id).await;
            (removed, words::log::GRANT_DELETED, words::notices::GRANT_DELETED)
        }
        _ => return Err(Failure::missing()),
    };
    match outcome {
        Ok(()) => {
            let record = Record::change(summary)
                .application(&client.id)
                .with("audience", form.text("audience"))
                .with("scope", scopes)
                .with("allow_all_scopes", has_all);
            let path = format!("{}/apis", path_of(&client.id));
            Ok(Done::recorded(record, Reply::see(&path).saying(notice)))
        }
        Err(error) => {
            let page = page(&visit, &client, Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

/// `GET /console/applications/{id}/test`: on to the Test tab of an API that it may call, or to where it gets one.
pub(crate) async fn test(visit: Visit) -> Result<Reply, Failure> {
    let client = found(&visit).await?;
    let tenant = &visit.tenant;
    let grants = tenant.house.store.grants_of_client(&tenant.id, &client.id).await?;
    let mut own: Vec<_> = grants.iter().filter(|grant| grant.subject_type == "client").collect();
    own.sort_by_key(|grant| grant.created_at);
    let api = match own.first() {
        Some(grant) => Some(grant.api_id.clone()),
        // It may ask for its users' tokens, without a grant of its own.
        None if client.grant_types.iter().any(|grant| grant.contains("password")) => {
            let apis = apis::apis(tenant, StorePage::first(MAX_APIS)).await?;
            apis.into_iter().find(|api| !api.is_system).map(|api| api.id)
        }
        None => None,
    };
    Ok(Reply::see(&match api {
        Some(api) => test_tab(&api, &client),
        None => format!("{}/apis", path_of(&client.id)),
    }))
}

fn test_tab(api: &ApiId, client: &Client) -> String {
    let (api, client) = (encoded(api.as_str()), encoded(client.id.as_str()));
    format!("/console/apis/{api}/test?application={client}")
}

async fn page(visit: &Visit, client: &Client, problem: Option<String>) -> Result<Page, Failure> {
    let (tenant, store) = (&visit.tenant, &visit.tenant.house.store);
    let mut granted = Vec::new();
    let mut held = Vec::new();
    for grant in store.grants_of_client(&tenant.id, &client.id).await? {
        let Some(api) = store.api(&tenant.id, &grant.api_id).await? else {
            continue;
        };
        let identifier = apis::identifier(tenant, &api);
        granted.push(Granted {
            test: test_tab(&api.id, client),
            name: api.name.clone().unwrap_or_else(|| identifier.clone()),
            identifier,
            ..scopes_of(&grant, &apis::scopes(&api))
        });
        held.push(api.id);
    }
    let all = apis::apis(tenant, StorePage::first(MAX_APIS)).await?;
    // The tenant's own first: the Management API is for few.
    let (system, own): (Vec<_>, Vec<_>) = all
        .iter()
        .filter(|api| !held.contains(&api.id))
        .partition(|api| api.is_system);
    let others = own.into_iter().chain(system).map(|api| {
        let identifier = apis::identifier(tenant, api);
        (identifier.clone(), api.name.clone().unwrap_or(identifier))
    });
    Ok(Page {
        frame: frame(visit, client).await?,
        problem,
        path: path_of(&client.id),
        id: client.id.to_string(),
        is_machine: client.grant_types.iter().any(|grant| grant == "client_credentials"),
        others: others.collect(),
        granted,
    })
}

fn scopes_of(grant: &ClientGrant, known: &[String]) -> Granted {
    let scopes: Vec<(String, bool)> = known
        .iter()
        .map(|scope| (scope.clone(), grant.allow_all_scopes || grant.scopes.contains(scope)))
        .collect();
    Granted {
        grant: grant.id.to_string(),
        name: String::new(),
        identifier: String::new(),
        test: String::new(),
        has_all: grant.allow_all_scopes,
        held: scopes.iter().filter(|(_, is_held)| *is_held).count(),
        scopes,
    }
}
