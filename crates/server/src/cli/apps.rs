//! `tokenhouse apps`: applications, the programs that ask for tokens (CONTRACT §4.3).

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Client, ClientKey};

use super::output::{fields, may_go_on, print, print_json, quoted, table};
use super::place::{Place, all};
use super::{Failure, apis};
use crate::quota;
use crate::registry::client_keys::{self, NewClientKey};
use crate::registry::clients::{self, Kind, NewClient};
use crate::tenant::Tenant;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse apps create 'Report reader'
  tokenhouse apps create 'Night batch' --key public.pem
  tokenhouse apps create Shop --type regular --grant-type password --origin https://shop.example.org
  tokenhouse apps show CLIENT_ID --reveal-secret --json")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an application, and see how it gets a token
    Create(Create),
    /// List the applications
    List,
    /// Show an application
    Show {
        /// Its client ID
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// Show its secret as well
        #[arg(long)]
        reveal_secret: bool,
    },
    /// Delete an application with its secrets and grants
    Delete {
        /// Its client ID
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
    /// Register a public key: the application then proves itself by assertions (private_key_jwt), its secret ends
    AddKey {
        /// Its client ID
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// The public key: PEM of a key or a certificate, or a JWK
        file: PathBuf,
        #[command(flatten)]
        about: AboutKey,
    },
    /// Remove a public key of an application
    RemoveKey {
        /// Its client ID
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// The key's id or kid
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
    /// Say for whom the application's assertions (private_key_jwt) may be
    AssertionAudience {
        /// Its client ID
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// Whom they may name as their aud
        audience: AssertionAudience,
    },
    /// Give an application a new secret; the old one ends at once
    RotateSecret {
        /// Its client ID
        #[arg(value_name = "CLIENT_ID")]
        id: String,
    },
}

#[derive(Args, Debug)]
struct Create {
    /// What people call it
    name: String,
    /// What kind of program it is
    #[arg(long = "type", value_name = "TYPE", default_value = "m2m")]
    kind: KindName,
    /// A way in which it may get tokens, by its OAuth name, in place of those of its type; may be repeated
    #[arg(long = "grant-type", value_name = "GRANT_TYPE")]
    grant_types: Vec<String>,
    /// An origin whose pages may read the token endpoint's answers; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Its public key, with which it proves itself in place of a secret: PEM of a key or a certificate, or a JWK
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// What may be said of a key.
#[derive(Args, Debug)]
struct AboutKey {
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// The kid of its assertions, unless its RFC 7638 thumbprint
    #[arg(long)]
    kid: Option<String>,
    /// What it signs with: RS256, PS256, ES256 or EdDSA; by its kind unless given
    #[arg(long = "alg", value_name = "ALG", value_parser = apis::algorithm)]
    algorithm: Option<Algorithm>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum AssertionAudience {
    /// The issuer and nothing else, as it is from the start
    Issuer,
    /// The issuer or the token endpoint's URL, which older clients name
    TokenEndpoint,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindName {
    /// Machine to machine: a program that acts for itself
    M2m,
    /// A web application whose server keeps a secret
    Regular,
    /// A page without a server: it keeps no secret
    Spa,
    /// An app on a device: it keeps no secret
    Native,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_tenant(async |tenant| match action {
            Action::Create(new) => create(tenant, &place, new).await,
            Action::List => list(tenant, &place).await,
            Action::Show { id, reveal_secret } => show(tenant, &place, &ClientId::new(id), reveal_secret).await,
            Action::Delete { id, force } => delete(tenant, &place, &ClientId::new(id), force).await,
            Action::AddKey { id, file, about } => {
                let mut key = read_key(&file)?;
                key.name = about.name;
                key.kid = about.kid.or(key.kid);
                key.algorithm = about.algorithm.unwrap_or(key.algorithm);
                let id = ClientId::new(id);
                client_keys::add(tenant, &id, key).await?;
                show(tenant, &place, &id, false).await
            }
            Action::RemoveKey { id, key } => {
                let id = ClientId::new(id);
                client_keys::remove(tenant, &id, &key).await?;
                show(tenant, &place, &id, false).await
            }
            Action::AssertionAudience { id, audience } => {
                let id = ClientId::new(id);
                let may = audience == AssertionAudience::TokenEndpoint;
                client_keys::let_name_token_endpoint(tenant, &id, may).await?;
                show(tenant, &place, &id, false).await
            }
            Action::RotateSecret { id } => rotate_secret(tenant, &place, &ClientId::new(id)).await,
        })
        .await
}

async fn create(tenant: &Tenant, place: &Place, new: Create) -> Result<(), Failure> {
    let kind = match new.kind {
        KindName::M2m => Kind::MachineToMachine,
        KindName::Regular => Kind::RegularWeb,
        KindName::Spa => Kind::SinglePage,
        KindName::Native => Kind::Native,
    };
    // A file that holds no key is found out before there is an application.
    let key = new.key.as_deref().map(read_key).transpose()?;
    let mut client = NewClient::of_kind(kind, new.name);
    if !new.grant_types.is_empty() {
        client.grant_types = new.grant_types;
    }
    if !new.origins.is_empty() {
        client = client.with_web_origins(&new.origins);
    }
    let (client, secret) = clients::create(tenant, client).await?;
    if let Some(key) = key {
        client_keys::add(tenant, &client.id, key).await?;
        return show(tenant, place, &client.id, false).await;
    }
    if place.json {
        return print_json(&view(&client, secret.as_ref()));
    }
    print(&described(&client, secret.as_ref()))?;
    print(&next_steps(tenant, place, &client, secret.as_ref()).await?)
}

async fn list(tenant: &Tenant, place: &Place) -> Result<(), Failure> {
    let found = all(
        async |page| clients::clients(tenant, page).await,
        |client| client.id.as_str(),
    )
    .await?;
    if place.json {
        return print_json(&found.iter().map(|client| view(client, None)).collect());
    }
    if found.is_empty() {
        return print("There are no applications yet: `tokenhouse apps create NAME` makes one.");
    }
    let row = |client: &Client| {
        let kind = client.app_type.clone().unwrap_or_default();
        vec![
            client.id.to_string(),
            client.name.clone(),
            kind,
            client.grant_types.join(" "),
        ]
    };
    print(&table(
        &["CLIENT ID", "NAME", "TYPE", "GRANT TYPES"],
        &found.iter().map(row).collect::<Vec<_>>(),
    ))
}

async fn show(tenant: &Tenant, place: &Place, id: &ClientId, reveal_secret: bool) -> Result<(), Failure> {
    let client = clients::client(tenant, id).await?;
    let keys = client_keys::keys(tenant, id).await?;
    let secret = if reveal_secret && !client_keys::uses_assertions(&client) {
        clients::secret(tenant, id).await?
    } else {
        None
    };
    if place.json {
        return print_json(&view(&client, secret.as_ref()));
    }
    print(&described(&client, secret.as_ref()))?;
    let row = |key: &ClientKey| {
        let name = key.name.clone().unwrap_or_default();
        vec![key.id.to_string(), key.kid.clone(), key.algorithm.clone(), name]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    match rows.is_empty() {
        true => Ok(()),
        false => print(&format!("\n{}", table(&["KEY", "KID", "ALGORITHM", "NAME"], &rows))),
    }
}

/// The public key in a file, checked.
fn read_key(file: &Path) -> Result<NewClientKey, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::because(format!("the key in {} cannot be read", file.display()), error))?;
    let key = NewClientKey::read(&text)?;
    key.check()?;
    Ok(key)
}

async fn delete(tenant: &Tenant, place: &Place, id: &ClientId, force: bool) -> Result<(), Failure> {
    let client = clients::client(tenant, id).await?;
    may_go_on(
        &format!("Delete the application {:?} with its secrets and grants?", client.name),
        force,
    )?;
    clients::remove(tenant, id).await?;
    place.print_deleted(&format!(
        "Deleted {}. Tokens it already holds stay valid until they expire.",
        client.name
    ))
}

async fn rotate_secret(tenant: &Tenant, place: &Place, id: &ClientId) -> Result<(), Failure> {
    let secret = clients::rotate_secret(tenant, id).await?;
    if place.json {
        let client = clients::client(tenant, id).await?;
        return print_json(&view(&client, Some(&secret)));
    }
    print(&fields(&[
        ("Client ID", id.to_string()),
        ("Client secret", secret.expose().to_owned()),
    ]))?;
    print("\nThe old secret is refused from now on.")
}

/// An application in the Management API's fields.
fn view(client: &Client, secret: Option<&Secret>) -> Value {
    let mut view: Map<String, Value> = client.rest.clone();
    view.insert("client_id".into(), json!(client.id));
    view.insert("name".into(), json!(client.name));
    view.insert("grant_types".into(), json!(client.grant_types));
    view.insert("is_first_party".into(), json!(client.is_first_party));
    view.insert("global".into(), json!(client.is_global));
    view.extend(client.app_type.as_ref().map(|kind| ("app_type".into(), json!(kind))));
    let method = client.token_endpoint_auth_method.as_ref();
    view.extend(method.map(|method| ("token_endpoint_auth_method".into(), json!(method))));
    view.extend(secret.map(|secret| ("client_secret".into(), json!(secret.expose()))));
    Value::Object(view)
}

fn described(client: &Client, secret: Option<&Secret>) -> String {
    let origins = client.rest.get("web_origins").and_then(Value::as_array);
    let origins = origins.map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "));
    let quota = quota::read(client.rest.get("token_quota"));
    fields(&[
        ("Name", client.name.clone()),
        ("Client ID", client.id.to_string()),
        (
            "Client secret",
            secret.map(|secret| secret.expose().to_owned()).unwrap_or_default(),
        ),
        ("Type", client.app_type.clone().unwrap_or_default()),
        ("Grant types", client.grant_types.join(" ")),
        (
            "Authenticates by",
            match client_keys::uses_assertions(client) {
                true if client_keys::may_name_token_endpoint(client) => {
                    "private_key_jwt; aud: the issuer or the token endpoint".into()
                }
                true => "private_key_jwt".into(),
                false => client.token_endpoint_auth_method.clone().unwrap_or_default(),
            },
        ),
        ("Origins", origins.unwrap_or_default()),
        (
            "Token quota",
            quota.map(|quota| quota::in_words(&quota)).unwrap_or_default(),
        ),
        ("Created", client.created_at.to_string()),
    ])
}

/// How the new application gets its first token, in commands to be pasted.
async fn next_steps(
    tenant: &Tenant,
    place: &Place,
    client: &Client,
    secret: Option<&Secret>,
) -> Result<String, Failure> {
    let (id, flags) = (&client.id, place.flags());
    let Some(secret) = secret else {
        return Ok(format!(
            "\nIt keeps no secret: it names itself by its client ID alone, {id}."
        ));
    };
    let api = apis::only_identifier(tenant)
        .await?
        .unwrap_or_else(|| "YOUR_API_IDENTIFIER".into());
    let ask = |grant_type: &str, more: &str| {
        format!(
            "  curl {} -d grant_type={grant_type} -d client_id={id} -d client_secret={} \\\n    --data-urlencode {}{more}",
            quoted(&tenant.issuer.url("oauth/token")),
            secret.expose(),
            quoted(&format!("audience={api}")),
        )
    };
    let mut steps = Vec::new();
    if GrantType::ClientCredentials.is_allowed_by(&client.grant_types) {
        let grant = format!(
            "  tokenhouse grants create{flags} --app {id} --api {} --all-scopes",
            quoted(&api)
        );
        steps.push(format!(
            "Let it use an API, then ask for a token:\n\n{grant}\n{}",
            ask("client_credentials", "")
        ));
    }
    if GrantType::Password.is_allowed_by(&client.grant_types) {
        let user = " -d username=EMAIL --data-urlencode password=PASSWORD";
        steps.push(format!("Ask for a token for a user:\n\n{}", ask("password", user)));
    }
    let again = format!("The secret is shown again by `tokenhouse apps show{flags} {id} --reveal-secret`.");
    steps.push(again);
    Ok(format!("\n{}", steps.join("\n\n")))
}
