//! The password grant (RFC 6749 §4.3) and Auth0's form of it that names a realm.

use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::token::PasswordGrant;

use super::{Redeemed, Subject};
use crate::accounts::login;
use crate::issuing::exchange::Exchange;
use crate::refusal::{Reason, Refusal};
use crate::registry::connections;
use crate::tenant::Tenant;

/// The user whose name and password were given.
pub(super) async fn redeem(
    tenant: &Tenant,
    exchange: &mut Exchange<'_>,
    given: &PasswordGrant,
) -> Result<Redeemed, Refusal> {
    exchange.username = Some(given.username.clone());
    let connection = login::connection(tenant, given.realm.as_deref()).await?;
    exchange.connection = Some(connection.clone());
    let application = exchange.application.as_ref();
    if application.is_some_and(|application| !connections::is_enabled(&connection, &application.id)) {
        return Err(Refusal::new(
            Reason::GrantTypeNotAllowed,
            "The connection is not enabled for the client. Enable it for the application under the connection's \
             clients, or name another realm.",
        ));
    }
    match login::login(tenant, &connection, exchange.address, given).await {
        Ok(user) => {
            exchange.user = Some(user.id.clone());
            let grant_type = if given.realm.is_some() {
                GrantType::PasswordRealm
            } else {
                GrantType::Password
            };
            Ok(Redeemed {
                grant_type,
                subject: Subject::User(Box::new(user)),
            })
        }
        Err(failure) => {
            exchange.user = failure.user.map(|user| user.id);
            exchange.login_failure = failure.log_type;
            Err(failure.refusal)
        }
    }
}
