//! `tokenhouse roles`: what users may do with APIs that enforce policies, by the name of a role (CONTRACT §4.7).

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use tokenhouse_store::{Permission, Role};

use super::output::{fields, may_go_on, print, print_json, table};
use super::place::{Place, all};
use super::{Failure, apis};
use crate::registry::roles;
use crate::tenant::Tenant;

#[derive(Args, Debug)]
#[command(after_help = "\
Permissions count for the APIs that were made with --rbac.

Examples:
  tokenhouse roles create Editor --description 'Writes reports'
  tokenhouse roles add-permission Editor --api https://api.example.org --scope write:reports
  tokenhouse users assign-role USER_ID Editor")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a role
    Create {
        /// What people call it
        name: String,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
    },
    /// List the roles
    List,
    /// Show a role and what it gives
    Show {
        /// Its name or its id
        role: String,
    },
    /// Let a role give a scope of an API
    AddPermission {
        /// Its name or its id
        role: String,
        #[command(flatten)]
        permission: Named,
    },
    /// Take a scope of an API from a role
    RemovePermission {
        /// Its name or its id
        role: String,
        #[command(flatten)]
        permission: Named,
    },
    /// Delete a role: its users lose what it gave them
    Delete {
        /// Its name or its id
        role: String,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
}

/// A permission as a command names it.
#[derive(Args, Debug)]
pub(super) struct Named {
    /// The API, by its identifier or its id
    #[arg(long, value_name = "IDENTIFIER")]
    pub(super) api: String,
    /// One of its scopes
    #[arg(long)]
    pub(super) scope: String,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_tenant(async |tenant| match action {
            Action::Create { name, description } => {
                let role = roles::create(tenant, &name, description.as_deref()).await?;
                show(tenant, &place, &role).await
            }
            Action::List => list(tenant, &place).await,
            Action::Show { role } => show(tenant, &place, &roles::role(tenant, &role).await?).await,
            Action::AddPermission { role, permission } => {
                let role = roles::role(tenant, &role).await?;
                roles::add_permission(tenant, &role.id, &permission.api, &permission.scope).await?;
                show(tenant, &place, &role).await
            }
            Action::RemovePermission { role, permission } => {
                let role = roles::role(tenant, &role).await?;
                roles::remove_permission(tenant, &role.id, &permission.api, &permission.scope).await?;
                show(tenant, &place, &role).await
            }
            Action::Delete { role, force } => {
                let role = roles::role(tenant, &role).await?;
                may_go_on(&format!("Delete the role {:?}?", role.name), force)?;
                roles::remove(tenant, &role.id).await?;
                place.print_deleted(&format!(
                    "Deleted {}. Tokens already issued stay as they are.",
                    role.name
                ))
            }
        })
        .await
}

/// Permissions in the Management API's fields, and as the rows of a table.
pub(super) async fn permissions(
    tenant: &Tenant,
    held: &[Permission],
) -> Result<(Vec<Value>, Vec<Vec<String>>), Failure> {
    let identifiers = apis::identifiers(tenant).await?;
    let named = held.iter().map(|permission| {
        let api = identifiers.get(&permission.api_id).cloned().unwrap_or_default();
        (api, permission.scope.clone())
    });
    Ok(named
        .map(|(api, scope)| {
            let view = json!({ "resource_server_identifier": api, "permission_name": scope });
            (view, vec![api, scope])
        })
        .unzip())
}

async fn list(tenant: &Tenant, place: &Place) -> Result<(), Failure> {
    let found = all(async |page| roles::roles(tenant, page).await, |role| role.id.as_str()).await?;
    if place.json {
        return print_json(&found.iter().map(view).collect());
    }
    if found.is_empty() {
        return print("There are no roles yet: `tokenhouse roles create NAME` makes one.");
    }
    let row = |role: &Role| {
        let description = role.description.clone().unwrap_or_default();
        vec![role.id.to_string(), role.name.clone(), description]
    };
    print(&table(
        &["ROLE ID", "NAME", "DESCRIPTION"],
        &found.iter().map(row).collect::<Vec<_>>(),
    ))
}

async fn show(tenant: &Tenant, place: &Place, role: &Role) -> Result<(), Failure> {
    let held = tenant.house.store.permissions_of_role(&tenant.id, &role.id).await?;
    let (views, rows) = permissions(tenant, &held).await?;
    if place.json {
        let mut view = view(role);
        view["permissions"] = json!(views);
        return print_json(&view);
    }
    print(&fields(&[
        ("Name", role.name.clone()),
        ("Role ID", role.id.to_string()),
        ("Description", role.description.clone().unwrap_or_default()),
        ("Created", role.created_at.to_string()),
    ]))?;
    if rows.is_empty() {
        return print("\nIt gives nothing yet: see `tokenhouse roles add-permission --help`.");
    }
    print(&format!("\n{}", table(&["API", "SCOPE"], &rows)))
}

/// A role in the Management API's fields.
fn view(role: &Role) -> Value {
    let mut view = json!({ "id": role.id, "name": role.name });
    if let Some(description) = &role.description {
        view["description"] = json!(description);
    }
    view
}
