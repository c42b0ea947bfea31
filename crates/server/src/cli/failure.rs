//! Why a command ended early: one sentence for the person who typed it.

use std::fmt::Display;

use tokenhouse_guard::BuildError;
use tokenhouse_store::{OpenError, StoreError};

use crate::app::StartError;
use crate::config::ConfigError;
use crate::registry::RegistryError;
use crate::serve::BindError;

/// One sentence for stderr that says what is wrong and what to do; the exit code is 1.
///
/// Empty where there is nobody to tell: whoever read stdout has gone, which is no failure of ours (exit code 0).
#[derive(Debug)]
pub struct Failure(pub String);

impl Failure {
    /// What failed and why, as in "cannot read x: permission denied".
    pub fn because(what: impl Display, why: impl Display) -> Self {
        Self(format!("{what}: {why}"))
    }

    /// The reader of stdout has gone, as `head` does.
    pub(super) fn nobody_reads() -> Self {
        Self(String::new())
    }
}

macro_rules! from {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        })*
    };
}

from!(
    StartError,
    RegistryError,
    StoreError,
    OpenError,
    ConfigError,
    BindError,
    BuildError
);
