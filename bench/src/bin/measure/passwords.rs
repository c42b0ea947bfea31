//! Rows on people's passwords: how many logins a flood gets through, alone and beside machines, and what the machines notice
//! of it.

use tokenhouse_bench::numbers::{ms, rate};
use tokenhouse_bench::{Outcome, say};

use crate::bench::{Bench, finished};
use crate::house::House;
use crate::table::{Bound, Pair, Row};

/// People at once: as many as the queue of a default configuration holds, so that none is sent away.
const PEOPLE: usize = 64;
/// Machines' requests per second meanwhile.
const MACHINES_PER_S: usize = 100;
/// Seconds until a flood flows.
const FLOOD_WARM_UP_S: f64 = 0.5;

pub(crate) fn rows(bench: &Bench, house: &House) -> Outcome<Vec<Row>> {
    say("a flood of logins");
    let seconds = 2.0 * bench.seconds;
    let machines = house
        .few("RS256")
        .with("--connections", &16)
        .with("--rate", &MACHINES_PER_S)
        .with("--seconds", &seconds);
    let people = house
        .password()
        .with("--connections", &PEOPLE)
        .with("--warm-up", &FLOOD_WARM_UP_S)
        .with("--seconds", &seconds);
    let rounds = bench.rounds(|| {
        let before = bench.floor("argon2id")?;
        let logins = bench.load(&people)?;
        let after = bench.floor("argon2id")?;
        let alone = bench.load(&machines)?;
        let flood = bench.background(&people)?;
        let beside = bench.load(&machines.clone().with("--warm-up", &FLOOD_WARM_UP_S))?;
        let raw_per_s = (before.per_s + after.per_s) / 2.0;
        Ok((raw_per_s, logins, alone, finished(flood)?, beside))
    })?;
    let logins: Vec<_> = rounds
        .iter()
        .map(|(raw_per_s, logins, ..)| Pair {
            measured: logins.per_s,
            against: *raw_per_s,
        })
        .collect();
    let logins_beside: Vec<_> = rounds
        .iter()
        .map(|(raw_per_s, _, _, flood, _)| Pair {
            measured: flood.per_s,
            against: *raw_per_s,
        })
        .collect();
    let waits: Vec<_> = rounds
        .iter()
        .map(|(_, _, alone, _, beside)| Pair {
            measured: beside.p99_ms,
            against: alone.p99_ms,
        })
        .collect();
    Ok(vec![
        Row::of(
            format!("password grant, {PEOPLE} people at once"),
            &logins,
            rate,
            "raw argon2id",
            Bound::AtLeast(0.9),
        )
        .checked(rounds.iter().map(|(_, logins, ..)| logins)),
        Row::of(
            format!("the same beside {MACHINES_PER_S} client credentials/s"),
            &logins_beside,
            rate,
            "raw argon2id",
            Bound::None,
        )
        .checked(rounds.iter().map(|(_, _, _, flood, _)| flood)),
        Row::of(
            "client credentials beside that flood: p99",
            &waits,
            ms,
            "without it",
            Bound::AtMost(2.0),
        )
        .checked(rounds.iter().flat_map(|(_, _, alone, _, beside)| [alone, beside])),
    ])
}
