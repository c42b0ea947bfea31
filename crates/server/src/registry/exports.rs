//! Exports of users that are asked for over the Management API (a job there), and the tickets by which their files are
//! fetched: sealed, so that every node makes and reads them, and good for minutes.

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Place;
use tokenhouse_protocol::id::{self, ConnectionId};
use tokenhouse_store::Transfer;

use super::{RegistryError, connections};
use crate::tenant::Tenant;

/// What it is called on the wire.
pub const KIND: &str = "users_export";
/// For how long a ticket is good.
pub const TICKET_LASTS_MS: i64 = 300_000;

/// An export that is wanted.
#[derive(Debug)]
pub struct NewExport {
    /// Of which connection; of every one if it is not said.
    pub connection_id: Option<ConnectionId>,
    /// `json` or `csv`.
    pub format: String,
    /// The fields, each `{"name", "export_as"?}`; the usual ones if it is not said.
    pub fields: Option<Value>,
    /// How many users at most.
    pub limit: Option<u64>,
}

/// Notes that an export is wanted. Users are read when the file is fetched.
pub async fn note(tenant: &Tenant, new: NewExport) -> Result<Transfer, RegistryError> {
    let mut body = Map::new();
    if let Some(id) = &new.connection_id {
        let connection = connections::connection_by_id(tenant, id).await;
        let connection = connection.map_err(|error| match error {
            // In a body it is a value that is wrong, and not the thing that was asked for.
            RegistryError::NotFound(text) => RegistryError::invalid("connection_id", text),
            other => other,
        })?;
        body.insert("connection".into(), json!(connection.name));
    }
    body.insert("format".into(), json!(new.format));
    body.extend(new.fields.map(|fields| ("fields".into(), fields)));
    body.extend(new.limit.map(|limit| ("limit".into(), json!(limit))));
    let transfer = Transfer {
        id: format!("job_{}", id::row_id(&tenant.house.random)),
        kind: KIND.into(),
        connection_id: new.connection_id,
        external_id: None,
        body,
        errors: Vec::new(),
        created_at: tenant.house.clock.now(),
    };
    tenant.house.store.note_transfer(&tenant.id, &transfer).await?;
    Ok(transfer)
}

/// A ticket for the file of an export.
pub fn ticket(tenant: &Tenant, id: &str) -> String {
    let until_ms = tenant.house.clock.now().plus_ms(TICKET_LASTS_MS).ms();
    let plain = until_ms.to_be_bytes();
    tenant.house.secrets.seal(place(tenant, id), &plain)
}

/// The export whose ticket this is; `None` if it is none, or no longer good, or the export is forgotten.
pub async fn redeemed(tenant: &Tenant, id: &str, ticket: &str) -> Result<Option<Transfer>, RegistryError> {
    let Ok(plain) = tenant.house.secrets.open(place(tenant, id), ticket) else {
        return Ok(None);
    };
    let Ok(until_ms) = <[u8; 8]>::try_from(plain.as_ref()).map(i64::from_be_bytes) else {
        return Ok(None);
    };
    if until_ms < tenant.house.clock.now().ms() {
        return Ok(None);
    }
    let found = tenant.house.store.transfer(&tenant.id, id).await?;
    Ok(found.filter(|transfer| transfer.kind == KIND))
}

fn place<'a>(tenant: &'a Tenant, id: &'a str) -> Place<'a> {
    Place {
        tenant: tenant.id.as_str(),
        table: "transfers",
        row: id,
        column: "ticket",
    }
}
