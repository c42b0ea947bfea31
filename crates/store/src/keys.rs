//! Signing keys and their states: table `keys` (DESIGN §6).

use serde_json::{Map, Value};

use tokenhouse_protocol::id::{KeyId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json, unknown_word};
use crate::db::{all, execute};
use crate::{Added, Store, StoreError, Tx, added, changed};

/// A signing key of a tenant. A tenant has one next and one current key per algorithm at most.
#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    /// Its id, the `kid` (RFC 7515 §4.1.4).
    pub id: KeyId,
    /// Its algorithm (RFC 7518 §3.1).
    pub algorithm: String,
    /// What it is used for now.
    pub state: KeyState,
    /// The private key, sealed.
    pub private_sealed: String,
    /// The public key as a JWK (RFC 7517), with `x5c` and `x5t`.
    pub public: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to sign.
    pub current_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub previous_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Where a key is in its life. All but revoked ones are published.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyState {
    /// Published, not yet signing.
    Next,
    /// Signing.
    Current,
    /// No longer signing; its tokens are still good.
    Previous,
    /// Withdrawn, and its tokens with it.
    Revoked,
}

impl KeyState {
    /// The state as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Revoked => "revoked",
        }
    }

    fn read(word: &str) -> Result<Self, sqlx::Error> {
        [Self::Next, Self::Current, Self::Previous, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| unknown_word("state", word))
    }
}

macro_rules! columns {
    () => {
        "id, algorithm, state, private_sealed, public_jwk, created_at, current_at, previous_at, revoked_at"
    };
}

from_row!(Key, row => Key {
    id: KeyId::new(row.text("id")?),
    algorithm: row.text("algorithm")?,
    state: KeyState::read(&row.text("state")?)?,
    private_sealed: row.text("private_sealed")?,
    public: row.map("public_jwk")?,
    created_at: row.time("created_at")?,
    current_at: row.optional_time("current_at")?,
    previous_at: row.optional_time("previous_at")?,
    revoked_at: row.optional_time("revoked_at")?,
});

impl Store {
    /// Every key of a tenant in every state, oldest first.
    pub async fn keys(&self, tenant: &TenantId) -> Result<Vec<Key>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from keys where tenant_id = $1 order by created_at, id"
        );
        all!(self.db(), sql, tenant.as_str())
    }
}

impl Tx<'_> {
    /// Every key of a tenant for one algorithm, oldest first, read inside this transaction to decide a rotation.
    pub async fn keys(&mut self, tenant: &TenantId, algorithm: &str) -> Result<Vec<Key>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from keys where tenant_id = $1 and algorithm = $2 order by created_at, id"
        );
        all!(tx: self, sql, tenant.as_str(), algorithm)
    }

    /// Adds a key; [`Added::Exists`] if it would be the second next or current one, as when another node was first.
    pub async fn add_key(&mut self, tenant: &TenantId, key: &Key) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into keys (tenant_id, id, algorithm, state, private_sealed, public_jwk, created_at, current_at, \
             previous_at, revoked_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
            tenant.as_str(),
            key.id.as_str(),
            key.algorithm.as_str(),
            key.state.as_str(),
            key.private_sealed.as_str(),
            json(&key.public),
            key.created_at.ms(),
            key.current_at.map(Timestamp::ms),
            key.previous_at.map(Timestamp::ms),
            key.revoked_at.map(Timestamp::ms),
        ))
    }

    /// Moves a key to a state and notes the time; `false` if there is no such key, or if another key of its
    /// algorithm is next or current already: the old current key steps back before the new one steps forward.
    pub async fn set_key_state(
        &mut self,
        tenant: &TenantId,
        id: &KeyId,
        state: KeyState,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update keys set state = $3, \
             current_at = case when $3 = 'current' then $4 else current_at end, \
             previous_at = case when $3 = 'previous' then $4 else previous_at end, \
             revoked_at = case when $3 = 'revoked' then $4 else revoked_at end \
             where tenant_id = $1 and id = $2 and ($3 in ('previous', 'revoked') or not exists (\
             select 1 from keys other where other.tenant_id = $1 and other.id <> $2 \
             and other.algorithm = keys.algorithm and other.state = $3))",
            tenant.as_str(),
            id.as_str(),
            state.as_str(),
            at.ms(),
        ))
    }

    /// Removes a key whose last token has expired.
    pub async fn remove_key(&mut self, tenant: &TenantId, id: &KeyId) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from keys where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str()
        ))
    }
}
