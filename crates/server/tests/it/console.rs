//! The console through its front door, as a browser sees it.

mod browser;
mod keys;
mod logs;
mod routes;
mod sign_in;
mod usage;
mod users;
