//! What the batch task counts, sizes, waits, times, failures and tokens, and how long reads take, for whoever watches
//! the house.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::Store;
use crate::job::Prepared;
use crate::writer::Message;

impl Store {
    /// What the batch task measured since the store was opened. Asked of the task itself, so it waits for the batch
    /// that is being written; `None` if the queue is full or closed.
    pub async fn measured(&self) -> Option<Measured> {
        let (asked, measured) = oneshot::channel();
        self.queue().try_send(Message::Measure(asked)).ok()?;
        measured.await.ok()
    }

    /// Seconds that reads outside transactions took since the store was opened, the wait for a connection included.
    pub fn reads_s(&self) -> Histogram {
        self.db().reads().seconds()
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

/// How long reads took.
pub(crate) struct Reads(Mutex<Histogram>);

/// A read that is going on; counted when it is dropped, however it ended.
pub(crate) struct Reading<'a> {
    reads: &'a Reads,
    began: Instant,
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
    /// Counts a batch: `left_out` are its jobs of which nothing was logged, `None` if nothing was of any.
    pub(crate) fn batch(&mut self, jobs: &[&Prepared], left_out: Option<&HashSet<usize>>, took: Duration) {
        // At most 1024: exact in any float.
        self.batch_jobs
            .add(u32::try_from(jobs.len()).unwrap_or(u32::MAX).into());
        self.commit_s.add(took.as_secs_f64());
        let Some(left_out) = left_out else {
            self.failed_batches += 1;
            return;
        };
        let written = jobs.iter().enumerate().filter(|(number, _)| !left_out.contains(number));
        for entry in written.flat_map(|(_, job)| &job.rows) {
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

impl Reads {
    /// A read begins.
    pub(crate) fn begin(&self) -> Reading<'_> {
        Reading {
            reads: self,
            began: Instant::now(),
        }
    }

    fn seconds(&self) -> Histogram {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for Reads {
    fn default() -> Self {
        Self(Mutex::new(Histogram::new(SECONDS)))
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed().as_secs_f64();
        self.reads.0.lock().unwrap_or_else(PoisonError::into_inner).add(took);
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

    pub(crate) fn add(&mut self, figure: f64) {
        self.count += 1;
        self.sum += figure;
        let place = self.bounds.iter().position(|bound| figure <= *bound);
        if let Some(count) = place.and_then(|place| self.counts.get_mut(place)) {
            *count += 1;
        }
    }
}

/// Bounds of histograms of times, in seconds.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];
