//! What the members of a token's header and its claims are (RFC 7515 §4.1, RFC 7519 §4.1, RFC 9068 §2, OpenID Connect
//! Core §2 and §5.1), a sentence each.

use serde_json::Value;

use crate::console::words::meaning;

/// What a member of the header is, where that is known.
pub(super) fn of_header(name: &str, value: &Value) -> Option<&'static str> {
    Some(match (name, value.as_str()) {
        ("alg", Some(alg)) if alg.starts_with("HS") => meaning::ALG_SHARED,
        ("alg", Some("none")) => meaning::ALG_NONE,
        ("alg", _) => meaning::ALG,
        ("typ", Some("at+jwt")) => meaning::TYP_RFC9068,
        ("typ", _) => meaning::TYP,
        ("kid", _) => meaning::KID,
        ("x5t", _) => meaning::X5T,
        ("x5c" | "jwk", _) => meaning::OWN_KEY,
        ("jku" | "x5u", _) => meaning::OWN_KEY_URL,
        ("cty", _) => meaning::CTY,
        ("crit", _) => meaning::CRIT,
        _ => return None,
    })
}

/// What a claim is, where that is known.
pub(super) fn of_claim(name: &str, value: &Value) -> Option<&'static str> {
    let text = value.as_str().unwrap_or_default();
    Some(match name {
        "iss" => meaning::ISS,
        "sub" if text.ends_with("@clients") => meaning::SUB_APPLICATION,
        "sub" => meaning::SUB,
        "aud" if value.is_array() => meaning::AUD_SEVERAL,
        "aud" => meaning::AUD,
        "iat" => meaning::IAT,
        "exp" => meaning::EXP,
        "nbf" => meaning::NBF,
        "jti" => meaning::JTI,
        "scope" => meaning::SCOPE,
        "permissions" => meaning::PERMISSIONS,
        "gty" => match text {
            "client-credentials" => meaning::GTY_CLIENT_CREDENTIALS,
            "password" => meaning::GTY_PASSWORD,
            _ => meaning::GTY,
        },
        "azp" | "client_id" => meaning::AZP,
        "cnf" => meaning::CNF,
        "act" => meaning::ACT,
        "auth_time" => meaning::AUTH_TIME,
        "acr" | "amr" => meaning::AMR,
        "sid" => meaning::SID,
        "nonce" => meaning::NONCE,
        "at_hash" | "c_hash" => meaning::AT_HASH,
        "org_id" | "org_name" => meaning::ORG_ID,
        "name" | "given_name" | "family_name" | "middle_name" | "nickname" | "preferred_username" => meaning::NAME,
        "email" => meaning::EMAIL,
        "email_verified" => meaning::EMAIL_VERIFIED,
        "picture"
        | "profile"
        | "website"
        | "gender"
        | "birthdate"
        | "zoneinfo"
        | "locale"
        | "address"
        | "phone_number"
        | "phone_number_verified" => meaning::PROFILE,
        "updated_at" => meaning::UPDATED_AT,
        _ => return None,
    })
}

/// What a member of a client assertion is, where that differs from a token's (RFC 7523 §3).
pub(super) fn of_assertion(name: &str) -> Option<&'static str> {
    Some(match name {
        "alg" => meaning::ASSERTION_ALG,
        "kid" => meaning::ASSERTION_KID,
        "iss" | "sub" => meaning::ASSERTION_ISS,
        "aud" => meaning::ASSERTION_AUD,
        "exp" => meaning::ASSERTION_EXP,
        "jti" => meaning::ASSERTION_JTI,
        _ => return None,
    })
}
