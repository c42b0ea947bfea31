//! `tokenhouse man`: a manual page for every command, from the same words as `--help`.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use super::output::{print, quoted};
use super::{Cli, Failure};

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  tokenhouse man /usr/local/share/man/man1")]
pub(super) struct Arguments {
    /// Where the pages are written, made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = arguments.folder.display().to_string();
    let written =
        std::fs::create_dir_all(&arguments.folder).and_then(|()| clap_mangen::generate_to(Cli::command(), &folder));
    written.map_err(|error| Failure::because(format_args!("cannot write manual pages to {folder}"), error))?;
    let first = quoted(&format!("{}/tokenhouse.1", folder.trim_end_matches('/')));
    print(&format!(
        "Wrote a page for each command to {folder}: `man -l {first}` shows the first."
    ))
}
