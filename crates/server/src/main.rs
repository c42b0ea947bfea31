//! The binary: reads the command line, runs one command, and turns its end into an exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use tokenhouse::cli::{self, Cli, Failure};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(Failure(sentence)) if sentence.is_empty() => ExitCode::SUCCESS,
        Err(Failure(sentence)) => {
            // Where nobody reads stderr there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "tokenhouse: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because("the runtime cannot start", error))?;
    runtime.block_on(cli::run(cli))
}
