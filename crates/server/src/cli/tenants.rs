//! `tokenhouse tenants`: issuers beside the first, each with its own keys, applications, APIs and users.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use tokenhouse_protocol::id::TenantId;
use tokenhouse_store::Tenant as Row;

use super::Failure;
use super::management::Management;
use super::output::{fields, may_remove, print, remark, text};
use super::place::{Place, all};
use super::properties::{Properties, Set};
use super::recorded::recorded;
use crate::app::App;
use crate::management::command::Command;
use crate::registry::tenants::{self, NewTenant};
use crate::tenant::{Issuer, Tenant};

/// Where a tenant's settings are.
const SETTINGS: &str = "tenants/settings";

#[derive(Args, Debug)]
#[command(after_help = "\
The host of a request finds its tenant; an unknown host is answered with 421. Tenants are made and deleted where the \
database is; over --server the one that the server's address leads to is listed, shown and changed.

Examples:
  tokenhouse tenants create acme --issuer https://acme.example.org/
  tokenhouse tenants show acme
  tokenhouse tenants update acme --default-audience https://api.example.org
  tokenhouse tenants update acme --add-host login.acme.example.org
  tokenhouse apps list --tenant acme
  tokenhouse tenants delete acme")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a tenant
    Create(Create),
    /// List the tenants
    #[command(visible_alias = "ls")]
    List,
    /// Show a tenant's settings
    Show {
        /// Its id; the default tenant, or the server's, unless given
        id: Option<String>,
    },
    /// Change a tenant's settings; what is not named stays as it is
    Update {
        /// Its id; the default tenant, or the server's, unless given
        id: Option<String>,
        /// What people call it
        #[arg(long, short)]
        name: Option<String>,
        /// The API of token requests that name none; an empty text for none
        #[arg(long, value_name = "IDENTIFIER")]
        default_audience: Option<String>,
        /// The connection of the password grant
        #[arg(long, value_name = "NAME")]
        default_directory: Option<String>,
        /// How the token endpoint words its errors: auth0 or rfc6749
        #[arg(long, value_name = "DIALECT", value_parser = ["auth0", "rfc6749"])]
        error_dialect: Option<String>,
        /// A host by which requests find it from now on, where the database is; may be repeated
        #[arg(long = "add-host", value_name = "HOST")]
        added_hosts: Vec<String>,
        /// A host that leads to it no more, where the database is; may be repeated
        #[arg(long = "remove-host", value_name = "HOST")]
        removed_hosts: Vec<String>,
        #[command(flatten)]
        set: Set,
    },
    /// Delete a tenant with all that it has: applications, APIs, users, keys, administrators, log and usage
    #[command(visible_alias = "rm")]
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
    /// Its id: lower-case letters, digits and dashes
    id: String,
    /// The URL at which its requests arrive, and the `iss` of its tokens
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// Another host by which requests find it, as in a Host header; may be repeated
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, mut place } = arguments;
    match action {
        Action::Create(new) => place.with_app(async |app| create(app, &place, new).await).await,
        Action::List if place.server().is_some() => {
            let seen = async |api: &Management| list_seen(&place, &api.get(SETTINGS, &[]).await?, api.issuer());
            place.with_management(seen).await
        }
        Action::List => place.with_app(async |app| list(app, &place).await).await,
        Action::Delete { id, force } => {
            place
                .with_app(async |app| delete(app, &place, &TenantId::new(id), force).await)
                .await
        }
        Action::Show { id } => {
            place.choose_tenant(id)?;
            let shown = async |api: &Management| settings(&place, &api.get(SETTINGS, &[]).await?, api.issuer());
            place.with_management(shown).await
        }
        Action::Update {
            id,
            name,
            default_audience,
            default_directory,
            error_dialect,
            added_hosts,
            removed_hosts,
            set,
        } => {
            place.choose_tenant(id)?;
            let properties = Properties::default()
                .with("friendly_name", name)
                .with("default_audience", default_audience)
                .with("default_directory", default_directory)
                .with("error_dialect", error_dialect)
                .with_set(set);
            if !added_hosts.is_empty() || !removed_hosts.is_empty() {
                let work = async |tenant: &Arc<Tenant>| hosts(tenant, &added_hosts, &removed_hosts).await;
                let hosts = place.with_tenant(work).await?;
                if properties.is_empty() {
                    return match place.is_json() {
                        true => place.print_json(&json!({ "hosts": hosts })),
                        false => print(&fields(&[("Hosts", hosts.join(" "))])),
                    };
                }
            }
            let changes = properties.changes()?;
            let changed = async |api: &Management| settings(&place, &api.patch(SETTINGS, changes).await?, api.issuer());
            place.with_management(changed).await
        }
    }
}

/// Changes by which hosts requests find a tenant: all that there are then, beside the configuration's own.
async fn hosts(tenant: &Tenant, added: &[String], removed: &[String]) -> Result<Vec<String>, Failure> {
    let work = async {
        tenants::change_hosts(tenant, added, removed).await?;
        let told = json!({ "id": tenant.id, "added": added, "removed": removed });
        Ok(((), told))
    };
    recorded(
        tenant,
        Command::change("tenants update", "Change a tenant's hosts"),
        work,
    )
    .await?;
    Ok(tenant.house.store.hosts(&tenant.id).await?)
}

fn settings(place: &Place, settings: &Value, issuer: &str) -> Result<(), Failure> {
    if place.is_json() {
        return place.print_json(settings);
    }
    print(&fields(&[
        ("Name", text(settings, "friendly_name")),
        ("Issuer", issuer.to_owned()),
        ("Default audience", text(settings, "default_audience")),
        ("Default directory", text(settings, "default_directory")),
        ("Error dialect", text(settings, "error_dialect")),
        ("Support e-mail", text(settings, "support_email")),
        ("Support URL", text(settings, "support_url")),
    ]))?;
    print("\n--json shows every setting.")
}

async fn create(app: &App, place: &Place, new: Create) -> Result<(), Failure> {
    let issuer = Issuer::parse(&new.issuer).map_err(Failure)?;
    let mut hosts = vec![issuer.authority().to_owned()];
    hosts.extend(new.hosts);
    let tenant = NewTenant {
        name: new.name.unwrap_or_else(|| new.id.clone()),
        id: TenantId::new(new.id),
        issuer: Some(issuer.clone()),
        hosts,
    };
    let work = async {
        let row = tenants::create(&app.house, tenant, issuer.clone()).await?;
        let hosts = app.house.store.hosts(&row.id).await?;
        let told = view(&row, issuer.as_str(), &hosts);
        Ok(((row, hosts), told))
    };
    let command = Command::change("tenants create", "Create a tenant");
    let (row, hosts) = recorded(&*app.default_tenant().await?, command, work).await?;
    if !issuer.is_https() && !issuer.is_loopback() {
        remark(&format!(
            "Note: {} is plain http, so secrets and tokens travel in the clear. An issuer never changes: if others shall \
             reach it, delete this tenant and make it with https://.",
            issuer.as_str()
        ));
    }
    if place.is_json() {
        return place.print_json(&view(&row, issuer.as_str(), &hosts));
    }
    let about = [
        ("Tenant", row.id.to_string()),
        ("Name", row.name.clone()),
        ("Issuer", issuer.as_str().to_owned()),
        ("Hosts", hosts.join(" ")),
    ];
    print(&fields(&about))?;
    print(&format!(
        "\nName it in other commands: tokenhouse apps create NAME --tenant {}",
        row.id
    ))
}

async fn list(app: &App, place: &Place) -> Result<(), Failure> {
    let default_issuer = app.default_tenant().await?.issuer.clone();
    let found = all(
        async |page| tenants::tenants(&app.house, page).await,
        |row| row.id.as_str(),
    )
    .await?;
    let mut rows = Vec::new();
    let mut views = Vec::new();
    for row in found {
        let hosts = app.house.store.hosts(&row.id).await?;
        let issuer = row.issuer.clone().unwrap_or_else(|| default_issuer.as_str().to_owned());
        views.push(view(&row, &issuer, &hosts));
        rows.push(vec![row.id.to_string(), row.name, issuer, hosts.join(" ")]);
    }
    place.print_list(
        &Value::Array(views),
        &["TENANT", "NAME", "ISSUER", "HOSTS"],
        &rows,
        "There are none.",
    )
}

/// Over HTTP: the one tenant that the server's address leads to.
fn list_seen(place: &Place, settings: &Value, issuer: &str) -> Result<(), Failure> {
    let host = Issuer::parse(issuer).map_err(Failure)?.authority().to_owned();
    let name = text(settings, "friendly_name");
    place.print_list(
        &json!([{ "name": name, "issuer": issuer, "hosts": [host] }]),
        &["NAME", "ISSUER", "HOSTS"],
        &[vec![name, issuer.to_owned(), host]],
        "There are none.",
    )
}

async fn delete(app: &App, place: &Place, id: &TenantId, force: bool) -> Result<(), Failure> {
    let store = &app.house.store;
    let default = app.default_tenant().await?;
    let unknown = || Failure(format!("there is no tenant {id}: see `tokenhouse tenants list`"));
    let row = store.tenant(id).await?.ok_or_else(unknown)?;
    if row.id != default.id {
        let users = store.users_total(id).await?;
        let question = format!(
            "Delete the tenant {id} with its applications, APIs, {users} users, keys, administrators, log and usage? It \
             cannot be undone."
        );
        may_remove(&question, id.as_str(), force)?;
    }
    let command = Command::change("tenants delete", "Delete a tenant");
    let work = async {
        let rows = tenants::remove(&app.house, id).await?;
        let told = json!({ "id": id, "name": row.name, "issuer": row.issuer, "rows": rows });
        Ok((rows, told))
    };
    let rows = recorded(&default, command, work).await?;
    place.print_deleted(&format!("Deleted {id}, {rows} rows in all."))
}

fn view(row: &Row, issuer: &str, hosts: &[String]) -> Value {
    json!({ "id": row.id, "name": row.name, "issuer": issuer, "hosts": hosts })
}
