//! One exchange at the token endpoint as its log row will tell it: filled in as the phases go, written
//! once at the end (CONTRACT §4.8, §6.6). Never holds a secret, a password or a token.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::{ClientId, UserId};
use tokenhouse_protocol::token::TokenRequest;
use tokenhouse_store::{Connection, Count, Job, LogBody, LogEntry, Quota, UsedAssertion};

use super::{Authorization, assertion, quota};
use crate::caller::{Caller, SignedIn};
use crate::directory::{Api, Application};
use crate::quota::Standing;
use crate::refusal::{Reason, Refusal};
use crate::tenant::Tenant;

/// What is known of an exchange so far.
pub(super) struct Exchange<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) caller: &'a Caller,
    /// Where the request, or the user behind it, comes from.
    pub(super) address: IpAddr,
    /// The client that the request names, proven or not.
    pub(super) client_id: Option<ClientId>,
    pub(super) application: Option<Arc<Application>>,
    /// The assertion that proved it, to be used up.
    pub(super) assertion: Option<UsedAssertion>,
    pub(super) grant_type: Option<GrantType>,
    pub(super) api: Option<Arc<Api>>,
    pub(super) audience: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) connection: Option<Arc<Connection>>,
    pub(super) user: Option<UserId>,
    pub(super) username: Option<String>,
    /// The log type of a failed login, which has a row of its own.
    pub(super) login_failure: Option<&'static str>,
}

impl<'a> Exchange<'a> {
    /// An exchange that has only begun.
    pub(super) fn new(
        tenant: &'a Tenant,
        caller: &'a Caller,
        client: Option<&ClientId>,
        request: Option<&TokenRequest>,
    ) -> Self {
        Self {
            tenant,
            caller,
            address: caller.address,
            client_id: client.cloned(),
            application: None,
            assertion: None,
            grant_type: request.map(TokenRequest::grant_type),
            api: None,
            audience: request.and_then(|request| request.audience.as_deref().map(reflected)),
            scope: request.and_then(|request| Some(reflected(&request.scope.as_ref()?.to_string()))),
            connection: None,
            user: None,
            username: None,
            login_failure: None,
        }
    }

    /// Records what was granted, uses up the assertion and counts against the quota, all of them or none; when this fails
    /// nothing may be handed out. Answers how the quota stands then.
    pub(super) async fn granted(
        &mut self,
        authorization: &Authorization,
        quota: Option<Quota>,
    ) -> Result<Option<Standing>, Refusal> {
        let kind = match authorization.grant_type {
            GrantType::ClientCredentials => "seccft",
            GrantType::Password | GrantType::PasswordRealm => "sepft",
        };
        let entry = LogEntry {
            // What an administrator tries is on nobody's bill.
            tokens: i64::from(self.caller.channel.is_counted()),
            ..self.entry(kind, "")
        };
        let at = entry.at;
        let count = |quota| {
            Box::new(Count {
                client_id: authorization.application.id.clone(),
                quota,
                at,
                warning: self.entry("w", ""),
            })
        };
        let job = Job {
            tenant: self.tenant.id.clone(),
            entries: vec![entry],
            counts: quota.map(count),
            uses: self.assertion.take(),
        };
        let outcome = self.tenant.house.audit.record(job).await?;
        if outcome.is_replay {
            return Err(assertion::replayed());
        }
        let (Some(quota), Some(counted)) = (quota, outcome.counted) else {
            return Ok(None);
        };
        authorization.application.quota_seen.note(at, counted);
        let standing = Standing { quota, at, counted };
        match counted.is_over {
            true => Err(quota::exceeded(standing)),
            false => Ok(Some(standing)),
        }
    }

    /// Records a refusal, without waiting. An assertion is used up by it too, unless the request may come again.
    pub(super) fn refused(&self, refusal: &Refusal) {
        if let Some(used) = &self.assertion
            && !matches!(
                refusal.reason,
                Reason::Unavailable | Reason::TooManyRequests | Reason::Internal
            )
        {
            self.tenant.house.audit.used(&self.tenant.id, used);
        }
        let kind = match self.grant_type {
            Some(GrantType::ClientCredentials) => "feccft",
            Some(GrantType::Password | GrantType::PasswordRealm) => "fepft",
            None => "f",
        };
        let mut entries = vec![self.entry(kind, &refusal.text)];
        entries.extend(self.login_failure.map(|kind| self.entry(kind, &refusal.text)));
        self.tenant
            .house
            .audit
            .refused(&self.tenant.id, self.caller.address, entries);
    }

    fn entry(&self, kind: &'static str, description: &str) -> LogEntry {
        let body = Body {
            description,
            client_name: self.application.as_ref().map(|application| application.name.as_str()),
            hostname: &self.caller.host,
            user_agent: &self.caller.user_agent,
            audience: self.audience.as_deref(),
            scope: self.scope.as_deref(),
            connection: self.connection.as_ref().map(|connection| connection.name.as_str()),
            connection_id: self.connection.as_ref().map(|connection| connection.id.as_str()),
            user_name: self.username.as_deref().map(reflected),
            channel: self.caller.channel.as_str(),
            administrator: self.caller.administrator.as_ref().map(SignedIn::to_json),
            request_id: &self.caller.request_id,
            auth0_client: self.caller.auth0_client.as_ref(),
        };
        LogEntry {
            at: self.tenant.house.clock.now(),
            kind,
            client_id: self.client_id.clone(),
            api_id: self.api.as_ref().map(|api| api.id.clone()),
            user_id: self.user.clone(),
            grant: self.grant_type.map(|grant| grant.as_str().to_owned()),
            address: Some(self.address.to_string()),
            tokens: 0,
            repeats: 1,
            body: LogBody::of(&body),
        }
    }
}

/// What a row of the log says beside its columns (CONTRACT §4.8).
#[derive(Serialize)]
struct Body<'a> {
    description: &'a str,
    client_name: Option<&'a str>,
    hostname: &'a str,
    user_agent: &'a str,
    audience: Option<&'a str>,
    scope: Option<&'a str>,
    connection: Option<&'a str>,
    connection_id: Option<&'a str>,
    user_name: Option<String>,
    channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    administrator: Option<Value>,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth0_client: Option<&'a Value>,
}
