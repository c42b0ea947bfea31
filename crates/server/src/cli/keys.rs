//! `tokenhouse keys`: the keys that sign tokens (CONTRACT §4.9; DESIGN §6).

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::KeyId;
use tokenhouse_store::{Key, KeyState};

use super::output::{print, print_json, table};
use super::place::Place;
use super::{Failure, apis};
use crate::registry::{keys, tenants};
use crate::tenant::Tenant;

#[derive(Args, Debug)]
#[command(after_help = "\
The next key is published before it signs, so a rotation refuses no valid token. A running server and the APIs pick
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
    List,
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
        .with_tenant(async |tenant| match action {
            Action::List => list(tenant, &place).await,
            Action::Rotate {
                algorithm,
                now,
                rsa_bits,
            } => {
                if let Some(bits) = rsa_bits {
                    let setting = Map::from_iter([(keys::RSA_BITS.to_owned(), json!(bits))]);
                    tenants::update_settings(tenant, setting).await?;
                }
                let current = keys::rotate(tenant, algorithm, now).await?;
                let text = format!("{current} signs {algorithm} tokens now; those signed before stay valid.");
                changed(tenant, &place, &current, &text).await
            }
            Action::Revoke { kid } => {
                let kid = KeyId::new(kid);
                keys::revoke(tenant, &kid).await?;
                let text = format!(
                    "Revoked {kid}: it is no longer published. APIs refuse its tokens when they next look, within {} s.",
                    keys::JWKS_MAX_AGE_S
                );
                changed(tenant, &place, &kid, &text).await
            }
        })
        .await
}

async fn list(tenant: &Tenant, place: &Place) -> Result<(), Failure> {
    let found = keys::keys(tenant).await?;
    if place.json {
        return print_json(&found.iter().map(view).collect());
    }
    let row = |key: &Key| {
        vec![
            key.id.to_string(),
            key.algorithm.clone(),
            key.state.as_str().to_owned(),
            since(key),
        ]
    };
    print(&table(
        &["KEY", "ALGORITHM", "STATE", "SINCE"],
        &found.iter().map(row).collect::<Vec<_>>(),
    ))
}

async fn changed(tenant: &Tenant, place: &Place, id: &KeyId, text: &str) -> Result<(), Failure> {
    if !place.json {
        return print(text);
    }
    let found = keys::keys(tenant).await?;
    print_json(&found.iter().find(|key| key.id == *id).map(view).unwrap_or_default())
}

/// A key in the Management API's fields, and its algorithm. The certificate is in the JWKS.
fn view(key: &Key) -> Value {
    let mut view = Map::new();
    view.insert("kid".into(), json!(key.id));
    view.insert("alg".into(), json!(key.algorithm));
    view.insert("next".into(), json!(key.state == KeyState::Next));
    view.insert("current".into(), json!(key.state == KeyState::Current));
    view.insert("previous".into(), json!(key.state == KeyState::Previous));
    view.insert("revoked".into(), json!(key.state == KeyState::Revoked));
    view.insert("created_at".into(), json!(key.created_at.to_string()));
    let times = [
        ("current_since", key.current_at),
        ("current_until", key.previous_at),
        ("revoked_at", key.revoked_at),
    ];
    view.extend(
        times
            .into_iter()
            .filter_map(|(name, at)| Some((name.into(), json!(at?.to_string())))),
    );
    Value::Object(view)
}

/// Since when the key is in its state.
fn since(key: &Key) -> String {
    let at = match key.state {
        KeyState::Next => None,
        KeyState::Current => key.current_at,
        KeyState::Previous => key.previous_at,
        KeyState::Revoked => key.revoked_at,
    };
    at.unwrap_or(key.created_at).to_string()
}
