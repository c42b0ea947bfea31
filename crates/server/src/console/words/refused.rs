//! Why a token was not issued: what each reason means to whoever tries it out from a page, and where to change it.

use crate::refusal::Reason;

/// The page on which a reason can be put right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::console) enum Place {
    /// None: the request itself has to be another.
    Nowhere,
    /// The applications of the API.
    ApiApplications,
    /// The application's settings.
    Application,
    /// What the application proves itself with.
    Credentials,
    /// The flow of the Debugger that signs assertions.
    Signing,
    /// What the application was issued, and its quota.
    Usage,
    /// The users.
    Users,
    /// The tenant's settings.
    Settings,
}

/// A heading, what to do, and where.
pub(in crate::console) fn advice(reason: Reason) -> (&'static str, &'static str, Place) {
    match reason {
        Reason::InvalidRequest => ("The request is not complete", "Fill in what it names.", Place::Nowhere),
        Reason::ClientAuthentication => (
            "The application did not prove itself",
            "Either no application has this client ID, or the secret is not its own: it may have been rotated, or the \
             application proves itself with a key instead.",
            Place::Credentials,
        ),
        Reason::InvalidClient => (
            "The application proves itself in another way",
            "It has a private key, and signs an assertion for each request. The Debugger can sign one.",
            Place::Signing,
        ),
        Reason::UnsupportedGrantType => (
            "This server has no such grant",
            "The Debugger lists those that it has.",
            Place::Nowhere,
        ),
        Reason::GrantTypeNotAllowed => (
            "The application may not ask in this way",
            "Tick the grant type in the application's settings, or choose another application.",
            Place::Application,
        ),
        Reason::UnknownAudience | Reason::InvalidAudience | Reason::InvalidTarget => (
            "No API takes tokens under this name",
            "The audience is the API's identifier, letter by letter. The Management API is not for users' tokens.",
            Place::Nowhere,
        ),
        Reason::NoAudience => (
            "No API is named",
            "Give the API's identifier as the audience, or choose a default API in the settings.",
            Place::Settings,
        ),
        Reason::NoClientGrant => (
            "The application may not use this API",
            "Authorize it among the API's Machine to Machine applications, then ask again.",
            Place::ApiApplications,
        ),
        Reason::ScopeNotGranted => (
            "The application was not granted all that was asked for",
            "Grant the permission to it, or ask for less: nothing is left out silently.",
            Place::ApiApplications,
        ),
        Reason::InvalidScope => (
            "That is no scope",
            "Scopes are printable ASCII, without quotes and backslashes, a blank between them.",
            Place::Nowhere,
        ),
        Reason::WrongPassword => (
            "No user has this name and this password",
            "Which of the two is wrong is not told. An administrator can set another password.",
            Place::Users,
        ),
        Reason::UserBlocked => (
            "The user is blocked",
            "An administrator blocked them, and can let them in again.",
            Place::Users,
        ),
        Reason::TooManyAttempts | Reason::SuspiciousAddress => (
            "Too many wrong passwords",
            "Passwords are not tried any more for a while, right ones neither.",
            Place::Nowhere,
        ),
        Reason::TooManyRequests | Reason::Unavailable => (
            "The server has no time for it now",
            "Nothing was issued. Try again in a moment.",
            Place::Nowhere,
        ),
        Reason::QuotaExceeded => (
            "The application's quota is used up",
            "It begins anew with the hour or the day, in UTC.",
            Place::Usage,
        ),
        Reason::NoDefaultDirectory | Reason::UnknownRealm => (
            "No database is named in which the user is looked up",
            "Name one that exists as the realm, or set the tenant's default_directory.",
            Place::Nowhere,
        ),
        Reason::Internal => (
            "Something went wrong here",
            "This is a fault of the server. Its log says more.",
            Place::Nowhere,
        ),
    }
}

/// What the link to a place says.
pub(in crate::console) fn link(place: Place) -> &'static str {
    match place {
        Place::Nowhere => "",
        Place::ApiApplications => "Machine to Machine applications of the API",
        Place::Application => "The application's settings",
        Place::Credentials => "The application's credentials",
        Place::Signing => "Sign an assertion in the Debugger",
        Place::Usage => "The application's usage",
        Place::Users => "Users",
        Place::Settings => "Settings",
    }
}
