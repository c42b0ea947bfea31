//! What the log keeps of a command that is no request of the Management API: users who came in, a whole tenant that went
//! out. One row of each, with how many of what; as of requests, `sapi` of changes, `fapi` of those that were refused, and
//! `mgmt_api_read` of what shows secrets.

use serde_json::{Value, json};

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::ApiId;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Job, LogBody, LogEntry};

use super::request::{at_this_machine, everything, here};
use crate::caller::Caller;
use crate::registry::RegistryError;
use crate::tenant::Tenant;

/// A command on its way into the log.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// As it is typed, without what differs from one time to the next: `import auth0`.
    words: &'static str,
    /// What it does, for people: the log's description.
    summary: &'static str,
    is_read: bool,
}

/// Where and when a command was done.
struct Place<'a> {
    at: Timestamp,
    caller: &'a Caller,
    audience: Option<String>,
    api_id: Option<ApiId>,
}

impl Command {
    /// Changes something.
    pub const fn change(words: &'static str, summary: &'static str) -> Self {
        Self {
            words,
            summary,
            is_read: false,
        }
    }

    /// Shows secrets, or hashes of passwords.
    pub const fn reading(words: &'static str, summary: &'static str) -> Self {
        Self {
            words,
            summary,
            is_read: true,
        }
    }

    /// Records that it was done, durably; `told` says with what and how many, and never a secret.
    pub async fn done(self, tenant: &Tenant, told: Value) -> Result<(), RegistryError> {
        let kind = if self.is_read { "mgmt_api_read" } else { "sapi" };
        let job = Job {
            tenant: tenant.id.clone(),
            entries: vec![self.entry(tenant, kind, 200, &told).await?],
            uses: None,
            counts: None,
        };
        tenant.house.audit.record(job).await?;
        Ok(())
    }

    /// Records that it was refused; of what only reads no row is kept then.
    pub async fn refused(self, tenant: &Tenant, why: &str) -> Result<(), RegistryError> {
        if self.is_read {
            return Ok(());
        }
        let entry = self.entry(tenant, "fapi", 400, &json!({ "message": why })).await?;
        let address = at_this_machine(tenant).address;
        tenant.house.audit.refused(&tenant.id, address, vec![entry]);
        Ok(())
    }

    /// The row of what was done where the database is open without its sealing key, and so no tenant is: it names no API.
    pub fn done_without_key(self, at: Timestamp, random: &Random, told: &Value) -> LogEntry {
        let place = Place {
            at,
            caller: &here(String::new(), random),
            audience: None,
            api_id: None,
        };
        let kind = if self.is_read { "mgmt_api_read" } else { "sapi" };
        self.row(place, kind, 200, told)
    }

    async fn entry(
        self,
        tenant: &Tenant,
        kind: &'static str,
        status: u16,
        answer: &Value,
    ) -> Result<LogEntry, RegistryError> {
        let place = Place {
            at: tenant.house.clock.now(),
            caller: &at_this_machine(tenant),
            audience: Some(tenant.issuer.system_api()),
            api_id: Some(everything(tenant).await?.api_id),
        };
        Ok(self.row(place, kind, status, answer))
    }

    fn row(self, place: Place<'_>, kind: &'static str, status: u16, answer: &Value) -> LogEntry {
        let caller = place.caller;
        let body = json!({
            "description": self.summary,
            "hostname": caller.host,
            "user_agent": caller.user_agent,
            "audience": place.audience,
            "request_id": caller.request_id,
            "channel": caller.channel.as_str(),
            "details": {
                "request": {
                    "command": self.words,
                    "channel": caller.channel.as_str(),
                    "ip": caller.address.to_string(),
                    "userAgent": caller.user_agent,
                    "auth": { "strategy": caller.channel.as_str(), "user": {} },
                },
                "response": { "statusCode": status, "body": answer },
            },
        });
        LogEntry {
            at: place.at,
            kind,
            client_id: None,
            api_id: place.api_id,
            user_id: None,
            grant: None,
            address: Some(caller.address.to_string()),
            tokens: 0,
            repeats: 1,
            body: LogBody::of(&body),
        }
    }
}
