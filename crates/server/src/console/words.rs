//! What the console says from code, in English: notices, errors, and what rows of the log are called. What stands on a
//! page is in its template.

use axum::http::StatusCode;

use tokenhouse_store::KeyState;

use super::answer::Failure;

pub(super) const SIGN_IN: &str = "Sign in";
pub(super) const CHOOSE_PASSWORD: &str = "Choose a password";
pub(super) const PASSWORD_CHOSEN: &str = "Your password is set. You are signed in.";
pub(super) const WRONG_PASSWORD: &str = "The e-mail address or the password is wrong.";
pub(super) const TOO_MANY_ATTEMPTS: &str =
    "Too many failed attempts from here. Wait a quarter of an hour, then try again.";
pub(super) const WORN_LINK: &str = "This link no longer works";
pub(super) const WORN_LINK_TEXT: &str =
    "It was used already, or its time is over. Make another on the server with: tokenhouse admins link";

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

pub(super) const NEW_USER: &str = "New user";
pub(super) const USER_CREATED: &str = "The user is made.";
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
pub(super) const NEEDS_PASSWORD: &str = "Type the user's name and their password.";

/// What was done, as a row of the log is described.
pub(super) mod log {
    pub(in crate::console) const SECRET_IN_CODE: &str = "Show a client's secret in a program";
    pub(in crate::console) const SIGNED_IN: &str = "Sign in to the console";
    pub(in crate::console) const SIGNED_OUT: &str = "Sign out of the console";
    pub(in crate::console) const SIGN_IN_REFUSED: &str = "Sign in to the console: refused";
    pub(in crate::console) const USER_CREATED: &str = "Create a User";
    pub(in crate::console) const USER_BLOCKED: &str = "Block a User";
    pub(in crate::console) const USER_UNBLOCKED: &str = "Unblock a User";
    pub(in crate::console) const USER_PASSWORD: &str = "Set a User's password";
    pub(in crate::console) const USER_DELETED: &str = "Delete a User";
    pub(in crate::console) const KEY_ROTATED: &str = "Rotate signing keys";
    pub(in crate::console) const KEY_REVOKED: &str = "Revoke a signing key";
    pub(in crate::console) const REFUSED: &str = "A form of the console was refused";
}
