//! Roles and permissions: what users may do with the APIs that enforce policies, RBAC (CONTRACT §4.6, §4.7).
//!
//! Nothing of it is cached: the next token is issued by what stands in the database.

use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::id::{RoleId, UserId};
use tokenhouse_store::{Added, Api, Change, Page, Permission, Role, Tx};

use super::{RegistryError, apis, begin, checked_name, checked_text, commit};
use crate::tenant::Tenant;

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 50;
/// Longest description, in characters.
const MAX_DESCRIPTION_CHARS: usize = 255;

/// Makes a role that gives nothing yet.
pub async fn create(tenant: &Tenant, name: &str, description: Option<&str>) -> Result<Role, RegistryError> {
    check(name, description)?;
    let now = tenant.house.clock.now();
    let role = Role {
        id: RoleId::generate(&tenant.house.random),
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
    check(name, description)?;
    let change = Change::Role(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut role = tx.role(&tenant.id, id).await?.ok_or_else(not_found)?;
    role.name = name.to_owned();
    role.description = description.map(str::to_owned);
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

/// A page of the roles, by id.
pub async fn roles(tenant: &Tenant, page: Page) -> Result<Vec<Role>, RegistryError> {
    Ok(tenant.house.store.roles(&tenant.id, page).await?)
}

/// Lets a role give a scope of an API; what it gives already stays.
pub async fn add_permission(tenant: &Tenant, id: &RoleId, audience: &str, scope: &str) -> Result<(), RegistryError> {
    let api = apis::api(tenant, audience).await?;
    let change = Change::Role(id.clone());
    let mut tx = begin(tenant, &change).await?;
    tx.role(&tenant.id, id).await?.ok_or_else(not_found)?;
    let permission = existing(&mut tx, tenant, &api, scope).await?;
    let _had = tx.add_role_permission(&tenant.id, id, &permission).await?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Takes a scope of an API from a role; `false` if it did not give it.
pub async fn remove_permission(
    tenant: &Tenant,
    id: &RoleId,
    audience: &str,
    scope: &str,
) -> Result<bool, RegistryError> {
    let permission = named(apis::api(tenant, audience).await?, scope);
    let change = Change::Role(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let removed = tx.remove_role_permission(&tenant.id, id, &permission).await?;
    commit(tenant, tx, &change).await?;
    Ok(removed)
}

/// Gives a user a role; one they have already stays.
pub async fn assign(tenant: &Tenant, user: &UserId, role: &RoleId) -> Result<(), RegistryError> {
    let change = Change::User(user.clone());
    let mut tx = begin(tenant, &change).await?;
    tx.user(&tenant.id, user).await?.ok_or_else(no_user)?;
    tx.role(&tenant.id, role).await?.ok_or_else(not_found)?;
    let _had = tx.add_user_role(&tenant.id, user, role).await?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Takes a role from a user; `false` if they did not have it.
pub async fn unassign(tenant: &Tenant, user: &UserId, role: &RoleId) -> Result<bool, RegistryError> {
    let change = Change::User(user.clone());
    let mut tx = begin(tenant, &change).await?;
    let removed = tx.remove_user_role(&tenant.id, user, role).await?;
    commit(tenant, tx, &change).await?;
    Ok(removed)
}

/// Gives a user a scope of an API directly; what they have already stays.
pub async fn grant(tenant: &Tenant, user: &UserId, audience: &str, scope: &str) -> Result<(), RegistryError> {
    let api = apis::api(tenant, audience).await?;
    let change = Change::User(user.clone());
    let mut tx = begin(tenant, &change).await?;
    tx.user(&tenant.id, user).await?.ok_or_else(no_user)?;
    let permission = existing(&mut tx, tenant, &api, scope).await?;
    let _had = tx.add_user_permission(&tenant.id, user, &permission).await?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Takes a directly given scope of an API from a user, who may still have it by a role; `false` if they did not
/// have it.
pub async fn revoke(tenant: &Tenant, user: &UserId, audience: &str, scope: &str) -> Result<bool, RegistryError> {
    let permission = named(apis::api(tenant, audience).await?, scope);
    let change = Change::User(user.clone());
    let mut tx = begin(tenant, &change).await?;
    let removed = tx.remove_user_permission(&tenant.id, user, &permission).await?;
    commit(tenant, tx, &change).await?;
    Ok(removed)
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
