//! What the members of a token's header and its claims are (RFC 7515 §4.1, RFC 7519 §4.1, RFC 9068 §2, OpenID Connect
//! Core §2 and §5.1), a sentence each.

use serde_json::Value;

/// What a member of the header is, where that is known.
pub(super) fn of_header(name: &str, value: &Value) -> Option<&'static str> {
    Some(match (name, value.as_str()) {
        ("alg", Some(alg)) if alg.starts_with("HS") => {
            "How it is signed: with a secret that the API shares with the issuer."
        }
        ("alg", Some("none")) => "It is not signed at all. No guard takes it.",
        ("alg", _) => "How it is signed: with the issuer's private key. The API checks it with the public one.",
        ("typ", Some("at+jwt")) => "It is an access token by RFC 9068.",
        ("typ", _) => "What kind of token it is.",
        ("kid", _) => "Which of the issuer's keys signed it: its id in the key set.",
        ("x5t", _) => "The SHA-1 thumbprint of the key's certificate.",
        ("x5c" | "jwk", _) => "A key that the token brings along. No guard believes it.",
        ("jku" | "x5u", _) => "An address of keys that the token names itself. No guard goes there.",
        ("cty", _) => "What is inside, if it is another token.",
        ("crit", _) => "Extensions that a reader must know. The guard knows none and refuses the token.",
        _ => return None,
    })
}

/// What a claim is, where that is known.
pub(super) fn of_claim(name: &str, value: &Value) -> Option<&'static str> {
    let text = value.as_str().unwrap_or_default();
    Some(match name {
        "iss" => "Issuer: who made it. An API compares it byte for byte, with its last slash.",
        "sub" if text.ends_with("@clients") => "Subject: the application itself, which acts for no user.",
        "sub" => "Subject: the user for whom it is.",
        "aud" if value.is_array() => "Audience: the APIs that may take it. An API's identifier must be among them.",
        "aud" => "Audience: the API that may take it, by its identifier.",
        "iat" => "Issued at.",
        "exp" => "Expires at: from then on no API takes it.",
        "nbf" => "Not before: until then no API takes it.",
        "jti" => "Its own id, different for each token.",
        "scope" => "What it allows. An API compares each route's permission with it.",
        "permissions" => "The user's permissions at the API, whatever scopes were asked for.",
        "gty" => match text {
            "client-credentials" => "How it was asked for: by the application, with its own credentials.",
            "password" => "How it was asked for: with a user's password.",
            _ => "How it was asked for.",
        },
        "azp" | "client_id" => "The application that asked for it.",
        "cnf" => "The key or certificate to which it is bound: only who holds that may use it.",
        "act" => "Who acts in the name of the subject.",
        "auth_time" => "When the user last signed in.",
        "acr" | "amr" => "How the user signed in.",
        "sid" => "The user's session.",
        "nonce" => "What the application sent along, to find it again here.",
        "at_hash" | "c_hash" => "Ties this ID token to the token or code that came with it.",
        "org_id" | "org_name" => "The organization in whose name the user signed in.",
        "name" | "given_name" | "family_name" | "middle_name" | "nickname" | "preferred_username" => "The user's name.",
        "email" => "The user's e-mail address.",
        "email_verified" => "Whether the user showed that the e-mail address is theirs.",
        "picture"
        | "profile"
        | "website"
        | "gender"
        | "birthdate"
        | "zoneinfo"
        | "locale"
        | "address"
        | "phone_number"
        | "phone_number_verified" => "What the user's profile says.",
        "updated_at" => "When the user's profile changed last.",
        _ => return None,
    })
}

/// What a member of a client assertion is, where that differs from a token's (RFC 7523 §3).
pub(super) fn of_assertion(name: &str) -> Option<&'static str> {
    Some(match name {
        "alg" => "How it is signed: with the application's private key. The server checks it with the public half.",
        "kid" => "Which of the application's keys signed it.",
        "iss" | "sub" => "The application itself, by its client ID.",
        "aud" => "This issuer, as one string: no other server takes it.",
        "exp" => "Expires at: at most five minutes ahead.",
        "jti" => "Its own id, a new one for each request: an assertion is taken once.",
        _ => return None,
    })
}
