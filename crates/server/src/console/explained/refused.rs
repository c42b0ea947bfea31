//! Why a token was not issued: what each reason means to whoever tries it out from a page, and where to change it.

use crate::console::words::refused;
use crate::refusal::Reason;

/// The page on which a reason can be put right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
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
pub(super) fn advice(reason: Reason) -> ((&'static str, &'static str), Place) {
    match reason {
        Reason::InvalidRequest => (refused::INVALID_REQUEST, Place::Nowhere),
        Reason::ClientAuthentication => (refused::CLIENT_AUTHENTICATION, Place::Credentials),
        Reason::InvalidClient => (refused::INVALID_CLIENT, Place::Signing),
        Reason::UnsupportedGrantType => (refused::UNSUPPORTED_GRANT, Place::Nowhere),
        Reason::GrantTypeNotAllowed => (refused::GRANT_NOT_ALLOWED, Place::Application),
        Reason::UnknownAudience | Reason::InvalidAudience | Reason::InvalidTarget => {
            (refused::UNKNOWN_AUDIENCE, Place::Nowhere)
        }
        Reason::NoAudience => (refused::NO_AUDIENCE, Place::Settings),
        Reason::NoClientGrant => (refused::NO_CLIENT_GRANT, Place::ApiApplications),
        Reason::ScopeNotGranted => (refused::SCOPE_NOT_GRANTED, Place::ApiApplications),
        Reason::InvalidScope => (refused::INVALID_SCOPE, Place::Nowhere),
        Reason::WrongPassword => (refused::WRONG_PASSWORD, Place::Users),
        Reason::UserBlocked => (refused::USER_BLOCKED, Place::Users),
        Reason::TooManyAttempts | Reason::SuspiciousAddress => (refused::TOO_MANY_ATTEMPTS, Place::Nowhere),
        Reason::TooManyRequests | Reason::Unavailable => (refused::UNAVAILABLE, Place::Nowhere),
        Reason::QuotaExceeded => (refused::QUOTA_EXCEEDED, Place::Usage),
        Reason::NoDefaultDirectory | Reason::UnknownRealm => (refused::NO_DATABASE, Place::Nowhere),
        Reason::Internal => (refused::INTERNAL, Place::Nowhere),
    }
}

/// What the link to a place says.
pub(super) fn link(place: Place) -> &'static str {
    match place {
        Place::Nowhere => "",
        Place::ApiApplications => refused::TO_API_APPLICATIONS,
        Place::Application => refused::TO_APPLICATION,
        Place::Credentials => refused::TO_CREDENTIALS,
        Place::Signing => refused::TO_SIGNING,
        Place::Usage => refused::TO_USAGE,
        Place::Users => refused::TO_USERS,
        Place::Settings => refused::TO_SETTINGS,
    }
}
