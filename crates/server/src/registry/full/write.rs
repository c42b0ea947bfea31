//! Out of a tenant: a line for each row, in the order of tables and keys.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{ROWS_AT_ONCE, StoreError, TABLES};

use super::super::RegistryError;
use super::{Counts, FileKeys, head, place, salt, sealed_column};
use crate::tenant::Tenant;

/// Writes a tenant as it is at one moment, whoever changes it meanwhile.
pub async fn export(tenant: &Tenant, passphrase: &Secret, out: &mut impl Write) -> Result<Counts, RegistryError> {
    let house = &tenant.house;
    let system = house.store.system_api(&tenant.id).await?;
    let system = system.ok_or_else(|| RegistryError::NotFound("The tenant has no system API".into()))?;
    let salt = salt(system.id.as_str());
    // It takes a moment, which no transaction should.
    let keys = FileKeys::derive(passphrase, &salt)?;
    let mut snapshot = house.store.snapshot().await?;
    let gone = || RegistryError::NotFound("The tenant does not exist".into());
    let row = snapshot.tenant(&tenant.id).await?.ok_or_else(gone)?;
    let mut lines = Lines { keys, out };
    lines.put(&head(&salt))?;
    lines.put(&json!({
        "tenant": {
            "name": row.name, "settings": row.settings, "created_at": row.created_at, "updated_at": row.updated_at,
        },
    }))?;
    let mut counts = Vec::new();
    for table in TABLES {
        let mut count = 0;
        let mut last: Option<Map<String, Value>> = None;
        loop {
            let rows = snapshot.rows(&tenant.id, table, last.as_ref()).await?;
            let is_last = rows.len() < ROWS_AT_ONCE;
            last = rows.last().cloned();
            for mut row in rows {
                count += 1;
                carried(tenant, &lines.keys, table.name, &mut row)?;
                lines.put(&json!({ "table": table.name, "row": row }))?;
            }
            if is_last {
                break;
            }
        }
        counts.push((table.name, count));
    }
    let seal = lines.keys.seal();
    lines.put(&json!({ "end": seal }))?;
    lines.out.flush().map_err(|error| unwritten(&error))?;
    Ok(counts)
}

/// Makes a row fit to travel: what the installation sealed is sealed under the passphrase, and what it alone can make of
/// that is left behind.
fn carried(tenant: &Tenant, keys: &FileKeys, table: &str, row: &mut Map<String, Value>) -> Result<(), RegistryError> {
    let Some((column, place_column)) = sealed_column(table) else {
        return Ok(());
    };
    if table == "client_secrets" {
        row.remove("digest");
    }
    let Some(Value::String(sealed)) = row.get(column) else {
        if table == "client_secrets" {
            let text =
                "A client secret is kept as its digest alone, which no other installation can check: rotate it first";
            return Err(RegistryError::Refused(text.into()));
        }
        return Ok(());
    };
    let here = place(tenant.id.as_str(), table, row, place_column);
    let opened = tenant.house.secrets.open(here, sealed);
    let opened = opened.map_err(|_| {
        let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
        StoreError::Damaged(format!("what is sealed of {table} {id} cannot be opened"))
    })?;
    let travelling = keys.secrets.seal(place("", table, row, place_column), opened.as_ref());
    row.insert(column.to_owned(), json!(travelling));
    Ok(())
}

struct Lines<'a, W> {
    keys: FileKeys,
    out: &'a mut W,
}

impl<W: Write> Lines<'_, W> {
    fn put(&mut self, line: &Value) -> Result<(), RegistryError> {
        let line = line.to_string();
        self.keys.chain(&line);
        writeln!(self.out, "{line}").map_err(|error| unwritten(&error))
    }
}

fn unwritten(error: &io::Error) -> RegistryError {
    RegistryError::Refused(format!("the file cannot be written: {error}"))
}
