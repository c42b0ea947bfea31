//! What users may do with APIs: table `user_permissions`, and `role_permissions` through the roles a user has.

use tokenhouse_protocol::id::{ApiId, RoleId, TenantId, UserId};

use crate::columns::from_row;
use crate::db::{all, execute};
use crate::{Added, Store, StoreError, Tx, added, changed};

/// One scope of one API that somebody may have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Permission {
    /// The API.
    pub api_id: ApiId,
    /// One of its scopes, as it was when this was written; the API may have dropped it since.
    pub scope: String,
}

from_row!(Permission, row => Permission {
    api_id: ApiId::new(row.text("api_id")?),
    scope: row.text("scope")?,
});

impl Store {
    /// The scopes of an API that a user has, directly or by a role, each once, in no meaningful order.
    pub async fn permitted_scopes(
        &self,
        tenant: &TenantId,
        user: &UserId,
        api: &ApiId,
    ) -> Result<Vec<String>, StoreError> {
        let sql = "select scope from user_permissions where tenant_id = $1 and user_id = $2 and api_id = $3 \
                   union select role_permissions.scope from user_roles join role_permissions \
                   on role_permissions.tenant_id = user_roles.tenant_id \
                   and role_permissions.role_id = user_roles.role_id \
                   where user_roles.tenant_id = $1 and user_roles.user_id = $2 and role_permissions.api_id = $3";
        let rows: Vec<(String,)> = all!(self.db(), sql, tenant.as_str(), user.as_str(), api.as_str())?;
        Ok(rows.into_iter().map(|(scope,)| scope).collect())
    }

    /// What a user has directly, sorted.
    pub async fn permissions_of_user(&self, tenant: &TenantId, user: &UserId) -> Result<Vec<Permission>, StoreError> {
        let sql = "select api_id, scope from user_permissions where tenant_id = $1 and user_id = $2";
        let mut found: Vec<Permission> = all!(self.db(), sql, tenant.as_str(), user.as_str())?;
        found.sort();
        Ok(found)
    }

    /// What a role gives, sorted.
    pub async fn permissions_of_role(&self, tenant: &TenantId, role: &RoleId) -> Result<Vec<Permission>, StoreError> {
        let sql = "select api_id, scope from role_permissions where tenant_id = $1 and role_id = $2";
        let mut found: Vec<Permission> = all!(self.db(), sql, tenant.as_str(), role.as_str())?;
        found.sort();
        Ok(found)
    }
}

impl Tx<'_> {
    /// Gives a user a permission. The user and the API must be there.
    pub async fn add_user_permission(
        &mut self,
        tenant: &TenantId,
        user: &UserId,
        permission: &Permission,
    ) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into user_permissions (tenant_id, user_id, api_id, scope) values ($1, $2, $3, $4) \
             on conflict do nothing",
            tenant.as_str(),
            user.as_str(),
            permission.api_id.as_str(),
            permission.scope.as_str(),
        ))
    }

    /// Takes a direct permission from a user; `false` if they did not have it.
    pub async fn remove_user_permission(
        &mut self,
        tenant: &TenantId,
        user: &UserId,
        permission: &Permission,
    ) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from user_permissions where tenant_id = $1 and user_id = $2 and api_id = $3 and scope = $4",
            tenant.as_str(),
            user.as_str(),
            permission.api_id.as_str(),
            permission.scope.as_str(),
        ))
    }

    /// Adds a permission to a role. The role and the API must be there.
    pub async fn add_role_permission(
        &mut self,
        tenant: &TenantId,
        role: &RoleId,
        permission: &Permission,
    ) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into role_permissions (tenant_id, role_id, api_id, scope) values ($1, $2, $3, $4) \
             on conflict do nothing",
            tenant.as_str(),
            role.as_str(),
            permission.api_id.as_str(),
            permission.scope.as_str(),
        ))
    }

    /// Takes a permission from a role; `false` if it did not have it.
    pub async fn remove_role_permission(
        &mut self,
        tenant: &TenantId,
        role: &RoleId,
        permission: &Permission,
    ) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from role_permissions where tenant_id = $1 and role_id = $2 and api_id = $3 and scope = $4",
            tenant.as_str(),
            role.as_str(),
            permission.api_id.as_str(),
            permission.scope.as_str(),
        ))
    }

    /// Takes a scope that an API no longer has from every user and role: how many had it.
    pub async fn remove_permissions(&mut self, tenant: &TenantId, api: &ApiId, scope: &str) -> Result<u64, StoreError> {
        let of_users = execute!(
            self,
            "delete from user_permissions where tenant_id = $1 and api_id = $2 and scope = $3",
            tenant.as_str(),
            api.as_str(),
            scope,
        )?;
        let of_roles = execute!(
            self,
            "delete from role_permissions where tenant_id = $1 and api_id = $2 and scope = $3",
            tenant.as_str(),
            api.as_str(),
            scope,
        )?;
        Ok(of_users + of_roles)
    }
}
