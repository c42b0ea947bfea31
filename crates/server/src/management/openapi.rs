//! `GET /api/v2/openapi.json`: what the Management API takes and answers, printed from its table (OpenAPI 3.1).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Extension;
use axum::http::{Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::endpoint::Endpoint;
use super::schema::{Body as Document, Kind, Property};
use super::{absent, answers, endpoints, jobs};
use crate::tenant::Tenant;
use crate::web::answer::{json as answer, set};
use crate::web::cors;

/// Statuses of every endpoint beside its own.
const REFUSALS: [(&str, &str); 10] = [
    ("400", "The request is wrong; the message names the property."),
    ("401", "The token is missing, expired, or not for this API."),
    ("403", "The token has none of the scopes."),
    ("404", "There is no such thing."),
    ("409", "There is one already."),
    ("413", "The body is too large."),
    ("415", "The body is not JSON."),
    ("429", "Too many requests."),
    ("500", "A fault of the server."),
    ("503", "The server cannot do it at the moment."),
];

/// Statuses of requests that are refused before anybody read them: they have no body.
const UNREAD: [(&str, &str); 2] = [
    ("414", "The address is too long."),
    ("431", "The address and the headers are too long together."),
];

/// Answers the document: it is the same for everybody.
pub async fn get(Extension(tenant): Extension<Arc<Tenant>>) -> Response<Body> {
    let mut response = answer(StatusCode::OK, &document(&tenant.issuer.system_api()));
    set(&mut response, header::CACHE_CONTROL, "public, max-age=300");
    cors::allow_any(&mut response, "x-request-id");
    response
}

/// The document of an API at this address.
pub fn document(address: &str) -> Value {
    let mut paths = Map::new();
    for endpoint in endpoints() {
        let path = format!("/{}", endpoint.path.replace("...}", "}"));
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[endpoint.method.as_str().to_ascii_lowercase()] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Tokenhouse Management API", "version": "2" },
        "servers": [{ "url": address.trim_end_matches('/') }],
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            "schemas": { "Error": error_schema() },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let segments = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{'));
    let in_path = segments.map(|part| {
        let name = part.trim_end_matches('}').trim_end_matches("...");
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let parameters: Vec<Value> = in_path.chain(endpoint.query.iter().map(in_query)).collect();
    let mut responses = Map::new();
    for (status, description) in REFUSALS {
        let error = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
        responses.insert(status.into(), json!({ "description": description, "content": error }));
    }
    for (status, description) in UNREAD {
        responses.insert(status.into(), json!({ "description": description }));
    }
    let mut done = json!({ "description": endpoint.summary });
    if let Some(schema) = answers::schema(endpoint) {
        done["content"] = json!({ "application/json": { "schema": schema } });
    }
    responses.insert(endpoint.status.to_string(), done);
    if endpoint.path == jobs::ERRORS {
        responses.insert("204".into(), json!({ "description": "The job took everything" }));
    }
    let mut operation = json!({
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "tags": [endpoint.path.split('/').next()],
        "parameters": parameters,
        "responses": responses,
        "x-required-scopes": endpoint.scopes,
    });
    if absent::has(endpoint) {
        operation["x-absent"] = json!(true);
    }
    if let Some(schema) = endpoint.body.schema() {
        let mut content = json!({ "application/json": { "schema": schema } });
        if let Document::Upload(_) = endpoint.body {
            content["multipart/form-data"] = content["application/json"].clone();
        }
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

fn in_query(property: &Property) -> Value {
    let mut parameter = json!({
        "name": property.name, "in": "query", "required": property.is_required, "schema": property.kind.schema(),
    });
    if !property.note.is_empty() {
        parameter["description"] = json!(property.note);
    }
    if matches!(property.kind, Kind::List { .. }) {
        parameter["explode"] = json!(true);
    }
    parameter
}

/// As in `get_clients_id_credentials`.
fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint
        .path
        .replace(['{', '}'], "")
        .replace("...", "")
        .replace(['/', '-'], "_");
    format!("{}_{path}", endpoint.method.as_str().to_ascii_lowercase())
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["statusCode", "error", "message"],
        "properties": {
            "statusCode": { "type": "integer" },
            "error": { "type": "string" },
            "message": { "type": "string" },
            "errorCode": { "type": "string" },
        },
    })
}
