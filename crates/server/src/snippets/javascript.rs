//! What programs in JavaScript share: objects, and what a page says before it holds a secret.

use super::body::{self, Dialect};
use super::literal::{javascript, shell};
use super::request::{Body, Request};

/// `<` could end the script of a page.
const DIALECT: Dialect = Dialect {
    escaped: &['<'],
    is_javascript: true,
};

/// Where the pages of the samples are served, so that the token endpoint answers them.
pub(super) const HOW_TO_OPEN: &str = "\
<!-- Save as request.html, run `python3 -m http.server 3999 --bind 127.0.0.1` beside it, then open
     http://localhost:3999/request.html: an origin that the samples of `tokenhouse dev` may be called from. -->";

/// What a page says that holds a secret; each line ends in a line feed.
const WARNING: &str = "\
// WARNING: a page keeps no secret. Whoever opens this one can read the secret or password in it. Use it on your own
// machine alone; otherwise send this request from a server.
";

/// Headers as an object, if there are any.
pub(super) fn headers(headers: Vec<(String, String)>, indent: &str) -> Option<String> {
    let members: Vec<_> = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    (!members.is_empty()).then(|| body::object(&members, DIALECT, indent))
}

/// The body as an expression.
pub(super) fn body(body: &Body, indent: &str) -> String {
    match body {
        Body::Json(members) => format!("JSON.stringify({})", body::object(members, DIALECT, indent)),
        // Letters, digits and a few signs.
        Body::Form(_) => javascript(&body.text(&[])),
    }
}

/// What a page must say about this request first.
pub(super) fn warning(request: &Request) -> &'static str {
    if request.has_secret() { WARNING } else { "" }
}

/// How a page gets to trust a local authority.
pub(super) fn trust(request: &Request) -> String {
    let path = request.ca_file.as_ref();
    path.map(|path| {
        format!(
            "// The browser must trust the local authority first: {}\n",
            javascript(path)
        )
    })
    .unwrap_or_default()
}

/// `node` with the file, trusting a local authority. Comments end where lines end, which no path holds.
pub(super) fn node(request: &Request) -> String {
    let trust = request.ca_file.as_ref();
    let trust = trust
        .map(|path| format!("NODE_EXTRA_CA_CERTS={} ", shell(path)))
        .unwrap_or_default();
    format!("{trust}node request.mjs")
}
