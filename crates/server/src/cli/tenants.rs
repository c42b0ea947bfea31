//! `tokenhouse tenants`: issuers beside the first, each with its own keys, applications, APIs and users.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use tokenhouse_protocol::id::TenantId;
use tokenhouse_store::Tenant as Row;

use super::Failure;
use super::output::{fields, print, print_json, table};
use super::place::{Place, all};
use crate::app::App;
use crate::registry::tenants::{self, NewTenant};
use crate::tenant::Issuer;

#[derive(Args, Debug)]
#[command(after_help = "\
The host of a request finds its tenant; an unknown host is answered with 421.

Examples:
  tokenhouse tenants create acme --issuer https://acme.example.org/
  tokenhouse apps list --tenant acme")]
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
    List,
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
    let Arguments { action, place } = arguments;
    place
        .with_app(async |app| match action {
            Action::Create(new) => create(app, &place, new).await,
            Action::List => list(app, &place).await,
        })
        .await
}

async fn create(app: &App, place: &Place, new: Create) -> Result<(), Failure> {
    let issuer = Issuer::parse(&new.issuer).map_err(Failure)?;
    let mut hosts = vec![issuer.authority().to_owned()];
    hosts.extend(new.hosts.into_iter().filter(|host| host != issuer.authority()));
    let tenant = NewTenant {
        name: new.name.unwrap_or_else(|| new.id.clone()),
        id: TenantId::new(new.id),
        issuer: Some(issuer.clone()),
        hosts: hosts.clone(),
    };
    let row = tenants::create(&app.house, tenant, issuer.clone()).await?;
    if place.json {
        return print_json(&view(&row, issuer.as_str(), &hosts));
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
    if place.json {
        return print_json(&Value::Array(views));
    }
    print(&table(&["TENANT", "NAME", "ISSUER", "HOSTS"], &rows))
}

fn view(row: &Row, issuer: &str, hosts: &[String]) -> Value {
    json!({ "id": row.id, "name": row.name, "issuer": issuer, "hosts": hosts })
}
