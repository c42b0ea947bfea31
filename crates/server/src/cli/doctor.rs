//! `tokenhouse doctor`: looks at an installation from the inside and from the outside, and says of each part how it is
//! and what to do.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use tokenhouse_protocol::time::Clock;

use super::Failure;
use super::output::print;
use super::place::{Place, Running};
use crate::config::Config;

mod database;
mod files;
mod world;

#[derive(Args, Debug)]
#[command(after_help = "\
Each line says ok, warn or fail, and what to do. The exit code is 0 unless something fails. With --server a server is \
looked at from outside alone; whether its Management API lets you in, if the environment names an application.

Examples:
  tokenhouse doctor
  tokenhouse doctor --config /etc/tokenhouse/tokenhouse.toml
  tokenhouse doctor --server https://auth.example.com/ --json")]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// What was found, in order.
#[derive(Default)]
struct Report(Vec<Finding>);

struct Finding {
    state: State,
    /// What was looked at.
    about: &'static str,
    /// How it is.
    text: String,
    /// What to do about it; empty where all is well.
    advice: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Warn,
    Fail,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let place = arguments.place;
    let clock = Clock::system();
    let mut report = Report::default();
    match place.server() {
        Some((server, ca_file)) => {
            world::look(&mut report, server, ca_file, clock.now()).await;
            world::enter(&mut report, server, ca_file).await;
        }
        None => here(&mut report, &place, &clock).await,
    }
    let worst = report.0.iter().map(|finding| finding.state).max().unwrap_or(State::Ok);
    if place.is_json() {
        place.print_json(&report.to_json(worst))?;
    } else {
        print(&report.told(worst))?;
    }
    Ok(match worst {
        State::Ok | State::Warn => ExitCode::SUCCESS,
        State::Fail => ExitCode::FAILURE,
    })
}

/// Everything that can be seen where the data is.
async fn here(report: &mut Report, place: &Place, clock: &Clock) {
    let config = match place.configuration() {
        Ok(config) => config,
        Err(Failure(why)) => return report.fail("configuration", why, "Correct it; nothing else was looked at."),
    };
    let is_served = place.is_configured();
    files::configuration(report, &config, is_served);
    files::certificate(report, &config, clock.now());
    files::data_folder(report, &config);
    files::sealing_key(report, &config, is_served);
    let opened = match place.check_is_there(&config) {
        Ok(()) => database::open(report, &config).await,
        Err(Failure(why)) => {
            report.fail("database", why, "Name the right place with --data or --config.");
            None
        }
    };
    let published = match is_served || Running::in_folder(&config.server.data).is_some() {
        true => {
            let ca_file = files::local_authority(&config);
            world::look(report, &config.server.issuer, ca_file.as_deref(), clock.now()).await
        }
        false => {
            let text = "no `tokenhouse dev` runs in this folder";
            report.warn(
                "reachability",
                text,
                "Start it, or name the configuration of a server with --config.",
            );
            None
        }
    };
    if let Some(app) = opened {
        database::look(report, &app, clock, published.as_deref()).await;
        app.house.store.close().await;
    }
}

impl Report {
    fn ok(&mut self, about: &'static str, text: impl Into<String>) {
        self.add(State::Ok, about, text, "");
    }

    fn warn(&mut self, about: &'static str, text: impl Into<String>, advice: &str) {
        self.add(State::Warn, about, text, advice);
    }

    fn fail(&mut self, about: &'static str, text: impl Into<String>, advice: &str) {
        self.add(State::Fail, about, text, advice);
    }

    fn add(&mut self, state: State, about: &'static str, text: impl Into<String>, advice: &str) {
        self.0.push(Finding {
            state,
            about,
            text: text.into(),
            advice: advice.to_owned(),
        });
    }

    fn told(&self, worst: State) -> String {
        let width = self
            .0
            .iter()
            .map(|finding| finding.about.len())
            .max()
            .unwrap_or_default();
        let mut lines = Vec::new();
        for Finding {
            state,
            about,
            text,
            advice,
        } in &self.0
        {
            lines.push(format!("{:<4}  {about:<width$}  {text}", state.word()));
            if !advice.is_empty() {
                lines.push(format!("{:<4}  {:<width$}  → {advice}", "", ""));
            }
        }
        let verdict = match worst {
            State::Ok => "All is well.",
            State::Warn => "It works; the lines with warn say what could be better.",
            State::Fail => "Something is wrong: begin with the first line that says fail.",
        };
        format!("{}\n\n{verdict}", lines.join("\n"))
    }

    fn to_json(&self, worst: State) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "check": finding.about,
                "state": finding.state.word(),
                "text": finding.text,
                "advice": finding.advice,
            })
        };
        json!({ "state": worst.word(), "checks": self.0.iter().map(finding).collect::<Vec<_>>() })
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// A time span in the largest unit that is not nought.
fn span(ms: i64) -> String {
    let seconds = ms.abs() / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Where the configuration says that the database is, without a password.
fn database_name(config: &Config) -> String {
    match config.database.url.rsplit_once('@') {
        Some((_, host)) => format!("PostgreSQL at {host}"),
        None if config.database.url.is_empty() => {
            let file = config.server.data.join(crate::dev::folder::DATABASE_FILE);
            format!("SQLite in {}", file.display())
        }
        None => "PostgreSQL".into(),
    }
}
