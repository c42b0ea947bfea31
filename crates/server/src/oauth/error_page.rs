//! `/docs/errors`: the page that `error_uri` points to (RFC 6749 §5.2). What each refusal means and what to do.

use axum::body::Body;
use axum::http::{Response, header};

use crate::web::answer::set;

/// The page; the same for everybody.
pub async fn get() -> Response<Body> {
    let mut response = Response::new(Body::from(include_str!("../../static/errors.html")));
    set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(&mut response, header::CACHE_CONTROL, "public, max-age=3600");
    set(
        &mut response,
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    set(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}

/// The page's stylesheet.
pub async fn stylesheet() -> Response<Body> {
    let mut response = Response::new(Body::from(include_str!("../../static/page.css")));
    set(&mut response, header::CONTENT_TYPE, "text/css; charset=utf-8");
    set(&mut response, header::CACHE_CONTROL, "public, max-age=3600");
    response
}
