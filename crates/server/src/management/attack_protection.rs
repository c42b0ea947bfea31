//! `/attack-protection/…`: settings that are kept as they were written (CONTRACT §4.10). The limits on tries of passwords
//! are in force always, by the configuration of the installation; these do not loosen them.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::schema::{Body, Format, Kind, Property, Shape, flag, integer, list, open, set, word};
use crate::registry::tenants;

const BRUTE_FORCE: &str = "brute-force-protection";
const IP_THROTTLING: &str = "suspicious-ip-throttling";
const BREACHED_PASSWORDS: &str = "breached-password-detection";
/// Longest time between two tries, in milliseconds: thirty days.
const MAX_RATE_MS: i64 = 2_592_000_000;
const ADDRESS: Kind = Kind::Text {
    min: 1,
    max: 64,
    format: Format::Any,
};
const WHEN: Kind = Kind::Word(&["immediately", "daily", "weekly", "monthly"]);
const ON_LOGIN: Kind = Kind::Word(&["block", "user_notification", "admin_notification"]);
const ON_SIGNUP: Kind = Kind::Word(&["block", "admin_notification"]);
const LIMITS: &[Property] = &[integer("max_attempts", 1, 100_000), integer("rate", 1, MAX_RATE_MS)];
const SHIELDED: &[Property] = &[set("shields", &ON_SIGNUP, 2)];

static BRUTE_FORCE_PROPERTIES: &[Property] = &[
    flag("enabled"),
    set("shields", &Kind::Word(&["block", "user_notification"]), 2),
    list("allowlist", &ADDRESS, 100),
    word("mode", &["count_per_identifier_and_ip", "count_per_identifier"]),
    integer("max_attempts", 1, 100),
];
static IP_THROTTLING_PROPERTIES: &[Property] = &[
    flag("enabled"),
    set("shields", &Kind::Word(&["block", "admin_notification"]), 2),
    list("allowlist", &ADDRESS, 100),
    open(
        "stage",
        &[
            open("pre-login", LIMITS),
            open("pre-user-registration", LIMITS),
            open("pre-custom-token-exchange", LIMITS),
        ],
    ),
];
static BREACHED_PASSWORDS_PROPERTIES: &[Property] = &[
    flag("enabled"),
    set("shields", &ON_LOGIN, 3),
    set("admin_notification_frequency", &WHEN, 4),
    word("method", &["standard", "enhanced"]),
    open(
        "stage",
        &[
            open("pre-user-registration", SHIELDED),
            open("pre-change-password", SHIELDED),
        ],
    ),
];

/// The two rows of one kind of protection.
macro_rules! kept {
    ($path:literal, $kind:expr, $properties:expr, $what:literal) => {
        [
            Endpoint {
                method: Method::GET,
                path: $path,
                scopes: &["read:attack_protection"],
                summary: concat!("Get ", $what),
                status: 200,
                query: &[],
                body: Body::None,
                run: |call| Box::pin(show(call, $kind)),
            },
            Endpoint {
                method: Method::PATCH,
                path: $path,
                scopes: &["update:attack_protection"],
                summary: concat!("Update ", $what),
                status: 200,
                query: &[],
                body: Body::Change(Shape::of($properties)),
                run: |call| Box::pin(update(call, $kind)),
            },
        ]
    };
}

static ROWS: [[Endpoint; 2]; 3] = [
    kept!(
        "attack-protection/brute-force-protection",
        BRUTE_FORCE,
        BRUTE_FORCE_PROPERTIES,
        "brute-force settings"
    ),
    kept!(
        "attack-protection/suspicious-ip-throttling",
        IP_THROTTLING,
        IP_THROTTLING_PROPERTIES,
        "suspicious IP throttling settings"
    ),
    kept!(
        "attack-protection/breached-password-detection",
        BREACHED_PASSWORDS,
        BREACHED_PASSWORDS_PROPERTIES,
        "breached password detection settings"
    ),
];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = ROWS.as_flattened();

/// The properties of what is at a path of these.
pub(super) fn properties(path: &str) -> Option<&'static [Property]> {
    ENDPOINTS.iter().find_map(|row| match row.body {
        Body::Change(shape) if row.path == path => Some(shape.properties),
        Body::None | Body::Create(_) | Body::Change(_) | Body::List(_) | Body::Upload(_) => None,
    })
}

async fn show(call: Call, kind: &'static str) -> Result<Reply, Failure> {
    let kept = tenants::attack_protection(&call.tenant, kind).await?;
    Ok(Reply::json(shown(kind, kept)))
}

async fn update(mut call: Call, kind: &'static str) -> Result<Reply, Failure> {
    let changes = call.members();
    let kept = tenants::update_attack_protection(&call.tenant, kind, changes).await?;
    Ok(Reply::json(shown(kind, kept)))
}

/// What was kept over what holds where nothing is; of `stage` each stage by itself.
fn shown(kind: &str, kept: Map<String, Value>) -> Value {
    let mut shown = defaults(kind);
    over(&mut shown, Value::Object(kept));
    shown
}

fn over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                over(below.entry(name).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

fn defaults(kind: &str) -> Value {
    match kind {
        BRUTE_FORCE => json!({
            "enabled": true,
            "shields": ["block", "user_notification"],
            "mode": "count_per_identifier_and_ip",
            "allowlist": [],
            "max_attempts": 10,
        }),
        IP_THROTTLING => json!({
            "enabled": true,
            "shields": ["admin_notification", "block"],
            "allowlist": [],
            "stage": {
                "pre-login": { "max_attempts": 100, "rate": 864_000 },
                "pre-user-registration": { "max_attempts": 50, "rate": 1200 },
                "pre-custom-token-exchange": { "max_attempts": 10, "rate": 600_000 },
            },
        }),
        _ => json!({
            "enabled": false,
            "shields": [],
            "admin_notification_frequency": [],
            "method": "standard",
            "stage": {
                "pre-user-registration": { "shields": [] },
                "pre-change-password": { "shields": [] },
            },
        }),
    }
}
