//! An application's settings: its name, what it is, how it gets tokens, from where; deleting it.

use askama::Template;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::grant::GrantType;
use tokenhouse_store::Client;

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::display::Moment;
use super::super::frame::Frame;
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::words;
use super::{found, frame, kind_name, path_of};
use crate::registry::{client_keys, clients};

/// The ways in which an application proves itself that the form offers.
const AUTH_METHODS: &[(&str, &str)] = &[
    ("client_secret_post", words::application_settings::SECRET_POST),
    ("client_secret_basic", words::application_settings::SECRET_BASIC),
    ("none", words::application_settings::NO_SECRET),
];

#[derive(Template)]
#[template(path = "application_settings.html")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    problem_of: &'static str,
    path: String,
    id: String,
    kind: &'static str,
    created: Moment,
    name: String,
    description: String,
    /// The ways to get tokens: its word, what it is, whether it is allowed.
    grants: Vec<(String, &'static str, bool)>,
    auth_methods: Vec<(&'static str, &'static str, bool)>,
    uses_keys: bool,
    web_origins: String,
}

/// `GET /console/applications/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let client = found(&visit).await?;
    Reply::page(&page(&visit, &client, "", None).await?)
}

/// `POST /console/applications/{id}`
pub(crate) async fn save(visit: Visit) -> Result<Done, Failure> {
    let client = found(&visit).await?;
    let form = &visit.form;
    let ticked: Vec<&str> = form.all("grant_types").collect();
    // What the page does not show stays.
    let kept = client.grant_types.iter().filter(|grant| grant_name(grant).is_none());
    let grants: Vec<&str> = kept.map(String::as_str).chain(ticked).collect();
    let mut changes = Map::new();
    changes.insert("name".into(), json!(form.text("name")));
    changes.insert("description".into(), json!(form.text("description")));
    changes.insert("grant_types".into(), json!(grants));
    changes.insert("web_origins".into(), json!(form.lines("web_origins")));
    if let Some(method) = form.filled("auth_method") {
        changes.insert("token_endpoint_auth_method".into(), json!(method));
    }
    let keys: Vec<String> = changes.keys().cloned().collect();
    match clients::update(&visit.tenant, &client.id, changes, None).await {
        Ok(_) => {
            let record = Record::change(words::log::CLIENT_CHANGED)
                .application(&client.id)
                .with("changed", keys);
            let reply = Reply::see(&path_of(&client.id)).saying(words::notices::SAVED);
            Ok(Done::recorded(record, reply))
        }
        Err(error) => refused(&visit, &client, "settings", problem(error)?).await,
    }
}

/// `POST /console/applications/{id}/delete`
pub(crate) async fn delete(visit: Visit) -> Result<Done, Failure> {
    let client = found(&visit).await?;
    if visit.form.text("name") != client.name.trim() {
        return refused(&visit, &client, "delete", words::problems::NAME_DIFFERS.to_owned()).await;
    }
    clients::remove(&visit.tenant, &client.id).await?;
    let record = Record::change(words::log::CLIENT_DELETED)
        .application(&client.id)
        .with("name", client.name.as_str());
    let reply = Reply::see("/console/applications").saying(words::notices::CLIENT_DELETED);
    Ok(Done::recorded(record, reply))
}

async fn refused(visit: &Visit, client: &Client, form: &'static str, text: String) -> Result<Done, Failure> {
    let page = page(visit, client, form, Some(text)).await?;
    Ok(Done::unchanged(Reply::refused(&page)?))
}

async fn page(
    visit: &Visit,
    client: &Client,
    problem_of: &'static str,
    problem: Option<String>,
) -> Result<Page, Failure> {
    let form = &visit.form;
    let is_again = problem_of == "settings";
    let carried = |name: &str| {
        client
            .rest
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let typed = |name: &str, now: String| if is_again { form.text(name).to_owned() } else { now };
    let is_allowed = |grant: GrantType| match is_again {
        true => form.all("grant_types").any(|ticked| ticked == grant.as_str()),
        false => client.grant_types.iter().any(|allowed| allowed == grant.as_str()),
    };
    let grants = GrantType::ALL.into_iter().filter_map(|grant| {
        let name = grant_name(grant.as_str())?;
        Some((grant.as_str().to_owned(), name, is_allowed(grant)))
    });
    let method = client.token_endpoint_auth_method.as_deref();
    let origins = client.rest.get("web_origins").and_then(Value::as_array);
    let origins: Vec<&str> = origins.into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(Page {
        frame: frame(visit, client).await?,
        problem,
        problem_of,
        path: path_of(&client.id),
        id: client.id.to_string(),
        kind: kind_name(client.app_type.as_deref()),
        created: Moment::of(client.created_at),
        name: typed("name", client.name.clone()),
        description: typed("description", carried("description")),
        grants: grants.collect(),
        auth_methods: AUTH_METHODS
            .iter()
            .map(|(word, name)| (*word, *name, method == Some(word)))
            .collect(),
        uses_keys: client_keys::uses_assertions(client),
        web_origins: if is_again {
            form.raw("web_origins").to_owned()
        } else {
            origins.join("\n")
        },
    })
}

/// What a grant type is; `None` if the server has no such grant.
fn grant_name(word: &str) -> Option<&'static str> {
    match word {
        "client_credentials" => Some(words::application_settings::CLIENT_CREDENTIALS),
        "password" => Some(words::application_settings::PASSWORD),
        "http://auth0.com/oauth/grant-type/password-realm" => Some(words::application_settings::PASSWORD_REALM),
        _ => None,
    }
}
