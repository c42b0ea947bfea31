//! Imports of users that come over the Management API (a job there): small enough to be done before they are answered,
//! so that a caller who looks finds them finished, and a process that ends leaves none half-way.

use std::io::Cursor;

use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::{self, ConnectionId};
use tokenhouse_store::Transfer;

use super::super::{RegistryError, connections};
use super::Problem;
use super::records::Records;
use super::users::{BATCH, Import, Outcome, Source};
use crate::tenant::Tenant;

/// What it is called on the wire.
const KIND: &str = "users_import";
/// What stands in place of a hash that was not taken.
const MASK: &str = "*****";

/// An import to be done.
#[derive(Debug)]
pub struct NewTransfer {
    /// Into which connection.
    pub connection_id: ConnectionId,
    /// The file.
    pub users: String,
    /// Whether users who are there already are changed.
    pub upsert: bool,
    /// What the caller calls it.
    pub external_id: Option<String>,
    /// Whether a mail was asked for; none is sent.
    pub send_completion_email: bool,
}

/// Does an import and notes what became of it.
pub async fn import(tenant: &Tenant, new: NewTransfer) -> Result<Transfer, RegistryError> {
    let connection = connections::connection_by_id(tenant, &new.connection_id).await;
    let connection = connection.map_err(|error| match error {
        // In a body it is a value that is wrong, and not the thing that was asked for.
        RegistryError::NotFound(text) => RegistryError::invalid("connection_id", text),
        other => other,
    })?;
    let name = connection.name.clone();
    let import = Import::into_connection(tenant, connection, Source::Auth0).upserting(new.upsert);
    let mut records = Records::new(Cursor::new(new.users));
    let (mut inserted, mut updated, mut total, mut errors) = (0_u64, 0_u64, 0_u64, Vec::new());
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            let record = records.next_record();
            let record = record.map_err(|error| RegistryError::Refused(error.to_string()))?;
            let Some(record) = record else { break };
            batch.push(record);
        }
        if batch.is_empty() {
            break;
        }
        for outcome in import.batch(batch).await?.outcomes {
            total += 1;
            match outcome {
                Outcome::Inserted => inserted += 1,
                Outcome::Updated => updated += 1,
                // It was there, and is as it was wanted.
                Outcome::Unchanged if new.upsert => updated += 1,
                Outcome::Unchanged => {
                    let problem = Problem::new("DUPLICATED_USER", "", "The user already exists.");
                    errors.push(error(&[problem], None));
                }
                Outcome::Passed => {}
                Outcome::Rejected(problems, user) => errors.push(error(&problems, user)),
            }
        }
    }
    let mut body = Map::new();
    body.insert("connection".into(), json!(name));
    body.insert("upsert".into(), json!(new.upsert));
    body.insert("send_completion_email".into(), json!(new.send_completion_email));
    let summary = json!({ "failed": errors.len(), "updated": updated, "inserted": inserted, "total": total });
    body.insert("summary".into(), summary);
    let transfer = Transfer {
        id: format!("job_{}", id::row_id(&tenant.house.random)),
        kind: KIND.into(),
        connection_id: Some(new.connection_id),
        external_id: new.external_id,
        body,
        errors,
        created_at: tenant.house.clock.now(),
    };
    tenant.house.store.note_transfer(&tenant.id, &transfer).await?;
    Ok(transfer)
}

/// The transfer with this id.
pub async fn transfer(tenant: &Tenant, id: &str) -> Result<Transfer, RegistryError> {
    let found = tenant.house.store.transfer(&tenant.id, id).await?;
    found.ok_or_else(|| RegistryError::NotFound("The job does not exist.".into()))
}

/// A record that was not taken, without its hash.
fn error(problems: &[Problem], user: Option<Value>) -> Value {
    let mut user = user.unwrap_or_default();
    for secret in ["password_hash", "custom_password_hash", "password", "mfa_factors"] {
        if let Some(hash) = user.get_mut(secret) {
            *hash = json!(MASK);
        }
    }
    let problems: Vec<Value> = problems.iter().map(Problem::to_json).collect();
    json!({ "user": user, "errors": problems })
}
