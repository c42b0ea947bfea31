//! Rows on the console in a large tenant: each page's time and weight, with 100 000 applications that may all use one API,
//! a million users, a log of 200 000 tokens, and usage of every application.

use std::fs;
use std::thread;
use std::time::Duration;

use tokenhouse_bench::numbers::ms;
use tokenhouse_bench::{Outcome, say};

use crate::bench::{Bench, Load};
use crate::house::{House, Running, audience};
use crate::table::{Bound, Pair, Row};
use crate::visitor::{DOOR, Visitor};

/// Who looks.
const EMAIL: &str = "ada@example.com";
/// Their password.
const PASSWORD: &str = "Correct-Horse-1-Staple";
/// What a page may take, 99 times in a hundred.
const MOST_MS: f64 = 10.0;
/// What it may weigh with everything, compressed.
const MOST_KB: f64 = 60.0;
/// Requests that it may need.
const MOST_REQUESTS: f64 = 5.0;
/// Seconds that a page is asked for, in each round.
const SECONDS: f64 = 1.0;
/// Tokens that are issued before, for each application.
const TOKENS_EACH: usize = 2;
/// Pages of the log to one that is far back.
const FAR: usize = 100;
/// Until usage is folded at the latest, and older names are written.
const FOLDED: Duration = Duration::from_secs(12);

/// The rows, and the server that goes on. It is stopped first, and has more users after.
pub(crate) fn rows(bench: &Bench, house: &House, server: Running) -> Outcome<(Vec<Row>, Running)> {
    let users = bench.applications * 10;
    say(&format!("making {users} users"));
    server.stop()?;
    house.crowd(bench, 0, users)?;
    house.administrator(bench, EMAIL, PASSWORD)?;
    let server = house.start(bench)?;
    say("issuing tokens for every application");
    let tokens = bench.applications * TOKENS_EACH;
    bench.load(&house.all("ES256").with("--requests", &tokens))?;
    thread::sleep(FOLDED);
    let mut visitor = Visitor::signed_in(house.port(), EMAIL, PASSWORD)?;
    let mut tour = Tour {
        bench,
        house,
        compressed_kb: 0.0,
        heaviest: String::new(),
        requests: 0,
    };
    let mut rows = vec![tour.row(&mut Visitor::at_the_door(house.port())?, DOOR)?];
    for path in pages(&mut visitor, house, users)? {
        rows.push(tour.row(&mut visitor, &path)?);
    }
    rows.push(stated(
        format!("the heaviest page, {}, with all it loads, gzip", tour.heaviest),
        tour.compressed_kb,
        MOST_KB,
        kilobytes,
    ));
    rows.push(stated(
        "most requests of a page".into(),
        tour.requests as f64,
        MOST_REQUESTS,
        |number| format!("{number}"),
    ));
    Ok((rows, server))
}

/// A look at one page after the other, and the most that one of them needed.
struct Tour<'a> {
    bench: &'a Bench,
    house: &'a House,
    compressed_kb: f64,
    /// The page that has so many.
    heaviest: String,
    requests: usize,
}

impl Tour<'_> {
    /// A page's row: how long it takes, and what it weighs.
    fn row(&mut self, visitor: &mut Visitor, path: &str) -> Outcome<Row> {
        say(path);
        let weight = visitor.weight(path)?;
        self.requests = self.requests.max(weight.requests);
        if weight.compressed_kb > self.compressed_kb {
            self.compressed_kb = weight.compressed_kb;
            path.clone_into(&mut self.heaviest);
        }
        let remark = format!("{:.1} KB", weight.compressed_kb);
        Ok(page(self.bench, self.house, visitor, path)?.remark(&remark))
    }
}

/// Every kind of page, the lists at their beginning, far behind and searched.
fn pages(visitor: &mut Visitor, house: &House, users: usize) -> Outcome<Vec<String>> {
    let credentials = fs::read_to_string(&house.credentials)?;
    let mut ids: Vec<&str> = credentials.lines().filter_map(|line| line.split(' ').next()).collect();
    ids.sort_unstable();
    let last = ids
        .len()
        .checked_sub(60)
        .and_then(|place| ids.get(place))
        .ok_or("too few applications")?;
    let some = ids.get(ids.len() / 2).ok_or("no applications")?;
    let begin = some.get(..6).unwrap_or(some);
    // That of the tokens, and no other.
    let apis = visitor.page("/console/apis")?;
    let (rows, _) = apis
        .split_once(&audience("ES256"))
        .ok_or("the console lists no API for ES256")?;
    let (_, api) = rows.rsplit_once("href=\"").ok_or("an API has no page")?;
    let api = api.split('"').next().unwrap_or_default().to_owned();
    let line = visitor.link("/console/logs", "/console/logs/")?;
    let mut far = "/console/logs".to_owned();
    for _ in 0..FAR {
        let page = visitor.page(&far)?;
        let (_, rest) = page.split_once("/console/logs?before=").ok_or("the log ends early")?;
        far = format!("/console/logs?before={}", rest.split('"').next().unwrap_or_default());
    }
    let user = format!("auth0%7C{:024}", users / 2);
    // The key that signed the tokens of every application.
    visitor.send("/console/keys/rotate", "algorithm=ES256&now=yes")?;
    let keys = visitor.page("/console/keys")?;
    let (_, revoke) = keys
        .split_once("href=\"/console/keys/")
        .ok_or("the console lists no key to revoke")?;
    let revoke = revoke.split('"').next().unwrap_or_default();
    Ok(vec![
        "/console/".into(),
        "/console/quickstart".into(),
        "/console/quickstart/machine-to-machine".into(),
        "/console/quickstart/regular-web".into(),
        "/console/quickstart/spa".into(),
        "/console/quickstart/native".into(),
        "/console/quickstart/command-line".into(),
        "/console/applications".into(),
        format!("/console/applications?after={last}"),
        "/console/applications?q=application".into(),
        format!("/console/applications?q=Application+{}", ids.len() - 1),
        format!("/console/applications?q={begin}"),
        "/console/applications?q=nobody".into(),
        "/console/applications/new".into(),
        format!("/console/applications/{some}"),
        format!("/console/applications/{some}/credentials"),
        format!("/console/applications/{some}/apis"),
        format!("/console/applications/{some}/usage"),
        "/console/apis".into(),
        "/console/apis/new".into(),
        api.clone(),
        format!("{api}/permissions"),
        format!("{api}/applications"),
        format!("{api}/test"),
        "/console/users".into(),
        format!("/console/users?after={user}"),
        "/console/users?q=user".into(),
        format!("/console/users?q=user{}%40example.com", users - 1),
        "/console/users?q=nobody".into(),
        "/console/users/new".into(),
        format!("/console/users/{user}"),
        "/console/logs".into(),
        far,
        "/console/logs?type=sapi".into(),
        format!("/console/logs?app={some}"),
        "/console/logs?ip=203.0.113.1".into(),
        format!("/console/logs?user={user}"),
        line,
        "/console/usage".into(),
        "/console/keys".into(),
        format!("/console/keys/{revoke}"),
        "/console/debugger".into(),
        "/console/debugger/client-credentials".into(),
        "/console/debugger/token".into(),
        "/console/reference".into(),
        "/console/reference?q=client".into(),
        "/console/reference/endpoints?of=clients".into(),
        "/console/settings".into(),
    ])
}

fn page(bench: &Bench, house: &House, visitor: &Visitor, path: &str) -> Outcome<Row> {
    let load = Load::to(&format!("{}{}", house.issuer().trim_end_matches('/'), path))
        .with("--header", &format!("Cookie: {}", visitor.cookie))
        .with("--connections", &1)
        .with("--warm-up", &0.3)
        .with("--seconds", &SECONDS);
    let rounds = bench.rounds(|| bench.load(&load))?;
    let pairs: Vec<Pair> = rounds
        .iter()
        .map(|report| Pair {
            measured: report.p99_ms,
            against: MOST_MS,
        })
        .collect();
    let half = tokenhouse_bench::numbers::median(rounds.iter().map(|report| report.p50_ms));
    let shown: String = path.chars().take(56).collect();
    let row = Row::of(shown, &pairs, ms, "must be enough", Bound::AtMost(1.0));
    Ok(row.remark(&format!("p50 {}", ms(half))).checked(&rounds))
}

fn stated(what: String, measured: f64, against: f64, unit: fn(f64) -> String) -> Row {
    Row::of(what, &[Pair { measured, against }], unit, "at most", Bound::AtMost(1.0))
}

fn kilobytes(kb: f64) -> String {
    format!("{kb:.1} KB")
}
