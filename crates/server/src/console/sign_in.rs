//! The console's door: signing in by password or by a link, choosing a password, and signing out.

use askama::Template;
use axum::http::StatusCode;

use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::Administrator;

use super::answer::{Done, Failure, KeyChange, Reply, problem};
use super::frame::Frame;
use super::record::Record;
use super::visit::{Guest, Visit};
use super::words;
use crate::accounts::session;
use crate::accounts::sign_in::{self, Purpose};
use crate::caller::{Caller, SignedIn};
use crate::refusal::Reason;
use crate::registry::administrators::MIN_PASSWORD_CHARS;

/// Where somebody lands who has just signed in.
const HOME: &str = "/console/";
/// Longest path that a sign-in leads back to, in bytes.
const MAX_PATH_BYTES: usize = 1024;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    to: String,
    email: String,
    has_ended: bool,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    frame: Frame,
    key: String,
    email: String,
    sets_password: bool,
    min_password_chars: usize,
    problem: Option<String>,
}

/// `GET /console/sign-in`
pub(crate) async fn get(guest: Guest) -> Result<Reply, Failure> {
    let to = path_of_console(guest.query.raw("to"));
    if session::find(&guest.tenant, &guest.key).await?.is_some() {
        return Ok(Reply::see(to));
    }
    Reply::page(&Page {
        frame: guest.frame(words::shared::SIGN_IN),
        to: to.to_owned(),
        email: String::new(),
        has_ended: guest.query.is_ticked("ended"),
        problem: None,
    })
}

/// `POST /console/sign-in`
pub(crate) async fn post(guest: Guest) -> Result<Done, Failure> {
    let (email, password) = (guest.form.text("email"), Secret::new(guest.form.raw("password")));
    let to = path_of_console(guest.form.raw("to"));
    let address = guest.caller.address;
    match sign_in::with_password(&guest.tenant, address, email, &password).await {
        Ok(administrator) => signed_in(&guest, &administrator, to, None).await,
        Err(failure) => {
            let (status, text) = match failure.refusal.reason {
                Reason::WrongPassword => (StatusCode::UNAUTHORIZED, words::problems::WRONG_PASSWORD.to_owned()),
                Reason::Unavailable => (
                    StatusCode::SERVICE_UNAVAILABLE,
                    words::failures::UNAVAILABLE_TEXT.to_owned(),
                ),
                _ => (
                    StatusCode::TOO_MANY_REQUESTS,
                    words::problems::TOO_MANY_ATTEMPTS.to_owned(),
                ),
            };
            let record = Record::refusal(words::log::SIGN_IN_REFUSED).with("email", shortened(email));
            record.write_refusal(&guest.tenant, &guest.caller, status.as_u16());
            let page = Page {
                frame: guest.frame(words::shared::SIGN_IN),
                to: to.to_owned(),
                email: email.to_owned(),
                has_ended: false,
                problem: Some(text),
            };
            Ok(Done::unchanged(Reply::page_with(status, &page)?))
        }
    }
}

/// `GET /console/link`: looking at a link does not use it up, so that a preview of it burns nothing.
pub(crate) async fn get_link(guest: Guest) -> Result<Reply, Failure> {
    let key = guest.query.raw("key");
    match sign_in::link(&guest.tenant, key).await? {
        Some((administrator, purpose)) => Reply::page(&link_page(&guest, key, &administrator, purpose, None)),
        // Whoever comes back to a link that they used is in already.
        None if session::find(&guest.tenant, &guest.key).await?.is_some() => Ok(Reply::see(HOME)),
        None => Err(worn_link()),
    }
}

/// `POST /console/link`
pub(crate) async fn post_link(guest: Guest) -> Result<Done, Failure> {
    let key = guest.form.raw("key").to_owned();
    let Some((administrator, purpose)) = sign_in::link(&guest.tenant, &key).await? else {
        return Err(worn_link());
    };
    let taken = match purpose {
        Purpose::SignIn => sign_in::with_link(&guest.tenant, &key).await?,
        Purpose::Password => {
            let password = Secret::new(guest.form.raw("password"));
            match sign_in::choose_password(&guest.tenant, &key, &password).await {
                Ok(taken) => taken,
                Err(error) => {
                    let page = link_page(&guest, &key, &administrator, purpose, Some(problem(error)?));
                    return Ok(Done::unchanged(Reply::refused(&page)?));
                }
            }
        }
    };
    let administrator = taken.ok_or_else(worn_link)?;
    let notice = (purpose == Purpose::Password).then(|| words::notices::PASSWORD_CHOSEN.to_owned());
    signed_in(&guest, &administrator, HOME, notice).await
}

/// `POST /console/sign-out`
pub(crate) async fn sign_out(visit: Visit) -> Result<Done, Failure> {
    let (store, digest) = (&visit.tenant.house.store, &visit.session.row.digest);
    store.end_administrator_session(&visit.tenant.id, digest).await?;
    let reply = Reply::see("/console/sign-in").with_key(KeyChange::Goes);
    Ok(Done::recorded(Record::change(words::log::SIGNED_OUT), reply))
}

/// Begins a session under a new key: the one that the browser held before opens nothing (session fixation).
async fn signed_in(
    guest: &Guest,
    administrator: &Administrator,
    to: &str,
    notice: Option<String>,
) -> Result<Done, Failure> {
    let store = &guest.tenant.house.store;
    store
        .end_administrator_session(&guest.tenant.id, &session::digest(&guest.key))
        .await?;
    let caller = Caller {
        administrator: Some(SignedIn {
            id: administrator.id.clone(),
            email: administrator.email.clone(),
        }),
        ..(*guest.caller).clone()
    };
    let record = Record::change(words::log::SIGNED_IN);
    record
        .write(&guest.tenant, &caller, StatusCode::SEE_OTHER.as_u16())
        .await?;
    let key = session::begin(&guest.tenant, administrator, &caller, notice).await?;
    Ok(Done::unchanged(Reply::see(to).with_key(KeyChange::Becomes(key))))
}

fn link_page(
    guest: &Guest,
    key: &str,
    administrator: &Administrator,
    purpose: Purpose,
    problem: Option<String>,
) -> LinkPage {
    let sets_password = purpose == Purpose::Password;
    let title = match purpose {
        Purpose::SignIn => words::shared::SIGN_IN,
        Purpose::Password => words::link::CHOOSE_PASSWORD,
    };
    LinkPage {
        frame: guest.frame(title),
        key: key.to_owned(),
        email: administrator.email.clone(),
        sets_password,
        min_password_chars: MIN_PASSWORD_CHARS,
        problem,
    }
}

fn worn_link() -> Failure {
    Failure::new(StatusCode::GONE, words::link::WORN_LINK, words::link::WORN_LINK_TEXT)
}

/// A path to go on to: one of the console's pages, or its first; never another site's (open redirect).
fn path_of_console(to: &str) -> &str {
    let is_plain = |b: u8| b.is_ascii_graphic() && b != b'\\';
    let is_ours = to.starts_with(HOME) && to.len() <= MAX_PATH_BYTES && to.bytes().all(is_plain);
    if is_ours && !to.contains("//") { to } else { HOME }
}

/// What was typed, as far as the log keeps it.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(254).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_pages_of_the_console_alone() {
        for path in ["/console/apis/1?a=b", "/console/"] {
            assert_eq!(path_of_console(path), path);
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/console",
            "/console//evil.example",
            "https://evil.example/console/",
            "/\\evil",
            "/console/\\evil",
            "/console/\r\nSet-Cookie: a=b",
            "/console/\u{e9}",
        ] {
            assert_eq!(path_of_console(other), HOME, "{other}");
        }
    }
}
