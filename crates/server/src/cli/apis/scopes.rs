//! The scopes of an API: what its tokens may allow.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{SECRET, address};
use crate::cli::Failure;
use crate::cli::management::Management;
use crate::cli::output::{table, text};
use crate::cli::place::Place;
use crate::cli::properties::Properties;

#[derive(Debug, Subcommand)]
pub(super) enum Scopes {
    /// List an API's scopes
    #[command(visible_alias = "ls")]
    List {
        /// Its identifier or its id
        #[arg(value_name = "IDENTIFIER")]
        api: String,
    },
    /// Let an API's tokens allow more
    Add {
        /// Its identifier or its id
        #[arg(value_name = "IDENTIFIER")]
        api: String,
        /// Scopes, each with a description if you like
        #[arg(required = true, value_name = "SCOPE[=DESCRIPTION]", value_parser = scope)]
        scopes: Vec<Value>,
    },
    /// Let an API's tokens allow less; users and roles lose it
    #[command(visible_alias = "rm")]
    Remove {
        /// Its identifier or its id
        #[arg(value_name = "IDENTIFIER")]
        api: String,
        /// Scopes
        #[arg(required = true, value_name = "SCOPE")]
        scopes: Vec<String>,
    },
}

pub(super) async fn run(api: &Management, place: &Place, action: Scopes) -> Result<(), Failure> {
    match action {
        Scopes::List { api: named } => list(api, place, &named).await,
        Scopes::Add { api: named, scopes } => change(api, place, &named, scopes, &[]).await,
        Scopes::Remove { api: named, scopes } => change(api, place, &named, Vec::new(), &scopes).await,
    }
}

/// An API's scopes without some and with others, which come last unless they are there already.
pub(super) fn changed(api: &Value, add: Vec<Value>, remove: &[String]) -> Result<Vec<Value>, Failure> {
    let mut scopes = api["scopes"].as_array().cloned().unwrap_or_default();
    for gone in remove {
        let place = scopes.iter().position(|scope| scope["value"] == *gone);
        let place = place.ok_or_else(|| Failure(format!("the API has no scope {gone}: `apis show` lists them")))?;
        scopes.remove(place);
    }
    for new in add {
        match scopes.iter_mut().find(|scope| scope["value"] == new["value"]) {
            // Without a description it stays as it was described.
            Some(_) if new["description"].is_null() => {}
            Some(held) => *held = new,
            None => scopes.push(new),
        }
    }
    Ok(scopes)
}

/// Reads a scope, and its description if it has one.
pub(super) fn scope(text: &str) -> Result<Value, String> {
    let (value, description) = match text.split_once('=') {
        Some((value, description)) => (value, Some(description)),
        None => (text, None),
    };
    if value.is_empty() {
        return Err("write it like read:reports or 'read:reports=Read reports'".into());
    }
    Ok(Properties::default()
        .with("value", Some(value))
        .with("description", description)
        .body())
}

/// What stands above scopes.
const HEADING: [&str; 2] = ["SCOPE", "DESCRIPTION"];

/// Scopes for people; none where there are none.
pub(super) fn scope_table(api: &Value) -> Option<String> {
    let rows = rows(api);
    (!rows.is_empty()).then(|| table(&HEADING, &rows))
}

fn rows(api: &Value) -> Vec<Vec<String>> {
    let row = |scope: &Value| vec![text(scope, "value"), text(scope, "description")];
    api["scopes"].as_array().into_iter().flatten().map(row).collect()
}

async fn list(api: &Management, place: &Place, named: &str) -> Result<(), Failure> {
    let found = api.get_without(&address(named), SECRET).await?;
    place.print_list(
        &found["scopes"],
        &HEADING,
        &rows(&found),
        "It has no scopes yet: `tokenhouse apis scopes add` gives it some.",
    )
}

async fn change(
    api: &Management,
    place: &Place,
    named: &str,
    add: Vec<Value>,
    remove: &[String],
) -> Result<(), Failure> {
    let before = api.get_without(&address(named), SECRET).await?;
    let changes = json!({ "scopes": changed(&before, add, remove)? });
    api.patch(&address(&text(&before, "id")), changes).await?;
    list(api, place, named).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_may_have_a_description_that_holds_anything() {
        let with = scope("read:x=Read x = y").unwrap();
        assert_eq!(with, json!({ "value": "read:x", "description": "Read x = y" }));
        assert_eq!(scope("read:x").unwrap(), json!({ "value": "read:x" }));
        assert!(scope("=x").is_err());
    }
}
