//! The four shapes of an access token, `token_dialect` of an API (CONTRACT §2.1, §4.4; RFC 9068).

use std::fmt;
use std::str::FromStr;

/// How an API's access tokens look: Auth0's profile or RFC 9068's, each with `permissions` or without.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TokenDialect {
    /// Auth0's profile.
    #[default]
    AccessToken,
    /// Auth0's profile with `permissions`.
    AccessTokenAuthz,
    /// RFC 9068's profile.
    Rfc9068Profile,
    /// RFC 9068's profile with `permissions`.
    Rfc9068ProfileAuthz,
}

/// The text names no dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownDialect;

impl TokenDialect {
    /// Every dialect, the default first.
    pub const ALL: [Self; 4] = [
        Self::AccessToken,
        Self::AccessTokenAuthz,
        Self::Rfc9068Profile,
        Self::Rfc9068ProfileAuthz,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::AccessTokenAuthz => "access_token_authz",
            Self::Rfc9068Profile => "rfc9068_profile",
            Self::Rfc9068ProfileAuthz => "rfc9068_profile_authz",
        }
    }

    /// Whether tokens follow RFC 9068: `typ` `at+jwt`, `client_id`, `jti`, and no `azp` and `gty`.
    pub fn is_rfc9068(self) -> bool {
        matches!(self, Self::Rfc9068Profile | Self::Rfc9068ProfileAuthz)
    }

    /// Whether tokens carry `permissions`, where the API enforces policies.
    pub fn has_permissions(self) -> bool {
        matches!(self, Self::AccessTokenAuthz | Self::Rfc9068ProfileAuthz)
    }

    /// The header's `typ`.
    pub fn typ(self) -> &'static str {
        if self.is_rfc9068() { "at+jwt" } else { "JWT" }
    }
}

impl FromStr for TokenDialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == text)
            .ok_or(UnknownDialect)
    }
}

impl fmt::Display for TokenDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
