//! JSON that is broken, says two things at once, or has values of the wrong kind (RFC 8259, RFC 7493).

use crate::house::Ask;

use super::{Row, ask, json};

const UNREADABLE: &str = "The body cannot be read: ";

pub(super) const ROWS: &[Row] = &[
    json("an empty document", "", 400, "invalid_request", UNREADABLE),
    json(
        "an unfinished object",
        "{\"grant_type\":\"client_cred",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json(
        "a list of requests",
        "[{\"grant_type\":\"client_credentials\",\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}]",
        400,
        "invalid_request",
        "The body cannot be read: the JSON is not an object",
    ),
    json(
        "null",
        "null",
        400,
        "invalid_request",
        "The body cannot be read: the JSON is not an object",
    ),
    json(
        "two objects",
        "{\"grant_type\":\"client_credentials\"}{\"grant_type\":\"password\"}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json(
        "a member twice",
        "{\"grant_type\":\"client_credentials\",\"grant_type\":\"client_credentials\"}",
        400,
        "invalid_request",
        "The body cannot be read: the member \"grant_type\" appears twice",
    ),
    json(
        "a member twice, once in escapes",
        "{\"client_id\":\"{id}\",\"client\\u005fid\":\"{id}\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "The body cannot be read: the member \"client_id\" appears twice",
    ),
    json(
        "a member twice inside one that nobody reads",
        "{\"grant_type\":\"client_credentials\",\"x\":{\"y\":1,\"y\":2}}",
        400,
        "invalid_request",
        "The body cannot be read: the member \"y\" appears twice",
    ),
    ask(
        "nested to exhaust the stack",
        |_| {
            Ask::token_json(&serde_json::json!(null)).body(format!(
                "{{\"x\":{}{}}}",
                "[".repeat(20_000),
                "]".repeat(20_000)
            ))
        },
        400,
        "invalid_request",
        UNREADABLE,
    ),
    ask(
        "more members than any honest request has",
        |_| {
            let many: serde_json::Map<_, _> = (0..101).map(|number| (format!("p{number}"), number.into())).collect();
            Ask::token_json(&many.into())
        },
        400,
        "invalid_request",
        "The request has too many parameters",
    ),
    json(
        "a query instead of the grant",
        "{\"grant_type\":{\"$ne\":null},\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "Parameter grant_type must be a string",
    ),
    json(
        "a query instead of the secret",
        "{\"grant_type\":\"client_credentials\",\"audience\":\"{aud}\",\"client_id\":\"{id}\",\"client_secret\":{\"$gt\":\"\"}}",
        400,
        "invalid_request",
        "Parameter client_secret must be a string",
    ),
    json(
        "a list that holds the secret",
        "{\"grant_type\":\"client_credentials\",\"audience\":\"{aud}\",\"client_id\":[\"{id}\"],\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "Parameter client_id must be a string",
    ),
    json(
        "true instead of the secret",
        "{\"grant_type\":\"client_credentials\",\"client_id\":\"{id}\",\"client_secret\":true}",
        400,
        "invalid_request",
        "Parameter client_secret must be a string",
    ),
    json(
        "null instead of the secret",
        "{\"grant_type\":\"client_credentials\",\"audience\":\"{aud}\",\"client_id\":\"{id}\",\"client_secret\":null}",
        401,
        "access_denied",
        "Unauthorized",
    ),
    json(
        "null instead of the grant",
        "{\"grant_type\":null,\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    json(
        "a list of scopes",
        "{\"grant_type\":\"client_credentials\",\"audience\":\"{aud}\",\"scope\":[\"read:messages\"],\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "Parameter scope must be a string",
    ),
    json(
        "a list of audiences",
        "{\"grant_type\":\"client_credentials\",\"audience\":[\"{aud}\"],\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "Parameter audience must be a string",
    ),
    json(
        "a list of resources",
        "{\"grant_type\":\"client_credentials\",\"resource\":[\"{aud}\"],\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_target",
        "Several resource values.",
    ),
    json(
        "a number as the password",
        "{\"grant_type\":\"password\",\"username\":\"user@example.com\",\"password\":12345678}",
        400,
        "invalid_request",
        "Parameter password must be a string",
    ),
    json(
        "an object as the user",
        "{\"grant_type\":\"password\",\"username\":{\"$regex\":\".*\"},\"password\":\"pwd\"}",
        400,
        "invalid_request",
        "Parameter username must be a string",
    ),
    json(
        "the parameters in a prototype",
        "{\"__proto__\":{\"grant_type\":\"client_credentials\"},\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    json(
        "a number that is not finite",
        "{\"x\":1e400}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json("NaN", "{\"x\":NaN}", 400, "invalid_request", UNREADABLE),
    json(
        "a comment",
        "{/* the grant */\"grant_type\":\"client_credentials\"}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json(
        "single quotes",
        "{'grant_type':'client_credentials'}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json(
        "a comma too many",
        "{\"grant_type\":\"client_credentials\",}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json(
        "half of a surrogate pair",
        "{\"grant_type\":\"\\ud800\"}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json(
        "a raw line end in a text",
        "{\"grant_type\":\"client\ncredentials\"}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json(
        "an escaped U+0000",
        "{\"grant_type\":\"client_credentials\",\"client_id\":\"{id}\\u0000\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "Parameter client_id is too long or holds U+0000",
    ),
    json(
        "a byte order mark before JSON",
        "\u{feff}{\"grant_type\":\"client_credentials\"}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
    ask(
        "UTF-16",
        |_| {
            let bytes: Vec<u8> = "{\"grant_type\":\"password\"}"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect();
            Ask::token_json(&serde_json::json!(null)).body(bytes)
        },
        400,
        "invalid_request",
        UNREADABLE,
    ),
    json(
        "a form that says it is JSON",
        "grant_type=client_credentials&{auth}",
        400,
        "invalid_request",
        UNREADABLE,
    ),
];
