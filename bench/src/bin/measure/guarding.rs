//! Rows on a guarded API: one token again and again, and only tokens that were never seen.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokenhouse_bench::generator::Report;
use tokenhouse_bench::numbers::rate;
use tokenhouse_bench::{Outcome, say};

use crate::bench::{Bench, Load};
use crate::house::{House, Running, audience, free_port};
use crate::table::{Bound, Pair, Row};

/// What finding a token again may take, in microseconds.
const MOST_US: f64 = 1.0;
/// Tokens with which a new process warms up.
const WARM_UP_TOKENS: usize = 1_000;

pub(crate) fn rows(bench: &Bench, house: &House) -> Outcome<Vec<Row>> {
    say("the guard: getting tokens");
    let tokens = bench.folder.join("tokens.txt");
    get_tokens(bench, house, &tokens, bench.fresh_tokens + WARM_UP_TOKENS)?;
    let apis = Apis {
        guarded: free_port()?,
        open: free_port()?,
        tokens: &tokens,
    };
    Ok(vec![apis.hot(bench, house)?, apis.fresh(bench, house)?])
}

/// Gets so many tokens, no two of them alike: an application gets the same token twice in one second.
pub(crate) fn get_tokens(bench: &Bench, house: &House, file: &Path, count: usize) -> Outcome<()> {
    let get = house.all("RS256").with("--requests", &count);
    bench.load(&get.with("--save-tokens", &file.display()))?;
    let text = fs::read_to_string(file)?;
    let distinct = text.lines().collect::<HashSet<_>>().len();
    if distinct < count {
        return Err(format!("only {distinct} of {count} tokens differ").into());
    }
    Ok(())
}

/// One token's check with everything it takes, in turns with the one signature check in it: no network in either.
pub(crate) fn check(bench: &Bench) -> Outcome<Row> {
    say("the guard: one check");
    let pairs = bench.rounds(|| {
        let floors = bench.floors("check")?;
        Ok(Pair {
            measured: floors["check"].p50_ms,
            against: floors["check_raw"].p50_ms,
        })
    })?;
    Ok(Row::of(
        "one RS256 token that was never seen, checked by the guard",
        &pairs,
        |ms| format!("{:.2} µs", ms * 1e3),
        "raw signature check",
        Bound::AtMost(1.10),
    ))
}

/// One token that was verified before, found again.
pub(crate) fn hit(bench: &Bench) -> Outcome<Row> {
    say("the guard: one hit");
    let pairs = bench.rounds(|| {
        Ok(Pair {
            measured: bench.floor("hit")?.p50_ms,
            against: MOST_US / 1e3,
        })
    })?;
    Ok(Row::of(
        "one token that the guard remembers",
        &pairs,
        |ms| format!("{:.2} µs", ms * 1e3),
        "1 µs",
        Bound::AtMost(1.0),
    ))
}

/// The same handler on two ports, one behind a guard.
struct Apis<'a> {
    guarded: u16,
    open: u16,
    tokens: &'a Path,
}

impl Apis<'_> {
    fn hot(&self, bench: &Bench, house: &House) -> Outcome<Row> {
        say("the guard: one hot token");
        let _guarded = start(bench, house, self.guarded, true)?;
        let _open = start(bench, house, self.open, false)?;
        let rounds = bench.rounds(|| {
            let turns = bench.turns(|_| {
                let open = bench.turn(&self.load(self.open).with("--take", &1))?;
                Ok((bench.turn(&self.load(self.guarded).with("--take", &1))?, open))
            })?;
            let guarded = Report::joined(turns.iter().map(|(guarded, _)| guarded));
            Ok((guarded, Report::joined(turns.iter().map(|(_, open)| open))))
        })?;
        let pairs: Vec<_> = rounds
            .iter()
            .map(|(guarded, open)| Pair {
                measured: guarded.per_s,
                against: open.per_s,
            })
            .collect();
        let row = Row::of(
            "/api/private, one hot token, 64 connections",
            &pairs,
            rate,
            "the same handler unguarded",
            Bound::AtLeast(0.85),
        );
        Ok(row.checked(rounds.iter().flat_map(|(guarded, open)| [guarded, open])))
    }

    /// Every round meets a new process, to which all tokens are new.
    fn fresh(&self, bench: &Bench, house: &House) -> Outcome<Row> {
        say("the guard: every token new");
        let _open = start(bench, house, self.open, false)?;
        let rounds = bench.rounds(|| {
            let _guarded = start(bench, house, self.guarded, true)?;
            let warm_up = self.load(self.guarded).with("--take", &WARM_UP_TOKENS);
            bench.load(&warm_up.with("--requests", &WARM_UP_TOKENS))?;
            let part = bench.fresh_tokens / bench.turns;
            let turns = bench.turns(|turn| {
                let verify = bench.floor("verify")?;
                let open = bench.turn(&self.load(self.open).with("--take", &1))?;
                let fresh = self.load(self.guarded).with("--skip", &(WARM_UP_TOKENS + turn * part));
                let guarded = bench.load(&fresh.with("--requests", &part))?;
                Ok((guarded, 1.0 / verify.per_s + 1.0 / open.per_s))
            })?;
            let seconds: f64 = turns.iter().map(|(_, seconds)| seconds).sum();
            let guarded = Report::joined(turns.iter().map(|(guarded, _)| guarded));
            Ok((guarded, bench.turns as f64 / seconds))
        })?;
        let pairs: Vec<_> = rounds
            .iter()
            .map(|(guarded, model)| Pair {
                measured: guarded.per_s,
                against: *model,
            })
            .collect();
        let row = Row::of(
            "/api/private, every token new, RS256, 64 connections",
            &pairs,
            rate,
            "1/(1/raw verification + 1/unguarded)",
            Bound::AtLeast(0.85),
        );
        Ok(row.checked(rounds.iter().map(|(guarded, _)| guarded)))
    }

    fn load(&self, port: u16) -> Load {
        Load::to(&format!("http://127.0.0.1:{port}/api/private"))
            .with("--header", &"Authorization: Bearer {1}")
            .lines(self.tokens)
            .awake()
    }
}

fn start(bench: &Bench, house: &House, port: u16, guarded: bool) -> Outcome<Running> {
    let mut command = bench.on_server_core("api");
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--issuer", &house.issuer(), "--audience", &audience("RS256")]);
    if !guarded {
        command.arg("--unguarded");
    }
    Running::start(command.stdin(Stdio::null()), port, "/")
}
