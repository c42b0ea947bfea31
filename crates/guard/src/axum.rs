//! The token as a handler's argument, what it must allow as the argument's type, and refusals as a handler's error.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tokenhouse_guard::axum::{Authorization, Authorized};
//! use tokenhouse_guard::{AccessToken, Guard};
//!
//! struct ReadMessages;
//!
//! impl Authorization for ReadMessages {
//!     const SCOPES: &[&str] = &["read:messages"];
//! }
//!
//! async fn messages(token: Authorized<ReadMessages>) -> String {
//!     format!("the messages of {}", token.subject().unwrap_or("nobody"))
//! }
//!
//! async fn profile(token: AccessToken) -> String {
//!     token.subject().unwrap_or("nobody").to_owned()
//! }
//!
//! fn app(guard: &Guard) -> Router {
//!     Router::new()
//!         .route("/messages", get(messages))
//!         .route("/profile", get(profile))
//!         .route_layer(guard.layer())
//! }
//! ```

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Guard;
use crate::authorization::{Claim, Wanted, check_names};
use crate::builder::BuildError;
use crate::error::Denied;
use crate::refusal::{Anonymous, Refusal};
use crate::token::AccessToken;

impl Guard {
    /// A router that publishes [`Guard::resource_metadata`] where challenges say that it is, to be merged into the
    /// program's, outside of every layer that asks for a token. Fails if the builder was given no
    /// [`Builder::resource`](crate::Builder::resource).
    ///
    /// ```
    /// # use axum::{Router, routing::post};
    /// # use tokenhouse_guard::{BuildError, Guard};
    /// # fn app(guard: &Guard) -> Result<Router, BuildError> {
    /// let mcp = Router::new().route("/mcp", post(|| async { "…" })).route_layer(guard.layer());
    /// let app = mcp.merge(guard.resource_routes()?);
    /// # Ok(app) }
    /// ```
    pub fn resource_routes<S: Clone + Send + Sync + 'static>(&self) -> Result<Router<S>, BuildError> {
        let metadata = self.resource_metadata()?;
        let path = metadata.path().to_owned();
        Ok(Router::new().route_service(&path, metadata))
    }
}

/// The token of the request; the route must be behind a [`GuardLayer`](crate::GuardLayer). Where that layer lets requests
/// without a token pass, a handler that takes one refuses them with 401.
impl<S: Sync> FromRequestParts<S> for AccessToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        shown(parts).cloned().ok_or_else(|| no_token(parts, &[]))
    }
}

/// The token with its claims read as a `C`; a token whose claims are no `C` is refused with 401.
impl<S: Sync, C: DeserializeOwned + Send + Sync + 'static> FromRequestParts<S> for AccessToken<C> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        match shown(parts) {
            Some(token) => typed(token),
            None => Err(no_token(parts, &[])),
        }
    }
}

/// The token, if the route is behind a guard and the request came with one: see
/// [`GuardLayer::optional`](crate::GuardLayer::optional).
impl<S: Sync> OptionalFromRequestParts<S> for AccessToken {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(shown(parts).cloned())
    }
}

/// The same with its claims read as a `C`.
impl<S: Sync, C: DeserializeOwned + Send + Sync + 'static> OptionalFromRequestParts<S> for AccessToken<C> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        shown(parts).map(typed).transpose()
    }
}

fn shown(parts: &Parts) -> Option<&AccessToken> {
    parts.extensions.get()
}

fn typed<C: DeserializeOwned + Send + Sync + 'static>(token: &AccessToken) -> Result<AccessToken<C>, Rejection> {
    token.typed().map_err(|denied| token.refusal(denied).into())
}

/// What a handler demands of its token, by the type of its argument: see [`Authorized`]. Whatever is named must be met;
/// nothing named, or a name that no token can hold, does not compile.
pub trait Authorization {
    /// The token's `scope` has all of these.
    const SCOPES: &[&str] = &[];
    /// The token's `scope` has at least one of these, if any are named.
    const ANY_SCOPE: &[&str] = &[];
    /// The token's `permissions` have all of these.
    const PERMISSIONS: &[&str] = &[];
    /// The token's `permissions` have at least one of these, if any are named.
    const ANY_PERMISSION: &[&str] = &[];
}

/// The token of the request, which meets the demands of `A`; the route must be behind a
/// [`GuardLayer`](crate::GuardLayer).
pub struct Authorized<A> {
    token: AccessToken,
    authorization: PhantomData<fn() -> A>,
}

impl<A> Authorized<A> {
    /// The token alone.
    pub fn into_token(self) -> AccessToken {
        self.token
    }
}

impl<A> Deref for Authorized<A> {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.token
    }
}

impl<A> fmt::Debug for Authorized<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&self.token).finish()
    }
}

impl<S: Sync, A: Authorization> FromRequestParts<S> for Authorized<A> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        const {
            let named = [A::SCOPES, A::ANY_SCOPE, A::PERMISSIONS, A::ANY_PERMISSION];
            assert!(
                are_names(&named),
                "name at least one scope or permission, each without spaces and quotes"
            );
        }
        let Some(token) = shown(parts) else {
            return Err(no_token(parts, A::SCOPES));
        };
        for (claim, all, any) in [
            (Claim::Scope, A::SCOPES, A::ANY_SCOPE),
            (Claim::Permissions, A::PERMISSIONS, A::ANY_PERMISSION),
        ] {
            let refused = |denied| token.refusal(denied);
            check_names(token, claim, Wanted::All, all).map_err(refused)?;
            if !any.is_empty() {
                check_names(token, claim, Wanted::Any, any).map_err(refused)?;
            }
        }
        Ok(Self {
            token: token.clone(),
            authorization: PhantomData,
        })
    }
}

/// A handler wants a token and there is none: the caller's fault if a guard was passed, the program's if not.
fn no_token(parts: &Parts, scopes: &[&str]) -> Rejection {
    match parts.extensions.get() {
        Some(Anonymous(answers)) => Refusal::new(Denied::NoToken, Arc::clone(answers))
            .wanting(scopes.iter().copied())
            .into(),
        None => Rejection::NoGuard,
    }
}

/// Whether there are names, and each can be a scope: `is_scope_token` of the protocol, for the compiler.
const fn are_names(lists: &[&[&str]; 4]) -> bool {
    let (mut list, mut count) = (0, 0);
    while list < lists.len() {
        let mut name = 0;
        while name < lists[list].len() {
            let text = lists[list][name].as_bytes();
            let mut at = 0;
            while at < text.len() {
                if !matches!(text[at], 0x21 | 0x23..=0x5B | 0x5D..=0x7E) {
                    return false;
                }
                at += 1;
            }
            if text.is_empty() {
                return false;
            }
            count += 1;
            name += 1;
        }
        list += 1;
    }
    count > 0
}

/// Why a handler was not called.
#[derive(Clone, Debug)]
pub enum Rejection {
    /// It asks for a token on a route that no guard protects: a mistake in the program, and a 500.
    NoGuard,
    /// The token is not what the handler wants.
    Refused(Box<Refusal>),
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::NoGuard => {
                tracing::error!(
                    "a handler takes an AccessToken, but its route has no guard: add .layer(guard.layer())"
                );
                (StatusCode::INTERNAL_SERVER_ERROR, "This route is not behind a guard.").into_response()
            }
            Self::Refused(refusal) => refusal.into_response(),
        }
    }
}

/// The refusal's answer; the layer around the handler makes it the author's own, if the guard has one.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.response().map(axum::body::Body::from);
        response.extensions_mut().insert(self);
        response
    }
}
