//! The passphrase under which a tenant's secrets travel: from a file or from standard input, never from the command line.

use std::fmt;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;

use tokenhouse_protocol::secret::Secret;

use super::Failure;
use super::output::remark;

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Passphrase {
    /// The file whose first line is the passphrase, 12 characters at least
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from the first line of standard input
    #[arg(long)]
    passphrase_stdin: bool,
}

impl Passphrase {
    /// The passphrase.
    pub(super) fn read(&self) -> Result<Secret, Failure> {
        let text = match &self.passphrase_file {
            Some(file) => std::fs::read_to_string(file)
                .map_err(|error| Failure::because(format!("{} cannot be read", file.display()), error))?,
            None => {
                if io::stdin().is_terminal() {
                    remark("Type the passphrase and press Enter; it will be visible.");
                }
                let mut line = String::new();
                let read = io::stdin().lock().read_line(&mut line);
                read.map_err(|error| Failure::because("the passphrase cannot be read", error))?;
                line
            }
        };
        Ok(Secret::new(text.lines().next().unwrap_or_default()))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrase").finish_non_exhaustive()
    }
}
