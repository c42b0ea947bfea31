//! Moving in: users and configuration from elsewhere, over the Management API and on the command line.

mod command_line;
mod configuration;
mod jobs;
mod whole;
