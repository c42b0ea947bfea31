//! cURL in a POSIX shell. Nothing stands before the command, since it is pasted into terminals.

use super::literal::shell;
use super::request::{Method, Request};

pub(super) fn render(request: &Request) -> String {
    let mut lines = vec!["curl --include --silent --show-error".to_owned()];
    if request.method != Method::Get || request.body.is_some() {
        lines.push(format!("--request {}", request.method.as_str()));
    }
    lines.extend(request.ca_file.iter().map(|path| format!("--cacert {}", shell(path))));
    lines.push(format!("--url {}", shell(request.url.as_str())));
    for (name, value) in request.all_headers() {
        lines.push(format!("--header {}", shell(&format!("{name}: {value}"))));
    }
    lines.extend(
        request
            .body
            .iter()
            .map(|body| format!("--data-raw {}", shell(&body.text(&['\''])))),
    );
    lines.join(" \\\n  ") + "\n"
}
