//! What the middleware and the layer share: which requests get a token, and which answers say that it is no good
//! (RFC 6750 §3).

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Url;

use crate::endpoint::http_url;
use crate::{AccessToken, BuildError, Error, TokenClient};

/// Puts a client's tokens into requests to one origin.
#[derive(Clone, Debug)]
pub(crate) struct Attach {
    pub(crate) client: TokenClient,
    origin: Url,
}

impl Attach {
    pub(crate) fn new(client: TokenClient, origin: &str) -> Result<Self, BuildError> {
        Ok(Self {
            client,
            origin: http_url(origin)?,
        })
    }

    /// Whether scheme, host and port are those of the origin (RFC 6454 §4).
    pub(crate) fn is_origin(&self, scheme: Option<&str>, host: Option<&str>, port: Option<u16>) -> bool {
        let (Some(scheme), Some(host)) = (scheme, host) else {
            return false;
        };
        let usual = match scheme {
            "https" => Some(443),
            "http" => Some(80),
            _ => return false,
        };
        scheme == self.origin.scheme()
            && self.origin.host_str().is_some_and(|own| own.eq_ignore_ascii_case(host))
            && self.origin.port_or_known_default() == port.or(usual)
    }

    /// Whether the answer refuses the token itself, as opposed to the request or the token's scope.
    pub(crate) fn is_refused(status: StatusCode, headers: &HeaderMap) -> bool {
        if status != StatusCode::UNAUTHORIZED {
            return false;
        }
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let challenges: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        let mut errors = challenges.iter().filter_map(|challenge| error_of(challenge));
        let is_of_bearer = challenges.is_empty() || challenges.iter().any(|challenge| names_bearer(challenge));
        is_of_bearer && errors.all(|error| error == "invalid_token")
    }

    /// Another token than the one that was refused, if there is any.
    pub(crate) async fn another(&self, refused: &AccessToken) -> Option<AccessToken> {
        match self.client.token().await {
            Ok(token) => Some(token).filter(|token| !token.is(refused)),
            Err(error) => {
                tracing::debug!(%error, "no other token than the one that the API refused");
                None
            }
        }
    }
}

/// `token` as a header's value that logs do not show.
pub(crate) fn header(token: &AccessToken) -> Result<HeaderValue, Error> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut value = value.map_err(|_| Error::Answer {
        cause: "its access_token cannot be sent in a header".into(),
        retry_after_seconds: 0,
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether one of a header's challenges is of the scheme Bearer, or might be: a word of that name, outside of quotes.
fn names_bearer(challenges: &str) -> bool {
    let unquoted = challenges.split('"').step_by(2);
    let mut words = unquoted.flat_map(|text| text.split([' ', '\t', ',']));
    words.any(|word| word.eq_ignore_ascii_case("bearer"))
}

/// The parameter `error` of a challenge, quoted or not (RFC 9110 §11.6.1).
fn error_of(challenge: &str) -> Option<String> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let ends = |c: char| {
        let is_end = c == ',' && !is_quoted;
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        is_end
    };
    challenge.split(ends).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        // The scheme stands before the first parameter.
        let name = name.trim().rsplit(' ').next()?;
        let value = value.trim().trim_matches('"');
        name.eq_ignore_ascii_case("error").then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(challenges: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for challenge in challenges {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        Attach::is_refused(StatusCode::UNAUTHORIZED, &headers)
    }

    #[test]
    fn a_401_is_of_the_token_unless_it_says_otherwise() {
        assert!(is_refused(&[]));
        assert!(is_refused(&["Bearer"]));
        assert!(is_refused(&["Bearer realm=\"a, error=b\""]));
        assert!(is_refused(&[
            "Bearer realm=\"a\", error=\"invalid_token\", error_description=\"x\""
        ]));
        assert!(is_refused(&["Bearer error=invalid_token"]));
        assert!(is_refused(&["Basic realm=\"a\", bearer realm=\"b\""]));
        assert!(!is_refused(&["Basic realm=\"bearer\""]));
        assert!(!is_refused(&["Negotiate", "Basic realm=\"a bearer b\""]));
        assert!(!is_refused(&["Bearer error=\"insufficient_scope\", scope=\"a\""]));
        assert!(!is_refused(&[
            "Basic realm=\"\\\"\"",
            "bearer realm=\"a\",Error=\"invalid_request\""
        ]));
        assert!(!Attach::is_refused(StatusCode::FORBIDDEN, &HeaderMap::new()));
    }
}
