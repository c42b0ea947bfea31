//! Swift with `URLSession`, on Apple's systems and on others.

use super::literal::swift_or_rust as swift;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let trust = request.ca_file.as_ref();
    let trust = trust
        .map(|path| {
            format!(
                "// This machine must trust the local authority first: {}\n",
                swift(path)
            )
        })
        .unwrap_or_default();
    let headers = request.all_headers();
    let headers: String = headers
        .iter()
        .map(|(name, value)| {
            format!(
                "request.setValue({}, forHTTPHeaderField: {})\n",
                swift(value),
                swift(name)
            )
        })
        .collect();
    // Nothing but `#` has a meaning in such a literal; JSON says its own as \u0023.
    let body = request.body.as_ref();
    let body = body
        .map(|body| {
            format!(
                "request.httpBody = Data(#\"\"\"\n{}\n\"\"\"#.utf8)\n",
                body.text(&['#'])
            )
        })
        .unwrap_or_default();
    format!(
        r#"// Save as main.swift, then run: swiftc main.swift -o request && ./request
{trust}import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

var request = URLRequest(url: URL(string: {url})!)
request.httpMethod = "{method}"
{headers}{body}
do {{
    let (data, response) = try await URLSession.shared.data(for: request)
    print((response as! HTTPURLResponse).statusCode)
    print(String(decoding: data, as: UTF8.self))
}} catch {{
    FileHandle.standardError.write(Data("\(error.localizedDescription)\n".utf8))
    exit(1)
}}
"#,
        url = swift(request.url.as_str()),
        method = request.method.as_str(),
    )
}
