//! The log's rows of tickets that were used, or were to be: `scp`, `fcp`, `sv`, `fv` (CONTRACT §6.6). None holds the ticket.

use serde_json::json;

use tokenhouse_protocol::id::{ClientId, UserId};
use tokenhouse_store::{Job, LogBody, LogEntry, StoreError, User};

use crate::caller::Caller;
use crate::registry::tickets::{Purpose, Ticket};
use crate::tenant::Tenant;

/// A row on its way into the log.
pub(super) struct Record<'a> {
    purpose: Purpose,
    description: &'a str,
    client_id: Option<ClientId>,
    user_id: Option<UserId>,
    user: Option<&'a User>,
}

/// What a ticket's use did, for people.
pub(super) fn what(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Password => "Password changed by a ticket",
        Purpose::Email => "E-mail address verified by a ticket",
    }
}

impl<'a> Record<'a> {
    /// A row of a ticket that could not be read.
    pub(super) fn new(purpose: Purpose, description: &'a str) -> Self {
        Self {
            purpose,
            description,
            client_id: None,
            user_id: None,
            user: None,
        }
    }

    /// The same of one that could.
    pub(super) fn about(self, ticket: &Ticket, user: Option<&'a User>) -> Self {
        Self {
            client_id: ticket.client_id.clone(),
            user_id: Some(ticket.user.clone()),
            user,
            ..self
        }
    }

    /// Records what was done, durably.
    pub(super) async fn done(self, tenant: &Tenant, caller: &Caller) -> Result<(), StoreError> {
        let kind = match self.purpose {
            Purpose::Password => "scp",
            Purpose::Email => "sv",
        };
        let job = Job {
            tenant: tenant.id.clone(),
            entries: vec![self.entry(kind, tenant, caller)],
            uses: None,
            counts: None,
        };
        tenant.house.audit.record(job).await?;
        Ok(())
    }

    /// Records what was refused, without waiting.
    pub(super) fn refused(self, tenant: &Tenant, caller: &Caller) {
        let kind = match self.purpose {
            Purpose::Password => "fcp",
            Purpose::Email => "fv",
        };
        let entry = self.entry(kind, tenant, caller);
        tenant.house.audit.refused(&tenant.id, caller.address, vec![entry]);
    }

    fn entry(self, kind: &'static str, tenant: &Tenant, caller: &Caller) -> LogEntry {
        let name = self
            .user
            .and_then(|user| user.email.as_deref().or(user.username.as_deref()));
        let body = json!({
            "description": self.description,
            "hostname": caller.host,
            "user_agent": caller.user_agent,
            "connection_id": self.user.map(|user| user.connection_id.as_str()),
            "user_name": name,
            "request_id": caller.request_id,
            "channel": caller.channel.as_str(),
        });
        LogEntry {
            at: tenant.house.clock.now(),
            kind,
            client_id: self.client_id,
            api_id: None,
            user_id: self.user_id,
            grant: None,
            address: Some(caller.address.to_string()),
            tokens: 0,
            repeats: 1,
            body: LogBody::of(&body),
        }
    }
}
