//! `/connections`: where users are kept, how strong their passwords must be, and which applications may ask for them
//! (CONTRACT §4.10). All are databases: what is kept at another provider cannot be asked here.

use axum::http::Method;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::{ClientId, ConnectionId};
use tokenhouse_store::{Client, ClientFilter, Connection};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_CHECKPOINT, BY_NUMBER, FIELDS, Listed, Paging, Window, chosen};
use super::schema::{Body, Format, Kind, Property, Shape, Violation, flag, formatted, integer, list, open, text, word};
use crate::registry::{RegistryError, clients, connections, users};

const READ: &[&str] = &["read:connections"];
const UPDATE: &[&str] = &["update:connections"];
/// Connections of a tenant that are read to filter them.
const MAX_CONNECTIONS: u32 = 1000;
const REALM: Kind = Kind::Text {
    min: 1,
    max: 128,
    format: Format::Any,
};
const WORD: Kind = Kind::Text {
    min: 1,
    max: 50,
    format: Format::Any,
};
const CLIENT_ID: Kind = Kind::Text {
    min: 1,
    max: 64,
    format: Format::ClientId,
};
const POLICIES: &[&str] = &["none", "low", "fair", "good", "excellent"];

const LENGTH: &[Property] = &[integer("min_length", 1, 128)];
const DICTIONARY: &[Property] = &[flag("enable"), list("dictionary", &WORD, 200)];
const SWITCH: &[Property] = &[flag("enable")];

pub(super) static PROPERTIES: &[Property] = &[
    text("name", 1, 128)
        .required()
        .fixed()
        .note("Letters, digits and single hyphens; the realm of a password grant"),
    word("strategy", &["auth0"])
        .required()
        .fixed()
        .note("A database is the one kind there is"),
    text("display_name", 0, 128),
    open(
        "options",
        &[
            word("passwordPolicy", POLICIES).note("How strong passwords must be"),
            open("password_complexity_options", LENGTH).note("How long passwords must be at least"),
            open("password_dictionary", DICTIONARY).note("Words that are no passwords"),
            open("password_no_personal_info", SWITCH)
                .note("Whether passwords may hold names and addresses of their user"),
            open("password_history", SWITCH).note("Kept and not enforced: former passwords are not kept"),
            flag("brute_force_protection"),
            flag("disable_signup"),
            flag("requires_username"),
            flag("import_mode"),
            integer("strategy_version", 0, 100),
        ],
    ),
    list("enabled_clients", &CLIENT_ID, 1000).note("The applications that may use it"),
    list("realms", &REALM, 10),
    flag("is_domain_connection"),
    flag("show_as_button"),
    Property::new(
        "metadata",
        Kind::Texts {
            max: 10,
            max_chars: 255,
        },
    ),
    open("authentication", &[flag("active")]),
    open("connected_accounts", &[flag("active")]),
];
static ENABLED: &[Property] = &[
    formatted("client_id", 1, 64, Format::ClientId).required(),
    flag("status")
        .required()
        .note("Whether the application may use the connection"),
];
const CLIENTS: Kind = Kind::List {
    of: &Kind::Object(ENABLED),
    min: 1,
    max: 50,
    is_set: false,
};

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "connections",
        scopes: READ,
        summary: "Get all connections",
        status: 200,
        query: &[
            BY_NUMBER[0],
            BY_NUMBER[1],
            BY_NUMBER[2],
            BY_CHECKPOINT[0],
            BY_CHECKPOINT[1],
            FIELDS[0],
            FIELDS[1],
            list("strategy", &REALM, 50),
            text("name", 0, 128),
        ],
        body: Body::None,
        run: |call| Box::pin(index(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "connections",
        scopes: &["create:connections"],
        summary: "Create a connection",
        status: 201,
        query: &[],
        body: Body::Create(Shape::of(PROPERTIES)),
        run: |call| Box::pin(create(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "connections/{id}",
        scopes: READ,
        summary: "Get a connection",
        status: 200,
        query: &FIELDS,
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "connections/{id}",
        scopes: UPDATE,
        summary: "Update a connection",
        status: 200,
        query: &[],
        body: Body::Change(Shape::of(PROPERTIES)),
        run: |call| Box::pin(update(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "connections/{id}",
        scopes: &["delete:connections"],
        summary: "Delete a connection",
        status: 204,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(delete(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "connections/{id}/status",
        scopes: READ,
        summary: "Check connection status",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(status(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "connections/{id}/users",
        scopes: &["delete:users"],
        summary: "Delete a connection user",
        status: 204,
        query: &[text("email", 0, 254).note("The address of the user who is deleted")],
        body: Body::None,
        run: |call| Box::pin(delete_user(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "connections/{id}/clients",
        scopes: READ,
        summary: "Get enabled clients of a connection",
        status: 200,
        query: &BY_CHECKPOINT,
        body: Body::None,
        run: |call| Box::pin(enabled(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "connections/{id}/clients",
        scopes: UPDATE,
        summary: "Update enabled clients of a connection",
        status: 204,
        query: &[],
        body: Body::List(CLIENTS),
        run: |call| Box::pin(enable(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "clients/{id}/connections",
        scopes: READ,
        summary: "Get enabled connections of a client",
        status: 200,
        query: &[
            BY_CHECKPOINT[0],
            BY_CHECKPOINT[1],
            list("strategy", &REALM, 50),
            FIELDS[0],
            FIELDS[1],
        ],
        body: Body::None,
        run: |call| Box::pin(of_client(call)),
    },
];

async fn index(call: Call) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Checkpoint)?;
    let rows = wanted(&call).await?;
    page(&call, &window, rows)
}

async fn show(call: Call) -> Result<Reply, Failure> {
    let connection = connections::connection_by_id(&call.tenant, &named(&call)).await?;
    Ok(Reply::json(Value::Object(chosen(&call.query, shown(&connection)))))
}

async fn update(mut call: Call) -> Result<Reply, Failure> {
    let changes = call.members();
    let connection = connections::update(&call.tenant, &named(&call), changes).await?;
    Ok(Reply::json(Value::Object(shown(&connection))))
}

async fn create(mut call: Call) -> Result<Reply, Failure> {
    let mut said = call.members();
    // The one strategy that passes.
    said.remove("strategy");
    let name = said.remove("name");
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    let connection = connections::create_of(&call.tenant, name, said).await?;
    Ok(Reply::json(Value::Object(shown(&connection))))
}

async fn delete(call: Call) -> Result<Reply, Failure> {
    match connections::remove(&call.tenant, &named(&call)).await {
        // What is gone already is what was wanted.
        Ok(()) | Err(RegistryError::NotFound(_)) => Ok(Reply::empty()),
        Err(error) => Err(error.into()),
    }
}

/// A database is there whenever we are.
async fn status(call: Call) -> Result<Reply, Failure> {
    connections::connection_by_id(&call.tenant, &named(&call)).await?;
    Ok(Reply::empty())
}

async fn delete_user(call: Call) -> Result<Reply, Failure> {
    let connection = connections::connection_by_id(&call.tenant, &named(&call)).await?;
    let Some(email) = call.query.text("email") else {
        return Err(Failure::query(&Violation::new("Missing required property: email")));
    };
    for user in users::users_by_email(&call.tenant, email).await? {
        if user.connection_id == connection.id {
            users::remove(&call.tenant, &user.id).await?;
        }
    }
    Ok(Reply::empty())
}

async fn enabled(call: Call) -> Result<Reply, Failure> {
    let connection = connections::connection_by_id(&call.tenant, &named(&call)).await?;
    let window = match Window::read(&call.query, Paging::Checkpoint)? {
        Window::Number { per_page: take, .. } => Window::Checkpoint { after: None, take },
        checkpoint @ Window::Checkpoint { .. } => checkpoint,
    };
    let filter = ClientFilter {
        is_global: Some(false),
        ..ClientFilter::default()
    };
    let store = &call.tenant.house.store;
    let rows = store.clients_matching(&call.tenant.id, &filter, window.page()).await?;
    let (rows, has_more) = window.wanted(rows);
    let is_enabled = |client: &&Client| connections::is_enabled(&connection, &client.id);
    let listed = Listed {
        plural: "clients",
        items: rows
            .iter()
            .filter(is_enabled)
            .map(|client| json!({ "client_id": client.id }))
            .collect(),
        total: 0,
        next: rows.last().filter(|_| has_more).map(|client| client.id.as_str()),
    };
    Ok(listed.reply(&call, &window))
}

async fn enable(call: Call) -> Result<Reply, Failure> {
    let items = call.body.as_array().into_iter().flatten();
    let changes: Vec<(ClientId, bool)> = items
        .filter_map(|item| Some((ClientId::new(item["client_id"].as_str()?), item["status"].as_bool()?)))
        .collect();
    connections::enable(&call.tenant, &named(&call), &changes).await?;
    Ok(Reply::empty())
}

async fn of_client(call: Call) -> Result<Reply, Failure> {
    let client = clients::client(&call.tenant, &ClientId::new(call.parameter("id"))).await?;
    let window = match Window::read(&call.query, Paging::Checkpoint)? {
        Window::Number { per_page: take, .. } => Window::Checkpoint { after: None, take },
        checkpoint @ Window::Checkpoint { .. } => checkpoint,
    };
    let mut rows = wanted(&call).await?;
    rows.retain(|connection| connections::is_enabled(connection, &client.id));
    page(&call, &window, rows)
}

fn named(call: &Call) -> ConnectionId {
    ConnectionId::new(call.parameter("id"))
}

/// The connections that the query's filters let through.
async fn wanted(call: &Call) -> Result<Vec<Connection>, Failure> {
    let mut rows = connections::connections(&call.tenant, MAX_CONNECTIONS).await?;
    let strategies: Vec<&str> = call.query.texts("strategy").collect();
    rows.retain(|row| strategies.is_empty() || strategies.contains(&row.strategy.as_str()));
    rows.retain(|row| call.query.text("name").is_none_or(|name| name == row.name));
    Ok(rows)
}

fn page(call: &Call, window: &Window, rows: Vec<Connection>) -> Result<Reply, Failure> {
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let (rows, has_more) = window.wanted(window.cut(rows, |row| row.id.as_str()));
    let listed = Listed {
        plural: "connections",
        items: rows
            .iter()
            .map(|row| Value::Object(chosen(&call.query, shown(row))))
            .collect(),
        total,
        next: rows.last().filter(|_| has_more).map(|row| row.id.as_str()),
    };
    Ok(listed.reply(call, window))
}

/// A connection as it is on the wire: what is set, and what holds where nothing is.
fn shown(connection: &Connection) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| drop(shown.insert(name.into(), value));
    put("id", json!(connection.id));
    put("name", json!(connection.name));
    put("strategy", json!(connection.strategy));
    put("is_domain_connection", json!(false));
    put("realms", json!([connection.name]));
    put("authentication", json!({ "active": true }));
    put("connected_accounts", json!({ "active": false }));
    let mut options = json!({
        "mfa": { "active": true, "return_enroll_settings": true },
        "passwordPolicy": "good",
        "passkey_options": {
            "challenge_ui": "both",
            "local_enrollment_enabled": true,
            "progressive_enrollment_enabled": true,
        },
        "strategy_version": 2,
        "authentication_methods": {
            "passkey": { "enabled": false },
            "password": { "enabled": true, "api_behavior": "required", "signup_behavior": "allow" },
        },
        "brute_force_protection": true,
        // What the deploy CLI writes back though it read none.
        "disable_self_service_change_password": false,
    });
    if let Value::Object(options) = &mut options {
        options.extend(connection.options.clone());
    }
    put("options", options);
    shown.extend(connections::carried(connection));
    shown
}
