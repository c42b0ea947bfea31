//! The names of things: tenants, applications, APIs, users, keys, each a type of its own so that
//! one cannot be passed for another. Formats are Auth0's (CONTRACT §0, "Id formats").

use std::fmt;

use crate::crypto::Random;
use crate::time::Timestamp;

/// Characters of ids that people copy: letters and digits.
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Lower-case hexadecimal digits.
const HEX: &[u8; 16] = b"0123456789abcdef";
/// The base64url alphabet, for secrets and key ids.
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes an id as it was stored or sent; nothing is checked but that it is text.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A tenant: one issuer with its own keys, applications, APIs, users and logs. `default` in a new installation.
    TenantId
}
id! {
    /// An application's `client_id` (RFC 6749 §2.2): 32 letters and digits.
    ClientId
}
id! {
    /// A resource server's id: 24 hexadecimal digits. Not its identifier, which is the audience.
    ApiId
}
id! {
    /// A client grant's id: `cgr_` and 16 letters and digits.
    ClientGrantId
}
id! {
    /// A user's id, the `sub` of their tokens: `auth0|` and 24 hexadecimal digits.
    UserId
}
id! {
    /// A connection's id: `con_` and 16 letters and digits.
    ConnectionId
}
id! {
    /// A role's id: `rol_` and 16 letters and digits.
    RoleId
}
id! {
    /// The id of a person who runs a tenant: `adm_` and 16 letters and digits.
    AdministratorId
}
id! {
    /// The id of a client's key, Auth0's credential: `cred_` and 22 letters and digits.
    CredentialId
}
id! {
    /// The id of a signing key, the `kid` of a JWS header (RFC 7515 §4.1.4): 21 base64url characters.
    KeyId
}
id! {
    /// A log row's id: 55 decimal digits that sort by time.
    LogId
}
id! {
    /// One run of one process on one database: `nod_` and 16 letters and digits.
    NodeId
}

impl TenantId {
    /// The tenant of a new installation.
    pub fn default_tenant() -> Self {
        Self("default".into())
    }
}

impl ClientId {
    /// A new client id.
    pub fn generate(random: &Random) -> Self {
        Self(text(random, ALPHANUMERIC, 32))
    }

    /// The `sub` of a client credentials token, which no user's id can equal: `<client_id>@clients`.
    pub fn subject(&self) -> String {
        format!("{}@clients", self.0)
    }
}

impl ApiId {
    /// A new API id.
    pub fn generate(random: &Random) -> Self {
        Self(text(random, HEX, 24))
    }
}

impl ClientGrantId {
    /// A new client grant id.
    pub fn generate(random: &Random) -> Self {
        Self(format!("cgr_{}", text(random, ALPHANUMERIC, 16)))
    }
}

impl UserId {
    /// A new user id of the database connections' provider.
    pub fn generate(random: &Random) -> Self {
        Self(format!("auth0|{}", text(random, HEX, 24)))
    }
}

impl ConnectionId {
    /// A new connection id.
    pub fn generate(random: &Random) -> Self {
        Self(format!("con_{}", text(random, ALPHANUMERIC, 16)))
    }
}

impl RoleId {
    /// A new role id.
    pub fn generate(random: &Random) -> Self {
        Self(format!("rol_{}", text(random, ALPHANUMERIC, 16)))
    }
}

impl AdministratorId {
    /// A new administrator id.
    pub fn generate(random: &Random) -> Self {
        Self(format!("adm_{}", text(random, ALPHANUMERIC, 16)))
    }
}

impl CredentialId {
    /// A new credential id.
    pub fn generate(random: &Random) -> Self {
        Self(format!("cred_{}", text(random, ALPHANUMERIC, 22)))
    }
}

impl KeyId {
    /// A new key id.
    pub fn generate(random: &Random) -> Self {
        Self(text(random, URL_SAFE, 21))
    }
}

impl NodeId {
    /// A new node id.
    pub fn generate(random: &Random) -> Self {
        Self(format!("nod_{}", text(random, ALPHANUMERIC, 16)))
    }
}

/// A new client secret: 64 base64url characters, 384 random bits.
pub fn client_secret(random: &Random) -> crate::secret::Secret {
    crate::secret::Secret::new(text(random, URL_SAFE, 64))
}

/// A new key that lets its holder in, as a browser's session or a link does: 43 base64url characters, 258 random bits.
pub fn session_key(random: &Random) -> crate::secret::Secret {
    crate::secret::Secret::new(text(random, URL_SAFE, 43))
}

/// A new request id: 20 hexadecimal digits, as in `X-Auth0-RequestId`.
pub fn request_id(random: &Random) -> String {
    text(random, HEX, 20)
}

/// A new short id of letters and digits, for a row that nobody outside names.
pub fn row_id(random: &Random) -> String {
    text(random, ALPHANUMERIC, 22)
}

/// The same for a row of a table to which many are added: in the order of time, so that new rows are neighbours in the
/// table's index.
pub fn row_id_at(now: Timestamp, random: &Random) -> String {
    format!("{:012x}{}", now.ms(), row_id(random))
}

/// `length` characters of `alphabet`, each equally likely: bytes past the last whole multiple are drawn again.
fn text(random: &Random, alphabet: &[u8], length: usize) -> String {
    let limit = 256 - 256 % alphabet.len();
    let mut out = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while out.len() < length {
        random.fill(&mut bytes);
        for byte in bytes {
            if usize::from(byte) < limit && out.len() < length {
                out.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_auth0s_formats() {
        let random = Random::system();
        let client = ClientId::generate(&random);
        assert_eq!(client.as_str().len(), 32);
        assert!(client.as_str().bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(ApiId::generate(&random).as_str().len(), 24);
        assert_eq!(KeyId::generate(&random).as_str().len(), 21);
        assert!(UserId::generate(&random).as_str().starts_with("auth0|"));
        assert_eq!(client_secret(&random).expose().len(), 64);
        assert_ne!(client_secret(&random).expose(), client_secret(&random).expose());
    }
}
