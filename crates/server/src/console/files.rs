//! The files that every page shares: one stylesheet, one script, one icon, compiled in. Their addresses hold a digest of
//! what is in them, so that a browser keeps each for ever and a new release is seen at once.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Response, header};

use tokenhouse_protocol::crypto::sha256;
use tokenhouse_protocol::jose::base64url;

use super::answer::{Failure, Reply};
use super::visit::Guest;
use crate::web::answer::{set, set_text};

/// Where they are; see `router::console_routes`.
const FOLDER: &str = "/console/static/";
/// Characters of the digest in an address.
const DIGEST_CHARS: usize = 12;

/// The addresses of the files, as templates name them.
#[derive(Debug)]
pub(crate) struct Files {
    /// The stylesheet's.
    pub(crate) style: String,
    /// The script's.
    pub(crate) script: String,
    /// The icon's.
    pub(crate) icon: String,
}

struct File {
    name: String,
    kind: &'static str,
    content: &'static str,
}

static ALL: LazyLock<[File; 3]> = LazyLock::new(|| {
    [
        File::new(
            include_str!("../../static/console.css"),
            "css",
            "text/css; charset=utf-8",
        ),
        File::new(
            include_str!("../../static/console.js"),
            "js",
            "text/javascript; charset=utf-8",
        ),
        File::new(include_str!("../../static/icon.svg"), "svg", "image/svg+xml"),
    ]
});

/// Where the files are.
pub(crate) static FILES: LazyLock<Files> = LazyLock::new(|| {
    let [style, script, icon] = &*ALL;
    let address = |file: &File| format!("{FOLDER}{}", file.name);
    Files {
        style: address(style),
        script: address(script),
        icon: address(icon),
    }
});

impl File {
    fn new(content: &'static str, extension: &str, kind: &'static str) -> Self {
        let digest = base64url::encode(sha256(content.as_bytes()));
        let digest = &digest[..DIGEST_CHARS];
        Self {
            name: format!("console.{digest}.{extension}"),
            kind,
            content,
        }
    }
}

/// `GET /console/static/{file}`
pub(crate) async fn get(guest: Guest) -> Result<Reply, Failure> {
    let name = guest.parameter("file");
    let file = ALL.iter().find(|file| file.name == name).ok_or_else(Failure::missing)?;
    let mut response = Response::new(Body::from(file.content));
    set_text(&mut response, header::CONTENT_TYPE, file.kind);
    set(
        &mut response,
        header::CACHE_CONTROL,
        "public, max-age=31536000, immutable",
    );
    Ok(Reply::raw(response))
}
