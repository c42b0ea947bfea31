//! `tokenhouse users`: the people who sign in (CONTRACT §4.6).

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::UserId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::User;

use super::Failure;
use super::output::{fields, may_go_on, print, print_json, remark, table};
use super::place::{Place, all};
use super::roles::Named;
use crate::registry::connections::DEFAULT_CONNECTION;
use crate::registry::roles;
use crate::registry::users::{self, NewUser};
use crate::tenant::Tenant;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse users create --email ada@example.org --password-stdin < password.txt
  tokenhouse users block 'auth0|656565656565656565656565'
  tokenhouse users grant-permission USER_ID --api https://api.example.org --scope read:reports
  tokenhouse users list --json")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a user
    Create(Create),
    /// List the users
    List,
    /// Show a user
    Show {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Delete a user
    Delete {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
    /// Shut a user out: they get no more tokens
    Block {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Let a blocked user in again
    Unblock {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Let a user do something with an API that was made with --rbac
    GrantPermission {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        #[command(flatten)]
        permission: Named,
    },
    /// Take a permission from a user that was given to them directly
    RevokePermission {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        #[command(flatten)]
        permission: Named,
    },
    /// Give a user a role
    AssignRole {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        /// The role's name or id
        role: String,
    },
    /// Take a role from a user
    UnassignRole {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        /// The role's name or id
        role: String,
    },
    /// Show what a user may do: their roles and their direct permissions
    Permissions {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Give a user another password
    SetPassword {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        #[command(flatten)]
        password: Password,
    },
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("login").args(["email", "username"]).required(true).multiple(true))]
struct Create {
    /// The e-mail address
    #[arg(long)]
    email: Option<String>,
    /// The user name, beside the address or in its place
    #[arg(long)]
    username: Option<String>,
    /// Where the user is kept
    #[arg(long, value_name = "NAME", default_value = DEFAULT_CONNECTION)]
    connection: String,
    /// The address is known to be theirs
    #[arg(long, requires = "email")]
    email_verified: bool,
    #[command(flatten)]
    password: Password,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Password {
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
    /// The password itself; it stays in your shell's history, so prefer --password-stdin
    #[arg(long)]
    password: Option<String>,
}

/// Never the password.
impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password").finish_non_exhaustive()
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_tenant(async |tenant| match action {
            Action::Create(new) => create(tenant, &place, new).await,
            Action::List => list(tenant, &place).await,
            Action::Show { id } => {
                let user = users::user(tenant, &UserId::new(id)).await?;
                answer(tenant, &place, &user).await
            }
            Action::Delete { id, force } => delete(tenant, &place, &UserId::new(id), force).await,
            Action::Block { id } => {
                let user = users::set_blocked(tenant, &UserId::new(id), true).await?;
                answer(tenant, &place, &user).await
            }
            Action::Unblock { id } => {
                let user = users::set_blocked(tenant, &UserId::new(id), false).await?;
                answer(tenant, &place, &user).await
            }
            Action::GrantPermission { id, permission } => {
                let id = UserId::new(id);
                roles::grant(tenant, &id, &permission.api, &permission.scope).await?;
                permissions(tenant, &place, &id).await
            }
            Action::RevokePermission { id, permission } => {
                let id = UserId::new(id);
                roles::revoke(tenant, &id, &permission.api, &permission.scope).await?;
                permissions(tenant, &place, &id).await
            }
            Action::AssignRole { id, role } => {
                let (id, role) = (UserId::new(id), roles::role(tenant, &role).await?);
                roles::assign(tenant, &id, &role.id).await?;
                permissions(tenant, &place, &id).await
            }
            Action::UnassignRole { id, role } => {
                let (id, role) = (UserId::new(id), roles::role(tenant, &role).await?);
                roles::unassign(tenant, &id, &role.id).await?;
                permissions(tenant, &place, &id).await
            }
            Action::Permissions { id } => permissions(tenant, &place, &UserId::new(id)).await,
            Action::SetPassword { id, password } => {
                let id = UserId::new(id);
                users::set_password(tenant, &id, &password.read()?).await?;
                answer(tenant, &place, &users::user(tenant, &id).await?).await
            }
        })
        .await
}

impl Password {
    fn read(self) -> Result<Secret, Failure> {
        if let Some(password) = self.password {
            remark("Note: a password on the command line stays in your shell's history; prefer --password-stdin.");
            return Ok(Secret::new(password));
        }
        if io::stdin().is_terminal() {
            remark("Type the password and press Enter; it will be visible.");
        }
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.map_err(|error| Failure::because("the password cannot be read", error))?;
        Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
    }
}

async fn create(tenant: &Tenant, place: &Place, new: Create) -> Result<(), Failure> {
    let user = NewUser {
        connection: new.connection,
        email: new.email,
        email_verified: new.email_verified,
        username: new.username,
        password: new.password.read()?,
    };
    let user = users::create(tenant, user).await?;
    answer(tenant, place, &user).await?;
    if place.json {
        return Ok(());
    }
    print(
        "\nAn application gets tokens for this user with the password grant:\n\n  \
         tokenhouse apps create NAME --type regular --grant-type password",
    )
}

async fn list(tenant: &Tenant, place: &Place) -> Result<(), Failure> {
    let found = all(async |page| users::users(tenant, page).await, |user| user.id.as_str()).await?;
    if place.json {
        let mut views = Vec::new();
        for user in &found {
            views.push(view(tenant, user).await?);
        }
        return print_json(&Value::Array(views));
    }
    if found.is_empty() {
        return print("There are no users yet: `tokenhouse users create --email ADDRESS --password-stdin` makes one.");
    }
    let row = |user: &User| {
        let (email, username) = (
            user.email.clone().unwrap_or_default(),
            user.username.clone().unwrap_or_default(),
        );
        let blocked = if user.blocked { "blocked" } else { "" };
        vec![user.id.to_string(), email, username, blocked.to_owned()]
    };
    print(&table(
        &["USER ID", "E-MAIL", "USER NAME", ""],
        &found.iter().map(row).collect::<Vec<_>>(),
    ))
}

async fn delete(tenant: &Tenant, place: &Place, id: &UserId, force: bool) -> Result<(), Failure> {
    let user = users::user(tenant, id).await?;
    let name = user.email.or(user.username).unwrap_or_else(|| id.to_string());
    may_go_on(&format!("Delete the user {name}?"), force)?;
    users::remove(tenant, id).await?;
    place.print_deleted(&format!(
        "Deleted {name}. Tokens already issued stay valid until they expire."
    ))
}

async fn permissions(tenant: &Tenant, place: &Place, id: &UserId) -> Result<(), Failure> {
    let (user, store) = (users::user(tenant, id).await?, &tenant.house.store);
    let held = store.permissions_of_user(&tenant.id, id).await?;
    let assigned = store.roles_of_user(&tenant.id, id).await?;
    let (views, rows) = super::roles::permissions(tenant, &held).await?;
    if place.json {
        let assigned: Vec<Value> = assigned
            .iter()
            .map(|role| json!({ "id": role.id, "name": role.name }))
            .collect();
        return print_json(&json!({ "user_id": user.id, "roles": assigned, "permissions": views }));
    }
    let assigned: Vec<String> = assigned.into_iter().map(|role| role.name).collect();
    print(&fields(&[
        ("User ID", user.id.to_string()),
        ("Roles", assigned.join(", ")),
    ]))?;
    match rows.is_empty() {
        true => print("\nNo direct permissions."),
        false => print(&format!("\n{}", table(&["API", "SCOPE"], &rows))),
    }
}

async fn answer(tenant: &Tenant, place: &Place, user: &User) -> Result<(), Failure> {
    if place.json {
        return print_json(&view(tenant, user).await?);
    }
    print(&fields(&[
        ("User ID", user.id.to_string()),
        ("E-mail", user.email.clone().unwrap_or_default()),
        ("User name", user.username.clone().unwrap_or_default()),
        ("Kept in", connection_name(tenant, user).await?),
        ("Blocked", if user.blocked { "yes".into() } else { String::new() }),
        ("Created", user.created_at.to_string()),
    ]))
}

/// A user in the Management API's fields; nothing of the password.
async fn view(tenant: &Tenant, user: &User) -> Result<Value, Failure> {
    let mut view: Map<String, Value> = user.rest.clone();
    view.insert("user_id".into(), json!(user.id));
    view.extend(user.email.as_ref().map(|email| ("email".into(), json!(email))));
    view.insert("email_verified".into(), json!(user.email_verified));
    view.extend(
        user.username
            .as_ref()
            .map(|username| ("username".into(), json!(username))),
    );
    view.insert("blocked".into(), json!(user.blocked));
    view.insert("created_at".into(), json!(user.created_at.to_string()));
    view.insert("updated_at".into(), json!(user.updated_at.to_string()));
    let (provider, id) = user.id.as_str().split_once('|').unwrap_or(("auth0", user.id.as_str()));
    let connection = connection_name(tenant, user).await?;
    let identity = json!({ "user_id": id, "connection": connection, "provider": provider, "isSocial": false });
    view.insert("identities".into(), json!([identity]));
    Ok(Value::Object(view))
}

async fn connection_name(tenant: &Tenant, user: &User) -> Result<String, Failure> {
    let connection = tenant.house.store.connection(&tenant.id, &user.connection_id).await?;
    Ok(connection.map(|connection| connection.name).unwrap_or_default())
}
