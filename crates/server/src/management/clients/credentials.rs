//! `/clients/{id}/credentials`: the keys that an application proves itself with (CONTRACT §4.3). A list of them is an
//! array, always. A key counts once `client_authentication_methods` names it.

use axum::http::Method;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::CredentialId;
use tokenhouse_protocol::jose::pem;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::ClientKey;

use super::{body, client_of};
use crate::management::endpoint::{Call, Endpoint, Reply};
use crate::management::error::Failure;
use crate::management::schema::{Body, Violation};
use crate::registry::RegistryError;
use crate::registry::client_keys::{self, NewClientKey};

const READ: &[&str] = &["read:client_credentials"];

/// The rows of the table.
pub(in crate::management) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "clients/{id}/credentials",
        scopes: READ,
        summary: "Get client credentials",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "clients/{id}/credentials",
        scopes: &["create:client_credentials"],
        summary: "Create a client credential",
        status: 201,
        query: &[],
        body: Body::Create(body::CREDENTIAL),
        run: |call| Box::pin(create(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "clients/{id}/credentials/{credential_id}",
        scopes: READ,
        summary: "Get a client credential",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "clients/{id}/credentials/{credential_id}",
        scopes: &["update:client_credentials"],
        summary: "Update a client credential",
        status: 200,
        query: &[],
        body: Body::Change(body::CREDENTIAL_CHANGE),
        run: |call| Box::pin(update(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "clients/{id}/credentials/{credential_id}",
        scopes: &["delete:client_credentials"],
        summary: "Delete a client credential",
        status: 204,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(delete(call)),
    },
];

/// Takes the credentials out of a new application's properties, which are made with it.
pub(super) fn embedded(properties: &mut Map<String, Value>) -> Result<Vec<NewClientKey>, Failure> {
    let methods = properties.get_mut("client_authentication_methods");
    let listed = methods.and_then(|methods| {
        let way = methods.get_mut("private_key_jwt")?;
        way.get_mut("credentials")?.as_array_mut()
    });
    let Some(listed) = listed else { return Ok(Vec::new()) };
    let mut keys = Vec::new();
    for entry in std::mem::take(listed) {
        let checked = Body::Create(body::CREDENTIAL).check(&entry);
        checked.map_err(|violation| {
            let path = format!(
                "client_authentication_methods.private_key_jwt.credentials.{}",
                violation.path
            );
            Failure::body(&Violation { path, ..violation })
        })?;
        keys.push(read(entry.as_object().cloned().unwrap_or_default())?);
    }
    Ok(keys)
}

async fn list(call: Call) -> Result<Reply, Failure> {
    let keys = client_keys::keys(&call.tenant, &client_of(&call)).await?;
    Ok(Reply::json(keys.iter().map(shown).collect()))
}

async fn create(mut call: Call) -> Result<Reply, Failure> {
    let new = read(call.members())?;
    let key = client_keys::keep(&call.tenant, &client_of(&call), new).await?;
    Ok(Reply::json(shown(&key)))
}

async fn show(call: Call) -> Result<Reply, Failure> {
    let id = call.parameter("credential_id");
    let keys = client_keys::keys(&call.tenant, &client_of(&call)).await?;
    let key = keys.iter().find(|key| key.id.as_str() == id);
    let key = key.ok_or_else(|| RegistryError::NotFound("The credential does not exist".into()))?;
    Ok(Reply::json(shown(key)))
}

async fn update(mut call: Call) -> Result<Reply, Failure> {
    let expires_at = match call.members().get("expires_at") {
        Some(Value::String(text)) => Timestamp::parse(text),
        Some(_) => None,
        None => return show(call).await,
    };
    let id = CredentialId::new(call.parameter("credential_id"));
    let key = client_keys::expire(&call.tenant, &client_of(&call), &id, expires_at).await?;
    Ok(Reply::json(shown(&key)))
}

async fn delete(call: Call) -> Result<Reply, Failure> {
    let id = call.parameter("credential_id");
    match client_keys::remove(&call.tenant, &client_of(&call), id).await {
        // What is gone already is what was wanted.
        Ok(()) | Err(RegistryError::NotFound(_)) => Ok(Reply::empty()),
        Err(error) => Err(error.into()),
    }
}

/// The key of a body that was checked.
fn read(mut members: Map<String, Value>) -> Result<NewClientKey, Failure> {
    let is_from_certificate = members.get("parse_expiry_from_cert") == Some(&json!(true));
    let mut text = |name: &str| match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    let pem = text("pem").unwrap_or_default();
    let mut new = NewClientKey::read(&pem)?;
    if let Some(algorithm) = text("alg") {
        new.algorithm = client_keys::algorithm(&algorithm).unwrap_or(new.algorithm);
    }
    new.name = text("name");
    new.kid = text("kid").or(new.kid);
    new.expires_at = text("expires_at").and_then(|text| Timestamp::parse(&text));
    if is_from_certificate {
        new.expires_at = pem::expiry(&pem).or(new.expires_at);
    }
    Ok(new)
}

fn shown(key: &ClientKey) -> Value {
    let mut shown = json!({
        "id": key.id,
        "credential_type": "public_key",
        "kid": key.kid,
        "alg": key.algorithm,
        "created_at": key.created_at.to_string(),
        "updated_at": key.updated_at.to_string(),
    });
    if let Some(name) = &key.name {
        shown["name"] = json!(name);
    }
    if let Some(expires_at) = key.expires_at {
        shown["expires_at"] = json!(expires_at.to_string());
    }
    shown
}
