//! How a room says no: what happened, what the caller may read, and the private cause. Doors alone
//! turn it into a status and a body.

use crate::quota::Standing;

/// Why a request was refused: the row of CONTRACT §1.7 that applies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// The request itself is wrong: malformed, incomplete, contradictory.
    InvalidRequest,
    /// The application is unknown or did not prove itself; which of the two is not told.
    ClientAuthentication,
    /// The way of proving itself is not one that this application may use.
    InvalidClient,
    /// No such grant type here.
    UnsupportedGrantType,
    /// The application may not use this grant type.
    GrantTypeNotAllowed,
    /// `audience` names no API (client credentials).
    UnknownAudience,
    /// `audience` names no API (password).
    InvalidAudience,
    /// No API is named and the tenant has no default one.
    NoAudience,
    /// `audience` and `resource` cannot be served (RFC 8707 §2).
    InvalidTarget,
    /// The application has no client grant for the API.
    NoClientGrant,
    /// A scope was asked for that the application was not granted.
    ScopeNotGranted,
    /// The scope parameter holds characters that scopes cannot hold.
    InvalidScope,
    /// The user's name or password is wrong; which of the two is not told.
    WrongPassword,
    /// An administrator has blocked the user.
    UserBlocked,
    /// Too many failed logins to this account.
    TooManyAttempts,
    /// Too many failed logins from this address.
    SuspiciousAddress,
    /// More work is waiting than can be done soon.
    TooManyRequests,
    /// The application was issued as many tokens as its quota allows for now.
    QuotaExceeded,
    /// The tenant names no directory in which the password grant looks users up.
    NoDefaultDirectory,
    /// `realm` names no connection.
    UnknownRealm,
    /// Something the house needs is not there at the moment: nothing was issued.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// A refusal: public text that could hang on a poster, private cause that is logged once at the door.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What happened.
    pub reason: Reason,
    /// What the caller reads: what is wrong, then what to change.
    pub text: String,
    /// What only the log reads.
    pub cause: Option<String>,
    /// Seconds after which trying again makes sense.
    pub retry_after_s: Option<u32>,
    /// The limit that was reached, where one was: how many were allowed.
    pub limit: Option<u32>,
    /// Whether the client used the Basic header, so that the answer names that scheme (RFC 6749 §5.2).
    pub by_basic: bool,
    /// How the quota stands that was exceeded.
    pub quota: Option<Box<Standing>>,
}

impl Refusal {
    /// A refusal with its public text.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
            cause: None,
            retry_after_s: None,
            limit: None,
            by_basic: false,
            quota: None,
        }
    }

    /// Adds the private cause.
    #[must_use]
    pub fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Says which limit was reached.
    #[must_use]
    pub fn over_limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

/// The database is gone, slow or full: 503, and nothing was issued unrecorded.
impl From<tokenhouse_store::StoreError> for Refusal {
    fn from(error: tokenhouse_store::StoreError) -> Self {
        Self::new(
            Reason::Unavailable,
            "The service is temporarily unavailable. Try again in a moment.",
        )
        .retry_after(1)
        .because(error)
    }
}
