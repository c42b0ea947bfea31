//! Node.js with its own `fetch`, which takes a local authority from the environment alone.

use super::javascript;
use super::literal::javascript as literal;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let run = javascript::node(request);
    let call = call(request, "");
    format!(
        "// Save as request.mjs, then run: {run}\n\
         const response = {call};\n\
         console.log(response.status);\n\
         console.log(await response.text());\n"
    )
}

/// The call of `fetch`; lines after the first begin with `indent`.
pub(super) fn call(request: &Request, indent: &str) -> String {
    let inner = format!("{indent}  ");
    let mut lines = vec![format!("{inner}method: \"{}\",\n", request.method.as_str())];
    let headers = javascript::headers(request.all_headers(), &inner);
    lines.extend(headers.map(|headers| format!("{inner}headers: {headers},\n")));
    let body = request.body.as_ref();
    lines.extend(body.map(|body| format!("{inner}body: {},\n", javascript::body(body, &inner))));
    format!(
        "await fetch({}, {{\n{}{indent}}})",
        literal(request.url.as_str()),
        lines.concat()
    )
}
