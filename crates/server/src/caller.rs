//! Who is at the door: what a room may know of a request beside its parameters.

use std::net::{IpAddr, Ipv6Addr};

use serde_json::{Value, json};

use tokenhouse_protocol::id::AdministratorId;

/// Longest user agent that is kept, in characters.
const USER_AGENT_CHARS: usize = 512;

/// Through which door a request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// The public HTTP endpoints.
    Api,
    /// The console, in an administrator's browser.
    Console,
    /// The command line on this machine.
    CommandLine,
}

impl Channel {
    /// The word in a log row.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
            Self::CommandLine => "command line",
        }
    }

    /// Whether tokens issued through it count, against quotas and as usage: those that an administrator tries things out
    /// with are nobody's (DESIGN §4, "The Test tab").
    pub fn is_counted(self) -> bool {
        match self {
            Self::Api => true,
            Self::CommandLine | Self::Console => false,
        }
    }
}

/// An administrator, as the log names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedIn {
    /// Their id.
    pub id: AdministratorId,
    /// Their e-mail address.
    pub email: String,
}

impl SignedIn {
    /// Them in a log row.
    pub fn to_json(&self) -> Value {
        json!({ "id": self.id, "email": self.email })
    }
}

/// The one who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Through which door.
    pub channel: Channel,
    /// Who is signed in to the console.
    pub administrator: Option<SignedIn>,
    /// The peer's address.
    pub address: IpAddr,
    /// The end user's address as `auth0-forwarded-for` says it: believed only of an application that proved itself and
    /// is trusted with it (CONTRACT §1.1).
    pub forwarded_for: Option<IpAddr>,
    /// The `User-Agent`, cut to a bounded length.
    pub user_agent: String,
    /// The host that was asked, as the tenant knows it.
    pub host: String,
    /// Names the request in the log and in the answer.
    pub request_id: String,
    /// The `Auth0-Client` header of Auth0's SDKs, decoded: name, version, environment.
    pub auth0_client: Option<Value>,
}

/// Who an address stands for where attempts are counted: an IPv6 network of 64 bits is one subscriber, who has
/// every address in it.
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        IpAddr::V4(v4) => IpAddr::V4(v4),
    }
}

impl Caller {
    /// Cuts a user agent to what is kept.
    pub fn bounded_user_agent(text: &str) -> String {
        text.chars()
            .filter(|c| !c.is_control())
            .take(USER_AGENT_CHARS)
            .collect()
    }
}
