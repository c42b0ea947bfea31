//! Ruby with `Net::HTTP`.

use super::literal::ruby;
use super::request::{Method, Request};

pub(super) fn render(request: &Request) -> String {
    let class = match request.method {
        Method::Get => "Get",
        Method::Post => "Post",
        Method::Put => "Put",
        Method::Patch => "Patch",
        Method::Delete => "Delete",
    };
    let headers = request.all_headers();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("request[{}] = {}\n", ruby(name), ruby(value)))
        .collect();
    // Between single quotes nothing is an expression; JSON says its own as \u0027.
    let body = request.body.as_ref();
    let body = body
        .map(|body| format!("request.body = '{}'\n", body.text(&['\'']).replace('\\', r"\\")))
        .unwrap_or_default();
    let trust = request.ca_file.as_ref();
    let trust = trust
        .map(|path| format!(", ca_file: {}", ruby(path)))
        .unwrap_or_default();
    let url = ruby(request.url.as_str());
    format!(
        r#"# Save as request.rb, then run: ruby request.rb
require "net/http"

uri = URI({url})
request = Net::HTTP::{class}.new(uri)
{headers}{body}
response = Net::HTTP.start(uri.hostname, uri.port, use_ssl: uri.scheme == "https"{trust}) do |http|
  http.request(request)
end
puts response.code, response.body
"#
    )
}
