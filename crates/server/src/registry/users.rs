//! Users of database connections: made, changed, removed (CONTRACT §4.6).

use serde_json::Map;

use tokenhouse_protocol::id::UserId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Added, Change, Page, User};

use super::connections::{self, PasswordPolicy};
use super::{RegistryError, begin, checked_text, commit};
use crate::accounts::password::MAX_PASSWORD_BYTES;
use crate::tenant::Tenant;

/// Longest e-mail address, in characters (RFC 5321 §4.5.3.1.3 and its angle brackets).
const MAX_EMAIL_CHARS: usize = 254;
/// Longest user name, in characters.
const MAX_USERNAME_CHARS: usize = 128;

/// Longest id that is chosen elsewhere, in bytes.
const MAX_ID_BYTES: usize = 255;

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The connection, by its name.
    pub connection: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    /// The user name.
    pub username: Option<String>,
    /// The password.
    pub password: Secret,
}

/// Makes a user. One of e-mail address and user name is needed, and each is unique in its connection.
pub async fn create(tenant: &Tenant, new: NewUser) -> Result<User, RegistryError> {
    create_as(tenant, new, UserId::generate(&tenant.house.random)).await
}

/// The same under an id that was chosen elsewhere, as in a seed.
pub async fn create_as(tenant: &Tenant, new: NewUser, id: UserId) -> Result<User, RegistryError> {
    check_id(&id)?;
    let connection = connections::connection(tenant, &new.connection).await?;
    check_names(&new)?;
    let password_hash = hash(tenant, PasswordPolicy::of(&connection), &new.password).await?;
    let now = tenant.house.clock.now();
    let user = User {
        id,
        connection_id: connection.id,
        email: new.email,
        email_verified: new.email_verified,
        username: new.username,
        password_hash: Some(password_hash),
        blocked: false,
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    };
    let change = Change::User(user.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_user(&tenant.id, &user).await? == Added::Exists {
        return Err(RegistryError::Conflict("The user already exists.".into()));
    }
    commit(tenant, tx, &change).await?;
    Ok(user)
}

/// Blocks a user, who then gets no tokens, or lets them in again.
pub async fn set_blocked(tenant: &Tenant, id: &UserId, blocked: bool) -> Result<User, RegistryError> {
    let change = Change::User(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let Some(mut user) = tx.user(&tenant.id, id).await? else {
        return Err(not_found());
    };
    user.blocked = blocked;
    user.updated_at = tenant.house.clock.now();
    tx.update_user(&tenant.id, &user).await?;
    commit(tenant, tx, &change).await?;
    Ok(user)
}

/// Gives a user another password.
pub async fn set_password(tenant: &Tenant, id: &UserId, password: &Secret) -> Result<(), RegistryError> {
    let user = user(tenant, id).await?;
    let connection = tenant.house.store.connection(&tenant.id, &user.connection_id).await?;
    let policy = connection.as_ref().map_or(PasswordPolicy::Good, PasswordPolicy::of);
    let hash = hash(tenant, policy, password).await?;
    let change = Change::User(id.clone());
    let mut tx = begin(tenant, &change).await?;
    if !tx.set_password(&tenant.id, id, &hash, tenant.house.clock.now()).await? {
        return Err(not_found());
    }
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Removes a user.
pub async fn remove(tenant: &Tenant, id: &UserId) -> Result<(), RegistryError> {
    let change = Change::User(id.clone());
    let mut tx = begin(tenant, &change).await?;
    if !tx.remove_user(&tenant.id, id).await? {
        return Err(not_found());
    }
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// The user with this id.
pub async fn user(tenant: &Tenant, id: &UserId) -> Result<User, RegistryError> {
    tenant.house.store.user(&tenant.id, id).await?.ok_or_else(not_found)
}

/// A page of the users, by id.
pub async fn users(tenant: &Tenant, page: Page) -> Result<Vec<User>, RegistryError> {
    Ok(tenant.house.store.users(&tenant.id, page).await?)
}

/// Refuses an id that could not stand in a token, or reads like an application's `sub` (RFC 9700 §4.15).
fn check_id(id: &UserId) -> Result<(), RegistryError> {
    let text = id.as_str();
    let is_word = !text.is_empty() && text.len() <= MAX_ID_BYTES && text.bytes().all(|b| b.is_ascii_graphic());
    if !is_word || text.ends_with("@clients") {
        let text = format!("user_id is 1 to {MAX_ID_BYTES} visible ASCII characters, and does not end in @clients");
        return Err(RegistryError::invalid("user_id", text));
    }
    Ok(())
}

fn check_names(new: &NewUser) -> Result<(), RegistryError> {
    if new.email.is_none() && new.username.is_none() {
        return Err(RegistryError::invalid(
            "email",
            "a user needs an e-mail address or a user name",
        ));
    }
    if let Some(email) = &new.email {
        checked_text("email", email, MAX_EMAIL_CHARS)?;
        let parts = email
            .split_once('@')
            .filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if parts.is_none() || email.chars().any(char::is_whitespace) {
            return Err(RegistryError::invalid(
                "email",
                format!("{email:?} is no e-mail address"),
            ));
        }
    }
    if let Some(username) = &new.username {
        checked_text("username", username, MAX_USERNAME_CHARS)?;
        if username.is_empty() || username.contains('@') || username.chars().any(char::is_whitespace) {
            return Err(RegistryError::invalid(
                "username",
                "username must hold neither spaces nor @",
            ));
        }
    }
    Ok(())
}

async fn hash(tenant: &Tenant, policy: PasswordPolicy, password: &Secret) -> Result<String, RegistryError> {
    if password.expose().len() > MAX_PASSWORD_BYTES {
        let text = format!("PasswordStrengthError: Password is longer than {MAX_PASSWORD_BYTES} bytes");
        return Err(RegistryError::invalid("password", text));
    }
    if !policy.accepts(password.expose()) {
        let text = format!(
            "PasswordStrengthError: Password is too weak: it needs {}",
            policy.rule()
        );
        return Err(RegistryError::invalid("password", text));
    }
    let busy = |_| RegistryError::Refused("Too many passwords wait to be hashed. Try again in a moment.".into());
    tenant.house.accounts.passwords.hash(password).await.map_err(busy)
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The user does not exist.".into())
}
