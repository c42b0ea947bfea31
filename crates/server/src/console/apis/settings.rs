//! An API's settings: how its tokens are signed, how long they live and how they look; deleting it.

use askama::Template;
use serde_json::{Map, Value, json};

use tokenhouse_store::Api;

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::display::Moment;
use super::super::frame::Frame;
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::words;
use super::{ALGORITHMS, Head, found, frame, head, path_of};
use crate::registry::apis;
use crate::registry::token_dialect::TokenDialect;

#[derive(Template)]
#[template(path = "api_settings.html")]
struct Page {
    frame: Frame,
    head: Head,
    problem: Option<String>,
    problem_of: &'static str,
    id: String,
    name: String,
    created: Moment,
    algorithm: String,
    algorithms: Vec<(&'static str, &'static str)>,
    lifetime_s: String,
    is_rfc9068: bool,
    enforces_policies: bool,
    adds_permissions: bool,
}

/// `GET /console/apis/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let api = found(&visit).await?;
    Reply::page(&page(&visit, &api, "", None).await?)
}

/// `POST /console/apis/{id}`
pub(crate) async fn save(visit: Visit) -> Result<Done, Failure> {
    let api = found(&visit).await?;
    let form = &visit.form;
    let mut changes = Map::new();
    let lifetime = form
        .number("token_lifetime")
        .map_or(json!(form.text("token_lifetime")), Value::from);
    if lifetime.is_string() {
        let text = words::problems::NOT_A_NUMBER.to_owned();
        return refused(&visit, &api, "settings", text).await;
    }
    changes.insert("token_lifetime".into(), lifetime);
    if !api.is_system {
        let dialect = match (form.text("profile") == "rfc9068", form.is_ticked("permissions")) {
            (false, false) => TokenDialect::AccessToken,
            (false, true) => TokenDialect::AccessTokenAuthz,
            (true, false) => TokenDialect::Rfc9068Profile,
            (true, true) => TokenDialect::Rfc9068ProfileAuthz,
        };
        changes.insert("name".into(), json!(form.text("name")));
        changes.insert("signing_alg".into(), json!(form.text("algorithm")));
        changes.insert("token_dialect".into(), json!(dialect.as_str()));
        changes.insert("enforce_policies".into(), json!(form.is_ticked("enforce_policies")));
    }
    let keys: Vec<String> = changes.keys().cloned().collect();
    match apis::update_of(&visit.tenant, api.id.as_str(), changes, None).await {
        Ok(_) => {
            let record = Record::change(words::log::API_CHANGED)
                .api(&api.id)
                .with("changed", keys);
            Ok(Done::recorded(
                record,
                Reply::see(&path_of(&api)).saying(words::notices::SAVED),
            ))
        }
        Err(error) => refused(&visit, &api, "settings", problem(error)?).await,
    }
}

/// `POST /console/apis/{id}/delete`
pub(crate) async fn delete(visit: Visit) -> Result<Done, Failure> {
    let api = found(&visit).await?;
    let identifier = apis::identifier(&visit.tenant, &api);
    if visit.form.text("name") != identifier {
        return refused(&visit, &api, "delete", words::problems::NAME_DIFFERS.to_owned()).await;
    }
    match apis::remove(&visit.tenant, &api.id).await {
        Ok(()) => {
            let record = Record::change(words::log::API_DELETED)
                .api(&api.id)
                .with("identifier", identifier);
            let reply = Reply::see("/console/apis").saying(words::notices::API_DELETED);
            Ok(Done::recorded(record, reply))
        }
        Err(error) => refused(&visit, &api, "delete", problem(error)?).await,
    }
}

async fn refused(visit: &Visit, api: &Api, form: &'static str, text: String) -> Result<Done, Failure> {
    let page = page(visit, api, form, Some(text)).await?;
    Ok(Done::unchanged(Reply::refused(&page)?))
}

async fn page(visit: &Visit, api: &Api, problem_of: &'static str, problem: Option<String>) -> Result<Page, Failure> {
    let dialect: TokenDialect = api
        .token_dialect
        .as_deref()
        .unwrap_or_default()
        .parse()
        .unwrap_or_default();
    let form = &visit.form;
    let is_again = problem_of == "settings";
    let typed = |name: &str, now: String| if is_again { form.text(name).to_owned() } else { now };
    Ok(Page {
        frame: frame(visit, api).await?,
        head: head(&visit.tenant, api),
        problem,
        problem_of,
        id: api.id.to_string(),
        name: typed("name", api.name.clone().unwrap_or_default()),
        created: Moment::of(api.created_at),
        algorithm: typed("algorithm", api.signing_alg.clone()),
        algorithms: ALGORITHMS.to_vec(),
        lifetime_s: typed("token_lifetime", api.token_lifetime_s.to_string()),
        is_rfc9068: dialect.is_rfc9068(),
        enforces_policies: api.enforce_policies,
        adds_permissions: dialect.has_permissions(),
    })
}
