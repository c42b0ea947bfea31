//! The console's cookies: the key of a session, or one worth nothing yet by which forms are known; and the language
//! that programs are shown in (RFC 6265bis).

use axum::http::{HeaderMap, header};

use crate::tenant::Issuer;

/// Longest value that is read, in bytes.
const MAX_VALUE_BYTES: usize = 128;
/// The cookie that says which language programs are shown in.
const LANGUAGE: &str = "tokenhouse-language";

/// What the browser holds, if it holds something that could be a key.
pub(super) fn read(headers: &HeaderMap, issuer: &Issuer) -> Option<String> {
    value(headers, &name(issuer))
}

/// The value of a cookie, if it is a word.
fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines.flat_map(|line| line.to_str().unwrap_or_default().split(';'));
    let mut values = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(other, _)| *other == name);
    let (_, value) = values.next()?;
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (!value.is_empty() && value.len() <= MAX_VALUE_BYTES && value.bytes().all(is_word)).then(|| value.to_owned())
}

/// A `Set-Cookie` by which the browser holds `key` until it is closed; the session ends before, on its own terms.
pub(super) fn set(issuer: &Issuer, key: &str) -> String {
    format!("{}={key}; {}", name(issuer), attributes(issuer))
}

/// The language of programs that the browser remembers.
pub(super) fn language(headers: &HeaderMap) -> Option<String> {
    value(headers, LANGUAGE)
}

/// A `Set-Cookie` by which the browser remembers it for a year.
pub(super) fn set_language(issuer: &Issuer, language: &str) -> String {
    let secure = if issuer.is_https() { "; Secure" } else { "" };
    format!("{LANGUAGE}={language}; Max-Age=31536000; Path=/console; HttpOnly; SameSite=Lax{secure}")
}

/// A `Set-Cookie` by which it holds nothing.
pub(super) fn remove(issuer: &Issuer) -> String {
    format!("{}=; Max-Age=0; {}", name(issuer), attributes(issuer))
}

/// Over https no other host can set it (`__Host-`). Over http, as on this machine, ports share cookies: each has its own.
fn name(issuer: &Issuer) -> String {
    if issuer.is_https() {
        return "__Host-tokenhouse".into();
    }
    let port = issuer.authority().rsplit_once(':').map_or("80", |(_, port)| port);
    format!("tokenhouse-{port}")
}

fn attributes(issuer: &Issuer) -> &'static str {
    match issuer.is_https() {
        true => "Path=/; Secure; HttpOnly; SameSite=Lax",
        false => "Path=/console; HttpOnly; SameSite=Lax",
    }
}
