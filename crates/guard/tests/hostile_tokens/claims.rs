//! True signatures over claims that are not for this API, not now, or not of their type.

use super::Row;
use super::issuer::{Issuer, claims, with};

pub(super) fn rows(issuer: &Issuer) -> Vec<Row> {
    let claim = |name: &'static str| move |json: &str| issuer.rs256(&with(name, json));
    let of_type = |typ: &str| issuer.rs256_with(format!(r#"{{"alg":"RS256","typ":"{typ}","kid":"rsa"}}"#), claims());
    let (iss, aud, exp, nbf) = (claim("iss"), claim("aud"), claim("exp"), claim("nbf"));
    let forbidden = r#"Bearer realm="api", error="insufficient_scope", error_description="Insufficient Scope", scope="read:messages""#;
    let forbid = |name, tokens: Vec<String>| Row {
        status: 403,
        challenge: forbidden.into(),
        ..Row::new(name, "", tokens)
    };
    vec![
        Row::new(
            "a token without a type",
            "Unexpected 'typ' value",
            [issuer.rs256_with(r#"{"alg":"RS256","kid":"rsa"}"#, claims())],
        ),
        Row::new(
            "tokens of other kinds",
            "Unexpected 'typ' value",
            [
                "logout+jwt",
                "dpop+jwt",
                "secevent+jwt",
                "client-authentication+jwt",
                "token-introspection+jwt",
                "id_token",
                "JWT ",
            ]
            .map(of_type),
        ),
        Row::new("no issuer", "Unexpected 'iss' value", [iss("")]),
        Row::new(
            "another issuer, by little",
            "Unexpected 'iss' value",
            [
                iss(r#""https://issuer.example.com""#),
                iss(r#""https://ISSUER.example.com/""#),
                iss(r#""https://issuer.example.com//""#),
                iss(r#""http://issuer.example.com/""#),
                iss(r#""https://issuer.example.com/\u0000""#),
                iss(r#""https://issuer.example.com.evil.example/""#),
            ],
        ),
        Row::new(
            "an issuer that is no text",
            "'iss' claim must be a string",
            [iss(r#"["https://issuer.example.com/"]"#), iss("null")],
        ),
        Row::new(
            "no audience",
            "Unexpected 'aud' value",
            [aud(""), aud("[]"), aud(r#""""#)],
        ),
        Row::new(
            "another audience, by little",
            "Unexpected 'aud' value",
            [
                aud(r#""https://api.example.com/""#),
                aud(r#""https://api.example""#),
                aud(r#""https://API.example.com""#),
                aud(r#""https://api.example.com https://other.example.com""#),
            ],
        ),
        Row::new(
            "audiences of other APIs",
            "Unexpected 'aud' value",
            [aud(r#"["https://other.example.com","reader"]"#)],
        ),
        Row::new(
            "an ID token, for the application",
            "Unexpected 'aud' value",
            [aud(r#""reader""#)],
        ),
        Row::new(
            "an audience that is no text",
            "'aud' claim must be a string or an array of strings",
            [
                aud("7"),
                aud("null"),
                aud(r#"{"0":"https://api.example.com"}"#),
                aud(r#"["https://api.example.com",7]"#),
                aud(r#"[["https://api.example.com"]]"#),
            ],
        ),
        Row::new("no expiry", "Unexpected 'exp' value", [exp("")]),
        Row::new(
            "expired, at the end of the leeway",
            "'exp' claim timestamp check failed",
            [exp("1799999995"), exp("0")],
        ),
        Row::new(
            "an expiry that is a text",
            "'exp' claim must be a whole number of seconds",
            [exp(r#""1800086400""#), exp(r#""never""#)],
        ),
        Row::new(
            "an expiry with a fraction or an exponent",
            "'exp' claim must be a whole number of seconds",
            [exp("1800086400.5"), exp("18e8"), exp("1e308")],
        ),
        Row::new(
            "an expiry beyond what numbers hold",
            "'exp' claim must be a whole number of seconds",
            [exp("9007199254740993"), exp("18446744073709551616")],
        ),
        Row::new(
            "an expiry before 1970",
            "'exp' claim must be a whole number of seconds",
            [exp("-1"), exp("-1800086400")],
        ),
        Row::new(
            "an expiry that is nothing",
            "'exp' claim must be a whole number of seconds",
            [exp("null"), exp("true"), exp("[1800086400]"), exp("{}")],
        ),
        Row::new(
            "an infinite expiry",
            "JWT Claims Set must be a top-level JSON object",
            [exp("1e999"), exp("Infinity"), exp("NaN")],
        ),
        Row::new(
            "not valid yet, past the leeway",
            "'nbf' claim timestamp check failed",
            [nbf("1800000006"), nbf("9007199254740992")],
        ),
        Row::new(
            "a beginning that is no time",
            "'nbf' claim must be a whole number of seconds",
            [nbf(r#""1800000000""#), nbf("1.5"), nbf("null")],
        ),
        Row::new(
            "an issuing that is no time",
            "'iat' claim must be a whole number of seconds",
            [claim("iat")(r#""now""#), claim("iat")("-5")],
        ),
        Row::new(
            "a subject that is no text",
            "'sub' claim must be a string",
            [claim("sub")("7"), claim("sub")("null")],
        ),
        Row::new(
            "a token id that is no text",
            "'jti' claim must be a string",
            [claim("jti")("{}")],
        ),
        Row::new(
            "bound to a DPoP key",
            "Unexpected 'cnf' value",
            [claim("cnf")(r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#)],
        ),
        Row::new(
            "bound to a certificate",
            "Unexpected 'cnf' value",
            [
                claim("cnf")(r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#),
                claim("cnf")("null"),
            ],
        ),
        forbid("no scope", vec![claim("scope")(""), claim("scope")(r#""""#)]),
        forbid(
            "a scope like the one wanted",
            vec![
                claim("scope")(r#""read:message""#),
                claim("scope")(r#""read:messages2 Read:Messages""#),
                claim("scope")(r#""read:messages,write:messages""#),
            ],
        ),
        forbid(
            "a scope that is no text",
            vec![claim("scope")(r#"{"read:messages":true}"#), claim("scope")("true")],
        ),
        forbid(
            "the scope in another claim",
            vec![issuer.rs256(&with("scope", "").replacen(
                '{',
                r#"{"permissions":["read:messages"],"scp":"read:messages","#,
                1,
            ))],
        ),
    ]
}

/// What the RFC 9068 profile refuses and the other one takes.
pub(super) fn strict_rows(issuer: &Issuer) -> Vec<Row> {
    let at_jwt = |claims: &str| issuer.rs256_with(r#"{"alg":"RS256","typ":"at+jwt","kid":"rsa"}"#, claims);
    let full = |without: &str| {
        let members = [("client_id", "\"reader\""), ("jti", "\"1\"")]
            .into_iter()
            .filter(|(name, _)| *name != without);
        let members: String = members.map(|(name, json)| format!("\"{name}\":{json},")).collect();
        with(without, "").replacen('{', &format!("{{{members}"), 1)
    };
    vec![
        Row::new(
            "the type of any token",
            "Unexpected 'typ' value",
            [issuer.rs256(&full("nothing"))],
        ),
        Row::new("no subject", "Unexpected 'sub' value", [at_jwt(&full("sub"))]),
        Row::new(
            "no client",
            "Unexpected 'client_id' value",
            [at_jwt(&full("client_id"))],
        ),
        Row::new("no token id", "Unexpected 'jti' value", [at_jwt(&full("jti"))]),
        Row::new("no issuing time", "Unexpected 'iat' value", [at_jwt(&full("iat"))]),
    ]
}
