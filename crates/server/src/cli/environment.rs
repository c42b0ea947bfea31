//! Variables that belong to the person at the terminal, such as where their folders are; what belongs to a server is in
//! its configuration (`crate::config`).

/// A variable's value; empty is as good as not set.
pub(super) fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks for a user's own variables"
    )]
    let value = std::env::var(name);
    value.ok().filter(|value| !value.is_empty())
}
