//! APIs: listed, and made together with an application to try them with, as Auth0 does (CONTRACT §6.1).

use askama::Template;

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_store::{Api, Page as StorePage};

use super::answer::{Done, Failure, Reply, problem};
use super::frame::{Frame, Section};
use super::link::encoded;
use super::record::Record;
use super::visit::Visit;
use super::words;
use crate::registry::apis::{self, NewApi};
use crate::registry::client_grants::{self, NewClientGrant};
use crate::registry::clients::{self, Kind, NewClient};
use crate::tenant::Tenant;

pub(crate) mod applications;
pub(crate) mod permissions;
pub(crate) mod settings;

/// APIs on a page.
const PAGE: u32 = 50;
/// Longest name of an application that is made along, in characters.
const MAX_NAME_CHARS: usize = 100;

/// The algorithms that an API can choose from, each with when to.
pub(super) const ALGORITHMS: &[(&str, &str)] = &[
    ("RS256", words::api_create::RS256),
    ("ES256", words::api_create::ES256),
    ("EdDSA", words::api_create::EDDSA),
    ("PS256", words::api_create::PS256),
    ("HS256", words::api_create::HS256),
];

#[derive(Template)]
#[template(path = "apis.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    is_first: bool,
    next: Option<String>,
}

struct Row {
    path: String,
    name: String,
    identifier: String,
    algorithm: String,
    scopes: usize,
    is_system: bool,
}

#[derive(Template)]
#[template(path = "api_create.html")]
struct CreatePage {
    frame: Frame,
    problem: Option<String>,
    name: String,
    identifier: String,
    algorithm: String,
    algorithms: Vec<(&'static str, &'static str)>,
    enforces_policies: bool,
    makes_application: bool,
}

/// What stands above an API's pages.
pub(crate) struct Head {
    pub(crate) identifier: String,
    pub(crate) path: String,
    pub(crate) is_system: bool,
}

/// `GET /console/apis`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Failure> {
    let after = visit.query.filled("after");
    let wanted = match after {
        Some(after) => StorePage::after(after, PAGE + 1),
        None => StorePage::first(PAGE + 1),
    };
    let mut found = apis::apis(&visit.tenant, wanted).await?;
    let has_more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    Reply::page(&Page {
        frame: visit.frame(Section::Apis, words::navigation::APIS).await?,
        rows: found.iter().map(|api| row(&visit.tenant, api)).collect(),
        is_first: after.is_none(),
        next: found.last().filter(|_| has_more).map(|api| api.id.to_string()),
    })
}

/// `GET /console/apis/new`
pub(crate) async fn new(visit: Visit) -> Result<Reply, Failure> {
    Reply::page(&create_page(&visit, None).await?)
}

/// `POST /console/apis/new`
pub(crate) async fn create(visit: Visit) -> Result<Done, Failure> {
    let form = &visit.form;
    let Ok(algorithm) = form.text("algorithm").parse::<Algorithm>() else {
        return Err(Failure::missing());
    };
    let name = form.filled("name").map(str::to_owned);
    let new = NewApi {
        name: Some(name.unwrap_or_else(|| form.text("identifier").to_owned())),
        algorithm,
        enforces_policies: form.is_ticked("enforce_policies"),
        ..NewApi::new(form.text("identifier"))
    };
    let api = match apis::create(&visit.tenant, new).await {
        Ok(api) => api,
        Err(error) => {
            let page = create_page(&visit, Some(problem(error)?)).await?;
            return Ok(Done::unchanged(Reply::refused(&page)?));
        }
    };
    let identifier = apis::identifier(&visit.tenant, &api);
    let mut record = Record::change(words::log::API_CREATED)
        .api(&api.id)
        .with("identifier", identifier.as_str());
    let mut notice = words::notices::API_CREATED;
    if form.is_ticked("test_application") {
        let client = test_application(&visit.tenant, &api).await?;
        record = record.with("test_application", client);
        notice = words::notices::API_CREATED_WITH_APPLICATION;
    }
    let path = format!("{}/permissions", path_of(&api));
    Ok(Done::recorded(record, Reply::see(&path).saying(notice)))
}

/// Makes a Machine to Machine application that may use all of an API: its client ID.
async fn test_application(tenant: &Tenant, api: &Api) -> Result<String, Failure> {
    let new = NewClient::of_kind(Kind::MachineToMachine, test_application_name(tenant, api));
    let (client, _) = clients::create(tenant, new).await?;
    let grant = NewClientGrant {
        client_id: client.id.clone(),
        audience: api.id.to_string(),
        scopes: Vec::new(),
        allow_all_scopes: true,
    };
    client_grants::create(tenant, grant).await?;
    Ok(client.id.to_string())
}

/// What the application is called that is made along with an API.
pub(super) fn test_application_name(tenant: &Tenant, api: &Api) -> String {
    let name: String = name(tenant, api).chars().take(MAX_NAME_CHARS).collect();
    words::apis::test_application(&name)
}

async fn create_page(visit: &Visit, problem: Option<String>) -> Result<CreatePage, Failure> {
    let form = &visit.form;
    let was_sent = problem.is_some();
    Ok(CreatePage {
        frame: visit
            .frame(Section::Apis, words::api_create::TITLE)
            .await?
            .below(words::navigation::APIS, "/console/apis"),
        problem,
        name: form.text("name").to_owned(),
        identifier: form.text("identifier").to_owned(),
        algorithm: form.filled("algorithm").unwrap_or("RS256").to_owned(),
        algorithms: ALGORITHMS.to_vec(),
        enforces_policies: form.is_ticked("enforce_policies"),
        makes_application: !was_sent || form.is_ticked("test_application"),
    })
}

/// The API that a page is about.
pub(super) async fn found(visit: &Visit) -> Result<Api, Failure> {
    Ok(apis::api(&visit.tenant, visit.parameter("id")).await?)
}

/// The frame of one of an API's pages.
pub(super) async fn frame(visit: &Visit, api: &Api) -> Result<Frame, Failure> {
    let frame = visit.frame(Section::Apis, name(&visit.tenant, api)).await?;
    Ok(frame.below(words::navigation::APIS, "/console/apis"))
}

/// What stands above it.
pub(super) fn head(tenant: &Tenant, api: &Api) -> Head {
    Head {
        identifier: apis::identifier(tenant, api),
        path: path_of(api),
        is_system: api.is_system,
    }
}

/// The address of an API's pages.
pub(super) fn path_of(api: &Api) -> String {
    format!("/console/apis/{}", encoded(api.id.as_str()))
}

fn row(tenant: &Tenant, api: &Api) -> Row {
    Row {
        path: path_of(api),
        name: name(tenant, api),
        identifier: apis::identifier(tenant, api),
        algorithm: api.signing_alg.clone(),
        scopes: apis::scopes(api).len(),
        is_system: api.is_system,
    }
}

fn name(tenant: &Tenant, api: &Api) -> String {
    api.name.clone().unwrap_or_else(|| apis::identifier(tenant, api))
}
