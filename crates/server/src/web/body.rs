//! Request bodies: of a known kind, of bounded size, arriving in bounded time (CONTRACT §1.1).

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;

use tokenhouse_protocol::jose::json;
use tokenhouse_protocol::parameters::{ParameterError, Parameters};

use super::ending::is_stopping;

/// Largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Largest body of a request that changes configuration, in bytes: a page of HTML fits in.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
/// Longest time that a body may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body could not be read.
#[derive(Debug)]
pub enum BodyError {
    /// It is about HTTP: the status, and the sentence.
    Http(StatusCode, &'static str),
    /// It is about what the body says.
    Parameters(ParameterError),
}

/// What a body is, by its `Content-Type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Form,
    Json,
}

/// Reads the parameters of a form or JSON body.
pub async fn parameters(headers: &HeaderMap, body: Body) -> Result<Parameters, BodyError> {
    let kind = kind(headers)?;
    let bytes = bytes(body, MAX_BODY_BYTES, "The body is larger than 64 KiB.").await?;
    let parameters = match kind {
        Kind::Form => Parameters::from_form(&bytes),
        Kind::Json => Parameters::from_json(&bytes),
    };
    parameters.map_err(BodyError::Parameters)
}

/// Reads a JSON document; `None` if the body is empty.
pub async fn document(headers: &HeaderMap, body: Body) -> Result<Option<Value>, BodyError> {
    let bytes = bytes(body, MAX_DOCUMENT_BYTES, "The body is larger than 1 MiB.").await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if kind(headers)? != Kind::Json {
        let text = "Send the body as application/json, and say so in Content-Type.";
        return Err(BodyError::Http(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let document = json::parse(&bytes);
    document
        .map(Some)
        .map_err(|error| BodyError::Parameters(ParameterError::Malformed(error.to_string())))
}

/// Reads a form's bytes, which its door reads its own way.
pub async fn form(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, BodyError> {
    if kind(headers)? != Kind::Form {
        let text = "Send the form as application/x-www-form-urlencoded.";
        return Err(BodyError::Http(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    bytes(body, MAX_DOCUMENT_BYTES, "The form is larger than 1 MiB.").await
}

/// Reads a body of any kind, at most [`MAX_DOCUMENT_BYTES`] of it.
pub async fn whole(body: Body) -> Result<Vec<u8>, BodyError> {
    bytes(body, MAX_DOCUMENT_BYTES, "The body is larger than 1 MiB.").await
}

/// Reads a body that is not looked at, so that the connection can go on.
pub async fn ignored(body: Body) -> Result<(), BodyError> {
    bytes(body, MAX_DOCUMENT_BYTES, "The body is larger than 1 MiB.")
        .await
        .map(drop)
}

fn kind(headers: &HeaderMap) -> Result<Kind, BodyError> {
    let unsupported = BodyError::Http(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Send the body as application/json or application/x-www-form-urlencoded, and say so in Content-Type.",
    );
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(BodyError::Http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the body without a Content-Encoding.",
        ));
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next().and_then(|value| value.to_str().ok()), types.next()) else {
        return Err(unsupported);
    };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
            charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        Some(_) | None => true,
    });
    if !is_utf8 {
        return Err(BodyError::Http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the body in UTF-8.",
        ));
    }
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(Kind::Json)
    } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(Kind::Form)
    } else {
        Err(unsupported)
    }
}

async fn bytes(body: Body, max_bytes: usize, too_large: &'static str) -> Result<Vec<u8>, BodyError> {
    let collected = tokio::time::timeout(READ_TIMEOUT, Limited::new(body, max_bytes).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes().into()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(BodyError::Http(StatusCode::PAYLOAD_TOO_LARGE, too_large))
        }
        Ok(Err(error)) if !is_stopping(&*error) => Err(BodyError::Http(
            StatusCode::BAD_REQUEST,
            "The body ended before its end.",
        )),
        Ok(Err(_)) | Err(_) => Err(BodyError::Http(
            StatusCode::REQUEST_TIMEOUT,
            "The body took too long to arrive.",
        )),
    }
}
