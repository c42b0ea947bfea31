//! The Machine to Machine applications of an API: found by name or client ID, let in and out by a button each, their
//! permissions inside their row (CONTRACT §6.1). However many there are, a page shows a few.

use askama::Template;
use serde_json::{Map, json};

use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::{ClientGrantId, ClientId};
use tokenhouse_store::{Api, Client, ClientFilter, ClientGrant, ClientGrantFilter, Page as StorePage};

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::frame::Frame;
use super::super::link::encoded;
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::{sought, words};
use super::{Head, found, frame, head, path_of};
use crate::registry::apis;
use crate::registry::client_grants::{self, NewClientGrant};

/// Applications on a page.
const PAGE: u32 = 25;
/// Most boxes to tick on a page; where there would be more, only the row that is open has them.
const MAX_BOXES: usize = 400;

#[derive(Template)]
#[template(path = "api_applications.html")]
struct Page {
    frame: Frame,
    head: Head,
    problem: Option<String>,
    /// What is looked for; empty for none.
    query: String,
    /// Whether those are listed that may not use it as well.
    shows_all: bool,
    /// What the page comes after; empty on the first.
    after: String,
    rows: Vec<Row>,
    has_scopes: bool,
    next: Option<String>,
}

/// An application, with its grant if it has one.
struct Row {
    client_id: String,
    path: String,
    test: String,
    name: String,
    is_machine: bool,
    grant: Option<Granted>,
    /// Whether its permissions stand in the row, to be ticked.
    has_boxes: bool,
    is_open: bool,
}

struct Granted {
    id: String,
    has_all: bool,
    scopes: Vec<(String, bool)>,
    held: usize,
}

/// `GET /console/apis/{id}/applications`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let api = found(&visit).await?;
    Reply::page(&page(&visit, &api, None).await?)
}

/// `POST /console/apis/{id}/applications`: authorises, changes the permissions, or withdraws.
pub(crate) async fn save(visit: Visit) -> Result<Done, Failure> {
    let api = found(&visit).await?;
    let (tenant, form) = (&visit.tenant, &visit.form);
    let scopes: Vec<String> = form.all("scope").map(str::to_owned).collect();
    let has_all = form.is_ticked("all");
    let grant_id = ClientGrantId::new(form.text("grant"));
    let (outcome, summary, notice) = match form.text("action") {
        "authorise" => {
            let new = NewClientGrant {
                client_id: ClientId::new(form.text("client_id")),
                audience: api.id.to_string(),
                scopes: Vec::new(),
                allow_all_scopes: has_all,
            };
            let made = client_grants::create(tenant, new).await.map(|grant| grant.client_id);
            (made, words::log::GRANT_CREATED, words::notices::GRANT_CREATED)
        }
        "change" => {
            let grant_id = of_api(&visit, &api, &grant_id).await?;
            let mut changes = Map::new();
            changes.insert("allow_all_scopes".into(), json!(has_all));
            if !has_all {
                changes.insert("scope".into(), json!(scopes));
            }
            let changed = client_grants::update(tenant, &grant_id, changes).await;
            (
                changed.map(|grant| grant.client_id),
                words::log::GRANT_CHANGED,
                words::notices::SAVED,
            )
        }
        "withdraw" => {
            let grant_id = of_api(&visit, &api, &grant_id).await?;
            let client = client_grants::client_grant(tenant, &grant_id).await?.client_id;
            let removed = client_grants::remove(tenant, &grant_id).await;
            (
                removed.map(|()| client),
                words::log::GRANT_DELETED,
                words::notices::GRANT_DELETED,
            )
        }
        _ => return Err(Failure::missing()),
    };
    match outcome {
        Ok(client) => {
            let record = Record::change(summary)
                .api(&api.id)
                .application(&client)
                .with("scope", scopes)
                .with("allow_all_scopes", has_all);
            let path = format!("{}/applications?{}", path_of(&api), back(&visit, &client));
            Ok(Done::recorded(record, Reply::see(&path).saying(notice)))
        }
        Err(error) => {
            let page = page(&visit, &api, Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

/// A grant that is for this API: another's is none of this page's.
async fn of_api(visit: &Visit, api: &Api, id: &ClientGrantId) -> Result<ClientGrantId, Failure> {
    let grant = client_grants::client_grant(&visit.tenant, id).await?;
    match grant.api_id == api.id {
        true => Ok(grant.id),
        false => Err(Failure::missing()),
    }
}

/// The query that shows the list again as it was, with the application open that was changed.
fn back(visit: &Visit, client: &ClientId) -> String {
    let kept = ["q", "show", "after"].into_iter().filter_map(|name| {
        let value = visit.form.filled(name)?;
        Some(format!("{name}={}&", encoded(value)))
    });
    let id = encoded(client.as_str());
    format!("{}open={id}#app-{id}", kept.collect::<String>())
}

async fn page(visit: &Visit, api: &Api, problem: Option<String>) -> Result<Page, Failure> {
    let asked = if problem.is_some() { &visit.form } else { &visit.query };
    let (query, opened) = (asked.text("q").to_owned(), asked.text("open").to_owned());
    let after = asked.filled("after");
    let mut shows_all = asked.text("show") == "all";
    let (mut found, next) = match query.is_empty() {
        true if shows_all => all(visit, api, after).await?,
        true => authorized(visit, api, after).await?,
        false => (searched(visit, api, &query).await?, None),
    };
    if query.is_empty() && after.is_none() && !shows_all && found.is_empty() {
        // Nobody is let in yet: here is who could be.
        shows_all = true;
        found = all(visit, api, None).await?.0;
    }
    let known = apis::scopes(api);
    let boxes = known.len() * found.iter().filter(|(_, grant)| grant.is_some()).count();
    let rows = found.into_iter().map(|(client, grant)| {
        let is_open = client.id.as_str() == opened;
        let has_boxes = !known.is_empty() && (is_open || boxes <= MAX_BOXES);
        row(
            api,
            &client,
            grant.map(|grant| granted(&grant, &known)),
            (has_boxes, is_open),
        )
    });
    Ok(Page {
        frame: frame(visit, api).await?,
        head: head(&visit.tenant, api),
        problem,
        rows: rows.collect(),
        query,
        shows_all,
        has_scopes: !known.is_empty(),
        after: after.unwrap_or_default().to_owned(),
        next,
    })
}

/// Applications with their grants for the API.
type Found = Vec<(Client, Option<ClientGrant>)>;

/// A page of those that may use the API, and what the next one comes after.
async fn authorized(visit: &Visit, api: &Api, after: Option<&str>) -> Result<(Found, Option<String>), Failure> {
    let (tenant, store) = (&visit.tenant, &visit.tenant.house.store);
    let filter = ClientGrantFilter {
        api_id: Some(api.id.clone()),
        subject_type: Some("client".into()),
    };
    let mut grants = store
        .client_grants_matching(&tenant.id, &filter, page_after(after))
        .await?;
    let has_more = grants.len() > PAGE as usize;
    grants.truncate(PAGE as usize);
    let next = grants.last().filter(|_| has_more).map(|grant| grant.id.to_string());
    let mut found = Vec::new();
    for grant in grants {
        if let Some(client) = store.client(&tenant.id, &grant.client_id).await? {
            found.push((client, Some(grant)));
        }
    }
    Ok((found, next))
}

/// A page of all that get tokens of their own, and what the next one comes after.
async fn all(visit: &Visit, api: &Api, after: Option<&str>) -> Result<(Found, Option<String>), Failure> {
    let (tenant, store) = (&visit.tenant, &visit.tenant.house.store);
    let own = ClientFilter {
        is_global: Some(false),
        ..ClientFilter::default()
    };
    let mut clients = store.clients_matching(&tenant.id, &own, page_after(after)).await?;
    let has_more = clients.len() > PAGE as usize;
    clients.truncate(PAGE as usize);
    let next = clients.last().filter(|_| has_more).map(|client| client.id.to_string());
    let mut found = with_grants(visit, api, clients).await?;
    found.retain(|(client, grant)| grant.is_some() || is_machine(client));
    Ok((found, next))
}

async fn searched(visit: &Visit, api: &Api, query: &str) -> Result<Found, Failure> {
    let mut clients = sought::applications(&visit.tenant, query).await?;
    clients.truncate(PAGE as usize);
    with_grants(visit, api, clients).await
}

async fn with_grants(visit: &Visit, api: &Api, clients: Vec<Client>) -> Result<Found, Failure> {
    let (tenant, store) = (&visit.tenant, &visit.tenant.house.store);
    let mut found = Vec::new();
    for client in clients {
        let grants = store.grants_of_client(&tenant.id, &client.id).await?;
        let is_of_api = |grant: &ClientGrant| grant.api_id == api.id && grant.subject_type == "client";
        found.push((client, grants.into_iter().find(is_of_api)));
    }
    Ok(found)
}

fn page_after(after: Option<&str>) -> StorePage {
    match after {
        Some(after) => StorePage::after(after, PAGE + 1),
        None => StorePage::first(PAGE + 1),
    }
}

fn is_machine(client: &Client) -> bool {
    let machine = GrantType::ClientCredentials.as_str();
    client.grant_types.iter().any(|grant| grant == machine)
}

fn row(api: &Api, client: &Client, grant: Option<Granted>, (has_boxes, is_open): (bool, bool)) -> Row {
    let id = encoded(client.id.as_str());
    Row {
        client_id: client.id.to_string(),
        path: format!("/console/applications/{id}"),
        test: format!("{}/test?application={id}", path_of(api)),
        name: client.name.clone(),
        is_machine: is_machine(client),
        grant,
        has_boxes,
        is_open,
    }
}

fn granted(grant: &ClientGrant, known: &[String]) -> Granted {
    let scopes: Vec<(String, bool)> = known
        .iter()
        .map(|scope| (scope.clone(), grant.allow_all_scopes || grant.scopes.contains(scope)))
        .collect();
    Granted {
        id: grant.id.to_string(),
        has_all: grant.allow_all_scopes,
        held: scopes.iter().filter(|(_, is_held)| *is_held).count(),
        scopes,
    }
}
