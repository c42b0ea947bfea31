//! PHP with its cURL extension.

use super::literal::php;
use super::request::{Method, Request};

pub(super) fn render(request: &Request) -> String {
    let mut options = String::new();
    if request.method != Method::Get || request.body.is_some() {
        options.push_str(&format!(
            "    CURLOPT_CUSTOMREQUEST => '{}',\n",
            request.method.as_str()
        ));
    }
    let headers = request.all_headers();
    if !headers.is_empty() {
        let lines = headers
            .iter()
            .map(|(name, value)| format!("        {},\n", php(&format!("{name}: {value}"))));
        options.push_str(&format!(
            "    CURLOPT_HTTPHEADER => [\n{}    ],\n",
            lines.collect::<String>()
        ));
    }
    if let Some(body) = &request.body {
        options.push_str(&format!("    CURLOPT_POSTFIELDS => {},\n", php(&body.text(&['\'']))));
    }
    if let Some(path) = &request.ca_file {
        options.push_str(&format!("    CURLOPT_CAINFO => {},\n", php(path)));
    }
    let url = php(request.url.as_str());
    format!(
        r#"<?php
// Save as request.php, then run: php request.php
$curl = curl_init({url});
curl_setopt_array($curl, [
{options}    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 30,
]);
$body = curl_exec($curl);
if ($body === false) {{
    fwrite(STDERR, curl_error($curl) . "\n");
    exit(1);
}}
echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), "\n", $body, "\n";
"#
    )
}
