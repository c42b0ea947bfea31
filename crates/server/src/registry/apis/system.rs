//! The system API: the Management API as an API of its tenant, and its scopes (CONTRACT §4.2).

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::Api;

use super::blank;

/// What the system API is called, so that Auth0's tools recognise it (CONTRACT §8.11).
pub const SYSTEM_API_NAME: &str = "Auth0 Management API";

/// The scopes of the system API: those that the endpoints of CONTRACT §4.2 ask for.
pub fn system_scopes() -> impl Iterator<Item = String> {
    SYSTEM_SCOPES
        .iter()
        .flat_map(|(actions, resource)| actions.split(' ').map(move |action| format!("{action}:{resource}")))
}

/// The row of the system API of a new tenant.
pub(in crate::registry) fn system_api(random: &Random, now: Timestamp) -> Api {
    Api {
        name: Some(SYSTEM_API_NAME.into()),
        is_system: true,
        ..blank(random, now)
    }
}

/// What can be done with what, in the Management API.
const SYSTEM_SCOPES: [(&str, &str); 40] = [
    ("read create update delete", "client_grants"),
    ("read create update delete", "clients"),
    ("read update", "client_keys"),
    ("read create update delete", "client_credentials"),
    ("read", "client_summary"),
    ("read create update delete", "resource_servers"),
    ("read create update delete", "users"),
    ("read update delete create", "users_app_metadata"),
    ("create", "user_tickets"),
    ("read create update delete", "roles"),
    ("read create delete", "role_members"),
    ("read", "logs"),
    ("read", "logs_users"),
    ("read create update delete", "log_streams"),
    ("create update read", "signing_keys"),
    ("read create update delete", "connections"),
    ("read update", "tenant_settings"),
    ("read", "stats"),
    ("read update", "attack_protection"),
    ("read delete create", "device_credentials"),
    ("create", "current_user_device_credentials"),
    ("read delete", "grants"),
    ("read delete", "anomaly_blocks"),
    ("read delete", "sessions"),
    ("read delete", "refresh_tokens"),
    ("read create update delete", "rate_limit_policies"),
    ("read create update delete", "organizations"),
    // Of these there is nothing, which may be read.
    ("read", "rules"),
    ("read", "rules_configs"),
    ("read", "hooks"),
    ("read", "actions"),
    ("read", "email_provider"),
    ("read", "email_templates"),
    ("read", "guardian_factors"),
    ("read update", "mfa_policies"),
    ("read", "custom_domains"),
    ("read", "forms"),
    ("read", "flows"),
    ("read", "flows_vault_connections"),
    ("read", "event_streams"),
];
