//! Into an empty tenant: every line of a file, in one transaction that is committed only once the seal at the end was
//! found to be the passphrase's.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::equal;
use tokenhouse_protocol::id::{ApiId, ClientId, ConnectionId};
use tokenhouse_protocol::jose::{base64url, json as strict};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Change, ClientFilter, ClientGrantFilter, Page, ROWS_AT_ONCE, TABLES, Table, Tenant as Row, Tx};

use super::super::RegistryError;
use super::super::import::records::Records;
use super::{COSTS, Counts, FORMAT, FileKeys, VERSION, place, sealed_column};
use crate::tenant::{Settings, Tenant};

/// Brings a file into a tenant that has nothing but what every tenant begins with.
pub async fn import(tenant: &Tenant, passphrase: &Secret, file: impl BufRead) -> Result<Counts, RegistryError> {
    check_is_empty(tenant).await?;
    let mut lines = Lines {
        records: Records::new(file),
        line: 0,
    };
    let (text, head) = lines.next()?;
    let mut keys = FileKeys::derive(passphrase, &salt_of(&head)?)?;
    keys.chain(&text);
    let (text, value) = lines.next()?;
    keys.chain(&text);
    let row = tenant_row(tenant, value).ok_or_else(|| lines.damaged())?;
    let forgotten = changes_of_the_old(tenant).await?;
    // A whole tenant shares its transaction with no other change.
    let mut tx = tenant.house.store.begin().await?;
    tx.bump(&tenant.id, Change::Settings).await?;
    for change in forgotten {
        tx.bump(&tenant.id, change).await?;
    }
    tx.bump(&tenant.id, Change::Keys).await?;
    tx.clear_for(&tenant.id, &row).await?;
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut waiting: (Option<&'static Table>, Vec<Map<String, Value>>) = (None, Vec::new());
    loop {
        let (text, mut value) = lines.next()?;
        if let Some(end) = value.get("end").and_then(Value::as_str) {
            if !equal(end.as_bytes(), keys.seal().as_bytes()) {
                return Err(wrong_passphrase());
            }
            break;
        }
        keys.chain(&text);
        let table = value.get("table").and_then(Value::as_str).unwrap_or_default();
        let table = TABLES.iter().find(|known| known.name == table);
        let Some((table, Value::Object(mut row))) = table.zip(value.get_mut("row").map(Value::take)) else {
            return Err(lines.damaged());
        };
        settled(tenant, &keys, table.name, &mut row)?;
        if !table.fits(&row) {
            return Err(lines.damaged());
        }
        if let Some(change) = change(table.name, &row) {
            tx.bump(&tenant.id, change).await?;
        }
        *counts.entry(table.name).or_default() += 1;
        if waiting.1.len() == ROWS_AT_ONCE || waiting.0.is_some_and(|before| before.name != table.name) {
            put(&mut tx, tenant, &mut waiting).await?;
        }
        waiting.0 = Some(table);
        waiting.1.push(row);
    }
    put(&mut tx, tenant, &mut waiting).await?;
    tx.count_rows(&tenant.id).await?;
    tx.commit().await?;
    tenant.set_settings(Settings::read(&row.settings));
    tenant.forget_all();
    let count = |table: &Table| (table.name, counts.get(table.name).copied().unwrap_or(0));
    Ok(TABLES.iter().map(count).collect())
}

async fn put(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    waiting: &mut (Option<&'static Table>, Vec<Map<String, Value>>),
) -> Result<(), RegistryError> {
    if let Some(table) = waiting.0 {
        tx.put_rows(&tenant.id, table, &waiting.1).await?;
        waiting.1.clear();
    }
    Ok(())
}

/// Refuses a tenant that somebody uses: nothing of it would be left.
async fn check_is_empty(tenant: &Tenant) -> Result<(), RegistryError> {
    let (store, id) = (&tenant.house.store, &tenant.id);
    let own = ClientFilter {
        is_global: Some(false),
        ..ClientFilter::default()
    };
    let administrators = store.administrators(id, Page::first(1)).await?;
    let used = [
        (store.users_total(id).await?, "users"),
        (store.clients_total(id, &own).await?, "applications"),
        (store.apis_total(id).await?.saturating_sub(1), "APIs"),
        (
            store.client_grants_total(id, &ClientGrantFilter::default()).await?,
            "grants",
        ),
        (store.roles_total(id).await?, "roles"),
        (administrators.len().try_into().unwrap_or(1), "administrators"),
    ];
    match used.into_iter().find(|(count, _)| *count > 0) {
        None => Ok(()),
        Some((_, what)) => Err(RegistryError::Conflict(format!(
            "The tenant {id} is in use (it has {what}), and a full export moves into an empty one: make one with \
             `tokenhouse tenants create`"
        ))),
    }
}

/// What other nodes must forget of the tenant as it was.
async fn changes_of_the_old(tenant: &Tenant) -> Result<Vec<Change>, RegistryError> {
    let (store, id) = (&tenant.house.store, &tenant.id);
    let mut changes = Vec::new();
    changes.extend(
        store
            .apis(id, Page::first(10))
            .await?
            .into_iter()
            .map(|api| Change::Api(api.id)),
    );
    changes.extend(
        store
            .clients(id, Page::first(10))
            .await?
            .into_iter()
            .map(|client| Change::Client(client.id)),
    );
    let connections = store.connections(id, Page::first(10)).await?;
    changes.extend(
        connections
            .into_iter()
            .map(|connection| Change::Connection(connection.id)),
    );
    Ok(changes)
}

/// What other nodes may have found missing, and must look for again.
fn change(table: &str, row: &Map<String, Value>) -> Option<Change> {
    let id = row.get("id").and_then(Value::as_str)?;
    match table {
        "apis" => Some(Change::Api(ApiId::new(id))),
        "clients" => Some(Change::Client(ClientId::new(id))),
        "connections" => Some(Change::Connection(ConnectionId::new(id))),
        _ => None,
    }
}

/// Makes a row one of this installation: its secrets are sealed here, and their digests made.
fn settled(tenant: &Tenant, keys: &FileKeys, table: &str, row: &mut Map<String, Value>) -> Result<(), RegistryError> {
    let Some((column, place_column)) = sealed_column(table) else {
        return Ok(());
    };
    let Some(Value::String(sealed)) = row.get(column) else {
        return Ok(());
    };
    let opened = keys.secrets.open(place("", table, row, place_column), sealed);
    let opened = opened.map_err(|_| wrong_passphrase())?;
    let secrets = &tenant.house.secrets;
    let here = secrets.seal(place(tenant.id.as_str(), table, row, place_column), &opened);
    row.insert(column.to_owned(), json!(here));
    if table == "client_secrets" {
        let client = row.get("client_id").and_then(Value::as_str).unwrap_or_default();
        let secret = Secret::new(String::from_utf8_lossy(&opened).into_owned());
        let digest = secrets.digest(&tenant.id, &ClientId::new(client), &secret).to_text();
        row.insert("digest".into(), json!(digest));
    }
    Ok(())
}

fn salt_of(head: &Value) -> Result<[u8; 16], RegistryError> {
    if head.get("format").and_then(Value::as_str) != Some(FORMAT) {
        let text = "The file is no full export: `tokenhouse export --full FILE` writes one";
        return Err(RegistryError::Refused(text.into()));
    }
    let (memory_kib, passes, lanes) = COSTS;
    let is_known = head.get("version").and_then(Value::as_u64) == Some(VERSION)
        && head.get("argon2id") == Some(&json!({ "m": memory_kib, "t": passes, "p": lanes }));
    let salt = head.get("salt").and_then(Value::as_str).and_then(base64url::decode);
    salt.and_then(|salt| salt.try_into().ok())
        .filter(|_| is_known)
        .ok_or_else(|| {
            let text = "The file is of another version of Tokenhouse: import it with the version that wrote it";
            RegistryError::Refused(text.into())
        })
}

fn tenant_row(tenant: &Tenant, mut value: Value) -> Option<Row> {
    let mut said = value.get_mut("tenant")?.take();
    let settings = said.get_mut("settings")?.take();
    let time = |name: &str| serde_json::from_value(said.get(name)?.clone()).ok();
    Some(Row {
        id: tenant.id.clone(),
        name: said.get("name")?.as_str()?.to_owned(),
        issuer: None,
        settings: settings.as_object()?.clone(),
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
    })
}

fn wrong_passphrase() -> RegistryError {
    let text = "The passphrase is not the one of this file, or the file was changed: nothing was imported";
    RegistryError::invalid("passphrase", text)
}

struct Lines<R> {
    records: Records<R>,
    line: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line and what it says.
    fn next(&mut self) -> Result<(String, Value), RegistryError> {
        let unreadable = |error: std::io::Error| RegistryError::Refused(format!("the file cannot be read: {error}"));
        let record = self.records.next_record().map_err(unreadable)?;
        let Some(record) = record else {
            let text = "The file was cut: its last line is missing; nothing was imported";
            return Err(RegistryError::Refused(text.into()));
        };
        self.line = record.line;
        let text = record.text.ok().and_then(|text| String::from_utf8(text).ok());
        let text = text.ok_or_else(|| self.damaged())?;
        let value = strict::parse(text.as_bytes()).map_err(|_| self.damaged())?;
        Ok((text, value))
    }

    fn damaged(&self) -> RegistryError {
        let line = self.line;
        RegistryError::Refused(format!(
            "Line {line} of the file is none of a full export; nothing was imported"
        ))
    }
}
