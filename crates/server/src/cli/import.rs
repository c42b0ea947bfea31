//! `tokenhouse import`: configuration and users from elsewhere (docs/moving-in.md).

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Failure;
use super::passphrase::Passphrase;
use super::place::Place;
use crate::registry::import::users::Source;

mod auth0;
mod full;
mod progress;
mod tally;
mod users;

pub(super) use auth0::plan::{Plan, segment, text};
pub(super) use auth0::steps::pages::{LOGIN as LOGIN_PAGE, OF_SETTINGS as PAGES, global_client};
pub(super) use full::{report, rows};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse import auth0 ./my-tenant --dry-run  # from `a0deploy export`
  tokenhouse import auth0 tenant.yaml --replace ENV=prod
  tokenhouse import auth0 users.json             # as Auth0's jobs write them
  tokenhouse import django users.json            # from `dumpdata auth.user`
  tokenhouse import full tenant.ndjson --passphrase-file passphrase.txt \\
    --tenant moved")]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What Auth0's deploy CLI exports (a folder or YAML), or a file of users as Auth0's jobs take and write them
    Auth0(Auth0),
    /// A full export, into a tenant that is empty: every id, time, hash and secret as it was
    Full(Full),
    /// The users of Django's `dumpdata auth.user`, whose passwords go on to work
    Django(Django),
}

#[derive(Args, Debug)]
struct Auth0 {
    /// The folder, the YAML file, or the file of users (a JSON list, or an object in each line)
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    markers: auth0::Markers,
    #[command(flatten)]
    users: users::Options,
}

#[derive(Args, Debug)]
struct Full {
    /// What `tokenhouse export --full` wrote
    #[arg(value_name = "FILE")]
    path: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

#[derive(Args, Debug)]
struct Django {
    /// The file of users
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    users: users::Options,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { what, place } = arguments;
    let place = &place;
    match what {
        What::Auth0(asked) => {
            let is_users = users::are_in(&asked.path)?;
            place
                .with_tenant(async |tenant| match is_users {
                    true => {
                        let file = users::File::new(asked.path, Source::Auth0, asked.dry_run);
                        Box::pin(users::import(tenant, place, file, asked.users)).await
                    }
                    false => {
                        let read = auth0::read(&asked.path, &asked.markers)?;
                        Box::pin(auth0::import(tenant, place, read, asked.dry_run)).await
                    }
                })
                .await
        }
        What::Full(asked) => {
            let passphrase = asked.passphrase.read()?;
            place
                .with_tenant(async |tenant| full::import(tenant, place, &asked.path, &passphrase).await)
                .await
        }
        What::Django(asked) => {
            place
                .with_tenant(async |tenant| {
                    let file = users::File::new(asked.path, Source::Django, asked.dry_run);
                    Box::pin(users::import(tenant, place, file, asked.users)).await
                })
                .await
        }
    }
}
