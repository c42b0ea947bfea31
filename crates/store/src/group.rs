//! Changes of configuration that share a transaction, where one database has one writer: a group.
//!
//! Each change has its turn: a savepoint of its own, so that one that is dropped takes nothing of the others' with it.
//! The group is committed when nobody waits for a turn, and then all of it is answered, so that fifty changes at once
//! cost one flush. What each counts, in the tenant's revision and in its totals, what it is found by, and the secret of an
//! application that it makes are written once for all of them.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Clock;

use crate::db::{Backend, Db, Lent};
use crate::names::Names;
use crate::totals::Counted;
use crate::writer::closed;
use crate::{Change, ClientSecret, Store, StoreError, Tx};

/// Changes that may wait for their turn without waiting for a place in the queue.
const WAITING: usize = 256;
/// Changes of one group.
const GROUP: usize = 256;
/// How long a group takes further changes: what is granted waits for the same writer.
const OPEN_FOR: Duration = Duration::from_millis(10);
/// How long a change waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// A change that asks for its turn.
pub(crate) struct Asked {
    tenant: TenantId,
    change: Change,
    answer: oneshot::Sender<Result<Turn, StoreError>>,
}

/// The group's transaction, for as long as one change has it. Dropped, it is handed back, and what was done in it undone.
pub(crate) struct Turn {
    lent: Option<Lent>,
    counts: Counts,
    names: Names,
    secrets: Secrets,
    back: Option<oneshot::Sender<Returned>>,
}

/// By how much each of a tenant's totals grew.
type Counts = Vec<(TenantId, Counted, i64)>;
/// Secrets of new applications, each with its tenant.
type Secrets = Vec<(TenantId, ClientSecret)>;

/// A turn that is over.
struct Returned {
    lent: Lent,
    kept: Option<Kept>,
}

/// What a change leaves to the group, and who waits until it is durable.
struct Kept {
    counts: Counts,
    names: Names,
    secrets: Secrets,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// The changes of a group that were kept, in their order.
#[derive(Default)]
struct Members {
    changes: Vec<(TenantId, Change)>,
    counts: Counts,
    names: Names,
    secrets: Secrets,
    answers: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

/// The task that gives turns, from outside; `None` where every change has a transaction of its own.
pub(crate) fn start(db: &Db, clock: &Clock) -> Option<mpsc::Sender<Asked>> {
    if !db.has_one_writer() {
        return None;
    }
    let (queue, receiver) = mpsc::channel(WAITING);
    let groups = Groups {
        db: db.clone(),
        clock: clock.clone(),
        receiver,
    };
    tokio::spawn(groups.run());
    Some(queue)
}

impl Store {
    /// Begins a change of a tenant's configuration and counts it in the tenant's revision, which puts all changes of a
    /// tenant in order. As with [`Store::begin`], await no other method of the store while it is open.
    ///
    /// [`Tx::commit`] answers when it is durable, together with the changes that came at the same time.
    pub async fn change(&self, tenant: &TenantId, change: Change) -> Result<Tx<'static>, StoreError> {
        let Some(queue) = self.turns() else {
            let mut tx = self.begin().await?;
            tx.bump(tenant, change).await?;
            return Ok(tx);
        };
        let (answer, turn) = oneshot::channel();
        let asked = Asked {
            tenant: tenant.clone(),
            change,
            answer,
        };
        let turn = async {
            queue.send(asked).await.map_err(|_| closed())?;
            turn.await.unwrap_or_else(|_| Err(closed()))
        };
        let late = |_: Elapsed| Err(StoreError::Unavailable("its writer is busy".into()));
        let turn = timeout(PATIENCE, turn).await.unwrap_or_else(late)?;
        Ok(Tx {
            backend: Backend::Turn(turn),
            clock: self.clock().clone(),
        })
    }
}

impl Turn {
    /// The transaction.
    pub(crate) fn lent(&mut self) -> &mut Lent {
        // `None` only while it is handed back, which takes the turn itself.
        self.lent.as_mut().expect("a turn has its transaction until it ends")
    }

    /// Leaves a total to be counted with the group's.
    pub(crate) fn count(&mut self, tenant: &TenantId, counted: Counted, by: i64) {
        self.counts.push((tenant.clone(), counted, by));
    }

    /// Leaves names to be written with the group's.
    pub(crate) fn name(&mut self, names: Names) {
        self.names.extend(names);
    }

    /// Leaves the secret of an application that this change makes to be written with the group's.
    pub(crate) fn secret(&mut self, tenant: &TenantId, secret: ClientSecret) {
        self.secrets.push((tenant.clone(), secret));
    }

    /// Hands the transaction on, and answers when all of the group is durable, or nothing of it.
    pub(crate) async fn keep(mut self) -> Result<(), StoreError> {
        let (answer, outcome) = oneshot::channel();
        let counts = std::mem::take(&mut self.counts);
        let names = std::mem::take(&mut self.names);
        let secrets = std::mem::take(&mut self.secrets);
        self.hand_back(Some(Kept {
            counts,
            names,
            secrets,
            answer,
        }));
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }

    fn hand_back(&mut self, kept: Option<Kept>) {
        if let Some((lent, back)) = self.lent.take().zip(self.back.take()) {
            // An error means that the task is gone; then the transaction is rolled back here.
            back.send(Returned { lent, kept }).ok();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.hand_back(None);
    }
}

struct Groups {
    db: Db,
    clock: Clock,
    receiver: mpsc::Receiver<Asked>,
}

impl Groups {
    async fn run(mut self) {
        while let Some(first) = self.receiver.recv().await {
            self.group(first).await;
        }
    }

    /// One transaction, from its first change to its answers.
    async fn group(&mut self, first: Asked) {
        // Whoever waited too long is gone.
        if first.answer.is_closed() {
            return;
        }
        let mut lent = match self.db.begin_group().await {
            Ok(lent) => lent,
            Err(error) => {
                first.answer.send(Err(error.into())).ok();
                return;
            }
        };
        let began = Instant::now();
        let mut members = Members::default();
        let mut next = Some(first);
        let written = loop {
            let Some(asked) = next else {
                break self.write(lent, &mut members).await;
            };
            let Asked { tenant, change, answer } = asked;
            let Some(returned) = turn(lent, answer).await else {
                break Err(StoreError::Unavailable("a change was given up".into()));
            };
            lent = returned.lent;
            let is_kept = returned.kept.is_some();
            if let Some(kept) = returned.kept {
                members.changes.push((tenant, change));
                members.counts.extend(kept.counts);
                members.names.extend(kept.names);
                members.secrets.extend(kept.secrets);
                members.answers.push(kept.answer);
            }
            next = match members.answers.len() < GROUP && began.elapsed() < OPEN_FOR {
                true => self.next().await,
                false => None,
            };
            // A savepoint that was rolled back to is still there, and a commit ends the last one.
            let ended = match (is_kept, &next) {
                (false, _) => savepoint(&mut lent, "rollback to change").await,
                (true, Some(_)) => savepoint(&mut lent, "release change; savepoint change").await,
                (true, None) => Ok(()),
            };
            if let Err(error) = ended {
                // The database gave the transaction up by itself, as on a full disk.
                let error = StoreError::from(error);
                if let Some(asked) = next {
                    asked.answer.send(Err(error.clone())).ok();
                }
                break Err(error);
            }
        };
        for answer in members.answers {
            answer.send(written.clone()).ok();
        }
    }

    /// Who comes next, if anybody waits once those who are ready to run had their turn.
    async fn next(&mut self) -> Option<Asked> {
        for is_last in [false, true] {
            while let Ok(asked) = self.receiver.try_recv() {
                if !asked.answer.is_closed() {
                    return Some(asked);
                }
            }
            if !is_last {
                yield_now().await;
            }
        }
        None
    }

    /// Writes what the members counted, and commits.
    async fn write(&self, lent: Lent, members: &mut Members) -> Result<(), StoreError> {
        if members.changes.is_empty() {
            return Ok(());
        }
        let mut tx = Tx {
            backend: Backend::from(lent),
            clock: self.clock.clone(),
        };
        for (tenant, changes) in by_tenant(std::mem::take(&mut members.changes)) {
            tx.bump_all(&tenant, &changes).await?;
        }
        for (tenant, counted, by) in sums(std::mem::take(&mut members.counts)) {
            tx.count(&tenant, counted, by).await?;
        }
        tx.write_names(std::mem::take(&mut members.names)).await?;
        tx.write_client_secrets(&members.secrets).await?;
        tx.commit().await
    }
}

/// Lends the transaction, and waits until it is back; `None` if it was lost.
async fn turn(lent: Lent, answer: oneshot::Sender<Result<Turn, StoreError>>) -> Option<Returned> {
    let (back, returned) = oneshot::channel();
    let turn = Turn {
        lent: Some(lent),
        counts: Counts::new(),
        names: Names::new(),
        secrets: Secrets::new(),
        back: Some(back),
    };
    // Who asked may have gone: the turn that cannot be sent is dropped, and so is handed back.
    answer.send(Ok(turn)).ok();
    returned.await.ok()
}

async fn savepoint(lent: &mut Lent, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(&mut **lent).await.map(drop)
}

/// The changes of each tenant, in their order.
fn by_tenant(changes: Vec<(TenantId, Change)>) -> Vec<(TenantId, Vec<Change>)> {
    let mut sorted: Vec<(TenantId, Vec<Change>)> = Vec::new();
    for (tenant, change) in changes {
        match sorted.iter_mut().find(|(known, _)| *known == tenant) {
            Some((_, changes)) => changes.push(change),
            None => sorted.push((tenant, vec![change])),
        }
    }
    sorted
}

/// Each total's growth, once.
fn sums(counts: Counts) -> Counts {
    let mut sums = Counts::new();
    for (tenant, counted, by) in counts {
        match sums
            .iter_mut()
            .find(|(known, kind, _)| *known == tenant && *kind == counted)
        {
            Some((_, _, sum)) => *sum += by,
            None => sums.push((tenant, counted, by)),
        }
    }
    sums
}
