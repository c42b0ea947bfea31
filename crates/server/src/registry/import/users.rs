//! Users come in: a batch is read, checked, and written in one transaction. Whoever is there already stays as they are,
//! or is brought up to date if that is wanted; bringing in the same file again changes nothing.

use std::collections::HashSet;

use serde_json::{Map, Value};

use tokenhouse_protocol::jose::json;
use tokenhouse_store::{Change, Connection, Tx, User, normalise};

use super::super::users::{RULES, assign, check_names, properties};
use super::super::{RegistryError, begin, commit, connections, patch};
use super::Problem;
use super::django;
use super::records::Record;
use super::user::{self, Given};
use crate::tenant::Tenant;

/// Users that are written in one transaction.
pub const BATCH: usize = 500;

/// How the records of a file are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Auth0's user imports and exports.
    Auth0,
    /// Rows of `auth_user`, as Django's `dumpdata` writes them.
    Django,
}

/// What brings users into a connection.
pub struct Import<'a> {
    tenant: &'a Tenant,
    connection: Connection,
    source: Source,
    /// Whether those who are there already are changed.
    upsert: bool,
    /// Whether nothing is written.
    is_dry: bool,
}

/// What became of a record.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// A user was made.
    Inserted,
    /// One who was there was changed.
    Updated,
    /// One was there and is as the record says.
    Unchanged,
    /// The record is none of a user, such as a group among Django's rows.
    Passed,
    /// It was not taken, because of these; with what was read of it.
    Rejected(Vec<Problem>, Option<Value>),
}

/// What became of a batch: of each record in its order, and how many left second factors behind.
#[derive(Debug, Default)]
pub struct Done {
    /// Of each record.
    pub outcomes: Vec<Outcome>,
    /// Users whose second factors there is no room for yet.
    pub without_factors: u64,
}

impl<'a> Import<'a> {
    /// Into the connection of this name.
    pub async fn new(tenant: &'a Tenant, connection: &str, source: Source) -> Result<Self, RegistryError> {
        let connection = connections::connection(tenant, connection).await?;
        Ok(Self::into_connection(tenant, connection, source))
    }

    /// Into this connection.
    pub fn into_connection(tenant: &'a Tenant, connection: Connection, source: Source) -> Self {
        Self {
            tenant,
            connection,
            source,
            upsert: false,
            is_dry: false,
        }
    }

    /// The same; those who are there already are changed if `upsert`.
    #[must_use]
    pub fn upserting(mut self, upsert: bool) -> Self {
        self.upsert = upsert;
        self
    }

    /// The same; nothing is written if `is_dry`, and what would have been is answered.
    #[must_use]
    pub fn dry(mut self, is_dry: bool) -> Self {
        self.is_dry = is_dry;
        self
    }

    /// Brings in at most [`BATCH`] records, all in one transaction.
    pub async fn batch(&self, records: Vec<Record>) -> Result<Done, RegistryError> {
        let mut done = Done::default();
        let mut given = Vec::with_capacity(records.len());
        for (place, record) in records.into_iter().enumerate() {
            done.outcomes.push(match self.read(record) {
                Ok(Some((user, original))) => {
                    done.without_factors += u64::from(user.leaves_factors);
                    given.push((place, user, original));
                    Outcome::Inserted
                }
                Ok(None) => Outcome::Passed,
                Err((problems, value)) => Outcome::Rejected(problems, value),
            });
        }
        if given.is_empty() {
            return Ok(done);
        }
        let tenant = self.tenant;
        let users: Vec<User> = given.iter().map(|(_, given, _)| given.user.clone()).collect();
        let change = Change::Connection(self.connection.id.clone());
        let mut tx = begin(tenant, &change).await?;
        let added = tx.add_users(&tenant.id, &users).await?;
        let mut seen = HashSet::new();
        for (place, given, original) in given {
            // The first of two records with one id is the one that was added.
            if added.contains(&given.user.id) && seen.insert(given.user.id.clone()) {
                continue;
            }
            done.outcomes[place] = match self.meet(&mut tx, given).await? {
                Met::As(outcome) => outcome,
                Met::Refused(problem) => Outcome::Rejected(vec![problem], Some(original)),
            };
        }
        if !self.is_dry {
            commit(tenant, tx, &change).await?;
        }
        Ok(done)
    }

    /// A user and the record that they were read from.
    fn read(&self, record: Record) -> Result<Option<(Given, Value)>, Unread> {
        let text = record.text.map_err(|text| (vec![Problem::unreadable(text)], None))?;
        let value = json::parse(&text).map_err(|error| {
            let text = format!("The record is no JSON object: {error}");
            (vec![Problem::unreadable(text)], None)
        })?;
        let Value::Object(object) = value else {
            return Err((
                vec![Problem::new("INVALID_TYPE", "", "Expected type object")],
                Some(value),
            ));
        };
        let object = unwrapped(object);
        let row = match self.source {
            Source::Auth0 => Ok(Some((object.clone(), None))),
            Source::Django => django::user(&object),
        };
        let original = Value::Object(object);
        let (said, hash) = match row {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(None),
            Err(problem) => return Err((vec![problem], Some(original))),
        };
        match user::read(self.tenant, &self.connection.id, said, hash) {
            Ok(given) => Ok(Some((given, original))),
            Err(problems) => Err((problems, Some(original))),
        }
    }

    /// A record whose id, e-mail address or user name is taken.
    async fn meet(&self, tx: &mut Tx<'_>, given: Given) -> Result<Met, RegistryError> {
        let like = tx.users_like(&self.tenant.id, &given.user).await?;
        let found = like.iter().find(|user| is_same(user, &given));
        let Some(before) = found.filter(|before| before.connection_id == self.connection.id) else {
            return Ok(Met::Refused(conflict(&given, &like)));
        };
        let mut after = before.clone();
        let mut properties = properties(&after);
        patch::apply(&mut properties, given.said.clone(), RULES);
        assign(&mut after, properties);
        // A password that its owner has used here, or was given here, stays.
        let passwords = &self.tenant.house.accounts.passwords;
        let hash = before.password_hash.as_deref();
        if given.user.password_hash.is_some() && hash.is_none_or(|hash| passwords.is_outdated(hash)) {
            after.password_hash.clone_from(&given.user.password_hash);
        }
        if after == *before {
            return Ok(Met::As(Outcome::Unchanged));
        }
        if !self.upsert {
            let problem = Problem::new("DUPLICATED_USER", "", "The user already exists.");
            return Ok(Met::Refused(problem));
        }
        if let Err(error) = check_names(&after) {
            return Ok(Met::Refused(Problem::unreadable(error.to_string())));
        }
        after.updated_at = self.tenant.house.clock.now();
        match tx.update_user(&self.tenant.id, &after).await? {
            true => Ok(Met::As(Outcome::Updated)),
            false => Ok(Met::Refused(conflict(&given, &like))),
        }
    }
}

/// What is wrong with a record, and what was read of it.
type Unread = (Vec<Problem>, Option<Value>);

/// What became of a record that met a user.
enum Met {
    As(Outcome),
    Refused(Problem),
}

/// Whether a record is of this user: by their id if it has one, else by their address or, without one, their name.
fn is_same(user: &User, given: &Given) -> bool {
    if given.has_id {
        return user.id == given.user.id;
    }
    match given.user.email {
        Some(_) => normal(&user.email) == normal(&given.user.email),
        None => normal(&user.username) == normal(&given.user.username),
    }
}

fn conflict(given: &Given, like: &[User]) -> Problem {
    let has_email = |user: &User| user.email.is_some() && normal(&user.email) == normal(&given.user.email);
    if given.has_id && like.iter().any(|user| user.id == given.user.id) {
        let text = "The user_id is taken by a user of another connection.";
        Problem::new("CONFLICT", "user_id", text)
    } else if like.iter().any(has_email) {
        Problem::new("CONFLICT_EMAIL", "email", "The e-mail address is another user's.")
    } else {
        Problem::new("CONFLICT_USERNAME", "username", "The user name is another user's.")
    }
}

fn normal(name: &Option<String>) -> Option<String> {
    name.as_deref().map(normalise)
}

/// A record out of a reject file is the user that it holds, corrected meanwhile.
fn unwrapped(mut object: Map<String, Value>) -> Map<String, Value> {
    let is_reject = object.contains_key("errors") && object.contains_key("line");
    match object.remove("user") {
        Some(Value::Object(user)) if is_reject => user,
        Some(other) => {
            object.insert("user".into(), other);
            object
        }
        None => object,
    }
}
