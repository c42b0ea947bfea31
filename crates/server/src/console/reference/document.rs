//! The OpenAPI document taken apart into what the pages show.

use serde_json::{Map, Value};

use super::members::{Member, members, parameter};
use crate::console::words::reference;

/// What the console calls a resource, where that is another word than the path's.
const TITLES: [(&str, &str); 8] = [
    ("anomaly", reference::ANOMALY),
    ("client-grants", reference::CLIENT_GRANTS),
    ("clients", reference::CLIENTS),
    ("keys", reference::KEYS),
    ("resource-servers", reference::RESOURCE_SERVERS),
    ("stats", reference::STATS),
    ("tenants", reference::TENANTS),
    ("users-by-email", reference::USERS_BY_EMAIL),
];
/// Methods in the order in which they are read.
const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];

/// Members of a body that are told only where its operation is the one to be looked at.
const MANY_MEMBERS: usize = 12;

/// The whole of it.
pub(super) struct Reference {
    /// By the first segment of their paths, in the document's order.
    pub(super) resources: Vec<Resource>,
    /// What every endpoint may answer in place of its own: status and meaning.
    pub(super) refusals: Vec<(String, String)>,
}

/// Endpoints under one name.
pub(super) struct Resource {
    /// The first segment of their paths.
    pub(super) id: String,
    /// What people call it.
    pub(super) title: String,
    /// One method of one path each.
    pub(super) operations: Vec<Operation>,
}

/// One method of one path.
pub(super) struct Operation {
    /// Its name in the document, and its anchor.
    pub(super) id: String,
    /// The resource that it belongs to.
    pub(super) resource: String,
    /// In lower case, as the document has it.
    pub(super) method: String,
    /// Below the API's address, with `{name}` for parameters.
    pub(super) path: String,
    /// What it does.
    pub(super) summary: String,
    /// Any one of these must be in the token.
    pub(super) scopes: Vec<String>,
    /// Of the path and the query.
    pub(super) parameters: Vec<Member>,
    /// What the body holds, nested members under dotted names.
    pub(super) body: Vec<Member>,
    /// The body's schema.
    pub(super) schema: Option<Value>,
    /// Whether the body may hold other members, which are kept.
    pub(super) is_open: bool,
    /// The statuses of its own.
    pub(super) statuses: Vec<String>,
    /// Whether it is there for Auth0's tools alone, of a kind that is not here.
    pub(super) is_absent: bool,
}

impl Reference {
    /// Reads a document; `None` if it is none.
    pub(super) fn read(document: &Value) -> Option<Self> {
        let mut resources: Vec<Resource> = Vec::new();
        let mut refusals = Vec::new();
        for (path, methods) in document.get("paths")?.as_object()? {
            for method in METHODS {
                let Some(entry) = methods.get(method) else { continue };
                let responses = entry.get("responses")?.as_object()?;
                if refusals.is_empty() {
                    refusals = refusals_of(responses);
                }
                let operation = Operation::read(path, method, entry, &refusals)?;
                match resources.iter_mut().find(|known| known.id == operation.resource) {
                    Some(resource) => resource.operations.push(operation),
                    None => resources.push(Resource::beginning_with(operation)),
                }
            }
        }
        Some(Self { resources, refusals })
    }
}

impl Resource {
    fn beginning_with(operation: Operation) -> Self {
        let id = operation.resource.clone();
        let known = TITLES.iter().find(|(name, _)| *name == id);
        let title = known.map_or_else(|| capitalised(&id.replace('-', " ")), |(_, title)| (*title).to_owned());
        Self {
            id,
            title,
            operations: vec![operation],
        }
    }
}

impl Operation {
    /// What a search looks in.
    pub(super) fn text(&self) -> String {
        let Self {
            method,
            path,
            summary,
            scopes,
            ..
        } = self;
        format!("{method} {path} {summary} {}", scopes.join(" ")).to_lowercase()
    }

    /// The method as it is sent.
    pub(super) fn verb(&self) -> String {
        self.method.to_ascii_uppercase()
    }

    /// Whether it has a parameter there.
    pub(super) fn has(&self, place: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.is_in(place))
    }

    /// Whether its body is told in full on a page that shows the operation of this name as code: a page has 60 KB.
    pub(super) fn is_told(&self, chosen: &str) -> bool {
        self.id == chosen || self.body.len() < MANY_MEMBERS
    }

    fn read(path: &str, method: &str, entry: &Value, refusals: &[(String, String)]) -> Option<Self> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let responses = entry.get("responses")?.as_object()?;
        let own = |status: &&String| !refusals.iter().any(|(known, _)| known == *status);
        let schema = entry.pointer("/requestBody/content/application~1json/schema").cloned();
        let list = |name: &str| entry.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let scopes = list("x-required-scopes");
        Some(Self {
            id: text("operationId")?,
            resource: path.split('/').nth(1)?.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            summary: text("summary")?,
            scopes: scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            parameters: list("parameters").iter().filter_map(parameter).collect(),
            body: schema.as_ref().map(members).unwrap_or_default(),
            is_open: schema
                .as_ref()
                .is_some_and(|schema| schema["additionalProperties"] == true),
            schema,
            statuses: responses.keys().filter(own).cloned().collect(),
            is_absent: entry.get("x-absent") == Some(&Value::Bool(true)),
        })
    }
}

/// The statuses that say no: the same of every endpoint.
fn refusals_of(responses: &Map<String, Value>) -> Vec<(String, String)> {
    let meaning = |answer: &Value| answer["description"].as_str().unwrap_or_default().to_owned();
    let refused = responses.iter().filter(|(status, _)| status.as_str() >= "400");
    refused
        .map(|(status, answer)| (status.clone(), meaning(answer)))
        .collect()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
