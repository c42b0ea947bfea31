//! `tokenhouse apis`: APIs, the programs that accept tokens (CONTRACT §4.4).

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use tokenhouse_protocol::crypto::Algorithm;

use super::Failure;
use super::management::{Management, path};
use super::output::{fields, may_go_on, print, quoted, text};
use super::place::Place;
use super::properties::{Properties, Set};
use crate::registry::client_keys;
use crate::registry::token_dialect::TokenDialect;

use self::scopes::{Scopes, scope, scope_table};

mod scopes;

/// The key of HS256, which is left out of what is read unless it is asked for.
const SECRET: &str = "signing_secret";

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse apis create https://api.example.org --scope 'read:a=Read reports'
  tokenhouse apis create --identifier https://fast.example --name Fast \\
    --signing-alg ES256 --token-lifetime 60
  tokenhouse apis create https://strict.example.org --rbac \\
    --dialect rfc9068_profile_authz
  tokenhouse apis update https://api.example.org --add-scope write:reports
  tokenhouse apis scopes list https://api.example.org
  tokenhouse apis show https://api.example.org --json")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an API
    Create(Create),
    /// List the APIs
    #[command(visible_alias = "ls")]
    List {
        /// Only the first so many
        #[arg(long, short, value_name = "N")]
        number: Option<usize>,
    },
    /// Show an API
    Show {
        /// Its identifier or its id
        #[arg(value_name = "IDENTIFIER")]
        api: String,
        /// Show the key of HS256 as well
        #[arg(long)]
        reveal_secret: bool,
    },
    /// Change an API; what is not named stays as it is
    Update {
        /// Its identifier or its id
        #[arg(value_name = "IDENTIFIER")]
        api: String,
        #[command(flatten)]
        changes: Changes,
    },
    /// Delete an API with the grants for it
    #[command(visible_alias = "rm")]
    Delete {
        /// Its identifier or its id
        #[arg(value_name = "IDENTIFIER")]
        api: String,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
    /// What an API's tokens may allow
    #[command(subcommand)]
    Scopes(Scopes),
}

#[derive(Args, Debug)]
struct Create {
    /// The audience of its tokens: a URL, as a rule, that need not exist. It cannot be changed later
    #[arg(required_unless_present = "named")]
    identifier: Option<String>,
    /// The same
    #[arg(
        id = "named",
        long = "identifier",
        short = 'i',
        value_name = "IDENTIFIER",
        conflicts_with = "identifier"
    )]
    named: Option<String>,
    /// What people call it; its identifier unless given
    #[arg(long, short)]
    name: Option<String>,
    /// Something that its tokens may allow, with a description if you like; may be repeated
    #[arg(long = "scope", value_name = "SCOPE[=DESCRIPTION]", value_parser = scope)]
    scopes: Vec<Value>,
    /// The same without descriptions, with commas between
    #[arg(long = "scopes", short = 's', value_name = "SCOPES", value_delimiter = ',')]
    more_scopes: Vec<String>,
    /// How its tokens are signed: RS256, PS256, ES256, EdDSA or HS256
    #[arg(long = "signing-alg", value_name = "ALG", default_value = "RS256", value_parser = algorithm)]
    algorithm: Algorithm,
    #[command(flatten)]
    about: About,
}

/// What may be changed; something must be.
#[derive(Args, Debug)]
struct Changes {
    /// What people call it from now on
    #[arg(long, short)]
    name: Option<String>,
    /// Something more that its tokens may allow, or another description for it; may be repeated
    #[arg(long = "add-scope", value_name = "SCOPE[=DESCRIPTION]", value_parser = scope)]
    add: Vec<Value>,
    /// Something that its tokens shall no longer allow; users and roles lose it. May be repeated
    #[arg(long = "remove-scope", value_name = "SCOPE")]
    remove: Vec<String>,
    /// How its tokens are signed from now on
    #[arg(long = "signing-alg", value_name = "ALG", value_parser = algorithm)]
    algorithm: Option<Algorithm>,
    #[command(flatten)]
    about: About,
    /// Give users every scope that they ask for
    #[arg(long, conflicts_with = "rbac")]
    no_rbac: bool,
}

/// What may be said of an API, new or old.
#[derive(Args, Debug)]
struct About {
    /// Seconds that its tokens live
    #[arg(long = "token-lifetime", short = 'l', value_name = "SECONDS")]
    token_lifetime_s: Option<i64>,
    /// Let applications ask for refresh tokens with it: true or false
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    offline_access: Option<bool>,
    /// How its tokens look: access_token, rfc9068_profile, or either with _authz at its end, which adds `permissions`
    #[arg(long, visible_alias = "token-dialect", value_name = "DIALECT", value_parser = dialect)]
    dialect: Option<TokenDialect>,
    /// Give users only the scopes that they are permitted, directly or by a role
    #[arg(long)]
    rbac: bool,
    /// Who may use it without a grant, as in '{"user":{"policy":"require_client_grant"}}'
    #[arg(long, value_name = "JSON", value_parser = object)]
    subject_type_authorization: Option<Value>,
    #[command(flatten)]
    set: Set,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_management(async |api| match action {
            Action::Create(new) => create(api, &place, new).await,
            Action::List { number } => list(api, &place, number).await,
            Action::Show {
                api: named,
                reveal_secret: true,
            } => shown(&place, &api.get(&address(&named), &[]).await?),
            Action::Show { api: named, .. } => shown(&place, &api.get_without(&address(&named), SECRET).await?),
            Action::Update { api: named, changes } => update(api, &place, &named, changes).await,
            Action::Delete { api: named, force } => delete(api, &place, &named, force).await,
            Action::Scopes(action) => scopes::run(api, &place, action).await,
        })
        .await
}

/// Reads an algorithm however its letters are written.
pub(super) fn algorithm(text: &str) -> Result<Algorithm, String> {
    among(&Algorithm::SIGNING, text)
}

/// Reads an algorithm that applications may prove themselves with, however its letters are written.
pub(super) fn key_algorithm(text: &str) -> Result<Algorithm, String> {
    among(&client_keys::ALGORITHMS, text)
}

fn among(known: &[Algorithm], text: &str) -> Result<Algorithm, String> {
    let words = || {
        known
            .iter()
            .map(|algorithm| algorithm.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let found = known
        .iter()
        .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text));
    found.copied().ok_or_else(|| format!("choose one of {}", words()))
}

/// Reads a JSON object.
fn object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    value
        .is_object()
        .then_some(value)
        .ok_or_else(|| "write a JSON object".into())
}

/// The identifier of the API, if there is exactly one beside the system API.
pub(super) async fn only_identifier(api: &Management) -> Result<Option<String>, Failure> {
    // Three are enough to know.
    let found = api.all("resource-servers", &[], Some(3)).await?;
    let mut own = found.iter().filter(|found| found["is_system"] != true);
    Ok(own
        .next()
        .filter(|_| own.next().is_none())
        .map(|api| text(api, "identifier")))
}

fn dialect(text: &str) -> Result<TokenDialect, String> {
    let words = TokenDialect::ALL.map(TokenDialect::as_str).join(", ");
    text.parse().map_err(|_| format!("choose one of {words}"))
}

fn address(identifier: &str) -> String {
    path(["resource-servers", identifier])
}

async fn create(api: &Management, place: &Place, new: Create) -> Result<(), Failure> {
    let Some(identifier) = new.identifier.or(new.named) else {
        return Err(Failure("name the API's identifier".into()));
    };
    let mut scopes = new.scopes;
    scopes.extend(new.more_scopes.iter().map(|value| json!({ "value": value })));
    let properties = new
        .about
        .properties(false)
        // Auth0's tools refuse an API without a name.
        .with("name", Some(new.name.unwrap_or_else(|| identifier.clone())))
        .with("identifier", Some(identifier))
        .with("scopes", (!scopes.is_empty()).then_some(scopes))
        .with("signing_alg", Some(new.algorithm.as_str()));
    let made = api.post("resource-servers", properties.body()).await?;
    if place.is_json() {
        return place.print_json(&made);
    }
    print(&described(&made))?;
    let (flags, identifier, issuer) = (place.flags(), text(&made, "identifier"), api.issuer());
    let quoted = quoted(&identifier);
    print(&format!(
        "\nLet an application use it, and check the tokens in the API with the issuer {issuer} and the audience {identifier}:\n\n  \
         tokenhouse grants create{flags} --app CLIENT_ID --api {quoted} --all-scopes\n  \
         tokenhouse verify \"$TOKEN\" --issuer {issuer} --audience {quoted}",
    ))
}

async fn list(api: &Management, place: &Place, number: Option<usize>) -> Result<(), Failure> {
    let query = [("fields", SECRET), ("include_fields", "false")];
    let found = api.all("resource-servers", &query, number).await?;
    let row = |api: &Value| {
        let scopes = api["scopes"].as_array().map_or(0, Vec::len).to_string();
        vec![
            text(api, "identifier"),
            text(api, "name"),
            text(api, "signing_alg"),
            scopes,
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    place.print_list(
        &Value::Array(found),
        &["IDENTIFIER", "NAME", "SIGNED BY", "SCOPES"],
        &rows,
        "There are none.",
    )
}

async fn update(api: &Management, place: &Place, named: &str, changes: Changes) -> Result<(), Failure> {
    let scopes = match changes.add.is_empty() && changes.remove.is_empty() {
        true => None,
        false => {
            let before = api.get_without(&address(named), SECRET).await?;
            Some(scopes::changed(&before, changes.add, &changes.remove)?)
        }
    };
    let properties = changes
        .about
        .properties(changes.no_rbac)
        .with("name", changes.name)
        .with("signing_alg", changes.algorithm.map(Algorithm::as_str))
        .with("scopes", scopes);
    api.patch(&address(named), properties.changes()?).await?;
    shown(place, &api.get_without(&address(named), SECRET).await?)
}

async fn delete(api: &Management, place: &Place, named: &str, force: bool) -> Result<(), Failure> {
    let found = api.get_without(&address(named), SECRET).await?;
    let identifier = text(&found, "identifier");
    may_go_on(&format!("Delete the API {identifier} with the grants for it?"), force)?;
    api.delete(&address(&text(&found, "id")), Value::Null).await?;
    place.print_deleted(&format!(
        "Deleted {identifier}. Tokens for it stay valid until they expire."
    ))
}

fn shown(place: &Place, api: &Value) -> Result<(), Failure> {
    match place.is_json() {
        true => place.print_json(api),
        false => print(&described(api)),
    }
}

fn described(api: &Value) -> String {
    let users_get = match api["enforce_policies"] == true {
        true => "what they are permitted",
        false => "every scope",
    };
    let about = fields(&[
        ("Name", text(api, "name")),
        ("Identifier", text(api, "identifier")),
        ("Id", text(api, "id")),
        ("Signed by", text(api, "signing_alg")),
        ("Signing secret", text(api, SECRET)),
        ("Tokens live", format!("{} s", text(api, "token_lifetime"))),
        ("Tokens look like", text(api, "token_dialect")),
        ("Users get", users_get.into()),
    ]);
    match scope_table(api) {
        Some(scopes) => format!("{about}\n\n{scopes}"),
        None => about,
    }
}

impl About {
    fn properties(self, is_without_rbac: bool) -> Properties {
        Properties::default()
            .with("token_lifetime", self.token_lifetime_s)
            .with("allow_offline_access", self.offline_access)
            .with("token_dialect", self.dialect.map(TokenDialect::as_str))
            .with("enforce_policies", (self.rbac || is_without_rbac).then_some(self.rbac))
            .with("subject_type_authorization", self.subject_type_authorization)
            .with_set(self.set)
    }
}
