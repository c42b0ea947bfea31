//! What a user holds: roles, and permissions that were given directly or come by a role.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::management::{Management, path};
use crate::cli::output::text;
use crate::cli::place::Place;
use crate::cli::roles::{Named, id_of};

#[derive(Debug, Subcommand)]
pub(super) enum Roles {
    /// List a user's roles
    #[command(visible_aliases = ["show", "ls"])]
    List {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Give a user roles
    #[command(visible_alias = "add")]
    Assign {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        /// The roles' names or ids, with commas between or repeated
        #[arg(
            long,
            short,
            visible_alias = "role",
            value_name = "ROLE",
            value_delimiter = ',',
            required = true
        )]
        roles: Vec<String>,
    },
    /// Take roles from a user
    #[command(visible_aliases = ["rm", "unassign"])]
    Remove {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        /// The roles' names or ids, with commas between or repeated
        #[arg(
            long,
            short,
            visible_alias = "role",
            value_name = "ROLE",
            value_delimiter = ',',
            required = true
        )]
        roles: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Permissions {
    /// List what a user may do, and whether by a role or directly
    #[command(visible_aliases = ["show", "ls"])]
    List {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Give a user permissions directly
    Add {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        #[command(flatten)]
        named: Named,
    },
    /// Take permissions from a user that were given to them directly
    #[command(visible_alias = "rm")]
    Remove {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        #[command(flatten)]
        named: Named,
    },
}

pub(super) async fn roles(api: &Management, place: &Place, action: Roles) -> Result<(), Failure> {
    let id = match action {
        Roles::List { id } => id,
        Roles::Assign { id, roles } => {
            api.post(&path(["users", &id, "roles"]), ids(api, &roles).await?)
                .await?;
            id
        }
        Roles::Remove { id, roles } => {
            api.delete(&path(["users", &id, "roles"]), ids(api, &roles).await?)
                .await?;
            id
        }
    };
    let held = api.all(&path(["users", &id, "roles"]), &[], None).await?;
    let row = |role: &Value| ["id", "name", "description"].map(|name| text(role, name)).to_vec();
    let rows: Vec<_> = held.iter().map(row).collect();
    place.print_list(
        &Value::Array(held),
        &["ROLE ID", "NAME", "DESCRIPTION"],
        &rows,
        "They have no role.",
    )
}

pub(super) async fn permissions(api: &Management, place: &Place, action: Permissions) -> Result<(), Failure> {
    let id = match action {
        Permissions::List { id } => id,
        Permissions::Add { id, named } => {
            api.post(&path(["users", &id, "permissions"]), named.body()).await?;
            id
        }
        Permissions::Remove { id, named } => {
            api.delete(&path(["users", &id, "permissions"]), named.body()).await?;
            id
        }
    };
    let held = api.all(&path(["users", &id, "permissions"]), &[], None).await?;
    let row = |permission: &Value| {
        let sources = permission["sources"].as_array().into_iter().flatten();
        let sources = sources.map(|source| match text(source, "source_name") {
            name if name.is_empty() => "directly".into(),
            name => name,
        });
        let [api, scope] = ["resource_server_identifier", "permission_name"].map(|name| text(permission, name));
        vec![api, scope, sources.collect::<Vec<_>>().join(", ")]
    };
    let rows: Vec<_> = held.iter().map(row).collect();
    place.print_list(
        &Value::Array(held),
        &["API", "SCOPE", "BY"],
        &rows,
        "They have no permission.",
    )
}

/// The body that names roles.
async fn ids(api: &Management, roles: &[String]) -> Result<Value, Failure> {
    let mut ids = Vec::new();
    for role in roles {
        let id = id_of(api, role).await?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(json!({ "roles": ids }))
}
