//! Rows on what is kept: memory, rows, many applications, another database, and how soon all of it is there again.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokenhouse_bench::numbers::{ms, rate};
use tokenhouse_bench::{Outcome, say};

use crate::bench::{Bench, text_of};
use crate::house::{FEW, House, Running};
use crate::table::{Bound, Pair, Row};

/// Prints how many rows a database has outside the tables that grow with use.
const COUNT_ROWS: &str = "
import sqlite3, sys
db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
names = [name for (name,) in db.execute(\"select name from sqlite_master where type = 'table'\")]
print(sum(db.execute(f'select count(*) from \"{name}\"').fetchone()[0] for name in names if name not in ('logs', 'usage', 'traffic', 'api_traffic')))
";

/// Memory before and after many tokens, and the rows that they left. The server must have been started just now.
pub(crate) fn memory(bench: &Bench, house: &House, server: &Running) -> Outcome<Vec<Row>> {
    say(&format!("{} ES256 tokens", bench.many_tokens));
    thread::sleep(Duration::from_secs(1));
    let (idle, _) = server.resident_mib()?;
    // A server writes one row about itself after its first token.
    bench.load(&house.few("ES256").with("--requests", &FEW))?;
    thread::sleep(Duration::from_secs(3));
    let rows_before = count_rows(house)?;
    let load = house.few("ES256").with("--connections", &512);
    let report = bench.load(&load.with("--requests", &bench.many_tokens))?;
    let (after, most) = server.resident_mib()?;
    let rows_after = count_rows(house)?;
    let mib: fn(f64) -> String = |mib| format!("{mib:.1} MiB");
    let one = |measured, against| [Pair { measured, against }];
    Ok(vec![
        Row::of(
            "resident memory, idle",
            &one(idle, 30e6 / MIB),
            mib,
            "= 30 MB",
            Bound::AtMost(1.0),
        ),
        Row::of(
            format!("resident memory after {} ES256 tokens over HTTP", bench.many_tokens),
            &one(after, 60e6 / MIB),
            mib,
            "= 60 MB",
            Bound::AtMost(1.0),
        )
        .checked([&report])
        .remark(&format!("at most {}", mib(most))),
        Row::of(
            format!("rows outside log and usage, {} tokens later", bench.many_tokens),
            &one(rows_after, rows_before),
            |rows| format!("{rows:.0}"),
            "before",
            Bound::AtMost(1.0),
        ),
    ])
}

/// Requests spread over all applications against the same from few. The server must have been started just now.
pub(crate) fn applications(bench: &Bench, house: &House) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for algorithm in ["ES256", "RS256"] {
        say(&format!("{} applications, {algorithm}", bench.applications));
        let few = house.few(algorithm).with("--connections", &512);
        let all = house.all(algorithm).with("--connections", &512);
        if algorithm == "ES256" {
            // Every application for the first time: none is in memory yet.
            let warm = bench.timed(&few)?;
            let unseen = all.clone().with("--skip", &FEW);
            let cold = bench.load(&unseen.with("--seconds", &bench.seconds))?;
            let pair = Pair {
                measured: cold.per_s,
                against: warm.per_s,
            };
            let what = format!(
                "{} applications, each for the first time, {algorithm}",
                bench.applications
            );
            rows.push(Row::of(what, &[pair], rate, "from 4, warm", Bound::None).checked([&warm, &cold]));
            bench.load(&all.clone().with("--requests", &bench.applications))?;
        }
        let rounds = bench.rounds(|| Ok((bench.timed(&few)?, bench.timed(&all)?)))?;
        let pairs: Vec<_> = rounds
            .iter()
            .map(|(few, all)| Pair {
                measured: all.per_s,
                against: few.per_s,
            })
            .collect();
        let what = format!("requests spread over {} applications, {algorithm}", bench.applications);
        rows.push(
            Row::of(what, &pairs, rate, "from 4, warm", Bound::AtLeast(0.95))
                .checked(rounds.iter().flat_map(|(few, all)| [few, all])),
        );
    }
    Ok(rows)
}

/// The same work with PostgreSQL, whose own processes are on the load generator's core, as if on another machine.
pub(crate) fn postgres(bench: &Bench, sqlite: &House, postgres: &House) -> Outcome<Vec<Row>> {
    say("PostgreSQL");
    let _server = postgres.start(bench)?;
    let load = |house: &House| bench.timed(&house.few("RS256").with("--connections", &64));
    let rounds = bench.rounds(|| Ok((load(sqlite)?, load(postgres)?)))?;
    let pairs: Vec<_> = rounds
        .iter()
        .map(|(sqlite, postgres)| Pair {
            measured: postgres.per_s,
            against: sqlite.per_s,
        })
        .collect();
    let row = Row::of(
        "PostgreSQL, client credentials RS256, 64 connections",
        &pairs,
        rate,
        "SQLite",
        Bound::AtLeast(0.9),
    );
    Ok(vec![row.checked(
        rounds.iter().flat_map(|(sqlite, postgres)| [sqlite, postgres]),
    )])
}

/// From the start of the process to the first answer, with everything that the other rows left behind.
pub(crate) fn start(bench: &Bench, house: &House) -> Outcome<Row> {
    say("start");
    let pairs = bench.rounds(|| {
        let begin = Instant::now();
        let server = house.start(bench)?;
        let measured = begin.elapsed().as_secs_f64() * 1e3;
        server.stop()?;
        Ok(Pair {
            measured,
            against: 100.0,
        })
    })?;
    let what = "existing data folder to the first answer";
    Ok(Row::of(what, &pairs, ms, "asked for", Bound::AtMost(1.0)))
}

/// From the start of `tokenhouse dev`, everything in memory and the keys in its seed, to the line that says that it is
/// ready: what each run of somebody's tests waits for.
pub(crate) fn seeded_start(bench: &Bench) -> Outcome<Row> {
    say("start with a seed");
    let pairs = bench.rounds(|| {
        let mut dev = bench.on_server_core("tokenhouse");
        dev.args([
            "dev",
            "--memory",
            "--port",
            "0",
            "--json",
            "--seed",
            "examples/seed.toml",
        ]);
        dev.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let begin = Instant::now();
        let mut child = dev.spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let measured = begin.elapsed().as_secs_f64() * 1e3;
        Running::from(child).stop()?;
        if !line.contains("\"issuer\"") {
            return Err("tokenhouse dev did not say where it is".into());
        }
        Ok(Pair {
            measured,
            against: 100.0,
        })
    })?;
    let what = "tokenhouse dev, in memory, keys in its seed, to its first line";
    Ok(Row::of(what, &pairs, ms, "asked for", Bound::AtMost(1.0)))
}

/// Bytes of a MiB.
const MIB: f64 = 1024.0 * 1024.0;

fn count_rows(house: &House) -> Outcome<f64> {
    let counted = text_of(Command::new("python3").args(["-c", COUNT_ROWS]).arg(house.database()))?;
    Ok(counted.trim().parse()?)
}
