//! What a guard says of a token, check by check, for people: the command line's and the console's one way to ask.

use serde_json::{Map, Value};

use tokenhouse_guard::{Check, Guard, Outcome};
use tokenhouse_protocol::jose::base64url;

/// The name of the check that comes after those of the token itself.
pub const SCOPE: &str = "scope";

/// Makes the guard's checks of a token, and of these scopes, if there are any: how each went, in their order.
pub async fn checks(guard: &Guard, token: &str, scopes: &[String]) -> Vec<Check> {
    let mut checks = guard.inspect(token).await;
    if !scopes.is_empty() {
        let outcome = scope_outcome(guard, token, scopes).await;
        checks.push(Check { name: SCOPE, outcome });
    }
    checks
}

/// Whether every check passed.
pub fn is_accepted(checks: &[Check]) -> bool {
    checks.iter().all(|check| matches!(check.outcome, Outcome::Passed(_)))
}

/// What an API of this identifier would do with the token, in a sentence.
pub fn verdict(checks: &[Check], audience: &str) -> String {
    let failed = checks.iter().find(|check| matches!(check.outcome, Outcome::Failed(_)));
    match failed.map(|check| check.name) {
        None => format!("Accepted: an API named {audience} takes this token."),
        Some(SCOPE) => {
            format!("Refused: the token is valid for {audience} but lacks a scope, which an API answers with 403.")
        }
        Some("key") => {
            format!("Refused: an API named {audience} has no key for it, or cannot get the issuer's keys; see above.")
        }
        Some(name) => format!("Refused: an API named {audience} answers 401; the check named {name} says why."),
    }
}

/// A part of a token as JSON, believed in nothing: 0 is the header, 1 the claims. `None` if it is none.
pub fn part(token: &str, index: usize) -> Option<Map<String, Value>> {
    let decoded = base64url::decode(token.split('.').nth(index)?)?;
    serde_json::from_slice(&decoded).ok()
}

/// A route's check of scopes.
async fn scope_outcome(guard: &Guard, token: &str, scopes: &[String]) -> Outcome {
    let Ok(token) = guard.verify(token).await else {
        return Outcome::NotReached;
    };
    let Some(missing) = scopes.iter().find(|scope| !token.has_scope(scope)) else {
        return Outcome::Passed(scopes.join(" "));
    };
    let held = match token.scopes() {
        [] => "none".to_owned(),
        held => held.join(" "),
    };
    Outcome::Failed(format!(
        "The token does not allow {missing}; its scopes: {held}. Grant it to the application or the user, then ask for \
         a new token."
    ))
}
