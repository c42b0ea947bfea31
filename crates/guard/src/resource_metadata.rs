//! What this API says of itself (RFC 9728): `/.well-known/oauth-protected-resource`, by which clients that know nothing
//! but the API's address, MCP clients among them, find its issuer.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL,
    CONTENT_TYPE,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde_json::{Map, Value, json};
use tokenhouse_protocol::discovery::is_loopback_host;
use tokenhouse_protocol::scope::is_scope_token;
use tower_service::Service;

use crate::{BuildError, Builder};

/// RFC 9728 §3: this goes between the host and the path of the resource.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What the builder was told of the API.
#[derive(Default)]
pub(crate) struct Resource {
    identifier: Option<String>,
    scopes: Vec<String>,
    name: Option<String>,
}

impl Builder {
    /// The API's own address, such as `https://api.example.com/mcp`: publishes [`Guard::resource_metadata`] and names it
    /// in every challenge, so that clients find the issuer (RFC 9728). Tokens whose audience is this address are taken.
    ///
    /// It must be exactly what clients are given to call: https (http on this machine itself), no query, no fragment.
    ///
    /// [`Guard::resource_metadata`]: crate::Guard::resource_metadata
    pub fn resource(mut self, url: impl Into<String>) -> Self {
        self.resource.identifier = Some(url.into());
        self
    }

    /// The scopes that clients may ask the issuer for, in the metadata of [`Builder::resource`].
    pub fn scopes_supported(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.resource.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The API's name for people, in the metadata of [`Builder::resource`].
    pub fn resource_name(mut self, name: impl Into<String>) -> Self {
        self.resource.name = Some(name.into());
        self
    }
}

impl Resource {
    /// The metadata, if there is an address to publish it for.
    pub(crate) fn build(self, issuers: &[&str]) -> Result<Option<ResourceMetadata>, BuildError> {
        let Some(identifier) = self.identifier else {
            return match self.scopes.is_empty() && self.name.is_none() {
                true => Ok(None),
                false => Err(BuildError::NoResource),
            };
        };
        if let Some(scope) = self.scopes.iter().find(|scope| !is_scope_token(scope)) {
            return Err(BuildError::Scope(scope.clone()));
        }
        let (origin, path) = address(&identifier).ok_or_else(|| BuildError::Resource(identifier.clone()))?;
        let mut members = Map::new();
        members.insert("resource".into(), identifier.clone().into());
        members.insert("authorization_servers".into(), json!(issuers));
        // RFC 9728 §3.2: a list without elements is left out.
        if !self.scopes.is_empty() {
            members.insert("scopes_supported".into(), json!(self.scopes));
        }
        members.insert("bearer_methods_supported".into(), json!(["header"]));
        if let Some(name) = self.name {
            members.insert("resource_name".into(), name.into());
        }
        let path = format!("{WELL_KNOWN}{path}");
        Ok(Some(ResourceMetadata(Arc::new(Published {
            identifier,
            url: format!("{origin}{path}"),
            path,
            document: Value::Object(members).to_string(),
        }))))
    }
}

/// The API's metadata, and a tower service that answers it: route [`path`](Self::path) to it.
///
/// ```
/// # use axum::{Router, routing::post};
/// # use tokenhouse_guard::{BuildError, Guard};
/// # fn app(guard: &Guard) -> Result<Router, BuildError> {
/// let metadata = guard.resource_metadata()?;
/// let app = Router::new()
///     .route("/mcp", post(|| async { "…" }).layer(guard.layer()))
///     .route_service(metadata.path(), metadata.clone());
/// # Ok(app) }
/// ```
#[derive(Clone, Debug)]
pub struct ResourceMetadata(Arc<Published>);

#[derive(Debug)]
struct Published {
    identifier: String,
    url: String,
    path: String,
    document: String,
}

impl ResourceMetadata {
    /// The API's address, `resource`.
    pub fn resource(&self) -> &str {
        &self.0.identifier
    }

    /// Where the document is, the path alone: `/.well-known/oauth-protected-resource` and the path of the API.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Where the document is, as challenges name it.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The document in JSON.
    pub fn document(&self) -> &str {
        &self.0.document
    }

    /// The answer to a request for it: the document, a preflight's, or 405. Any page may read it.
    pub fn answer(&self, method: &Method) -> Response<String> {
        let mut response = Response::new(String::new());
        let any = HeaderValue::from_static("*");
        let methods = HeaderValue::from_static("GET, HEAD, OPTIONS");
        match *method {
            Method::GET | Method::HEAD => {
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
                *response.body_mut() = self.0.document.clone();
            }
            Method::OPTIONS => {
                *response.status_mut() = StatusCode::NO_CONTENT;
                let headers = response.headers_mut();
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, any);
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            }
            _ => {
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                response.headers_mut().insert(ALLOW, methods);
            }
        }
        response
    }
}

impl<B> Service<Request<B>> for ResourceMetadata {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let response = match request.uri().path() == self.0.path {
            true => self.answer(request.method()),
            false => {
                let mut response = Response::new(String::new());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        };
        ready(Ok(response))
    }
}

/// Origin and path of a resource's identifier (RFC 9728 §1.2, §3.1), the path without the slash that ends a host.
fn address(identifier: &str) -> Option<(String, String)> {
    // What http's parser would drop or take: a fragment, and braces, which are no part of a URL.
    if identifier.contains(['#', '{', '}']) || !identifier.is_ascii() {
        return None;
    }
    let uri: Uri = identifier.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let is_safe = scheme == "https" || (scheme == "http" && is_loopback_host(authority.host()));
    if !is_safe || uri.query().is_some() || authority.as_str().contains('@') || authority.host().is_empty() {
        return None;
    }
    let path = if uri.path() == "/" { "" } else { uri.path() };
    Some((format!("{scheme}://{authority}"), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(identifier: &str) -> Result<ResourceMetadata, BuildError> {
        let resource = Resource {
            identifier: Some(identifier.into()),
            ..Resource::default()
        };
        resource.build(&["https://issuer.example.com/"]).map(Option::unwrap)
    }

    #[test]
    fn the_well_known_path_goes_between_host_and_path() {
        for (identifier, url) in [
            (
                "https://api.example.com",
                "https://api.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://api.example.com/",
                "https://api.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://api.example.com/mcp",
                "https://api.example.com/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://api.example.com:8443/a/b/",
                "https://api.example.com:8443/.well-known/oauth-protected-resource/a/b/",
            ),
            (
                "http://127.0.0.1:3000/mcp",
                "http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp",
            ),
        ] {
            assert_eq!(published(identifier).unwrap().url(), url);
        }
    }

    #[test]
    fn what_is_no_address_of_an_api_is_refused() {
        for identifier in [
            "",
            "api",
            "/mcp",
            "urn:api",
            "http://api.example.com",
            "https://",
            "https://api.example.com/#a",
            "https://api.example.com/?a=b",
            "https://user@api.example.com/",
            "https://api.example.com/{id}",
            "ftp://api.example.com/",
        ] {
            let refused = published(identifier).unwrap_err();
            assert_eq!(refused, BuildError::Resource(identifier.into()), "{identifier:?}");
        }
    }
}
