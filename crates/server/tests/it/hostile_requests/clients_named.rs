//! Clients that are not who they say, or say it in two ways at once (RFC 6749 §2.3).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::house::{AUDIENCE, Ask};

use super::{Row, ask, form};

const UNAUTHORIZED: &str = "Unauthorized";
const SEVERAL: &str = "The client authenticates in several ways at once.";
const BROKEN_BASIC: &str = "Unauthorized. The Basic header is not the base64 of client_id:client_secret.";
const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];

pub(super) const ROWS: &[Row] = &[
    form(
        "nobody",
        "grant_type=client_credentials&audience={aud}",
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    form(
        "an unknown client",
        "grant_type=client_credentials&audience={aud}&client_id=unknown&client_secret={secret}",
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    form(
        "a wrong secret",
        "grant_type=client_credentials&audience={aud}&client_id={id}&client_secret=wrong",
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    form(
        "no secret",
        "grant_type=client_credentials&audience={aud}&client_id={id}",
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    form(
        "an empty secret",
        "grant_type=client_credentials&audience={aud}&client_id={id}&client_secret=",
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    ask(
        "another client's secret",
        |house| machine(&house.samples.sample.client_id, &house.samples.reader.client_secret),
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    ask(
        "the secret but for its end",
        |house| {
            machine(
                &house.samples.sample.client_id,
                &house.samples.sample.client_secret[..63],
            )
        },
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    ask(
        "the secret and more",
        |house| {
            machine(
                &house.samples.sample.client_id,
                &format!("{}x", house.samples.sample.client_secret),
            )
        },
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    ask(
        "the client's id in capitals",
        |house| {
            machine(
                &house.samples.sample.client_id.to_uppercase(),
                &house.samples.sample.client_secret,
            )
        },
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    form(
        "SQL as the client's id",
        "grant_type=client_credentials&audience={aud}&client_id='%20or%201%3D1--&client_secret=x",
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    ask(
        "an id longer than any",
        |_| machine(&"x".repeat(256), "x"),
        400,
        "invalid_request",
        "Parameter client_id is too long or holds U+0000",
    ),
    form(
        "U+0000 in the secret",
        "grant_type=client_credentials&audience={aud}&{auth}%00",
        400,
        "invalid_request",
        "Parameter client_secret is too long or holds U+0000",
    ),
    form(
        "a public client with a secret",
        "grant_type=client_credentials&audience={aud}&client_id={public}&client_secret=x",
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    form(
        "a public client for itself",
        "grant_type=client_credentials&audience={aud}&client_id={public}",
        403,
        "unauthorized_client",
        "Grant type 'client_credentials' not allowed for the client.",
    ),
    form(
        "an assertion, which is not offered",
        "grant_type=client_credentials&audience={aud}&client_id={id}&client_assertion=a.b.c\
         &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        401,
        "invalid_client",
        "Client authentication failed",
    ),
    form(
        "an assertion and a secret",
        "grant_type=client_credentials&audience={aud}&{auth}&client_assertion=a.b.c",
        400,
        "invalid_request",
        SEVERAL,
    ),
    ask(
        "an assertion and Basic",
        |house| {
            let sample = &house.samples.sample;
            Ask::token(&[MACHINE[0], MACHINE[1], ("client_assertion", "a.b.c")])
                .basic(&sample.client_id, &sample.client_secret)
        },
        400,
        "invalid_request",
        SEVERAL,
    ),
    ask(
        "Basic and the same secret in the body",
        |house| {
            let sample = &house.samples.sample;
            machine(&sample.client_id, &sample.client_secret).basic(&sample.client_id, &sample.client_secret)
        },
        400,
        "invalid_request",
        SEVERAL,
    ),
    ask(
        "one client in the header and another in the body",
        |house| {
            let sample = &house.samples.sample;
            let fields = [
                MACHINE[0],
                MACHINE[1],
                ("client_id", house.samples.admin.client_id.as_str()),
            ];
            Ask::token(&fields).basic(&sample.client_id, &sample.client_secret)
        },
        400,
        "invalid_request",
        SEVERAL,
    ),
    ask(
        "two Basic headers",
        |house| {
            let sample = &house.samples.sample;
            Ask::token(&MACHINE)
                .basic("unknown", "x")
                .basic(&sample.client_id, &sample.client_secret)
        },
        400,
        "invalid_request",
        SEVERAL,
    ),
    ask(
        "a wrong secret by Basic",
        |house| Ask::token(&MACHINE).basic(&house.samples.sample.client_id, "x"),
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    ask(
        "an empty secret by Basic",
        |house| Ask::token(&MACHINE).basic(&house.samples.sample.client_id, ""),
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    ask(
        "an empty id by Basic",
        |house| Ask::token(&MACHINE).basic("", &house.samples.sample.client_secret),
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
    ask(
        "Basic that is not base64",
        |_| authorization(b"Basic ?????"),
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "Basic and nothing",
        |_| authorization(b"Basic"),
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "Basic in the clear",
        |house| {
            let sample = &house.samples.sample;
            authorization(format!("Basic {}:{}", sample.client_id, sample.client_secret).as_bytes())
        },
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "Basic without a colon",
        |house| basic(&STANDARD.encode(&house.samples.sample.client_id)),
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "Basic that is no text",
        |_| basic(&STANDARD.encode(b"\xff\xfe:x")),
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "Basic whose escapes are no text",
        |_| basic(&STANDARD.encode("a:%ff")),
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "Basic without its padding",
        |_| basic(&STANDARD_NO_PAD.encode("a:bc")),
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "Basic with bits left over",
        |_| basic("YTpi/x=="),
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "bytes beyond ASCII in the header",
        |_| authorization(b"Basic \xe4\xf6\xfc"),
        401,
        "access_denied",
        BROKEN_BASIC,
    ),
    ask(
        "U+0000 in the id by Basic",
        |house| Ask::token(&MACHINE).basic("a\0b", &house.samples.sample.client_secret),
        400,
        "invalid_request",
        "Parameter client_id is too long or holds U+0000",
    ),
    ask(
        "a bearer token as the client",
        |_| Ask::token(&MACHINE).bearer("a.b.c"),
        401,
        "access_denied",
        UNAUTHORIZED,
    ),
];

fn machine(id: &str, secret: &str) -> Ask {
    Ask::token(&[MACHINE[0], MACHINE[1], ("client_id", id), ("client_secret", secret)])
}

fn basic(encoded: &str) -> Ask {
    authorization(format!("Basic {encoded}").as_bytes())
}

fn authorization(value: &[u8]) -> Ask {
    Ask::token(&MACHINE).header("authorization", value)
}
