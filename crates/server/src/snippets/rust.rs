//! Rust with reqwest's blocking client.

use super::literal::swift_or_rust as rust;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let client = match &request.ca_file {
        Some(path) => {
            let path = rust(path);
            format!(
                "builder()
        .add_root_certificate(reqwest::Certificate::from_pem(&std::fs::read({path})?)?)
        .build()?"
            )
        }
        None => "new()".to_owned(),
    };
    let headers = request.all_headers();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("        .header({}, {})\n", rust(name), rust(value)))
        .collect();
    // In a raw literal only `"#` has a meaning; JSON says its own `#` as \u0023.
    let body = request.body.as_ref();
    let body = body
        .map(|body| format!("        .body(r#\"{}\"#)\n", body.text(&['#'])))
        .unwrap_or_default();
    format!(
        r#"// Run `cargo new request`, in it `cargo add reqwest --features blocking`, save this over its src/main.rs, then run
// `cargo run`.
fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let client = reqwest::blocking::Client::{client};
    let response = client
        .request(reqwest::Method::{method}, {url})
{headers}{body}        .send()?;
    println!("{{}}", response.status().as_u16());
    println!("{{}}", response.text()?);
    Ok(())
}}
"#,
        method = request.method.as_str(),
        url = rust(request.url.as_str()),
    )
}
