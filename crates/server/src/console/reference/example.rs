//! An endpoint's request with made-up values, to be written in any language: what must be there, and no more.

use serde_json::{Map, Value, json};

use super::document::Operation;
use super::members::{is_read_only, type_of};
use crate::snippets::{Body, MASKED_TOKEN, Method, Request};

/// Members that a change is shown with, the first that it may have.
const SHOWN: [&str; 4] = ["name", "friendly_name", "description", "scopes"];

/// The request; `None` where no language can say it, as where the body is a list.
pub(super) fn request(operation: &Operation, address: &str) -> Option<Request> {
    let method = match operation.method.as_str() {
        "post" => Method::Post,
        "patch" => Method::Patch,
        "put" => Method::Put,
        "delete" => Method::Delete,
        _ => Method::Get,
    };
    let mut path = operation.path.clone();
    let mut query = Vec::new();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.is_required) {
        let value = placeholder(&parameter.name);
        match parameter.place.as_str() {
            "path" => path = path.replace(&format!("{{{}}}", parameter.name), &value),
            _ => query.push(format!("{}={value}", parameter.name)),
        }
    }
    let mark = if query.is_empty() { "" } else { "?" };
    let url = format!("{}{path}{mark}{}", address.trim_end_matches('/'), query.join("&"));
    let request = Request::new(method, &url).ok()?.bearer(MASKED_TOKEN).ok()?;
    match &operation.schema {
        None => Some(request),
        Some(schema) if type_of(schema) == "object" => {
            request.body(Body::Json(members(schema).into_iter().collect())).ok()
        }
        Some(_) => None,
    }
}

/// What must be in a body; where nothing must, one member that may.
fn members(schema: &Value) -> Map<String, Value> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Map::new();
    };
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    let mut names: Vec<&str> = required.collect();
    if names.is_empty() {
        let may = |name: &str| properties.get(name).is_some_and(|property| !is_read_only(property));
        let first = SHOWN.into_iter().find(|name| may(name));
        let first = first.or_else(|| properties.keys().map(String::as_str).find(|name| may(name)));
        names.extend(first);
    }
    let named = |name: &str| Some((name.to_owned(), value(name, properties.get(name)?)));
    names.into_iter().filter_map(named).collect()
}

fn value(name: &str, schema: &Value) -> Value {
    if let Some(first) = schema.get("enum").and_then(|words| words.get(0)) {
        return first.clone();
    }
    match type_of(schema) {
        "boolean" => json!(true),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "array" => match schema.get("items") {
            Some(items) if !type_of(items).is_empty() => json!([value(name, items)]),
            _ => json!([]),
        },
        "object" => Value::Object(members(schema)),
        _ => json!(placeholder(name)),
    }
}

/// As in `YOUR_CLIENT_ID`.
fn placeholder(name: &str) -> String {
    format!("YOUR_{}", name.to_ascii_uppercase())
}
