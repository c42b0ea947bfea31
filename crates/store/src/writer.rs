//! The batch task: takes what waits, commits it in one transaction, answers. One per store.
//!
//! A batch never waits to fill: it closes when the commit before it has returned, so a lone job costs one commit
//! and a thousand cost one as well (DESIGN §4, "Jobs and batches").

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

use tokenhouse_protocol::id::{LogId, NodeId, TenantId};
use tokenhouse_protocol::time::{Clock, Timestamp};

use crate::db::{Db, Tx, execute, may_be_retried, pause};
use crate::job::{Outcome, Prepared};
use crate::log_id::LogIds;
use crate::logs::{self, NewLine, ROWS_AT_ONCE};
use crate::measured::Measured;
use crate::{Count, Counted, Outages, Store, StoreError, UsedAssertion, assertions, quotas};

/// Jobs that may wait.
const WAITING: usize = 4096;
/// Jobs of one batch.
const BATCH: usize = 1024;
/// How long a batch lets those who are ready to run go first: a few signatures. Longer fills batches no better, and
/// is seen at half of full load.
const GATHER_FOR: Duration = Duration::from_micros(750);
/// How often a node says that it lives, if it writes at all.
const SEEN_EVERY_MS: i64 = 60_000;
/// Within this, counted from when its job was queued, a caller has an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The least time that a batch is given. A job that has less is refused before its batch, since all of a batch have the
/// time of the one who waits longest.
const LEAST: Duration = Duration::from_secs(1);
/// After this a commit is given up, though its connection still stands: it may be durable or not.
const GIVE_UP: Duration = Duration::from_secs(20);
/// From a batch's beginning, when its rows get their ids, until it was written or given up: those two, and no more.
pub(crate) const OPEN_AT_MOST_MS: i64 = 25_000;
/// How often a database that could not be written is tried.
const TRY_EVERY: Duration = Duration::from_secs(1);

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

/// The task, from outside.
pub(crate) struct Started {
    pub(crate) queue: mpsc::Sender<Message>,
    /// Whether the last batch was not written.
    pub(crate) is_failing: Arc<AtomicBool>,
    pub(crate) task: JoinHandle<()>,
}

/// Starts the task. It ends when it is told to close, or when every sender is gone, with nothing left waiting.
pub(crate) fn start(db: Db, node: NodeId, clock: Clock, outages: Arc<Outages>) -> Started {
    let (queue, receiver) = mpsc::channel(WAITING);
    let is_failing = Arc::new(AtomicBool::new(false));
    let ids = LogIds::new(&node);
    let writer = Writer {
        started_at: clock.now(),
        db,
        node,
        clock,
        ids,
        receiver,
        seen_at: None,
        is_failing: is_failing.clone(),
        outages,
        measured: Measured::default(),
    };
    let task = tokio::spawn(writer.run());
    Started {
        queue,
        is_failing,
        task,
    }
}

struct Writer {
    db: Db,
    node: NodeId,
    clock: Clock,
    ids: LogIds,
    receiver: mpsc::Receiver<Message>,
    started_at: Timestamp,
    seen_at: Option<Timestamp>,
    is_failing: Arc<AtomicBool>,
    outages: Arc<Outages>,
    measured: Measured,
}

/// A job whose time has come.
struct Due {
    job: Prepared,
    answer: Option<Answer>,
    since: Instant,
}

/// What one transaction writes.
struct Batch<'a> {
    /// What is logged, each line with its job's number.
    lines: Vec<(usize, NewLine<'a>)>,
    /// The assertions that its jobs use up, each with its job's number.
    uses: Vec<(usize, &'a TenantId, &'a UsedAssertion)>,
    /// The tokens that its jobs count, each with its job's number.
    counts: Vec<(usize, &'a TenantId, &'a Count)>,
    seen: Option<Seen>,
}

/// What became of a batch that is durable.
struct Written {
    /// The jobs of which nothing was logged: their assertion was used before, or their quota is used up.
    left_out: HashSet<usize>,
    /// How the quotas stand, by job.
    counted: HashMap<usize, Counted>,
}

impl Batch<'_> {
    /// Whether there are rows to write and nothing else, as in most batches.
    fn is_one_statement(&self) -> bool {
        let has_more = self.seen.is_some() || !self.uses.is_empty() || !self.counts.is_empty();
        !has_more && self.lines.len() <= ROWS_AT_ONCE
    }
}

/// What a batch writes about its node, if it is time.
struct Seen {
    at: Timestamp,
    folded_to: String,
}

impl Writer {
    async fn run(mut self) {
        let mut messages = Vec::with_capacity(BATCH);
        while self.take(&mut messages).await {
            // Nothing came, and the database could not be written before: an empty batch tries it.
            let is_trial = messages.is_empty();
            let mut jobs = Vec::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Job(job, answer, since) => {
                        self.measured.wait_s.add(since.elapsed().as_secs_f64());
                        match answer {
                            // Who asked may have gone meanwhile.
                            Some(answer) if since.elapsed() + LEAST > ANSWER_WITHIN => {
                                answer.send(Err(too_late())).ok();
                            }
                            answer => jobs.push(Due { job, answer, since }),
                        }
                    }
                    Message::Measure(asked) => drop(asked.send(self.measured.clone())),
                    Message::Close => self.receiver.close(),
                }
            }
            if is_trial || !jobs.is_empty() {
                self.batch(jobs).await;
            }
        }
    }

    /// Takes what waits; nothing, now and then, while the database could not be written. `false` at the end.
    async fn take(&mut self, messages: &mut Vec<Message>) -> bool {
        if !self.is_failing() {
            let is_open = self.receiver.recv_many(messages, BATCH).await > 0;
            self.gather(messages).await;
            return is_open;
        }
        tokio::select! {
            taken = self.receiver.recv_many(messages, BATCH) => taken > 0,
            () = pause(TRY_EVERY) => true,
        }
    }

    /// Lets the exchanges that are ready to run have their turn, and takes what they leave too.
    ///
    /// The first job wakes this task at once, before them: each batch would hold one job, and each token pay for a
    /// transaction of its own. Nobody is waited for: on an idle server there is nobody to go first.
    async fn gather(&mut self, messages: &mut Vec<Message>) {
        let (began, mut before) = (Instant::now(), 0);
        while before < messages.len() && messages.len() < BATCH && began.elapsed() < GATHER_FOR {
            before = messages.len();
            yield_now().await;
            while messages.len() < BATCH
                && let Ok(message) = self.receiver.try_recv()
            {
                messages.push(message);
            }
        }
    }

    fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    async fn batch(&mut self, jobs: Vec<Due>) {
        let now = self.clock.now();
        let mut batch = Batch {
            lines: Vec::with_capacity(jobs.len()),
            uses: Vec::new(),
            counts: Vec::new(),
            seen: self.seen(now),
        };
        for (number, Due { job, .. }) in jobs.iter().enumerate() {
            let tenant = &job.tenant;
            batch.lines.extend(job.rows.iter().map(|entry| {
                let id = self.ids.next(now);
                (number, NewLine { id, tenant, entry })
            }));
            batch.uses.extend(job.uses.as_ref().map(|used| (number, tenant, used)));
            batch
                .counts
                .extend(job.counts.as_deref().map(|count| (number, tenant, count)));
        }
        let begun = Instant::now();
        // A refusal that nobody waits for is written with the others, however late.
        let waited_for = jobs.iter().filter(|due| due.answer.is_some());
        let oldest = waited_for.map(|due| due.since).min().unwrap_or(begun);
        let written = self.write(&batch, oldest + ANSWER_WITHIN).await;
        self.is_failing.store(written.is_err(), Ordering::Relaxed);
        if !jobs.is_empty() {
            let jobs: Vec<_> = jobs.iter().map(|due| &due.job).collect();
            let left_out = written.as_ref().map(|written| &written.left_out);
            self.measured.batch(&jobs, left_out.ok(), begun.elapsed());
        }
        if written.is_ok() && batch.seen.is_some() {
            self.seen_at = Some(now);
        }
        if let Err(error) = &written {
            let unrecorded = jobs.iter().filter(|due| due.answer.is_none()).count();
            self.outages.not_written(jobs.len(), unrecorded, error);
        }
        let ids: Vec<LogId> = batch.lines.into_iter().map(|(_, line)| line.id).collect();
        let mut ids = ids.into_iter();
        for (number, Due { job, answer, .. }) in jobs.into_iter().enumerate() {
            let mut logs: Vec<LogId> = ids.by_ref().take(job.rows.len()).collect();
            let Some(answer) = answer else { continue };
            let outcome = written.as_ref().map(|written| {
                let counted = written.counted.get(&number).copied();
                let is_left_out = written.left_out.contains(&number);
                if is_left_out {
                    logs.clear();
                }
                Outcome {
                    logs,
                    is_replay: is_left_out && counted.is_none(),
                    counted,
                }
            });
            answer.send(outcome.map_err(Clone::clone)).ok();
        }
    }

    /// The node's row must be there before its first log row, and be fresh enough that nobody removes it.
    ///
    /// Should it have been removed while this node was silent, all that it wrote before was folded: what is folded
    /// next begins after the last id it made. A batch that tries the database writes it too: one that writes nothing
    /// succeeds on a full disk.
    fn seen(&self, now: Timestamp) -> Option<Seen> {
        let seen_lately = self.seen_at.is_some_and(|seen_at| now < seen_at.plus_ms(SEEN_EVERY_MS));
        let fresh = seen_lately && !self.is_failing();
        (!fresh).then(|| Seen {
            at: now,
            folded_to: self.ids.last().to_owned(),
        })
    }

    /// Writes a batch, again if another transaction was in the way, which is certain to have left nothing.
    async fn write(&mut self, batch: &Batch<'_>, deadline: Instant) -> Result<Written, StoreError> {
        loop {
            match self.attempt(batch, deadline).await {
                Ok(Ok(written)) => return Ok(written),
                Ok(Err(error)) if may_be_retried(&error) && Instant::now() < deadline => {
                    pause(Duration::from_millis(10)).await;
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(Elapsed { .. }) => return Err(too_late()),
            }
        }
    }

    /// One transaction. Until its commit begins it can be given up at the deadline, and leaves nothing; a statement that
    /// commits by itself may be durable all the same.
    async fn attempt(&mut self, batch: &Batch<'_>, deadline: Instant) -> Result<Result<Written, sqlx::Error>, Elapsed> {
        let (tx, written) = match timeout_at(deadline, handing_over(self.fill(batch))).await? {
            Ok(filled) => filled,
            Err(error) => return Ok(Err(error)),
        };
        let ended = timeout(GIVE_UP, tx.backend.end()).await?;
        Ok(ended.map(|()| written))
    }

    /// A transaction that holds a batch and is not committed, and what becomes of its jobs.
    async fn fill(&mut self, batch: &Batch<'_>) -> Result<(Tx<'static>, Written), sqlx::Error> {
        let clock = self.clock.clone();
        let mut tx = match batch.is_one_statement() {
            true => self.db.begin_statement(clock).await?,
            false => self.db.begin(clock).await?,
        };
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
        let mut left_out = assertions::take(&mut tx, &batch.uses).await?;
        // What comes too late uses nothing up.
        let counts: Vec<_> = batch
            .counts
            .iter()
            .filter(|(job, ..)| !left_out.contains(job))
            .copied()
            .collect();
        let settled = quotas::count(&mut tx, &counts).await?;
        let over = settled.counted.iter().filter(|(_, counted)| counted.is_over);
        left_out.extend(over.map(|(job, _)| *job));
        let now = self.clock.now();
        let warnings = settled.warnings.iter().map(|(tenant, entry)| NewLine {
            id: self.ids.next(now),
            tenant,
            entry,
        });
        let warnings: Vec<_> = warnings.collect();
        let due = batch.lines.iter().filter(|(job, _)| !left_out.contains(job));
        let lines: Vec<_> = due.map(|(_, line)| line).chain(&warnings).collect();
        logs::add(&mut tx, &self.node, &lines).await?;
        let written = Written {
            left_out,
            counted: settled.counted,
        };
        Ok((tx, written))
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

/// Once it has to wait, lets the thread that it waits for have the core: on a single one it would get it when this one's
/// slice is over, milliseconds later under load.
async fn handing_over<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut is_first = true;
    poll_fn(|context| {
        let polled = work.as_mut().poll(context);
        if polled.is_pending() && std::mem::take(&mut is_first) {
            std::thread::yield_now();
        }
        polled
    })
    .await
}

/// Waits for an outcome, but not for a commit that hangs: what is in it may become durable, and is not given out.
pub(crate) async fn outcome(answered: oneshot::Receiver<Result<Outcome, StoreError>>) -> Result<Outcome, StoreError> {
    match timeout(ANSWER_WITHIN + LEAST, answered).await {
        Ok(outcome) => outcome.unwrap_or_else(|_| Err(closed())),
        Err(Elapsed { .. }) => Err(too_late()),
    }
}

/// The answer when the database took too long.
fn too_late() -> StoreError {
    StoreError::Unavailable("the database does not answer in time".into())
}

/// The answer once the store was closed.
pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}
