//! Go with `net/http`, formatted as gofmt does.

use super::literal::go;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let mut imports = vec!["fmt", "io", "log", "net/http", "time"];
    let (mut body, mut setup, mut transport) = ("nil", String::new(), "");
    if let Some(sent) = &request.body {
        imports.push("strings");
        body = "body";
        // A raw literal: JSON says its own backquotes as \u0060.
        setup = format!("\tbody := strings.NewReader(`{}`)\n", sent.text(&['`']));
    }
    let mut trust = String::new();
    if let Some(path) = &request.ca_file {
        imports.extend(["crypto/tls", "crypto/x509", "os"]);
        trust = trusting(path);
        transport = "\tclient.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}\n";
    }
    imports.sort_unstable();
    let imports: String = imports.iter().map(|import| format!("\t\"{import}\"\n")).collect();
    let headers = request.all_headers();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("\trequest.Header.Set({}, {})\n", go(name), go(value)))
        .collect();
    format!(
        r#"// Save as request.go, then run: go run request.go
package main

import (
{imports})

func main() {{
{trust}{setup}	request, err := http.NewRequest("{method}", {url}, {body})
	if err != nil {{
		log.Fatal(err)
	}}
{headers}
	client := &http.Client{{Timeout: 30 * time.Second}}
{transport}	response, err := client.Do(request)
	if err != nil {{
		log.Fatal(err)
	}}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {{
		log.Fatal(err)
	}}
	fmt.Println(response.StatusCode)
	fmt.Println(string(answer))
}}
"#,
        method = request.method.as_str(),
        url = go(request.url.as_str()),
    )
}

fn trusting(path: &str) -> String {
    let path = go(path);
    format!(
        r#"	authority, err := os.ReadFile({path})
	if err != nil {{
		log.Fatal(err)
	}}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {{
		log.Fatal("the authority's file holds no certificate")
	}}

"#
    )
}
