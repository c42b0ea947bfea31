//! Java with `java.net.http`, in one file that `java` runs; the body is a text block, which is why it needs Java 17.

use super::literal::java;
use super::request::{Body, Request};

pub(super) fn render(request: &Request) -> String {
    let (imports, tls_imports, trust, client) = match &request.ca_file {
        Some(path) => (
            TRUST_IMPORTS,
            TLS_IMPORTS,
            trusting(path),
            "HttpClient.newBuilder().sslContext(tls).build()",
        ),
        None => ("", "", String::new(), "HttpClient.newHttpClient()"),
    };
    let url = java(request.url.as_str());
    let call = call(request);
    format!(
        r"// Save as Request.java, then run: java Request.java
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
{imports}import java.time.Duration;
{tls_imports}
public class Request {{
    public static void main(String[] arguments) throws Exception {{
{trust}        HttpRequest request = HttpRequest.newBuilder(URI.create({url}))
            .timeout(Duration.ofSeconds(30))
{call}            .build();
        HttpResponse<String> response = {client}
            .send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.statusCode());
        System.out.println(response.body());
    }}
}}
"
    )
}

/// What a program that trusts a local authority imports.
pub(super) const TRUST_IMPORTS: &str = "\
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
";

/// And after what is Java's own.
pub(super) const TLS_IMPORTS: &str = "\
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
";

/// Makes `tls`, which trusts a local authority alone.
pub(super) fn trusting(path: &str) -> String {
    let path = java(path);
    format!(
        r#"        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (var file = Files.newInputStream(Path.of({path}))) {{
            trusted.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }}
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);

"#
    )
}

/// The body as a text block.
pub(super) fn text_block(body: &Body) -> String {
    format!("\"\"\"\n{}\"\"\"", body.text(&[]).replace('\\', r"\\"))
}

fn call(request: &Request) -> String {
    let mut lines = String::new();
    for (name, value) in request.all_headers() {
        lines.push_str(&format!("            .header({}, {})\n", java(&name), java(&value)));
    }
    let publisher = match &request.body {
        Some(body) => format!("HttpRequest.BodyPublishers.ofString({})", text_block(body)),
        None => "HttpRequest.BodyPublishers.noBody()".to_owned(),
    };
    lines + &format!("            .method(\"{}\", {publisher})\n", request.method.as_str())
}
