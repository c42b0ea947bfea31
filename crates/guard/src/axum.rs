//! The token as a handler's argument, and refusals as a handler's error.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::error::Refusal;
use crate::token::AccessToken;

/// The token of the request; the route must be behind a [`GuardLayer`](crate::GuardLayer).
impl<S: Sync> FromRequestParts<S> for AccessToken {
    type Rejection = NoGuard;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoGuard> {
        parts.extensions.get().cloned().ok_or(NoGuard)
    }
}

/// The token, if the route is behind a guard.
impl<S: Sync> OptionalFromRequestParts<S> for AccessToken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get().cloned())
    }
}

/// A handler asks for an [`AccessToken`] on a route that no guard protects: a mistake in the program, and a 500.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoGuard;

impl IntoResponse for NoGuard {
    fn into_response(self) -> Response {
        tracing::error!("a handler takes an AccessToken, but its route has no guard: add .layer(guard.layer())");
        (StatusCode::INTERNAL_SERVER_ERROR, "This route is not behind a guard.").into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.response().map(axum::body::Body::from)
    }
}
