//! The Management API to be read: an index of its endpoints, and a page for each resource with what they take, answer
//! and need, and a request as code. `/console/reference`, `/console/reference/endpoints`

use std::sync::OnceLock;

use askama::Template;

use super::answer::{Failure, Reply};
use super::code::{self, Choice, Code};
use super::frame::{Frame, Section};
use super::inside;
use super::visit::Visit;
use super::words;
use crate::snippets::{Method, Request};
use document::{Operation, Reference, Resource};

mod document;
mod example;
mod members;

/// Where the pages are.
const PATH: &str = "/console/reference";
/// Most of a search that is looked at, in bytes.
const MAX_SEARCH_BYTES: usize = 200;

#[derive(Template)]
#[template(path = "reference.html")]
struct Index {
    frame: Frame,
    address: String,
    search: String,
    resources: Vec<Listed>,
    /// The kinds that are not here, by the first segment of their paths; found like others by a search.
    absent: Vec<&'static str>,
}

/// A resource of the index, with those of its endpoints that the search found.
struct Listed {
    id: &'static str,
    title: &'static str,
    operations: Vec<&'static Operation>,
}

#[derive(Template)]
#[template(path = "reference_endpoints.html")]
struct Page {
    frame: Frame,
    resource: &'static Resource,
    refusals: &'static [(String, String)],
    /// The operation that is shown as code, and its program; none where no language can say it.
    chosen: String,
    code: Option<Code>,
    languages: Vec<Choice>,
}

/// `GET /console/reference`
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let reference = read(&visit).await?;
    let search = visit.query.text("q").to_lowercase();
    if search.len() > MAX_SEARCH_BYTES {
        return Err(Failure::missing());
    }
    let is_found = |operation: &Operation| match search.is_empty() {
        true => !operation.is_absent,
        false => search.split_whitespace().all(|word| operation.text().contains(word)),
    };
    let mut resources = Vec::new();
    let mut absent = Vec::new();
    for Resource { id, title, operations } in &reference.resources {
        if search.is_empty() && operations.iter().all(|operation| operation.is_absent) {
            absent.push(id.as_str());
            continue;
        }
        let operations: Vec<_> = operations.iter().filter(|operation| is_found(operation)).collect();
        if !operations.is_empty() {
            resources.push(Listed { id, title, operations });
        }
    }
    Reply::page(&Index {
        frame: visit.frame(Section::Reference, words::navigation::REFERENCE).await?,
        address: visit.tenant.issuer.system_api(),
        search,
        resources,
        absent,
    })
}

/// `GET /console/reference/endpoints?of=RESOURCE&code=OPERATION&language=LANGUAGE`
pub(crate) async fn endpoints(visit: Visit) -> Result<Reply, Failure> {
    let Reference { resources, refusals } = read(&visit).await?;
    let of = visit.query.text("of");
    let mut found = resources.iter().filter(|resource| resource.id == of);
    let resource = found.next().ok_or_else(Failure::missing)?;
    let named = |operation: &&Operation| operation.id == visit.query.text("code");
    let chosen = resource.operations.iter().find(named).or(resource.operations.first());
    let chosen = chosen.ok_or_else(Failure::missing)?;
    let language = code::language(&visit);
    let request = example::request(chosen, &visit.tenant.issuer.system_api());
    let frame = visit.frame(Section::Reference, resource.title.clone()).await?;
    let page = Page {
        frame: frame.below(words::navigation::REFERENCE, PATH),
        code: request.map(|request| Code::of(language, &request)),
        chosen: chosen.id.clone(),
        languages: code::choices(language),
        resource,
        refusals,
    };
    Ok(Reply::page(&page)?.remembering(language))
}

/// What the server says of itself, as it says it to everybody: read once, since it is the same until the server is another.
async fn read(visit: &Visit) -> Result<&'static Reference, Failure> {
    static READ: OnceLock<Reference> = OnceLock::new();
    if let Some(read) = READ.get() {
        return Ok(read);
    }
    let address = visit.tenant.issuer.url("api/v2/openapi.json");
    let document = match Request::new(Method::Get, &address) {
        Ok(request) => inside::document(visit, &request).await,
        Err(_) => None,
    };
    let reference = document.as_ref().and_then(Reference::read);
    let reference = reference.ok_or_else(|| Failure::broken("the OpenAPI document cannot be read"))?;
    Ok(READ.get_or_init(|| reference))
}
