//! Files that a page offers, and how a browser is told to save one.

use axum::body::Body;
use axum::http::{Response, header};

use super::answer::Reply;
use crate::web::answer::{set, set_text};

/// A file that the browser saves under this name.
pub(super) fn attachment(text: String, kind: &'static str, name: &str) -> Reply {
    let mut response = Response::new(Body::from(text));
    set(&mut response, header::CONTENT_TYPE, kind);
    let disposition = format!("attachment; filename=\"{name}\"");
    set_text(&mut response, header::CONTENT_DISPOSITION, &disposition);
    Reply::raw(response)
}
