//! The secrets of applications: made, replaced, and shown again (CONTRACT Decision 6; RFC 6749 §2.3.1).

use tokenhouse_protocol::crypto::Place;
use tokenhouse_protocol::id::{self, ClientId, TenantId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Change, ClientSecret, StoreError, Tx};

use super::super::{RegistryError, begin, client_keys, commit};
use super::not_found;
use crate::tenant::Tenant;

/// Longest secret that somebody may choose, in bytes.
const MAX_SECRET_BYTES: usize = 1024;

/// Gives an application a new secret; the old ones end at once.
pub async fn rotate_secret(tenant: &Tenant, id: &ClientId) -> Result<Secret, RegistryError> {
    rotate_secret_within(tenant, id, 0).await
}

/// Gives an application a new secret; the old ones work beside it for so many more milliseconds, none for 0.
pub async fn rotate_secret_within(tenant: &Tenant, id: &ClientId, grace_ms: i64) -> Result<Secret, RegistryError> {
    let secret = id::client_secret(&tenant.house.random);
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let Some(client) = tx.client(&tenant.id, id).await? else {
        return Err(not_found());
    };
    if client.token_endpoint_auth_method.as_deref() == Some("none") {
        return Err(RegistryError::invalid(
            "token_endpoint_auth_method",
            "A public application has no secret",
        ));
    }
    if client_keys::uses_assertions(&client) {
        let text = "This application proves itself by its keys (private_key_jwt): a secret would not be accepted";
        return Err(RegistryError::Refused(text.into()));
    }
    if grace_ms > 0 {
        let now = tenant.house.clock.now();
        for old in tx.client_secrets(&tenant.id, id).await? {
            // Of several old ones only what is still good stays: their number is bounded by how often one rotates.
            if old.expires_at.is_some_and(|end| end <= now) {
                tx.remove_client_secret(&tenant.id, id, &old.id).await?;
            }
        }
        tx.expire_client_secrets(&tenant.id, id, now.plus_ms(grace_ms)).await?;
        let _new = tx
            .add_client_secret(&tenant.id, &sealed_secret(tenant, id, &secret))
            .await?;
    } else {
        replace_secrets(&mut tx, tenant, id, &secret).await?;
    }
    commit(tenant, tx, &change).await?;
    Ok(secret)
}

/// Ends an application's older secret before its time; the newest stays, whichever is named.
pub async fn end_secret(tenant: &Tenant, id: &ClientId, secret: &str) -> Result<(), RegistryError> {
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let held = tx.client_secrets(&tenant.id, id).await?;
    let older = held.iter().find(|held| held.id == secret && held.expires_at.is_some());
    let Some(older) = older else {
        return Err(RegistryError::NotFound(
            "The application has no such older secret".into(),
        ));
    };
    tx.remove_client_secret(&tenant.id, id, &older.id).await?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// The newest secret of an application, shown again (CONTRACT Decision 6); `None` for one that has none.
pub async fn secret(tenant: &Tenant, id: &ClientId) -> Result<Option<Secret>, RegistryError> {
    let rows = tenant.house.store.client_secrets(&tenant.id, id).await?;
    rows.first().map_or(Ok(None), |newest| opened(tenant, newest))
}

/// The newest secrets of several applications, a page of them, shown again; those that have none are left out.
pub async fn secrets(tenant: &Tenant, ids: &[ClientId]) -> Result<Vec<(ClientId, Secret)>, RegistryError> {
    let mut rows = tenant.house.store.secrets_of_clients(&tenant.id, ids).await?;
    rows.dedup_by(|later, newest| later.client_id == newest.client_id);
    let mut secrets = Vec::with_capacity(rows.len());
    for row in rows {
        secrets.extend(opened(tenant, &row)?.map(|secret| (row.client_id, secret)));
    }
    Ok(secrets)
}

/// Gives an application this secret in place of all that it had.
pub(super) async fn replace_secrets(
    tx: &mut Tx<'static>,
    tenant: &Tenant,
    id: &ClientId,
    secret: &Secret,
) -> Result<(), StoreError> {
    for old in tx.client_secrets(&tenant.id, id).await? {
        tx.remove_client_secret(&tenant.id, id, &old.id).await?;
    }
    let row = sealed_secret(tenant, id, secret);
    let _new = tx.add_client_secret(&tenant.id, &row).await?;
    Ok(())
}

/// Refuses a secret that somebody chose badly.
pub(super) fn check_secret(secret: Option<&Secret>) -> Result<(), RegistryError> {
    let Some(secret) = secret.map(Secret::expose) else {
        return Ok(());
    };
    if secret.is_empty() || secret.len() > MAX_SECRET_BYTES || secret.contains(char::is_control) {
        let text = format!("client_secret must be 1 to {MAX_SECRET_BYTES} bytes long and hold no control character");
        return Err(RegistryError::invalid("client_secret", text));
    }
    Ok(())
}

/// The secret of a row; `None` if only its digest was kept.
fn opened(tenant: &Tenant, row: &ClientSecret) -> Result<Option<Secret>, RegistryError> {
    let Some(sealed) = &row.sealed else { return Ok(None) };
    let opened = tenant.house.secrets.open(secret_place(&tenant.id, &row.id), sealed);
    let text = opened
        .ok()
        .and_then(|plain| String::from_utf8(plain.as_ref().to_vec()).ok());
    let damaged = || StoreError::Damaged(format!("the secret of client {} cannot be opened", row.client_id));
    Ok(Some(Secret::new(text.ok_or_else(damaged)?)))
}

/// The row of a secret.
pub(super) fn sealed_secret(tenant: &Tenant, client: &ClientId, secret: &Secret) -> ClientSecret {
    let now = tenant.house.clock.now();
    let id = id::row_id_at(now, &tenant.house.random);
    let secrets = &tenant.house.secrets;
    ClientSecret {
        sealed: Some(secrets.seal(secret_place(&tenant.id, &id), secret.expose().as_bytes())),
        id,
        client_id: client.clone(),
        digest: secrets.digest(&tenant.id, client, secret).to_text(),
        created_at: now,
        expires_at: None,
    }
}

fn secret_place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place {
        tenant: tenant.as_str(),
        table: "client_secrets",
        row,
        column: "sealed",
    }
}
