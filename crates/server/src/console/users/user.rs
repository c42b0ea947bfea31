//! One user: who they are, what they may do, another password, blocking, deleting.

use askama::Template;

use tokenhouse_protocol::id::UserId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::User;

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::display::Moment;
use super::super::frame::{Frame, Section};
use super::super::link::encoded;
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::words;
use super::{connection_name, login, path_of};
use crate::registry::users;

#[derive(Template)]
#[template(path = "user.html")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    /// Which form the problem is about.
    problem_of: &'static str,
    path: String,
    logs: String,
    id: String,
    email: Option<String>,
    email_verified: bool,
    username: Option<String>,
    connection: String,
    created: Moment,
    updated: Moment,
    is_blocked: bool,
    login: String,
    roles: Vec<String>,
}

/// `GET /console/users/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let user = found(&visit).await?;
    Reply::page(&page(&visit, &user, "", None).await?)
}

/// `POST /console/users/{id}/block`
pub(crate) async fn block(visit: Visit) -> Result<Done, Failure> {
    let blocked = visit.form.text("blocked") == "true";
    let user = users::set_blocked(&visit.tenant, &id_of(&visit), blocked).await?;
    let (summary, notice) = match blocked {
        true => (words::log::USER_BLOCKED, words::notices::USER_BLOCKED),
        false => (words::log::USER_UNBLOCKED, words::notices::USER_UNBLOCKED),
    };
    let record = Record::change(summary).user(&user.id);
    Ok(Done::recorded(record, Reply::see(&path_of(&user.id)).saying(notice)))
}

/// `POST /console/users/{id}/password`
pub(crate) async fn set_password(visit: Visit) -> Result<Done, Failure> {
    let id = id_of(&visit);
    let password = Secret::new(visit.form.raw("password").to_owned());
    match users::set_password(&visit.tenant, &id, &password).await {
        Ok(()) => {
            let record = Record::change(words::log::USER_PASSWORD).user(&id);
            let reply = Reply::see(&path_of(&id)).saying(words::notices::USER_PASSWORD);
            Ok(Done::recorded(record, reply))
        }
        Err(error) => refused(&visit, "password", problem(error)?).await,
    }
}

/// `POST /console/users/{id}/delete`
pub(crate) async fn delete(visit: Visit) -> Result<Done, Failure> {
    let user = found(&visit).await?;
    if visit.form.text("name") != login(&user) {
        return refused(&visit, "delete", words::problems::NAME_DIFFERS.to_owned()).await;
    }
    users::remove(&visit.tenant, &user.id).await?;
    let record = Record::change(words::log::USER_DELETED).user(&user.id);
    let reply = Reply::see("/console/users").saying(words::notices::USER_DELETED);
    Ok(Done::recorded(record, reply))
}

async fn refused(visit: &Visit, form: &'static str, text: String) -> Result<Done, Failure> {
    let user = found(visit).await?;
    let page = page(visit, &user, form, Some(text)).await?;
    Ok(Done::unchanged(Reply::refused(&page)?))
}

async fn page(visit: &Visit, user: &User, problem_of: &'static str, problem: Option<String>) -> Result<Page, Failure> {
    let store = &visit.tenant.house.store;
    let held = store.roles_of_user(&visit.tenant.id, &user.id).await?;
    Ok(Page {
        frame: visit
            .frame(Section::Users, login(user))
            .await?
            .below(words::navigation::USERS, "/console/users"),
        problem,
        problem_of,
        path: path_of(&user.id),
        logs: format!("/console/logs?user={}", encoded(user.id.as_str())),
        id: user.id.to_string(),
        email: user.email.clone(),
        email_verified: user.email_verified,
        username: user.username.clone(),
        connection: connection_name(&visit.tenant, &user.connection_id).await?,
        created: Moment::of(user.created_at),
        updated: Moment::of(user.updated_at),
        is_blocked: user.blocked,
        login: login(user),
        roles: held.into_iter().map(|role| role.name).collect(),
    })
}

async fn found(visit: &Visit) -> Result<User, Failure> {
    Ok(users::user(&visit.tenant, &id_of(visit)).await?)
}

fn id_of(visit: &Visit) -> UserId {
    UserId::new(visit.parameter("id"))
}
