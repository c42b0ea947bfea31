//! What the console says from code, in English: notices, errors, and what rows of the log are called. What stands on a
//! page is in its template.

use axum::http::StatusCode;

use tokenhouse_store::KeyState;

use super::answer::Failure;

pub(super) mod answered;
pub(super) mod debugger;
pub(super) mod no_answer;
pub(super) mod quickstart;
pub(super) mod refused;

pub(super) const SIGN_IN: &str = "Sign in";
pub(super) const CHOOSE_PASSWORD: &str = "Choose a password";
pub(super) const PASSWORD_CHOSEN: &str = "Your password is set. You are signed in.";
pub(super) const WRONG_PASSWORD: &str = "The e-mail address or the password is wrong.";
pub(super) const TOO_MANY_ATTEMPTS: &str =
    "Too many failed attempts from here. Wait a quarter of an hour, then try again.";
pub(super) const WORN_LINK: &str = "This link no longer works";
pub(super) const WORN_LINK_TEXT: &str =
    "It was used already, or its time is over. Make another on the server with: tokenhouse admins link";

pub(super) const REFERENCE: &str = "API reference";
pub(super) const MISSING: &str = "There is nothing here";
pub(super) const MISSING_TEXT: &str = "The page does not exist, or what it was about has been deleted.";
pub(super) const FORGED: &str = "That form was not accepted";
pub(super) const FORGED_TEXT: &str = "It came from another page, or this browser was signed in anew since it was shown. Nothing was changed. Go back, reload \
     the page, and send it again.";
pub(super) const REFUSED: &str = "That cannot be done";
pub(super) const UNAVAILABLE: &str = "The database does not answer";
pub(super) const UNAVAILABLE_TEXT: &str = "Nothing was changed. Try again in a moment.";
pub(super) const BROKEN: &str = "Something went wrong here";
pub(super) const BROKEN_TEXT: &str = "This is a fault of the server. Its log says more under the request's id.";
pub(super) const NO_CONSOLE: &str = "The console is switched off: see [console] in the server's configuration.";

pub(super) const SAVED: &str = "Saved. It holds from now on.";
pub(super) const NOT_A_NUMBER: &str = "The lifetime is a whole number of seconds.";
pub(super) const NEW_API: &str = "Create API";
pub(super) const API_CREATED: &str = "The API is created. Say next what its tokens may allow.";
pub(super) const API_CREATED_WITH_APPLICATION: &str =
    "The API is created, and an application to try it with. Say next what its tokens may allow.";
pub(super) const API_DELETED: &str = "The API is deleted, with the grants for it.";
pub(super) const GRANT_CREATED: &str = "The application may ask for tokens for this API now.";
pub(super) const GRANT_DELETED: &str = "The application gets no more tokens for this API.";

/// The algorithms that an API can choose from, each with when to.
pub(super) const ALGORITHMS: &[(&str, &str)] = &[
    ("RS256", "Every library reads it. The one to take when unsure."),
    (
        "ES256",
        "A fifth of the work to sign, short tokens; most libraries read it.",
    ),
    ("EdDSA", "The least work to sign; newer libraries read it."),
    ("PS256", "RSA with PSS padding, where a rule asks for it."),
    ("HS256", "One secret, shared with the API, who could sign tokens too."),
];

pub(super) const NOT_A_TOKEN_LIFETIME: &str = "The lifetime of tokens is a whole number of seconds";
pub(super) const NOT_A_SESSION: &str =
    "The length of sessions is a whole number, and no more than the server's configuration allows";

/// A sentence about a number, with the most that it may be.
pub(super) fn up_to(text: &str, most: i64) -> String {
    format!("{text}: from 1 to {most}.")
}

pub(super) const NO_DIALECT: &str = "Choose how errors are worded.";
pub(super) const NO_API: &str = "The default API does not exist any more. Choose another, or none.";
pub(super) const ADMINISTRATOR_REMOVED: &str = "The administrator is removed, and signed out everywhere.";
pub(super) const NOT_YOURSELF: &str = "You cannot remove yourself. Another administrator can.";
pub(super) const LINK_MADE: &str = "A link for an administrator";

pub(super) const NEW_CLIENT: &str = "Create application";
pub(super) const NO_KIND: &str = "Choose what kind of application it is.";
pub(super) const CLIENT_CREATED: &str = "The application is created.";
pub(super) const CLIENT_DELETED: &str = "The application is deleted, with its credentials and grants.";
pub(super) const SECRET_ROTATED: &str = "There is a new secret.";
pub(super) const SECRET_ENDED: &str = "The older secret works no longer.";
pub(super) const KEY_ADDED: &str = "The key is added. The application proves itself by its keys alone from now on.";
pub(super) const KEY_REMOVED: &str = "The key is removed.";

/// The kinds of application that can be made: the word, the name, what it is.
pub(super) const CLIENT_KINDS: &[(&str, &str, &str)] = &[
    (
        "non_interactive",
        "Machine to Machine",
        "A service, a job or a script that calls an API by itself.",
    ),
    (
        "regular_web",
        "Regular web",
        "A web application whose server keeps a secret.",
    ),
    (
        "spa",
        "Single page",
        "A page without a server of its own; it keeps no secret.",
    ),
    (
        "native",
        "Native",
        "An app on a phone or a desktop, or a command line; it keeps no secret.",
    ),
];

/// The ways in which an application proves itself that a form offers.
pub(super) const AUTH_METHODS: &[(&str, &str)] = &[
    (
        "client_secret_post",
        "Secret in the request's body (client_secret_post)",
    ),
    ("client_secret_basic", "Secret in a Basic header (client_secret_basic)"),
    ("none", "Nothing: a public application (none)"),
];

/// What a pair of keys made here can sign with, and when to choose it.
pub(super) const CLIENT_KEY_ALGORITHMS: &[(&str, &str)] = &[
    ("ES256", "ES256: short and quick, read by most libraries"),
    ("RS256", "RS256: read by every library"),
    ("RS384", "RS384: RSA where a rule asks for SHA-384"),
    ("PS256", "PS256: RSA where a rule asks for PSS"),
    ("EdDSA", "EdDSA: for newer libraries"),
];

/// How long an old secret works beside a new one, in hours.
pub(super) const GRACES: &[(i64, &str)] = &[
    (24, "a day"),
    (1, "an hour"),
    (168, "a week"),
    (720, "thirty days"),
    (0, "not at all: it ends at once"),
];

/// An application's kind.
pub(super) fn client_kind(app_type: Option<&str>) -> &'static str {
    let word = app_type.unwrap_or_default();
    let known = CLIENT_KINDS.iter().find(|(known, _, _)| *known == word);
    known.map_or("Generic", |(_, name, _)| name)
}

/// What a grant type is; `None` if the server has no such grant.
pub(super) fn grant(word: &str) -> Option<&'static str> {
    match word {
        "client_credentials" => Some("Client credentials: for itself, without a user"),
        "password" => Some("Password: for a user who types it into the application"),
        "http://auth0.com/oauth/grant-type/password-realm" => Some("Password of a named database (password-realm)"),
        _ => None,
    }
}

pub(super) const NEW_USER: &str = "Create user";
pub(super) const USER_CREATED: &str = "The user is created.";
pub(super) const USER_BLOCKED: &str = "The user is blocked: they get no more tokens.";
pub(super) const USER_UNBLOCKED: &str = "The user is let in again.";
pub(super) const USER_PASSWORD: &str = "The new password holds from now on.";
pub(super) const USER_DELETED: &str = "The user is deleted.";
pub(super) const NAME_DIFFERS: &str = "What you typed is another name. Nothing was deleted.";

pub(super) const BAD_REQUEST: &str = "That cannot be read";
pub(super) const BAD_TIME: &str =
    "A time is written like 2026-01-31T09:30, or 2026-01-31 for the day's beginning, in UTC. The filter is not used.";
pub(super) const BAD_DAYS: &str =
    "A day is written like 2026-01-31, and the first comes before the last, by two years at most.";

pub(super) const REVOKE_KEY: &str = "Revoke a key";
pub(super) const KEY_TOO_EARLY: &str = "The next key was published a short while ago, and APIs that keep the key set may not know it yet. \
     Wait a quarter of an hour, and no valid token is refused; or rotate at once, and some APIs may answer 401 until they \
     look again.";
pub(super) const KEY_NOT_PREVIOUS: &str =
    "Only a previous key can be revoked. Rotate first, then revoke the key that was current.";

pub(super) fn key_rotated(algorithm: &str, kid: &str) -> String {
    format!("{kid} signs {algorithm} tokens now. Those signed before stay valid.")
}

pub(super) fn key_revoked(kid: &str, max_age_s: i64) -> String {
    format!("{kid} is revoked. APIs refuse its tokens when they next look, within {max_age_s} seconds.")
}

pub(super) fn key_state(state: KeyState) -> &'static str {
    match state {
        KeyState::Current => "Signs every new token",
        KeyState::Next => "Published already; signs after the next rotation",
        KeyState::Previous => "Signs no more; its tokens are still trusted",
        KeyState::Revoked => "No longer published; its tokens are refused",
    }
}

/// A request that no form of a page makes.
pub(super) fn bad_request(text: &'static str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, BAD_REQUEST, text)
}
pub(super) const DEBUGGER: &str = "Debugger";
pub(super) const TOKEN_INSPECTOR: &str = "Inspect a token";
pub(super) const QUICKSTART: &str = "Quickstart";
pub(super) const NEEDS_TOKEN: &str = "Get a token first: run the request above that asks for one.";
pub(super) const NEEDS_USER: &str = "For a user's token, type the user's name and their password.";
pub(super) const NO_SCOPE: &str = "A scope holds what no scope can hold.";
pub(super) const CHOOSE_APPLICATION: &str = "Choose an application.";
pub(super) const SECRET_NOT_KEPT: &str =
    "Its secret is not kept here in a form that can be shown. Rotate it to have a new one.";
pub(super) const NO_JSON_OBJECT: &str = "The body is no JSON object, such as {\"name\": \"value\"}";
pub(super) const SIGNS_ITSELF: &str = "This application proves itself with a private key";
pub(super) const SIGNS_ITSELF_TEXT: &str = "It has no secret: it signs an assertion for each request, good once and for minutes, with a \
     key that never leaves it (private_key_jwt). So its requests cannot be made from this page. The Debugger signs one \
     with a key that you paste; or choose an application with a secret.";
pub(super) const NEEDS_PASSWORD: &str = "Type the user's name and their password.";

/// What was done, as a row of the log is described.
pub(super) mod log {
    pub(in crate::console) const SECRET_IN_CODE: &str = "Show a client's secret in a program";
    pub(in crate::console) const SIGNED_IN: &str = "Sign in to the console";
    pub(in crate::console) const SIGNED_OUT: &str = "Sign out of the console";
    pub(in crate::console) const SIGN_IN_REFUSED: &str = "Sign in to the console: refused";
    pub(in crate::console) const API_CREATED: &str = "Create a resource server";
    pub(in crate::console) const API_CHANGED: &str = "Update a resource server";
    pub(in crate::console) const API_DELETED: &str = "Delete a resource server";
    pub(in crate::console) const GRANT_CREATED: &str = "Create client grant";
    pub(in crate::console) const GRANT_CHANGED: &str = "Update a client grant";
    pub(in crate::console) const GRANT_DELETED: &str = "Delete a client grant by id";
    pub(in crate::console) const SETTINGS_CHANGED: &str = "Update tenant settings";
    pub(in crate::console) const ADMINISTRATOR_CREATED: &str = "Create an administrator";
    pub(in crate::console) const ADMINISTRATOR_LINK: &str = "Make a link for an administrator's password";
    pub(in crate::console) const ADMINISTRATOR_REMOVED: &str = "Remove an administrator";
    pub(in crate::console) const CLIENT_CREATED: &str = "Create a client";
    pub(in crate::console) const CLIENT_CHANGED: &str = "Update a client";
    pub(in crate::console) const CLIENT_DELETED: &str = "Delete a client";
    pub(in crate::console) const SECRET_SHOWN: &str = "Show a client secret";
    pub(in crate::console) const SECRET_ROTATED: &str = "Rotate a client secret";
    pub(in crate::console) const SECRET_ENDED: &str = "End an older client secret";
    pub(in crate::console) const KEY_ADDED: &str = "Create a client credential";
    pub(in crate::console) const KEY_REMOVED: &str = "Delete a client credential";
    pub(in crate::console) const USER_CREATED: &str = "Create a User";
    pub(in crate::console) const USER_BLOCKED: &str = "Block a User";
    pub(in crate::console) const USER_UNBLOCKED: &str = "Unblock a User";
    pub(in crate::console) const USER_PASSWORD: &str = "Set a User's password";
    pub(in crate::console) const USER_DELETED: &str = "Delete a User";
    pub(in crate::console) const KEY_ROTATED: &str = "Rotate signing keys";
    pub(in crate::console) const KEY_REVOKED: &str = "Revoke a signing key";
    pub(in crate::console) const REFUSED: &str = "A form of the console was refused";
}
