//! `tokenhouse roles`: what users may do with APIs that enforce policies, by the name of a role (CONTRACT §4.7).

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Failure;
use super::management::{Management, path, permissions};
use super::output::{fields, may_go_on, print, table, text};
use super::place::Place;
use super::properties::Properties;

/// What stands above what a role gives.
const GIVEN: [&str; 2] = ["API", "SCOPE"];
const NOTHING: &str = "It gives nothing yet: see `tokenhouse roles permissions add --help`.";

#[derive(Args, Debug)]
#[command(after_help = "\
Permissions count for the APIs that were made with --rbac.

Examples:
  tokenhouse roles create Editor --description 'Writes reports'
  tokenhouse roles permissions add Editor --api https://api.example.org \\
    --permissions write:reports
  tokenhouse users roles assign USER_ID --roles Editor")]
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
        #[arg(required_unless_present = "named")]
        name: Option<String>,
        /// The same
        #[arg(id = "named", long = "name", short, value_name = "NAME", conflicts_with = "name")]
        named: Option<String>,
        /// What it is for
        #[arg(long, short)]
        description: Option<String>,
    },
    /// List the roles
    #[command(visible_alias = "ls")]
    List {
        /// Only the first so many
        #[arg(long, short, value_name = "N")]
        number: Option<usize>,
    },
    /// Show a role and what it gives
    Show {
        /// Its name or its id
        role: String,
    },
    /// Give a role another name or description
    Update {
        /// Its name or its id
        role: String,
        /// What people call it from now on
        #[arg(long, short)]
        name: Option<String>,
        /// What it is for; an empty text clears it
        #[arg(long, short)]
        description: Option<String>,
    },
    /// Delete a role: its users lose what it gave them
    #[command(visible_alias = "rm")]
    Delete {
        /// Its name or its id
        role: String,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
    /// What a role gives
    #[command(subcommand)]
    Permissions(Permissions),
    /// List the users who have a role
    Users {
        /// Its name or its id
        role: String,
    },
}

#[derive(Debug, Subcommand)]
enum Permissions {
    /// List what a role gives
    #[command(visible_alias = "ls")]
    List {
        /// Its name or its id
        role: String,
    },
    /// Let a role give scopes of an API
    Add {
        /// Its name or its id
        role: String,
        #[command(flatten)]
        named: Named,
    },
    /// Take scopes of an API from a role
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name or its id
        role: String,
        #[command(flatten)]
        named: Named,
    },
}

/// Permissions as a command names them.
#[derive(Args, Debug)]
pub(super) struct Named {
    /// The API, by its identifier or its id
    #[arg(long, short, visible_alias = "api-id", value_name = "IDENTIFIER")]
    pub(super) api: String,
    /// Some of its scopes, with commas between or repeated
    #[arg(
        long = "permissions",
        short = 'p',
        visible_aliases = ["permission", "scope"],
        value_name = "SCOPE",
        value_delimiter = ',',
        required = true
    )]
    pub(super) scopes: Vec<String>,
}

impl Named {
    /// The body that names them.
    pub(super) fn body(&self) -> Value {
        permissions(&self.api, &self.scopes)
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_management(async |api| match action {
            Action::Create {
                name,
                named,
                description,
            } => {
                let properties = Properties::default()
                    .with("name", name.or(named))
                    .with("description", description);
                show(api, &place, &api.post("roles", properties.body()).await?).await
            }
            Action::List { number } => list(api, &place, number).await,
            Action::Show { role } => show(api, &place, &found(api, &role).await?).await,
            Action::Update {
                role,
                name,
                description,
            } => {
                let description = description.map(|text| match text.is_empty() {
                    true => Value::Null,
                    false => text.into(),
                });
                let changes = Properties::default()
                    .with("name", name)
                    .with("description", description)
                    .changes()?;
                let id = id_of(api, &role).await?;
                show(api, &place, &api.patch(&path(["roles", &id]), changes).await?).await
            }
            Action::Delete { role, force } => delete(api, &place, &role, force).await,
            Action::Permissions(Permissions::List { role }) => {
                let given = given(api, &id_of(api, &role).await?).await?;
                let rows = rows(&given);
                place.print_list(&Value::Array(given), &GIVEN, &rows, NOTHING)
            }
            Action::Permissions(Permissions::Add { role, named }) => {
                let role = found(api, &role).await?;
                api.post(&path(["roles", &text(&role, "id"), "permissions"]), named.body())
                    .await?;
                show(api, &place, &role).await
            }
            Action::Permissions(Permissions::Remove { role, named }) => {
                let role = found(api, &role).await?;
                api.delete(&path(["roles", &text(&role, "id"), "permissions"]), named.body())
                    .await?;
                show(api, &place, &role).await
            }
            Action::Users { role } => users(api, &place, &role).await,
        })
        .await
}

/// The id of the role with this name or this id.
pub(super) async fn id_of(api: &Management, role: &str) -> Result<String, Failure> {
    Ok(text(&found(api, role).await?, "id"))
}

/// The role with this id or this name.
async fn found(api: &Management, role: &str) -> Result<Value, Failure> {
    let refused = match api.get(&path(["roles", role]), &[]).await {
        Ok(found) => return Ok(found),
        Err(refused) if refused.status == 404 => refused,
        Err(refused) => return Err(refused.into()),
    };
    let named = api.all("roles", &[("name_filter", role)], None).await?;
    let found = named.into_iter().find(|found| found["name"] == role);
    found.ok_or_else(|| refused.into())
}

async fn list(api: &Management, place: &Place, number: Option<usize>) -> Result<(), Failure> {
    let found = api.all("roles", &[], number).await?;
    let row = |role: &Value| ["id", "name", "description"].map(|name| text(role, name)).to_vec();
    let rows: Vec<_> = found.iter().map(row).collect();
    place.print_list(
        &Value::Array(found),
        &["ROLE ID", "NAME", "DESCRIPTION"],
        &rows,
        "There are no roles yet: `tokenhouse roles create NAME` makes one.",
    )
}

async fn delete(api: &Management, place: &Place, role: &str, force: bool) -> Result<(), Failure> {
    let role = found(api, role).await?;
    let name = text(&role, "name");
    may_go_on(&format!("Delete the role {name:?}?"), force)?;
    api.delete(&path(["roles", &text(&role, "id")]), Value::Null).await?;
    place.print_deleted(&format!("Deleted {name}. Tokens already issued stay as they are."))
}

async fn users(api: &Management, place: &Place, role: &str) -> Result<(), Failure> {
    let id = id_of(api, role).await?;
    let users = api.all(&path(["roles", &id, "users"]), &[], None).await?;
    let row = |user: &Value| ["user_id", "email", "name"].map(|name| text(user, name)).to_vec();
    let rows: Vec<_> = users.iter().map(row).collect();
    place.print_list(
        &Value::Array(users),
        &["USER ID", "E-MAIL", "NAME"],
        &rows,
        "Nobody has it: `tokenhouse users roles assign USER_ID --roles NAME` gives it to somebody.",
    )
}

/// Shows a role, and what it gives beside it.
async fn show(api: &Management, place: &Place, role: &Value) -> Result<(), Failure> {
    let given = given(api, &text(role, "id")).await?;
    if place.is_json() {
        let mut role = role.clone();
        role["permissions"] = json!(given);
        return place.print_json(&role);
    }
    print(&fields(&[
        ("Name", text(role, "name")),
        ("Role ID", text(role, "id")),
        ("Description", text(role, "description")),
    ]))?;
    print(&format!("\n{}", told(&given)))
}

async fn given(api: &Management, id: &str) -> Result<Vec<Value>, Failure> {
    Ok(api.all(&path(["roles", id, "permissions"]), &[], None).await?)
}

fn told(given: &[Value]) -> String {
    match given.is_empty() {
        true => NOTHING.into(),
        false => table(&GIVEN, &rows(given)),
    }
}

fn rows(given: &[Value]) -> Vec<Vec<String>> {
    let row = |permission: &Value| {
        ["resource_server_identifier", "permission_name"]
            .map(|name| text(permission, name))
            .to_vec()
    };
    given.iter().map(row).collect()
}
