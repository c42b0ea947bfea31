//! `tokenhouse grants`: client grants, which application may use which API (CONTRACT §4.5).

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::{ApiId, ClientGrantId, ClientId};
use tokenhouse_store::ClientGrant;

use super::output::{fields, may_go_on, print, print_json, table};
use super::place::{Place, all};
use super::{Failure, apis};
use crate::registry::client_grants::{self, NewClientGrant};
use crate::registry::clients;
use crate::tenant::Tenant;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse grants create --app CLIENT_ID --api https://api.example.org --scope read:reports
  tokenhouse grants create --app CLIENT_ID --api https://api.example.org --all-scopes
  tokenhouse grants list --app CLIENT_ID")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let an application use an API; without --scope or --all-scopes its tokens allow no scope
    Create(Create),
    /// List the grants
    List {
        /// Only those of the application with this client ID
        #[arg(long, value_name = "CLIENT_ID")]
        app: Option<String>,
    },
    /// Show a grant
    Show {
        /// Its id
        id: String,
    },
    /// Delete a grant: the application gets no more tokens for the API
    Delete {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
}

#[derive(Args, Debug)]
struct Create {
    /// The application's client ID
    #[arg(long, value_name = "CLIENT_ID")]
    app: String,
    /// The API's identifier or id
    #[arg(long, value_name = "IDENTIFIER")]
    api: String,
    /// A scope that its tokens may have, one of the API's; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Every scope of the API, now and later
    #[arg(long, conflicts_with = "scopes")]
    all_scopes: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_tenant(async |tenant| match action {
            Action::Create(new) => create(tenant, &place, new).await,
            Action::List { app } => list(tenant, &place, app.map(ClientId::new)).await,
            Action::Show { id } => show(tenant, &place, &ClientGrantId::new(id)).await,
            Action::Delete { id, force } => delete(tenant, &place, &ClientGrantId::new(id), force).await,
        })
        .await
}

async fn create(tenant: &Tenant, place: &Place, new: Create) -> Result<(), Failure> {
    let mut scopes: Vec<String> = Vec::new();
    // A scope holds no blank, so "a b" can only mean two.
    for scope in new.scopes.iter().flat_map(|scopes| scopes.split_whitespace()) {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    let grant = NewClientGrant {
        client_id: ClientId::new(new.app),
        audience: new.api,
        scopes,
        allow_all_scopes: new.all_scopes,
    };
    let grant = client_grants::create(tenant, grant).await?;
    let identifiers = apis::identifiers(tenant).await?;
    if place.json {
        return print_json(&view(&grant, &identifiers));
    }
    print(&described(tenant, &grant, &identifiers).await?)
}

async fn list(tenant: &Tenant, place: &Place, app: Option<ClientId>) -> Result<(), Failure> {
    let found = match &app {
        Some(app) => {
            clients::client(tenant, app).await?;
            tenant.house.store.grants_of_client(&tenant.id, app).await?
        }
        None => {
            all(
                async |page| client_grants::client_grants(tenant, page).await,
                |grant| grant.id.as_str(),
            )
            .await?
        }
    };
    let identifiers = apis::identifiers(tenant).await?;
    if place.json {
        return print_json(&found.iter().map(|grant| view(grant, &identifiers)).collect());
    }
    if found.is_empty() {
        return print("There are no grants: `tokenhouse grants create --app CLIENT_ID --api IDENTIFIER` makes one.");
    }
    let row = |grant: &ClientGrant| {
        let api = audience(grant, &identifiers).to_owned();
        vec![grant.id.to_string(), grant.client_id.to_string(), api, scopes(grant)]
    };
    print(&table(
        &["GRANT", "CLIENT ID", "API", "SCOPES"],
        &found.iter().map(row).collect::<Vec<_>>(),
    ))
}

async fn show(tenant: &Tenant, place: &Place, id: &ClientGrantId) -> Result<(), Failure> {
    let grant = client_grants::client_grant(tenant, id).await?;
    let identifiers = apis::identifiers(tenant).await?;
    if place.json {
        return print_json(&view(&grant, &identifiers));
    }
    print(&described(tenant, &grant, &identifiers).await?)
}

async fn delete(tenant: &Tenant, place: &Place, id: &ClientGrantId, force: bool) -> Result<(), Failure> {
    let grant = client_grants::client_grant(tenant, id).await?;
    let identifiers = apis::identifiers(tenant).await?;
    let api = audience(&grant, &identifiers);
    may_go_on(&format!("Delete the grant of {} for {api}?", grant.client_id), force)?;
    client_grants::remove(tenant, id).await?;
    place.print_deleted(&format!(
        "Deleted {id}. Tokens already issued stay valid until they expire."
    ))
}

/// A grant in the Management API's fields.
fn view(grant: &ClientGrant, identifiers: &BTreeMap<ApiId, String>) -> Value {
    let mut view: Map<String, Value> = grant.rest.clone();
    view.insert("id".into(), json!(grant.id));
    view.insert("client_id".into(), json!(grant.client_id));
    view.insert("audience".into(), json!(audience(grant, identifiers)));
    view.insert("subject_type".into(), json!(grant.subject_type));
    if grant.allow_all_scopes {
        view.insert("allow_all_scopes".into(), json!(true));
    } else {
        view.insert("scope".into(), json!(grant.scopes));
    }
    Value::Object(view)
}

async fn described(
    tenant: &Tenant,
    grant: &ClientGrant,
    identifiers: &BTreeMap<ApiId, String>,
) -> Result<String, Failure> {
    let client = clients::client(tenant, &grant.client_id).await?;
    Ok(fields(&[
        ("Grant", grant.id.to_string()),
        ("Application", format!("{} ({})", client.name, client.id)),
        ("API", audience(grant, identifiers).to_owned()),
        ("Scopes", scopes(grant)),
        ("Created", grant.created_at.to_string()),
    ]))
}

fn audience<'a>(grant: &'a ClientGrant, identifiers: &'a BTreeMap<ApiId, String>) -> &'a str {
    identifiers
        .get(&grant.api_id)
        .map_or(grant.api_id.as_str(), String::as_str)
}

fn scopes(grant: &ClientGrant) -> String {
    match (grant.allow_all_scopes, grant.scopes.is_empty()) {
        (true, _) => "all".into(),
        (false, true) => "none".into(),
        (false, false) => grant.scopes.join(" "),
    }
}
