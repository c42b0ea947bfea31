//! Moving in: users from elsewhere, in batches of one transaction each, so that a million of them stream through
//! (CONTRACT §4.6). What comes in is a stranger's file: every record is bounded, checked, and named by its line if it
//! is not taken.

use std::fmt;

use serde_json::{Value, json};

pub mod django;
pub mod records;
pub mod transfers;
mod user;
pub mod users;

/// Why a record is not taken: Auth0's words (a job's errors), which its users know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// A word for programs.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The property, as in `#/email`; empty for the whole.
    pub path: String,
}

impl Problem {
    fn new(code: &'static str, property: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: match property.is_empty() {
                true => String::new(),
                false => format!("#/{property}"),
            },
        }
    }

    /// A record that could not be read at all.
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self::new("INVALID_FORMAT", "", message)
    }

    /// As a job's errors are answered.
    pub fn to_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message, "path": self.path })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "{} ({})", self.message, self.path),
        }
    }
}
