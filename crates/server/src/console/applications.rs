//! Applications: found by client ID or name, listed page by page, made by kind with safe values (CONTRACT §6.4).

use askama::Template;

use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::{Client, Page as StorePage};

use super::answer::{Done, Failure, Reply, problem};
use super::display::Moment;
use super::frame::{Frame, Section};
use super::link::encoded;
use super::record::Record;
use super::visit::Visit;
use super::{sought, words};
use crate::registry::clients::{self, Kind, NewClient};
use crate::tenant::Tenant;

pub(crate) mod access;
pub(crate) mod credentials;
pub(crate) mod settings;
pub(crate) mod usage;

/// Applications on a page.
const PAGE: u32 = 50;
/// The kinds that can be made, as the form sends them.
const KINDS: [Kind; 4] = [Kind::MachineToMachine, Kind::RegularWeb, Kind::SinglePage, Kind::Native];

#[derive(Template)]
#[template(path = "applications.html")]
struct Page {
    frame: Frame,
    query: String,
    rows: Vec<Row>,
    is_first: bool,
    next: Option<String>,
}

struct Row {
    path: String,
    name: String,
    id: String,
    kind: &'static str,
    created: Moment,
}

#[derive(Template)]
#[template(path = "application_create.html")]
struct CreatePage {
    frame: Frame,
    problem: Option<String>,
    name: String,
    kind: String,
    kinds: Vec<(&'static str, &'static str, &'static str)>,
}

/// `GET /console/applications`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Failure> {
    let (tenant, query) = (&visit.tenant, visit.query.text("q").to_owned());
    let after = visit.query.filled("after");
    let (found, next) = match query.is_empty() {
        true => page(tenant, after).await?,
        false => (sought::applications(tenant, &query).await?, None),
    };
    Reply::page(&Page {
        frame: visit.frame(Section::Applications, "Applications").await?,
        rows: found.iter().map(row).collect(),
        is_first: after.is_none(),
        next,
        query,
    })
}

/// `GET /console/applications/new`
pub(crate) async fn new(visit: Visit) -> Result<Reply, Failure> {
    Reply::page(&create_page(&visit, None).await?)
}

/// `POST /console/applications/new`
pub(crate) async fn create(visit: Visit) -> Result<Done, Failure> {
    let word = visit.form.text("kind");
    let Some(kind) = KINDS.into_iter().find(|kind| kind.app_type() == word) else {
        let page = create_page(&visit, Some(words::NO_KIND.to_owned())).await?;
        return Ok(Done::unchanged(Reply::refused(&page)?));
    };
    match clients::create(&visit.tenant, NewClient::of_kind(kind, visit.form.text("name"))).await {
        Ok((client, _)) => {
            let record = Record::change(words::log::CLIENT_CREATED).application(&client.id);
            let path = match kind {
                Kind::MachineToMachine => format!("{}/apis", path_of(&client.id)),
                Kind::RegularWeb | Kind::SinglePage | Kind::Native => path_of(&client.id),
            };
            Ok(Done::recorded(record, Reply::see(&path).saying(words::CLIENT_CREATED)))
        }
        Err(error) => {
            let page = create_page(&visit, Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

async fn create_page(visit: &Visit, problem: Option<String>) -> Result<CreatePage, Failure> {
    let kind = visit.form.filled("kind").unwrap_or(Kind::MachineToMachine.app_type());
    Ok(CreatePage {
        frame: visit
            .frame(Section::Applications, words::NEW_CLIENT)
            .await?
            .below("Applications", "/console/applications"),
        problem,
        name: visit.form.text("name").to_owned(),
        kind: kind.to_owned(),
        kinds: words::CLIENT_KINDS.to_vec(),
    })
}

/// A page of all applications, and what the next one comes after.
async fn page(tenant: &Tenant, after: Option<&str>) -> Result<(Vec<Client>, Option<String>), Failure> {
    let wanted = match after {
        Some(after) => StorePage::after(after, PAGE + 1),
        None => StorePage::first(PAGE + 1),
    };
    let mut found = clients::clients(tenant, wanted).await?;
    let has_more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| has_more).map(|client| client.id.to_string());
    Ok((found, next))
}

fn row(client: &Client) -> Row {
    Row {
        path: path_of(&client.id),
        name: client.name.clone(),
        id: client.id.to_string(),
        kind: words::client_kind(client.app_type.as_deref()),
        created: Moment::of(client.created_at),
    }
}

/// The application that a page is about.
pub(super) async fn found(visit: &Visit) -> Result<Client, Failure> {
    let client = clients::client(&visit.tenant, &ClientId::new(visit.parameter("id"))).await?;
    if client.is_global {
        return Err(Failure::missing());
    }
    Ok(client)
}

/// The frame of one of an application's pages.
pub(super) async fn frame(visit: &Visit, client: &Client) -> Result<Frame, Failure> {
    let frame = visit.frame(Section::Applications, client.name.clone()).await?;
    Ok(frame.below("Applications", "/console/applications"))
}

/// The address of an application's pages.
pub(super) fn path_of(id: &ClientId) -> String {
    format!("/console/applications/{}", encoded(id.as_str()))
}
