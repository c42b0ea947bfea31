//! What an issuer answers to a request for a token: the token (RFC 6749 §5.1), or why there is none (§5.2) and when to
//! ask again (RFC 9110 §10.2.3; CONTRACT §1.2).

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::{Map, Value};
use tokenhouse_protocol::bearer;
use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::jose::json;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Timestamp;

use crate::Error;

/// How long a token is valid whose issuer does not say.
const DEFAULT_LIFETIME_SECONDS: u64 = 300;
/// The longest lifetime that we believe: a year.
const MAX_LIFETIME_SECONDS: u64 = 366 * 86_400;
/// The longest wait that we believe: a day where a limit was reached, an hour where the issuer has trouble.
const MAX_LIMIT_SECONDS: u64 = 86_400;
const MAX_TROUBLE_SECONDS: u64 = 3600;
/// When the limit is renewed, in seconds since 1970.
const RATE_LIMIT_RESET: &str = "x-ratelimit-reset";

/// A token, fresh from the issuer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) token: Arc<Secret>,
    pub(crate) scope: Option<Arc<str>>,
    pub(crate) lifetime_seconds: u64,
    /// The refresh token that takes the place of the one that was sent.
    pub(crate) refresh_token: Option<Secret>,
}

pub(crate) fn read_answer(body: &[u8]) -> Result<Answer, String> {
    let members = json::parse_object(body).map_err(|error| error.to_string())?;
    let token = text(&members, "access_token")
        .filter(|token| !token.is_empty())
        .ok_or("it has no access_token")?;
    let header = format!("Bearer {token}");
    if bearer::read([header.as_bytes()].into_iter()) != Ok(token) {
        return Err("its access_token cannot be sent as a bearer token".into());
    }
    let kind = text(&members, "token_type").ok_or("it has no token_type")?;
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(format!("its token_type is {:?}, not Bearer", reflected(kind)));
    }
    let lifetime_seconds = match members.get("expires_in") {
        None | Some(Value::Null) => DEFAULT_LIFETIME_SECONDS,
        // Some issuers write the number as a text.
        Some(Value::String(seconds)) => seconds.parse().map_err(|_| "its expires_in is no number of seconds")?,
        Some(value) => value.as_u64().ok_or("its expires_in is no number of seconds")?,
    };
    Ok(Answer {
        token: Arc::new(Secret::new(token)),
        scope: text(&members, "scope").map(Into::into),
        lifetime_seconds: lifetime_seconds.min(MAX_LIFETIME_SECONDS),
        refresh_token: text(&members, "refresh_token")
            .filter(|token| !token.is_empty())
            .map(Secret::new),
    })
}

pub(crate) fn read_refusal(status: StatusCode, body: &[u8], retry_after_seconds: u64) -> Error {
    let members = json::parse_object(body).unwrap_or_default();
    let error = text(&members, "error").map(reflected);
    let description = text(&members, "error_description").map(reflected);
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let said = description
            .or(error)
            .map(|said| format!(": {said}"))
            .unwrap_or_default();
        return Error::Unavailable {
            cause: format!("the issuer answered {status}{said}"),
            retry_after_seconds,
        };
    }
    match error {
        Some(error) => Error::Refused {
            status: status.as_u16(),
            error,
            description,
            retry_after_seconds,
        },
        None => Error::Answer {
            cause: format!("it is a {status} without an error"),
            retry_after_seconds,
        },
    }
}

/// In how many seconds the issuer wants to be asked again, 0 if it does not say: `Retry-After` in seconds or as a date,
/// or else, where a limit was reached, `X-RateLimit-Reset`.
pub(crate) fn retry_after(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> u64 {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let is_limit = status == StatusCode::TOO_MANY_REQUESTS;
    let said = value(RETRY_AFTER.as_str()).and_then(|value| value.parse().ok().or_else(|| until_date(value, now)));
    let reset = || {
        let at: i64 = value(RATE_LIMIT_RESET)?.parse().ok()?;
        Some(seconds_until(at, now))
    };
    let seconds: u64 = said.or_else(|| is_limit.then(reset).flatten()).unwrap_or(0);
    seconds.min(if is_limit {
        MAX_LIMIT_SECONDS
    } else {
        MAX_TROUBLE_SECONDS
    })
}

fn until_date(value: &str, now: Timestamp) -> Option<u64> {
    let since = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(seconds_until(i64::try_from(since.as_secs()).ok()?, now))
}

fn seconds_until(at_seconds: i64, now: Timestamp) -> u64 {
    let wait_ms = Timestamp::from_seconds(at_seconds).ms().saturating_sub(now.ms());
    wait_ms.max(0).unsigned_abs().div_ceil(1000)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn an_answer_that_is_no_bearer_token_is_refused() {
        let good = br#"{"access_token":"a","token_type":"bearer","expires_in":60}"#;
        assert_eq!(read_answer(good).unwrap().lifetime_seconds, 60);
        let silent = br#"{"access_token":"a","token_type":"Bearer"}"#;
        assert_eq!(read_answer(silent).unwrap().lifetime_seconds, 300);
        for bad in [
            r#"{"token_type":"Bearer","expires_in":60}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a b","token_type":"Bearer"}"#,
            r#"{"access_token":"a\r\nX: y","token_type":"Bearer"}"#,
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","token_type":"DPoP"}"#,
            r#"{"access_token":"a","token_type":"Bearer","expires_in":-1}"#,
            r#"{"access_token":"a","token_type":"Bearer","expires_in":"soon"}"#,
            r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
            "<html>",
        ] {
            assert!(read_answer(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_keeps_the_issuers_words_and_not_its_pages() {
        let body = br#"{"error":"access_denied","error_description":"Client is not authorized."}"#;
        let error = read_refusal(StatusCode::FORBIDDEN, body, 0);
        assert_eq!(
            error.to_string(),
            "the issuer refuses a token: 403 access_denied: Client is not authorized."
        );
        assert!(matches!(
            read_refusal(StatusCode::NOT_FOUND, b"<html>", 0),
            Error::Answer { .. }
        ));
        assert!(matches!(
            read_refusal(StatusCode::BAD_GATEWAY, b"<html>", 7),
            Error::Unavailable {
                retry_after_seconds: 7,
                ..
            }
        ));
    }

    #[test]
    fn a_wait_is_read_in_seconds_as_a_date_and_as_a_reset_and_is_bounded() {
        let now = Timestamp::from_seconds(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let wait = |status, pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            retry_after(status, &headers, now)
        };
        let (limit, trouble) = (StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(wait(limit, &[("retry-after", "120")]), 120);
        assert_eq!(wait(trouble, &[("retry-after", "Sun, 06 Nov 1994 08:51:37 GMT")]), 120);
        assert_eq!(wait(trouble, &[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), 0);
        assert_eq!(wait(limit, &[("x-ratelimit-reset", "784111807")]), 30);
        assert_eq!(
            wait(limit, &[("x-ratelimit-reset", "784111807"), ("retry-after", "5")]),
            5
        );
        assert_eq!(
            wait(trouble, &[("x-ratelimit-reset", "784111807")]),
            0,
            "it is of another thing"
        );
        assert_eq!(wait(limit, &[("retry-after", "99999999")]), 86_400);
        assert_eq!(wait(trouble, &[("retry-after", "99999999")]), 3600);
        for nonsense in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(wait(limit, &[("retry-after", nonsense)]), 0, "{nonsense}");
        }
    }
}
