//! Why an API answered as it did: what its status means, what its challenge asks for, and what the guard of this
//! tenant says of the token that was sent. And why the token endpoint issued none.

use tokenhouse_guard::Outcome;

use super::judge::Judgment;
use super::link::encoded;
use super::outbound::Answer;
use super::words;
use super::words::refused::Place;
use crate::refusal::Reason;

/// Longest part of an API's answer that is repeated, in characters.
const MAX_REPEATED_CHARS: usize = 200;

/// Why, in a heading and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Explanation {
    /// What it is: `good`, `bad`, `accent`.
    pub(crate) tone: &'static str,
    /// What happened.
    pub(crate) heading: &'static str,
    /// Why, and what to do next: sentences.
    pub(crate) text: String,
    /// Where to do it: an address of the console, and what it is.
    pub(crate) link: Option<(String, &'static str)>,
}

/// What a token was asked for with, so far as it is known: ids for links.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    /// The application's `client_id`.
    pub(crate) application: &'a str,
    /// The API's id.
    pub(crate) api: &'a str,
}

impl Explanation {
    /// Of an answer to a request with this token, of which the guard says this; or with none.
    pub(crate) fn of(answer: &Answer, judgment: Option<&Judgment>) -> Self {
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let (tone, heading, text) = match answer.status {
            200..=299 => ("good", "The API took the call", accepted(judgment)),
            401 => ("bad", "The API does not take the token", unauthorized(challenge, judgment)),
            403 => ("bad", "The token does not allow this", forbidden(challenge, judgment)),
            300..=399 => {
                let to = answer.header("location").unwrap_or("nowhere");
                let text = format!(
                    "It says to go on to {}. Redirections are not followed from here, since a token is meant for one \
                     API: call that address yourself if it is yours.",
                    repeated(to)
                );
                ("accent", "The API redirects", text)
            }
            404 => (
                "accent",
                "There is nothing at this path",
                "The API answers, but knows no such route: check the path. Whether it takes the token is not known: some \
                 APIs look for the route first."
                    .to_owned(),
            ),
            405 => (
                "accent",
                "The route has other methods",
                format!("It allows {}.", repeated(answer.header("allow").unwrap_or("none that it tells"))),
            ),
            429 => (
                "accent",
                "Too many calls",
                "The API limits how often it is called. Wait, then send it again.".to_owned(),
            ),
            503 => (
                "bad",
                "The API cannot judge the token now",
                "A guard answers so when it has no keys of the issuer: the API could not fetch them. Check that the API \
                 can reach the issuer, by the name that is in the token's iss. The token itself may be good."
                    .to_owned(),
            ),
            500.. => (
                "bad",
                "The API failed",
                "That is a fault of the API, not of the token: its own log says more.".to_owned(),
            ),
            _ => (
                "accent",
                "The API refused the call",
                "That is about the request, not about the token: its body says what it wants.".to_owned(),
            ),
        };
        Self {
            tone,
            heading,
            text,
            link: None,
        }
    }

    /// Of a token request that was refused for this reason, in these words.
    pub(crate) fn of_refusal(reason: Reason, said: &str, asking: Asking<'_>) -> Self {
        let (heading, advice, place) = words::refused::advice(reason);
        let said = repeated(said.trim().trim_end_matches('.'));
        Self {
            tone: "bad",
            heading,
            text: if said.is_empty() {
                advice.to_owned()
            } else {
                format!("It says: {said}. {advice}")
            },
            link: address(place, asking).map(|address| (address, words::refused::link(place))),
        }
    }

    /// Of an application that proves itself with a key, which is not here.
    pub(crate) fn of_keys(application: &str) -> Self {
        Self {
            tone: "accent",
            heading: words::SIGNS_ITSELF,
            text: words::SIGNS_ITSELF_TEXT.to_owned(),
            link: Some((
                format!("/console/debugger/private-key-jwt?client_id={}", encoded(application)),
                words::refused::link(Place::Signing),
            )),
        }
    }
}

fn address(place: Place, asking: Asking<'_>) -> Option<String> {
    let (application, api) = (encoded(asking.application), encoded(asking.api));
    let of_application =
        |page: &str| (!application.is_empty()).then(|| format!("/console/applications/{application}{page}"));
    match place {
        Place::Nowhere => None,
        Place::ApiApplications if api.is_empty() => None,
        Place::ApiApplications => Some(format!("/console/apis/{api}/applications?q={application}")),
        Place::Application => of_application(""),
        Place::Credentials => of_application("/credentials"),
        Place::Usage => of_application("/usage"),
        Place::Signing => Some(format!("/console/debugger/private-key-jwt?client_id={application}")),
        Place::Users => Some("/console/users".to_owned()),
        Place::Settings => Some("/console/settings".to_owned()),
    }
}

fn accepted(judgment: Option<&Judgment>) -> String {
    match judgment {
        None => "It asked for no token: this route is open to everybody.".to_owned(),
        Some(judgment) if judgment.is_accepted => {
            "The guard of this tenant takes the token too: every check passes.".to_owned()
        }
        Some(judgment) => format!(
            "But the guard of this tenant refuses the token ({}). Does this route check tokens at all? Call it without \
             one: it should answer 401.",
            failed(judgment).unwrap_or_default()
        ),
    }
}

fn unauthorized(challenge: &str, judgment: Option<&Judgment>) -> String {
    let said = described(challenge)
        .map(|said| format!("It says: {said}. "))
        .unwrap_or_default();
    match judgment {
        None => format!("{said}No token was sent, and the route wants one: that is what 401 is for."),
        Some(judgment) => match failed(judgment) {
            Some(why) => format!("{said}The guard of this tenant refuses the token as well: {why}"),
            None => format!(
                "{said}The guard of this tenant takes it: for {}, signed with a key of {} that is in force, not expired. \
                 So the API expects something else: check that it is set up for this identifier and this issuer, both \
                 letter by letter, that it reads the header Authorization, and that its clock is right.",
                judgment.audience, judgment.issuer
            ),
        },
    }
}

fn forbidden(challenge: &str, judgment: Option<&Judgment>) -> String {
    let held = judgment.map(|judgment| judgment.scopes.join(" ")).unwrap_or_default();
    let held = match held.as_str() {
        "" => "no scopes".to_owned(),
        held => format!("the scopes {held}"),
    };
    match parameter(challenge, "scope") {
        Some(wanted) => format!(
            "The API took the token, but this route wants {wanted} and the token has {held}. Grant it to the \
             application (or the user), tick it above, and issue another token: the one you have does not change."
        ),
        None => format!(
            "The API took the token, but does not let it do this. The token has {held}. What the route wants it does \
             not say: see its code, or its documentation."
        ),
    }
}

/// The first check that failed, and why.
fn failed(judgment: &Judgment) -> Option<String> {
    judgment.checks.iter().find_map(|check| match &check.outcome {
        Outcome::Failed(why) => Some(format!("the check named {} failed: {why}", check.name)),
        Outcome::Passed(_) | Outcome::NotReached => None,
    })
}

fn described(challenge: &str) -> Option<String> {
    let text = parameter(challenge, "error_description")?;
    Some(text.trim_end_matches('.').to_owned())
}

/// A parameter of a `WWW-Authenticate` header (RFC 9110 §11.2), as far as it is repeated.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    loop {
        let (before, after) = rest.split_once('=')?;
        let is_it = before
            .rsplit([' ', ','])
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case(name));
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if is_it {
            return Some(repeated(value.trim()));
        }
        rest = after;
    }
}

fn repeated(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_REPEATED_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_challenge_are_found() {
        let challenge = "Bearer realm=\"api\", error=\"insufficient_scope\", error_description=\"Insufficient Scope\", \
                         scope=\"read:messages write:messages\"";
        assert_eq!(
            parameter(challenge, "scope").as_deref(),
            Some("read:messages write:messages")
        );
        assert_eq!(parameter(challenge, "error").as_deref(), Some("insufficient_scope"));
        assert_eq!(parameter(challenge, "nothing"), None);
        assert_eq!(parameter("Bearer scope=a, b=\"c", "b"), None);
        assert_eq!(parameter("Bearer scope=a", "scope").as_deref(), Some("a"));
    }
}
