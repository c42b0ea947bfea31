//! `tokenhouse export`: a tenant as one file that another installation takes over whole, or as a folder that Auth0's
//! deploy CLI reads (docs/moving-in.md).

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args, Subcommand};

use super::Failure;
use super::import::{report, rows};
use super::output::remark;
use super::passphrase::Passphrase;
use super::place::Place;
use crate::management::command::Command;
use crate::registry::{RegistryError, full};
use crate::tenant::Tenant;

mod auth0;

#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    group = ArgGroup::new("what").args(["full"]).required(true),
    after_help = "\
The log and the usage are not in either form: `tokenhouse backup` keeps those.

Examples:
  tokenhouse export --full tenant.ndjson --passphrase-file passphrase.txt
  tokenhouse export auth0 ./my-tenant"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Write everything into this file: ids, times, password hashes, and secrets sealed under a passphrase
    #[arg(long, value_name = "FILE")]
    full: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Option<Passphrase>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The configuration as `a0deploy export` writes it, without ids and secrets
    Auth0 {
        /// The folder to make
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        what,
        full,
        passphrase,
        place,
    } = arguments;
    match (what, full, passphrase) {
        (Some(What::Auth0 { folder }), _, _) => {
            place
                .with_tenant(async |tenant| auth0::export(tenant, &place, &folder).await)
                .await
        }
        (None, Some(file), Some(passphrase)) => {
            place
                .with_tenant(async |tenant| whole(tenant, &place, &file, &passphrase).await)
                .await
        }
        (None, _, _) => Err(Failure(
            "say what the secrets are sealed under: --passphrase-file FILE or --passphrase-stdin".into(),
        )),
    }
}

/// Writes the file under another name, then gives it its own: whole or not at all.
async fn whole(tenant: &Arc<Tenant>, place: &Place, path: &Path, passphrase: &Passphrase) -> Result<(), Failure> {
    let passphrase = passphrase.read()?;
    if path.exists() {
        let path = path.display();
        return Err(Failure(format!("{path} is there already: name another file")));
    }
    let draft = path.with_added_extension("draft");
    let mut out = BufWriter::new(private(&draft).map_err(|error| cannot_write(&draft, &error))?);
    let done = async {
        let counts = full::export(tenant, &passphrase, &mut out).await?;
        // Before the file can be found: whoever has it has every secret.
        let command = Command::reading("export full", "Export the tenant whole, with its secrets and hashes");
        command.done(tenant, rows(&counts)).await?;
        Ok::<_, RegistryError>(counts)
    };
    let counts = match done.await {
        Ok(counts) => counts,
        Err(error) => {
            fs::remove_file(&draft).ok();
            return Err(error.into());
        }
    };
    let written = out.get_ref().sync_all().and_then(|()| fs::rename(&draft, path));
    written.map_err(|error| cannot_write(path, &error))?;
    if !place.is_json() {
        let path = path.display();
        remark(&format!(
            "{path} holds password hashes and sealed secrets: whoever has it and the passphrase is this tenant."
        ));
    }
    report(place, &counts)
}

/// A new file that its owner alone can read.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::because(format!("{} cannot be written", path.display()), error)
}
