//! A user's name and password, checked: limits first, then the password at the same cost whether the
//! user exists or not, then whether an administrator has blocked them. Old hashes are made new at the first login.

use std::net::IpAddr;

use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::token::PasswordGrant;
use tokenhouse_store::{Connection, User, normalise};

use crate::accounts::attempts::TooMany;
use crate::accounts::password::MAX_PASSWORD_BYTES;
use crate::refusal::{Reason, Refusal};
use crate::tenant::Tenant;

/// Longest user name that is looked up, in bytes.
const MAX_USERNAME_BYTES: usize = 320;

/// How a login failed, with the log type that Auth0 gives it (CONTRACT §6.6).
#[derive(Debug)]
pub struct Failure {
    /// What the caller hears.
    pub refusal: Refusal,
    /// `fp`, `fu`, `f`, `limit_wc`, `limit_mu`, or none where no password was tried.
    pub log_type: Option<&'static str>,
    /// The user, where one was found.
    pub user: Option<Box<User>>,
}

/// The connection that a password grant looks its user up in.
pub async fn connection(tenant: &Tenant, realm: Option<&str>) -> Result<std::sync::Arc<Connection>, Refusal> {
    let settings = tenant.settings();
    let Some(name) = realm.or(settings.default_directory.as_deref()) else {
        return Err(Refusal::new(
            Reason::NoDefaultDirectory,
            "Authorization server not configured with default connection. \
             Set the tenant's default_directory, or name a connection with the password-realm grant.",
        ));
    };
    tenant.directory.connection(name).await?.ok_or_else(|| match realm {
        Some(realm) => {
            let realm = tokenhouse_protocol::error::reflected(realm);
            Refusal::new(Reason::UnknownRealm, format!("Unknown realm {realm}"))
        }
        None => Refusal::new(
            Reason::NoDefaultDirectory,
            "Authorization server not configured with default connection. \
             The tenant's default_directory names a connection that does not exist.",
        ),
    })
}

/// The user whose name and password these are.
pub async fn login(
    tenant: &Tenant,
    connection: &Connection,
    address: IpAddr,
    given: &PasswordGrant,
) -> Result<User, Failure> {
    if given.username.len() > MAX_USERNAME_BYTES || given.password.expose().len() > MAX_PASSWORD_BYTES {
        // Nobody has such a name or password: there is nothing to look up and no time to hide.
        return Err(wrong_password(None));
    }
    let account = normalise(&given.username);
    let accounts = &tenant.house.accounts;
    let attempt = accounts
        .attempts
        .begin(&tenant.id, &account, address)
        .await
        .map_err(too_many)?;
    let found = tenant
        .house
        .store
        .user_by_login(&tenant.id, &connection.id, &given.username)
        .await;
    let user = match found {
        Ok(user) => user,
        Err(error) => {
            attempt.withdrawn();
            return Err(error.into());
        }
    };
    let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let Ok(fits) = accounts.passwords.verify(&given.password, hash).await else {
        attempt.withdrawn();
        return Err(waiting(accounts.passwords.queue_length()));
    };
    match user {
        Some(user) if fits => {
            attempt.succeeded();
            if user.blocked {
                let refusal = Refusal::new(Reason::UserBlocked, "user is blocked");
                return Err(Failure {
                    refusal,
                    log_type: Some("f"),
                    user: Some(Box::new(user)),
                });
            }
            renew(tenant, &user, &given.password).await;
            Ok(user)
        }
        user => Err(wrong_password(user)),
    }
}

/// Hashes a password anew that was hashed elsewhere, or cheaper than it would be today. Whatever keeps it from being done,
/// the next login tries again.
async fn renew(tenant: &Tenant, user: &User, password: &Secret) {
    let passwords = &tenant.house.accounts.passwords;
    let Some(old) = user.password_hash.as_deref().filter(|hash| passwords.is_outdated(hash)) else {
        return;
    };
    let Ok(new) = passwords.hash(password).await else {
        return;
    };
    if let Err(error) = tenant.house.store.renew_password(&tenant.id, &user.id, old, &new).await {
        tracing::warn!(%error, user = %user.id, "a password could not be hashed anew");
    }
}

pub(super) fn wrong_password(user: Option<User>) -> Failure {
    Failure {
        refusal: Refusal::new(Reason::WrongPassword, "Wrong email or password."),
        log_type: Some(if user.is_some() { "fp" } else { "fu" }),
        user: user.map(Box::new),
    }
}

pub(super) fn waiting(limit: u32) -> Failure {
    let text = "Too many logins are waiting. Try again in a moment.";
    let refusal = Refusal::new(Reason::TooManyRequests, text)
        .retry_after(1)
        .over_limit(limit);
    Failure {
        refusal,
        log_type: None,
        user: None,
    }
}

pub(super) fn too_many(limit: TooMany) -> Failure {
    match limit {
        TooMany::Waiting { limit } => waiting(limit),
        TooMany::Account { retry_after_s, limit } => Failure {
            refusal: Refusal::new(
                Reason::TooManyAttempts,
                "Your account has been blocked after multiple consecutive login attempts. Wait, then try again.",
            )
            .retry_after(retry_after_s)
            .over_limit(limit),
            log_type: Some("limit_wc"),
            user: None,
        },
        TooMany::Address { retry_after_s, limit } => Failure {
            refusal: Refusal::new(
                Reason::SuspiciousAddress,
                "We have detected suspicious login behavior and further attempts will be blocked. \
                 Please contact the administrator.",
            )
            .retry_after(retry_after_s)
            .over_limit(limit),
            log_type: Some("limit_mu"),
            user: None,
        },
    }
}

impl From<tokenhouse_store::StoreError> for Failure {
    fn from(error: tokenhouse_store::StoreError) -> Self {
        Self {
            refusal: error.into(),
            log_type: None,
            user: None,
        }
    }
}
