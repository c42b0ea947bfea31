//! The hosts of `tokenhouse dev`: which of them mean its first tenant, and for which its certificate is made. Those that
//! lead to a tenant of their own are among the latter, and a tenant that is made while `dev` runs is served at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::StoreError;

use super::authority::Authority;
use crate::app::App;
use crate::cli::Failure;
use crate::host;
use crate::tenant::{Issuer, without_port};
use crate::tls::Tls;

/// How often it is looked whether the tenants have other hosts.
const LOOK: Duration = Duration::from_secs(1);

/// Takes a name as `--host` is given it, in any case, and answers the host without a port: it may be reached on any.
///
/// Refuses what no request can name; the text says how to write it.
pub fn named(text: &str) -> Result<String, String> {
    let host = host::checked(&text.to_ascii_lowercase())?;
    Ok(without_port(&host).to_owned())
}

/// The hosts that mean this machine, and those that were named.
pub fn of_this_machine(named: &[String], issuer: &Issuer) -> Vec<String> {
    let mut hosts = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
    hosts.extend_from_slice(named);
    let own = issuer.host().to_owned();
    if !hosts.contains(&own) {
        hosts.push(own);
    }
    hosts
}

/// The certificate of `dev --https`, for its own hosts and for the tenants'.
pub struct Certificate {
    app: Arc<App>,
    authority: Arc<Authority>,
    own: Vec<String>,
    /// When the first was made: tests move the clock, and verifiers elsewhere do not.
    made_at: Timestamp,
    names: Vec<String>,
    tls: Tls,
}

impl Certificate {
    /// Makes it; `own` are the hosts that mean the first tenant.
    pub async fn make(app: Arc<App>, authority: Arc<Authority>, own: Vec<String>) -> Result<Self, Failure> {
        let made_at = app.house.clock.now();
        let names = names(&app, &own).await?;
        let tls = authority.serve_as(&names, made_at)?;
        Ok(Self {
            app,
            authority,
            own,
            made_at,
            names,
            tls,
        })
    }

    /// What to serve with.
    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Makes it anew whenever the tenants have other hosts, until `stop` says so.
    pub async fn follow(mut self, mut stop: watch::Receiver<bool>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            if let Err(Failure(error)) = self.renew().await {
                tracing::warn!(%error, "the certificate does not follow the tenants' hosts; it is tried again");
            }
        }
    }

    async fn renew(&mut self) -> Result<(), Failure> {
        let names = names(&self.app, &self.own).await?;
        if names != self.names {
            self.tls.replace(&self.authority.serve_as(&names, self.made_at)?);
            self.names = names;
        }
        Ok(())
    }
}

/// What the certificate is for: these hosts, and those that lead to a tenant.
async fn names(app: &App, own: &[String]) -> Result<Vec<String>, StoreError> {
    let mut names = own.to_vec();
    for host in app.house.store.all_hosts().await? {
        // Earlier versions kept hosts that are none, which no certificate can name.
        let Ok(name) = named(&host) else { continue };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_in_any_case_and_without_its_port() {
        for (given, expected) in [
            ("Dev.Example", "dev.example"),
            ("x.test:4403", "x.test"),
            ("fd00::2", "[fd00::2]"),
            ("[FD00::2]:4000", "[fd00::2]"),
        ] {
            assert_eq!(named(given).as_deref(), Ok(expected), "{given}");
        }
        for bad in ["a b", "https://foo.test/", "*.localhost", ""] {
            assert!(named(bad).unwrap_err().contains("is no host"), "{bad}");
        }
    }
}
