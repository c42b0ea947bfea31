//! Tickets: links by which a user chooses a password, or shows that an e-mail address is theirs (CONTRACT §4.2). A ticket
//! is sealed and kept nowhere. It holds a digest of what its use changes, so that it works once, and nothing is to be
//! pruned; see `docs/decisions/0017-tickets.md`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::{Place, equal, sha256};
use tokenhouse_protocol::id::{ClientId, ConnectionId, UserId};
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{StoreError, User, normalise};

use super::{RegistryError, clients, connections, users};
use crate::tenant::Tenant;

/// For how long a ticket is good unless it is said, in seconds: five days.
pub const LASTS_S: i64 = 432_000;
/// For how long it may be good, in seconds: thirty days.
pub const MAX_LASTS_S: i64 = 2_592_000;
/// Longest text that is opened, in bytes; with the longest URL in it a ticket has some 4 000.
const MAX_TICKET_BYTES: usize = 8192;

/// What a ticket is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To choose a password.
    Password,
    /// To show that an e-mail address is theirs.
    Email,
}

/// A ticket that is wanted.
#[derive(Debug)]
pub struct NewTicket {
    /// What for.
    pub purpose: Purpose,
    /// For whom.
    pub whose: Whose,
    /// For how long, in seconds.
    pub lasts_s: i64,
    /// Where its user goes on to: a URL.
    pub result_url: Option<String>,
    /// The application whose login the last page leads to, in place of a URL.
    pub client_id: Option<ClientId>,
    /// Whether who chooses a password has shown by it that the address is theirs.
    pub verifies_email: bool,
    /// Whether the e-mail address is added to the URL.
    pub shows_email: bool,
}

/// Whom a ticket is for.
#[derive(Debug)]
pub enum Whose {
    /// The user with this id.
    Id(UserId),
    /// The user of a connection who has this e-mail address.
    Email(ConnectionId, String),
}

/// What a ticket says.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub struct Ticket {
    /// Whose it is.
    pub user: UserId,
    until_ms: i64,
    /// The digest of what its use changes.
    state: String,
    /// Where its user goes on to.
    pub result_url: Option<String>,
    /// The application whose login the last page leads to.
    pub client_id: Option<ClientId>,
    verifies_email: bool,
    /// Whether the e-mail address is added to the URL.
    pub shows_email: bool,
}

/// What a text turns out to be.
#[derive(Debug)]
pub enum Opened {
    /// A ticket that is good, and its user.
    Good(Box<(Ticket, User)>),
    /// One whose time is over.
    Expired(Box<Ticket>),
    /// One that was used, or whose user may not use it any more.
    Used(Box<Ticket>),
    /// None of this tenant's for this purpose.
    Nothing,
}

impl Purpose {
    /// Where a ticket is used, below the issuer.
    pub fn path(self) -> &'static str {
        match self {
            Self::Password => "u/reset-password",
            Self::Email => "u/email-verification",
        }
    }

    /// The word that sets one kind's tickets apart from the other's.
    fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
        }
    }
}

/// Makes a ticket: its user, and the text by which it is used, which is a secret.
pub async fn make(tenant: &Tenant, new: NewTicket) -> Result<(UserId, Secret), RegistryError> {
    let NewTicket { purpose, whose, .. } = new;
    let result_url = new.result_url.filter(|url| !url.is_empty());
    if let Some(url) = &result_url {
        if new.client_id.is_some() {
            let text = "result_url and client_id exclude one another: give one of the two";
            return Err(RegistryError::invalid("result_url", text));
        }
        check_url(url)?;
    }
    if let Some(id) = &new.client_id {
        clients::client(tenant, id).await?;
    }
    let user = whose.user(tenant).await?;
    if purpose == Purpose::Email && user.email.is_none() {
        let text = "user_id: the user has no e-mail address that could be verified";
        return Err(RegistryError::invalid("user_id", text));
    }
    let ticket = Ticket {
        until_ms: tenant.house.clock.now().plus_ms(new.lasts_s.saturating_mul(1000)).ms(),
        state: state(purpose, &user),
        user: user.id.clone(),
        result_url,
        client_id: new.client_id,
        verifies_email: new.verifies_email,
        shows_email: new.shows_email,
    };
    let sealed = tenant
        .house
        .secrets
        .seal(place(tenant, purpose), json!(ticket).to_string().as_bytes());
    Ok((user.id, Secret::new(sealed)))
}

/// The link by which a ticket is used. It ends in `#`, as Auth0's do, so that nothing is appended to the ticket itself.
pub fn url(tenant: &Tenant, purpose: Purpose, ticket: &Secret) -> String {
    tenant
        .issuer
        .url(&format!("{}?ticket={}#", purpose.path(), ticket.expose()))
}

/// Opens a text as a ticket; looking does not use it up.
pub async fn open(tenant: &Tenant, purpose: Purpose, text: &str) -> Result<Opened, StoreError> {
    if text.len() > MAX_TICKET_BYTES {
        return Ok(Opened::Nothing);
    }
    let opened = tenant.house.secrets.open(place(tenant, purpose), text).ok();
    let Some(ticket) = opened.and_then(|plain| serde_json::from_slice::<Ticket>(plain.as_ref()).ok()) else {
        return Ok(Opened::Nothing);
    };
    if ticket.until_ms < tenant.house.clock.now().ms() {
        return Ok(Opened::Expired(Box::new(ticket)));
    }
    let user = tenant.house.store.user(&tenant.id, &ticket.user).await?;
    Ok(match user.filter(|user| ticket.is_for(purpose, user)) {
        Some(user) => Opened::Good(Box::new((ticket, user))),
        None => Opened::Used(Box::new(ticket)),
    })
}

impl Ticket {
    /// Uses a ticket for a password up; `Conflict` if somebody else did meanwhile.
    pub async fn choose_password(&self, tenant: &Tenant, password: &Secret) -> Result<User, RegistryError> {
        let mut changes = Map::new();
        changes.insert("password".into(), json!(password.expose()));
        if self.verifies_email {
            changes.insert("email_verified".into(), Value::Bool(true));
        }
        self.use_up(tenant, Purpose::Password, changes).await
    }

    /// Uses a ticket for an e-mail address up; `Conflict` if somebody else did meanwhile.
    pub async fn verify_email(&self, tenant: &Tenant) -> Result<User, RegistryError> {
        let changes = Map::from_iter([("email_verified".to_owned(), Value::Bool(true))]);
        self.use_up(tenant, Purpose::Email, changes).await
    }

    /// Asked once more in the transaction, so that of two who come at once one is refused.
    async fn use_up(
        &self,
        tenant: &Tenant,
        purpose: Purpose,
        changes: Map<String, Value>,
    ) -> Result<User, RegistryError> {
        let used = || RegistryError::Conflict("The ticket was used.".into());
        let is_good = |user: &User| self.is_for(purpose, user).then_some(()).ok_or_else(used);
        match users::update_if(tenant, &self.user, changes, is_good).await {
            // Removed meanwhile.
            Err(RegistryError::NotFound(_)) => Err(used()),
            done => done,
        }
    }

    /// Whether its use has still something to change, and the user may come in at all.
    fn is_for(&self, purpose: Purpose, user: &User) -> bool {
        let is_done = purpose == Purpose::Email && user.email_verified;
        let is_unchanged = equal(self.state.as_bytes(), state(purpose, user).as_bytes());
        is_unchanged && !is_done && !user.blocked
    }
}

impl Whose {
    async fn user(self, tenant: &Tenant) -> Result<User, RegistryError> {
        let (connection, email) = match self {
            Self::Id(id) => return users::user(tenant, &id).await,
            Self::Email(connection, email) => (connection, email),
        };
        let connection = connections::connection_by_id(tenant, &connection).await;
        let connection = connection.map_err(|error| match error {
            // In a body it is a value that is wrong, and not the thing that was asked for.
            RegistryError::NotFound(text) => RegistryError::invalid("connection_id", text),
            other => other,
        })?;
        let found = users::users_by_email(tenant, &email).await?.into_iter();
        let mut found = found.filter(|user| user.connection_id == connection.id);
        found.next().ok_or_else(users::not_found)
    }
}

/// The digest of what a use changes, and of the address that it is sent to: who has another address since then is not the
/// one whom the ticket was for. The hash itself stays here, also from whoever has the sealing key.
fn state(purpose: Purpose, user: &User) -> String {
    let email = user.email.as_deref().map(normalise).unwrap_or_default();
    let hash = match purpose {
        Purpose::Password => user.password_hash.as_deref().unwrap_or_default(),
        Purpose::Email => "",
    };
    let parts = json!([purpose.as_str(), user.id, email, hash]);
    base64url::encode(sha256(parts.to_string().as_bytes()))
}

fn place(tenant: &Tenant, purpose: Purpose) -> Place<'_> {
    Place {
        tenant: tenant.id.as_str(),
        table: "tickets",
        row: purpose.as_str(),
        column: "ticket",
    }
}

/// Refuses what a browser should not be led to: anything but an absolute http or https URL in plain characters.
fn check_url(url: &str) -> Result<(), RegistryError> {
    let refused = || {
        let text = "result_url is an absolute http or https URL, percent-encoded where it holds other characters";
        Err(RegistryError::invalid("result_url", text))
    };
    let lower = url.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) else {
        return refused();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    let is_plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    match !host.is_empty() && !host.starts_with(':') && host.bytes().all(is_host) && url.bytes().all(is_plain) {
        true => Ok(()),
        false => refused(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_url_is_an_absolute_url_that_browsers_go_to() {
        for url in [
            "https://app.example",
            "http://localhost:3000/done?a=b#c",
            "HTTPS://[::1]:8443/%C3%A9",
        ] {
            assert!(check_url(url).is_ok(), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "//app.example/",
            "/done",
            "https:///done",
            "https://",
            "https://:80/",
            "https://user:pass@app.example/",
            "https://app.example\\@evil.example/",
            "https://app.example/\r\nSet-Cookie: a=b",
            "https://app.example/a b",
            "https://b\u{fc}cher.example/",
            "https://*.example/",
            "data:text/html,x",
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }
}
