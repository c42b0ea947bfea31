//! The first page: what happened today and this month, and for a new tenant what to do next.

use askama::Template;

use super::answer::{Failure, Reply};
use super::frame::{Frame, Section};
use super::visit::Visit;

#[derive(Template)]
#[template(path = "home.html")]
struct Page {
    frame: Frame,
}

/// `GET /console/`
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let frame = visit.frame(Section::Home, "Home").await?;
    Reply::page(&Page { frame })
}
