//! Why an API answered as it did: what its status means, what its challenge asks for, and what the guard of this
//! tenant says of the token that was sent. And why the token endpoint issued none.

use tokenhouse_guard::Outcome;

use super::judge::Judgment;
use super::link::encoded;
use super::outbound::Answer;
use super::words::answered;
use crate::refusal::Reason;
use refused::Place;

mod refused;

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
            200..=299 => ("good", answered::ACCEPTED, accepted(judgment)),
            401 => ("bad", answered::UNAUTHORIZED, unauthorized(challenge, judgment)),
            403 => ("bad", answered::FORBIDDEN, forbidden(challenge, judgment)),
            300..=399 => {
                let to = answer.header("location").unwrap_or(answered::NOWHERE);
                ("accent", answered::REDIRECTED, answered::redirected(&repeated(to)))
            }
            404 => plain("accent", answered::NOTHING_THERE),
            405 => {
                let allowed = answer.header("allow").map(repeated);
                (
                    "accent",
                    answered::OTHER_METHODS,
                    answered::other_methods(allowed.as_deref().unwrap_or(answered::NO_METHODS)),
                )
            }
            429 => plain("accent", answered::TOO_MANY),
            503 => plain("bad", answered::NO_JUDGMENT),
            500.. => plain("bad", answered::FAILED),
            _ => plain("accent", answered::REFUSED),
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
        let ((heading, advice), place) = refused::advice(reason);
        let said = repeated(said.trim().trim_end_matches('.'));
        Self {
            tone: "bad",
            heading,
            text: if said.is_empty() {
                advice.to_owned()
            } else {
                answered::said(&said) + advice
            },
            link: address(place, asking).map(|address| (address, refused::link(place))),
        }
    }

    /// Of an application that proves itself with a key, which is not here.
    pub(crate) fn of_keys(application: &str) -> Self {
        Self {
            tone: "accent",
            heading: answered::SIGNS_ITSELF,
            text: answered::SIGNS_ITSELF_TEXT.to_owned(),
            link: Some((
                format!("/console/debugger/private-key-jwt?client_id={}", encoded(application)),
                refused::link(Place::Signing),
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

fn plain(tone: &'static str, (heading, text): (&'static str, &str)) -> (&'static str, &'static str, String) {
    (tone, heading, text.to_owned())
}

fn accepted(judgment: Option<&Judgment>) -> String {
    match judgment {
        None => answered::OPEN_ROUTE.to_owned(),
        Some(judgment) if judgment.is_accepted => answered::TAKEN_HERE_TOO.to_owned(),
        Some(judgment) => answered::taken_though_refused(&failed(judgment).unwrap_or_default()),
    }
}

fn unauthorized(challenge: &str, judgment: Option<&Judgment>) -> String {
    let said = described(challenge)
        .map(|said| answered::said(&said))
        .unwrap_or_default();
    let why = match judgment {
        None => answered::NO_TOKEN.to_owned(),
        Some(judgment) => match failed(judgment) {
            Some(why) => answered::refused_as_well(&why),
            None => answered::set_up_otherwise(&judgment.audience, &judgment.issuer),
        },
    };
    said + &why
}

fn forbidden(challenge: &str, judgment: Option<&Judgment>) -> String {
    let held = judgment.map(|judgment| judgment.scopes.join(" ")).unwrap_or_default();
    let held = match held.as_str() {
        "" => answered::NO_SCOPES.to_owned(),
        held => answered::the_scopes(held),
    };
    match parameter(challenge, "scope") {
        Some(wanted) => answered::wants(&wanted, &held),
        None => answered::wants_something(&held),
    }
}

/// The first check that failed, and why.
fn failed(judgment: &Judgment) -> Option<String> {
    judgment.checks.iter().find_map(|check| match &check.outcome {
        Outcome::Failed(why) => Some(answered::failed_check(check.name, why)),
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
