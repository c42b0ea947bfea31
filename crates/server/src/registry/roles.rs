//! Roles and permissions: what users may do with the APIs that enforce policies, RBAC (CONTRACT §4.6, §4.7).
//!
//! Nothing of it is cached: the next token is issued by what stands in the database.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::id::{RoleId, UserId};
use tokenhouse_store::{Added, Api, Change, Page, Permission, Role, Tx};

use super::{RegistryError, apis, begin, check_given_id, checked_name, checked_text, commit};
use crate::tenant::Tenant;

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 50;
/// Longest description, in characters.
const MAX_DESCRIPTION_CHARS: usize = 255;

/// Makes a role that gives nothing yet.
pub async fn create(tenant: &Tenant, name: &str, description: Option<&str>) -> Result<Role, RegistryError> {
    create_as(tenant, RoleId::generate(&tenant.house.random), name, description).await
}

/// The same under an id that is given.
pub async fn create_as(
    tenant: &Tenant,
    id: RoleId,
    name: &str,
    description: Option<&str>,
) -> Result<Role, RegistryError> {
    check_given_id(id.as_str())?;
    check(name, description)?;
    let now = tenant.house.clock.now();
    let role = Role {
        id,
        name: name.to_owned(),
        description: description.map(str::to_owned),
        created_at: now,
        updated_at: now,
    };
    let change = Change::Role(role.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_role(&tenant.id, &role).await? == Added::Exists {
        return Err(same_name());
    }
    commit(tenant, tx, &change).await?;
    Ok(role)
}

/// Gives a role another name and description.
pub async fn update(
    tenant: &Tenant,
    id: &RoleId,
    name: &str,
    description: Option<&str>,
) -> Result<Role, RegistryError> {
    let changes = [("name", json!(name)), ("description", json!(description))];
    let changes = changes.map(|(name, value)| (name.to_owned(), value));
    update_of(tenant, id, &changes.into_iter().collect()).await
}

/// Changes properties of a role, as they are on the wire; `null` removes the description.
pub async fn update_of(tenant: &Tenant, id: &RoleId, changes: &Map<String, Value>) -> Result<Role, RegistryError> {
    let change = Change::Role(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut role = tx.role(&tenant.id, id).await?.ok_or_else(not_found)?;
    if let Some(name) = changes.get("name").and_then(Value::as_str) {
        name.clone_into(&mut role.name);
    }
    if let Some(description) = changes.get("description") {
        role.description = description.as_str().map(str::to_owned);
    }
    check(&role.name, role.description.as_deref())?;
    role.updated_at = tenant.house.clock.now();
    if !tx.update_role(&tenant.id, &role).await? {
        return Err(same_name());
    }
    commit(tenant, tx, &change).await?;
    Ok(role)
}

/// Removes a role; its users lose what it gave them.
pub async fn remove(tenant: &Tenant, id: &RoleId) -> Result<(), RegistryError> {
    let change = Change::Role(id.clone());
    let mut tx = begin(tenant, &change).await?;
    if !tx.remove_role(&tenant.id, id).await? {
        return Err(not_found());
    }
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// The role with this id or this name.
pub async fn role(tenant: &Tenant, id_or_name: &str) -> Result<Role, RegistryError> {
    let store = &tenant.house.store;
    if let Some(role) = store.role(&tenant.id, &RoleId::new(id_or_name)).await? {
        return Ok(role);
    }
    store.role_by_name(&tenant.id, id_or_name).await?.ok_or_else(not_found)
}

/// The role with this id.
pub async fn with_id(tenant: &Tenant, id: &RoleId) -> Result<Role, RegistryError> {
    tenant.house.store.role(&tenant.id, id).await?.ok_or_else(not_found)
}

/// A page of the roles, by id.
pub async fn roles(tenant: &Tenant, page: Page) -> Result<Vec<Role>, RegistryError> {
    Ok(tenant.house.store.roles(&tenant.id, page).await?)
}

/// Who may hold permissions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    /// A user, directly.
    User(UserId),
    /// A role, for those who have it.
    Role(RoleId),
}

/// A scope of an API, by the names that people use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedPermission {
    /// The API's identifier or id.
    pub audience: String,
    /// One of its scopes.
    pub scope: String,
}

impl NamedPermission {
    /// A scope of an API.
    pub fn new(audience: impl Into<String>, scope: impl Into<String>) -> Self {
        Self {
            audience: audience.into(),
            scope: scope.into(),
        }
    }
}

/// Gives a holder permissions, all or none; those held already stay.
pub async fn give(tenant: &Tenant, holder: &Holder, permissions: &[NamedPermission]) -> Result<(), RegistryError> {
    let mut known: HashMap<&str, Api> = HashMap::new();
    for NamedPermission { audience, .. } in permissions {
        if !known.contains_key(audience.as_str()) {
            known.insert(audience, apis::api(tenant, audience).await?);
        }
    }
    let change = holder.change();
    let mut tx = begin(tenant, &change).await?;
    holder.exists(&mut tx, tenant).await?;
    for NamedPermission { audience, scope } in permissions {
        let Some(api) = known.get(audience.as_str()) else {
            continue;
        };
        let permission = existing(&mut tx, tenant, api, scope).await?;
        let _had = match holder {
            Holder::User(id) => tx.add_user_permission(&tenant.id, id, &permission).await?,
            Holder::Role(id) => tx.add_role_permission(&tenant.id, id, &permission).await?,
        };
    }
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Takes permissions from a holder: how many of them it held. A user may still have them by a role.
pub async fn take(tenant: &Tenant, holder: &Holder, permissions: &[NamedPermission]) -> Result<usize, RegistryError> {
    let mut held = Vec::with_capacity(permissions.len());
    for NamedPermission { audience, scope } in permissions {
        match apis::api(tenant, audience).await {
            Ok(api) => held.push(named(api, scope)),
            // Its permissions went with it.
            Err(RegistryError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let change = holder.change();
    let mut tx = begin(tenant, &change).await?;
    holder.exists(&mut tx, tenant).await?;
    let mut taken = 0;
    for permission in &held {
        taken += usize::from(match holder {
            Holder::User(id) => tx.remove_user_permission(&tenant.id, id, permission).await?,
            Holder::Role(id) => tx.remove_role_permission(&tenant.id, id, permission).await?,
        });
    }
    commit(tenant, tx, &change).await?;
    Ok(taken)
}

impl Holder {
    fn change(&self) -> Change {
        match self {
            Self::User(id) => Change::User(id.clone()),
            Self::Role(id) => Change::Role(id.clone()),
        }
    }

    async fn exists(&self, tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(), RegistryError> {
        match self {
            Self::User(id) => tx.user(&tenant.id, id).await?.map(drop).ok_or_else(no_user),
            Self::Role(id) => tx.role(&tenant.id, id).await?.map(drop).ok_or_else(not_found),
        }
    }
}

/// Gives users roles, each of these users each of these roles, all or none; those they have already stay.
pub async fn assign_all(tenant: &Tenant, users: &[UserId], roles: &[RoleId]) -> Result<(), RegistryError> {
    let Some(change) = of_assignment(users, roles) else {
        return Ok(());
    };
    let mut tx = begin(tenant, &change).await?;
    for user in users {
        Holder::User(user.clone()).exists(&mut tx, tenant).await?;
    }
    for role in roles {
        Holder::Role(role.clone()).exists(&mut tx, tenant).await?;
        for user in users {
            let _had = tx.add_user_role(&tenant.id, user, role).await?;
        }
    }
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Takes roles from a user: how many of them they had.
pub async fn unassign_all(tenant: &Tenant, user: &UserId, roles: &[RoleId]) -> Result<usize, RegistryError> {
    let change = Change::User(user.clone());
    let mut tx = begin(tenant, &change).await?;
    Holder::User(user.clone()).exists(&mut tx, tenant).await?;
    let mut taken = 0;
    for role in roles {
        taken += usize::from(tx.remove_user_role(&tenant.id, user, role).await?);
    }
    commit(tenant, tx, &change).await?;
    Ok(taken)
}

/// Lets a role give a scope of an API; what it gives already stays.
pub async fn add_permission(tenant: &Tenant, id: &RoleId, audience: &str, scope: &str) -> Result<(), RegistryError> {
    give(
        tenant,
        &Holder::Role(id.clone()),
        &[NamedPermission::new(audience, scope)],
    )
    .await
}

/// Takes a scope of an API from a role; `false` if it did not give it.
pub async fn remove_permission(
    tenant: &Tenant,
    id: &RoleId,
    audience: &str,
    scope: &str,
) -> Result<bool, RegistryError> {
    let permissions = [NamedPermission::new(audience, scope)];
    Ok(take(tenant, &Holder::Role(id.clone()), &permissions).await? > 0)
}

/// Gives a user a role; one they have already stays.
pub async fn assign(tenant: &Tenant, user: &UserId, role: &RoleId) -> Result<(), RegistryError> {
    assign_all(tenant, std::slice::from_ref(user), std::slice::from_ref(role)).await
}

/// Takes a role from a user; `false` if they did not have it.
pub async fn unassign(tenant: &Tenant, user: &UserId, role: &RoleId) -> Result<bool, RegistryError> {
    Ok(unassign_all(tenant, user, std::slice::from_ref(role)).await? > 0)
}

/// Gives a user a scope of an API directly; what they have already stays.
pub async fn grant(tenant: &Tenant, user: &UserId, audience: &str, scope: &str) -> Result<(), RegistryError> {
    give(
        tenant,
        &Holder::User(user.clone()),
        &[NamedPermission::new(audience, scope)],
    )
    .await
}

/// Takes a directly given scope of an API from a user, who may still have it by a role; `false` if they did not
/// have it.
pub async fn revoke(tenant: &Tenant, user: &UserId, audience: &str, scope: &str) -> Result<bool, RegistryError> {
    let permissions = [NamedPermission::new(audience, scope)];
    Ok(take(tenant, &Holder::User(user.clone()), &permissions).await? > 0)
}

/// What an assignment changes: the user, or the role if it is of several users.
fn of_assignment(users: &[UserId], roles: &[RoleId]) -> Option<Change> {
    match (users, roles) {
        ([user], [_, ..]) => Some(Change::User(user.clone())),
        ([_, ..], [role, ..]) => Some(Change::Role(role.clone())),
        _ => None,
    }
}

/// A permission whose API and scope are there inside this transaction.
async fn existing(tx: &mut Tx<'_>, tenant: &Tenant, api: &Api, scope: &str) -> Result<Permission, RegistryError> {
    let now = tx.api(&tenant.id, &api.id).await?;
    if now.is_some_and(|api| apis::scopes(&api).iter().any(|held| held == scope)) {
        return Ok(named(api.clone(), scope));
    }
    let identifier = apis::identifier(tenant, api);
    let text = format!("This permission does not exist: '{identifier} - {}'", reflected(scope));
    Err(RegistryError::invalid("permissions", text))
}

fn named(api: Api, scope: &str) -> Permission {
    Permission {
        api_id: api.id,
        scope: scope.to_owned(),
    }
}

fn check(name: &str, description: Option<&str>) -> Result<(), RegistryError> {
    checked_name(name, MAX_NAME_CHARS)?;
    description.map_or(Ok(()), |text| checked_text("description", text, MAX_DESCRIPTION_CHARS))
}

fn same_name() -> RegistryError {
    RegistryError::Conflict("A role with the same name already exists.".into())
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The role does not exist.".into())
}

fn no_user() -> RegistryError {
    RegistryError::NotFound("The user does not exist.".into())
}
