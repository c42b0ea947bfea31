//! Figures about the running server in Prometheus's text format, on a listener of their own (`[metrics] listen`), so
//! that they are never public by accident. They name routes and reasons, never a tenant, a path or a person.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use tokenhouse_store::{Histogram, KeyState, Measured};

use crate::app::App;
use crate::refusal::Reason;

/// Statuses that are counted apart, from 100 on.
const STATUSES: usize = 500;
/// Longest time that the database's task is waited for; then its last figures are shown again.
const PATIENCE: Duration = Duration::from_secs(1);
/// The media type of Prometheus's text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Methods that are counted apart. The last stands for every other, since their names are strangers' words.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

/// Requests by route, method and status, and refusals by reason: one look-up and one addition a request, without a lock.
pub struct Requests {
    routes: HashMap<&'static str, Answers>,
    /// The paths of the Management API's table, to which one route leads.
    rows: HashMap<&'static str, Answers>,
    /// Those that no route answers: their paths are strangers' words.
    unmatched: Answers,
    /// Behind a lock, since a refusal has cost more than that already.
    refusals: Mutex<HashMap<Reason, u64>>,
}

/// The path of the row of the Management API's table that answered a request, as the table has it: it goes with the
/// answer to the door frame, which counts.
#[derive(Clone, Copy, Debug)]
pub struct Row(pub &'static str);

/// How many answers had each status, by method. Room is made for a method when it is first asked.
#[derive(Default)]
struct Answers([OnceLock<Box<[AtomicU64]>>; METHODS.len()]);

impl Requests {
    /// A table of these routes, and of these paths of the Management API's table.
    pub fn new(routes: impl Iterator<Item = &'static str>, rows: impl Iterator<Item = &'static str>) -> Self {
        Self {
            routes: routes.map(|route| (route, Answers::default())).collect(),
            rows: rows.map(|row| (row, Answers::default())).collect(),
            unmatched: Answers::default(),
            refusals: Mutex::default(),
        }
    }

    /// Counts an answer of a route.
    pub fn count(&self, route: Option<&str>, method: &Method, status: u16) {
        let answers = route.and_then(|route| self.routes.get(route));
        answers.unwrap_or(&self.unmatched).count(method, status);
    }

    /// Counts an answer of a row of the Management API's table.
    pub fn count_row(&self, row: Row, method: &Method, status: u16) {
        let answers = self.rows.get(row.0);
        answers.unwrap_or(&self.unmatched).count(method, status);
    }

    /// Counts a refusal.
    pub fn count_refusal(&self, reason: Reason) {
        *self.refusals().entry(reason).or_default() += 1;
    }

    fn refusals(&self) -> MutexGuard<'_, HashMap<Reason, u64>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers {
    fn count(&self, method: &Method, status: u16) {
        let known = METHODS.iter().position(|known| *known == method.as_str());
        let counts = &self.0[known.unwrap_or(METHODS.len() - 1)];
        let counts = counts.get_or_init(|| (0..STATUSES).map(|_| AtomicU64::new(0)).collect());
        let place = usize::from(status).checked_sub(100);
        if let Some(count) = place.and_then(|place| counts.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Those that were seen: method, status and how many.
    fn seen(&self) -> impl Iterator<Item = (&'static str, usize, u64)> + '_ {
        let asked = METHODS.iter().zip(&self.0);
        asked.flat_map(|(method, counts)| {
            let counts = counts.get().into_iter().flatten().enumerate();
            let counts = counts.map(|(place, count)| (*method, place + 100, count.load(Ordering::Relaxed)));
            counts.filter(|(_, _, count)| *count > 0)
        })
    }
}

/// `/metrics`, and nothing else.
pub fn router(app: &Arc<App>, requests: &Arc<Requests>) -> Router {
    let figures = Arc::new(Figures {
        app: app.clone(),
        requests: requests.clone(),
        last: Mutex::default(),
    });
    Router::new().route("/metrics", get(answer)).with_state(figures)
}

/// Where the figures are.
struct Figures {
    app: Arc<App>,
    requests: Arc<Requests>,
    last: Mutex<Measured>,
}

async fn answer(State(figures): State<Arc<Figures>>) -> impl IntoResponse {
    let mut page = Page(String::with_capacity(8192));
    figures.write(&mut page).await;
    ([(CONTENT_TYPE, TEXT)], page.0)
}

impl Figures {
    async fn write(&self, page: &mut Page) {
        self.write_requests(page);
        let store = &self.app.house.store;
        page.family("tokenhouse_queue_length", "gauge", "What waits now, by queue.");
        page.line("tokenhouse_queue_length", &[("queue", &"commit")], store.waiting());
        let passwords = self.app.house.accounts.passwords.waiting();
        page.line("tokenhouse_queue_length", &[("queue", &"password")], passwords);
        let help = "Time a read took, the wait for a connection included.";
        page.histogram("tokenhouse_database_read_seconds", help, &store.reads_s());
        self.write_caches(page);
        self.write_measured(page, &self.measured().await);
        self.write_keys(page).await;
    }

    /// Over all tenants in memory: one that is loaded anew begins again.
    fn write_caches(&self, page: &mut Page) {
        let name = "tokenhouse_cache_requests_total";
        page.family(
            name,
            "counter",
            "Look-ups in the directory's caches, by what was found.",
        );
        let mut sums: HashMap<&str, (u64, u64)> = HashMap::new();
        for tenant in self.app.loaded_tenants() {
            for (cache, hits, misses) in tenant.directory.cached() {
                let sum = sums.entry(cache).or_default();
                *sum = (sum.0 + hits, sum.1 + misses);
            }
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_unstable();
        for (cache, (hits, misses)) in sums {
            page.line(name, &[("cache", &cache), ("result", &"hit")], hits);
            page.line(name, &[("cache", &cache), ("result", &"miss")], misses);
        }
    }

    fn write_requests(&self, page: &mut Page) {
        let name = "tokenhouse_requests_total";
        page.family(name, "counter", "Answered requests by route, method and status.");
        let Requests {
            routes,
            rows,
            unmatched,
            ..
        } = &*self.requests;
        let routes = routes.iter().map(|(route, answers)| ((*route).to_owned(), answers));
        // A last parameter that takes the rest of a path is written as in the OpenAPI document.
        let rows = rows
            .iter()
            .map(|(row, answers)| (format!("/api/v2/{}", row.replace("...}", "}")), answers));
        let mut all: Vec<_> = routes.chain(rows).collect();
        all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        all.push(("unmatched".into(), unmatched));
        for (route, answers) in all {
            for (method, status, count) in answers.seen() {
                let labels: [(&str, &dyn fmt::Display); 3] =
                    [("route", &route), ("method", &method), ("status", &status)];
                page.line(name, &labels, count);
            }
        }
        let name = "tokenhouse_refusals_total";
        page.family(name, "counter", "Refused token requests by reason.");
        let refusals = self.requests.refusals();
        let mut refusals: Vec<_> = refusals.iter().map(|(reason, count)| (word(*reason), *count)).collect();
        refusals.sort_unstable();
        for (reason, count) in refusals {
            page.line(name, &[("reason", &reason)], count);
        }
    }

    /// What the batch task measured; the last known where it does not answer soon, as when the database hangs.
    async fn measured(&self) -> Measured {
        let fresh = tokio::time::timeout(PATIENCE, self.app.house.store.measured()).await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Some(fresh)) = fresh {
            *last = fresh;
        }
        last.clone()
    }

    fn write_measured(&self, page: &mut Page, measured: &Measured) {
        let name = "tokenhouse_tokens_total";
        page.family(name, "counter", "Access tokens issued and durably recorded, by grant.");
        for (grant, count) in &measured.tokens {
            page.line(name, &[("grant", grant)], *count);
        }
        page.histogram(
            "tokenhouse_batch_jobs",
            "Jobs committed in one transaction.",
            &measured.batch_jobs,
        );
        page.histogram(
            "tokenhouse_batch_wait_seconds",
            "Time a job waited for its batch.",
            &measured.wait_s,
        );
        let help = "Time a batch took to become durable, or to fail.";
        page.histogram("tokenhouse_commit_seconds", help, &measured.commit_s);
        page.family(
            "tokenhouse_batches_failed_total",
            "counter",
            "Batches that were given up.",
        );
        page.line("tokenhouse_batches_failed_total", &[], measured.failed_batches);
    }

    /// The age of the oldest signing key of each algorithm, over all tenants in memory.
    async fn write_keys(&self, page: &mut Page) {
        let now = self.app.house.clock.now();
        let mut ages: HashMap<String, i64> = HashMap::new();
        for tenant in self.app.loaded_tenants() {
            // Where the database is away the other figures matter all the more.
            let keys = self.app.house.store.keys(&tenant.id);
            let Ok(Ok(keys)) = tokio::time::timeout(PATIENCE, keys).await else {
                break;
            };
            for key in keys.into_iter().filter(|key| key.state == KeyState::Current) {
                let age_s = key.current_at.map_or(0, |at| (now.ms() - at.ms()) / 1000);
                let oldest = ages.entry(key.algorithm).or_default();
                *oldest = age_s.max(*oldest);
            }
        }
        let name = "tokenhouse_key_age_seconds";
        page.family(
            name,
            "gauge",
            "How long the oldest signing key has signed, by algorithm.",
        );
        let mut ages: Vec<_> = ages.into_iter().collect();
        ages.sort_unstable();
        for (algorithm, age_s) in ages {
            page.line(name, &[("algorithm", &algorithm)], age_s);
        }
    }
}

/// A page in the making. Labels are words of ours: nothing in them needs escaping.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.add(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &[(&str, &dyn fmt::Display)], value: impl fmt::Display) {
        self.add(format_args!("{name}"));
        for (place, (label, text)) in labels.iter().enumerate() {
            let before = if place == 0 { "{" } else { "," };
            self.add(format_args!("{before}{label}=\"{text}\""));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        self.add(format_args!("{after} {value}\n"));
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        let mut total = 0;
        for (bound, count) in histogram.bounds.iter().zip(&histogram.counts) {
            total += count;
            self.line(&bucket, &[("le", bound)], total);
        }
        self.line(&bucket, &[("le", &"+Inf")], histogram.count);
        self.add(format_args!(
            "{name}_sum {}\n{name}_count {}\n",
            histogram.sum, histogram.count
        ));
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        // A String takes whatever there is memory for.
        let _ = self.0.write_fmt(text);
    }
}

/// A reason as a label: its name in snake case.
fn word(reason: Reason) -> String {
    let mut word = String::new();
    for letter in format!("{reason:?}").chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}
