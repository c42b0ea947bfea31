//! The console through its front door, as a browser sees it.

mod browser;
mod debugger;
mod desk;
mod inspector;
mod keys;
mod logs;
mod quickstart;
mod routes;
mod sign_in;
mod test_tab;
mod usage;
mod users;
