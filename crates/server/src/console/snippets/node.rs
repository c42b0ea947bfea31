//! Node.js with its own `fetch`, which takes a local authority from the environment alone.

use super::javascript;
use super::literal::javascript as literal;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let run = javascript::node(request);
    let call = call(request);
    format!(
        "// Save as request.mjs, then run: {run}\n\
         const response = {call};\n\
         console.log(response.status);\n\
         console.log(await response.text());\n"
    )
}

/// The call of `fetch`.
pub(super) fn call(request: &Request) -> String {
    let mut lines = vec![format!("  method: \"{}\",\n", request.method.as_str())];
    lines.extend(javascript::headers(request.all_headers(), "  ").map(|headers| format!("  headers: {headers},\n")));
    let body = request.body.as_ref();
    lines.extend(body.map(|body| format!("  body: {},\n", javascript::body(body, "  "))));
    format!(
        "await fetch({}, {{\n{}}})",
        literal(request.url.as_str()),
        lines.concat()
    )
}
