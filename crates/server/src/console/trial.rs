//! What pages that try things out need of the process: the way to call APIs, and where the sample API is.

use super::outbound::{Outbound, Reach};
use crate::config::Console;

/// What the Test tab, the Quickstart and the Debugger try things with.
pub struct Trial {
    /// Calls APIs.
    pub outbound: Outbound,
    /// Where the sample API is, in `dev`: `http://localhost:3010`.
    pub sample_api: Option<String>,
    /// The file of the local authority that `dev --https` serves with.
    pub ca_file: Option<String>,
}

/// The local authority of `dev --https`.
pub struct LocalAuthority {
    /// Its certificate, in PEM.
    pub pem: String,
    /// The file that it is in.
    pub file: String,
}

impl Trial {
    /// Within the reach that is configured, without samples.
    pub fn new(config: &Console) -> Self {
        let reach = match config.allow_private_addresses {
            true => Reach::Private,
            false => Reach::Public,
        };
        Self {
            outbound: Outbound::new(reach, None),
            sample_api: None,
            ca_file: None,
        }
    }

    /// On a developer's own machine: APIs beside this process are called, and its authority is trusted.
    pub fn in_dev(sample_api: String, authority: Option<LocalAuthority>) -> Self {
        let (pem, ca_file) = authority.map(|authority| (authority.pem, authority.file)).unzip();
        Self {
            outbound: Outbound::new(Reach::Private, pem),
            sample_api: Some(sample_api),
            ca_file,
        }
    }
}
