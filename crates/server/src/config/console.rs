//! The section `[console]`: whether there is a console, for how long its administrators stay signed in, what it calls.

use serde::{Deserialize, Serialize};

/// `[console]`
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// Whether there is one at `/console/`.
    pub enabled: bool,
    /// Minutes after which an administrator who does nothing is signed out.
    pub idle_minutes: u32,
    /// Hours after which an administrator signs in anew, whatever they do.
    pub session_hours: u32,
    /// Whether the console's pages may call APIs on this machine and in private networks.
    pub allow_private_addresses: bool,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            enabled: true,
            idle_minutes: 30,
            session_hours: 12,
            allow_private_addresses: false,
        }
    }
}
