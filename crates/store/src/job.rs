//! What one exchange leaves behind, and what a batch commits: a [`Job`] and its [`Outcome`].
//!
//! Everything that one answer depends on is one job: it becomes durable together or not at all. Today that is
//! what is logged, the client assertion that is used up, and the token that is counted against a quota. Codes and refresh
//! tokens that are taken join as further lists of `Job`, each with its answer in `Outcome`: one statement per table and
//! batch, conflicts settled by `on conflict do nothing returning`, never by an error, since one job's data must not fail
//! another's.

use serde::Serialize;
use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ApiId, ClientId, LogId, TenantId, UserId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::json;
use crate::{Count, Counted, UsedAssertion};

/// What must be durable before an answer leaves.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    /// The tenant it happened in.
    pub tenant: TenantId,
    /// What is logged; one entry, as a rule.
    pub entries: Vec<LogEntry>,
    /// The client assertion that it uses up; if that was used before, nothing of this job is written.
    pub uses: Option<UsedAssertion>,
    /// The token that it counts against a quota; if that is used up, nothing of what is logged is written.
    pub counts: Option<Box<Count>>,
}

/// What became of a [`Job`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The ids of its log rows, in the order of its entries; none if it is a replay or over its quota.
    pub logs: Vec<LogId>,
    /// Whether its assertion had been used before: nothing was written, and nothing may be given out.
    pub is_replay: bool,
    /// How its quota stands, if it counts against one and is no replay. If it is over, nothing may be given out.
    pub counted: Option<Counted>,
}

/// One line of a tenant's log, before it has an id.
#[derive(Clone, PartialEq, Debug)]
pub struct LogEntry {
    /// When it happened.
    pub at: Timestamp,
    /// Auth0's type code, such as `seccft`.
    pub kind: &'static str,
    /// The application it is about; need not exist.
    pub client_id: Option<ClientId>,
    /// The API it is about.
    pub api_id: Option<ApiId>,
    /// The user it is about.
    pub user_id: Option<UserId>,
    /// The grant's short name, under which tokens are counted.
    pub grant: Option<String>,
    /// The caller's address.
    pub address: Option<String>,
    /// How many access tokens this row issued: 1 or 0.
    pub tokens: i64,
    /// How many events this row stands for: 1, or the number of refusals it sums.
    pub repeats: i64,
    /// Everything else.
    pub body: LogBody,
}

/// What a log row holds beside its columns: the text of a JSON object, which a token is not worth taking apart for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogBody(String);

impl LogBody {
    /// The members of a struct or a map.
    pub fn of(members: &impl Serialize) -> Self {
        Self(json(members))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same with other members, over those of their names.
    pub(crate) fn with(&self, members: &[(&str, Value)]) -> Self {
        let mut all: Map<String, Value> = serde_json::from_str(&self.0).unwrap_or_default();
        all.extend(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Self::of(&all)
    }
}

/// A job made ready by its caller, so that the one writer has less to do.
pub(crate) struct Prepared {
    pub(crate) tenant: TenantId,
    pub(crate) uses: Option<UsedAssertion>,
    pub(crate) counts: Option<Box<Count>>,
    pub(crate) rows: Vec<LogEntry>,
}

impl Job {
    /// Strangers' words are logged too, and PostgreSQL refuses a text with U+0000, which would fail the whole
    /// batch: it becomes U+FFFD. (In the body JSON escapes it.)
    pub(crate) fn prepare(self) -> Prepared {
        let uses = self.uses.map(|used| UsedAssertion {
            jti: replaced(&used.jti).unwrap_or(used.jti),
            ..used
        });
        let counts = self.counts.map(|mut count| {
            count.client_id = replaced(count.client_id.as_str()).map_or(count.client_id, ClientId::new);
            count.warning = count.warning.storable();
            count
        });
        Prepared {
            tenant: self.tenant,
            uses,
            counts,
            rows: self.entries.into_iter().map(LogEntry::storable).collect(),
        }
    }
}

impl LogEntry {
    fn storable(mut self) -> Self {
        let text = |text: String| replaced(&text).unwrap_or(text);
        self.client_id = self.client_id.map(|id| replaced(id.as_str()).map_or(id, ClientId::new));
        self.api_id = self.api_id.map(|id| replaced(id.as_str()).map_or(id, ApiId::new));
        self.user_id = self.user_id.map(|id| replaced(id.as_str()).map_or(id, UserId::new));
        self.grant = self.grant.map(text);
        self.address = self.address.map(text);
        self
    }
}

/// The text without U+0000, if there is one in it.
fn replaced(text: &str) -> Option<String> {
    text.contains('\0').then(|| text.replace('\0', "\u{fffd}"))
}
