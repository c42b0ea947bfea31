//! A password on its way in: from standard input or, for trying things out, from the command line.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use clap::Args;

use tokenhouse_protocol::secret::Secret;

use crate::cli::Failure;
use crate::cli::output::remark;

/// Most bytes of a line that are read.
const MAX_LINE_BYTES: u64 = 64 * 1024;

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Password {
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
    /// The password itself; it stays in your shell's history, so prefer --password-stdin
    #[arg(long, short)]
    password: Option<String>,
}

impl Password {
    pub(super) fn read(self) -> Result<Secret, Failure> {
        if let Some(password) = self.password {
            remark("Note: a password on the command line stays in your shell's history; prefer --password-stdin.");
            return Ok(Secret::new(password));
        }
        if io::stdin().is_terminal() {
            remark("Type the password and press Enter; it will be visible.");
        }
        let mut line = String::new();
        let read = io::stdin().lock().take(MAX_LINE_BYTES).read_line(&mut line);
        read.map_err(|error| Failure::because("the password cannot be read", error))?;
        Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
    }
}

/// Never the password.
impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password").finish_non_exhaustive()
    }
}
