//! The console: a tenant's administrators register applications and APIs, try tokens and see what happened. Rendered on
//! the server, whole without JavaScript; `docs/console.md` says how a page is added.
//!
//! [`route`] is what every request meets: the session, the form's token, the row in the log, the error page. A page is a
//! file here with its handlers, a template of the same name, and a line in `router::console_routes`.

mod answer;
pub(crate) mod apis;
mod applicants;
pub(crate) mod applications;
pub mod chart;
mod code;
mod cookie;
pub(crate) mod debugger;
pub(crate) mod decoded;
pub(crate) mod display;
mod exchange;
mod explained;
pub(crate) mod fields;
mod file;
pub(crate) mod files;
pub(crate) mod frame;
pub(crate) mod home;
mod inside;
pub(crate) mod inspector;
mod judge;
pub(crate) mod keys;
pub(crate) mod kinds;
mod link;
pub(crate) mod logs;
mod markup;
pub mod outbound;
pub(crate) mod quickstart;
mod quota;
mod record;
pub(crate) mod reference;
pub mod route;
pub(crate) mod settings;
pub(crate) mod sign_in;
mod sought;
pub(crate) mod test_tab;
pub mod trial;
pub(crate) mod usage;
pub(crate) mod users;
pub(crate) mod visit;
mod words;

use answer::{Failure, Reply};
use visit::{Guest, Visit};

/// `GET /console`: the address that people type.
pub(crate) async fn without_slash(_: Guest) -> Result<Reply, Failure> {
    Ok(Reply::see("/console/"))
}

/// Every other path: there is nothing.
pub(crate) async fn missing(_: Visit) -> Result<Reply, Failure> {
    Err(Failure::missing())
}
