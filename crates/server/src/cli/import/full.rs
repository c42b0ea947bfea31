//! `tokenhouse import full`: a tenant as it was, with its ids, times, hashes and secrets.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde_json::{Map, json};

use tokenhouse_protocol::secret::Secret;

use crate::cli::Failure;
use crate::cli::output::{fields, print};
use crate::cli::place::Place;
use crate::registry::full::{self, Counts};
use crate::tenant::Tenant;

/// Brings a full export into an empty tenant.
pub(super) async fn import(tenant: &Tenant, place: &Place, path: &Path, passphrase: &Secret) -> Result<(), Failure> {
    let file =
        File::open(path).map_err(|error| Failure::because(format!("{} cannot be read", path.display()), error))?;
    let counts = full::import(tenant, passphrase, BufReader::with_capacity(256 * 1024, file)).await?;
    report(place, &counts)
}

/// What moved, by table.
pub(in crate::cli) fn report(place: &Place, counts: &Counts) -> Result<(), Failure> {
    if place.is_json() {
        let pairs = counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count)));
        return place.print_json(&pairs.collect::<Map<_, _>>().into());
    }
    let rows: Vec<(&str, String)> = counts.iter().map(|(name, count)| (*name, count.to_string())).collect();
    print(&fields(&rows))
}
