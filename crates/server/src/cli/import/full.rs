//! `tokenhouse import full`: a tenant as it was, with its ids, times, hashes and secrets.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde_json::{Map, Value, json};

use tokenhouse_protocol::secret::Secret;

use crate::cli::Failure;
use crate::cli::output::{fields, print};
use crate::cli::place::Place;
use crate::cli::recorded::recorded;
use crate::management::command::Command;
use crate::registry::full::{self, Counts};
use crate::tenant::Tenant;

/// Brings a full export into an empty tenant.
pub(super) async fn import(tenant: &Tenant, place: &Place, path: &Path, passphrase: &Secret) -> Result<(), Failure> {
    let file =
        File::open(path).map_err(|error| Failure::because(format!("{} cannot be read", path.display()), error))?;
    let command = Command::change("import full", "Import a full export");
    let work = async {
        let counts = full::import(tenant, passphrase, BufReader::with_capacity(256 * 1024, file)).await?;
        let told = rows(&counts);
        Ok((counts, told))
    };
    report(place, &recorded(tenant, command, work).await?)
}

/// What moved, by table.
pub(in crate::cli) fn report(place: &Place, counts: &Counts) -> Result<(), Failure> {
    if place.is_json() {
        return place.print_json(&rows(counts));
    }
    let rows: Vec<(&str, String)> = counts.iter().map(|(name, count)| (*name, count.to_string())).collect();
    print(&fields(&rows))
}

/// How many rows of each table.
pub(in crate::cli) fn rows(counts: &Counts) -> Value {
    let pairs = counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count)));
    pairs.collect::<Map<_, _>>().into()
}
