//! Kotlin with `java.net.http`.

use super::literal::kotlin;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let (imports, trust, client) = match &request.ca_file {
        Some(path) => (
            "\
import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.security.KeyStore
import java.security.cert.CertificateFactory
import java.time.Duration
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory",
            trusting(path),
            "HttpClient.newBuilder().sslContext(tls).build()",
        ),
        None => (
            "\
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.time.Duration",
            String::new(),
            "HttpClient.newHttpClient()",
        ),
    };
    let headers = request.all_headers();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("        .header({}, {})\n", kotlin(name), kotlin(value)))
        .collect();
    // In a raw literal only `$` has a meaning; JSON says its own as \u0024.
    let publisher = match &request.body {
        Some(body) => format!("HttpRequest.BodyPublishers.ofString(\"\"\"{}\"\"\")", body.text(&['$'])),
        None => "HttpRequest.BodyPublishers.noBody()".to_owned(),
    };
    format!(
        r#"// Save as request.kt, then run: kotlinc request.kt -include-runtime -d request.jar && java -jar request.jar
{imports}

fun main() {{
{trust}    val request = HttpRequest.newBuilder(URI.create({url}))
        .timeout(Duration.ofSeconds(30))
{headers}        .method("{method}", {publisher})
        .build()
    val response = {client}.send(request, HttpResponse.BodyHandlers.ofString())
    println(response.statusCode())
    println(response.body())
}}
"#,
        method = request.method.as_str(),
        url = kotlin(request.url.as_str()),
    )
}

fn trusting(path: &str) -> String {
    let path = kotlin(path);
    format!(
        r#"    val trusted = KeyStore.getInstance(KeyStore.getDefaultType())
    trusted.load(null, null)
    File({path}).inputStream().use {{
        trusted.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(it))
    }}
    val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
    trust.init(trusted)
    val tls = SSLContext.getInstance("TLS")
    tls.init(null, trust.trustManagers, null)

"#
    )
}
