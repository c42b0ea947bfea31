//! The log on stderr: for people or for machines, never with a secret in it.

use std::io::IsTerminal as _;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat, LogLevel};

/// Starts writing the log; what libraries say is written from warnings on.
pub(super) fn start(log: &Log) {
    let level = match log.level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    let filter = Targets::new()
        .with_default(level.min(Level::WARN))
        .with_target("tokenhouse", level)
        .with_target("tokenhouse_store", level)
        .with_target("tokenhouse_guard", level)
        .with_target("tokenhouse_client", level);
    let registry = tracing_subscriber::registry().with(filter);
    // A log that is there already, as in a test, stays.
    let _ = match log.format {
        LogFormat::Human => {
            let lines = fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(std::io::stderr().is_terminal());
            registry.with(lines).try_init()
        }
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
    };
}
