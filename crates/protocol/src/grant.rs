//! The grant types that the token endpoint redeems (RFC 6749 §4, and Auth0's own).

use std::str::FromStr;

/// A grant type that this server knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GrantType {
    /// An application for itself (RFC 6749 §4.4).
    ClientCredentials,
    /// A user's name and password, in the tenant's default directory (RFC 6749 §4.3; discouraged by RFC 9700 §2.4).
    Password,
    /// The same, in the connection that `realm` names: Auth0's extension.
    PasswordRealm,
}

/// The text names no grant type that this server knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownGrantType;

impl GrantType {
    /// Every grant type, in the order in which documents list them.
    pub const ALL: [Self; 3] = [Self::ClientCredentials, Self::Password, Self::PasswordRealm];

    /// The `grant_type` parameter's value, which is also the word in a client's `grant_types`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::PasswordRealm => "http://auth0.com/oauth/grant-type/password-realm",
        }
    }

    /// The `gty` claim's value in Auth0's token profile (CONTRACT §2.1).
    pub fn gty(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client-credentials",
            Self::Password | Self::PasswordRealm => "password",
        }
    }

    /// Whether a client whose `grant_types` are `allowed` may use this grant type.
    ///
    /// `password` covers the realm form too: the same credentials by the same client.
    pub fn is_allowed_by(self, allowed: &[String]) -> bool {
        let listed = |grant: Self| allowed.iter().any(|word| word == grant.as_str());
        match self {
            Self::ClientCredentials | Self::Password => listed(self),
            Self::PasswordRealm => listed(self) || listed(Self::Password),
        }
    }
}

impl FromStr for GrantType {
    type Err = UnknownGrantType;

    fn from_str(text: &str) -> Result<Self, UnknownGrantType> {
        Self::ALL
            .into_iter()
            .find(|grant| grant.as_str() == text)
            .ok_or(UnknownGrantType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grant_type_parses_from_its_own_word() {
        for grant in GrantType::ALL {
            assert_eq!(grant.as_str().parse(), Ok(grant));
        }
        assert_eq!("Client_Credentials".parse::<GrantType>(), Err(UnknownGrantType));
    }
}
