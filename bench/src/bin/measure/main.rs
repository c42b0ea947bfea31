//! `measure`: runs every row of the benchmark, each beside what it is compared with, and prints one table of ratios.
//!
//! It is started by `bench/run` on the load generator's core; whatever is measured is started on the other.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use tokenhouse_bench::numbers::{median, ms};
use tokenhouse_bench::{Outcome, exit, process, say};

use crate::bench::Bench;
use crate::house::House;
use crate::peers::Peers;
use crate::table::Row;

mod bench;
mod console;
mod guarding;
mod house;
mod issuing;
mod keeping;
mod management;
mod passwords;
mod peers;
mod table;
mod visitor;

/// Measures everything and prints a table in Markdown.
#[derive(Parser)]
struct Arguments {
    /// A folder on a real disk for data, made anew
    #[arg(long)]
    folder: PathBuf,
    /// Where the release binaries are
    #[arg(long)]
    programs: PathBuf,
    /// An empty PostgreSQL database; without it there is no row on PostgreSQL
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Three short rounds of everything, for a look
    #[arg(long)]
    quick: bool,
    /// Only the rows of these groups: issuing, guarding, passwords, memory, applications, postgres, start; and guard
    /// and management and console, which are measured only when they are named
    #[arg(long, value_name = "GROUP")]
    only: Vec<String>,
    /// The program of bench/guards: who the guard is compared with
    #[arg(long, value_name = "FILE", default_value = "target/guards/release/guards")]
    guards: PathBuf,
    /// The same for Node
    #[arg(long, value_name = "FILE", default_value = "bench/guards/express/server.mjs")]
    express: PathBuf,
    /// What is measured, for the table's heading
    #[arg(long, default_value = "")]
    label: String,
}

fn main() -> ExitCode {
    exit(run(Arguments::parse()))
}

fn run(arguments: Arguments) -> Outcome<()> {
    let bench = Bench::new(arguments.programs, arguments.folder, arguments.quick)?;
    let wanted = |group: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == group);
    let mut rows: Vec<Row> = Vec::new();
    let mut flushes = vec![bench.floor("fdatasync")?];

    let names_the_guard = arguments.only.iter().any(|only| only == "guard");
    say(&format!("making {} applications", bench.applications));
    let house = House::make(&bench, "sqlite", None, bench.applications)?;
    let mut server = house.start(&bench)?;
    if wanted("issuing") {
        rows.extend(issuing::rows(&bench, &house, &server)?);
    }
    if wanted("guarding") {
        rows.extend(guarding::rows(&bench, &house)?);
    }
    let mut left_out = Vec::new();
    if names_the_guard {
        rows.push(guarding::check(&bench)?);
        rows.push(guarding::hit(&bench)?);
        let peers = Peers {
            guards: arguments.guards,
            express: arguments.express,
        };
        let (comparison, running) = peers::compare(&bench, &house, server, &peers)?;
        server = running;
        rows.extend(comparison.rows);
        left_out = comparison.left_out;
    }
    if wanted("passwords") {
        rows.extend(passwords::rows(&bench, &house)?);
    }
    flushes.push(bench.floor("fdatasync")?);
    if wanted("memory") {
        server = house.restart(&bench, server)?;
        rows.extend(keeping::memory(&bench, &house, &server)?);
    }
    if wanted("applications") {
        server = house.restart(&bench, server)?;
        rows.extend(keeping::applications(&bench, &house)?);
    }
    if let Some(url) = arguments.postgres.filter(|_| wanted("postgres")) {
        let other = House::make(&bench, "postgres", Some(&url), 4)?;
        rows.extend(keeping::postgres(&bench, &house, &other)?);
    }
    if arguments.only.iter().any(|only| only == "management") {
        let (management, running) = management::rows(&bench, &house, server)?;
        server = running;
        rows.extend(management);
    }
    if arguments.only.iter().any(|only| only == "console") {
        let (console, running) = console::rows(&bench, &house, server)?;
        server = running;
        rows.extend(console);
    }
    server.stop()?;
    if wanted("start") {
        rows.push(keeping::start(&bench, &house)?);
        rows.push(keeping::seeded_start(&bench)?);
    }
    flushes.push(bench.floor("fdatasync")?);

    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let said = |name: &str| {
        cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split(": ").nth(1))
    };
    // One name is given to processors of which one signs four times as fast as the other.
    let processor = format!(
        "{} (family {}, model {})",
        said("model name").unwrap_or("processor unknown"),
        said("cpu family").unwrap_or("?"),
        said("model\t").unwrap_or("?"),
    );
    let folder = bench.folder.canonicalize()?;
    println!(
        "Tokenhouse {label}, {kind}: {processor}, server on core 0, load generator on core 1. Data on {filesystem}; \
         fdatasync p50 {p50}, p99 {p99}. Median of {rounds} rounds, in each of which a figure and what it is compared \
         with were taken one after the other, rates of the same kind in {turns} turns; the ratio is the median of the \
         rounds' ratios.\n",
        label = arguments.label,
        kind = if bench.quick { "quick look" } else { "full run" },
        filesystem = process::filesystem(&folder.to_string_lossy())?,
        p50 = ms(median(flushes.iter().map(|floor| floor.p50_ms))),
        p99 = ms(median(flushes.iter().map(|floor| floor.p99_ms))),
        rounds = bench.rounds,
        turns = bench.turns,
    );
    println!("{}", table::markdown(&rows));
    for peer in left_out {
        println!("Left out: {peer}.");
    }
    Ok(())
}
