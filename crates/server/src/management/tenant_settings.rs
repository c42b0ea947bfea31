//! `/tenants/settings`: what a tenant has chosen (CONTRACT §4.10). Tokenhouse acts on few of them and carries the rest;
//! `error_dialect`, `default_token_lifetime` and `rsa_bits` are its own.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::clients::TOKEN_QUOTA;
use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{FIELDS, chosen};
use super::schema::{Body, Format, Kind, LONG, Property, Shape, URL, flag, formatted, integer, list, open, text, word};
use crate::registry::apis::MAX_TOKEN_LIFETIME_S;
use crate::registry::tenants::{self, ATTACK_PROTECTION};

/// Shown, and not to be changed: taken out of a change, since tools write back what they read.
const VERSIONS: &str = "sandbox_versions_available";
/// Session lifetimes that are told in minutes and kept in hours, as Auth0 does (CONTRACT §4.12).
const IN_MINUTES: [(&str, &str); 4] = [
    ("session_lifetime_in_minutes", "session_lifetime"),
    ("idle_session_lifetime_in_minutes", "idle_session_lifetime"),
    ("ephemeral_session_lifetime_in_minutes", "ephemeral_session_lifetime"),
    (
        "idle_ephemeral_session_lifetime_in_minutes",
        "idle_ephemeral_session_lifetime",
    ),
];
/// A hundred years.
const MAX_MINUTES: i64 = 52_560_000;
const LOCALE: Kind = Kind::Text {
    min: 2,
    max: 35,
    format: Format::Any,
};
const PAGE: &[Property] = &[flag("enabled"), text("html", 0, LONG)];

pub(super) static PROPERTIES: &[Property] = &[
    text("friendly_name", 0, 255),
    Property::new("picture_url", URL),
    formatted("support_email", 0, 320, Format::Email),
    Property::new("support_url", URL),
    text("default_audience", 0, 600).note("The API of requests that name none; empty for none"),
    text("default_directory", 0, 255).note("The connection of the password grant"),
    list("allowed_logout_urls", &URL, 100),
    list("enabled_locales", &LOCALE, 200),
    open("change_password", PAGE),
    open("guardian_mfa_page", PAGE),
    open(
        "error_page",
        &[text("html", 0, LONG), flag("show_log_link"), Property::new("url", URL)],
    ),
    open("flags", &[]),
    open("universal_login", &[]),
    open("session_cookie", &[word("mode", &["persistent", "non-persistent"])]),
    open(
        "default_token_quota",
        &[open("clients", TOKEN_QUOTA), open("organizations", TOKEN_QUOTA)],
    )
    .note("The quota of every application that has no token_quota of its own"),
    Property::new("session_lifetime", Kind::Number).note("In hours"),
    Property::new("idle_session_lifetime", Kind::Number).note("In hours"),
    integer("session_lifetime_in_minutes", 1, MAX_MINUTES),
    integer("idle_session_lifetime_in_minutes", 1, MAX_MINUTES),
    integer("ephemeral_session_lifetime_in_minutes", 1, MAX_MINUTES),
    integer("idle_ephemeral_session_lifetime_in_minutes", 1, MAX_MINUTES),
    text("sandbox_version", 0, 8),
    word("resource_parameter_profile", &["audience", "compatibility"]),
    flag("client_id_metadata_document_supported"),
    word("error_dialect", &["auth0", "rfc6749"])
        .note("How the token endpoint words its errors: as Auth0 does, or as RFC 6749 does"),
    integer("default_token_lifetime", 1, MAX_TOKEN_LIFETIME_S)
        .note("Seconds that tokens of new APIs live which do not say it; a day unless set"),
    integer("rsa_bits", 2048, 4096).note("The size of new RSA keys: 2048, 3072 or 4096"),
];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "tenants/settings",
        scopes: &["read:tenant_settings"],
        summary: "Get tenant settings",
        status: 200,
        query: &FIELDS,
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "tenants/settings",
        scopes: &["update:tenant_settings"],
        summary: "Update tenant settings",
        status: 200,
        query: &[],
        body: Body::Change(Shape::open(PROPERTIES, &[ATTACK_PROTECTION])),
        run: |call| Box::pin(update(call)),
    },
];

async fn show(call: Call) -> Result<Reply, Failure> {
    let mut shown = shown(tenants::settings(&call.tenant).await?);
    shown.insert(VERSIONS.into(), json!(["22", "18"]));
    Ok(Reply::json(Value::Object(chosen(&call.query, shown))))
}

async fn update(mut call: Call) -> Result<Reply, Failure> {
    let mut changes = call.members();
    changes.remove(VERSIONS);
    for (minutes, hours) in IN_MINUTES {
        if let Some(value) = changes.remove(minutes) {
            let value = value.as_f64().map_or(Value::Null, |minutes| whole(minutes / 60.0));
            changes.insert(hours.into(), value);
        }
    }
    let row = tenants::update_settings(&call.tenant, changes).await?;
    Ok(Reply::json(Value::Object(shown(row.settings))))
}

/// Hours as a number: whole ones without a fraction.
fn whole(hours: f64) -> Value {
    match hours.fract() == 0.0 {
        // At most 52 560 000 / 60: exact in any integer.
        true => serde_json::from_str(&format!("{hours:.0}")).unwrap_or(Value::Null),
        false => json!(hours),
    }
}

/// The settings as they are on the wire: what is set, and what holds where nothing is.
fn shown(mut settings: Map<String, Value>) -> Map<String, Value> {
    settings.remove(ATTACK_PROTECTION);
    let mut shown = match defaults() {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    };
    for (name, value) in settings {
        match (name.as_str(), shown.get_mut(&name), value) {
            // Those that a change merges: what was never set is as it was.
            ("flags" | "change_password" | "guardian_mfa_page", Some(Value::Object(known)), Value::Object(set)) => {
                known.extend(set);
            }
            (_, _, value) => drop(shown.insert(name, value)),
        }
    }
    shown
}

fn defaults() -> Value {
    json!({
        "allowed_logout_urls": [],
        "change_password": { "enabled": false, "html": "" },
        "client_id_metadata_document_supported": false,
        "enabled_locales": ["en"],
        "flags": {
            "allow_changing_enable_sso": false,
            "allow_legacy_delegation_grant_types": false,
            "allow_legacy_ro_grant_types": false,
            "cannot_change_enforce_client_authentication_on_passwordless_start": true,
            "change_pwd_flow_v1": false,
            "disable_clickjack_protection_headers": false,
            "disable_impersonation": true,
            "enable_apis_section": false,
            "enable_client_connections": true,
            "enable_custom_domain_in_emails": false,
            "enable_dynamic_client_registration": false,
            "enable_legacy_logs_search_v2": false,
            "enable_public_signup_user_exists_error": true,
            "enable_sso": true,
            "enforce_client_authentication_on_passwordless_start": true,
            "new_universal_login_experience_enabled": true,
            "revoke_refresh_token_grant": false,
            "universal_login": true,
        },
        "guardian_mfa_page": { "enabled": false, "html": "" },
        "idle_session_lifetime": 72,
        "resource_parameter_profile": "audience",
        "sandbox_version": "22",
        "session_cookie": { "mode": "non-persistent" },
        "session_lifetime": 168,
    })
}
