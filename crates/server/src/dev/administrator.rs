//! The administrator of `tokenhouse dev`: they have no password, and come in by a link that `dev` prints at its start.

use crate::accounts::sign_in::{self, Purpose};
use crate::registry::RegistryError;
use crate::registry::administrators::{self, NewAdministrator};
use crate::tenant::Tenant;

/// Their e-mail address.
pub const ADMINISTRATOR: &str = "dev@localhost";
/// How long the link works, in milliseconds: a working day. Whoever can read it can read the samples' secrets beside it,
/// which never end.
const LINK_MS: i64 = 12 * 3_600_000;

/// The console's address, which signs the administrator in once; they are made if they are not there.
pub async fn console_url(tenant: &Tenant) -> Result<String, RegistryError> {
    let found = match administrators::administrator(tenant, ADMINISTRATOR).await {
        Err(RegistryError::NotFound(_)) => {
            let new = NewAdministrator {
                email: ADMINISTRATOR.into(),
                name: None,
                password: None,
            };
            administrators::create(tenant, new).await?
        }
        found => found?,
    };
    let key = sign_in::make_link(tenant, &found.id, Purpose::SignIn, LINK_MS).await?;
    Ok(sign_in::link_url(tenant, &key))
}
