//! The console through its own door: pages as a browser gets them, forms as it sends them.

mod debugger;
mod desk;
mod inspector;
mod quickstart;
mod test_tab;
