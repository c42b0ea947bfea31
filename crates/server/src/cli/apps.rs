//! `tokenhouse apps`: applications, the programs that ask for tokens (CONTRACT §4.3).

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Algorithm;

use super::management::{Management, path};
use super::output::{may_go_on, print, remark, text};
use super::place::Place;
use super::properties::{Properties, Set, pair};
use super::{Failure, apis};
use crate::registry::client_keys::NewClientKey;
use crate::registry::clients::Kind;

mod shown;

/// The property that lets assertions be for the token endpoint.
const NAMES_TOKEN_ENDPOINT: &str = "is_token_endpoint_assertion_audience_allowed";
/// The secret, which is left out of what is read unless it is asked for.
const SECRET: &str = "client_secret";

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse apps create 'Report reader'
  tokenhouse apps create --name 'Night batch' --type m2m --key public.pem
  tokenhouse apps create Shop --type regular --grants password \\
    --origin https://shop.example
  tokenhouse apps update CLIENT_ID --description 'Reads reports at night'
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
    #[command(visible_alias = "ls")]
    List {
        /// Only the first so many
        #[arg(long, short, value_name = "N")]
        number: Option<usize>,
        /// Show their secrets as well
        #[arg(long, short, visible_alias = "reveal-secrets")]
        reveal_secret: bool,
    },
    /// Show an application
    Show {
        /// Its client ID
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// Show its secret as well
        #[arg(long, short, visible_alias = "reveal-secrets")]
        reveal_secret: bool,
    },
    /// Change an application; what is not named stays as it is
    Update {
        /// Its client ID
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// What people call it from now on
        #[arg(long, short)]
        name: Option<String>,
        /// What kind of program it is
        #[arg(long = "type", short = 't', value_name = "TYPE")]
        kind: Option<KindName>,
        #[command(flatten)]
        about: About,
    },
    /// Delete an application with its secrets and grants
    #[command(visible_alias = "rm")]
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
    #[arg(required_unless_present = "named")]
    name: Option<String>,
    /// The same
    #[arg(id = "named", long = "name", short, value_name = "NAME", conflicts_with = "name")]
    named: Option<String>,
    /// What kind of program it is
    #[arg(long = "type", short = 't', value_name = "TYPE", default_value = "m2m")]
    kind: KindName,
    #[command(flatten)]
    about: About,
    /// Its public key, with which it proves itself in place of a secret: PEM of a key or a certificate, or a JWK
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A new secret is shown in any case
    #[arg(long, short, hide = true, alias = "reveal-secrets")]
    reveal_secret: bool,
}

/// What may be said of an application, new or old. Lists replace what was there.
#[derive(Args, Debug)]
struct About {
    /// What it is for
    #[arg(long, short)]
    description: Option<String>,
    /// The ways in which it may get tokens, in place of those of its type: credentials, password, password-realm, code,
    /// refresh-token, implicit, device-code, or any by its OAuth name; with commas between or repeated
    #[arg(long = "grant-type", short = 'g', visible_alias = "grants", value_name = "GRANT_TYPE", value_delimiter = ',', value_parser = grant_type)]
    grant_types: Vec<String>,
    /// How it proves itself at the token endpoint
    #[arg(long, short, value_name = "METHOD", ignore_case = true)]
    auth_method: Option<AuthMethod>,
    /// Origins whose pages may read the token endpoint's answers; with commas between or repeated
    #[arg(long = "origin", short, visible_aliases = ["origins", "web-origins"], value_name = "ORIGIN", value_delimiter = ',')]
    origins: Vec<String>,
    /// Where people may be sent after they signed in; with commas between or repeated
    #[arg(
        long = "callback",
        short,
        visible_alias = "callbacks",
        value_name = "URL",
        value_delimiter = ','
    )]
    callbacks: Vec<String>,
    /// Where people may be sent after they signed out; with commas between or repeated
    #[arg(
        long = "logout-url",
        short,
        visible_alias = "logout-urls",
        value_name = "URL",
        value_delimiter = ','
    )]
    logout_urls: Vec<String>,
    /// Something to be kept with it; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    #[command(flatten)]
    set: Set,
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
    /// What it signs with: RS256, RS384, PS256, ES256 or EdDSA; by its kind unless given
    #[arg(long = "alg", value_name = "ALG", value_parser = apis::key_algorithm)]
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AuthMethod {
    /// Not at all: it keeps no secret
    None,
    /// With its secret in the request's body
    Post,
    /// With its secret in the Authorization header
    Basic,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_management(async |api| match action {
            Action::Create(new) => create(api, &place, new).await,
            Action::List { number, reveal_secret } => shown::list(api, &place, number, reveal_secret).await,
            Action::Show { id, reveal_secret } => shown::show(api, &place, &id, reveal_secret).await,
            Action::Update { id, name, kind, about } => {
                let kind = kind.map(|kind| Kind::from(kind).app_type());
                let changes = about.properties().with("name", name).with("app_type", kind);
                api.patch(&path(["clients", &id]), changes.changes()?).await?;
                shown::show(api, &place, &id, false).await
            }
            Action::Delete { id, force } => delete(api, &place, &id, force).await,
            Action::AddKey { id, file, about } => add_key(api, &place, &id, &file, about).await,
            Action::RemoveKey { id, key } => remove_key(api, &place, &id, &key).await,
            Action::AssertionAudience { id, audience } => {
                let may = (audience == AssertionAudience::TokenEndpoint).then_some(true);
                let changes = json!({ NAMES_TOKEN_ENDPOINT: may });
                api.patch(&path(["clients", &id]), changes).await?;
                shown::show(api, &place, &id, false).await
            }
            Action::RotateSecret { id } => {
                let client = api.post(&path(["clients", &id, "rotate-secret"]), Value::Null).await?;
                shown::rotated(&place, &client)
            }
        })
        .await
}

async fn create(api: &Management, place: &Place, new: Create) -> Result<(), Failure> {
    let kind = Kind::from(new.kind);
    let mut properties = new.about.properties().with("name", new.name.or(new.named));
    if !properties.has("app_type") {
        properties = properties.with("app_type", Some(kind.app_type()));
    }
    if !properties.has("grant_types") {
        properties = properties.with("grant_types", Some(kind.grant_types()));
    }
    properties = match new.key.as_deref() {
        Some(file) => {
            let key = json!({ "credential_type": "public_key", "pem": read_key(file)? });
            let methods = json!({ "private_key_jwt": { "credentials": [key] } });
            properties.with("client_authentication_methods", Some(methods))
        }
        None if properties.has("token_endpoint_auth_method") => properties,
        None => properties.with("token_endpoint_auth_method", Some(kind.auth_method())),
    };
    let client = api.post("clients", properties.body()).await?;
    if new.key.is_some() {
        return shown::show(api, place, &text(&client, "client_id"), false).await;
    }
    if place.is_json() {
        return place.print_json(&client);
    }
    print(&shown::described(&client))?;
    print(&shown::next_steps(api, place, &client).await?)
}

async fn delete(api: &Management, place: &Place, id: &str, force: bool) -> Result<(), Failure> {
    let client = api.get_without(&path(["clients", id]), SECRET).await?;
    let name = text(&client, "name");
    may_go_on(
        &format!("Delete the application {name:?} with its secrets and grants?"),
        force,
    )?;
    api.delete(&path(["clients", id]), Value::Null).await?;
    place.print_deleted(&format!(
        "Deleted {name}. Tokens it already holds stay valid until they expire."
    ))
}

/// Keeps the key, then lets it count.
async fn add_key(api: &Management, place: &Place, id: &str, file: &Path, about: AboutKey) -> Result<(), Failure> {
    let key = Properties::default()
        .with("credential_type", Some("public_key"))
        .with("pem", Some(read_key(file)?))
        .with("name", about.name)
        .with("kid", about.kid)
        .with("alg", about.algorithm.map(Algorithm::as_str));
    let client = api.get_without(&path(["clients", id]), SECRET).await?;
    let mut keys = shown::listed(&client);
    let kept = api.post(&path(["clients", id, "credentials"]), key.body()).await?;
    keys.push(text(&kept, "id"));
    let keys: Vec<Value> = keys.iter().map(|id| json!({ "id": id })).collect();
    let changes = json!({
        "client_authentication_methods": { "private_key_jwt": { "credentials": keys } },
        "token_endpoint_auth_method": null,
    });
    api.patch(&path(["clients", id]), changes).await?;
    shown::show(api, place, id, false).await
}

async fn remove_key(api: &Management, place: &Place, id: &str, key: &str) -> Result<(), Failure> {
    let keys = api.get(&path(["clients", id, "credentials"]), &[]).await?;
    let is_named = |held: &&Value| held["id"] == key || held["kid"] == key;
    let found = keys.as_array().and_then(|keys| keys.iter().find(is_named));
    let found = found.ok_or_else(|| {
        Failure(format!(
            "the application has no key {key}: `tokenhouse apps show {id}` lists its keys"
        ))
    })?;
    api.delete(&path(["clients", id, "credentials", &text(found, "id")]), Value::Null)
        .await?;
    let client = api.get_without(&path(["clients", id]), SECRET).await?;
    if shown::listed(&client).is_empty() {
        remark("Note: that was its last key, so it can prove itself no more: add one, or give it a secret.");
    }
    shown::show(api, place, id, false).await
}

/// The public key in a file, checked before anything is made of it.
fn read_key(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::because(format!("the key in {} cannot be read", file.display()), error))?;
    NewClientKey::read(&text)?.check()?;
    Ok(text)
}

/// A grant type by its name in Auth0's command line, or by its OAuth name.
fn grant_type(text: &str) -> Result<String, String> {
    let name = match text {
        "credentials" => "client_credentials",
        "code" => "authorization_code",
        "refresh-token" => "refresh_token",
        "password-realm" => "http://auth0.com/oauth/grant-type/password-realm",
        "device-code" => "urn:ietf:params:oauth:grant-type:device_code",
        other => other,
    };
    Ok(name.to_owned())
}

impl About {
    fn properties(self) -> Properties {
        let metadata = self
            .metadata
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)));
        let metadata: Map<String, Value> = metadata.collect();
        let method = self.auth_method.map(|method| match method {
            AuthMethod::None => "none",
            AuthMethod::Post => "client_secret_post",
            AuthMethod::Basic => "client_secret_basic",
        });
        Properties::default()
            .with("description", self.description)
            .with_list("grant_types", &self.grant_types)
            .with("token_endpoint_auth_method", method)
            .with_list("web_origins", &self.origins)
            .with_list("callbacks", &self.callbacks)
            .with_list("allowed_logout_urls", &self.logout_urls)
            .with("client_metadata", (!metadata.is_empty()).then_some(metadata))
            .with_set(self.set)
    }
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::M2m => Self::MachineToMachine,
            KindName::Regular => Self::RegularWeb,
            KindName::Spa => Self::SinglePage,
            KindName::Native => Self::Native,
        }
    }
}
