//! Rows on the guard beside its peers: the same handler behind each, under the same load, on good days and bad ones.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokenhouse_bench::generator::Report;
use tokenhouse_bench::numbers::rate;
use tokenhouse_bench::{Outcome, say};
use tokenhouse_protocol::jose::base64url;

use crate::bench::{Bench, Load};
use crate::guarding::get_tokens;
use crate::house::{House, Running, audience, free_port};
use crate::table::{Bound, Pair, Row};

/// Our guard, and the handler without it.
const OURS: [&str; 2] = ["tokenhouse-guard", "no guard"];
/// What our guard is measured against: those that `guards` serves, and the one that `server.mjs` serves.
const PEERS: [&str; 6] = [
    "jsonwebtoken",
    "jwt-authorizer",
    "axum-jwt-auth",
    "tower-oauth2-resource-server",
    "huskarl-resource-server",
    EXPRESS,
];
const EXPRESS: &str = "express-oauth2-jwt-bearer";
/// Tokens with which a new process warms up.
const WARM_UP_TOKENS: usize = 1_000;
/// Tokens with a key id that the issuer never had, and how many of them a flood brings in a second.
const STRANGERS: usize = 5_000;
const FLOOD_PER_S: usize = 1_000;
/// The situations, in the order in which each round goes through them: the bad day that lasts comes last.
const SITUATIONS: [Situation; 6] = [
    Situation {
        day: Day::Good,
        hot: true,
    },
    Situation {
        day: Day::Good,
        hot: false,
    },
    Situation {
        day: Day::Flood,
        hot: true,
    },
    Situation {
        day: Day::Flood,
        hot: false,
    },
    Situation {
        day: Day::KeysDown,
        hot: true,
    },
    Situation {
        day: Day::KeysDown,
        hot: false,
    },
];

/// Where the peers are.
pub(crate) struct Peers {
    /// The program of `bench/guards`.
    pub(crate) guards: PathBuf,
    /// `bench/guards/express/server.mjs`.
    pub(crate) express: PathBuf,
}

/// What comes of it.
pub(crate) struct Comparison {
    pub(crate) rows: Vec<Row>,
    /// Peers that cannot be compared, each with the reason.
    pub(crate) left_out: Vec<String>,
}

#[derive(Clone, Copy)]
struct Situation {
    day: Day,
    /// One token again and again, or only such as were never seen.
    hot: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Day {
    Good,
    Flood,
    KeysDown,
}

/// One API behind one guard, running.
struct Contender {
    name: &'static str,
    port: u16,
    _process: Running,
}

/// Tokens to send, a line each.
struct Tokens {
    good: PathBuf,
    /// How many of the good ones a turn uses up in a situation in which none was seen before, and turns of a round.
    fresh: usize,
    turns: usize,
    strangers: PathBuf,
}

/// Compares all. The issuer must be running, runs afterwards, and is stopped in between once a round.
pub(crate) fn compare(
    bench: &Bench,
    house: &House,
    mut issuer: Running,
    peers: &Peers,
) -> Outcome<(Comparison, Running)> {
    say("the guard and its peers: getting tokens");
    let tokens = Tokens::get(bench, house)?;
    let mut left_out: Vec<(&str, String)> = Vec::new();
    let mut rounds = Vec::new();
    for round in 1..=bench.rounds {
        say(&format!("the guard and its peers: round {round} of {}", bench.rounds));
        let mut contenders = Vec::new();
        for name in OURS.into_iter().chain(PEERS) {
            if left_out.iter().any(|(left_out, _)| *left_out == name) {
                continue;
            }
            match Contender::start(bench, house, peers, &tokens, name) {
                Ok(contender) => contenders.push(contender),
                Err(error) if OURS.contains(&name) => return Err(error),
                Err(error) => left_out.push((name, error.to_string())),
            }
        }
        let (good_days, bad_days) = SITUATIONS.split_at(SITUATIONS.len() - 2);
        let mut reports = Vec::new();
        for (place, situation) in good_days.iter().enumerate() {
            reports.push(measure(bench, &contenders, &tokens, (place, *situation))?);
        }
        issuer.stop()?;
        for (place, situation) in bad_days.iter().enumerate() {
            let place = good_days.len() + place;
            reports.push(measure(bench, &contenders, &tokens, (place, *situation))?);
        }
        issuer = house.start(bench)?;
        rounds.push(reports);
    }
    let comparison = Comparison {
        rows: rows(&rounds, &left_out),
        left_out: left_out
            .iter()
            .map(|(name, reason)| format!("{name}: {reason}"))
            .collect(),
    };
    Ok((comparison, issuer))
}

/// What each contender did in one situation, in turns with the others.
type Reports = Vec<(&'static str, Report)>;

fn measure(
    bench: &Bench,
    contenders: &[Contender],
    tokens: &Tokens,
    (place, situation): (usize, Situation),
) -> Outcome<Reports> {
    let turns = bench.turns(|turn| {
        let measured = contenders.iter().map(|contender| {
            let skip = tokens.skip(place, turn);
            contender.measure(bench, tokens, skip, situation)
        });
        measured.collect::<Outcome<Vec<_>>>()
    })?;
    let joined = contenders.iter().enumerate().map(|(index, contender)| {
        let report = Report::joined(turns.iter().map(|reports| &reports[index]));
        (contender.name, report)
    });
    Ok(joined.collect())
}

/// A row for each situation and peer, and for the hot token one against no guard at all.
fn rows(rounds: &[Vec<Reports>], left_out: &[(&str, String)]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (place, situation) in SITUATIONS.iter().enumerate() {
        let of = |name: &str| -> Vec<&Report> {
            let all = rounds.iter().flat_map(|reports| &reports[place]);
            all.filter(|(of, _)| *of == name).map(|(_, report)| report).collect()
        };
        let [ours, unguarded] = OURS.map(of);
        let row = |name: &str, bound| {
            let theirs = of(name);
            let pairs = ours.iter().zip(&theirs).map(|(ours, theirs)| Pair {
                measured: ours.per_s,
                against: theirs.per_s,
            });
            let row = Row::of(
                situation.name(),
                &pairs.collect::<Vec<_>>(),
                rate,
                &remarks(name, &theirs),
                bound,
            );
            row.checked(ours.iter().copied())
        };
        if situation.hot && situation.day == Day::Good {
            rows.push(row(OURS[1], Bound::AtLeast(0.90)).checked(ours.iter().chain(&unguarded).copied()));
        }
        let present = PEERS
            .into_iter()
            .filter(|name| left_out.iter().all(|(out, _)| out != name));
        rows.extend(present.map(|name| row(name, Bound::AtLeast(1.0))));
    }
    rows
}

/// The name, and how many good tokens were refused.
fn remarks(name: &str, reports: &[&Report]) -> String {
    let refused: u64 = reports.iter().flat_map(|report| report.others.values()).sum();
    let good: u64 = reports.iter().map(|report| report.good).sum();
    let mut text = name.to_owned();
    if refused > 0 {
        let share = refused as f64 / (refused + good) as f64 * 100.0;
        let _ = write!(text, ", {share:.1} % of good tokens refused");
    }
    text
}

impl Situation {
    fn name(self) -> String {
        let tokens = if self.hot { "one hot token" } else { "every token new" };
        match self.day {
            Day::Good => tokens.to_owned(),
            Day::Flood => format!("{tokens}, beside {FLOOD_PER_S} unknown key ids/s"),
            Day::KeysDown => format!("{tokens}, key endpoint down"),
        }
    }
}

impl Contender {
    /// Starts one and lets it warm up. Refuses one that does not take good tokens, or takes others.
    fn start(bench: &Bench, house: &House, peers: &Peers, tokens: &Tokens, name: &'static str) -> Outcome<Self> {
        let (port, issuer, audience) = (free_port()?, house.issuer(), audience("RS256"));
        let mut command = match name {
            EXPRESS => {
                let mut node = bench.other_on_server_core(Path::new("node"));
                node.arg(&peers.express).args([&port.to_string(), &issuer, &audience]);
                node
            }
            _ if OURS.contains(&name) => bench.on_server_core("api"),
            _ => {
                let mut guards = bench.other_on_server_core(&peers.guards);
                guards.args(["--guard", name]);
                guards
            }
        };
        if name != EXPRESS {
            command.args(["--listen", &format!("127.0.0.1:{port}")]);
            command.args(["--issuer", &issuer, "--audience", &audience]);
        }
        if name == OURS[1] {
            command.arg("--unguarded");
        }
        let process = Running::start(command.stdin(Stdio::null()).stderr(Stdio::null()), port, "/")?;
        let contender = Self {
            name,
            port,
            _process: process,
        };
        let good = contender.load(&tokens.good).with("--take", &WARM_UP_TOKENS);
        let good = bench.load(&good.with("--requests", &WARM_UP_TOKENS))?;
        let strangers = contender.load(&tokens.strangers).with("--requests", &10);
        let strangers = bench.load(&strangers)?;
        match (good.others.keys().next(), strangers.good) {
            (Some(status), _) => Err(format!("answers good tokens with {status}").into()),
            (None, 0) => Ok(contender),
            (None, _) if name == OURS[1] => Ok(contender),
            (None, _) => Err("takes tokens of unknown keys".into()),
        }
    }

    /// Good tokens only are counted, whatever comes beside them.
    fn measure(&self, bench: &Bench, tokens: &Tokens, skip: usize, situation: Situation) -> Outcome<Report> {
        let flood = match situation.day {
            Day::Flood => Some(self.flood(bench, tokens)?),
            Day::Good | Day::KeysDown => None,
        };
        let load = self.load(&tokens.good).awake();
        let report = if situation.hot {
            bench.turn(&load.with("--take", &1))
        } else {
            if flood.is_some() {
                // The flood is under way, its connections are open: these runs are too short to begin with that.
                bench.turn(&load.clone().with("--take", &1))?;
            }
            bench.load(&load.with("--skip", &skip).with("--requests", &tokens.fresh))
        };
        drop(flood);
        report
    }

    /// A flood that lasts until it is dropped.
    fn flood(&self, bench: &Bench, tokens: &Tokens) -> Outcome<Running> {
        let load = self.load(&tokens.strangers).with("--rate", &FLOOD_PER_S);
        Ok(Running::from(bench.background(&load.with("--seconds", &600))?))
    }

    fn load(&self, tokens: &Path) -> Load {
        Load::to(&format!("http://127.0.0.1:{}/api/private", self.port))
            .with("--header", &"Authorization: Bearer {1}")
            .lines(tokens)
    }
}

impl Tokens {
    fn get(bench: &Bench, house: &House) -> Outcome<Self> {
        let good = bench.folder.join("tokens.txt");
        let (fresh, turns) = (bench.fresh_tokens / 8, bench.turns);
        let count = WARM_UP_TOKENS + SITUATIONS.len() / 2 * turns * fresh;
        get_tokens(bench, house, &good, count)?;

        let text = fs::read_to_string(&good)?;
        let token = text.lines().next().ok_or("there is no token")?;
        let (_, rest) = token.split_once('.').ok_or("a token has no dot")?;
        let mut lines = String::new();
        for number in 0..STRANGERS {
            let header = format!(r#"{{"alg":"RS256","typ":"JWT","kid":"stranger-{number}"}}"#);
            let _ = writeln!(lines, "{}.{rest}", base64url::encode(header));
        }
        let strangers = bench.folder.join("strangers.txt");
        fs::write(&strangers, lines)?;
        Ok(Self {
            good,
            fresh,
            turns,
            strangers,
        })
    }

    /// How many tokens lie before those of a turn: every second situation uses some up.
    fn skip(&self, place: usize, turn: usize) -> usize {
        WARM_UP_TOKENS + (place / 2 * self.turns + turn) * self.fresh
    }
}
