//! New lines as they come. On the database itself every node's lines are read in their order, so that none is missed.
//! Over HTTP, and behind a filter, the newest are asked for again and again, and those not seen yet are printed.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde_json::Value;
use tokio::time::interval;

use tokenhouse_protocol::id::{LogId, NodeId};

use super::{REACHED, newest, print_lines};
use crate::audit::event::shown;
use crate::cli::Failure;
use crate::cli::management::Management;
use crate::cli::output::{remark, text};
use crate::tenant::Tenant;

/// How often a follower looks for new lines in a database, and at a server.
const POLL: Duration = Duration::from_millis(250);
const POLL_SERVER: Duration = Duration::from_secs(1);
/// Lines that a follower reads at a time.
const PAGE_ROWS: u32 = 500;
/// Lines that are asked for at first; all that are reached where none of them was seen before.
const STEP: usize = 100;
/// Lines that a follower remembers having printed: of several nodes, one may write a line before another's.
const REMEMBERED: usize = 4 * REACHED;

/// Prints what comes after the `latest` lines, which are there already.
pub(super) async fn forever(
    api: &Management,
    filter: Option<&str>,
    latest: &[Value],
    as_json: bool,
) -> Result<(), Failure> {
    match (api, filter) {
        (Management::Here(tenant), None) => {
            let last = latest.last().map(|line| LogId::new(text(line, "log_id")));
            in_database(tenant, last, as_json).await
        }
        (Management::Here(_), Some(_)) => asking(api, filter, latest, (POLL, as_json)).await,
        (Management::There(_), _) => asking(api, filter, latest, (POLL_SERVER, as_json)).await,
    }
}

/// Follows every node's rows: each node's appear in order, those of several do not, and none is missed.
async fn in_database(tenant: &Tenant, last: Option<LogId>, as_json: bool) -> Result<(), Failure> {
    let store = &tenant.house.store;
    let mut places: HashMap<NodeId, LogId> = HashMap::new();
    let mut poll = interval(POLL);
    loop {
        poll.tick().await;
        for node in store.nodes().await? {
            loop {
                let after = places.get(&node).or(last.as_ref());
                let rows = store.logs_of_node_after(&tenant.id, &node, after, PAGE_ROWS).await?;
                let lines: Vec<Value> = rows.iter().map(|row| Value::Object(shown(row))).collect();
                print_lines(&lines, as_json)?;
                let is_last = rows.len() < PAGE_ROWS as usize;
                if let Some(row) = rows.into_iter().last() {
                    places.insert(node.clone(), row.id);
                }
                if is_last {
                    break;
                }
            }
        }
    }
}

/// Asks for the newest lines, and prints those not seen yet.
async fn asking(
    api: &Management,
    filter: Option<&str>,
    latest: &[Value],
    (pause, as_json): (Duration, bool),
) -> Result<(), Failure> {
    let id = |line: &Value| text(line, "log_id");
    // Ids are in the order of time: what is older than the oldest of these was there before.
    let begin = latest.first().map(id).unwrap_or_default();
    let mut seen: BTreeSet<String> = latest.iter().map(id).collect();
    let mut poll = interval(pause);
    loop {
        poll.tick().await;
        let is_new = |line: &&Value| id(line) > begin && !seen.contains(&id(line));
        let mut lines = newest(api, filter, STEP).await?;
        if lines.len() == STEP && lines.iter().all(|line| is_new(&line)) {
            lines = newest(api, filter, REACHED).await?;
            if lines.len() == REACHED && lines.iter().all(|line| is_new(&line)) {
                remark("Lines came faster than they could be read: some are left out. `logs list` searches them.");
            }
        }
        let mut new: Vec<Value> = lines.iter().filter(is_new).cloned().collect();
        new.reverse();
        print_lines(&new, as_json)?;
        seen.extend(new.iter().map(id));
        while seen.len() > REMEMBERED {
            seen.pop_first();
        }
    }
}
