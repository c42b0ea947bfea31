//! Python with `http.client`, which takes a URL in its parts.

use super::literal::python;
use super::request::{Body, Request};

pub(super) fn render(request: &Request) -> String {
    let url = &request.url;
    let kind = if url.is_https {
        "HTTPSConnection"
    } else {
        "HTTPConnection"
    };
    let mut imports = String::from("import http.client\n");
    let mut trust = "";
    let mut context = String::new();
    if let Some(path) = &request.ca_file {
        imports.push_str("import ssl\n");
        context = format!("context = ssl.create_default_context(cafile={})\n", python(path));
        trust = ", context=context";
    }
    let mut arguments = format!("\"{}\", {}", request.method.as_str(), python(&url.path));
    let mut setup = String::new();
    if let Some(body) = &request.body {
        setup.push_str(&format!("body = {}\n", content(body)));
        arguments.push_str(", body=body");
    }
    if let Some(headers) = headers(request, "") {
        setup.push_str(&format!("headers = {headers}\n"));
        arguments.push_str(", headers=headers");
    }
    format!(
        r"# Save as request.py, then run: python3 request.py
{imports}
{context}connection = http.client.{kind}({host}, {port}, timeout=30{trust})
{setup}connection.request({arguments})
response = connection.getresponse()
print(response.status)
print(response.read().decode())
",
        host = python(&url.host),
        port = url.port,
    )
}

/// The body between three quotes, of which it has none: JSON says its own as \u0027.
pub(super) fn content(body: &Body) -> String {
    format!("'''{}'''", body.text(&['\'']).replace('\\', r"\\"))
}

/// The request's headers as a dictionary.
pub(super) fn headers(request: &Request, indent: &str) -> Option<String> {
    let headers = request.all_headers();
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{indent}    {}: {},\n", python(name), python(value)))
        .collect();
    (!lines.is_empty()).then(|| format!("{{\n{lines}{indent}}}"))
}
