//! A line of the log as people and programs read it: in the fields of Auth0's log events, and its type in words
//! (CONTRACT §4.8, §6.6).

use serde_json::{Map, Value, json};

use tokenhouse_store::LogRow;

/// The fields of an event that a spreadsheet is given, in its columns.
pub const COLUMNS: [&str; 12] = [
    "date",
    "type",
    "description",
    "client_id",
    "client_name",
    "user_id",
    "user_name",
    "ip",
    "audience",
    "scope",
    "repeats",
    "log_id",
];

/// The types that are written, each with what it means.
pub const KINDS: &[(&str, &str)] = &[
    ("seccft", "Client credentials: token issued"),
    ("feccft", "Client credentials: refused"),
    ("sepft", "Password: token issued"),
    ("fepft", "Password: refused"),
    ("fp", "Wrong password"),
    ("fu", "Unknown user"),
    ("limit_wc", "Blocked: failed logins to one account"),
    ("limit_mu", "Blocked: failed logins from one address"),
    ("scp", "Password changed by its user"),
    ("fcp", "Password change refused"),
    ("sv", "E-mail address verified"),
    ("fv", "Verification of an address refused"),
    ("w", "Token quota nearly or wholly used"),
    ("sapi", "Configuration changed"),
    ("fapi", "Change refused"),
    ("mgmt_api_read", "Secret shown"),
    ("f", "Refused"),
];

/// A type code in words; itself if it is none of those that are written here.
pub fn meaning(kind: &str) -> &str {
    let found = KINDS.iter().find(|(code, _)| *code == kind);
    found.map_or(kind, |(_, meaning)| meaning)
}

/// A line as it is on the wire. Here, unlike elsewhere, what is not known is `null`.
pub fn shown(row: &LogRow) -> Map<String, Value> {
    let mut shown = Map::new();
    for name in [
        "description",
        "connection",
        "client_name",
        "hostname",
        "details",
        "user_agent",
        "audience",
        "scope",
        "strategy",
        "strategy_type",
        "location_info",
        "organization_id",
        "organization_name",
    ] {
        shown.insert(name.into(), Value::Null);
    }
    shown.extend(row.body.clone());
    let mut put = |name: &str, value: Value| drop(shown.insert(name.into(), value));
    put("_id", json!(row.id));
    put("log_id", json!(row.id));
    put("date", json!(row.at.to_string()));
    put("type", json!(row.kind));
    put("client_id", json!(row.client_id));
    put("user_id", json!(row.user_id.as_ref().map_or("", |id| id.as_str())));
    put("ip", json!(row.address));
    put("isMobile", json!(false));
    if row.repeats > 1 {
        put("repeats", json!(row.repeats));
    }
    for name in ["connection_id", "user_name"] {
        if shown.get(name).is_none_or(Value::is_null) {
            shown.insert(name.into(), json!(""));
        }
    }
    shown
}
