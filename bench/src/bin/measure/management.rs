//! Rows on the Management API in a tenant with very many applications and users: pages, a user by e-mail, creating.

use std::fs;

use tokenhouse_bench::numbers::{ms, rate};
use tokenhouse_bench::{Outcome, say};
use tokenhouse_protocol::jose::base64url;

use crate::bench::{Bench, Load};
use crate::house::{House, Running};
use crate::table::{Bound, Pair, Row};

/// Items of a page.
const PAGE: usize = 100;
/// Users that are asked for by their e-mail.
const ASKED: usize = 5_000;

/// The rows, and the server that goes on. It is stopped first, and another application may administer it after.
pub(crate) fn rows(bench: &Bench, house: &House, server: Running) -> Outcome<(Vec<Row>, Running)> {
    let crowd = if bench.quick { 100_000 } else { 1_000_000 };
    say(&format!("making {crowd} more applications and as many users"));
    server.stop()?;
    let ids = house.crowd(bench, crowd, crowd)?;
    let token = house.management_token(bench, || house.start(bench))?;
    let server = house.start(bench)?;
    let rows = vec![
        pages(bench, house, &token, &ids)?,
        user_by_email(bench, house, &token, crowd)?,
        create(bench, house, &token)?,
    ];
    Ok((rows, server))
}

fn pages(bench: &Bench, house: &House, token: &str, ids: &[String]) -> Outcome<Row> {
    say("pages of applications");
    let before_last = ids
        .len()
        .checked_sub(PAGE + 1)
        .and_then(|index| ids.get(index))
        .ok_or("too few applications for a page")?;
    let first = house.management(token, &format!("clients?page=0&per_page={PAGE}"));
    let from = base64url::encode(before_last.as_bytes());
    let last = house.management(token, &format!("clients?from={from}&take={PAGE}"));
    let rounds = bench.rounds(|| Ok((bench.timed(&first)?, bench.timed(&last)?)))?;
    let pairs: Vec<_> = rounds
        .iter()
        .map(|(first, last)| Pair {
            measured: last.p50_ms.max(first.p50_ms),
            against: last.p50_ms.min(first.p50_ms),
        })
        .collect();
    let what = format!(
        "the last {PAGE} of {} applications by checkpoint, the first by number: p50 of the slower",
        ids.len()
    );
    Ok(Row::of(what, &pairs, ms, "the quicker", Bound::AtMost(1.5))
        .checked(rounds.iter().flat_map(|(first, last)| [first, last])))
}

fn user_by_email(bench: &Bench, house: &House, token: &str, users: usize) -> Outcome<Row> {
    say("users by e-mail");
    // All over the table, and each but once until all were asked for.
    let emails: String = (0..ASKED)
        .map(|number| format!("user{}%40example.com\n", number * (users / ASKED)))
        .collect();
    let file = house.file("emails.txt");
    fs::write(&file, emails)?;
    let load = house.management(token, "users-by-email?email={1}").lines(&file);
    let rounds = bench.rounds(|| bench.timed(&load))?;
    let pairs: Vec<_> = rounds
        .iter()
        .map(|report| Pair {
            measured: report.p50_ms,
            against: 1.0,
        })
        .collect();
    let what = format!("a user by e-mail out of {users}: p50");
    Ok(Row::of(what, &pairs, ms, "asked for", Bound::AtMost(1.0)).checked(&rounds))
}

fn create(bench: &Bench, house: &House, token: &str) -> Outcome<Row> {
    say("creating applications");
    let load = Load::to(&format!("{}api/v2/clients", house.issuer()))
        .with("--method", &"POST")
        .with("--header", &format!("Authorization: Bearer {token}"))
        .with("--header", &"Content-Type: application/json")
        .with(
            "--body",
            &r#"{"name":"Another application","app_type":"non_interactive"}"#,
        )
        .with("--connections", &64);
    let rounds = bench.rounds(|| bench.timed(&load))?;
    let pairs: Vec<_> = rounds
        .iter()
        .map(|report| Pair {
            measured: report.per_s,
            against: 2_000.0,
        })
        .collect();
    Ok(Row::of(
        "creating applications, SQLite, 64 connections",
        &pairs,
        rate,
        "asked for",
        Bound::AtLeast(1.0),
    )
    .checked(&rounds))
}
