//! HTTPie in a POSIX shell. An item that begins with a header's name and `:` is a header, unless `=` or `@` follow;
//! the token is given as such, and the body as text, since items of it would be read as files and expressions.

use super::literal::shell;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let mut lines = vec!["http --ignore-stdin --ignore-netrc --print=hb".to_owned()];
    lines.extend(request.ca_file.iter().map(|path| format!("--verify={}", shell(path))));
    if let Some(token) = &request.bearer {
        lines.push(format!("--auth-type=bearer --auth={}", shell(token)));
    }
    lines.extend(
        request
            .body
            .iter()
            .map(|body| format!("--raw={}", shell(&body.text(&['\''])))),
    );
    lines.push(format!("{} {}", request.method.as_str(), shell(request.url.as_str())));
    let content_type = request.body.iter().map(|body| ("Content-Type", body.content_type()));
    let own = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in content_type.chain(own) {
        lines.push(shell(&item(name, value)));
    }
    lines.join(" \\\n  ") + "\n"
}

fn item(name: &str, value: &str) -> String {
    // `:=` and `:@` would be other kinds of items.
    let escape = if value.starts_with(['=', '@']) { "\\" } else { "" };
    format!("{name}:{escape}{value}")
}
