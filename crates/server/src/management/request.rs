//! A request whose caller is known, and the steps that it takes whichever way it came: over HTTP, or from the command
//! line in the process that has the database. Both meet the same checks and leave the same rows in the log.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::row_id;

use super::access::Administrator;
use super::endpoint::{self, Call, Endpoint, Found, Reply};
use super::error::Failure;
use super::query::Query;
use super::record::{self, Record};
use super::{ROOT, endpoints};
use crate::caller::{Caller, Channel};
use crate::registry::{RegistryError, apis};
use crate::tenant::Tenant;

/// A request on its way to its row's handler.
pub(super) struct Admitted<'a> {
    /// The tenant.
    pub(super) tenant: &'a Arc<Tenant>,
    /// Who is at the door.
    pub(super) caller: &'a Arc<Caller>,
    /// What the caller may.
    pub(super) administrator: &'a Administrator,
    /// The row.
    pub(super) endpoint: &'static Endpoint,
    /// The path as it was asked, raw.
    pub(super) raw_path: &'a str,
    /// The path's parameters.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// The query as it was asked, raw.
    pub(super) raw_query: &'a str,
}

/// What the command line asks for.
pub struct Asked<'a> {
    /// The method.
    pub method: &'a Method,
    /// The raw path below `/api/v2/`.
    pub path: &'a str,
    /// The raw query.
    pub query: &'a str,
    /// The body; `null` for none.
    pub body: Value,
}

impl Admitted<'_> {
    /// Goes through the steps; `body` is read only once it is known that the caller may.
    pub(super) async fn answer(self, body: impl Future<Output = Result<Value, Failure>>) -> Result<Reply, Failure> {
        let Self {
            tenant,
            caller,
            administrator,
            endpoint,
            raw_path,
            ..
        } = self;
        let mut record = Record {
            tenant,
            caller,
            administrator,
            endpoint,
            path: raw_path,
            query: json!({}),
            body: Value::Null,
            user: record::user_of(endpoint, &self.parameters),
        };
        let done = async {
            // 1. May they?
            administrator.require(endpoint.scopes)?;
            // 2. Is the request of the right shape?
            let query = Query::read(self.raw_query, endpoint.query);
            let query = query.map_err(|violation| Failure::query(&violation))?;
            record.query = record::queried(&query);
            let body = body.await?;
            record.body = record::masked(&endpoint.body, &body);
            endpoint
                .body
                .check(&body)
                .map_err(|violation| Failure::body(&violation))?;
            // 3. Do it.
            let call = Call {
                tenant: tenant.clone(),
                caller: caller.clone(),
                administrator: administrator.clone(),
                url: format!("{}{raw_path}", tenant.issuer.origin()),
                path: self.parameters,
                query,
                body,
            };
            (endpoint.run)(call).await
        };
        // 4. Say so in the log before anybody hears of it.
        match done.await {
            Ok(reply) => {
                record.done(&reply).await?;
                Ok(reply)
            }
            Err(failure) => {
                record.refused(&failure);
                Err(failure)
            }
        }
    }
}

/// Does what the command line asks. Whoever can open the database and its sealing key may do everything.
pub async fn perform(tenant: &Arc<Tenant>, asked: Asked<'_>) -> Result<Reply, Failure> {
    let (endpoint, parameters) = match endpoint::find(endpoints(), asked.method, asked.path) {
        Found::Row(endpoint, parameters) => (endpoint, parameters),
        Found::OtherMethods(_) | Found::Nothing => return Err(Failure::new(StatusCode::NOT_FOUND, "Not Found", None)),
        Found::Unreadable(violation) => return Err(Failure::path(&violation)),
    };
    let admitted = Admitted {
        tenant,
        caller: &Arc::new(at_this_machine(tenant)),
        administrator: &everything(tenant).await?,
        endpoint,
        raw_path: &format!("{ROOT}{}", asked.path),
        parameters,
        raw_query: asked.query,
    };
    admitted.answer(std::future::ready(Ok(asked.body))).await
}

/// The one who types at the machine that has the database.
pub(super) fn at_this_machine(tenant: &Tenant) -> Caller {
    here(tenant.issuer.authority().to_owned(), &tenant.house.random)
}

/// The same, with the host that the server is asked by.
pub(super) fn here(host: String, random: &Random) -> Caller {
    Caller {
        channel: Channel::CommandLine,
        administrator: None,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        forwarded_for: None,
        user_agent: concat!("tokenhouse/", env!("CARGO_PKG_VERSION")).into(),
        host,
        request_id: row_id(random),
        auth0_client: None,
    }
}

/// What whoever has the database may do.
pub(super) async fn everything(tenant: &Tenant) -> Result<Administrator, RegistryError> {
    let api = apis::api(tenant, &tenant.issuer.system_api()).await?;
    Ok(Administrator::of_this_machine(api.id))
}
