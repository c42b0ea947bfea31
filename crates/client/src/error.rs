//! Why there is no token, in words that help whoever reads the log. Never holds a secret or a token.

use std::fmt;

/// There is no token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The issuer refuses (RFC 6749 §5.2): the settings of this client or at the issuer have to change.
    Refused {
        /// The status of the answer.
        status: u16,
        /// The word for programs, such as `invalid_client`.
        error: String,
        /// The sentence for people.
        description: Option<String>,
        /// When another try makes sense.
        retry_after_seconds: u64,
    },
    /// The issuer does not answer, is overloaded, or asks for patience: 429, 5xx, a network failure.
    Unavailable {
        /// What happened.
        cause: String,
        /// When another try makes sense.
        retry_after_seconds: u64,
    },
    /// The answer is not what RFC 6749 §5.1 says.
    Answer {
        /// What is wrong with it.
        cause: String,
        /// When another try makes sense.
        retry_after_seconds: u64,
    },
}

impl Error {
    /// After how many seconds the client will ask again; until then it gives this error without asking.
    pub fn retry_after_seconds(&self) -> u64 {
        match self {
            Self::Refused {
                retry_after_seconds, ..
            }
            | Self::Unavailable {
                retry_after_seconds, ..
            }
            | Self::Answer {
                retry_after_seconds, ..
            } => *retry_after_seconds,
        }
    }

    /// The same error with another time to wait.
    pub(crate) fn after_seconds(mut self, seconds: u64) -> Self {
        match &mut self {
            Self::Refused {
                retry_after_seconds, ..
            }
            | Self::Unavailable {
                retry_after_seconds, ..
            }
            | Self::Answer {
                retry_after_seconds, ..
            } => *retry_after_seconds = seconds,
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                status,
                error,
                description,
                ..
            } => {
                write!(f, "the issuer refuses a token: {status} {error}")?;
                description
                    .as_ref()
                    .map_or(Ok(()), |description| write!(f, ": {description}"))
            }
            Self::Unavailable {
                cause,
                retry_after_seconds,
            } => {
                write!(f, "no token can be had for {retry_after_seconds} s: {cause}")
            }
            Self::Answer { cause, .. } => write!(f, "the issuer's answer is no token response: {cause}"),
        }
    }
}

impl std::error::Error for Error {}

/// A setting that makes no client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// Neither an issuer nor a token URL was named.
    NoEndpoint,
    /// No credentials were given.
    NoCredentials,
    /// An address that is no http or https URL.
    Address(String),
    /// An address with a user name or password in it, which logs would show.
    Password,
    /// A private key that cannot be used, and why.
    Key(String),
    /// No HTTP client could be made, for this reason: most often the machine has no root certificates.
    Client(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEndpoint => f.write_str("a token client needs an issuer or a token URL"),
            Self::NoCredentials => f.write_str(
                "a token client needs a client id, and a client secret or a private key, or else a refresh token",
            ),
            Self::Address(address) => write!(f, "\"{address}\" is not an http or https URL"),
            Self::Password => f.write_str("an address must not hold a user name or password"),
            Self::Key(reason) => write!(f, "the private key cannot be used: {reason}"),
            Self::Client(reason) => write!(f, "no HTTP client could be made: {reason}"),
        }
    }
}

impl std::error::Error for BuildError {}
