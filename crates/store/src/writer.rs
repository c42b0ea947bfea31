//! The batch task: takes what waits, commits it in one transaction, answers. One per store.
//!
//! A batch never waits to fill: it closes when the commit before it has returned, so a lone job costs one commit
//! and a thousand cost one as well (DESIGN §4, "Jobs and batches").

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use sqlx::QueryBuilder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use tokenhouse_protocol::id::{ApiId, ClientId, LogId, NodeId, TenantId, UserId};
use tokenhouse_protocol::time::{Clock, Timestamp};

use crate::db::{Db, execute, may_be_retried, on, pause};
use crate::job::{Outcome, Prepared, PreparedRow};
use crate::log_id::LogIds;
use crate::{Store, StoreError, UsedAssertion, assertions};

/// Jobs that may wait.
const WAITING: usize = 4096;
/// Jobs of one batch.
const BATCH: usize = 1024;
/// Rows of one statement: SQLite binds 32 766 values, a row is 13.
const ROWS_AT_ONCE: usize = 2500;
/// How often a node says that it lives, if it writes at all.
const SEEN_EVERY_MS: i64 = 60_000;
/// After this a batch that lost its races is given up.
const RETRY_FOR: Duration = Duration::from_secs(4);
/// Bounds of histograms of times, in seconds.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];
/// After this the database is taken for gone, though its connection still stands.
const GIVE_UP: Duration = Duration::from_secs(20);
/// From a batch's beginning, when its rows get their ids, until it was written or given up: those two, and no more.
pub(crate) const OPEN_AT_MOST_MS: i64 = 24_000;

/// What the writer hears.
pub(crate) enum Message {
    /// A job, where its outcome goes if anybody waits for it, and since when it waits.
    Job(Prepared, Option<Answer>, Instant),
    /// Say what was measured so far.
    Measure(oneshot::Sender<Measured>),
    /// Take no more; finish what waits.
    Close,
}

/// Where an outcome goes. A caller who hung up is no reason to undo anything.
pub(crate) type Answer = oneshot::Sender<Result<Outcome, StoreError>>;

/// Starts the task. It ends when it is told to close, or when every sender is gone, with nothing left waiting.
pub(crate) fn start(db: Db, node: NodeId, clock: Clock) -> (mpsc::Sender<Message>, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let ids = LogIds::new(&node);
    let writer = Writer {
        started_at: clock.now(),
        db,
        node,
        clock,
        ids,
        receiver,
        seen_at: None,
        measured: Measured::default(),
    };
    (sender, tokio::spawn(writer.run()))
}

struct Writer {
    db: Db,
    node: NodeId,
    clock: Clock,
    ids: LogIds,
    receiver: mpsc::Receiver<Message>,
    started_at: Timestamp,
    seen_at: Option<Timestamp>,
    measured: Measured,
}

/// A log row with its id, ready to be written.
struct Row<'a> {
    id: LogId,
    /// The number of its job in the batch.
    job: usize,
    tenant: &'a TenantId,
    row: &'a PreparedRow,
}

/// What one transaction writes.
struct Batch<'a> {
    rows: Vec<Row<'a>>,
    /// The assertions that its jobs use up, each with its job's number.
    uses: Vec<(usize, &'a TenantId, &'a UsedAssertion)>,
    seen: Option<Seen>,
}

/// What a batch writes about its node, if it is time.
struct Seen {
    at: Timestamp,
    folded_to: String,
}

impl Writer {
    async fn run(mut self) {
        let mut messages = Vec::with_capacity(BATCH);
        while self.receiver.recv_many(&mut messages, BATCH).await > 0 {
            let mut jobs = Vec::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Job(job, answer, since) => {
                        self.measured.wait_s.add(since.elapsed().as_secs_f64());
                        jobs.push((job, answer));
                    }
                    // Who asked may have gone meanwhile.
                    Message::Measure(asked) => drop(asked.send(self.measured.clone())),
                    Message::Close => self.receiver.close(),
                }
            }
            if !jobs.is_empty() {
                self.batch(jobs).await;
            }
        }
    }

    async fn batch(&mut self, jobs: Vec<(Prepared, Option<Answer>)>) {
        let now = self.clock.now();
        let mut batch = Batch {
            rows: Vec::with_capacity(jobs.len()),
            uses: Vec::new(),
            seen: self.seen(now),
        };
        for (number, (job, _)) in jobs.iter().enumerate() {
            batch.rows.extend(job.rows.iter().map(|row| Row {
                id: self.ids.next(now),
                job: number,
                tenant: &job.tenant,
                row,
            }));
            batch
                .uses
                .extend(job.uses.as_ref().map(|used| (number, &job.tenant, used)));
        }
        let begun = Instant::now();
        let written = self.write(&batch).await;
        self.measured.batch(&jobs, written.as_ref().ok(), begun.elapsed());
        if written.is_ok() && batch.seen.is_some() {
            self.seen_at = Some(now);
        }
        if let Err(error) = &written {
            let unrecorded = jobs.iter().filter(|(_, answer)| answer.is_none()).count();
            tracing::error!(jobs = jobs.len(), unrecorded, %error, "a batch was not written");
        }
        let mut ids = batch.rows.into_iter().map(|row| row.id).collect::<Vec<_>>().into_iter();
        for (number, (job, answer)) in jobs.into_iter().enumerate() {
            let mut logs: Vec<LogId> = ids.by_ref().take(job.rows.len()).collect();
            let Some(answer) = answer else { continue };
            let outcome = written.as_ref().map(|late| {
                let is_replay = late.contains(&number);
                if is_replay {
                    logs.clear();
                }
                Outcome { logs, is_replay }
            });
            answer.send(outcome.map_err(Clone::clone)).ok();
        }
    }

    /// The node's row must be there before its first log row, and be fresh enough that nobody removes it.
    ///
    /// Should it have been removed while this node was silent, all that it wrote before was folded: what is folded
    /// next begins after the last id it made.
    fn seen(&self, now: Timestamp) -> Option<Seen> {
        let fresh = self.seen_at.is_some_and(|seen_at| now < seen_at.plus_ms(SEEN_EVERY_MS));
        (!fresh).then(|| Seen {
            at: now,
            folded_to: self.ids.last().to_owned(),
        })
    }

    /// Writes a batch, again if another transaction was in the way; the ids stay, so nothing can be there twice.
    /// Answers the jobs of which nothing was written.
    async fn write(&self, batch: &Batch<'_>) -> Result<HashSet<usize>, StoreError> {
        let begun = Instant::now();
        loop {
            match timeout(GIVE_UP, self.attempt(batch)).await {
                Ok(Ok(late)) => return Ok(late),
                Ok(Err(error)) if may_be_retried(&error) && begun.elapsed() < RETRY_FOR => {
                    pause(Duration::from_millis(10)).await;
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => return Err(StoreError::Unavailable("the database does not answer".into())),
            }
        }
    }

    async fn attempt(&self, batch: &Batch<'_>) -> Result<HashSet<usize>, sqlx::Error> {
        let mut tx = self.db.begin(self.clock.clone()).await?;
        if let Some(seen) = &batch.seen {
            execute!(
                tx,
                "insert into nodes (id, started_at, seen_at, folded_to) values ($1, $2, $3, $4) \
                 on conflict (id) do update set seen_at = excluded.seen_at",
                self.node.as_str(),
                self.started_at.ms(),
                seen.at.ms(),
                seen.folded_to.as_str(),
            )?;
        }
        let late = assertions::take(&mut tx, &batch.uses).await?;
        let rows: Vec<&Row<'_>> = batch.rows.iter().filter(|row| !late.contains(&row.job)).collect();
        for some in rows.chunks(ROWS_AT_ONCE) {
            on!(tx: tx, connection => {
                let mut query = QueryBuilder::new(
                    "insert into logs (tenant_id, id, node_id, happened_at, kind, client_id, api_id, user_id, \
                     grant_type, address, tokens, repeats, body) ",
                );
                query.push_values(some, |mut values, Row { id, tenant, row, .. }| {
                    let entry = &row.entry;
                    values
                        .push_bind(tenant.as_str())
                        .push_bind(id.as_str())
                        .push_bind(self.node.as_str())
                        .push_bind(entry.at.ms())
                        .push_bind(entry.kind)
                        .push_bind(entry.client_id.as_ref().map(ClientId::as_str))
                        .push_bind(entry.api_id.as_ref().map(ApiId::as_str))
                        .push_bind(entry.user_id.as_ref().map(UserId::as_str))
                        .push_bind(entry.grant.as_deref())
                        .push_bind(entry.address.as_deref())
                        .push_bind(entry.tokens)
                        .push_bind(entry.repeats)
                        .push_bind(row.body.as_str());
                });
                query.build().persistent(false).execute(connection).await.map(drop)
            })?;
        }
        tx.end().await?;
        Ok(late)
    }
}

impl Store {
    /// Puts a job into the queue.
    pub(crate) fn enqueue(&self, job: Prepared, answer: Option<Answer>) -> Result<(), StoreError> {
        self.queue()
            .try_send(Message::Job(job, answer, Instant::now()))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Busy,
                mpsc::error::TrySendError::Closed(_) => closed(),
            })
    }
}

impl Store {
    /// What the batch task measured since the store was opened. Asked of the task itself, so it waits for the batch
    /// that is being written; `None` if the queue is full or closed.
    pub async fn measured(&self) -> Option<Measured> {
        let (asked, measured) = oneshot::channel();
        self.queue().try_send(Message::Measure(asked)).ok()?;
        measured.await.ok()
    }

    /// How many jobs wait for the batch task at this moment.
    pub fn waiting(&self) -> usize {
        self.queue().max_capacity() - self.queue().capacity()
    }
}

/// What the batch task has done.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// Jobs of a batch.
    pub batch_jobs: Histogram,
    /// Seconds that a job waited for its batch to begin.
    pub wait_s: Histogram,
    /// Seconds that a batch took to become durable, or to fail.
    pub commit_s: Histogram,
    /// Batches that were given up.
    pub failed_batches: u64,
    /// Access tokens whose rows are durable, by the grant's short name.
    pub tokens: BTreeMap<String, u64>,
}

/// How often a figure was at most each of some bounds.
#[derive(Clone, PartialEq, Debug)]
pub struct Histogram {
    /// The bounds, upwards.
    pub bounds: &'static [f64],
    /// How many figures were at most the bound of the same place and above the one before.
    pub counts: Vec<u64>,
    /// How many figures there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

impl Measured {
    /// Counts a batch: `late` are its jobs of which nothing was written, `None` if nothing was of any.
    fn batch(&mut self, jobs: &[(Prepared, Option<Answer>)], late: Option<&HashSet<usize>>, took: Duration) {
        // At most 1024: exact in any float.
        self.batch_jobs
            .add(u32::try_from(jobs.len()).unwrap_or(u32::MAX).into());
        self.commit_s.add(took.as_secs_f64());
        let Some(late) = late else {
            self.failed_batches += 1;
            return;
        };
        let written = jobs.iter().enumerate().filter(|(number, _)| !late.contains(number));
        for entry in written.flat_map(|(_, (job, _))| &job.rows).map(|row| &row.entry) {
            let (Ok(tokens @ 1..), Some(grant)) = (u64::try_from(entry.tokens), &entry.grant) else {
                continue;
            };
            match self.tokens.get_mut(grant) {
                Some(total) => *total += tokens,
                None => drop(self.tokens.insert(grant.clone(), tokens)),
            }
        }
    }
}

impl Default for Measured {
    fn default() -> Self {
        Self {
            batch_jobs: Histogram::new(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0]),
            wait_s: Histogram::new(SECONDS),
            commit_s: Histogram::new(SECONDS),
            failed_batches: 0,
            tokens: BTreeMap::new(),
        }
    }
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len()],
            count: 0,
            sum: 0.0,
        }
    }

    fn add(&mut self, figure: f64) {
        self.count += 1;
        self.sum += figure;
        let place = self.bounds.iter().position(|bound| figure <= *bound);
        if let Some(count) = place.and_then(|place| self.counts.get_mut(place)) {
            *count += 1;
        }
    }
}

/// The answer once the store was closed.
pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}
