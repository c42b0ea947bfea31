//! One request for a token: by client credentials (RFC 6749 §4.4.2) or by a refresh token (§6), as the client proves
//! itself (§2.3, RFC 7523 §2.2).

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode, Url};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Clock;
use tokio::sync::Mutex;

use crate::Error;
use crate::answer::{Answer, read_answer, read_refusal, retry_after};
use crate::assertion::Assertion;
use crate::endpoint::{Endpoint, Http};
use crate::pause::Pause;
use crate::quota::{self, Bucket};
use crate::slot::Wanted;

/// The type of an assertion that proves a client (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// For how long those who waited for a refresh token share its failure: less than any pause.
const SHARED_MS: i64 = 500;

/// The request that a client repeats.
pub(crate) struct Request {
    pub(crate) http: Http,
    pub(crate) endpoint: Endpoint,
    pub(crate) client_id: String,
    pub(crate) authentication: Authentication,
    pub(crate) grant: Grant,
    pub(crate) clock: Clock,
}

/// How the application proves itself.
pub(crate) enum Authentication {
    /// It has nothing to prove itself with.
    None,
    /// `client_secret_post`.
    Body(Secret),
    /// `client_secret_basic`.
    Header(Secret),
    /// `private_key_jwt`.
    Assertion(Box<Assertion>),
}

/// What tokens are given for.
pub(crate) enum Grant {
    ClientCredentials,
    /// Whoever uses the refresh token waits until the one before knows its successor.
    RefreshToken(Mutex<RefreshToken>, OnRotation),
}

/// The refresh token that is good now, and how it last failed for want of an answer: whoever waited meanwhile has
/// waited long enough.
pub(crate) struct RefreshToken {
    text: Secret,
    failed: Option<(Error, Pause)>,
}

/// Is told the refresh token that took the place of the one before.
pub(crate) type OnRotation = Box<dyn Fn(&str) + Send + Sync>;

impl Grant {
    pub(crate) fn refresh_token(text: Secret, keep: OnRotation) -> Self {
        Self::RefreshToken(Mutex::new(RefreshToken { text, failed: None }), keep)
    }
}

/// What came of a request.
pub(crate) struct Reply {
    /// An error's `retry_after_seconds` is what the issuer said, or 0.
    pub(crate) result: Result<Answer, Error>,
    /// What the issuer said of the quota; empty if nothing.
    pub(crate) quota: Vec<Bucket>,
    /// Whether it was the quota that left no token.
    pub(crate) is_over_quota: bool,
    /// Whether anything was asked: what is shared says nothing new of the issuer.
    pub(crate) was_sent: bool,
}

impl Reply {
    /// There is none.
    fn none(error: Error) -> Self {
        Self {
            result: Err(error),
            quota: Vec::new(),
            is_over_quota: false,
            was_sent: true,
        }
    }
}

impl Request {
    /// Asks for a token.
    pub(crate) async fn send(&self, wanted: &Wanted) -> Reply {
        match &self.grant {
            Grant::ClientCredentials => self.exchange(wanted, None).await,
            Grant::RefreshToken(held, keep) => {
                let mut held = held.lock().await;
                if let Some((error, shared)) = &held.failed
                    && !shared.is_over(self.clock.now())
                {
                    return Reply {
                        was_sent: false,
                        ..Reply::none(error.clone())
                    };
                }
                let reply = self.exchange(wanted, Some(&held.text)).await;
                held.failed = match &reply.result {
                    Err(error @ Error::Unavailable { .. }) => {
                        Some((error.clone(), Pause::of_ms(SHARED_MS, self.clock.now())))
                    }
                    Ok(_) | Err(Error::Refused { .. } | Error::Answer { .. }) => None,
                };
                if let Ok(Answer {
                    refresh_token: Some(rotated),
                    ..
                }) = &reply.result
                    && rotated.expose() != held.text.expose()
                {
                    keep(rotated.expose());
                    held.text = rotated.clone();
                }
                reply
            }
        }
    }

    async fn exchange(&self, wanted: &Wanted, refresh_token: Option<&Secret>) -> Reply {
        let answered = async {
            let url = self.endpoint.url(&self.http, self.clock.now()).await?;
            let request = self.authenticated(&url, wanted, refresh_token);
            self.http.answer(&url, request).await
        };
        let document = match answered.await {
            Ok(document) => document,
            Err(error) => {
                self.endpoint.doubt();
                return Reply::none(error);
            }
        };
        let now = self.clock.now();
        let result = if document.status == StatusCode::OK {
            read_answer(&document.body).map_err(|cause| Error::Answer {
                cause,
                retry_after_seconds: 0,
            })
        } else {
            let retry_after_seconds = retry_after(document.status, &document.headers, now);
            Err(read_refusal(document.status, &document.body, retry_after_seconds))
        };
        if document.status.is_server_error() || matches!(result, Err(Error::Answer { .. })) {
            self.endpoint.doubt();
        }
        let quota = quota::read(&document.headers, now);
        Reply {
            result,
            is_over_quota: document.status == StatusCode::TOO_MANY_REQUESTS && quota.iter().any(Bucket::is_used_up),
            quota,
            was_sent: true,
        }
    }

    fn authenticated(&self, url: &Url, wanted: &Wanted, refresh_token: Option<&Secret>) -> RequestBuilder {
        let mut parameters = match refresh_token {
            None => vec![("grant_type", "client_credentials")],
            Some(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())],
        };
        let mut request = self.http.post(url);
        let assertion;
        match &self.authentication {
            Authentication::None => parameters.push(("client_id", &self.client_id)),
            Authentication::Body(secret) => {
                parameters.extend([
                    ("client_id", self.client_id.as_str()),
                    ("client_secret", secret.expose()),
                ]);
            }
            Authentication::Header(secret) => {
                // Encoded as a form first: RFC 6749 §2.3.1.
                let (id, secret) = (encoded(&self.client_id), encoded(secret.expose()));
                request = request.basic_auth(id, Some(secret));
            }
            Authentication::Assertion(key) => {
                assertion = key.at(self.clock.now());
                parameters.extend([
                    ("client_id", self.client_id.as_str()),
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", &assertion),
                ]);
            }
        }
        parameters.extend(wanted.audience.as_deref().map(|audience| ("audience", audience)));
        let scope = wanted.scopes.join(" ");
        if !scope.is_empty() {
            parameters.push(("scope", &scope));
        }
        request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form(&parameters))
    }
}

/// The parameters as a form.
fn form(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.join("&")
}

/// A value as forms encode it.
fn encoded(value: &str) -> String {
    const HEXADECIMAL: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => text.push(char::from(byte)),
            b' ' => text.push('+'),
            other => {
                text.push('%');
                for digit in [other >> 4, other & 15] {
                    text.push(char::from(HEXADECIMAL[usize::from(digit)]));
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded_as_forms_are() {
        let form = form(&[("a", "p&=s +/%"), ("b", "é~*")]);
        assert_eq!(form, "a=p%26%3Ds+%2B%2F%25&b=%C3%A9%7E*");
        let read = Url::parse(&format!("http://a/?{form}")).unwrap();
        let pairs: Vec<_> = read.query_pairs().map(|(_, value)| value.into_owned()).collect();
        assert_eq!(pairs, ["p&=s +/%", "é~*"]);
    }
}
