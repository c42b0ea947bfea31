//! `tokenhouse admins`: the people who run a tenant from the console.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Administrator, Page};

use super::Failure;
use super::output::{fields, may_go_on, print, remark};
use super::place::{Place, all};
use super::recorded::recorded;
use crate::accounts::sign_in::{self, Purpose};
use crate::dev::administrator::ADMINISTRATOR;
use crate::management::command::Command;
use crate::registry::administrators::{self, NewAdministrator};
use crate::tenant::Tenant;

/// How long a link to choose a password works, in milliseconds: a day, since it goes by mail or chat.
const PASSWORD_LINK_MS: i64 = 86_400_000;
/// How long a link to sign in works: a quarter of an hour.
const SIGN_IN_LINK_MS: i64 = 900_000;

#[derive(Args, Debug)]
#[command(after_help = "\
Who is made without a password gets a link, good once and for a day, by which they choose one.

Examples:
  tokenhouse admins create ada@example.org \\
    --config /etc/tokenhouse/tokenhouse.toml
  tokenhouse admins create ada@example.org --password-stdin < password.txt
  tokenhouse admins link ada@example.org   # a password was forgotten
  tokenhouse admins link                   # into the console of `dev` again")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an administrator
    Create {
        /// The e-mail address by which they sign in
        #[arg(value_name = "E-MAIL", required_unless_present = "email")]
        address: Option<String>,
        /// The same, as an option
        #[arg(long, value_name = "E-MAIL", conflicts_with = "address")]
        email: Option<String>,
        /// What people call them
        #[arg(long)]
        name: Option<String>,
        /// Read their password from the first line of standard input, in place of making a link
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the administrators
    List,
    /// Make a link by which somebody chooses another password or, in `dev`'s folder, just signs in
    Link {
        /// Their e-mail address or id [default in a folder of `dev`: the one that `dev` made]
        #[arg(value_name = "E-MAIL", default_value = ADMINISTRATOR, hide_default_value = true)]
        administrator: String,
    },
    /// Delete an administrator: they are signed out at once
    Delete {
        /// Their e-mail address or id
        #[arg(value_name = "E-MAIL")]
        administrator: String,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_tenant(async |tenant| match action {
            Action::Create {
                address,
                email,
                name,
                password_stdin,
            } => {
                let new = NewAdministrator {
                    email: address.or(email).unwrap_or_default(),
                    name,
                    password: if password_stdin { Some(read_password()?) } else { None },
                };
                create(tenant, &place, new).await
            }
            Action::List => list(tenant, &place).await,
            Action::Link { administrator } => {
                let command = Command::change("admins link", "Make a link for an administrator");
                let work = async {
                    let found = administrators::administrator(tenant, &administrator).await?;
                    Ok((link(tenant, &found).await?, named(&found)))
                };
                let link = recorded(tenant, command, work).await?;
                match place.is_json() {
                    true => place.print_json(&json!({ "url": link })),
                    false => print(&link),
                }
            }
            Action::Delete { administrator, force } => {
                let found = administrators::administrator(tenant, &administrator).await?;
                may_go_on(&format!("Delete the administrator {}?", found.email), force)?;
                let command = Command::change("admins delete", "Delete an administrator");
                let work = async {
                    administrators::remove(tenant, &found.id).await?;
                    Ok(((), named(&found)))
                };
                recorded(tenant, command, work).await?;
                place.print_deleted(&format!("Deleted {}. They are signed out.", found.email))
            }
        })
        .await
}

fn read_password() -> Result<Secret, Failure> {
    if io::stdin().is_terminal() {
        remark("Type the password and press Enter; it will be visible.");
    }
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::because("the password cannot be read", error))?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

async fn create(tenant: &Tenant, place: &Place, new: NewAdministrator) -> Result<(), Failure> {
    let command = Command::change("admins create", "Create an administrator");
    let work = async {
        let made = administrators::create(tenant, new).await?;
        let told = named(&made);
        Ok((made, told))
    };
    let made = recorded(tenant, command, work).await?;
    let link = match made.password_hash {
        Some(_) => None,
        None => Some(link(tenant, &made).await?),
    };
    if place.is_json() {
        let mut view = view(&made);
        view["password_url"] = json!(link);
        return place.print_json(&view);
    }
    print(&fields(&[
        ("E-mail", made.email.clone()),
        ("Administrator ID", made.id.to_string()),
        ("Console", tenant.issuer.url("console/")),
    ]))?;
    match link {
        Some(link) => print(&format!(
            "\nThey choose a password here, once and within a day:\n\n  {link}"
        )),
        None => Ok(()),
    }
}

async fn list(tenant: &Tenant, place: &Place) -> Result<(), Failure> {
    let page = async |page: Page| administrators::administrators(tenant, page).await;
    let found = all(page, |administrator| administrator.id.as_str()).await?;
    let row = |found: &Administrator| {
        let seen = found
            .signed_in_at
            .map_or_else(|| "never".to_owned(), |at| at.to_string());
        vec![found.email.clone(), found.name.clone().unwrap_or_default(), seen]
    };
    place.print_list(
        &found.iter().map(view).collect(),
        &["E-MAIL", "NAME", "SIGNED IN"],
        &found.iter().map(row).collect::<Vec<_>>(),
        "There are no administrators yet: `tokenhouse admins create E-MAIL` makes the first.",
    )
}

/// A link for somebody: the one that `dev` made has no password and just signs in.
async fn link(tenant: &Tenant, administrator: &Administrator) -> Result<String, Failure> {
    let (purpose, life_ms) = match administrator.email == ADMINISTRATOR {
        true => (Purpose::SignIn, SIGN_IN_LINK_MS),
        false => (Purpose::Password, PASSWORD_LINK_MS),
    };
    let key = sign_in::make_link(tenant, &administrator.id, purpose, life_ms).await?;
    Ok(sign_in::link_url(tenant, &key))
}

/// An administrator for programs; nothing of the password.
fn view(administrator: &Administrator) -> Value {
    json!({
        "administrator_id": administrator.id,
        "email": administrator.email,
        "name": administrator.name,
        "has_password": administrator.password_hash.is_some(),
        "created_at": administrator.created_at.to_string(),
        "signed_in_at": administrator.signed_in_at.map(|at| at.to_string()),
    })
}

/// An administrator as the log names them.
fn named(administrator: &Administrator) -> Value {
    json!({ "id": administrator.id, "email": administrator.email })
}
