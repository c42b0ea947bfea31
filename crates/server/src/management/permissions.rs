//! `/users/{id}/permissions` and `/roles/{id}/permissions`: scopes of APIs that a user has, or a role gives
//! (CONTRACT §4.6, §4.7).

use std::collections::{BTreeMap, HashMap};

use axum::http::Method;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::{ApiId, RoleId};
use tokenhouse_store::{Api, Permission};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_NUMBER, Listed, Paging, Window};
use super::schema::{Body, Kind, Property, Shape, text};
use super::users::id_of as user_of;
use crate::registry::roles::{self, Holder, NamedPermission};
use crate::registry::{RegistryError, apis, users};

/// Most permissions of one request.
const MAX_PERMISSIONS: usize = 1000;
const PERMISSION: Kind = Kind::Object(&[
    text("resource_server_identifier", 1, 600).required().note("The API"),
    text("permission_name", 1, 280).required().note("One of its scopes"),
]);
static PROPERTIES: &[Property] = &[Property::new(
    "permissions",
    Kind::List {
        of: &PERMISSION,
        min: 1,
        max: MAX_PERMISSIONS,
        is_set: true,
    },
)
.required()];
const READ_OF_USER: &[&str] = &["read:users"];
const UPDATE_OF_USER: &[&str] = &["update:users"];
const READ_OF_ROLE: &[&str] = &["read:roles"];
const UPDATE_OF_ROLE: &[&str] = &["update:roles"];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "users/{id}/permissions",
        scopes: READ_OF_USER,
        summary: "Get a User's Permissions",
        status: 200,
        query: &BY_NUMBER,
        body: Body::None,
        run: |call| Box::pin(of_user(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "users/{id}/permissions",
        scopes: UPDATE_OF_USER,
        summary: "Assign Permissions to a User",
        status: 201,
        query: &[],
        body: Body::Create(Shape::of(PROPERTIES)),
        run: |call| {
            let holder = Holder::User(user_of(&call));
            Box::pin(give(call, holder))
        },
    },
    Endpoint {
        method: Method::DELETE,
        path: "users/{id}/permissions",
        scopes: UPDATE_OF_USER,
        summary: "Remove Permissions from a User",
        status: 204,
        query: &[],
        body: Body::Create(Shape::of(PROPERTIES)),
        run: |call| {
            let holder = Holder::User(user_of(&call));
            Box::pin(take(call, holder))
        },
    },
    Endpoint {
        method: Method::GET,
        path: "roles/{id}/permissions",
        scopes: READ_OF_ROLE,
        summary: "Get permissions granted by role",
        status: 200,
        query: &BY_NUMBER,
        body: Body::None,
        run: |call| Box::pin(of_role(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "roles/{id}/permissions",
        scopes: UPDATE_OF_ROLE,
        summary: "Associate permissions with a role",
        status: 201,
        query: &[],
        body: Body::Create(Shape::of(PROPERTIES)),
        run: |call| {
            let holder = Holder::Role(role_of(&call));
            Box::pin(give(call, holder))
        },
    },
    Endpoint {
        method: Method::DELETE,
        path: "roles/{id}/permissions",
        scopes: UPDATE_OF_ROLE,
        summary: "Remove permissions from a role",
        status: 204,
        query: &[],
        body: Body::Create(Shape::of(PROPERTIES)),
        run: |call| {
            let holder = Holder::Role(role_of(&call));
            Box::pin(take(call, holder))
        },
    },
];

async fn of_user(call: Call) -> Result<Reply, Failure> {
    let (tenant, store) = (&call.tenant, &call.tenant.house.store);
    let user = users::user(tenant, &user_of(&call)).await?.id;
    let mut sources: BTreeMap<Permission, Vec<Value>> = BTreeMap::new();
    for permission in store.permissions_of_user(&tenant.id, &user).await? {
        let direct = json!({ "source_id": "", "source_name": "", "source_type": "DIRECT" });
        sources.entry(permission).or_default().push(direct);
    }
    for role in store.roles_of_user(&tenant.id, &user).await? {
        for permission in store.permissions_of_role(&tenant.id, &role.id).await? {
            let by_role = json!({ "source_id": role.id, "source_name": role.name, "source_type": "ROLE" });
            sources.entry(permission).or_default().push(by_role);
        }
    }
    let held = sources.into_iter();
    let held = held.map(|(permission, sources)| (permission, Some(sources)));
    listed(&call, held.collect()).await
}

async fn of_role(call: Call) -> Result<Reply, Failure> {
    let role = roles::with_id(&call.tenant, &role_of(&call)).await?;
    let store = &call.tenant.house.store;
    let given = store.permissions_of_role(&call.tenant.id, &role.id).await?;
    let given = given.into_iter().map(|permission| (permission, None));
    listed(&call, given.collect()).await
}

async fn give(call: Call, holder: Holder) -> Result<Reply, Failure> {
    roles::give(&call.tenant, &holder, &named(&call.body)).await?;
    Ok(Reply::json(json!({})))
}

async fn take(call: Call, holder: Holder) -> Result<Reply, Failure> {
    roles::take(&call.tenant, &holder, &named(&call.body)).await?;
    Ok(Reply::empty())
}

/// The role that a path names.
pub(super) fn role_of(call: &Call) -> RoleId {
    RoleId::new(call.parameter("id"))
}

fn named(body: &Value) -> Vec<NamedPermission> {
    let items = body.get("permissions").and_then(Value::as_array);
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = |item| NamedPermission::new(text(item, "resource_server_identifier"), text(item, "permission_name"));
    items.into_iter().flatten().map(named).collect()
}

/// A page of permissions, which are all there.
async fn listed(call: &Call, held: Vec<(Permission, Option<Vec<Value>>)>) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Number)?;
    let total = u64::try_from(held.len()).unwrap_or(u64::MAX);
    let mut known: HashMap<ApiId, Option<Api>> = HashMap::new();
    let mut items = Vec::new();
    for (permission, sources) in window.cut(held, |(permission, _)| permission.scope.as_str()) {
        if !known.contains_key(&permission.api_id) {
            let api = match apis::api(&call.tenant, permission.api_id.as_str()).await {
                Ok(api) => Some(api),
                Err(RegistryError::NotFound(_)) => None,
                Err(error) => return Err(error.into()),
            };
            known.insert(permission.api_id.clone(), api);
        }
        // One whose API was deleted this moment went with it.
        if let Some(Some(api)) = known.get(&permission.api_id) {
            items.push(Value::Object(shown(call, api, &permission, sources)));
        }
    }
    let listed = Listed {
        plural: "permissions",
        items,
        total,
        next: None,
    };
    Ok(listed.reply(call, &window))
}

fn shown(call: &Call, api: &Api, permission: &Permission, sources: Option<Vec<Value>>) -> Map<String, Value> {
    let identifier = apis::identifier(&call.tenant, api);
    let description = api.scopes.iter().find(|scope| scope.value == permission.scope);
    let description = description.and_then(|scope| scope.description.as_deref());
    let mut shown = Map::new();
    shown.insert("permission_name".into(), json!(permission.scope));
    shown.insert("description".into(), json!(description.unwrap_or_default()));
    let name = api.name.as_deref().unwrap_or(&identifier);
    shown.insert("resource_server_name".into(), json!(name));
    shown.insert("resource_server_identifier".into(), json!(identifier));
    if let Some(sources) = sources {
        shown.insert("sources".into(), sources.into());
    }
    shown
}
