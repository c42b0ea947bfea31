//! Secrets at rest: sealed under the installation's sealing key, or kept as keyed digests (DESIGN §5).

use std::fmt;

use tokenhouse_protocol::crypto::{MacKey, OpenError, Place, Random, SealingKey, equal};
use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::{Installation, Store, StoreError};

/// Seals and opens what is secret in the database, and makes the digests by which client secrets are checked.
pub struct Secrets {
    sealing: SealingKey,
    digests: MacKey,
    random: Random,
}

/// A client secret's keyed digest (HMAC-SHA-256), which alone is held in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digest([u8; 32]);

/// The sealing key and the database do not fit, or the database does not answer.
#[derive(Debug)]
pub enum UnlockError {
    /// The database was sealed under another key.
    WrongKey {
        /// The key that was given, by its id.
        given: String,
    },
    /// What is sealed was changed.
    Damaged,
    /// The database failed.
    Store(StoreError),
}

/// What is sealed once for a whole database, to recognise its key.
const CHECK: &[u8] = b"tokenhouse";

impl Secrets {
    /// Opens the database's secrets with `sealing`; in a new database, makes what is sealed there.
    pub async fn unlock(store: &Store, sealing: SealingKey, clock: &Clock) -> Result<Self, UnlockError> {
        let random = Random::system();
        let installation = match store.installation().await? {
            Some(found) => found,
            None => make_installation(store, &sealing, &random, clock).await?,
        };
        let opened = |column, sealed: &str| {
            sealing
                .open(installation_place(column), sealed)
                .map_err(|error| match error {
                    OpenError::WrongKey => UnlockError::WrongKey {
                        given: sealing.id().to_owned(),
                    },
                    OpenError::Damaged => UnlockError::Damaged,
                })
        };
        if opened("seal_check", &installation.seal_check)?.as_slice() != CHECK {
            return Err(UnlockError::Damaged);
        }
        let digests = MacKey::new(&opened("digest_key_sealed", &installation.digest_key_sealed)?);
        Ok(Self {
            sealing,
            digests,
            random,
        })
    }

    /// Seals `plain` for its place in the database.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> String {
        self.sealing.seal(&self.random, place, plain)
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<impl AsRef<[u8]> + use<>, OpenError> {
        self.sealing.open(place, sealed).map(|plain| plain.to_vec())
    }

    /// The digest of a client's secret; the same secret at another client or tenant has another.
    pub fn digest(&self, tenant: &TenantId, client: &ClientId, secret: &Secret) -> Digest {
        Digest(self.digests.tag(&[
            b"client secret",
            tenant.as_str().as_bytes(),
            client.as_str().as_bytes(),
            secret.expose().as_bytes(),
        ]))
    }
}

impl Digest {
    /// Whether two digests are the same, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }

    /// The digest as the database keeps it: base64url.
    pub fn to_text(&self) -> String {
        base64url::encode(self.0)
    }

    /// Reads what [`Digest::to_text`] wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        base64url::decode(text)?.try_into().ok().map(Self)
    }
}

async fn make_installation(
    store: &Store,
    sealing: &SealingKey,
    random: &Random,
    clock: &Clock,
) -> Result<Installation, UnlockError> {
    let mut digest_key = [0_u8; 32];
    random.fill(&mut digest_key);
    let made = Installation {
        seal_check: sealing.seal(random, installation_place("seal_check"), CHECK),
        digest_key_sealed: sealing.seal(random, installation_place("digest_key_sealed"), &digest_key),
        created_at: clock.now(),
    };
    let mut tx = store.begin().await?;
    let _made_by_us = tx.add_installation(&made).await?;
    tx.commit().await?;
    // Another process may have been first: what the database holds now counts.
    Ok(store.installation().await?.unwrap_or(made))
}

fn installation_place(column: &str) -> Place<'_> {
    Place {
        tenant: "",
        table: "installation",
        row: "",
        column,
    }
}

impl From<StoreError> for UnlockError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for UnlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKey { given } => write!(
                f,
                "the database was sealed under another key than the one given (its id is {given}): \
                 give the sealing key that belongs to this database; nothing was changed"
            ),
            Self::Damaged => {
                f.write_str("what is sealed in the database was altered: restore it from a backup; nothing was changed")
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for UnlockError {}
