//! Users of database connections: made, changed, removed (CONTRACT §4.6).

use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ConnectionId, UserId, row_id};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Added, Change, Connection, Logins, Page, Tx, User, normalise};

use super::connections::{self, PasswordRules};
use super::{RegistryError, begin, checked_text, commit, patch};
use crate::accounts::password::MAX_PASSWORD_BYTES;
use crate::tenant::Tenant;

mod properties;

pub use properties::properties;
pub(super) use properties::{RULES, assign, user_id};

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
    let user = User {
        email: new.email,
        email_verified: new.email_verified,
        username: new.username,
        ..blank(tenant, id, connection.id.clone())
    };
    add(tenant, user, &connection, &new.password).await
}

/// Makes a user of a connection of their properties as they are on the wire. Their id is `auth0|` and `id`, if one is
/// given.
pub async fn create_of(
    tenant: &Tenant,
    connection: &str,
    id: Option<&str>,
    said: Map<String, Value>,
) -> Result<User, RegistryError> {
    let connection = connections::connection(tenant, connection)
        .await
        .map_err(|error| match error {
            // In a body it is a value that is wrong, and not the thing that was asked for.
            RegistryError::NotFound(text) => RegistryError::invalid("connection", text),
            other => other,
        })?;
    let id = match id {
        Some(id) => user_id(id)?,
        None => UserId::generate(&tenant.house.random),
    };
    check_id(&id)?;
    let mut user = blank(tenant, id, connection.id.clone());
    let mut properties = Map::new();
    patch::apply(&mut properties, said, RULES);
    let Some(Value::String(password)) = properties.remove("password") else {
        return Err(RegistryError::invalid(
            "password",
            "Payload validation error: 'Missing required property: password'.",
        ));
    };
    assign(&mut user, properties);
    add(tenant, user, &connection, &Secret::new(password)).await
}

/// Changes properties of a user, as they are on the wire: each key given replaces what was there, `null` removes it,
/// metadata merge.
pub async fn update(tenant: &Tenant, id: &UserId, changes: Map<String, Value>) -> Result<User, RegistryError> {
    update_if(tenant, id, changes, |_| Ok(())).await
}

/// The same, if `may` takes the user as they are when it is done: after every change that came before.
pub(super) async fn update_if(
    tenant: &Tenant,
    id: &UserId,
    mut changes: Map<String, Value>,
    may: impl Fn(&User) -> Result<(), RegistryError>,
) -> Result<User, RegistryError> {
    let said = |name: &str| changes.get(name).is_some_and(|value| !value.is_null());
    if said("email") && said("username") {
        return Err(RegistryError::invalid(
            "username",
            "Cannot update username and email simultaneously: send one, then the other",
        ));
    }
    let before = user(tenant, id).await?;
    let connection = tenant.house.store.connection(&tenant.id, &before.connection_id).await?;
    if let Some(Value::String(named)) = changes.remove("connection")
        && connection.as_ref().is_none_or(|connection| connection.name != named)
    {
        let text = "connection names another connection than the one that the user is kept in";
        return Err(RegistryError::invalid("connection", text));
    }
    let password_hash = match changes.remove("password") {
        Some(Value::String(password)) => {
            // As they will be: the same request may change their names.
            let mut after = properties(&before);
            patch::apply(&mut after, changes.clone(), RULES);
            let mut user = before;
            assign(&mut user, after);
            Some(hash(tenant, connection.as_ref(), &user, &Secret::new(password)).await?)
        }
        Some(_) | None => None,
    };
    if changes.contains_key("email") && !changes.contains_key("email_verified") {
        // Nobody has shown yet that the new address is theirs.
        changes.insert("email_verified".into(), Value::Bool(false));
    }
    let change = Change::User(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut user = tx.user(&tenant.id, id).await?.ok_or_else(not_found)?;
    may(&user)?;
    let mut properties = properties(&user);
    patch::apply(&mut properties, changes, RULES);
    assign(&mut user, properties);
    check_names(&user)?;
    let is_new_password = password_hash.is_some();
    if is_new_password {
        user.password_hash = password_hash;
        let now = tenant.house.clock.now().to_string();
        user.rest.insert("last_password_reset".into(), now.into());
    }
    user.updated_at = tenant.house.clock.now();
    if !tx.update_user(&tenant.id, &user).await? {
        return Err(exists());
    }
    commit(tenant, tx, &change).await?;
    if is_new_password {
        forgive(tenant, &user);
    }
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
    let hash = hash(tenant, connection.as_ref(), &user, password).await?;
    let change = Change::User(id.clone());
    let mut tx = begin(tenant, &change).await?;
    if !tx.set_password(&tenant.id, id, &hash, tenant.house.clock.now()).await? {
        return Err(not_found());
    }
    commit(tenant, tx, &change).await?;
    forgive(tenant, &user);
    Ok(())
}

/// Removes a user; the log forgets them soon after (`accounts::forgetting`).
pub async fn remove(tenant: &Tenant, id: &UserId) -> Result<(), RegistryError> {
    let change = Change::User(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let user = tx.user(&tenant.id, id).await?.ok_or_else(not_found)?;
    remove_in(tenant, &mut tx, &user).await?;
    commit(tenant, tx, &change).await?;
    forgive(tenant, &user);
    Ok(())
}

/// Removes a user in a transaction.
pub(super) async fn remove_in(tenant: &Tenant, tx: &mut Tx<'_>, user: &User) -> Result<(), RegistryError> {
    let house = &tenant.house;
    if tx.remove_user(&tenant.id, &user.id).await? {
        let pseudonym = UserId::new(format!("deleted|{}", row_id(&house.random)));
        tx.forget_user(&tenant.id, user, &pseudonym, house.clock.now()).await?;
    }
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

/// The users with an e-mail address, of every connection.
pub async fn users_by_email(tenant: &Tenant, email: &str) -> Result<Vec<User>, RegistryError> {
    Ok(tenant.house.store.users_by_email(&tenant.id, email).await?)
}

async fn add(
    tenant: &Tenant,
    mut user: User,
    connection: &Connection,
    password: &Secret,
) -> Result<User, RegistryError> {
    check_names(&user)?;
    user.password_hash = Some(hash(tenant, Some(connection), &user, password).await?);
    let change = Change::User(user.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_user(&tenant.id, &user).await? == Added::Exists {
        return Err(exists());
    }
    commit(tenant, tx, &change).await?;
    Ok(user)
}

/// Whoever has a new password may try it at once.
fn forgive(tenant: &Tenant, user: &User) {
    for login in [&user.email, &user.username].into_iter().flatten() {
        tenant.house.accounts.attempts.forgive(&tenant.id, &normalise(login));
    }
}

/// A user of whom nothing was said yet.
pub(super) fn blank(tenant: &Tenant, id: UserId, connection_id: ConnectionId) -> User {
    let now = tenant.house.clock.now();
    User {
        id,
        connection_id,
        email: None,
        email_verified: false,
        username: None,
        password_hash: None,
        blocked: false,
        rest: Map::new(),
        logins: Logins::default(),
        created_at: now,
        updated_at: now,
    }
}

/// Refuses an id that could not stand in a token, or reads like an application's `sub` (RFC 9700 §4.15).
pub(super) fn check_id(id: &UserId) -> Result<(), RegistryError> {
    let text = id.as_str();
    let is_word = !text.is_empty() && text.len() <= MAX_ID_BYTES && text.bytes().all(|b| b.is_ascii_graphic());
    if !is_word || text.ends_with("@clients") {
        let text = format!("user_id is 1 to {MAX_ID_BYTES} visible ASCII characters, and does not end in @clients");
        return Err(RegistryError::invalid("user_id", text));
    }
    Ok(())
}

pub(super) fn check_names(new: &User) -> Result<(), RegistryError> {
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

async fn hash(
    tenant: &Tenant,
    connection: Option<&Connection>,
    user: &User,
    password: &Secret,
) -> Result<String, RegistryError> {
    if password.expose().len() > MAX_PASSWORD_BYTES {
        let text = format!("PasswordStrengthError: Password is longer than {MAX_PASSWORD_BYTES} bytes");
        return Err(RegistryError::invalid("password", text));
    }
    if let Some(text) = PasswordRules::of(connection).refusal(password.expose(), user) {
        return Err(RegistryError::invalid("password", text));
    }
    let busy = |_| RegistryError::Refused("Too many passwords wait to be hashed. Try again in a moment.".into());
    tenant.house.accounts.passwords.hash(password).await.map_err(busy)
}

fn exists() -> RegistryError {
    RegistryError::Conflict("The user already exists.".into())
}

pub(super) fn not_found() -> RegistryError {
    RegistryError::NotFound("The user does not exist.".into())
}
