//! An API's permissions, its scopes: added many at a time, one a line, and taken away.

use askama::Template;

use tokenhouse_store::{Api, ApiScope};

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::frame::Frame;
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::words;
use super::{Head, found, frame, head, path_of};
use crate::registry::apis::{self, ApiChanges};

#[derive(Template)]
#[template(path = "api_permissions.html")]
struct Page {
    frame: Frame,
    head: Head,
    problem: Option<String>,
    scopes: Vec<ApiScope>,
    added: String,
}

/// `GET /console/apis/{id}/permissions`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let api = found(&visit).await?;
    Reply::page(&page(&visit, &api, None).await?)
}

/// `POST /console/apis/{id}/permissions`: adds the lines of `added`, and removes those that are ticked.
pub(crate) async fn save(visit: Visit) -> Result<Done, Failure> {
    let api = found(&visit).await?;
    let removed: Vec<String> = visit.form.all("remove").map(str::to_owned).collect();
    let mut scopes = api.scopes.clone();
    scopes.retain(|scope| !removed.contains(&scope.value));
    let mut named = Vec::new();
    for line in visit.form.lines("added") {
        let (value, description) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        let scope = ApiScope {
            value: value.to_owned(),
            description: Some(description.trim().to_owned()).filter(|text| !text.is_empty()),
        };
        named.push(scope.value.clone());
        match scopes.iter_mut().find(|known| known.value == scope.value) {
            Some(known) => *known = scope,
            None => scopes.push(scope),
        }
    }
    let changes = ApiChanges {
        scopes: Some(scopes),
        ..ApiChanges::default()
    };
    match apis::update(&visit.tenant, api.id.as_str(), changes).await {
        Ok(_) => {
            let record = Record::change(words::log::API_CHANGED)
                .api(&api.id)
                .with("scopes_added", named)
                .with("scopes_removed", removed);
            let path = format!("{}/permissions", path_of(&api));
            Ok(Done::recorded(record, Reply::see(&path).saying(words::notices::SAVED)))
        }
        Err(error) => {
            let page = page(&visit, &api, Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

async fn page(visit: &Visit, api: &Api, problem: Option<String>) -> Result<Page, Failure> {
    let system = apis::scopes(api).into_iter().map(|value| ApiScope {
        value,
        description: None,
    });
    Ok(Page {
        frame: frame(visit, api).await?,
        head: head(&visit.tenant, api),
        problem,
        scopes: if api.is_system {
            system.collect()
        } else {
            api.scopes.clone()
        },
        added: visit.form.raw("added").to_owned(),
    })
}
