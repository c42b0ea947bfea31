//! Administrators sign in to the console: by e-mail address and password, with the same queue and the same limits as
//! users, or by a link that lets them in once.

use std::net::IpAddr;

use tokenhouse_protocol::id::{AdministratorId, session_key};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Administrator, SignInLink, StoreError, normalise};

use super::login::{Failure, too_many, waiting, wrong_password};
use super::password::MAX_PASSWORD_BYTES;
use super::session::digest;
use crate::registry::{RegistryError, administrators};
use crate::tenant::Tenant;

/// Longest e-mail address that is looked up, in bytes.
const MAX_EMAIL_BYTES: usize = 320;
/// Longest key of a link that is looked up, in bytes.
const MAX_KEY_BYTES: usize = 128;
/// What sets an administrator's failed attempts apart from those of a user of the same name.
const ACCOUNT: &str = "administrator ";

/// What a link is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To sign in with one click, as from the terminal of `tokenhouse dev`.
    SignIn,
    /// To choose a password, the first or another.
    Password,
}

/// The administrator whose e-mail address and password these are.
pub async fn with_password(
    tenant: &Tenant,
    address: IpAddr,
    email: &str,
    password: &Secret,
) -> Result<Administrator, Failure> {
    if email.len() > MAX_EMAIL_BYTES || password.expose().len() > MAX_PASSWORD_BYTES {
        return Err(wrong_password(None));
    }
    let accounts = &tenant.house.accounts;
    let account = format!("{ACCOUNT}{}", normalise(email));
    let attempt = accounts.attempts.begin(&tenant.id, &account, address).await;
    let attempt = attempt.map_err(too_many)?;
    let found = match tenant.house.store.administrator_by_email(&tenant.id, email).await {
        Ok(found) => found,
        Err(error) => {
            attempt.withdrawn();
            return Err(error.into());
        }
    };
    let hash = found.as_ref().and_then(|found| found.password_hash.as_deref());
    let Ok(fits) = accounts.passwords.verify(password, hash).await else {
        attempt.withdrawn();
        return Err(waiting(accounts.passwords.queue_length()));
    };
    match found {
        Some(administrator) if fits => {
            attempt.succeeded();
            Ok(administrator)
        }
        Some(_) | None => Err(wrong_password(None)),
    }
}

/// Makes a link for an administrator, good for `life_ms`; answers its key.
pub async fn make_link(
    tenant: &Tenant,
    id: &AdministratorId,
    purpose: Purpose,
    life_ms: i64,
) -> Result<Secret, StoreError> {
    let key = session_key(&tenant.house.random);
    let link = SignInLink {
        digest: digest(key.expose()),
        administrator_id: id.clone(),
        sets_password: purpose == Purpose::Password,
        expires_at: tenant.house.clock.now().plus_ms(life_ms),
    };
    tenant.house.store.add_sign_in_link(&tenant.id, &link).await?;
    Ok(key)
}

/// The address at which a link's key is used.
pub fn link_url(tenant: &Tenant, key: &Secret) -> String {
    tenant.issuer.url(&format!("console/link?key={}", key.expose()))
}

/// Whom a link would let in, and for what; looking does not use it up.
pub async fn link(tenant: &Tenant, key: &str) -> Result<Option<(Administrator, Purpose)>, StoreError> {
    if key.len() > MAX_KEY_BYTES {
        return Ok(None);
    }
    let link = tenant.house.store.sign_in_link(&tenant.id, &digest(key)).await?;
    whose(tenant, link).await
}

/// Uses a link to sign in: whom it lets in; nobody if it was used, has expired, or is for choosing a password.
pub async fn with_link(tenant: &Tenant, key: &str) -> Result<Option<Administrator>, StoreError> {
    // Looked at first, so that a link for a password is not used up without one.
    let Some((_, Purpose::SignIn)) = link(tenant, key).await? else {
        return Ok(None);
    };
    let taken = tenant.house.store.take_sign_in_link(&tenant.id, &digest(key)).await?;
    Ok(whose(tenant, taken).await?.map(|(administrator, _)| administrator))
}

/// Uses a link to choose a password; every session of the administrator ends. Nobody if it was used or has expired.
pub async fn choose_password(
    tenant: &Tenant,
    key: &str,
    password: &Secret,
) -> Result<Option<Administrator>, RegistryError> {
    administrators::check_password(password)?;
    let Some((_, Purpose::Password)) = link(tenant, key).await? else {
        return Ok(None);
    };
    let taken = tenant.house.store.take_sign_in_link(&tenant.id, &digest(key)).await?;
    let Some((administrator, _)) = whose(tenant, taken).await? else {
        return Ok(None);
    };
    administrators::set_password(tenant, &administrator.id, password, None).await?;
    Ok(Some(administrator))
}

async fn whose(tenant: &Tenant, link: Option<SignInLink>) -> Result<Option<(Administrator, Purpose)>, StoreError> {
    let Some(link) = link else { return Ok(None) };
    let purpose = match link.sets_password {
        true => Purpose::Password,
        false => Purpose::SignIn,
    };
    let administrator = tenant
        .house
        .store
        .administrator(&tenant.id, &link.administrator_id)
        .await?;
    Ok(administrator.map(|administrator| (administrator, purpose)))
}
