//! People: their passwords and the limits on trying them. Users and administrators go through the same code.

use std::sync::Arc;

use tokenhouse_protocol::time::Clock;

use crate::config::{Limits, Passwords as PasswordConfig};

pub mod attempts;
pub mod forgetting;
pub mod login;
pub mod password;
pub mod profile;
pub mod session;
pub mod sign_in;

use attempts::Attempts;
use password::Passwords;

/// What all tenants share of it.
pub struct Accounts {
    /// Hashing, on threads of its own.
    pub passwords: Passwords,
    /// Failed logins, counted.
    pub attempts: Attempts,
}

impl Accounts {
    /// Starts the password threads.
    pub fn new(
        passwords: &PasswordConfig,
        limits: &Limits,
        clock: Clock,
    ) -> Result<Arc<Self>, password::BadParameters> {
        Ok(Arc::new(Self {
            passwords: Passwords::new(passwords)?,
            attempts: Attempts::new(limits, clock),
        }))
    }
}
