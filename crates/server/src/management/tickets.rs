//! `/tickets`: links that are handed to users, by which they choose a password or show that an e-mail address is theirs
//! (CONTRACT §4.2). No mail is sent: whoever asks delivers the link. Where it leads is `crate::self_service`.

use axum::http::Method;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::{ClientId, ConnectionId, UserId};
use tokenhouse_store::User;

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::schema::{Body, Format, Property, Shape, URL, Violation, flag, formatted, integer, object, text};
use crate::registry::tickets::{self, LASTS_S, MAX_LASTS_S, NewTicket, Purpose, Whose};
use crate::registry::{RegistryError, users};

const CREATE: &[&str] = &["create:user_tickets"];
const USER_ID: Property = text("user_id", 1, 255);
const RESULT_URL: Property = Property::new("result_url", URL)
    .note("Where the user goes on to, http or https; success and message are added. Not with client_id");
const CLIENT_ID: Property =
    formatted("client_id", 1, 64, Format::ClientId).note("The application whose login the last page leads to");
const ORGANIZATION_ID: Property = text("organization_id", 0, 50).note("Refused: there are no organizations here");
const TTL_SEC: Property = integer("ttl_sec", 0, MAX_LASTS_S).note("For how many seconds it is good; 0 is five days");
const INCLUDE_EMAIL: Property =
    flag("includeEmailInRedirect").note("Whether the e-mail address is added to result_url");
const IDENTITY: Property = object(
    "identity",
    &[
        text("user_id", 1, 255)
            .required()
            .note("Without what stands before the |"),
        text("provider", 1, 64).required(),
        text("connection_id", 1, 64),
    ],
);
static PASSWORD_CHANGE: &[Property] = &[
    USER_ID.note("Or connection_id and email"),
    text("connection_id", 1, 64).note("With email, in place of user_id"),
    formatted("email", 1, 254, Format::Email).note("With connection_id, in place of user_id"),
    RESULT_URL,
    CLIENT_ID,
    ORGANIZATION_ID,
    TTL_SEC,
    flag("mark_email_as_verified").note("Whether who chooses a password has shown by it that the address is theirs"),
    INCLUDE_EMAIL,
    IDENTITY,
];
static EMAIL_VERIFICATION: &[Property] = &[
    USER_ID.required(),
    RESULT_URL,
    CLIENT_ID,
    ORGANIZATION_ID,
    TTL_SEC,
    INCLUDE_EMAIL,
    IDENTITY,
];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "tickets/password-change",
        scopes: CREATE,
        summary: "Create a password change ticket",
        status: 201,
        query: &[],
        body: Body::Create(Shape::of(PASSWORD_CHANGE)),
        run: |call| Box::pin(create(call, Purpose::Password)),
    },
    Endpoint {
        method: Method::POST,
        path: "tickets/email-verification",
        scopes: CREATE,
        summary: "Create an email verification ticket",
        status: 201,
        query: &[],
        body: Body::Create(Shape::of(EMAIL_VERIFICATION)),
        run: |call| Box::pin(create(call, Purpose::Email)),
    },
];

async fn create(mut call: Call, purpose: Purpose) -> Result<Reply, Failure> {
    let said = call.members();
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_on = |name: &str| said.get(name).and_then(Value::as_bool).unwrap_or(false);
    if text("organization_id").is_some_and(|id| !id.is_empty()) {
        let text = "organization_id: there are no organizations here";
        return Err(RegistryError::Refused(text.into()).into());
    }
    let whose = whose(&said)?;
    if let Some(identity) = said.get("identity").filter(|identity| !identity.is_null()) {
        let refused = |text: &str| Err(Failure::body(&Violation::at("identity", text)));
        match &whose {
            Whose::Id(id) if is_of(identity, &users::user(&call.tenant, id).await?) => {}
            Whose::Id(_) => return refused("The user has no such identity"),
            Whose::Email(..) => return refused("It needs user_id"),
        }
    }
    let ttl = said.get("ttl_sec").and_then(Value::as_i64).filter(|ttl| *ttl > 0);
    let new = NewTicket {
        purpose,
        whose,
        lasts_s: ttl.unwrap_or(LASTS_S),
        result_url: text("result_url"),
        client_id: text("client_id").map(ClientId::new),
        verifies_email: is_on("mark_email_as_verified"),
        shows_email: is_on("includeEmailInRedirect"),
    };
    let (user, ticket) = tickets::make(&call.tenant, new).await?;
    // The log's row keeps names and ids of an answer alone.
    Ok(Reply::json(json!({ "ticket": tickets::url(&call.tenant, purpose, &ticket) })).about(user))
}

/// Whom the body names, in one way and no other.
fn whose(said: &Map<String, Value>) -> Result<Whose, Failure> {
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let refused = |text: &str| Err(Failure::body(&Violation::new(text)));
    match (text("user_id"), text("connection_id"), text("email")) {
        (Some(id), None, None) => Ok(Whose::Id(UserId::new(id))),
        (None, Some(connection), Some(email)) if !email.is_empty() => {
            Ok(Whose::Email(ConnectionId::new(connection), email.to_owned()))
        }
        (None, None, None) => refused("Missing required property: user_id"),
        (Some(_), _, _) => refused("user_id excludes connection_id and email"),
        (None, Some(_), _) => refused("Missing required property: email"),
        (None, None, Some(_)) => refused("Missing required property: connection_id"),
    }
}

/// Whether an identity is the one that a user has.
fn is_of(identity: &Value, user: &User) -> bool {
    let text = |name: &str| identity.get(name).and_then(Value::as_str);
    let (provider, id) = user.id.as_str().split_once('|').unwrap_or(("auth0", user.id.as_str()));
    let is_in = |connection: &str| connection == user.connection_id.as_str();
    text("provider") == Some(provider) && text("user_id") == Some(id) && text("connection_id").is_none_or(is_in)
}
