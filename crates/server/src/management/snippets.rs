//! `/snippets`: the Quickstart's requests as programs, as data. Auth0 has no such endpoint. A program holds what the caller
//! says and what the tenant knows of itself; where a secret belongs there is a placeholder.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use tokenhouse_protocol::secret::Secret;

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::schema::{Body, Format, Property, Violation, formatted, text, word};
use crate::snippets::{
    Application, Language, MASKED_PASSWORD, MASKED_SECRET, MASKED_TOKEN, Quickstart, QuickstartError, Values,
};

const READ: &[&str] = &["read:clients"];
/// The languages by their ids, as [`Language::ALL`] has them.
const LANGUAGES: &[&str] = &[
    "curl", "csharp", "go", "java", "jquery", "node", "objc", "php", "python", "ruby", "swift", "rust", "kotlin",
    "requests", "fetch", "axios", "httpie", "unirest",
];
/// What a program says of which the caller says nothing.
const NO_AUDIENCE: &str = "YOUR_API_IDENTIFIER";
const NO_CLIENT_ID: &str = "YOUR_CLIENT_ID";
const NO_USERNAME: &str = "YOUR_USERNAME";
const NO_API: &str = "http://localhost:3010";

static QUERY: [Property; 6] = [
    word("language", LANGUAGES)
        .required()
        .note("The language of the program"),
    text("audience", 0, 600).note("The API's identifier; the tenant's default audience unless given"),
    formatted("client_id", 0, 64, Format::ClientId).note("The application that asks for a token"),
    text("username", 0, 254).note("The user who gave a password"),
    text("scope", 0, 2048).note("The permissions to ask for, separated by blanks"),
    text("api_url", 0, 2048).note("Where the API is; http://localhost:3010 unless given"),
];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "snippets",
        scopes: READ,
        summary: "Get the languages and requests that snippets are written in",
        status: 200,
        query: &[],
        body: Body::None,
        run: |_| Box::pin(async { Ok(Reply::json(listed())) }),
    },
    Endpoint {
        method: Method::GET,
        path: "snippets/{request}",
        scopes: READ,
        summary: "Get a request as a program in a language",
        status: 200,
        query: &QUERY,
        body: Body::None,
        run: |call| Box::pin(async move { written(&call).map(Reply::json) }),
    },
];

fn listed() -> Value {
    let languages = Language::ALL.map(|language| {
        let about = language.about();
        json!({ "id": about.id, "name": about.name, "file_name": about.file_name, "needs": about.needs })
    });
    let requests = Quickstart::ALL.map(|request| json!({ "id": request.id(), "title": request.title() }));
    json!({ "languages": languages, "requests": requests })
}

fn written(call: &Call) -> Result<Value, Failure> {
    let Some(wanted) = Quickstart::named(call.parameter("request")) else {
        let text = "There is no such request: GET /api/v2/snippets lists them";
        return Err(Failure::new(StatusCode::NOT_FOUND, text, Some("inexistent_snippet")));
    };
    let language = call.query.text("language").and_then(Language::named);
    let missing = || Failure::query(&Violation::at("language", "Missing required property: language"));
    let language = language.ok_or_else(missing)?;
    let request = wanted.request(&values(call)).map_err(|error| match error {
        QuickstartError::Request(_) | QuickstartError::Missing(..) => {
            Failure::query(&Violation::new(format!("The program cannot be written: {error}")))
        }
    })?;
    let about = language.about();
    Ok(json!({
        "request": wanted.id(),
        "title": wanted.title(),
        "language": about.id,
        "file_name": about.file_name,
        "needs": about.needs,
        "method": request.method().as_str(),
        "url": request.url(),
        "code": language.render(&request),
    }))
}

fn values(call: &Call) -> Values {
    let said = |name: &str, otherwise: &str| Some(call.query.text(name).unwrap_or(otherwise).to_owned());
    let settings = call.tenant.settings();
    let application = Application {
        client_id: said("client_id", NO_CLIENT_ID),
        client_secret: Some(Secret::new(MASKED_SECRET)),
    };
    Values {
        issuer: Some(call.tenant.issuer.as_str().to_owned()),
        audience: said("audience", settings.default_audience.as_deref().unwrap_or(NO_AUDIENCE)),
        application: application.clone(),
        password_application: application,
        username: said("username", NO_USERNAME),
        password: Some(Secret::new(MASKED_PASSWORD)),
        scope: call.query.text("scope").map(str::to_owned),
        api_url: said("api_url", NO_API),
        access_token: Some(Secret::new(MASKED_TOKEN)),
        ca_file: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_can_be_asked_for() {
        assert_eq!(Language::ALL.map(|language| language.about().id), LANGUAGES);
    }
}
