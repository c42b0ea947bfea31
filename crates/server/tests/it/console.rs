//! The console through its front door, as a browser sees it.

mod apis;
mod applicants;
mod applications;
pub(crate) mod browser;
mod debugger;
mod desk;
mod hostile;
mod inspector;
mod keys;
mod logs;
mod quickstart;
mod reference;
mod routes;
mod settings;
mod shown_once;
mod sign_in;
mod test_tab;
mod usage;
mod users;
mod words;
