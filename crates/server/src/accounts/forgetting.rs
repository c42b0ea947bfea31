//! Removed users in the log: every line about them says what happened, and no more who it was. They get a pseudonym;
//! their names and addresses go, and what was written about them (docs/threats.md, "Privacy").

use std::collections::HashMap;

use serde_json::{Value, json};

use tokenhouse_protocol::id::{TenantId, UserId};
use tokenhouse_store::{Forgetting, ForgottenUser, LogRow, Store, StoreError, normalise};

use crate::percent;
use crate::tenant::House;

/// What stands where a removed user's name stood.
const DELETED: &str = "deleted";
/// Lines of administrators: the address and the program are theirs, not the user's.
const OF_ADMINISTRATORS: [&str; 3] = ["sapi", "fapi", "mgmt_api_read"];
/// Where a user's name may stand without being looked for inside a text.
const NAMED: [&str; 6] = ["user_name", "username", "name", "nickname", "email", "identifier"];
/// What ends a word, beside blanks.
const BETWEEN: &str = "\"'`/,;()<>?&=[]{}";
/// Steps of one round.
const STEPS: usize = 100;

/// Takes the next steps through the logs of all tenants, if anybody is to be forgotten; called about once a second.
///
/// Ends early when there is much to do, and goes on in the next round.
pub async fn round(house: &House) -> Result<(), StoreError> {
    for _ in 0..STEPS {
        let Some(step) = house.store.forgetting().await? else {
            return Ok(());
        };
        let known = Known::of(&house.store, &step).await?;
        let rewritten: Vec<LogRow> = step.rows.iter().filter_map(|row| known.rewritten(row)).collect();
        house.store.forgotten(&step, &rewritten).await?;
    }
    Ok(())
}

/// The users of a step, by what they are called.
struct Known<'a> {
    by_id: HashMap<&'a str, &'a ForgottenUser>,
    by_name: HashMap<String, &'a ForgottenUser>,
    /// Those whose id or name somebody else has by now: what was written later is about that other.
    again: Vec<&'a ForgottenUser>,
}

impl<'a> Known<'a> {
    async fn of(store: &Store, step: &'a Forgetting) -> Result<Self, StoreError> {
        let mut by_id = HashMap::new();
        let mut by_name = HashMap::new();
        let mut again = Vec::new();
        for user in &step.users {
            by_id.insert(user.id.as_str(), user);
            by_name.extend(user.names.iter().map(|name| (normalise(name), user)));
            let has_later = step.rows.iter().any(|row| row.at > user.removed_at);
            if has_later && is_taken(store, &step.tenant, user).await? {
                again.push(user);
            }
        }
        Ok(Self { by_id, by_name, again })
    }

    /// A line without the users in it; `None` if it has none of them.
    fn rewritten(&self, row: &LogRow) -> Option<LogRow> {
        let id = row.user_id.as_ref().map(UserId::as_str);
        let about = id.and_then(|id| self.here(self.by_id.get(id).copied(), row));
        let mut new = row.clone();
        if let Some(user) = about {
            new.user_id = Some(user.pseudonym.clone());
            unname(&mut new);
        }
        let walk = Walk {
            known: self,
            row,
            // Of a line about somebody else the names are that one's.
            has_names: id.is_none() || about.is_some(),
        };
        for (name, value) in &mut new.body {
            walk.value(name, value);
        }
        (new != *row).then_some(new)
    }

    /// The user, if the line can be about them.
    fn here(&self, user: Option<&'a ForgottenUser>, row: &LogRow) -> Option<&'a ForgottenUser> {
        user.filter(|user| row.at <= user.removed_at || !self.again.contains(user))
    }
}

/// A line in which users are looked for by their ids and names.
struct Walk<'a> {
    known: &'a Known<'a>,
    row: &'a LogRow,
    has_names: bool,
}

impl Walk<'_> {
    fn value(&self, name: &str, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(new) = self.text(name, text) {
                    *text = new;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(name, item)),
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| self.value(name, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text without the users in it; `None` if there are none.
    fn text(&self, name: &str, text: &str) -> Option<String> {
        if NAMED.contains(&name) && self.named(text).is_some() {
            return Some(DELETED.into());
        }
        let is_between = |c: char| c.is_whitespace() || BETWEEN.contains(c);
        let mut new = String::new();
        let mut is_changed = false;
        for part in text.split_inclusive(is_between) {
            let word = part.trim_end_matches(|c: char| is_between(c) || c == '.' || c == ':');
            match self.word(word) {
                Some(other) => {
                    is_changed = true;
                    new.push_str(&other);
                    new.push_str(&part[word.len()..]);
                }
                None => new.push_str(part),
            }
        }
        is_changed.then_some(new)
    }

    /// What stands for a word that is a user's id or address.
    fn word(&self, word: &str) -> Option<String> {
        if !word.contains(['|', '@', '%']) && !self.known.by_id.contains_key(word) {
            return None;
        }
        let decoded = percent::decoded(word)?;
        let user = self.known.by_id.get(decoded.as_str()).copied();
        if let Some(user) = self.known.here(user, self.row) {
            return Some(user.pseudonym.to_string());
        }
        let named = decoded.contains('@').then(|| self.named(&decoded)).flatten();
        named.map(|_| DELETED.into())
    }

    fn named(&self, name: &str) -> Option<&ForgottenUser> {
        let user = self.known.by_name.get(&normalise(name)).copied();
        self.known.here(user, self.row).filter(|_| self.has_names)
    }
}

/// Whether somebody has the id or a name of a user who was removed.
async fn is_taken(store: &Store, tenant: &TenantId, user: &ForgottenUser) -> Result<bool, StoreError> {
    if store.user(tenant, &user.id).await?.is_some() {
        return Ok(true);
    }
    for name in &user.names {
        let by_email = store.users_by_email(tenant, name).await?;
        if !by_email.is_empty() || !store.users_by_username(tenant, name).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes out of a line about a user what is theirs.
fn unname(row: &mut LogRow) {
    if !OF_ADMINISTRATORS.contains(&row.kind.as_str()) {
        row.address = None;
        row.body.remove("user_agent");
        row.body.remove("auth0_client");
        row.body.insert("user_name".into(), json!(DELETED));
        return;
    }
    let Some(details) = row.body.get_mut("details") else {
        return;
    };
    if let Some(body) = details.pointer_mut("/request/body") {
        *body = Value::Null;
    }
    if let Some(answer) = details.pointer_mut("/response/body").and_then(Value::as_object_mut) {
        answer.retain(|name, _| name == "user_id" || name == "errorCode");
    }
}
