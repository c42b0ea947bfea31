//! Where a user failed to sign in too often. The running server counts that, so it alone knows.

use clap::Subcommand;
use serde_json::Value;

use crate::cli::Failure;
use crate::cli::management::{Management, path};
use crate::cli::output::text;
use crate::cli::place::Place;

#[derive(Debug, Subcommand)]
pub(super) enum Blocks {
    /// List the addresses from which a user may not try for now
    #[command(visible_alias = "ls")]
    List {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Let a user try again from everywhere
    Unblock {
        /// Their id
        #[arg(value_name = "USER_ID")]
        id: String,
    },
}

pub(super) async fn run(api: &Management, place: &Place, action: Blocks) -> Result<(), Failure> {
    if place.server().is_none() {
        return Err(Failure(
            "failed logins are counted by the server that runs: name it with --server URL".into(),
        ));
    }
    match action {
        Blocks::List { id } => {
            let found = api.get(&path(["user-blocks", &id]), &[]).await?;
            let blocks = &found["blocked_for"];
            let row = |block: &Value| ["identifier", "ip"].map(|name| text(block, name)).to_vec();
            let rows: Vec<_> = blocks.as_array().into_iter().flatten().map(row).collect();
            place.print_list(blocks, &["TRIED AS", "FROM"], &rows, "They may try from everywhere.")
        }
        Blocks::Unblock { id } => {
            api.delete(&path(["user-blocks", &id]), Value::Null).await?;
            place.print_deleted("They may try again from everywhere.")
        }
    }
}
