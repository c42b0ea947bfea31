//! The console through its front door, as a browser sees it.

mod browser;
mod routes;
mod sign_in;
