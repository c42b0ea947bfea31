//! What the log keeps of the console: a row of every change (`sapi`, refused `fapi`) and of every secret that was shown
//! (`mgmt_api_read`), with who, and about what. Written before the answer leaves, as the Management API's rows are.

use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::{ApiId, ClientId, UserId};
use tokenhouse_store::{Job, LogBody, LogEntry, StoreError};

use crate::caller::{Caller, SignedIn};
use crate::tenant::Tenant;

/// A row on its way into the log.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    kind: &'static str,
    /// What was done, in the words of `words`.
    summary: &'static str,
    application: Option<ClientId>,
    api: Option<ApiId>,
    user: Option<UserId>,
    details: Map<String, Value>,
}

impl Record {
    /// Something was changed.
    pub(crate) fn change(summary: &'static str) -> Self {
        Self {
            kind: "sapi",
            summary,
            application: None,
            api: None,
            user: None,
            details: Map::new(),
        }
    }

    /// A secret was shown.
    pub(crate) fn reading(summary: &'static str) -> Self {
        Self {
            kind: "mgmt_api_read",
            ..Self::change(summary)
        }
    }

    /// Something was refused.
    pub(super) fn refusal(summary: &'static str) -> Self {
        Self {
            kind: "fapi",
            ..Self::change(summary)
        }
    }

    /// It is about this application.
    #[must_use]
    pub(crate) fn application(mut self, id: &ClientId) -> Self {
        self.application = Some(id.clone());
        self
    }

    /// It is about this API.
    #[must_use]
    pub(crate) fn api(mut self, id: &ApiId) -> Self {
        self.api = Some(id.clone());
        self
    }

    /// It is about this user.
    #[must_use]
    pub(crate) fn user(mut self, id: &UserId) -> Self {
        self.user = Some(id.clone());
        self
    }

    /// What else belongs to it: never a secret.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Whether something was changed.
    pub(super) fn is_change(&self) -> bool {
        self.kind == "sapi"
    }

    /// Writes it; durable when it returns.
    pub(super) async fn write(self, tenant: &Tenant, caller: &Caller, status: u16) -> Result<(), StoreError> {
        let job = Job {
            tenant: tenant.id.clone(),
            entries: vec![self.entry(tenant, caller, status)],
            uses: None,
            counts: None,
        };
        tenant.house.audit.record(job).await.map(drop)
    }

    /// Writes it without waiting, as refusals are: a flood of them becomes one row.
    pub(super) fn write_refusal(self, tenant: &Tenant, caller: &Caller, status: u16) {
        let entry = self.entry(tenant, caller, status);
        tenant.house.audit.refused(&tenant.id, caller.address, vec![entry]);
    }

    fn entry(self, tenant: &Tenant, caller: &Caller, status: u16) -> LogEntry {
        let who = caller.administrator.as_ref();
        let administrator = who.map_or(Value::Null, SignedIn::to_json);
        let user = who.map_or_else(|| json!({}), |who| json!({ "user_id": who.id, "email": who.email }));
        let request = json!({
            "channel": caller.channel.as_str(),
            "ip": caller.address.to_string(),
            "userAgent": caller.user_agent,
            "body": self.details,
            "auth": { "strategy": "session", "user": user },
        });
        let fields = json!({
            "description": self.summary,
            "hostname": caller.host,
            "user_agent": caller.user_agent,
            "request_id": caller.request_id,
            "channel": caller.channel.as_str(),
            "administrator": administrator,
            "details": { "request": request, "response": { "statusCode": status } },
        });
        LogEntry {
            at: tenant.house.clock.now(),
            kind: self.kind,
            client_id: self.application,
            api_id: self.api,
            user_id: self.user,
            grant: None,
            address: Some(caller.address.to_string()),
            tokens: 0,
            repeats: 1,
            body: LogBody::of(&fields),
        }
    }
}
