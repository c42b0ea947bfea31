//! What applications and users are found by: table `names`, and `namings` while it is filled.
//!
//! A name is kept from each of its words on, `Sample application` as `sample application` and as `application`, so that
//! one range of the table's key has all whose name, from some word on, begins with what was typed. Written with the row
//! that it names, and for rows that are older than the table in the background.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use tokenhouse_protocol::id::TenantId;

use crate::db::{Backend, execute, on};
use crate::{Client, StoreError, Tx, User};

mod called;
mod found;
mod older;

pub use found::Found;

/// Words of a name from which it is kept.
const MAX_WORDS: usize = 8;
/// Characters of a name that are kept from each word on; the rest is compared when it is found.
const MAX_CHARS: usize = 40;
/// Rows of one statement: SQLite binds 32 766 values, a row is four.
const ROWS_AT_ONCE: usize = 2000;
/// Comes after every hexadecimal digit.
const BEYOND: char = 'g';

/// An e-mail address or user name as it is looked up: without blanks around it, in Unicode's lower case.
pub fn normalise(login: &str) -> String {
    login.trim().to_lowercase()
}

/// What is found by its names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Named {
    Client,
    User,
}

/// One row of the table.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Name {
    tenant: TenantId,
    kind: Named,
    beginning: String,
    id: String,
}

/// Rows to be written or removed; of several about the same row the last one counts.
pub(crate) type Names = Vec<(Name, bool)>;

/// A record with names.
pub(crate) trait HasNames {
    const KIND: Named;
    fn named_id(&self) -> &str;
    /// Its names from each of their words on, in the form in which they are looked up.
    fn names(&self) -> Vec<String>;
}

impl HasNames for Client {
    const KIND: Named = Named::Client;

    fn named_id(&self) -> &str {
        self.id.as_str()
    }

    fn names(&self) -> Vec<String> {
        from_each_word(&self.name)
    }
}

impl HasNames for User {
    const KIND: Named = Named::User;

    fn named_id(&self) -> &str {
        self.id.as_str()
    }

    fn names(&self) -> Vec<String> {
        let carried = |name: &str| self.rest.get(name).and_then(serde_json::Value::as_str);
        let name = match carried("name") {
            Some(name) => name.to_owned(),
            None => [carried("given_name"), carried("family_name")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
        };
        let logins = [&self.email, &self.username].into_iter().flatten();
        let mut names: Vec<String> = logins.map(|login| searched(login)).collect();
        // What Auth0 calls somebody whose name it does not know is their e-mail address.
        if !names.contains(&searched(&name)) {
            names.extend(from_each_word(&name));
        }
        names.retain(|name| !name.is_empty());
        names
    }
}

impl Named {
    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::User => "user",
        }
    }
}

impl Tx<'_> {
    /// Keeps a record's names, and no more those of the record that it was.
    pub(crate) async fn name<T: HasNames>(
        &mut self,
        tenant: &TenantId,
        before: Option<&T>,
        now: Option<&T>,
    ) -> Result<(), StoreError> {
        let (old, new) = (rows(tenant, before), rows(tenant, now));
        let mut names: Names = Vec::new();
        names.extend(
            old.iter()
                .filter(|name| !new.contains(name))
                .map(|name| (name.clone(), false)),
        );
        names.extend(
            new.iter()
                .filter(|name| !old.contains(name))
                .map(|name| (name.clone(), true)),
        );
        // Apart, so that whoever changes a record does not carry the room for its names.
        Box::pin(self.write_names(names)).await
    }

    /// The same for several new records at once.
    pub(crate) async fn name_all<'r, T: HasNames + 'r>(
        &mut self,
        tenant: &TenantId,
        records: impl Iterator<Item = &'r T>,
    ) -> Result<(), StoreError> {
        let names = records.flat_map(|record| rows(tenant, Some(record)));
        Box::pin(self.write_names(names.map(|name| (name, true)).collect())).await
    }

    /// Writes and removes rows: in a group with those of the others.
    pub(crate) async fn write_names(&mut self, names: Names) -> Result<(), StoreError> {
        if let Backend::Turn(turn) = &mut self.backend {
            turn.name(names);
            return Ok(());
        }
        // In order, since that is the key's.
        let last: BTreeMap<Name, bool> = names.into_iter().collect();
        let sql = "delete from names where tenant_id = $1 and kind = $2 and beginning = $3 and named_id = $4";
        for (name, _) in last.iter().filter(|(_, is_kept)| !**is_kept) {
            let (tenant, kind) = (name.tenant.as_str(), name.kind.as_str());
            execute!(self, sql, tenant, kind, name.beginning.as_str(), name.id.as_str())?;
        }
        let kept: Vec<&Name> = last
            .iter()
            .filter(|(_, is_kept)| **is_kept)
            .map(|(name, _)| name)
            .collect();
        for some in kept.chunks(ROWS_AT_ONCE) {
            on!(tx: self, connection => {
                let mut query = QueryBuilder::new("insert into names (tenant_id, kind, beginning, named_id) ");
                query.push_values(some, |mut row, name| {
                    row.push_bind(name.tenant.as_str())
                        .push_bind(name.kind.as_str())
                        .push_bind(name.beginning.as_str())
                        .push_bind(name.id.as_str());
                });
                query.push(" on conflict do nothing");
                query.build().persistent(false).execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }
}

/// The rows of a record, each once.
fn rows<T: HasNames>(tenant: &TenantId, record: Option<&T>) -> Vec<Name> {
    let Some(record) = record else { return Vec::new() };
    let mut beginnings: Vec<String> = record.names().iter().map(|name| beginning(name)).collect();
    beginnings.sort_unstable();
    beginnings.dedup();
    let row = |beginning| Name {
        tenant: tenant.clone(),
        kind: T::KIND,
        beginning,
        id: record.named_id().to_owned(),
    };
    beginnings.into_iter().map(row).collect()
}

/// A text as names are compared: in Unicode's lower case, one blank between words.
fn searched(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// A name from each of its words on, the whole first.
fn from_each_word(name: &str) -> Vec<String> {
    let whole = searched(name);
    let mut was_letter = false;
    let mut starts = Vec::new();
    for (place, letter) in whole.char_indices() {
        let is_letter = letter.is_alphanumeric();
        if place == 0 || (is_letter && !was_letter) {
            starts.push(place);
        }
        was_letter = is_letter;
    }
    let words = starts.into_iter().take(MAX_WORDS);
    words
        .filter_map(|start| whole.get(start..).map(str::to_owned))
        .collect()
}

/// What the table has of a text: its first characters' bytes, as hexadecimal digits.
fn beginning(text: &str) -> String {
    let end = text
        .char_indices()
        .nth(MAX_CHARS)
        .map_or(text.len(), |(place, _)| place);
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    let bytes = text.bytes().take(end);
    bytes.flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_compared_without_case_and_surrounding_blanks() {
        assert_eq!(normalise("  User@Example.COM\t"), "user@example.com");
        assert_eq!(
            normalise("ÄÖÜ.Σίσυφος"),
            normalise("äöü.σίσυφοσ".to_uppercase().as_str())
        );
        assert_eq!(normalise("two words"), "two words");
    }

    #[test]
    fn a_name_is_kept_from_each_of_its_words_on() {
        assert_eq!(
            from_each_word("  Sample  (M2M) Application"),
            ["sample (m2m) application", "m2m) application", "application"]
        );
        assert_eq!(from_each_word("(x)"), ["(x)", "x)"]);
        assert_eq!(from_each_word("ÄRGER über"), ["ärger über", "über"]);
        assert_eq!(from_each_word(" "), [""; 0]);
        assert_eq!(from_each_word(&"a ".repeat(100)).len(), MAX_WORDS);
    }

    #[test]
    fn what_is_kept_is_short_and_orders_as_bytes_do() {
        assert_eq!(beginning("a b"), "612062");
        assert_eq!(beginning(&"é".repeat(1000)), "c3a9".repeat(MAX_CHARS));
        assert!(beginning("ab") < beginning("b") && beginning("z") < beginning("ä"));
    }
}
