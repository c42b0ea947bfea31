//! The people who run a tenant: made, given a password, removed. Their sessions are `accounts::session`'s.

use tokenhouse_protocol::id::AdministratorId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Added, Administrator, Change, Page};

use super::{RegistryError, begin, checked_name, checked_text, commit};
use crate::accounts::password::MAX_PASSWORD_BYTES;
use crate::tenant::Tenant;

/// Shortest password of an administrator, in characters: it is all that stands before a tenant.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// Longest e-mail address, in characters.
const MAX_EMAIL_CHARS: usize = 254;
/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 128;

/// An administrator to be made.
#[derive(Clone, Debug)]
pub struct NewAdministrator {
    /// The e-mail address by which they sign in.
    pub email: String,
    /// What people call them.
    pub name: Option<String>,
    /// The password; without one they sign in by a link and choose it then.
    pub password: Option<Secret>,
}

/// Makes an administrator.
pub async fn create(tenant: &Tenant, new: NewAdministrator) -> Result<Administrator, RegistryError> {
    check_email(&new.email)?;
    if let Some(name) = &new.name {
        checked_name(name, MAX_NAME_CHARS)?;
    }
    let password_hash = match &new.password {
        Some(password) => Some(hashed(tenant, password).await?),
        None => None,
    };
    let now = tenant.house.clock.now();
    let administrator = Administrator {
        id: AdministratorId::generate(&tenant.house.random),
        email: new.email.trim().to_owned(),
        name: new.name,
        password_hash,
        created_at: now,
        updated_at: now,
        signed_in_at: None,
    };
    let change = Change::Administrator(administrator.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_administrator(&tenant.id, &administrator).await? == Added::Exists {
        let text = format!("There is an administrator {} already", administrator.email);
        return Err(RegistryError::Conflict(text));
    }
    commit(tenant, tx, &change).await?;
    Ok(administrator)
}

/// Gives an administrator another password; their sessions end, but for the one of the digest `except`, and so do
/// their links.
pub async fn set_password(
    tenant: &Tenant,
    id: &AdministratorId,
    password: &Secret,
    except: Option<&str>,
) -> Result<(), RegistryError> {
    let hash = hashed(tenant, password).await?;
    let change = Change::Administrator(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut administrator = tx.administrator(&tenant.id, id).await?.ok_or_else(not_found)?;
    administrator.password_hash = Some(hash);
    administrator.updated_at = tenant.house.clock.now();
    tx.update_administrator(&tenant.id, &administrator).await?;
    tx.end_administrator_sessions(&tenant.id, id, except).await?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Removes an administrator; they are signed out at once.
pub async fn remove(tenant: &Tenant, id: &AdministratorId) -> Result<(), RegistryError> {
    let change = Change::Administrator(id.clone());
    let mut tx = begin(tenant, &change).await?;
    if !tx.remove_administrator(&tenant.id, id).await? {
        return Err(not_found());
    }
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// The administrator with this id or e-mail address.
pub async fn administrator(tenant: &Tenant, id_or_email: &str) -> Result<Administrator, RegistryError> {
    let store = &tenant.house.store;
    let by_id = store
        .administrator(&tenant.id, &AdministratorId::new(id_or_email))
        .await?;
    match by_id {
        Some(administrator) => Ok(administrator),
        None => store
            .administrator_by_email(&tenant.id, id_or_email)
            .await?
            .ok_or_else(not_found),
    }
}

/// A page of the administrators, by id.
pub async fn administrators(tenant: &Tenant, page: Page) -> Result<Vec<Administrator>, RegistryError> {
    Ok(tenant.house.store.administrators(&tenant.id, page).await?)
}

/// Refuses a password that is too short to stand before a tenant, or longer than any that is hashed.
pub fn check_password(password: &Secret) -> Result<(), RegistryError> {
    let text = match password.expose() {
        short if short.chars().count() < MIN_PASSWORD_CHARS => {
            format!("The password has fewer than {MIN_PASSWORD_CHARS} characters")
        }
        long if long.len() > MAX_PASSWORD_BYTES => format!("The password is longer than {MAX_PASSWORD_BYTES} bytes"),
        _ => return Ok(()),
    };
    Err(RegistryError::invalid("password", text))
}

async fn hashed(tenant: &Tenant, password: &Secret) -> Result<String, RegistryError> {
    check_password(password)?;
    let busy = |_| RegistryError::Refused("Too many passwords wait to be hashed: try again in a moment".into());
    tenant.house.accounts.passwords.hash(password).await.map_err(busy)
}

fn check_email(email: &str) -> Result<(), RegistryError> {
    checked_text("email", email, MAX_EMAIL_CHARS)?;
    let is_one = email.trim().split_once('@').is_some_and(|(name, host)| {
        let is_part =
            |part: &str| !part.is_empty() && !part.contains(['@', '<', '>']) && !part.contains(char::is_whitespace);
        is_part(name) && is_part(host)
    });
    if is_one {
        return Ok(());
    }
    Err(RegistryError::invalid(
        "email",
        "This is no e-mail address: write it like ada@example.org",
    ))
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The administrator does not exist".into())
}
