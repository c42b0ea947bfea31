//! The quickstart's five requests as tools keep them, with a variable in the place of each secret: a Postman
//! collection, and an `.http` file as editors read it.

use serde_json::{Value, json};

use tokenhouse_protocol::secret::Secret;

use super::body;
use super::quickstart::{Application, Quickstart, QuickstartError, Values};
use super::request::{Body, Request};

/// What a Postman collection says that it is.
const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
/// Keeps the token of an answer for the requests after it.
const KEEP_TOKEN: &str = "\
if (pm.response.code === 200) {
  pm.collectionVariables.set(\"access_token\", pm.response.json().access_token);
}";
/// The variables, each with what belongs there.
const VARIABLES: [(&str, &str); 4] = [
    ("access_token", "the access_token that the token request answered"),
    ("client_secret", "the application's client secret"),
    (
        "password_client_secret",
        "the client secret of the application that asks with a password",
    ),
    ("password", "the user's password"),
];

/// A request with variables.
struct Template {
    quickstart: Quickstart,
    method: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// The requests as a Postman collection (v2.1); its token request keeps the token for those after it.
pub(super) fn postman(values: &Values) -> Result<String, QuickstartError> {
    let mut items = Vec::new();
    for template in templates(values)? {
        let headers = template.headers.iter();
        let headers: Value = headers
            .map(|(name, value)| json!({ "key": name, "value": value }))
            .collect();
        let mut item = json!({
            "name": template.quickstart.id(),
            "request": {
                "description": template.quickstart.title(),
                "method": template.method,
                "url": template.url,
                "header": headers,
            },
        });
        if let Some(text) = &template.body {
            item["request"]["body"] =
                json!({ "mode": "raw", "raw": text, "options": { "raw": { "language": "json" } } });
        }
        if template.quickstart == Quickstart::TokenClientCredentials {
            let lines: Vec<&str> = KEEP_TOKEN.lines().collect();
            item["event"] = json!([{ "listen": "test", "script": { "type": "text/javascript", "exec": lines } }]);
        }
        items.push(item);
    }
    let variables: Value = VARIABLES
        .into_iter()
        .map(|(name, meaning)| json!({ "key": name, "value": "", "type": "string", "description": meaning }))
        .collect();
    let collection = json!({
        "info": { "name": "Tokenhouse quickstart", "description": description(values), "schema": SCHEMA },
        "item": items,
        "variable": variables,
    });
    Ok(format!("{collection:#}\n"))
}

/// The requests as an `.http` file.
pub(super) fn http_file(values: &Values) -> Result<String, QuickstartError> {
    let mut text = String::new();
    for line in description(values).lines() {
        text.push_str(&format!("# {line}\n"));
    }
    for (name, meaning) in VARIABLES {
        text.push_str(&format!("\n# {meaning}\n@{name} = FILL_IN\n"));
    }
    for template in templates(values)? {
        let (title, id) = (template.quickstart.title(), template.quickstart.id());
        text.push_str(&format!(
            "\n### {id}\n# {title}\n{} {}\n",
            template.method, template.url
        ));
        for (name, value) in &template.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        if let Some(body) = &template.body {
            text.push_str(&format!("\n{body}\n"));
        }
    }
    Ok(text)
}

fn description(values: &Values) -> String {
    let mut text =
        "The requests of the quickstart. Secrets are variables: fill them in before you send, and keep them \
                    out of version control."
            .to_owned();
    if let Some(path) = &values.ca_file {
        // A path with controls is refused by the requests.
        text.push_str(&format!(
            "\nThe issuer's certificate is checked against the local authority {path}"
        ));
    }
    text
}

fn templates(values: &Values) -> Result<Vec<Template>, QuickstartError> {
    // Whether there is a secret makes no difference: none is written.
    let any = || Some(Secret::new("variable"));
    let secretless = |application: &Application| Application {
        client_id: application.client_id.clone(),
        client_secret: any(),
    };
    let values = Values {
        application: secretless(&values.application),
        password_application: secretless(&values.password_application),
        password: any(),
        access_token: any(),
        ..values.clone()
    };
    let template = |quickstart: Quickstart| {
        let request = quickstart.request(&values)?;
        Ok(Template {
            quickstart,
            method: request.method.as_str(),
            url: request.url.as_str().to_owned(),
            headers: headers(&request),
            body: request.body.as_ref().map(|sent| template_of_body(sent, quickstart)),
        })
    };
    Quickstart::ALL.into_iter().map(template).collect()
}

fn headers(request: &Request) -> Vec<(String, String)> {
    let mut headers = request.all_headers();
    for (name, value) in &mut headers {
        if name == "Authorization" {
            *value = "Bearer {{access_token}}".to_owned();
        }
    }
    headers
}

/// The body with variables for secrets. A value's own `{` is written as \u007b, so that it names no variable.
fn template_of_body(sent: &Body, quickstart: Quickstart) -> String {
    let Body::Json(members) = sent else {
        return sent.text(&[]);
    };
    let mut lines = Vec::new();
    for (name, value) in members {
        let variable = match (name.as_str(), quickstart) {
            ("client_secret", Quickstart::TokenPassword) => Some("password_client_secret"),
            ("client_secret", _) => Some("client_secret"),
            ("password", _) => Some("password"),
            _ => None,
        };
        lines.push(match variable {
            Some(variable) => format!("  \"{name}\": \"{{{{{variable}}}}}\""),
            None => {
                let mut line = String::from("  ");
                body::string(&mut line, name, &[]);
                line.push_str(": ");
                body::string(&mut line, value.as_str().unwrap_or_default(), &['{']);
                line
            }
        });
    }
    format!("{{\n{}\n}}", lines.join(",\n"))
}
