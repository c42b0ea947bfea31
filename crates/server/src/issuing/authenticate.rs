//! Phases 1 and 2: the application proves itself (RFC 6749 §2.3, §3.2.1) and may use the grant type (§5.2).

use std::sync::Arc;

use tokenhouse_protocol::credentials::{ClientCredentials, Proof};
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::UsedAssertion;

use super::assertion;
use crate::caller::Caller;
use crate::directory::Application;
use crate::refusal::{Reason, Refusal};
use crate::tenant::Tenant;

/// The application that the credentials name and prove, and the assertion that it thereby uses up.
///
/// An unknown application and a wrong secret get the same answer after the same work.
pub(super) async fn client(
    tenant: &Tenant,
    credentials: &ClientCredentials,
) -> Result<(Arc<Application>, Option<UsedAssertion>), Refusal> {
    let application = tenant.directory.client(&credentials.client_id).await?;
    let mut used = None;
    let proven = match (&credentials.proof, &application) {
        (Proof::Assertion(given), application) => {
            let client = &credentials.client_id;
            used = Some(assertion::verify(
                tenant,
                client,
                application.as_deref(),
                given.expose(),
            )?);
            application.is_some()
        }
        (Proof::Secret(secret), application) => {
            let digest = tenant.house.secrets.digest(&tenant.id, &credentials.client_id, secret);
            let now = tenant.house.clock.now();
            application.as_ref().is_some_and(|application| {
                !application.is_public()
                    && !application.uses_assertions
                    && application
                        .secrets
                        .iter()
                        .filter(|held| held.expires_at.is_none_or(|end| now < end))
                        .fold(false, |found, held| found | held.digest.matches(&digest))
            })
        }
        (Proof::None, Some(application)) => application.is_public(),
        (Proof::None, None) => false,
    };
    match application {
        Some(application) if proven => Ok((application, used)),
        Some(_) | None => Err(Refusal {
            by_basic: credentials.by_header,
            ..Refusal::new(
                Reason::ClientAuthentication,
                "Unauthorized. Check the client_id, and the client_secret that belongs to it.",
            )
        }),
    }
}

/// The application in whose place an administrator asks: that they are signed in is the proof.
pub(super) async fn administrator(
    tenant: &Tenant,
    caller: &Caller,
    client: &ClientId,
) -> Result<Arc<Application>, Refusal> {
    let application = tenant.directory.client(client).await?;
    application.filter(|_| caller.administrator.is_some()).ok_or_else(|| {
        let text = "There is no such application any more. Choose another.";
        Refusal::new(Reason::ClientAuthentication, text)
    })
}

/// Whether the application may use a grant type; a public one may never use client credentials (RFC 6749 §4.4).
pub(super) fn may_use(tenant: &Tenant, application: &Application, grant: GrantType) -> Result<(), Refusal> {
    let impossible = application.is_public() && grant == GrantType::ClientCredentials;
    if grant.is_allowed_by(&application.grant_types) && !impossible {
        return Ok(());
    }
    tracing::debug!(tenant = %tenant.id, client_id = %application.id, grant_type = grant.as_str(), "not allowed");
    let text = format!("Grant type '{}' not allowed for the client.", grant.as_str());
    Err(Refusal::new(Reason::GrantTypeNotAllowed, text))
}
