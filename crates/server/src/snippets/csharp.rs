//! C# with `HttpClient`, as .NET of any age compiles it; a local authority needs .NET 5.

use super::literal::csharp;
use super::request::{Body, Request};

pub(super) fn render(request: &Request) -> String {
    let usings = match request.ca_file {
        Some(_) => {
            "using System.Net.Http;\nusing System.Net.Security;\nusing System.Security.Cryptography.X509Certificates;"
        }
        None => "using System.Net.Http;",
    };
    let (handler, client) = match &request.ca_file {
        Some(path) => (checking(path), "new HttpClient(handler)"),
        None => (String::new(), "new HttpClient()"),
    };
    let headers = request.all_headers();
    let headers = headers
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    let headers: String = headers
        .map(|(name, value)| {
            let (name, value) = (csharp(name), csharp(value));
            format!("            request.Headers.TryAddWithoutValidation({name}, {value});\n")
        })
        .collect();
    let content = request.body.as_ref().map(content).unwrap_or_default();
    format!(
        r#"// Run `dotnet new console`, save this over its Program.cs, then run `dotnet run`.
using System;
{usings}
using System.Text;
using System.Threading.Tasks;

class Program
{{
    static async Task Main()
    {{
{handler}        using (var client = {client})
        using (var request = new HttpRequestMessage(new HttpMethod("{method}"), {url}))
        {{
{headers}{content}            using (var response = await client.SendAsync(request))
            {{
                Console.WriteLine((int)response.StatusCode);
                Console.WriteLine(await response.Content.ReadAsStringAsync());
            }}
        }}
    }}
}}
"#,
        method = request.method.as_str(),
        url = csharp(request.url.as_str()),
    )
}

/// In a verbatim literal only the quote is doubled.
fn content(body: &Body) -> String {
    let text = body.text(&[]).replace('"', "\"\"");
    let media_type = body.content_type();
    format!("            request.Content = new StringContent(@\"{text}\", Encoding.UTF8, \"{media_type}\");\n")
}

fn checking(path: &str) -> String {
    let path = csharp(path);
    format!(
        r"        var handler = new HttpClientHandler();
        // The server's certificate must be this authority's, and name the server.
        handler.ServerCertificateCustomValidationCallback = (sent, certificate, chain, errors) =>
        {{
            chain!.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.ImportFromPemFile({path});
            var isNamed = (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None;
            return isNamed && chain.Build(certificate!);
        }};
"
    )
}
