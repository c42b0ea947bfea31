//! One short page for each kind of application: how it gets a token and sends it, with what this server has today.
//! `/console/quickstart/{kind}`

use askama::Template;

use super::answer::{Failure, Reply};
use super::frame::{Frame, Section};
use super::visit::Visit;

/// A kind of application.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its name in the address.
    pub(crate) id: &'static str,
    /// What people call it.
    pub(crate) name: &'static str,
    /// What it is, in a sentence.
    pub(crate) about: &'static str,
    /// Whether it gets its tokens from this server in the way it should.
    pub(crate) is_served: bool,
}

/// The kinds, in the order in which they are listed.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        id: "machine-to-machine",
        name: "Machine to Machine",
        about: "A service, a job or a device that calls your API for itself.",
        is_served: true,
    },
    Kind {
        id: "regular-web",
        name: "Regular Web",
        about: "A web application with a server of its own, into which people sign in.",
        is_served: false,
    },
    Kind {
        id: "spa",
        name: "Single Page",
        about: "An application that runs in the browser.",
        is_served: false,
    },
    Kind {
        id: "native",
        name: "Native",
        about: "An application on a phone or a desktop.",
        is_served: false,
    },
    Kind {
        id: "command-line",
        name: "Command line",
        about: "A tool in a terminal or a script.",
        is_served: true,
    },
];

#[derive(Template)]
#[template(path = "kind.html")]
struct Page {
    frame: Frame,
    kind: &'static Kind,
    issuer: String,
    token_endpoint: String,
}

/// `GET /console/quickstart/{kind}`
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let id = visit.parameter("kind");
    let kind = KINDS.iter().find(|kind| kind.id == id).ok_or_else(Failure::missing)?;
    let frame = visit.frame(Section::Quickstart, kind.name).await?;
    Reply::page(&Page {
        frame: frame.below("Quickstart", "/console/quickstart"),
        issuer: visit.tenant.issuer.as_str().to_owned(),
        token_endpoint: visit.tenant.issuer.url("oauth/token"),
        kind,
    })
}
