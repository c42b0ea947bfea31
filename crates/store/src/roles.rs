//! Roles, which give their users permissions: tables `roles` and `user_roles`.

use tokenhouse_protocol::id::{RoleId, TenantId, UserId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{all, execute, optional};
use crate::{Added, Page, Store, StoreError, Tx, added, changed};

/// A role of a tenant. No two share a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

macro_rules! columns {
    () => {
        "roles.id, roles.name, roles.description, roles.created_at, roles.updated_at"
    };
}

from_row!(Role, row => Role {
    id: RoleId::new(row.text("id")?),
    name: row.text("name")?,
    description: row.optional_text("description")?,
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
});

const ONE: &str = concat!("select ", columns!(), " from roles where tenant_id = $1 and id = $2");

impl Store {
    /// A role by its id.
    pub async fn role(&self, tenant: &TenantId, id: &RoleId) -> Result<Option<Role>, StoreError> {
        optional!(self.db(), ONE, tenant.as_str(), id.as_str())
    }

    /// A role by its name, compared byte by byte.
    pub async fn role_by_name(&self, tenant: &TenantId, name: &str) -> Result<Option<Role>, StoreError> {
        let sql = concat!("select ", columns!(), " from roles where tenant_id = $1 and name = $2");
        optional!(self.db(), sql, tenant.as_str(), name)
    }

    /// A page of roles, by id.
    pub async fn roles(&self, tenant: &TenantId, page: Page) -> Result<Vec<Role>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from roles where tenant_id = $1 and id > $2 order by id limit $3 offset $4"
        );
        all!(self.db(), sql, tenant.as_str(), after, take, skip)
    }

    /// How many roles the tenant has.
    pub async fn roles_total(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let sql = "select count(*) from roles where tenant_id = $1";
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant.as_str())?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
    }

    /// Every role that a user has, by id.
    pub async fn roles_of_user(&self, tenant: &TenantId, user: &UserId) -> Result<Vec<Role>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from user_roles join roles on roles.tenant_id = user_roles.tenant_id and roles.id = user_roles.role_id \
             where user_roles.tenant_id = $1 and user_roles.user_id = $2 order by roles.id"
        );
        all!(self.db(), sql, tenant.as_str(), user.as_str())
    }
}

impl Tx<'_> {
    /// A role by its id, read inside this transaction.
    pub async fn role(&mut self, tenant: &TenantId, id: &RoleId) -> Result<Option<Role>, StoreError> {
        optional!(tx: self, ONE, tenant.as_str(), id.as_str())
    }

    /// Adds a role; [`Added::Exists`] if its id or name is taken.
    pub async fn add_role(&mut self, tenant: &TenantId, role: &Role) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into roles (tenant_id, id, name, description, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            tenant.as_str(),
            role.id.as_str(),
            role.name.as_str(),
            role.description.as_deref(),
            role.created_at.ms(),
            role.updated_at.ms(),
        ))
    }

    /// Overwrites a role's name and description; `false` if there is none, or if the name is another's.
    pub async fn update_role(&mut self, tenant: &TenantId, role: &Role) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update roles set name = $3, description = $4, updated_at = $5 \
             where tenant_id = $1 and id = $2 and not exists (select 1 from roles other \
             where other.tenant_id = $1 and other.id <> $2 and other.name = $3)",
            tenant.as_str(),
            role.id.as_str(),
            role.name.as_str(),
            role.description.as_deref(),
            role.updated_at.ms(),
        ))
    }

    /// Removes a role; its users lose what it gave them.
    pub async fn remove_role(&mut self, tenant: &TenantId, id: &RoleId) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from roles where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str()
        ))
    }

    /// Gives a user a role. Both must be there.
    pub async fn add_user_role(
        &mut self,
        tenant: &TenantId,
        user: &UserId,
        role: &RoleId,
    ) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into user_roles (tenant_id, user_id, role_id) values ($1, $2, $3) on conflict do nothing",
            tenant.as_str(),
            user.as_str(),
            role.as_str(),
        ))
    }

    /// Takes a role from a user; `false` if they did not have it.
    pub async fn remove_user_role(
        &mut self,
        tenant: &TenantId,
        user: &UserId,
        role: &RoleId,
    ) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from user_roles where tenant_id = $1 and user_id = $2 and role_id = $3",
            tenant.as_str(),
            user.as_str(),
            role.as_str(),
        ))
    }
}
