//! How long, how often and where: what every row needs, and the programs it runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use tokenhouse_bench::Outcome;
use tokenhouse_bench::generator::Report;

/// The core of whatever is measured. The load generator is on the other, where this program was started.
const SERVER_CORE: &str = "0";

/// Seconds before a turn is measured: what was measured before it has left its caches to the next.
const TURN_WARM_UP_S: f64 = 0.25;

/// The run's size and places.
pub(crate) struct Bench {
    programs: PathBuf,
    /// Where data is kept, on the disk that is measured.
    pub(crate) folder: PathBuf,
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    /// Turns that what is compared takes within a round, so that both meet the same seconds of a machine that others share.
    pub(crate) turns: usize,
    /// Seconds that a load is measured, in all turns of a round.
    pub(crate) seconds: f64,
    warm_up: f64,
    /// Applications in the database.
    pub(crate) applications: usize,
    /// Tokens after which memory is looked at.
    pub(crate) many_tokens: usize,
    /// Tokens that a guard has not seen.
    pub(crate) fresh_tokens: usize,
}

/// What the machine can do of something.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Floor {
    pub(crate) per_s: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// A load to be run.
#[derive(Clone)]
pub(crate) struct Load(Vec<String>);

impl Bench {
    /// Makes the folder anew.
    pub(crate) fn new(programs: PathBuf, folder: PathBuf, quick: bool) -> Outcome<Self> {
        fs::create_dir_all(&folder)?;
        let short = Self {
            programs,
            folder,
            quick,
            rounds: 3,
            turns: 2,
            seconds: 1.0,
            warm_up: 0.3,
            applications: 10_000,
            many_tokens: 100_000,
            fresh_tokens: 8_000,
        };
        if quick {
            return Ok(short);
        }
        Ok(Self {
            rounds: 5,
            turns: 4,
            seconds: 4.0,
            warm_up: 1.0,
            applications: 100_000,
            many_tokens: 1_000_000,
            fresh_tokens: 30_000,
            ..short
        })
    }

    /// Does `round` as often as the run asks.
    pub(crate) fn rounds<T>(&self, mut round: impl FnMut() -> Outcome<T>) -> Outcome<Vec<T>> {
        (0..self.rounds).map(|_| round()).collect()
    }

    /// Does `turn` as often as a round has turns, each with its number from 0.
    pub(crate) fn turns<T>(&self, turn: impl FnMut(usize) -> Outcome<T>) -> Outcome<Vec<T>> {
        (0..self.turns).map(turn).collect()
    }

    /// One of our programs, not yet started.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    /// One of our programs on the server's core.
    pub(crate) fn on_server_core(&self, name: &str) -> Command {
        self.other_on_server_core(&self.programs.join(name))
    }

    /// A program that is not of this workspace on the server's core.
    pub(crate) fn other_on_server_core(&self, program: &Path) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", SERVER_CORE]).arg(program);
        command
    }

    /// What the server's core and disk can do.
    pub(crate) fn floor(&self, what: &str) -> Outcome<Floor> {
        let mut floors = self.floors(what)?;
        Ok(floors.remove(what).ok_or("floor printed something else")?)
    }

    /// The same, with what is measured in turns with it.
    pub(crate) fn floors(&self, what: &str) -> Outcome<BTreeMap<String, Floor>> {
        let milliseconds = match (what, self.quick) {
            ("argon2id" | "fdatasync", false) => "2000",
            ("argon2id" | "fdatasync", true) | (_, false) => "500",
            (_, true) => "200",
        };
        let mut command = self.on_server_core("floor");
        command.args([what, "--milliseconds", milliseconds, "--folder"]);
        json_of(command.arg(&self.folder))
    }

    /// Runs a load to its end.
    pub(crate) fn load(&self, load: &Load) -> Outcome<Report> {
        json_of(self.program("load").args(&load.0))
    }

    /// Runs a load with the run's own warm-up and time.
    pub(crate) fn timed(&self, load: &Load) -> Outcome<Report> {
        self.load(
            &load
                .clone()
                .with("--warm-up", &self.warm_up)
                .with("--seconds", &self.seconds),
        )
    }

    /// Runs a load for one turn's part of the run's time.
    pub(crate) fn turn(&self, load: &Load) -> Outcome<Report> {
        let seconds = self.seconds / self.turns as f64;
        let load = load.clone().with("--warm-up", &TURN_WARM_UP_S);
        self.load(&load.with("--seconds", &seconds))
    }

    /// Starts a load that goes on beside others.
    pub(crate) fn background(&self, load: &Load) -> Outcome<Child> {
        Ok(self.program("load").args(&load.0).stdout(Stdio::piped()).spawn()?)
    }
}

impl Load {
    /// Requests to an address.
    pub(crate) fn to(url: &str) -> Self {
        Self(vec![url.to_owned()])
    }

    /// The same with an option of `load`.
    pub(crate) fn with(mut self, option: &str, value: &impl ToString) -> Self {
        self.0.extend([option.to_owned(), value.to_string()]);
        self
    }

    /// The same from a generator that never sleeps, so that it costs the server nothing to wake it.
    pub(crate) fn awake(mut self) -> Self {
        self.0.push("--awake".to_owned());
        self
    }

    /// The same with words from a file.
    pub(crate) fn lines(self, file: &Path) -> Self {
        self.with("--lines", &file.display())
    }
}

/// The report of a load that was started in the background.
pub(crate) fn finished(load: Child) -> Outcome<Report> {
    let output = load.wait_with_output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What a program prints, or the line in which it says why it failed.
pub(crate) fn json_of<T: DeserializeOwned>(command: &mut Command) -> Outcome<T> {
    Ok(serde_json::from_slice(text_of(command)?.as_bytes())?)
}

/// The same as text.
pub(crate) fn text_of(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{:?} failed: {}", command.get_program(), said.trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
