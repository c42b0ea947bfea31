//! Why a call from the console got no answer, in words that say what to do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;

use tokenhouse_protocol::error::causes;

use super::Kind;
use crate::console::words::no_answer;

/// There is no answer, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The URL or a header cannot be sent.
    Address(String),
    /// The request is larger than is sent from here.
    TooLong,
    /// The host is, or has, an address that may not be called from here.
    Forbidden {
        /// As it was typed.
        host: String,
        /// What it stands for.
        address: IpAddr,
        /// Why not.
        kind: Kind,
        /// Whether the configuration can allow it.
        is_negotiable: bool,
    },
    /// The host's name stands for nothing.
    Unknown {
        /// The name.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// Nobody listens there.
    Refused,
    /// The connection is not as https needs it: most often the certificate.
    Tls(String),
    /// It took too long.
    Timeout,
    /// What answered does not speak HTTP, or hung up.
    Protocol(String),
    /// Too many calls are being made from here.
    Busy,
    /// No calls can be made from here at all.
    Unusable(String),
}

impl Failure {
    /// What the client's error means.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(own) = error.downcast_ref::<Self>() {
                return own.clone();
            }
            if let Some(error) = error.downcast_ref::<io::Error>() {
                if error.kind() == io::ErrorKind::ConnectionRefused {
                    return Self::Refused;
                }
                if let Some(inner) = error.get_ref() {
                    cause = Some(inner);
                    continue;
                }
            }
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Self::Tls(error.to_string());
            }
            cause = error.source();
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        Self::Protocol(innermost(error))
    }
}

/// The last cause, which says the most in the fewest words.
fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    match last.to_string() {
        text if text.is_empty() => causes(error),
        text => text,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why) => f.write_str(&no_answer::address(why)),
            Self::TooLong => f.write_str(no_answer::TOO_LONG),
            Self::Forbidden {
                host,
                address,
                kind,
                is_negotiable,
            } => {
                let literal = address.to_string();
                f.write_str(&match host.trim_matches(['[', ']']) == literal {
                    true => no_answer::forbidden_address(&literal, kind),
                    false => no_answer::forbidden(host, &literal, kind),
                })?;
                match is_negotiable {
                    true => f.write_str(no_answer::MAY_BE_ALLOWED),
                    false => Ok(()),
                }
            }
            Self::Unknown { host, why } => f.write_str(&no_answer::unknown(host, why)),
            Self::Refused => f.write_str(no_answer::REFUSED),
            Self::Tls(why) => f.write_str(&no_answer::tls(why)),
            Self::Timeout => f.write_str(no_answer::TIMEOUT),
            Self::Protocol(why) => f.write_str(&no_answer::protocol(why)),
            Self::Busy => f.write_str(no_answer::BUSY),
            Self::Unusable(why) => f.write_str(&no_answer::unusable(why)),
        }
    }
}

impl Error for Failure {}
