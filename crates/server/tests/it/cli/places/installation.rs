//! An installation as a test of both compares it: what it says, with what is its own masked.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use std::collections::BTreeMap;
use std::process::Output;

use serde_json::{Value, json};

use crate::cli::fixture::stdout;

/// What differs between two installations, whatever was done: ids, secrets, instants, and keys with what is made of them.
const OWN: [&str; 20] = [
    "_id",
    "audience",
    "cert",
    "client_id",
    "client_secret",
    "created_at",
    "current_since",
    "current_until",
    "date",
    "fingerprint",
    "id",
    "kid",
    "log_id",
    "picture",
    "pkcs7",
    "source_id",
    "thumbprint",
    "updated_at",
    "last_password_reset",
    "user_id",
];
/// An installation, and what was made in it.
pub(super) struct Place<'a> {
    run: &'a dyn Fn(&[&str]) -> Output,
    known: BTreeMap<String, String>,
    issuer: String,
}

impl<'a> Place<'a> {
    pub(super) fn new(issuer: &str, key: &str, run: &'a dyn Fn(&[&str]) -> Output) -> Self {
        Self {
            run,
            known: BTreeMap::from([("key".to_owned(), key.to_owned())]),
            issuer: issuer.to_owned(),
        }
    }

    /// What a command says to people, with what is this place's own masked.
    pub(super) fn told(&mut self, line: &str) -> (bool, String) {
        let output = self.run(line, &[]);
        let said = [stdout(&output), String::from_utf8(output.stderr).unwrap()].join("\n");
        let words = said.split_inclusive(char::is_whitespace).map(|word| {
            let text = word.trim_end();
            match text.len() >= 16 && is_own(text) {
                true => word.replace(text, "*"),
                false => word.to_owned(),
            }
        });
        let said: String = words.collect();
        // Flags that name the place are in commands to be pasted.
        let said = said.replace(&self.issuer, "ISSUER").replace(" --server ISSUER", "");
        let from = said.find(" --data ").map(|begin| {
            let end = said[begin + 8..].find(' ').map_or(said.len(), |end| begin + 8 + end);
            said[begin..end].to_owned()
        });
        let said = from.map_or(said.clone(), |data| said.replace(&data, ""));
        // Columns are as wide as what was masked, and rows in the order of ids.
        let lines = said
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        (output.status.success(), lines.join("\n"))
    }

    /// What it says to programs.
    pub(super) fn json(&mut self, line: &str) -> (bool, Value) {
        let output = self.run(line, &["--json"]);
        let said = stdout(&output).replace(&self.issuer, "ISSUER");
        let mut said: Value = match said.is_empty() {
            true => Value::Null,
            false => serde_json::from_str(&said).unwrap_or_else(|_| panic!("{line}: {said}")),
        };
        mask(&mut said);
        (output.status.success(), said)
    }

    fn run(&mut self, line: &str, more: &[&str]) -> Output {
        let (line, keep) = match line.split_once(" =") {
            Some((line, keep)) => (line, Some(keep)),
            None => (line, None),
        };
        let words = line.split(' ').map(|word| {
            let name = word.strip_prefix('{').and_then(|word| word.strip_suffix('}'));
            name.and_then(|name| self.known.get(name))
                .map_or(word, String::as_str)
                .to_owned()
        });
        let words: Vec<String> = words.collect();
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.extend(more);
        let output = (self.run)(&words);
        if let Some(keep) = keep {
            let said = stdout(&output);
            // In text, the id is the last word of the first line that names one.
            let id = match serde_json::from_str::<Value>(&said) {
                Ok(made) => ["user_id", "id", "client_id"]
                    .into_iter()
                    .find_map(|name| made[name].as_str().map(str::to_owned)),
                Err(_) => said
                    .lines()
                    .find(|line| {
                        ["Client ID", "User ID", "Role ID", "Id ", "Grant "]
                            .iter()
                            .any(|name| line.starts_with(name))
                    })
                    .and_then(|line| line.split_whitespace().last().map(str::to_owned)),
            };
            let id = id.unwrap_or_else(|| panic!("{line}: {output:?}"));
            self.known.insert(keep.to_owned(), id);
        }
        output
    }
}

/// Whether a word of a text is an id, a secret or an instant.
fn is_own(word: &str) -> bool {
    let word = word.trim_matches(['(', ')', ':', ';', ',', '.', '`', '\'']);
    let is_instant = word.ends_with('Z') && word.contains('T') && word.starts_with("20");
    let is_random = word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_uppercase());
    let is_id = ["auth0|", "rol_", "cgr_", "cred_", "client_id=", "client_secret="]
        .iter()
        .any(|begin| word.starts_with(begin));
    let is_hex = word.len() == 24 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let is_key = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/+=".contains(&b)) && word.len() >= 20;
    is_instant || is_random || is_id || is_hex || is_key
}

/// Masks what is this place's own; that it is there stays to be seen.
fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if OWN.contains(&name.as_str()) && value.is_string() {
                    *value = json!("*");
                }
                mask(value);
            }
        }
        Value::Array(items) => {
            // The samples know the ports on which `dev` was started.
            items.retain(|item| !item.as_str().is_some_and(|text| text.starts_with("http://localhost:")));
            items.iter_mut().for_each(mask);
            // Things are in the order of their ids.
            if items.iter().any(|item| item.to_string().contains("\"*\"")) {
                items.sort_by_key(Value::to_string);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
