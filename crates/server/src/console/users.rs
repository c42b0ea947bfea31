//! Users: found by how their e-mail address, user name, name or id begins, listed page by page, made.

use askama::Template;

use tokenhouse_protocol::id::{ConnectionId, UserId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Page as StorePage, User};

use super::answer::{Done, Failure, Reply, problem};
use super::display::Moment;
use super::frame::{Frame, Section};
use super::link::encoded;
use super::record::Record;
use super::visit::Visit;
use super::words;
use crate::registry::connections::{self, DEFAULT_CONNECTION, PasswordPolicy};
use crate::registry::users::{self, NewUser};
use crate::tenant::Tenant;

pub(crate) mod user;

/// Users on a page.
const PAGE: u32 = 50;
/// Connections that a form offers.
const MAX_CONNECTIONS: u32 = 100;

#[derive(Template)]
#[template(path = "users.html")]
struct Page {
    frame: Frame,
    query: String,
    rows: Vec<Row>,
    total: u64,
    is_first: bool,
    /// What the next page comes after.
    next: Option<String>,
}

struct Row {
    path: String,
    login: String,
    id: String,
    created: Moment,
    is_blocked: bool,
}

#[derive(Template)]
#[template(path = "user_create.html")]
struct CreatePage {
    frame: Frame,
    problem: Option<String>,
    email: String,
    username: String,
    connection: String,
    connections: Vec<Choice>,
}

/// A connection with what its passwords need.
struct Choice {
    name: String,
    rule: &'static str,
}

/// `GET /console/users`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Failure> {
    let (tenant, query) = (&visit.tenant, visit.query.text("q").to_owned());
    let after = visit.query.filled("after");
    let wanted = match after {
        Some(after) => StorePage::after(after, PAGE),
        None => StorePage::first(PAGE),
    };
    let store = &tenant.house.store;
    let found = store.users_found(&tenant.id, &query, wanted).await?;
    Reply::page(&Page {
        frame: visit.frame(Section::Users, words::navigation::USERS).await?,
        rows: found.rows.iter().map(row).collect(),
        total: store.users_total(&tenant.id).await?,
        is_first: after.is_none(),
        next: found.next,
        query,
    })
}

/// `GET /console/users/new`
pub(crate) async fn new(visit: Visit) -> Result<Reply, Failure> {
    Reply::page(&create_page(&visit, None).await?)
}

/// `POST /console/users/new`
pub(crate) async fn create(visit: Visit) -> Result<Done, Failure> {
    let form = &visit.form;
    let new = NewUser {
        connection: form.filled("connection").unwrap_or(DEFAULT_CONNECTION).to_owned(),
        email: form.filled("email").map(str::to_owned),
        email_verified: form.is_ticked("email_verified") && form.filled("email").is_some(),
        username: form.filled("username").map(str::to_owned),
        password: Secret::new(form.raw("password").to_owned()),
    };
    match users::create(&visit.tenant, new).await {
        Ok(user) => {
            let record = Record::change(words::log::USER_CREATED).user(&user.id);
            let reply = Reply::see(&path_of(&user.id)).saying(words::notices::USER_CREATED);
            Ok(Done::recorded(record, reply))
        }
        Err(error) => {
            let page = create_page(&visit, Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

async fn create_page(visit: &Visit, problem: Option<String>) -> Result<CreatePage, Failure> {
    let found = connections::connections(&visit.tenant, MAX_CONNECTIONS).await?;
    let choice = |connection: &tokenhouse_store::Connection| Choice {
        name: connection.name.clone(),
        rule: PasswordPolicy::of(connection).rule(),
    };
    let form = &visit.form;
    Ok(CreatePage {
        frame: visit
            .frame(Section::Users, words::user_create::TITLE)
            .await?
            .below(words::navigation::USERS, "/console/users"),
        problem,
        email: form.text("email").to_owned(),
        username: form.text("username").to_owned(),
        connection: form.text("connection").to_owned(),
        connections: found.iter().map(choice).collect(),
    })
}

fn row(user: &User) -> Row {
    Row {
        path: path_of(&user.id),
        login: login(user),
        id: user.id.to_string(),
        created: Moment::of(user.created_at),
        is_blocked: user.blocked,
    }
}

/// What a user signs in with.
pub(super) fn login(user: &User) -> String {
    let name = user.email.as_ref().or(user.username.as_ref());
    name.map_or_else(|| user.id.to_string(), Clone::clone)
}

/// The address of a user's page.
pub(super) fn path_of(id: &UserId) -> String {
    format!("/console/users/{}", encoded(id.as_str()))
}

/// The name of a connection.
pub(super) async fn connection_name(tenant: &Tenant, id: &ConnectionId) -> Result<String, Failure> {
    let found = tenant.house.store.connection(&tenant.id, id).await?;
    Ok(found.map_or_else(|| id.to_string(), |connection| connection.name))
}
