//! When a person or the system asks a command to end, or a server to read its files again.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears Ctrl-C and SIGTERM from the moment it is made, so that none that comes early kills the process outright.
pub(super) struct Stop {
    #[cfg(unix)]
    signals: Option<(Signal, Signal)>,
}

impl Stop {
    /// Begins to listen. Where no handler can be had, the system's own end of the process has to do.
    pub(super) fn listen() -> Self {
        Self {
            #[cfg(unix)]
            signals: signal(SignalKind::interrupt())
                .ok()
                .zip(signal(SignalKind::terminate()).ok()),
        }
    }

    /// Waits until somebody asks; asked again, it hears the next one.
    pub(super) async fn asked(&mut self) {
        #[cfg(unix)]
        if let Some((interrupt, terminate)) = &mut self.signals {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Hears SIGHUP from the moment it is made: by it systemd and administrators ask a server to read its files again.
pub(super) struct Reload {
    #[cfg(unix)]
    signal: Option<Signal>,
}

impl Reload {
    /// Begins to listen.
    pub(super) fn listen() -> Self {
        Self {
            #[cfg(unix)]
            signal: signal(SignalKind::hangup()).ok(),
        }
    }

    /// Waits until somebody asks; for ever where nobody can.
    pub(super) async fn asked(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
