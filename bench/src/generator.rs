//! The load generator: HTTP/1.1 over kept-alive connections on one thread, each with one request in flight. Without a
//! rate every connection asks again at once (a closed loop); with one, requests start on a schedule and a late start
//! counts as the server's time.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;

use crate::numbers::{percentile, sorted};
use crate::process::cpu_ns;
use crate::response::{self, Response};

/// Bytes that a connection reads at a time; a longer response makes its buffer grow.
const BUFFER_BYTES: usize = 16 * 1024;
/// Failures in a row after which a connection gives up: the server is gone.
const MAX_FAILURES: u32 = 100;
/// How long a run with a number of requests may take at most.
const LONGEST: Duration = Duration::from_secs(600);

/// What to send, and how.
pub struct Plan {
    /// The server.
    pub address: SocketAddr,
    /// Whole requests, sent in turn, again from the first after the last.
    pub requests: Vec<Vec<u8>>,
    /// Connections.
    pub connections: usize,
    /// Time before measuring.
    pub warm_up: Duration,
    /// When to stop.
    pub until: Until,
    /// Requests started per second; `None` starts each when the one before it was answered.
    pub rate_per_s: Option<f64>,
    /// Whether to keep the bodies of good answers.
    pub keep_bodies: bool,
    /// Whether to stay awake where there is nothing to do: the server pays to wake a sleeping caller on the same machine.
    pub is_awake: bool,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After this time of measuring.
    Time(Duration),
    /// After so many requests in all, warm-up or not.
    Requests(usize),
}

/// What came of it. Latencies are of every answer, rates of good ones (2xx), while measuring.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Good answers per second.
    pub per_s: f64,
    /// Median latency.
    pub p50_ms: f64,
    /// Latency that one in a hundred exceeds.
    pub p99_ms: f64,
    /// Longest latency.
    pub max_ms: f64,
    /// Seconds that were measured.
    pub seconds: f64,
    /// Good answers in all, those of the warm-up too.
    pub good: u64,
    /// Other answers in all, by status.
    pub others: BTreeMap<u16, u64>,
    /// Connections that broke.
    pub broken: u64,
    /// Share of one core that the generator itself used for its work: above 0.9 it measures itself.
    pub cpu_share: f64,
}

struct Shared {
    plan: Plan,
    next: AtomicUsize,
    begin: Instant,
    measure: Instant,
    end: Instant,
    most: usize,
    /// Requests begun and answers read, and the time between two looks at this number that found it the same.
    steps: AtomicU64,
    idle_ns: AtomicU64,
}

#[derive(Default)]
struct Tally {
    latencies_ms: Vec<f64>,
    measured_good: u64,
    good: u64,
    others: BTreeMap<u16, u64>,
    broken: u64,
    bodies: Vec<Vec<u8>>,
}

impl Report {
    /// What the runs of one plan did together: counts are added up, rates and shares are of the whole time, a latency is the
    /// worst of the runs.
    pub fn joined<'a>(runs: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for run in runs {
            let seconds = all.seconds + run.seconds;
            let joined = |before: f64, now: f64| (before * all.seconds + now * run.seconds) / seconds;
            all.per_s = joined(all.per_s, run.per_s);
            all.cpu_share = joined(all.cpu_share, run.cpu_share);
            all.seconds = seconds;
            all.p50_ms = all.p50_ms.max(run.p50_ms);
            all.p99_ms = all.p99_ms.max(run.p99_ms);
            all.max_ms = all.max_ms.max(run.max_ms);
            all.good += run.good;
            all.broken += run.broken;
            for (status, count) in &run.others {
                *all.others.entry(*status).or_default() += count;
            }
        }
        all
    }
}

/// Runs a plan on the current thread's runtime: the report, and the bodies of good answers if they were to be kept.
pub async fn run(plan: Plan) -> io::Result<(Report, Vec<Vec<u8>>)> {
    if plan.requests.is_empty() || plan.connections == 0 {
        return Err(io::Error::new(ErrorKind::InvalidInput, "nothing to send"));
    }
    let begin = Instant::now();
    let measure = begin + plan.warm_up;
    let (end, most) = match plan.until {
        Until::Time(time) => (measure + time, usize::MAX),
        Until::Requests(requests) => (begin + LONGEST, requests),
    };
    let shared = Arc::new(Shared {
        next: AtomicUsize::new(0),
        plan,
        begin,
        measure,
        end,
        most,
        steps: AtomicU64::new(0),
        idle_ns: AtomicU64::new(0),
    });
    let awake = shared.plan.is_awake.then(|| tokio::spawn(stay_awake(shared.clone())));
    let connections: Vec<_> = (0..shared.plan.connections)
        .map(|_| tokio::spawn(connection(shared.clone())))
        .collect();

    let pid = std::process::id();
    tokio::time::sleep_until(measure.into()).await;
    let work_ns = || -> io::Result<u64> { Ok(cpu_ns(pid)?.saturating_sub(shared.idle_ns.load(Ordering::Relaxed))) };
    let (used, started) = (work_ns()?, Instant::now());
    let mut used_later = None;
    if matches!(shared.plan.until, Until::Time(_)) {
        tokio::time::sleep_until(end.into()).await;
        used_later = Some((work_ns()?, started.elapsed()));
    }
    let mut all = Tally::default();
    for connection in connections {
        all.add(connection.await.map_err(io::Error::other)?);
    }
    let (used_later, time) = match used_later {
        Some(measured) => measured,
        None => (work_ns()?, started.elapsed()),
    };
    if let Some(awake) = awake {
        awake.abort();
    }
    let seconds = time.as_secs_f64();
    let latencies = sorted(all.latencies_ms);
    let report = Report {
        per_s: all.measured_good as f64 / seconds,
        p50_ms: percentile(&latencies, 0.5),
        p99_ms: percentile(&latencies, 0.99),
        max_ms: percentile(&latencies, 1.0),
        seconds,
        good: all.good,
        others: all.others,
        broken: all.broken,
        cpu_share: used_later.saturating_sub(used) as f64 / 1e9 / seconds,
    };
    Ok((report, all.bodies))
}

/// One connection's requests, one after the other, until the run ends.
async fn connection(shared: Arc<Shared>) -> Tally {
    let plan = &shared.plan;
    let mut tally = Tally::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut stream = None;
    let mut failures = 0;
    while failures < MAX_FAILURES {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(started) = start(&shared, number).await else {
            break;
        };
        let request = &plan.requests[number % plan.requests.len()];
        shared.steps.fetch_add(1, Ordering::Relaxed);
        let answer = exchange(&mut stream, plan.address, request, &mut buffer).await;
        shared.steps.fetch_add(1, Ordering::Relaxed);
        let Ok(answer) = answer else {
            tally.broken += 1;
            failures += 1;
            stream = None;
            continue;
        };
        failures = 0;
        let finished = Instant::now();
        let is_good = (200..300).contains(&answer.status);
        if is_good {
            tally.good += 1;
        } else {
            *tally.others.entry(answer.status).or_default() += 1;
        }
        if finished >= shared.measure && finished <= shared.end {
            tally.measured_good += u64::from(is_good);
            tally.latencies_ms.push((finished - started).as_secs_f64() * 1e3);
        }
        if is_good && plan.keep_bodies {
            tally.bodies.push(buffer[answer.body].to_vec());
        }
    }
    tally
}

/// Looks for something to do without a pause. A thread that sleeps has to be woken, and on one machine it is the server
/// that does that, with each answer: up to as much time as the answer takes, which no caller on another machine costs it.
async fn stay_awake(shared: Arc<Shared>) {
    let mut before = (Instant::now(), 0);
    loop {
        tokio::task::yield_now().await;
        let now = (Instant::now(), shared.steps.load(Ordering::Relaxed));
        if now.1 == before.1 {
            let idle = u64::try_from((now.0 - before.0).as_nanos()).unwrap_or(0);
            shared.idle_ns.fetch_add(idle, Ordering::Relaxed);
        }
        before = now;
    }
}

/// Waits for the turn of request `number`: since when its answer is owed. `None` when the run is over.
async fn start(shared: &Shared, number: usize) -> Option<Instant> {
    if number >= shared.most {
        return None;
    }
    let now = Instant::now();
    let Some(rate) = shared.plan.rate_per_s else {
        return (now < shared.end).then_some(now);
    };
    let due = shared.begin + Duration::from_secs_f64(number as f64 / rate);
    if due >= shared.end {
        return None;
    }
    if due <= now {
        return Some(due);
    }
    // The timer wakes up to a millisecond late, which is not the server's doing.
    tokio::time::sleep_until(due.into()).await;
    Some(Instant::now())
}

/// Sends a request and reads its answer; `stream` is opened first where there is none.
async fn exchange(
    stream: &mut Option<TcpStream>,
    address: SocketAddr,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> io::Result<Response> {
    let stream = match stream {
        Some(stream) => stream,
        None => {
            let opened = TcpStream::connect(address).await?;
            opened.set_nodelay(true)?;
            stream.insert(opened)
        }
    };
    let mut sent = 0;
    while sent < request.len() {
        match stream.try_write(&request[sent..]) {
            Ok(written) => sent += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    let mut filled = 0;
    loop {
        match read(stream, &mut buffer[filled..]).await? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
        if let Some(answer) = response::read(&buffer[..filled]).map_err(io::Error::other)? {
            return Ok(answer);
        }
        if filled == buffer.len() {
            buffer.resize(2 * filled, 0);
        }
    }
}

/// Reads what is there. After a read that leaves room, the next one waits without asking the kernel first.
async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut buffer = ReadBuf::new(buffer);
    poll_fn(|context| Pin::new(&mut *stream).poll_read(context, &mut buffer)).await?;
    Ok(buffer.filled().len())
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.latencies_ms.extend(other.latencies_ms);
        self.measured_good += other.measured_good;
        self.good += other.good;
        self.broken += other.broken;
        self.bodies.extend(other.bodies);
        for (status, count) in other.others {
            *self.others.entry(status).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;

    use super::*;

    async fn run_against(status: axum::http::StatusCode, until: Until, rate_per_s: Option<f64>) -> Report {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(move || async move { (status, "hello") }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let plan = Plan {
            address,
            requests: vec![b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()],
            connections: 4,
            warm_up: Duration::ZERO,
            until,
            rate_per_s,
            keep_bodies: true,
            is_awake: rate_per_s.is_none(),
        };
        let (report, bodies) = run(plan).await.unwrap();
        assert_eq!(bodies.len() as u64, report.good);
        report
    }

    #[test]
    fn runs_that_are_joined_count_by_their_time() {
        let run = |per_s, seconds, good| Report {
            per_s,
            seconds,
            good,
            p99_ms: per_s,
            others: BTreeMap::from([(401, 2)]),
            ..Report::default()
        };
        let joined = Report::joined(&[run(100.0, 1.0, 100), run(200.0, 3.0, 600)]);
        assert_eq!((joined.per_s, joined.seconds, joined.good), (175.0, 4.0, 700));
        assert_eq!((joined.p99_ms, joined.others[&401]), (200.0, 4));
    }

    #[tokio::test]
    async fn a_number_of_requests_is_sent_exactly() {
        let report = run_against(axum::http::StatusCode::OK, Until::Requests(50), None).await;
        assert_eq!((report.good, report.broken), (50, 0));
        assert!(report.p50_ms > 0.0 && report.p50_ms <= report.p99_ms && report.p99_ms <= report.max_ms);
    }

    #[tokio::test]
    async fn a_rate_is_kept() {
        let until = Until::Time(Duration::from_millis(500));
        let report = run_against(axum::http::StatusCode::OK, until, Some(200.0)).await;
        assert!((80..=100).contains(&report.good), "{report:?}");
    }

    #[tokio::test]
    async fn refusals_are_counted_apart() {
        let report = run_against(axum::http::StatusCode::UNAUTHORIZED, Until::Requests(10), None).await;
        assert_eq!((report.good, report.others.get(&401)), (0, Some(&10)));
    }
}
