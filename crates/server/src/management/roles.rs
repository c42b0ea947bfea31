//! `/roles`, who has them, and the roles of a user (CONTRACT §4.6, §4.7). What they give is in `permissions`.

use axum::http::Method;
use serde_json::{Value, json};

use tokenhouse_protocol::id::{RoleId, UserId};
use tokenhouse_store::{Page, Role, User};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_CHECKPOINT, BY_NUMBER, Listed, Paging, Window};
use super::permissions::role_of;
use super::schema::{Body, Format, Kind, Property, Shape, formatted, text, word};
use super::users::id_of as user_of;
use crate::registry::{RegistryError, roles, users};
use crate::tenant::Tenant;

const READ: &[&str] = &["read:roles"];
const READ_MEMBERS: &[&str] = &["read:users", "read:roles", "read:role_members"];
/// Most roles, or users, of one assignment.
const MAX_ASSIGNED: usize = 1000;
/// Roles that are read at once.
const STEP: u32 = 500;
const ID: Kind = Kind::Text {
    min: 1,
    max: 300,
    format: Format::Any,
};
const IDS: Kind = Kind::List {
    of: &ID,
    min: 1,
    max: MAX_ASSIGNED,
    is_set: true,
};

static PROPERTIES: &[Property] = &[
    formatted("name", 1, 50, Format::Name).required(),
    text("description", 0, 255),
];
static ROLES: &[Property] = &[Property::new("roles", IDS).required().note("The ids of roles")];
static USERS: &[Property] = &[Property::new("users", IDS).required().note("The ids of users")];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "roles",
        scopes: READ,
        summary: "Get roles",
        status: 200,
        query: &[
            BY_NUMBER[0],
            BY_NUMBER[1],
            BY_NUMBER[2],
            text("name_filter", 0, 255).note("A part of the name, in any case"),
            word("type", &["tenant", "organization"]),
        ],
        body: Body::None,
        run: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "roles",
        scopes: &["create:roles"],
        summary: "Create a role",
        status: 200,
        query: &[],
        body: Body::Create(Shape::of(PROPERTIES)),
        run: |call| Box::pin(create(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "roles/{id}",
        scopes: READ,
        summary: "Get a role",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "roles/{id}",
        scopes: &["update:roles"],
        summary: "Update a role",
        status: 200,
        query: &[],
        body: Body::Change(Shape::of(PROPERTIES)),
        run: |call| Box::pin(update(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "roles/{id}",
        scopes: &["delete:roles"],
        summary: "Delete a role",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(delete(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "roles/{id}/users",
        scopes: READ_MEMBERS,
        summary: "Get a role's users",
        status: 200,
        query: &[
            BY_NUMBER[0],
            BY_NUMBER[1],
            BY_NUMBER[2],
            BY_CHECKPOINT[0],
            BY_CHECKPOINT[1],
        ],
        body: Body::None,
        run: |call| Box::pin(members(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "roles/{id}/users",
        scopes: &["update:roles", "create:role_members"],
        summary: "Assign users to a role",
        status: 200,
        query: &[],
        body: Body::Create(Shape::of(USERS)),
        run: |call| Box::pin(assign_users(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "users/{id}/roles",
        scopes: READ_MEMBERS,
        summary: "Get a user's roles",
        status: 200,
        query: &BY_NUMBER,
        body: Body::None,
        run: |call| Box::pin(of_user(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "users/{id}/roles",
        scopes: &["update:users", "create:role_members"],
        summary: "Assign roles to a user",
        status: 204,
        query: &[],
        body: Body::Create(Shape::of(ROLES)),
        run: |call| Box::pin(assign_roles(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "users/{id}/roles",
        scopes: &["update:users", "delete:role_members"],
        summary: "Removes roles from a user",
        status: 204,
        query: &[],
        body: Body::Create(Shape::of(ROLES)),
        run: |call| Box::pin(unassign_roles(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Number)?;
    let (rows, total) = match call.query.text("name_filter") {
        // Of organizations there are none, nor roles of theirs.
        _ if call.query.text("type") == Some("organization") => (Vec::new(), 0),
        Some(part) => {
            let named = named(&call, part).await?;
            let total = u64::try_from(named.len()).unwrap_or(u64::MAX);
            (window.cut(named, |role| role.id.as_str()), total)
        }
        None => {
            let rows = roles::roles(&call.tenant, window.page()).await?;
            let total = match window.wants_total() {
                true => call.tenant.house.store.roles_total(&call.tenant.id).await?,
                false => 0,
            };
            (rows, total)
        }
    };
    let listed = Listed {
        plural: "roles",
        items: rows.iter().map(shown).collect(),
        total,
        next: None,
    };
    Ok(listed.reply(&call, &window))
}

async fn create(call: Call) -> Result<Reply, Failure> {
    let text = |name: &str| call.body.get(name).and_then(Value::as_str);
    let role = roles::create(&call.tenant, text("name").unwrap_or_default(), text("description")).await?;
    let mut made = shown(&role);
    // Here alone a description that was not given is null (CONTRACT §4.12.5).
    made["description"] = json!(role.description);
    Ok(Reply::json(made))
}

async fn show(call: Call) -> Result<Reply, Failure> {
    let role = roles::with_id(&call.tenant, &role_of(&call)).await?;
    Ok(Reply::json(shown(&role)))
}

async fn update(mut call: Call) -> Result<Reply, Failure> {
    let changes = call.members();
    let role = roles::update_of(&call.tenant, &role_of(&call), &changes).await?;
    Ok(Reply::json(shown(&role)))
}

async fn delete(call: Call) -> Result<Reply, Failure> {
    match roles::remove(&call.tenant, &role_of(&call)).await {
        // What is gone already is what was wanted.
        Ok(()) | Err(RegistryError::NotFound(_)) => Ok(Reply::json(json!({}))),
        Err(error) => Err(error.into()),
    }
}

async fn members(call: Call) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Checkpoint)?;
    let (tenant, store) = (&call.tenant.id, &call.tenant.house.store);
    let role = roles::with_id(&call.tenant, &role_of(&call)).await?.id;
    let rows = store.users_of_role(tenant, &role, window.page()).await?;
    let total = match window.wants_total() {
        true => store.users_of_role_total(tenant, &role).await?,
        false => 0,
    };
    let (rows, has_more) = window.wanted(rows);
    let listed = Listed {
        plural: "users",
        items: rows.iter().map(|user| member(&call.tenant, user)).collect(),
        total,
        next: rows.last().filter(|_| has_more).map(|user| user.id.as_str()),
    };
    Ok(listed.reply(&call, &window))
}

async fn assign_users(call: Call) -> Result<Reply, Failure> {
    let users: Vec<UserId> = ids(&call.body, "users").map(UserId::new).collect();
    roles::assign_all(&call.tenant, &users, &[role_of(&call)]).await?;
    Ok(Reply::json(json!({})))
}

async fn of_user(call: Call) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Number)?;
    let user = users::user(&call.tenant, &user_of(&call)).await?.id;
    let all = call.tenant.house.store.roles_of_user(&call.tenant.id, &user).await?;
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let rows = window.cut(all, |role| role.id.as_str());
    let item = |role: &Role| json!({ "id": role.id, "name": role.name, "description": described(role) });
    let listed = Listed {
        plural: "roles",
        items: rows.iter().map(item).collect(),
        total,
        next: None,
    };
    Ok(listed.reply(&call, &window))
}

async fn assign_roles(call: Call) -> Result<Reply, Failure> {
    let assigned: Vec<RoleId> = ids(&call.body, "roles").map(RoleId::new).collect();
    roles::assign_all(&call.tenant, &[user_of(&call)], &assigned).await?;
    Ok(Reply::empty())
}

async fn unassign_roles(call: Call) -> Result<Reply, Failure> {
    let taken: Vec<RoleId> = ids(&call.body, "roles").map(RoleId::new).collect();
    roles::unassign_all(&call.tenant, &user_of(&call), &taken).await?;
    Ok(Reply::empty())
}

fn ids<'a>(body: &'a Value, property: &str) -> impl Iterator<Item = &'a str> {
    let items = body.get(property).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str)
}

/// Every role whose name has a part, by id.
async fn named(call: &Call, part: &str) -> Result<Vec<Role>, Failure> {
    let part = part.to_lowercase();
    let mut found = Vec::new();
    let mut page = Page::first(STEP);
    loop {
        let rows = roles::roles(&call.tenant, page).await?;
        let Some(last) = rows.last() else { return Ok(found) };
        page = Page::after(last.id.as_str(), STEP);
        found.extend(rows.into_iter().filter(|role| role.name.to_lowercase().contains(&part)));
    }
}

fn shown(role: &Role) -> Value {
    json!({ "id": role.id, "name": role.name, "description": described(role), "type": "tenant" })
}

fn described(role: &Role) -> &str {
    role.description.as_deref().unwrap_or_default()
}

/// A user as one of those who have a role.
fn member(tenant: &Tenant, user: &User) -> Value {
    let shown = super::users::shown(tenant, user, "");
    let kept = ["user_id", "email", "picture", "name"];
    let kept = kept
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), shown.get(name)?.clone())));
    Value::Object(kept.collect())
}
