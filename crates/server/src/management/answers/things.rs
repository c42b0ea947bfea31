//! The things that are answered: the properties that a body may hold, and those that are ours to write.

use serde_json::{Map, Value, json};

use crate::management::schema::{Format, Kind, Property, anything, flag, formatted, integer, list, open, text, word};
use crate::management::{client_grants, clients, connections, resource_servers, tenant_settings, users};

/// A thing as it is answered.
#[derive(Clone, Copy)]
pub(super) struct Thing {
    /// What of it is written.
    pub(super) written: &'static [Property],
    /// What of that is never shown.
    pub(super) hidden: &'static [&'static str],
    /// What is ours to write.
    pub(super) shown: &'static [Property],
    /// What it always has, unless the query leaves it out.
    pub(super) always: &'static [&'static str],
}

const ANY: Kind = Kind::Anything;
const ID: Property = text("id", 0, 0);
const NAME: Property = text("name", 0, 0);
const CREATED: Property = formatted("created_at", 0, 0, Format::DateTime);
const UPDATED: Property = formatted("updated_at", 0, 0, Format::DateTime);
const CLIENT_ID: Property = text("client_id", 0, 0);
const CLIENT_NAME: Property = text("client_name", 0, 0);
const USER_ID: Property = text("user_id", 0, 0);
const AUDIENCE: Property = text("audience", 0, 0);
const CERTIFICATE: Kind = Kind::Object(&[text("cert", 0, 0), text("pkcs7", 0, 0), text("subject", 0, 0)]);
const SOURCE: Kind = Kind::Object(&[
    text("source_id", 0, 0),
    text("source_name", 0, 0),
    text("source_type", 0, 0),
]);
const IDENTITY: Kind = Kind::Object(&[
    USER_ID,
    text("connection", 0, 0),
    text("provider", 0, 0),
    flag("isSocial"),
]);
const BLOCK: Kind = Kind::Object(&[text("identifier", 0, 0), text("ip", 0, 0), text("connection", 0, 0)]);
const CHOICE: Kind = Kind::Object(&[
    ID,
    NAME,
    text("title", 0, 0),
    text("file_name", 0, 0),
    text("needs", 0, 0),
]);

/// Only what is ours to write.
const fn shown(shown: &'static [Property], always: &'static [&'static str]) -> Thing {
    Thing {
        written: &[],
        hidden: &[],
        shown,
        always,
    }
}

pub(super) const NOTHING: Thing = shown(&[], &[]);
pub(super) const CLIENT: Thing = Thing {
    written: clients::PROPERTIES,
    hidden: &[],
    shown: &[
        CLIENT_ID,
        text("tenant", 0, 0),
        flag("global"),
        flag("callback_url_template"),
        list("signing_keys", &CERTIFICATE, 0),
    ],
    always: &["client_id", "name"],
};
pub(super) const CREDENTIAL: Thing = shown(
    &[
        ID,
        NAME,
        text("credential_type", 0, 0),
        text("kid", 0, 0),
        text("alg", 0, 0),
        CREATED,
        UPDATED,
        formatted("expires_at", 0, 0, Format::DateTime),
    ],
    &["id", "credential_type", "kid", "alg", "created_at", "updated_at"],
);
pub(super) const API: Thing = Thing {
    written: resource_servers::PROPERTIES,
    hidden: &[],
    shown: &[ID, flag("is_system")],
    always: &[
        "id",
        "identifier",
        "signing_alg",
        "token_lifetime",
        "token_lifetime_for_web",
        "allow_offline_access",
    ],
};
pub(super) const GRANT: Thing = Thing {
    written: client_grants::PROPERTIES,
    hidden: &["default_for"],
    shown: &[ID],
    always: &["id", "client_id", "audience", "subject_type"],
};
pub(super) const USER: Thing = Thing {
    written: users::PROPERTIES,
    hidden: &["connection", "password", "verify_email"],
    shown: &[
        list("identities", &IDENTITY, 0),
        CREATED,
        UPDATED,
        formatted("last_login", 0, 0, Format::DateTime),
        text("last_ip", 0, 0),
        integer("logins_count", 0, 0),
    ],
    always: &["user_id", "identities", "picture", "created_at", "updated_at"],
};
pub(super) const MEMBER: Thing = shown(
    &[USER_ID, text("email", 0, 0), text("picture", 0, 0), NAME],
    &["user_id"],
);
pub(super) const ROLE: Thing = shown(
    &[ID, NAME, text("description", 0, 0), word("type", &["tenant"])],
    &["id", "name"],
);
pub(super) const PERMISSION: Thing = shown(
    &[
        text("permission_name", 0, 0),
        text("description", 0, 0),
        text("resource_server_name", 0, 0),
        text("resource_server_identifier", 0, 0),
        list("sources", &SOURCE, 0),
    ],
    &["permission_name", "resource_server_identifier"],
);
pub(super) const LOG: Thing = shown(
    &[
        text("_id", 0, 0),
        text("log_id", 0, 0),
        formatted("date", 0, 0, Format::DateTime),
        text("type", 0, 0),
        text("description", 0, 0),
        text("connection", 0, 0),
        text("connection_id", 0, 0),
        CLIENT_ID,
        CLIENT_NAME,
        text("ip", 0, 0),
        text("hostname", 0, 0),
        open("details", &[]),
        USER_ID,
        text("user_name", 0, 0),
        text("user_agent", 0, 0),
        AUDIENCE,
        text("scope", 0, 0),
        text("strategy", 0, 0),
        text("strategy_type", 0, 0),
        flag("isMobile"),
        anything("location_info"),
        text("organization_id", 0, 0),
        text("organization_name", 0, 0),
        integer("repeats", 0, 0),
    ],
    &["_id", "log_id", "date", "type", "user_id"],
);
pub(super) const KEY: Thing = shown(
    &[
        text("kid", 0, 0),
        text("alg", 0, 0),
        text("cert", 0, 0),
        text("pkcs7", 0, 0),
        text("thumbprint", 0, 0),
        text("fingerprint", 0, 0),
        flag("current"),
        flag("next"),
        flag("previous"),
        flag("revoked"),
        formatted("current_since", 0, 0, Format::DateTime),
        formatted("current_until", 0, 0, Format::DateTime),
        formatted("revoked_at", 0, 0, Format::DateTime),
    ],
    &["kid"],
);
pub(super) const CONNECTION: Thing = Thing {
    written: connections::PROPERTIES,
    hidden: &[],
    shown: &[ID],
    always: &["id", "name", "strategy", "options"],
};
pub(super) const SETTINGS: Thing = Thing {
    written: tenant_settings::PROPERTIES,
    hidden: &[],
    shown: &[
        list("sandbox_versions_available", &ANY, 0),
        Property::new("ephemeral_session_lifetime", Kind::Number),
        Property::new("idle_ephemeral_session_lifetime", Kind::Number),
    ],
    always: &["flags", "session_lifetime"],
};
pub(super) const DAY: Thing = shown(
    &[
        formatted("date", 0, 0, Format::DateTime),
        integer("logins", 0, 0),
        integer("signups", 0, 0),
        integer("leaked_passwords", 0, 0),
        CREATED,
        UPDATED,
    ],
    &["date", "logins"],
);
pub(super) const USAGE: Thing = shown(
    &[
        text("date", 0, 0),
        CLIENT_ID,
        CLIENT_NAME,
        AUDIENCE,
        text("grant_type", 0, 0),
        integer("tokens", 0, 0),
    ],
    &["date", "grant_type", "tokens"],
);
pub(super) const QUOTA: Thing = shown(
    &[
        CLIENT_ID,
        CLIENT_NAME,
        text("bucket", 0, 0),
        integer("quota", 0, 0),
        integer("used", 0, 0),
        integer("remaining", 0, 0),
        flag("enforce"),
        formatted("resets_at", 0, 0, Format::DateTime),
    ],
    &["client_id", "bucket", "quota", "used", "remaining"],
);
pub(super) const JOB: Thing = shown(
    &[
        ID,
        word("type", &["users_import", "users_export"]),
        word("status", &["pending", "completed"]),
        CREATED,
        text("connection_id", 0, 0),
        text("connection", 0, 0),
        text("external_id", 0, 0),
        flag("upsert"),
        flag("send_completion_email"),
        open("summary", &[]),
        integer("percentage_done", 0, 0),
        integer("time_left_seconds", 0, 0),
        word("format", &["json", "csv"]),
        integer("limit", 0, 0),
        list("fields", &ANY, 0),
        text("location", 0, 0).note("Where an export's file is, for five minutes; ask again for another"),
    ],
    &["id", "type", "status", "created_at"],
);
pub(super) const TICKET: Thing = shown(
    &[text("ticket", 0, 0).note("The link to hand to the user: it works once")],
    &["ticket"],
);
pub(super) const JOB_ERROR: Thing = shown(&[anything("user"), list("errors", &ANY, 0)], &["user", "errors"]);
pub(super) const KEPT_OF_USER: Thing = shown(
    &[
        formatted("exported_at", 0, 0, Format::DateTime),
        open("user", &[]),
        list("roles", &ANY, 0),
        list("permissions", &ANY, 0),
        list("blocked_for", &ANY, 0),
        list("logs", &ANY, 0),
        text("next", 0, 0),
    ],
    &["exported_at", "user", "roles", "permissions", "blocked_for", "logs"],
);
pub(super) const BLOCKS: Thing = shown(&[list("blocked_for", &BLOCK, 0)], &["blocked_for"]);
pub(super) const ENABLED: Thing = shown(&[CLIENT_ID], &["client_id"]);
/// Its properties are those of its body.
pub(super) const PROTECTION: Thing = shown(&[], &["enabled", "shields"]);
pub(super) const SNIPPETS: Thing = shown(
    &[list("languages", &CHOICE, 0), list("requests", &CHOICE, 0)],
    &["languages", "requests"],
);
pub(super) const SNIPPET: Thing = shown(
    &[
        text("request", 0, 0),
        text("title", 0, 0),
        text("language", 0, 0),
        text("file_name", 0, 0),
        text("needs", 0, 0),
        text("method", 0, 0),
        text("url", 0, 0),
        text("code", 0, 0),
    ],
    &["request", "language", "code"],
);

impl Thing {
    /// Its schema; `is_whole` if the query cannot leave anything out.
    pub(super) fn schema(self, is_whole: bool) -> Value {
        let written = self.written.iter();
        let kept = written.filter(|property| !self.hidden.contains(&property.name));
        let mut schema = object(kept.chain(self.shown), self.always);
        if is_whole && !self.always.is_empty() {
            schema["required"] = json!(self.always);
        }
        schema
    }
}

fn object<'a>(properties: impl Iterator<Item = &'a Property>, always: &[&str]) -> Value {
    let mut members = Map::new();
    for property in properties {
        let mut schema = of(&property.kind);
        if !always.contains(&property.name)
            && let Some(kind) = schema.get("type").cloned()
        {
            schema["type"] = json!([kind, "null"]);
            if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                words.push(Value::Null);
            }
        }
        if !property.note.is_empty() {
            schema["description"] = json!(property.note);
        }
        members.insert(property.name.into(), schema);
    }
    json!({ "type": "object", "properties": members })
}

fn of(kind: &Kind) -> Value {
    match kind {
        Kind::Text { format, .. } => match format {
            Format::DateTime => json!({ "type": "string", "format": "date-time" }),
            Format::Any | Format::ClientId | Format::Name | Format::Url | Format::SecureUrl | Format::Email => {
                json!({ "type": "string" })
            }
        },
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Integer { .. } => json!({ "type": "integer" }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::List { of: item, .. } => json!({ "type": "array", "items": of(item) }),
        Kind::Object(properties) | Kind::Open(properties) => object(properties.iter(), &[]),
        Kind::Texts { .. } => json!({ "type": "object" }),
        Kind::Anything => json!({}),
    }
}
