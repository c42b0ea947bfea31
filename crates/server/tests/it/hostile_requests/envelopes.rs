//! Honest words in a hostile envelope: method, path, host, type and size (RFC 9110, RFC 9112).

use crate::house::{AUDIENCE, Ask, House, form as encoded, with_secret};

use super::{Row, ask};

const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
const WHICH_TYPE: &str = "Send the body as application/json or application/x-www-form-urlencoded";

pub(super) const ROWS: &[Row] = &[
    ask(
        "no type",
        |house| honest(house).without("content-type"),
        415,
        "invalid_request",
        WHICH_TYPE,
    ),
    ask(
        "the simple type that needs no preflight",
        |house| honest(house).content_type("text/plain"),
        415,
        "invalid_request",
        WHICH_TYPE,
    ),
    ask(
        "two types",
        |house| honest(house).header("content-type", "application/json"),
        415,
        "invalid_request",
        WHICH_TYPE,
    ),
    ask(
        "a multipart form",
        |house| honest(house).content_type("multipart/form-data; boundary=x"),
        415,
        "invalid_request",
        WHICH_TYPE,
    ),
    ask(
        "another charset",
        |house| honest(house).content_type("application/x-www-form-urlencoded; charset=utf-7"),
        415,
        "invalid_request",
        "Send the body in UTF-8.",
    ),
    ask(
        "a compressed body",
        |house| honest(house).header("content-encoding", "gzip"),
        415,
        "invalid_request",
        "Send the body without a Content-Encoding.",
    ),
    ask(
        "a body without end",
        |house| {
            let filler = "x".repeat(64 * 1024);
            Ask::token(&[]).body(format!("{}&filler={filler}", encoded(&fields(house))))
        },
        413,
        "invalid_request",
        "The body is larger than 64 KiB.",
    ),
    ask(
        "everything in the query",
        |house| Ask {
            target: format!("/oauth/token?{}", encoded(&fields(house))),
            ..Ask::token(&[])
        },
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    ask(
        "the secret in the query, the rest in the body",
        |house| {
            let secret = [("client_secret", house.samples.sample.client_secret.as_str())];
            let ask = Ask::token(&[MACHINE[0], MACHINE[1], ("client_id", &house.samples.sample.client_id)]);
            Ask {
                target: format!("/oauth/token?{}", encoded(&secret)),
                ..ask
            }
        },
        401,
        "access_denied",
        "Unauthorized",
    ),
    ask(
        "a link that somebody follows",
        |house| Ask::get(&format!("/oauth/token?{}", encoded(&fields(house)))),
        405,
        "invalid_request",
        "This path has other methods",
    ),
    ask(
        "a method in a header",
        |house| {
            Ask {
                method: "PUT".parse().unwrap(),
                ..honest(house)
            }
            .header("x-http-method-override", "POST")
        },
        405,
        "invalid_request",
        "This path has other methods",
    ),
    ask(
        "a slash at the end of the path",
        |house| Ask {
            target: "/oauth/token/".into(),
            ..honest(house)
        },
        404,
        "not_found",
        "There is nothing at this path.",
    ),
    ask(
        "an escape in the path",
        |house| Ask {
            target: "/oauth/%74oken%2f".into(),
            ..honest(house)
        },
        404,
        "not_found",
        "There is nothing at this path.",
    ),
    ask(
        "dots in the path",
        |house| Ask {
            target: "/docs/../oauth/token".into(),
            ..honest(house)
        },
        404,
        "not_found",
        "There is nothing at this path.",
    ),
    ask(
        "a host that is not ours",
        |house| honest(house).host("evil.example"),
        421,
        "invalid_request",
        "This server does not answer for the host of the request.",
    ),
    ask(
        "a foreign host that a proxy is said to have seen as ours",
        |house| {
            honest(house)
                .host("evil.example")
                .header("x-forwarded-host", "localhost:4000")
        },
        421,
        "invalid_request",
        "This server does not answer for the host of the request.",
    ),
    ask(
        "two hosts",
        |house| honest(house).header("host", "localhost:4000"),
        400,
        "invalid_request",
        "The request has several Host headers.",
    ),
    ask(
        "no host",
        |house| honest(house).without("host"),
        400,
        "invalid_request",
        "The request has no Host header.",
    ),
    ask(
        "a host that is no text",
        |house| honest(house).without("host").header("host", b"\xff"),
        400,
        "invalid_request",
        "The Host header cannot be read.",
    ),
];

fn fields(house: &House) -> Vec<(&str, &str)> {
    with_secret(&house.samples.sample, &MACHINE)
}

fn honest(house: &House) -> Ask {
    Ask::token(&fields(house))
}
