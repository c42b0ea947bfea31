//! `tokenhouse users`: the people who sign in (CONTRACT §4.6).

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::Failure;
use super::management::{Management, path};
use super::output::{fields, may_go_on, print, remark, text};
use super::place::Place;
use super::properties::{Properties, Set};
use crate::registry::connections::DEFAULT_CONNECTION;

use self::held::{Permissions, Roles};
use self::password::Password;

mod blocks;
mod held;
mod password;

/// Users that are shown unless more are asked for: there may be a million.
const SHOWN: usize = 100;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse users create --email ada@example.org --password-stdin < file.txt
  tokenhouse users search --query 'email:ada*' --sort name:1
  tokenhouse users update USER_ID --set 'app_metadata={\"plan\":\"gold\"}'
  tokenhouse users block 'auth0|656565656565656565656565'
  tokenhouse users roles assign USER_ID --roles Editor,Reader
  tokenhouse users permissions add USER_ID \\
    --api https://api.example.org --permissions read:reports")]
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
    /// List or search the users
    #[command(visible_aliases = ["search", "ls"])]
    List {
        /// Which, as in 'email:ada* AND blocked:true', 'app_metadata.plan:gold', '_exists_:username'
        #[arg(long, short)]
        query: Option<String>,
        /// In which order: a property, then :1 or :-1
        #[arg(long, short, value_name = "PROPERTY:ORDER")]
        sort: Option<String>,
        /// Only the first so many [default: 100]
        #[arg(long, short, value_name = "N")]
        number: Option<usize>,
    },
    /// List the users with an e-mail address
    SearchByEmail {
        /// The address
        email: String,
    },
    /// Show a user
    Show {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Change a user; what is not named stays as it is
    Update {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
        #[command(flatten)]
        changes: Changes,
    },
    /// Delete a user
    #[command(visible_alias = "rm")]
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
    /// Let a user in again who was shut out
    Unblock {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Where a user failed to sign in too often, and letting them try again
    #[command(subcommand)]
    Blocks(blocks::Blocks),
    /// The roles of a user
    #[command(subcommand)]
    Roles(Roles),
    /// What a user may do with APIs that were made with --rbac
    #[command(subcommand)]
    Permissions(Permissions),
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
    #[arg(long, short)]
    email: Option<String>,
    /// The user name, beside the address or in its place
    #[arg(long, short)]
    username: Option<String>,
    /// What people call them
    #[arg(long, short)]
    name: Option<String>,
    /// Where the user is kept
    #[arg(long, short, visible_alias = "connection-name", value_name = "NAME", default_value = DEFAULT_CONNECTION)]
    connection: String,
    /// The address is known to be theirs
    #[arg(long, requires = "email")]
    email_verified: bool,
    #[command(flatten)]
    password: Password,
    #[command(flatten)]
    set: Set,
}

#[derive(Args, Debug)]
struct Changes {
    /// Another e-mail address
    #[arg(long, short)]
    email: Option<String>,
    /// The address is known to be theirs
    #[arg(long)]
    email_verified: bool,
    /// Another user name
    #[arg(long, short)]
    username: Option<String>,
    /// What people call them
    #[arg(long, short)]
    name: Option<String>,
    /// Shut them out, or with false let them in again
    #[arg(long, short, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    blocked: Option<bool>,
    #[command(flatten)]
    set: Set,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_management(async |api| match action {
            Action::Create(new) => create(api, &place, new).await,
            Action::List { query, sort, number } => list(api, &place, query, sort, number).await,
            Action::SearchByEmail { email } => {
                let found = api.get("users-by-email", &[("email", email.as_str())]).await?;
                listed(&place, found.as_array().cloned().unwrap_or_default())
            }
            Action::Show { id } => shown(&place, &user(api, &id).await?),
            Action::Update { id, changes } => {
                let properties = Properties::default()
                    .with("email", changes.email)
                    .with("email_verified", changes.email_verified.then_some(true))
                    .with("username", changes.username)
                    .with("name", changes.name)
                    .with("blocked", changes.blocked)
                    .with_set(changes.set);
                change(api, &place, &id, properties.changes()?).await
            }
            Action::Delete { id, force } => delete(api, &place, &id, force).await,
            Action::Block { id } => change(api, &place, &id, json!({ "blocked": true })).await,
            Action::Unblock { id } => change(api, &place, &id, json!({ "blocked": false })).await,
            Action::Blocks(action) => blocks::run(api, &place, action).await,
            Action::Roles(action) => held::roles(api, &place, action).await,
            Action::Permissions(action) => held::permissions(api, &place, action).await,
            Action::SetPassword { id, password } => {
                let password = password.read()?;
                change(api, &place, &id, json!({ "password": password.expose() })).await
            }
        })
        .await
}

async fn create(api: &Management, place: &Place, new: Create) -> Result<(), Failure> {
    let properties = Properties::default()
        .with("connection", Some(new.connection))
        .with("email", new.email)
        .with("email_verified", new.email_verified.then_some(true))
        .with("username", new.username)
        .with("name", new.name)
        .with("password", Some(new.password.read()?.expose()))
        .with_set(new.set);
    let user = api.post("users", properties.body()).await?;
    shown(place, &user)?;
    if place.is_json() {
        return Ok(());
    }
    print(
        "\nAn application gets tokens for this user with the password grant:\n\n  \
         tokenhouse apps create NAME --type regular --grant-type password",
    )
}

async fn list(
    api: &Management,
    place: &Place,
    query: Option<String>,
    sort: Option<String>,
    number: Option<usize>,
) -> Result<(), Failure> {
    let said = [("q", &query), ("sort", &sort)];
    let said: Vec<_> = said
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .collect();
    // One more than is shown tells whether there are more.
    let mut found = api.all("users", &said, Some(number.unwrap_or(SHOWN + 1))).await?;
    if number.is_none() && found.len() > SHOWN {
        found.truncate(SHOWN);
        remark("These are the first 100: --number says how many you want, --query which.");
    }
    listed(place, found)
}

async fn change(api: &Management, place: &Place, id: &str, changes: Value) -> Result<(), Failure> {
    shown(place, &api.patch(&path(["users", id]), changes).await?)
}

async fn delete(api: &Management, place: &Place, id: &str, force: bool) -> Result<(), Failure> {
    let user = user(api, id).await?;
    let name = ["email", "username", "user_id"].map(|name| text(&user, name));
    let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    may_go_on(&format!("Delete the user {name}?"), force)?;
    api.delete(&path(["users", id]), Value::Null).await?;
    place.print_deleted(&format!(
        "Deleted {name}. Tokens already issued stay valid until they expire."
    ))
}

async fn user(api: &Management, id: &str) -> Result<Value, Failure> {
    Ok(api.get(&path(["users", id]), &[]).await?)
}

fn listed(place: &Place, found: Vec<Value>) -> Result<(), Failure> {
    let row = |user: &Value| {
        let [id, email, username, name] = ["user_id", "email", "username", "name"].map(|name| text(user, name));
        let blocked = if user["blocked"] == true { "blocked" } else { "" };
        vec![id, email, username, name, blocked.to_owned()]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    place.print_list(
        &Value::Array(found),
        &["USER ID", "E-MAIL", "USER NAME", "NAME", "BLOCKED"],
        &rows,
        "There are none: `tokenhouse users create --email ADDRESS --password-stdin` makes one.",
    )
}

fn shown(place: &Place, user: &Value) -> Result<(), Failure> {
    if place.is_json() {
        return place.print_json(user);
    }
    let blocked = if user["blocked"] == true { "yes" } else { "" };
    print(&fields(&[
        ("User ID", text(user, "user_id")),
        ("Name", text(user, "name")),
        ("E-mail", text(user, "email")),
        ("User name", text(user, "username")),
        ("Kept in", text(&user["identities"][0], "connection")),
        ("Blocked", blocked.into()),
        ("User metadata", text(user, "user_metadata")),
        ("App metadata", text(user, "app_metadata")),
        ("Created", text(user, "created_at")),
        ("Updated", text(user, "updated_at")),
    ]))
}
