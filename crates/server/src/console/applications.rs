//! Applications: found by how their name or client ID begins, listed page by page, made by kind with safe values (CONTRACT §6.4).

use askama::Template;

use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::{Client, Page as StorePage};

use super::answer::{Done, Failure, Reply, problem};
use super::display::Moment;
use super::frame::{Frame, Section};
use super::link::encoded;
use super::record::Record;
use super::visit::Visit;
use super::words;
use crate::registry::clients::{self, Kind, NewClient};

pub(crate) mod access;
pub(crate) mod credentials;
pub(crate) mod settings;
pub(crate) mod usage;

/// Applications on a page.
const PAGE: u32 = 50;
/// The kinds that can be made, as the form sends them.
const KINDS: [Kind; 4] = [Kind::MachineToMachine, Kind::RegularWeb, Kind::SinglePage, Kind::Native];

/// The kinds of application that can be made: the word, the name, what it is.
const KINDS_TO_MAKE: &[(&str, &str, &str)] = &[
    (
        "non_interactive",
        words::application_create::MACHINE,
        words::application_create::MACHINE_TEXT,
    ),
    (
        "regular_web",
        words::application_create::WEB,
        words::application_create::WEB_TEXT,
    ),
    (
        "spa",
        words::application_create::SPA,
        words::application_create::SPA_TEXT,
    ),
    (
        "native",
        words::application_create::NATIVE,
        words::application_create::NATIVE_TEXT,
    ),
];

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
    let wanted = match after {
        Some(after) => StorePage::after(after, PAGE),
        None => StorePage::first(PAGE),
    };
    let found = tenant.house.store.clients_found(&tenant.id, &query, wanted).await?;
    Reply::page(&Page {
        frame: visit
            .frame(Section::Applications, words::navigation::APPLICATIONS)
            .await?,
        rows: found.rows.iter().map(row).collect(),
        is_first: after.is_none(),
        next: found.next,
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
        let page = create_page(&visit, Some(words::problems::NO_KIND.to_owned())).await?;
        return Ok(Done::unchanged(Reply::refused(&page)?));
    };
    match clients::create(&visit.tenant, NewClient::of_kind(kind, visit.form.text("name"))).await {
        Ok((client, _)) => {
            let record = Record::change(words::log::CLIENT_CREATED).application(&client.id);
            let path = match kind {
                Kind::MachineToMachine => format!("{}/apis", path_of(&client.id)),
                Kind::RegularWeb | Kind::SinglePage | Kind::Native => path_of(&client.id),
            };
            Ok(Done::recorded(
                record,
                Reply::see(&path).saying(words::notices::CLIENT_CREATED),
            ))
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
            .frame(Section::Applications, words::application_create::TITLE)
            .await?
            .below(words::navigation::APPLICATIONS, "/console/applications"),
        problem,
        name: visit.form.text("name").to_owned(),
        kind: kind.to_owned(),
        kinds: KINDS_TO_MAKE.to_vec(),
    })
}

fn row(client: &Client) -> Row {
    Row {
        path: path_of(&client.id),
        name: client.name.clone(),
        id: client.id.to_string(),
        kind: kind_name(client.app_type.as_deref()),
        created: Moment::of(client.created_at),
    }
}

/// An application's kind, by its `app_type`.
pub(super) fn kind_name(app_type: Option<&str>) -> &'static str {
    let word = app_type.unwrap_or_default();
    let known = KINDS_TO_MAKE.iter().find(|(known, _, _)| *known == word);
    known.map_or(words::application_create::GENERIC, |(_, name, _)| name)
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
    Ok(frame.below(words::navigation::APPLICATIONS, "/console/applications"))
}

/// The address of an application's pages.
pub(super) fn path_of(id: &ClientId) -> String {
    format!("/console/applications/{}", encoded(id.as_str()))
}
