//! Java with Unirest 4, in one file that `java` runs beside its libraries.

use super::java::{TLS_IMPORTS, TRUST_IMPORTS, text_block, trusting};
use super::literal::java;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let (imports, tls_imports, trust, configure) = match &request.ca_file {
        Some(path) => (
            TRUST_IMPORTS,
            TLS_IMPORTS,
            trusting(path),
            "        Unirest.config().sslContext(tls);\n",
        ),
        None => ("", "", String::new(), ""),
    };
    let headers = request.all_headers();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("            .header({}, {})\n", java(name), java(value)))
        .collect();
    let body = request.body.as_ref();
    let body = body
        .map(|body| format!("            .body({})\n", text_block(body)))
        .unwrap_or_default();
    format!(
        r#"// Put com.konghq:unirest-java-core 4 and what it depends on into lib, save as Request.java, then run:
// java -cp 'lib/*' Request.java
import kong.unirest.core.HttpResponse;
import kong.unirest.core.Unirest;
{imports}{tls_imports}
public class Request {{
    public static void main(String[] arguments) throws Exception {{
{trust}{configure}        HttpResponse<String> response = Unirest.request("{method}", {url})
{headers}{body}            .asString();
        System.out.println(response.getStatus());
        System.out.println(response.getBody());
    }}
}}
"#,
        method = request.method.as_str(),
        url = java(request.url.as_str()),
    )
}
