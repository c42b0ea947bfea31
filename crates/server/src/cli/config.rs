//! `tokenhouse config`: what is configured, from the file, the environment and the defaults together.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Failure;
use super::output::print;
use crate::config::Config;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every key with the value in force, as a file; secrets are hidden
    Show {
        /// The configuration file; without it, the environment and the defaults
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.action {
        Action::Show { config } => print(Config::load(config.as_deref())?.shown().trim_end()),
    }
}
