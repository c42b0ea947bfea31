//! Users found by what they are called: table `users`, by its unique indexes on e-mail address and user name.
//!
//! Each statement names such an index by all of its columns. SQLite does not believe in one otherwise: once `analyze` has
//! counted users of whom none has a user name, it takes a look-up by it for a walk through all of them, and walks. An `or`,
//! or connections that are a list, is enough for that.

use tokenhouse_protocol::id::{ConnectionId, TenantId};

use super::{User, columns};
use crate::db::{all, optional};
use crate::names::normalise;
use crate::{Store, StoreError, Tx};

const BY_LOGIN: &str = concat!(
    "select ",
    columns!(),
    " from users where tenant_id = $1 and id in (\
     select id from users where tenant_id = $1 and connection_id = $2 and email_normalised = $3 \
     union all select id from users where tenant_id = $1 and connection_id = $2 and username_normalised = $3) \
     order by case when email_normalised = $3 then 0 else 1 end limit 1"
);
const BY_EMAIL: &str = concat!(
    "select ",
    columns!(),
    " from users where tenant_id = $1 and id in (select (\
     select one.id from users one where one.tenant_id = $1 and one.connection_id = connections.id \
     and one.email_normalised = $2) from connections where connections.tenant_id = $1)"
);
const BY_USERNAME: &str = concat!(
    "select ",
    columns!(),
    " from users where tenant_id = $1 and id in (select (\
     select one.id from users one where one.tenant_id = $1 and one.connection_id = connections.id \
     and one.username_normalised = $2) from connections where connections.tenant_id = $1)"
);
const LIKE: &str = concat!(
    "select ",
    columns!(),
    " from users where tenant_id = $1 and id in (select id from users where tenant_id = $1 and id = $2 \
     union all select id from users where tenant_id = $1 and connection_id = $3 and email_normalised = $4 \
     union all select id from users where tenant_id = $1 and connection_id = $3 and username_normalised = $5) \
     order by id"
);

impl Store {
    /// The user of a connection who signs in with `login`: their e-mail address or, if it is nobody's address,
    /// their user name, both however written.
    pub async fn user_by_login(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        login: &str,
    ) -> Result<Option<User>, StoreError> {
        let login = normalise(login);
        optional!(self.db(), BY_LOGIN, tenant.as_str(), connection.as_str(), login)
    }

    /// The users with an e-mail address, however written, of every connection, by id.
    pub async fn users_by_email(&self, tenant: &TenantId, email: &str) -> Result<Vec<User>, StoreError> {
        Ok(by_id(all!(self.db(), BY_EMAIL, tenant.as_str(), normalise(email))?))
    }

    /// The users with a user name, however written, of every connection, by id.
    pub async fn users_by_username(&self, tenant: &TenantId, username: &str) -> Result<Vec<User>, StoreError> {
        Ok(by_id(all!(
            self.db(),
            BY_USERNAME,
            tenant.as_str(),
            normalise(username)
        )?))
    }
}

impl Tx<'_> {
    /// The users who have this one's id, or in their connection their e-mail address or user name.
    pub async fn users_like(&mut self, tenant: &TenantId, user: &User) -> Result<Vec<User>, StoreError> {
        let [email, username] = [&user.email, &user.username].map(|name| name.as_deref().map(normalise));
        let (id, connection) = (user.id.as_str(), user.connection_id.as_str());
        all!(tx: self, LIKE, tenant.as_str(), id, connection, email, username)
    }
}

/// Users in the order of their ids. Not `order by`: SQLite would walk a tenant's users in that order, in place of looking
/// an address up in each connection's index, of which there are few.
fn by_id(mut users: Vec<User>) -> Vec<User> {
    users.sort_unstable_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
    users
}

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use sqlx::AssertSqlSafe;
    use tokenhouse_protocol::crypto::Random;
    use tokenhouse_protocol::id::UserId;
    use tokenhouse_protocol::time::{Clock, Timestamp};

    use super::super::{Logins, UPDATE};
    use super::*;
    use crate::db::execute;
    use crate::{Added, Connection, Database, Options, Tenant};

    /// Users that there are, each by itself.
    const USERS: usize = 4000;

    #[tokio::test]
    async fn users_are_looked_up_by_index_whatever_was_counted_of_them() {
        for (has_email, has_username) in [(true, true), (true, false), (false, true)] {
            let store = filled(has_email, has_username).await;
            for is_analyzed in [false, true] {
                if is_analyzed {
                    let mut tx = store.begin().await.unwrap();
                    execute!(tx, "analyze").unwrap();
                    tx.commit().await.unwrap();
                }
                for sql in [BY_LOGIN, BY_EMAIL, BY_USERNAME, LIKE, UPDATE] {
                    let explain = AssertSqlSafe(format!("explain query plan {sql}"));
                    let mut tx = store.begin().await.unwrap();
                    let steps: Result<Vec<(i64, i64, i64, String)>, StoreError> = all!(tx: tx, explain);
                    tx.commit().await.unwrap();
                    let steps: Vec<String> = steps.unwrap().into_iter().map(|step| step.3).collect();
                    let of_users = |step: &&String| {
                        let table = step.split(' ').nth(1);
                        table.is_some_and(|table| ["users", "one", "other"].contains(&table))
                    };
                    let is_narrow = |step: &String| step.contains("_normalised=?") || step.contains(" id=?");
                    assert!(steps.iter().any(|step| of_users(&step)), "{steps:?}");
                    let is_quick = steps.iter().filter(of_users).all(is_narrow);
                    assert!(
                        is_quick,
                        "{has_email} {has_username} {is_analyzed}: {sql}\n{}",
                        steps.join("\n")
                    );
                }
            }
            store.close().await;
        }
    }

    async fn filled(has_email: bool, has_username: bool) -> Store {
        let clock = Clock::set_to(Timestamp::from_seconds(1_795_000_000));
        let random = Random::system();
        let now = clock.now();
        let store = Store::open(Options {
            database: Database::Memory,
            clock,
            random,
        });
        let store = store.await.unwrap();
        let tenant = Tenant {
            id: TenantId::new("acme"),
            name: "Acme".into(),
            issuer: None,
            settings: Map::new(),
            created_at: now,
            updated_at: now,
        };
        let connection = Connection {
            id: ConnectionId::new("con_1"),
            name: "Users".into(),
            strategy: "auth0".into(),
            options: Map::new(),
            rest: Map::new(),
            created_at: now,
            updated_at: now,
        };
        let one = |number: usize| User {
            id: UserId::new(format!("auth0|{number}")),
            connection_id: connection.id.clone(),
            email: has_email.then(|| format!("u{number}@example.org")),
            email_verified: false,
            username: has_username.then(|| format!("name{number}")),
            password_hash: None,
            blocked: false,
            rest: Map::new(),
            logins: Logins::default(),
            created_at: now,
            updated_at: now,
        };
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.add_tenant(&tenant).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_connection(&tenant.id, &connection).await.unwrap(), Added::Yes);
        let users: Vec<User> = (0..USERS).map(one).collect();
        for some in users.chunks(500) {
            assert_eq!(tx.add_users(&tenant.id, some).await.unwrap().len(), some.len());
        }
        tx.commit().await.unwrap();
        store
    }
}
