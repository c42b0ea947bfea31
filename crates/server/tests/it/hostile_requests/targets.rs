//! Scopes and audiences that were not granted, are not there, or cannot be (RFC 6749 §3.3, RFC 8707).

use crate::house::{AUDIENCE, Ask, House, ISSUER, with_secret};

use super::{Row, ask, form};

const NOT_THERE: &str = "Service not enabled within domain: ";
const NOT_GRANTED: &str = "Client has not been granted scopes: ";
const NO_SCOPE: &str = "The scope holds a character that scopes cannot hold.";

pub(super) const ROWS: &[Row] = &[
    form(
        "no audience",
        "grant_type=client_credentials&{auth}",
        403,
        "access_denied",
        "No audience parameter was provided, and no default audience has been configured",
    ),
    ask(
        "an unknown audience",
        |house| machine(house, "audience", "https://unknown.example.com"),
        403,
        "access_denied",
        NOT_THERE,
    ),
    ask(
        "an audience and a slash",
        |house| machine(house, "audience", "https://api.example.com/"),
        403,
        "access_denied",
        NOT_THERE,
    ),
    ask(
        "two audiences in one",
        |house| machine(house, "audience", &format!("{AUDIENCE} {ISSUER}api/v2/")),
        403,
        "access_denied",
        NOT_THERE,
    ),
    ask(
        "the client itself as the audience",
        |house| machine(house, "audience", &house.samples.sample.client_id),
        403,
        "access_denied",
        NOT_THERE,
    ),
    ask(
        "the userinfo endpoint by a machine",
        |house| machine(house, "audience", &format!("{ISSUER}userinfo")),
        403,
        "access_denied",
        NOT_THERE,
    ),
    ask(
        "the Management API by a common application",
        |house| machine(house, "audience", &format!("{ISSUER}api/v2/")),
        403,
        "access_denied",
        "Client \"{id}\" is not authorized to access resource server \"http://localhost:4000/api/v2/\".",
    ),
    ask(
        "the Management API by a password",
        |house| Ask::token(&house.password_fields(&[("audience", &format!("{ISSUER}api/v2/"))])),
        400,
        "invalid_request",
        "invalid audience specified for password grant exchange",
    ),
    ask(
        "an unknown audience by a password",
        |house| Ask::token(&house.password_fields(&[("audience", "https://unknown.example.com")])),
        400,
        "invalid_request",
        "invalid audience specified for password grant exchange",
    ),
    form(
        "an API that was not granted",
        "grant_type=client_credentials&audience={aud}&{pw}",
        403,
        "access_denied",
        "Client \"",
    ),
    ask(
        "an audience as long as the body may be",
        |house| machine(house, "audience", &"a".repeat(60_000)),
        403,
        "access_denied",
        NOT_THERE,
    ),
    ask(
        "U+0000 in the audience",
        |house| machine(house, "audience", "https://api.example.com\0"),
        400,
        "invalid_request",
        "Parameter audience is too long or holds U+0000",
    ),
    ask(
        "an audience and another resource",
        |house| {
            Ask::token(&with_secret(
                &house.samples.sample,
                &[MACHINE[0], MACHINE[1], ("resource", "https://other.example")],
            ))
        },
        400,
        "invalid_target",
        "audience and resource name different APIs.",
    ),
    ask(
        "two resources",
        |house| {
            Ask::token(&with_secret(
                &house.samples.sample,
                &[MACHINE[0], ("resource", AUDIENCE), ("resource", AUDIENCE)],
            ))
        },
        400,
        "invalid_target",
        "Several resource values.",
    ),
    ask(
        "a scope that was not granted",
        |house| machine(house, "scope", "read:messages delete:messages"),
        403,
        "access_denied",
        NOT_GRANTED,
    ),
    ask(
        "a scope that the API has and this client has not",
        |house| {
            Ask::token(&with_secret(
                &house.samples.reader,
                &[MACHINE[0], MACHINE[1], ("scope", "write:messages")],
            ))
        },
        403,
        "access_denied",
        NOT_GRANTED,
    ),
    ask(
        "any scope by a client that was granted none",
        |house| {
            Ask::token(&with_secret(
                &house.samples.stranger,
                &[MACHINE[0], MACHINE[1], ("scope", "read:messages")],
            ))
        },
        403,
        "access_denied",
        NOT_GRANTED,
    ),
    ask(
        "a scope for everything",
        |house| machine(house, "scope", "*"),
        403,
        "access_denied",
        NOT_GRANTED,
    ),
    ask(
        "a user's scope by a machine",
        |house| machine(house, "scope", "openid"),
        403,
        "access_denied",
        NOT_GRANTED,
    ),
    ask(
        "a system scope at another API",
        |house| machine(house, "scope", "create:clients"),
        403,
        "access_denied",
        NOT_GRANTED,
    ),
    ask(
        "one scope thousands of times",
        |house| machine(house, "scope", &"s ".repeat(2000)),
        403,
        "access_denied",
        NOT_GRANTED,
    ),
    ask(
        "tabs between scopes",
        |house| machine(house, "scope", "read:messages\twrite:messages"),
        400,
        "invalid_scope",
        NO_SCOPE,
    ),
    ask(
        "a quote to end the challenge",
        |house| machine(house, "scope", "read:messages\", error=\"x"),
        400,
        "invalid_scope",
        NO_SCOPE,
    ),
    ask(
        "a scope in other letters",
        |house| machine(house, "scope", "r\u{435}ad:messages"),
        400,
        "invalid_scope",
        NO_SCOPE,
    ),
    ask(
        "U+0000 between scopes",
        |house| machine(house, "scope", "read:messages\0write:messages"),
        400,
        "invalid_request",
        "Parameter scope is too long or holds U+0000",
    ),
];

const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];

/// The sample application's request with one field of it changed or added.
fn machine(house: &House, name: &str, value: &str) -> Ask {
    let kept = MACHINE.into_iter().filter(|(other, _)| *other != name);
    Ask::token(&with_secret(
        &house.samples.sample,
        &kept.chain([(name, value)]).collect::<Vec<_>>(),
    ))
}
