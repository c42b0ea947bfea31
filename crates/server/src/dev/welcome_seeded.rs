//! What `tokenhouse dev --seed` tells: the same `dev.json`, with the applications and users of the seed.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::seeded::Seeded;
use super::welcome::{Places, Told};

/// `dev.json` of a seeded house.
#[derive(Serialize)]
pub struct SeededDevFile<'a> {
    issuer: &'a str,
    console_url: &'a str,
    token_url: String,
    jwks_url: String,
    api_url: &'a str,
    dev_url: String,
    #[serde(flatten)]
    seeded: &'a Seeded,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<&'a Path>,
}

impl<'a> SeededDevFile<'a> {
    /// What `dev.json` says.
    pub fn new(places: Places<'a>, seeded: &'a Seeded) -> Self {
        let Places {
            issuer,
            api_url,
            console_url,
            ca_file,
        } = places;
        Self {
            issuer: issuer.as_str(),
            console_url,
            token_url: issuer.url("oauth/token"),
            jwks_url: issuer.url(".well-known/jwks.json"),
            api_url,
            dev_url: issuer.url("dev/"),
            seeded,
            ca_file,
        }
    }

    /// All of it.
    pub fn told(&self) -> Told {
        Told::new(self, self.welcome())
    }

    fn welcome(&self) -> String {
        let Self {
            issuer,
            console_url,
            api_url,
            dev_url,
            seeded,
            ca_file,
            ..
        } = self;
        let mut text = format!(
            "Tokenhouse is ready, as the seed says.\n\n  Authorization server  {issuer}\n  Sample API            {api_url}\n  \
             Console               {console_url}\n  Audience              {}\n",
            seeded.audience
        );
        if let Some(file) = ca_file {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  Certificate to trust  {}", file.display());
        }
        for (name, application) in &seeded.applications {
            let id = application["client_id"].as_str().unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  Application           {id}   {name}");
        }
        let _ = writeln!(
            text,
            "\nFaults for tests, and back to normal:\n\n  \
             curl -X PUT {dev_url}faults/next_token -H 'tokenhouse-dev: 1' --json '{{\"is\":\"expired\"}}'\n  \
             curl -X DELETE {dev_url}state -H 'tokenhouse-dev: 1'\n\nCtrl-C ends it."
        );
        text
    }
}
