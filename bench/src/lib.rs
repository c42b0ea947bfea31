//! What the benchmark's programs share: a load generator, the numbers drawn from it, and the processes measured.
//!
//! `bench/run` builds and starts everything; `measure` makes the table out of what `floor`, `load`, `api` and `seed` do.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

pub mod generator;
pub mod numbers;
pub mod process;
pub mod response;

/// A result of a program that a person started, who reads why it failed.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// The exit code of a program, whose failure is said on stderr in one line.
pub fn exit(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Says a line on stderr: how far the run is, never a figure of the table.
pub fn say(line: &str) {
    // Where nobody reads stderr there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{line}");
}
