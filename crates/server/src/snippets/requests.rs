//! Python with Requests, which would put what `~/.netrc` says in the place of the token.

use super::literal::python;
use super::python::{content, headers};
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let mut arguments = vec![format!("\"{}\"", request.method.as_str()), python(request.url.as_str())];
    arguments.extend(headers(request, "    ").map(|headers| format!("headers={headers}")));
    arguments.extend(request.body.iter().map(|body| format!("data={}", content(body))));
    arguments.extend(request.ca_file.iter().map(|path| format!("verify={}", python(path))));
    arguments.push("timeout=30".to_owned());
    let arguments: String = arguments.iter().map(|argument| format!("    {argument},\n")).collect();
    format!(
        r"# Save as request.py, then run: pip install requests && python3 request.py
import requests

response = requests.request(
{arguments}    auth=lambda request: request,  # so that nothing of ~/.netrc is sent
)
print(response.status_code)
print(response.text)
"
    )
}
