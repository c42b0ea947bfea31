//! What the pages of tickets answer: a form, a sentence, or the address to go on to. No script, nothing from elsewhere, and
//! no word of the address that led here: it holds the ticket.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::web::answer::{set, set_text};

/// A heading, and what it says.
type Words = (&'static str, &'static str);

pub(super) const CHOOSE: &str = "Choose a password";
pub(super) const UNLIKE: &str = "The two passwords are not the same. Type the one that you want twice.";
pub(super) const CHANGED: Words = (
    "Your password was changed",
    "You can sign in with the new password from now on.",
);
pub(super) const VERIFIED: Words = (
    "Your e-mail address is verified",
    "There is nothing else to do: you can go on where you were.",
);
pub(super) const VERIFYING: Words = (
    "Verify your e-mail address",
    "Following this link verifies your e-mail address.",
);
pub(super) const EXPIRED: Words = (
    "This link has expired",
    "Links work for a while only. Ask for another one where you asked for this one.",
);
pub(super) const USED: Words = (
    "This link was used already",
    "Each link works once, and no longer than nothing else has changed. Ask for another one where you asked for this one.",
);
pub(super) const NO_TICKET: Words = (
    "This link does not work",
    "It is not whole, or is none of ours. Copy all of it into the address bar, or ask for another one.",
);
pub(super) const NO_FORM: Words = (
    "The form cannot be read",
    "Nothing was changed. Follow the link again, and send the form that it shows.",
);
pub(super) const TOO_MANY: Words = (
    "Too many attempts",
    "Too many links that do not work came from your network. Wait, then try again.",
);
pub(super) const UNAVAILABLE: Words = (
    "This does not work now",
    "The fault is ours, and may be over in a moment: try again then.",
);

/// The form in which a password is chosen.
#[derive(Template)]
#[template(path = "ticket_password.html")]
pub(super) struct Form {
    pub(super) title: &'static str,
    /// What people call the tenant.
    pub(super) tenant: String,
    pub(super) ticket: String,
    /// What its user signs in with.
    pub(super) name: String,
    /// What the password must be.
    pub(super) rules: Vec<String>,
    pub(super) problem: Option<String>,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "ticket_note.html")]
pub(super) struct Note {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    /// What people call the tenant.
    pub(super) tenant: String,
    /// An application, and where one signs in to it.
    pub(super) next: Option<(String, String)>,
}

/// The form; `leads_to` is where its answer goes on to.
pub(super) fn form(status: StatusCode, form: &Form, leads_to: Option<&str>) -> Response<Body> {
    // Chrome holds what a form's answer leads to against this too, however far: the ticket's URL may lead on.
    let targets = match leads_to {
        None => "'self'",
        Some(url) if url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) => "'self' https:",
        Some(_) => "'self' https: http:",
    };
    page(status, form, targets)
}

/// A page that says one thing.
pub(super) fn note(status: StatusCode, note: &Note) -> Response<Body> {
    page(status, note, "'none'")
}

/// The address to go on to.
pub(super) fn see(url: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    set_text(&mut response, header::LOCATION, url);
    framed(response)
}

/// A ticket's URL with what became of it, in the parameters that Auth0 adds.
pub(super) fn led_back(url: &str, is_success: bool, message: &str, email: Option<&str>) -> String {
    let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let between = match url.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let email = email.map_or_else(String::new, |email| format!("email={}&", encoded(email)));
    let message = encoded(message);
    format!("{url}{between}{email}success={is_success}&message={message}{fragment}")
}

fn page(status: StatusCode, page: &impl Template, form_targets: &str) -> Response<Body> {
    let (status, text) = match page.render() {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, String::new())
        }
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action {form_targets}; frame-ancestors 'none'; \
         base-uri 'none'"
    );
    set_text(&mut response, header::CONTENT_SECURITY_POLICY, &policy);
    set(&mut response, header::X_FRAME_OPTIONS, "DENY");
    framed(response)
}

/// What every answer has: its address is a secret, which neither a cache nor the next page may learn.
fn framed(mut response: Response<Body>) -> Response<Body> {
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_ticket_is_added_to_its_url_whatever_that_holds() {
        let added = |url| led_back(url, true, "Done & \"so\".", None);
        let words = "success=true&message=Done%20%26%20%22so%22%2E";
        for (url, expected) in [
            ("https://a.example", format!("https://a.example?{words}")),
            ("https://a.example/?", format!("https://a.example/?{words}")),
            ("https://a.example/?b=c", format!("https://a.example/?b=c&{words}")),
            ("https://a.example/?b=c&", format!("https://a.example/?b=c&{words}")),
            ("https://a.example/#f?g", format!("https://a.example/?{words}#f?g")),
        ] {
            assert_eq!(added(url), expected);
        }
        let named = led_back("https://a.example/", false, "No", Some("a+b@c.example"));
        assert_eq!(
            named,
            "https://a.example/?email=a%2Bb%40c%2Eexample&success=false&message=No"
        );
    }
}
