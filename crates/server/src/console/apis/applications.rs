//! The applications that may use an API by themselves: authorised, with which permissions, and no longer.

use askama::Template;
use serde_json::{Map, json};

use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::{ClientGrantId, ClientId};
use tokenhouse_store::{Api, ClientFilter, ClientGrant, ClientGrantFilter, Page as StorePage};

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::frame::Frame;
use super::super::link::encoded;
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::words;
use super::{Head, found, frame, head, path_of};
use crate::registry::apis;
use crate::registry::client_grants::{self, NewClientGrant};

/// Grants on a page, and applications to choose from.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "api_applications.html")]
struct Page {
    frame: Frame,
    head: Head,
    problem: Option<String>,
    granted: Vec<Granted>,
    /// Applications that could be authorised: client ID and name.
    others: Vec<(String, String)>,
    has_scopes: bool,
    is_first: bool,
    next: Option<String>,
}

/// An application with its grant.
struct Granted {
    grant: String,
    client_id: String,
    path: String,
    name: String,
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
            (made, words::log::GRANT_CREATED, words::GRANT_CREATED)
        }
        "change" => {
            let mut changes = Map::new();
            changes.insert("allow_all_scopes".into(), json!(has_all));
            if !has_all {
                changes.insert("scope".into(), json!(scopes));
            }
            let changed = client_grants::update(tenant, &grant_id, changes).await;
            (
                changed.map(|grant| grant.client_id),
                words::log::GRANT_CHANGED,
                words::SAVED,
            )
        }
        "withdraw" => {
            let client = client_grants::client_grant(tenant, &grant_id).await?.client_id;
            let removed = client_grants::remove(tenant, &grant_id).await;
            (
                removed.map(|()| client),
                words::log::GRANT_DELETED,
                words::GRANT_DELETED,
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
            let path = format!("{}/applications", path_of(&api));
            Ok(Done::recorded(record, Reply::see(&path).saying(notice)))
        }
        Err(error) => {
            let page = page(&visit, &api, Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

async fn page(visit: &Visit, api: &Api, problem: Option<String>) -> Result<Page, Failure> {
    let (tenant, store) = (&visit.tenant, &visit.tenant.house.store);
    let filter = ClientGrantFilter {
        api_id: Some(api.id.clone()),
        subject_type: Some("client".into()),
    };
    let after = visit.query.filled("after");
    let wanted = match after {
        Some(after) => StorePage::after(after, PAGE + 1),
        None => StorePage::first(PAGE + 1),
    };
    let mut grants = store.client_grants_matching(&tenant.id, &filter, wanted).await?;
    let has_more = grants.len() > PAGE as usize;
    grants.truncate(PAGE as usize);
    let next = grants.last().filter(|_| has_more).map(|grant| grant.id.to_string());
    let known = apis::scopes(api);
    let mut granted = Vec::new();
    for grant in grants {
        let client = store.client(&tenant.id, &grant.client_id).await?;
        let name = client.map_or_else(|| grant.client_id.to_string(), |client| client.name);
        granted.push(shown(&grant, name, &known));
    }
    let own = ClientFilter {
        is_global: Some(false),
        ..ClientFilter::default()
    };
    let machine = GrantType::ClientCredentials.as_str();
    let found = store
        .clients_matching(&tenant.id, &own, StorePage::first(2 * PAGE))
        .await?;
    let others = found
        .into_iter()
        .filter(|client| client.grant_types.iter().any(|grant| grant == machine))
        .filter(|client| granted.iter().all(|granted| granted.client_id != client.id.as_str()))
        .map(|client| (client.id.to_string(), client.name));
    Ok(Page {
        frame: frame(visit, api).await?,
        head: head(tenant, api),
        problem,
        others: others.collect(),
        granted,
        has_scopes: !known.is_empty(),
        is_first: after.is_none(),
        next,
    })
}

fn shown(grant: &ClientGrant, name: String, known: &[String]) -> Granted {
    let scopes: Vec<(String, bool)> = known
        .iter()
        .map(|scope| (scope.clone(), grant.allow_all_scopes || grant.scopes.contains(scope)))
        .collect();
    Granted {
        grant: grant.id.to_string(),
        client_id: grant.client_id.to_string(),
        path: format!("/console/applications/{}", encoded(grant.client_id.as_str())),
        name,
        has_all: grant.allow_all_scopes,
        held: scopes.iter().filter(|(_, is_held)| *is_held).count(),
        scopes,
    }
}
