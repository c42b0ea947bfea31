//! `tokenhouse keys`: the keys that sign tokens (CONTRACT §4.9; DESIGN §6).

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use tokenhouse_protocol::crypto::Algorithm;

use super::management::{Management, path};
use super::output::{fields, print, text};
use super::place::Place;
use super::{Failure, apis};
use crate::registry::keys::{JWKS_MAX_AGE_S, RSA_BITS};

/// Where the keys are.
const KEYS: &str = "keys/signing";

#[derive(Args, Debug)]
#[command(after_help = "\
The next key is published before it signs, so a rotation refuses no valid token. A running server and the APIs pick \
changes up by themselves.

Examples:
  tokenhouse keys list
  tokenhouse keys rotate
  tokenhouse keys revoke KID")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the keys
    #[command(visible_alias = "ls")]
    List,
    /// Show a key with its certificate
    Show {
        /// The key's id
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Let the next key sign, and make another next one
    Rotate {
        /// The algorithm whose keys rotate
        #[arg(long = "alg", value_name = "ALG", default_value = "RS256", value_parser = apis::algorithm)]
        algorithm: Algorithm,
        /// At once, even if APIs may not know the next key yet
        #[arg(long)]
        now: bool,
        /// The size of every RSA key made from now on, the new next one first: 2048, 3072 or 4096
        #[arg(long, value_name = "BITS")]
        rsa_bits: Option<u32>,
    },
    /// Take a previous key out of use: every token it signed is refused from then on
    Revoke {
        /// The key's id
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_management(async |api| match action {
            Action::List => list(api, &place).await,
            Action::Show { kid } => show(&place, &key(api, &kid).await?),
            Action::Rotate {
                algorithm,
                now,
                rsa_bits,
            } => {
                if let Some(bits) = rsa_bits {
                    api.patch("tenants/settings", json!({ RSA_BITS: bits })).await?;
                }
                let graceful = (!now).to_string();
                let query = [("alg", algorithm.as_str()), ("graceful", graceful.as_str())];
                let address = format!("{KEYS}/rotate");
                let current = api.ask(Method::POST, &address, &query, Value::Null).await?;
                let current = text(&current, "kid");
                let told = format!("{current} signs {algorithm} tokens now; those signed before stay valid.");
                changed(api, &place, &current, &told).await
            }
            Action::Revoke { kid } => {
                let address = path(["keys", "signing", &kid, "revoke"]);
                api.ask(Method::PUT, &address, &[], Value::Null).await?;
                let told = format!(
                    "Revoked {kid}: it is no longer published. APIs refuse its tokens when they next look, within \
                     {JWKS_MAX_AGE_S} s."
                );
                changed(api, &place, &kid, &told).await
            }
        })
        .await
}

/// The keys of every algorithm, each with its algorithm.
async fn keys(api: &Management) -> Result<Vec<Value>, Failure> {
    let mut all = Vec::new();
    // HS256 has no key pairs: each API has a secret of its own.
    for algorithm in Algorithm::SIGNING
        .into_iter()
        .filter(|algorithm| *algorithm != Algorithm::Hs256)
    {
        let found = api.get(KEYS, &[("alg", algorithm.as_str())]).await?;
        for mut key in found.as_array().cloned().unwrap_or_default() {
            key["alg"] = json!(algorithm.as_str());
            all.push(key);
        }
    }
    Ok(all)
}

async fn key(api: &Management, kid: &str) -> Result<Value, Failure> {
    let mut key = api.get(&path(["keys", "signing", kid]), &[]).await?;
    if key["alg"].is_null() {
        // Auth0 names none, since all are of this one.
        key["alg"] = json!(Algorithm::Rs256.as_str());
    }
    Ok(key)
}

async fn list(api: &Management, place: &Place) -> Result<(), Failure> {
    let found = keys(api).await?;
    let row = |key: &Value| vec![text(key, "kid"), text(key, "alg"), state(key).to_owned(), since(key)];
    let rows: Vec<_> = found.iter().map(row).collect();
    place.print_list(
        &Value::Array(found),
        &["KEY", "ALGORITHM", "STATE", "SINCE"],
        &rows,
        "There are none.",
    )
}

fn show(place: &Place, key: &Value) -> Result<(), Failure> {
    if place.is_json() {
        return place.print_json(key);
    }
    print(&fields(&[
        ("Key", text(key, "kid")),
        ("Algorithm", text(key, "alg")),
        ("State", state(key).into()),
        ("Since", since(key)),
        ("Fingerprint", text(key, "fingerprint")),
    ]))?;
    match text(key, "cert") {
        certificate if certificate.is_empty() => Ok(()),
        certificate => print(&format!("\n{}", certificate.trim_end())),
    }
}

async fn changed(api: &Management, place: &Place, kid: &str, told: &str) -> Result<(), Failure> {
    match place.is_json() {
        true => place.print_json(&key(api, kid).await?),
        false => print(told),
    }
}

fn state(key: &Value) -> &'static str {
    let states = ["current", "next", "previous", "revoked"];
    states.into_iter().find(|state| key[*state] == true).unwrap_or_default()
}

/// Since when the key is in its state; a next key does not say.
fn since(key: &Value) -> String {
    text(
        key,
        match state(key) {
            "current" => "current_since",
            "previous" => "current_until",
            "revoked" => "revoked_at",
            _ => "",
        },
    )
}
