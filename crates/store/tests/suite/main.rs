//! The store's promises, each kept on SQLite in a file and on a real PostgreSQL. The latter is named by
//! `TOKENHOUSE_TEST_POSTGRES`, the address of a superuser; without it that half says that it did not run.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

mod client_keys;
mod forgotten_users;
mod groups;
mod jobs;
mod log_search;
mod logins;
mod moving;
mod names;
mod opening;
mod people;
mod permissions;
mod place;
mod quota_warnings;
mod quotas;
mod records;
mod revisions;
mod samples;
mod sharing;
mod totals;
mod usage;
