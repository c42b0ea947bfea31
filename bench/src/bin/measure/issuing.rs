//! Rows on client credentials: the rate of each algorithm, one connection alone, and half of full load.

use tokenhouse_bench::generator::Report;
use tokenhouse_bench::numbers::{median, ms, rate};
use tokenhouse_bench::{Outcome, say};

use crate::bench::Bench;
use crate::house::{House, Running};
use crate::table::{Bound, Pair, Row};

/// Processor time that a token may cost beside its signature.
const MOST_BESIDE_SIGNATURE_US: f64 = 45.0;
/// Up to here a disk is fast.
const FAST_FDATASYNC_MS: f64 = 0.5;
/// Tokens per second with a slow disk.
const LEAST_ON_SLOW_DISK: f64 = 8_000.0;

pub(crate) fn rows(bench: &Bench, house: &House, server: &Running) -> Outcome<Vec<Row>> {
    let mut rows = vec![rs256(bench, house)?];
    for (algorithm, least) in [("ES256", 12_000.0), ("EdDSA", 13_000.0)] {
        rows.extend(elliptic(bench, house, server, (algorithm, least))?);
    }
    rows.push(one_connection(bench, house)?);
    rows.push(half_load(bench, house)?);
    Ok(rows)
}

fn rs256(bench: &Bench, house: &House) -> Outcome<Row> {
    say("client credentials, RS256");
    let load = house.few("RS256").with("--connections", &64);
    let rounds = bench.rounds(|| {
        let turns = bench.turns(|_| {
            let raw = bench.floor("rs256")?;
            Ok((bench.turn(&load)?, raw.per_s))
        })?;
        let raw = turns.iter().map(|(_, raw)| raw).sum::<f64>() / bench.turns as f64;
        Ok((Report::joined(turns.iter().map(|(report, _)| report)), raw))
    })?;
    let pairs: Vec<_> = rounds.iter().map(|(report, raw)| pair(report.per_s, *raw)).collect();
    let row = Row::of(
        "client credentials RS256, durable log, 64 connections",
        &pairs,
        rate,
        "raw RSA-2048 signatures",
        Bound::AtLeast(0.80),
    );
    Ok(checked(row, &rounds))
}

/// The rate, and the processor time of one token.
fn elliptic(bench: &Bench, house: &House, server: &Running, wanted: (&str, f64)) -> Outcome<[Row; 2]> {
    let (algorithm, least_on_fast_disk) = wanted;
    say(&format!("client credentials, {algorithm}"));
    let load = house.few(algorithm).with("--connections", &512);
    let rounds = bench.rounds(|| {
        let raw = bench.floor(&algorithm.to_ascii_lowercase())?;
        let flush = bench.floor("fdatasync")?;
        let before = server.cpu_us()?;
        let report = bench.timed(&load)?;
        let cpu_us = (server.cpu_us()? - before) / report.good as f64;
        Ok((report, (raw.per_s, cpu_us, flush.p50_ms)))
    })?;
    let flush_ms = median(rounds.iter().map(|(_, (_, _, flush_ms))| *flush_ms));
    let least = if flush_ms < FAST_FDATASYNC_MS {
        least_on_fast_disk
    } else {
        LEAST_ON_SLOW_DISK
    };
    let rates: Vec<_> = rounds.iter().map(|(report, _)| pair(report.per_s, least)).collect();
    let costs: Vec<_> = rounds
        .iter()
        .map(|(_, (raw, cpu_us, _))| pair(*cpu_us, 1e6 / raw + MOST_BESIDE_SIGNATURE_US))
        .collect();
    let raw_share = median(rounds.iter().map(|(report, (raw, _, _))| report.per_s / raw));
    let what = format!("client credentials {algorithm}, durable log, 512 connections");
    let reference = format!("asked for at fdatasync {}", ms(flush_ms));
    Ok([
        checked(Row::of(what, &rates, rate, &reference, Bound::AtLeast(1.0)), &rounds)
            .remark(&format!("{raw_share:.2} × raw signatures")),
        checked(
            Row::of(
                format!("processor time of one {algorithm} token"),
                &costs,
                |us| format!("{us:.0} µs"),
                "raw signature + 45 µs",
                Bound::AtMost(1.0),
            ),
            &rounds,
        ),
    ])
}

fn one_connection(bench: &Bench, house: &House) -> Outcome<Row> {
    say("one connection");
    let load = house.few("RS256").with("--connections", &1);
    let rounds = bench.rounds(|| {
        let (raw, flush) = (bench.floor("rs256")?, bench.floor("fdatasync")?);
        Ok((bench.timed(&load)?, 1e3 / raw.per_s + 2.0 * flush.p50_ms + 0.5))
    })?;
    let pairs: Vec<_> = rounds.iter().map(|(report, most)| pair(report.p50_ms, *most)).collect();
    let row = Row::of(
        "one connection, RS256: p50",
        &pairs,
        ms,
        "1 signature + 2 × fdatasync p50 + 0.5 ms",
        Bound::AtMost(1.0),
    );
    Ok(checked(row, &rounds))
}

/// Each round finds out anew what full load is: half of what the machine could do minutes ago may be more than half now.
fn half_load(bench: &Bench, house: &House) -> Outcome<Row> {
    say("half of full load");
    let load = house.few("RS256").with("--connections", &64);
    let rounds = bench.rounds(|| {
        let (raw, flush) = (bench.floor("rs256")?, bench.floor("fdatasync")?);
        let full = bench.timed(&load)?;
        let half = bench.timed(&load.clone().with("--rate", &(full.per_s / 2.0)))?;
        Ok((half, 4e3 / raw.per_s + 2.0 * flush.p99_ms + 3.0))
    })?;
    let pairs: Vec<_> = rounds.iter().map(|(report, most)| pair(report.p99_ms, *most)).collect();
    let row = Row::of(
        "half of full load, RS256: p99",
        &pairs,
        ms,
        "4 signatures + 2 × fdatasync p99 + 3 ms",
        Bound::AtMost(1.0),
    );
    let offered = format!("at {}", rate(median(rounds.iter().map(|(report, _)| report.per_s))));
    Ok(checked(row, &rounds).remark(&offered))
}

fn pair(measured: f64, against: f64) -> Pair {
    Pair { measured, against }
}

fn checked<T>(row: Row, rounds: &[(Report, T)]) -> Row {
    row.checked(rounds.iter().map(|(report, _)| report))
}
