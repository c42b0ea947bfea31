//! The token endpoint's argument, in seven phases that one function owns: who asks, may they use this
//! grant, what does it redeem, for which API, with which scopes, is there quota left, and only then a token,
//! recorded before it is handed out (DESIGN §4). A grant cannot forget a check, because it is not the one who makes it.

use tokenhouse_protocol::credentials::ClientCredentials;
use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::token::{TokenRequest, TokenResponse};

use crate::caller::Caller;
use crate::quota::Standing;
use crate::refusal::Refusal;
use crate::tenant::Tenant;

mod assertion;
mod authenticate;
mod authorization;
mod exchange;
mod grants;
mod mint;
mod quota;
pub mod userinfo_token;

pub use authorization::Authorization;

use exchange::Exchange;

/// What was issued.
pub struct Issued {
    /// The tokens.
    pub response: TokenResponse,
    /// How the application's quota stands now, if it has one.
    pub quota: Option<Standing>,
}

/// Issues a token to who asks for it, or says why not. Either way the log has a row of it.
pub async fn issue(
    tenant: &Tenant,
    caller: &Caller,
    credentials: &ClientCredentials,
    request: &TokenRequest,
) -> Result<Issued, Refusal> {
    let mut exchange = Exchange::new(tenant, caller, Some(&credentials.client_id), Some(request));
    let issued = phases(tenant, &mut exchange, Asking::Client(credentials), request).await;
    if let Err(refusal) = &issued {
        exchange.refused(refusal);
    }
    issued
}

/// Issues a token that an administrator tries at the console, in the place of an application: the same phases, but that
/// in the first the administrator's session proves what the application's secret would. Outside quota and bill.
pub async fn issue_for_administrator(
    tenant: &Tenant,
    caller: &Caller,
    client: &ClientId,
    request: &TokenRequest,
) -> Result<TokenResponse, Refusal> {
    let mut exchange = Exchange::new(tenant, caller, Some(client), Some(request));
    let issued = phases(tenant, &mut exchange, Asking::Administrator(client), request).await;
    if let Err(refusal) = &issued {
        exchange.refused(refusal);
    }
    issued.map(|issued| issued.response)
}

/// Records a request that could not be read to its end, with as much of it as could.
pub fn refuse(
    tenant: &Tenant,
    caller: &Caller,
    client: Option<&ClientId>,
    request: Option<&TokenRequest>,
    refusal: &Refusal,
) {
    Exchange::new(tenant, caller, client, request).refused(refusal);
}

/// Who asks.
#[derive(Clone, Copy)]
enum Asking<'a> {
    /// An application, with what it shows for itself.
    Client(&'a ClientCredentials),
    /// An administrator, in the place of this application.
    Administrator(&'a ClientId),
}

async fn phases(
    tenant: &Tenant,
    exchange: &mut Exchange<'_>,
    asking: Asking<'_>,
    request: &TokenRequest,
) -> Result<Issued, Refusal> {
    let settings = tenant.settings();
    // 1. Who asks?
    let (application, assertion) = match asking {
        Asking::Client(credentials) => authenticate::client(tenant, credentials).await?,
        Asking::Administrator(client) => (
            authenticate::administrator(tenant, exchange.caller, client).await?,
            None,
        ),
    };
    exchange.assertion = assertion;
    exchange.application = Some(application.clone());
    if let Some(address) = exchange.caller.forwarded_for
        && application.trusts_ip_header
        && !application.is_public()
    {
        exchange.address = address.to_canonical();
    }
    // 2. May it use this grant type?
    authenticate::may_use(tenant, &application, request.grant_type())?;
    // 3. What does the grant redeem? The only part that differs.
    let redeemed = grants::redeem(tenant, exchange, &request.grant).await?;
    // 4. For which API?
    let api = authorization::api(tenant, &settings, &redeemed, request.audience.as_deref()).await?;
    exchange.audience = api
        .as_ref()
        .map(|api| api.identifier.clone())
        .or(exchange.audience.take());
    exchange.api = api.clone();
    // 5. With which scopes?
    let authorization = Authorization::settle(tenant, application, redeemed, api, request).await?;
    exchange.scope = authorization.scope();
    // 6. Does the quota leave any?
    let quota = quota::check(tenant, &settings, exchange.caller, &authorization)?;
    // 7. Mint, and record what was minted before anybody sees it.
    let response = mint::tokens(tenant, &authorization, tenant.house.clock.now()).await?;
    let quota = exchange.granted(&authorization, quota).await?;
    Ok(Issued { response, quota })
}
