//! `tokenhouse logs`: what was granted and refused, in Auth0's type codes (CONTRACT §4.8, §6.6).

use std::collections::HashMap;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use tokio::time::interval;

use tokenhouse_protocol::id::{LogId, NodeId, UserId};
use tokenhouse_store::LogRow;

use super::Failure;
use super::output::{print, print_json_line};
use super::place::Place;
use super::stop::Stop;
use crate::tenant::Tenant;

/// How often a follower looks for new lines.
const POLL: Duration = Duration::from_millis(250);
/// Lines that a follower reads at a time.
const PAGE_ROWS: u32 = 500;

#[derive(Args, Debug)]
#[command(after_help = "\
With --json each line is one object, its fields named as in Auth0's logs.

Examples:
  tokenhouse logs tail --follow
  tokenhouse logs tail --take 1000 --json")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the last lines, the newest at the end
    Tail {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        take: u32,
        /// Go on with new lines as they come, until Ctrl-C
        #[arg(long, short)]
        follow: bool,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        action: Action::Tail { take, follow },
        place,
    } = arguments;
    place
        .with_tenant(async |tenant| tail(tenant, take, follow, place.json).await)
        .await
}

async fn tail(tenant: &Tenant, take: u32, follow: bool, as_json: bool) -> Result<(), Failure> {
    let store = &tenant.house.store;
    // The newest line is asked for even if none is wanted: a follower goes on from there.
    let mut latest = store.logs_latest(&tenant.id, take.max(1)).await?;
    latest.reverse();
    let last = latest.last().map(|row| row.id.clone());
    let skipped = usize::from(take == 0);
    print_rows(latest.get(skipped..).unwrap_or_default(), as_json)?;
    if !follow {
        return Ok(());
    }
    let mut stop = Stop::listen();
    tokio::select! {
        followed = forever(tenant, last, as_json) => followed,
        () = stop.asked() => Ok(()),
    }
}

/// Follows every node's rows: each node's appear in order, those of several do not, and none is missed.
async fn forever(tenant: &Tenant, last: Option<LogId>, as_json: bool) -> Result<(), Failure> {
    let store = &tenant.house.store;
    let mut places: HashMap<NodeId, LogId> = HashMap::new();
    let mut poll = interval(POLL);
    loop {
        poll.tick().await;
        for node in store.nodes().await? {
            loop {
                let after = places.get(&node).or(last.as_ref());
                let rows = store.logs_of_node_after(&tenant.id, &node, after, PAGE_ROWS).await?;
                print_rows(&rows, as_json)?;
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

fn print_rows(rows: &[LogRow], as_json: bool) -> Result<(), Failure> {
    rows.iter().try_for_each(|row| {
        if as_json {
            print_json_line(&view(row))
        } else {
            print(&line(row))
        }
    })
}

/// A line in the fields of Auth0's logs.
fn view(row: &LogRow) -> Value {
    let mut view: Map<String, Value> = row.body.clone();
    view.insert("_id".into(), json!(row.id));
    view.insert("log_id".into(), json!(row.id));
    view.insert("date".into(), json!(row.at.to_string()));
    view.insert("type".into(), json!(row.kind));
    view.insert("client_id".into(), json!(row.client_id));
    view.insert("user_id".into(), json!(row.user_id.as_ref().map_or("", UserId::as_str)));
    view.insert("ip".into(), json!(row.address));
    if row.repeats > 1 {
        view.insert("repeats".into(), json!(row.repeats));
    }
    Value::Object(view)
}

/// A line for people: when, what, who, for what, from where, why not.
fn line(row: &LogRow) -> String {
    let text = |name: &str| {
        row.body
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(one_line)
    };
    let application = text("client_name").or(row.client_id.as_ref().map(|id| one_line(id.as_str())));
    let user = text("user_name").or(row.user_id.as_ref().map(|id| one_line(id.as_str())));
    let mut parts = vec![
        row.at.to_string(),
        format!("{:<8}", row.kind),
        meaning(&row.kind).to_owned(),
    ];
    parts.extend(application.map(|name| format!("{name:?}")));
    parts.extend(user.map(|name| format!("user {name}")));
    parts.extend(text("audience").map(|audience| format!("for {audience}")));
    parts.extend(text("scope").map(|scope| format!("[{scope}]")));
    parts.extend(row.address.as_ref().map(|address| format!("from {address}")));
    if row.repeats > 1 {
        parts.push(format!("({} times)", row.repeats));
    }
    parts.extend(text("description").map(|why| format!("- {why}")));
    parts.join("  ")
}

/// A stranger's words, which must neither begin a line of their own nor turn one around.
fn one_line(text: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace(steers, " ")
}

/// A type code in words; Auth0 has many more than are written here yet.
fn meaning(kind: &str) -> &'static str {
    match kind {
        "seccft" => "client credentials: granted",
        "feccft" => "client credentials: refused",
        "sepft" => "password: granted",
        "fepft" => "password: refused",
        "fp" => "wrong password",
        "fu" => "unknown user",
        "limit_wc" => "blocked: too many failed logins to one account",
        "limit_mu" => "blocked: too many failed logins from one address",
        "w" => "warning: the token quota is nearly or wholly used",
        "f" => "refused",
        _ => "",
    }
}
