//! Texts that are no token, headers that are no header, and requests that carry none or two.

use http::Request;
use http::header::AUTHORIZATION;
use tokenhouse_protocol::jose::base64url;

use super::Row;
use super::issuer::{Issuer, claims, signed, with};

const MALFORMED: &str = "Invalid Compact JWS";
const BARE: &str = r#"Bearer realm="api""#;

pub(super) fn rows(issuer: &Issuer) -> Vec<Row> {
    let good = issuer.rs256(&claims());
    let header = |json: &str| issuer.rs256_with(json, claims());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let payload = head.split_once('.').unwrap().1;
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    vec![
        Row::new("no token after the scheme", MALFORMED, [String::new()]),
        Row::new(
            "an opaque token",
            MALFORMED,
            ["z7xFtk3YVjjmtlncdYH9JD2raHngvpiQ".into()],
        ),
        Row::new("the signature left out with its dot", MALFORMED, [head.into()]),
        Row::new("a fourth part", MALFORMED, [format!("{good}.AAAA"), format!("{good}.")]),
        Row::new(
            "an encrypted token",
            MALFORMED,
            [format!(
                "{}.a.b.c.d",
                base64url::encode(r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#)
            )],
        ),
        Row::new("an empty header", MALFORMED, [format!(".{payload}.{signature}")]),
        Row::new(
            "base64 with padding",
            MALFORMED,
            [format!("{good}="), format!("{good}==")],
        ),
        Row::new(
            "the alphabet of plain base64",
            MALFORMED,
            [format!("{head}.{}", base64url::encode([0xff; 256]).replace('_', "/"))],
        ),
        Row::new(
            "bits left over in the signature",
            MALFORMED,
            [with_leftover_bits(&good)],
        ),
        Row::new(
            "bits left over in a payload that is signed so",
            MALFORMED,
            [payload_with_leftover_bits(issuer)],
        ),
        Row::new(
            "a space inside the token",
            MALFORMED,
            [format!("{head} .{signature}"), format!("{good} {good}")],
        ),
        Row::new("other alphabets", MALFORMED, [format!("{head}.é")]),
        Row::new("a header that is no JSON", MALFORMED, [header("alg=RS256"), header("")]),
        Row::new(
            "a header that is a list or a text",
            MALFORMED,
            [header(r#"["RS256"]"#), header(r#""RS256""#)],
        ),
        Row::new(
            "a header with a member twice",
            MALFORMED,
            [
                header(r#"{"alg":"none","alg":"RS256","typ":"JWT","kid":"rsa"}"#),
                header(r#"{"alg":"RS256","typ":"JWT","kid":"rsa","\u0061lg":"none"}"#),
            ],
        ),
        Row::new(
            "something after the header's JSON",
            MALFORMED,
            [header(r#"{"alg":"RS256","typ":"JWT","kid":"rsa"}{}"#)],
        ),
        Row::new(
            "a header that is not UTF-8",
            MALFORMED,
            [issuer.rs256_with(b"{\"alg\":\"RS256\",\"kid\":\"\xff\"}", claims())],
        ),
        Row::new(
            "a header that is nested deeply",
            MALFORMED,
            [header(&format!(
                r#"{{"alg":"RS256","typ":"JWT","kid":"rsa","x":{}}}"#,
                nested(100)
            ))],
        ),
        Row::new(
            "a header of more than 2 KiB",
            MALFORMED,
            [header(&format!(
                r#"{{"alg":"RS256","typ":"JWT","kid":"rsa","x":"{}"}}"#,
                "x".repeat(2000)
            ))],
        ),
        Row::new(
            "a token of more than 16 KiB",
            MALFORMED,
            [issuer.rs256(&with("x", &format!("\"{}\"", "x".repeat(17_000))))],
        ),
        Row::new("a megabyte", MALFORMED, ["a".repeat(1 << 20)]),
        Row::new(
            "a header without alg",
            MALFORMED,
            [header(r#"{"typ":"JWT","kid":"rsa"}"#)],
        ),
        Row::new(
            "an alg that is no text",
            MALFORMED,
            [
                header(r#"{"alg":["RS256"],"typ":"JWT","kid":"rsa"}"#),
                header(r#"{"alg":null,"typ":"JWT","kid":"rsa"}"#),
            ],
        ),
        Row::new(
            "a kid that is no text",
            MALFORMED,
            [header(r#"{"alg":"RS256","typ":"JWT","kid":{"$ne":1}}"#)],
        ),
        Row::new(
            "a typ that is no text",
            MALFORMED,
            [header(r#"{"alg":"RS256","typ":["JWT"],"kid":"rsa"}"#)],
        ),
        Row::new(
            "a critical extension, even of a name we know",
            "Extension Header Parameter 'crit' is not recognized",
            [
                header(r#"{"alg":"RS256","typ":"JWT","kid":"rsa","crit":["exp"],"exp":1}"#),
                header(r#"{"alg":"RS256","typ":"JWT","kid":"rsa","crit":[]}"#),
            ],
        ),
        Row::new(
            "an unencoded payload (RFC 7797)",
            "Extension Header Parameter 'b64' is not recognized",
            [header(r#"{"alg":"RS256","typ":"JWT","kid":"rsa","b64":false}"#)],
        ),
        Row::new(
            "a compressed payload",
            "Extension Header Parameter 'zip' is not recognized",
            [header(r#"{"alg":"RS256","typ":"JWT","kid":"rsa","zip":"DEF"}"#)],
        ),
        Row::new(
            "a payload that is no JSON",
            "JWT Claims Set must be a top-level JSON object",
            [issuer.rs256("sub=admin"), issuer.rs256("")],
        ),
        Row::new(
            "a payload that is a list",
            "JWT Claims Set must be a top-level JSON object",
            [issuer.rs256(&format!("[{}]", claims()))],
        ),
        Row::new(
            "a signed token inside a signed token",
            "JWT Claims Set must be a top-level JSON object",
            [signed(
                &issuer.rsa,
                r#"{"alg":"RS256","typ":"JWT","kid":"rsa","cty":"JWT"}"#,
                &good,
            )],
        ),
        Row::new(
            "a payload with a claim twice",
            "JWT Claims Set must be a top-level JSON object",
            [
                issuer.rs256(&claims().replacen('{', r#"{"aud":"https://other.example.com","#, 1)),
                issuer.rs256(&claims().replacen('{', r#"{"\u0061ud":"https://other.example.com","#, 1)),
            ],
        ),
        Row::new(
            "a payload that is nested deeply",
            "JWT Claims Set must be a top-level JSON object",
            [issuer.rs256(&with("x", &nested(1000)))],
        ),
        Row::new(
            "a payload that is not UTF-8",
            "JWT Claims Set must be a top-level JSON object",
            [issuer.rs256_with(
                r#"{"alg":"RS256","typ":"JWT","kid":"rsa"}"#,
                [&claims().as_bytes()[..20], b"\xff\"}"].concat(),
            )],
        ),
    ]
}

pub(super) fn requests(issuer: &Issuer) -> Vec<Row> {
    let good = issuer.rs256(&claims());
    let get = |uri: &str| Request::get(uri.to_owned());
    let empty = String::new;
    let two = r#"Bearer realm="api", error="invalid_request", error_description="More than one method used for authentication""#;
    let several = r#"Bearer realm="api", error="invalid_token", error_description="Invalid Compact JWS""#;
    vec![
        Row::request("no token", get("/messages").body(empty()).unwrap(), 401, BARE),
        Row::request(
            "another scheme",
            get("/messages")
                .header(AUTHORIZATION, format!("Basic {good}"))
                .body(empty())
                .unwrap(),
            401,
            BARE,
        ),
        Row::request(
            "no scheme",
            get("/messages").header(AUTHORIZATION, &good).body(empty()).unwrap(),
            401,
            BARE,
        ),
        Row::request(
            "a token in the query",
            get(&format!("/messages?access_token={good}")).body(empty()).unwrap(),
            401,
            BARE,
        ),
        Row::request(
            "a token in a form",
            Request::post("/messages")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("access_token={good}"))
                .unwrap(),
            401,
            BARE,
        ),
        Row::request(
            "a token in the header and one in the query",
            get(&format!("/messages?a=b&access_token={good}"))
                .header(AUTHORIZATION, format!("Bearer {good}"))
                .body(empty())
                .unwrap(),
            400,
            two,
        ),
        Row::request(
            "two tokens in two headers",
            get("/messages")
                .header(AUTHORIZATION, format!("Bearer {good}"))
                .header(AUTHORIZATION, format!("Bearer {good}"))
                .body(empty())
                .unwrap(),
            401,
            several,
        ),
        Row::request(
            "two tokens in one header",
            get("/messages")
                .header(AUTHORIZATION, format!("Bearer {good}, Bearer {good}"))
                .body(empty())
                .unwrap(),
            401,
            several,
        ),
        Row::request(
            "OPTIONS that is no preflight",
            Request::options("/messages")
                .header("origin", "https://a.example")
                .body(empty())
                .unwrap(),
            401,
            BARE,
        ),
    ]
}

/// A signature of 256 bytes ends in a character of which four bits count; this sets the others.
fn with_leftover_bits(token: &str) -> String {
    let (start, last) = token.split_at(token.len() - 1);
    format!("{start}{}", next_character(last))
}

/// A payload whose last character has bits left over, signed as it stands.
fn payload_with_leftover_bits(issuer: &Issuer) -> String {
    let mut payload = claims();
    while payload.len() % 3 != 1 {
        payload.push(' ');
    }
    let text = base64url::encode(payload);
    let (start, last) = text.split_at(text.len() - 1);
    let input = format!(
        "{}.{start}{}",
        base64url::encode(r#"{"alg":"RS256","typ":"JWT","kid":"rsa"}"#),
        next_character(last)
    );
    let signature = base64url::encode(issuer.rsa.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn next_character(character: &str) -> char {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = ALPHABET.find(character).unwrap();
    char::from(ALPHABET.as_bytes()[place + 1])
}
