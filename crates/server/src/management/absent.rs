//! Kinds that Auth0 has and there are not here, answered so that its tools skip them cleanly (CONTRACT §5.3, trap 12):
//! as lists that are empty, where their shape is known; the others by a scope that nobody can have, which those tools
//! take for a kind they may not read. Nothing of them can be written, but that there is none.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::endpoint::{Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_NUMBER, Listed, Paging, Window};
use super::schema::{Body, Kind};

/// A list in which nothing can be.
const NONE: Kind = Kind::List {
    of: &Kind::Anything,
    min: 0,
    max: 0,
    is_set: false,
};

/// A list that is empty, or an object in which nothing is set.
macro_rules! empty {
    ($path:literal, $scope:literal, $body:expr) => {
        Endpoint {
            method: Method::GET,
            path: $path,
            scopes: &[$scope],
            summary: concat!("Nothing: there are no ", $path, " here"),
            status: 200,
            query: &[],
            body: Body::None,
            run: |_| Box::pin(async { Ok(Reply::json($body)) }),
        }
    };
}

/// A thing that is not there.
macro_rules! missing {
    ($path:literal, $scope:literal, $message:literal, $code:expr) => {
        Endpoint {
            method: Method::GET,
            path: $path,
            scopes: &[$scope],
            summary: concat!("Nothing: there are no ", $path, " here"),
            status: 200,
            query: &[],
            body: Body::None,
            run: |_| Box::pin(async { Err(Failure::new(StatusCode::NOT_FOUND, $message, $code)) }),
        }
    };
}

/// A list of what users never have: nobody is asked for consent, and no device keeps a token of theirs.
macro_rules! none {
    ($path:literal, $scope:literal, $plural:literal) => {
        Endpoint {
            method: Method::GET,
            path: $path,
            scopes: &[$scope],
            summary: concat!("Nothing: there are no ", $path, " here"),
            status: 200,
            query: &[BY_NUMBER[0], BY_NUMBER[1], BY_NUMBER[2]],
            body: Body::None,
            run: |call| {
                Box::pin(async move {
                    let window = Window::read(&call.query, Paging::Number)?;
                    let listed = Listed {
                        plural: $plural,
                        items: Vec::new(),
                        total: 0,
                        next: None,
                    };
                    Ok(listed.reply(&call, &window))
                })
            },
        }
    };
}

/// Removing what is not there, which is what was wanted.
macro_rules! gone {
    ($path:literal, $scope:literal, $status:literal) => {
        Endpoint {
            method: Method::DELETE,
            path: $path,
            scopes: &[$scope],
            summary: concat!("Nothing: there are no ", $path, " here"),
            status: $status,
            query: &[],
            body: Body::None,
            run: |_| Box::pin(async { Ok(Reply::empty()) }),
        }
    };
}

/// What cannot be made, and what to do instead.
macro_rules! refused {
    ($path:literal, $scope:literal, $message:literal) => {
        Endpoint {
            method: Method::POST,
            path: $path,
            scopes: &[$scope],
            summary: concat!("Not supported: ", $path),
            status: 201,
            query: &[],
            body: Body::None,
            run: |_| {
                Box::pin(async {
                    let code = Some("operation_not_supported");
                    Err(Failure::new(StatusCode::FORBIDDEN, $message, code))
                })
            },
        }
    };
}

/// What nobody may read: the scope is none of the Management API's, so the handler is never reached.
macro_rules! closed {
    ($path:literal, $scope:literal) => {
        Endpoint {
            method: Method::GET,
            path: $path,
            scopes: &[$scope],
            summary: concat!("Not supported: ", $path),
            status: 200,
            query: &[],
            body: Body::None,
            run: |_| Box::pin(async { Err(Failure::scope(&[$scope])) }),
        }
    };
}

/// Whether an endpoint is one of these.
pub(super) fn has(endpoint: &Endpoint) -> bool {
    let is_this = |one: &Endpoint| one.path == endpoint.path && one.method == endpoint.method;
    ENDPOINTS.iter().any(is_this)
}

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    empty!(
        "rules",
        "read:rules",
        json!({ "start": 0, "limit": 100, "total": 0, "rules": [] })
    ),
    empty!("rules-configs", "read:rules_configs", json!([])),
    empty!(
        "hooks",
        "read:hooks",
        json!({ "start": 0, "limit": 100, "total": 0, "hooks": [] })
    ),
    empty!(
        "actions/actions",
        "read:actions",
        json!({ "actions": [], "per_page": 100 })
    ),
    empty!("actions/triggers", "read:actions", json!({ "triggers": [] })),
    empty!(
        "actions/triggers/{trigger}/bindings",
        "read:actions",
        json!({ "bindings": [], "per_page": 50 })
    ),
    closed!("actions/modules", "read:actions_modules"),
    missing!(
        "emails/provider",
        "read:email_provider",
        "There is not a configured email provider",
        Some("inexistent_email_provider")
    ),
    missing!(
        "email-templates/{name}",
        "read:email_templates",
        "The template does not exist.",
        Some("inexistent_email_template")
    ),
    empty!("guardian/factors", "read:guardian_factors", json!([])),
    empty!("guardian/policies", "read:mfa_policies", json!([])),
    Endpoint {
        method: Method::PUT,
        path: "guardian/policies",
        scopes: &["update:mfa_policies"],
        summary: "Set no policies: tools write back that there are none",
        status: 200,
        query: &[],
        body: Body::List(NONE),
        run: |_| Box::pin(async { Ok(Reply::json(json!([]))) }),
    },
    missing!(
        "guardian/factors/{rest...}",
        "read:guardian_factors",
        "The factor is not configured.",
        None
    ),
    closed!("branding", "read:branding"),
    closed!("branding/{rest...}", "read:branding"),
    empty!("custom-domains", "read:custom_domains", json!([])),
    closed!("prompts", "read:prompts"),
    closed!("prompts/{rest...}", "read:prompts"),
    empty!("organizations", "read:organizations", json!({ "organizations": [] })),
    closed!("attack-protection/bot-detection", "read:bot_detection"),
    closed!("attack-protection/captcha", "read:captcha"),
    closed!("risk-assessments/{rest...}", "read:risk_assessments"),
    empty!("log-streams", "read:log_streams", json!([])),
    empty!(
        "forms",
        "read:forms",
        json!({ "start": 0, "limit": 100, "total": 0, "forms": [] })
    ),
    empty!(
        "flows",
        "read:flows",
        json!({ "start": 0, "limit": 100, "total": 0, "flows": [] })
    ),
    empty!(
        "flows/vault/connections",
        "read:flows_vault_connections",
        json!({ "start": 0, "limit": 100, "total": 0, "connections": [] })
    ),
    closed!("self-service-profiles", "read:self_service_profiles"),
    closed!("network-acls", "read:network_acls"),
    closed!("user-attribute-profiles", "read:user_attribute_profiles"),
    closed!("connection-profiles", "read:connection_profiles"),
    closed!("connections-directory-provisionings", "read:directory_provisionings"),
    closed!("token-exchange-profiles", "read:token_exchange_profiles"),
    closed!("supplemental-signals", "read:supplemental_signals"),
    empty!(
        "rate-limit-policies",
        "read:rate_limit_policies",
        json!({ "rate_limit_policies": [] })
    ),
    none!("device-credentials", "read:device_credentials", "device_credentials"),
    refused!(
        "device-credentials",
        "create:current_user_device_credentials",
        "Keys of devices are not kept here: let the device sign in with an application of its own"
    ),
    gone!("device-credentials/{id}", "delete:device_credentials", 204),
    none!("grants", "read:grants", "grants"),
    gone!("grants", "delete:grants", 204),
    gone!("grants/{id}", "delete:grants", 204),
    empty!("users/{id}/sessions", "read:sessions", json!({ "sessions": [] })),
    gone!("users/{id}/sessions", "delete:sessions", 202),
    empty!(
        "users/{id}/refresh-tokens",
        "read:refresh_tokens",
        json!({ "tokens": [] })
    ),
    gone!("users/{id}/refresh-tokens", "delete:refresh_tokens", 202),
    refused!(
        "jobs/verification-email",
        "update:users",
        "No mail is sent from here: send the link that POST /api/v2/tickets/email-verification answers"
    ),
    empty!("event-streams", "read:event_streams", json!({ "eventStreams": [] })),
];
