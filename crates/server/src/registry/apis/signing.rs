//! The keys that an API's tokens are signed with: the tenant's, or, with HS256, a secret of its own.

use tokenhouse_protocol::crypto::{Algorithm, Place, SigningKey};
use tokenhouse_protocol::id::{self, ApiId, TenantId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Api, StoreError};

use super::super::{RegistryError, keys};
use crate::tenant::Tenant;

/// Makes the tenant's keys of an algorithm, if it has none yet, so that a change is answered only once its key is
/// published. An unknown algorithm is refused later, with the rest.
pub(super) async fn prepare(tenant: &Tenant, algorithm: &str) -> Result<(), RegistryError> {
    match algorithm.parse::<Algorithm>() {
        Ok(algorithm) if !algorithm.is_symmetric() => keys::ensure(tenant, algorithm).await,
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Gives an HS256 API its secret: the one given, else the one it has, else a new one.
pub(super) fn settle(tenant: &Tenant, api: &mut Api, secret: Option<Secret>) -> Result<(), RegistryError> {
    let is_symmetric = api.signing_alg.parse().is_ok_and(Algorithm::is_symmetric);
    match (secret, is_symmetric) {
        (Some(_), false) => {
            let text = "signing_secret goes with signing_alg HS256 alone";
            Err(RegistryError::invalid("signing_secret", text))
        }
        (Some(secret), true) => {
            SigningKey::hs256(secret.expose().as_bytes())
                .map_err(|error| RegistryError::invalid("signing_secret", format!("signing_secret: {error}")))?;
            seal(tenant, api, &secret);
            Ok(())
        }
        (None, true) if api.signing_secret_sealed.is_none() => {
            seal(tenant, api, &id::client_secret(&tenant.house.random));
            Ok(())
        }
        (None, true) => Ok(()),
        // What the tenant's keys sign must not be signed by an old secret.
        (None, false) => {
            api.signing_secret_sealed = None;
            Ok(())
        }
    }
}

/// The secret of an HS256 API, shown again; `None` for any other.
pub fn signing_secret(tenant: &Tenant, api: &Api) -> Result<Option<Secret>, RegistryError> {
    let Some(sealed) = api
        .signing_secret_sealed
        .as_ref()
        .filter(|_| api.signing_alg == "HS256")
    else {
        return Ok(None);
    };
    let opened = tenant.house.secrets.open(place(&tenant.id, &api.id), sealed).ok();
    let text = opened.and_then(|plain| String::from_utf8(plain.as_ref().to_vec()).ok());
    let damaged = || StoreError::Damaged(format!("the signing secret of API {} cannot be opened", api.id));
    Ok(Some(Secret::new(text.ok_or_else(damaged)?)))
}

fn seal(tenant: &Tenant, api: &mut Api, secret: &Secret) {
    let place = place(&tenant.id, &api.id);
    let sealed = tenant.house.secrets.seal(place, secret.expose().as_bytes());
    api.signing_secret_sealed = Some(sealed);
}

fn place<'a>(tenant: &'a TenantId, api: &'a ApiId) -> Place<'a> {
    Place {
        tenant: tenant.as_str(),
        table: "apis",
        row: api.as_str(),
        column: "signing_secret",
    }
}
