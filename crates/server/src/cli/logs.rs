//! `tokenhouse logs`: what was granted, refused and changed, in Auth0's type codes (CONTRACT §4.8, §6.6).

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Failure;
use super::management::{Management, path};
use super::output::{fields, print, print_csv, print_json_line, text};
use super::place::Place;
use super::stop::Stop;
use crate::audit::event;

mod follow;

/// Lines that a search reaches at most: the newest.
const REACHED: usize = 1000;
/// Scopes that a line for people shows.
const FEW: usize = 6;

#[derive(Args, Debug)]
#[command(after_help = "\
A filter has terms like field:value, with quotes, *, ranges, AND, OR, NOT and parentheses, as in 'type:f*', \
'type:feccft OR client_name:\"My app\"' or 'client_id:ID AND date:[2026-01-31 TO *]'; a word alone is looked for \
anywhere. With --json each line of `tail` is one object, its fields named as in Auth0's logs.

Examples:
  tokenhouse logs tail --follow
  tokenhouse logs tail --filter 'type:fp' --follow
  tokenhouse logs list --filter 'client_id:CLIENT_ID' --number 1000 --json")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List lines, the newest first
    #[command(visible_alias = "ls")]
    List {
        /// Only lines that match, as in 'type:fp AND ip:203.0.113.7'
        #[arg(long, short, value_name = "FILTER")]
        filter: Option<String>,
        /// How many, 1000 at most
        #[arg(long, short, value_name = "N", default_value_t = 100)]
        number: usize,
    },
    /// Show a line with all that is kept of it
    Show {
        /// Its log_id
        id: String,
    },
    /// Print the last lines, the newest at the end
    Tail {
        /// Only lines that match, as in 'type:fp AND ip:203.0.113.7'
        #[arg(long, value_name = "FILTER")]
        filter: Option<String>,
        /// How many
        #[arg(long, short = 'n', visible_alias = "number", value_name = "N", default_value_t = 20)]
        take: usize,
        /// Go on with new lines as they come, until Ctrl-C
        #[arg(long, short)]
        follow: bool,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_management(async |api| match action {
            Action::List { filter, number } => {
                let found = newest(api, filter.as_deref(), number).await?;
                match (place.is_json(), place.is_csv()) {
                    (true, _) => place.print_json(&Value::Array(found)),
                    (false, true) => print_csv(&event::COLUMNS, &cells(&found)),
                    (false, false) => print_lines(&found, false),
                }
            }
            Action::Show { id } => show(&place, &api.get(&path(["logs", &id]), &[]).await?),
            Action::Tail { filter, take, follow } => {
                let filter = filter.as_deref();
                // The newest line is asked for even if none is wanted: a follower goes on from there.
                let mut latest = newest(api, filter, take.max(1)).await?;
                latest.reverse();
                let shown = latest.get(usize::from(take == 0)..).unwrap_or_default();
                print_lines(shown, place.is_json())?;
                if !follow {
                    return Ok(());
                }
                let mut stop = Stop::listen();
                tokio::select! {
                    followed = follow::forever(api, filter, &latest, place.is_json()) => followed,
                    () = stop.asked() => Ok(()),
                }
            }
        })
        .await
}

/// The newest lines that a filter lets through, the newest first.
async fn newest(api: &Management, filter: Option<&str>, number: usize) -> Result<Vec<Value>, Failure> {
    let mut found: Vec<Value> = Vec::new();
    let number = number.min(REACHED);
    for page in 0.. {
        let (page, per_page) = (page.to_string(), number.min(100).to_string());
        let mut query = vec![("page", page.as_str()), ("per_page", per_page.as_str())];
        query.extend(filter.map(|filter| ("q", filter)));
        let lines = api.get("logs", &query).await?;
        let lines = lines.as_array().cloned().unwrap_or_default();
        let is_last = lines.len() < number.min(100);
        found.extend(lines);
        if is_last || found.len() >= number {
            break;
        }
    }
    found.truncate(number);
    Ok(found)
}

fn show(place: &Place, line: &Value) -> Result<(), Failure> {
    if place.is_json() {
        return place.print_json(line);
    }
    let kind = text(line, "type");
    let pairs = [
        ("Line", text(line, "log_id")),
        ("When", text(line, "date")),
        ("Type", format!("{kind}  {}", meaning(&kind))),
        ("Description", text(line, "description")),
        ("Application", text(line, "client_name")),
        ("Client ID", text(line, "client_id")),
        ("User", text(line, "user_name")),
        ("User ID", text(line, "user_id")),
        ("API", text(line, "audience")),
        ("Scopes", text(line, "scope")),
        ("From", text(line, "ip")),
        ("User agent", text(line, "user_agent")),
        ("Request", text(line, "request_id")),
    ];
    print(&fields(&pairs.map(|(name, value)| (name, one_line(&value)))))?;
    match &line["details"] {
        Value::Null => Ok(()),
        details => print(&format!("\n{details:#}")),
    }
}

/// Lines for a spreadsheet: the fields of [`event::COLUMNS`].
fn cells(lines: &[Value]) -> Vec<Vec<String>> {
    let cells = |line: &Value| event::COLUMNS.map(|name| text(line, name)).to_vec();
    lines.iter().map(cells).collect()
}

fn print_lines(lines: &[Value], as_json: bool) -> Result<(), Failure> {
    lines.iter().try_for_each(|line| match as_json {
        true => print_json_line(line),
        false => print(&told(line)),
    })
}

/// A line for people: when, what, who, for what, from where, why not.
fn told(line: &Value) -> String {
    let kind = text(line, "type");
    let said = |name: &str| Some(one_line(&text(line, name))).filter(|text| !text.is_empty());
    let mut parts = vec![text(line, "date"), format!("{kind:<8}"), meaning(&kind).to_owned()];
    let application = said("client_name").or_else(|| said("client_id"));
    parts.extend(application.map(|name| format!("{name:?}")));
    let user = said("user_name").or_else(|| said("user_id"));
    parts.extend(user.map(|name| format!("user {name}")));
    parts.extend(said("audience").map(|audience| format!("for {audience}")));
    parts.extend(said("scope").map(|scope| format!("[{}]", few(&scope))));
    parts.extend(said("ip").map(|address| format!("from {address}")));
    parts.extend(said("repeats").map(|times| format!("({times} times)")));
    parts.extend(said("description").map(|why| format!("- {why}")));
    parts.join("  ")
}

/// The first of many scopes; `show` has them all.
fn few(scopes: &str) -> String {
    let all: Vec<&str> = scopes.split_whitespace().collect();
    match all.len() > FEW {
        true => format!("{} … {} in all", all[..FEW].join(" "), all.len()),
        false => scopes.to_owned(),
    }
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
        "scp" => "password changed by its user",
        "fcp" => "password change refused",
        "sv" => "e-mail address verified",
        "fv" => "verification of an address refused",
        "w" => "warning: the token quota is nearly or wholly used",
        "sapi" => "changed",
        "fapi" => "change refused",
        "mgmt_api_read" => "secret read",
        "f" => "refused",
        _ => "",
    }
}
