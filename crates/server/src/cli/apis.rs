//! `tokenhouse apis`: APIs, the programs that accept tokens (CONTRACT §4.4).

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::ApiId;
use tokenhouse_store::{Api, ApiScope};

use super::Failure;
use super::output::{fields, may_go_on, print, print_json, quoted, table};
use super::place::{Place, all};
use crate::registry::apis::{self, ApiChanges, DEFAULT_TOKEN_LIFETIME_S, NewApi};
use crate::registry::token_dialect::TokenDialect;
use crate::tenant::Tenant;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse apis create https://api.example.org --name Reports --scope 'read:reports=Read reports'
  tokenhouse apis create https://fast.example.org --signing-alg ES256 --token-lifetime 3600
  tokenhouse apis create https://strict.example.org --dialect rfc9068_profile_authz --rbac
  tokenhouse apis update https://api.example.org --add-scope write:reports --token-lifetime 600
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
    List,
    /// Show an API
    Show {
        /// Its identifier or its id
        #[arg(value_name = "IDENTIFIER")]
        api: String,
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
    Delete {
        /// Its identifier or its id
        #[arg(value_name = "IDENTIFIER")]
        api: String,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
}

#[derive(Args, Debug)]
struct Create {
    /// The audience of its tokens: a URL, as a rule, that need not exist. It cannot be changed later
    identifier: String,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// Something that its tokens may allow, with a description if you like; may be repeated
    #[arg(long = "scope", value_name = "SCOPE[=DESCRIPTION]", value_parser = scope)]
    scopes: Vec<ApiScope>,
    /// How its tokens are signed: RS256, PS256, ES256, EdDSA or HS256
    #[arg(long = "signing-alg", value_name = "ALG", default_value = "RS256", value_parser = algorithm)]
    algorithm: Algorithm,
    /// Seconds that its tokens live
    #[arg(long = "token-lifetime", value_name = "SECONDS", default_value_t = DEFAULT_TOKEN_LIFETIME_S)]
    token_lifetime_s: i64,
    /// How its tokens look: access_token, rfc9068_profile, or either with _authz at its end, which adds `permissions`
    #[arg(long, value_name = "DIALECT", default_value = "access_token", value_parser = dialect)]
    dialect: TokenDialect,
    /// Give users only the scopes that they are permitted, directly or by a role
    #[arg(long)]
    rbac: bool,
}

/// What may be changed; something must be.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct Changes {
    /// What people call it from now on
    #[arg(long)]
    name: Option<String>,
    /// Something more that its tokens may allow, or another description for it; may be repeated
    #[arg(long = "add-scope", value_name = "SCOPE[=DESCRIPTION]", value_parser = scope)]
    add: Vec<ApiScope>,
    /// Something that its tokens shall no longer allow; users and roles lose it. May be repeated
    #[arg(long = "remove-scope", value_name = "SCOPE")]
    remove: Vec<String>,
    /// Seconds that its tokens live
    #[arg(long = "token-lifetime", value_name = "SECONDS")]
    token_lifetime_s: Option<i64>,
    /// How its tokens look: access_token, rfc9068_profile, or either with _authz at its end, which adds `permissions`
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    dialect: Option<TokenDialect>,
    /// Give users only the scopes that they are permitted, directly or by a role
    #[arg(long, conflicts_with = "no_rbac")]
    rbac: bool,
    /// Give users every scope that they ask for
    #[arg(long)]
    no_rbac: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_tenant(async |tenant| match action {
            Action::Create(new) => create(tenant, &place, new).await,
            Action::List => list(tenant, &place).await,
            Action::Show { api } => show(tenant, &place, &api).await,
            Action::Update { api, changes } => update(tenant, &place, &api, changes).await,
            Action::Delete { api, force } => delete(tenant, &place, &api, force).await,
        })
        .await
}

/// Reads an algorithm however its letters are written.
pub(super) fn algorithm(text: &str) -> Result<Algorithm, String> {
    let found = Algorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "choose RS256, PS256, ES256, EdDSA or HS256".into())
}

fn dialect(text: &str) -> Result<TokenDialect, String> {
    let words = TokenDialect::ALL.map(TokenDialect::as_str).join(", ");
    text.parse().map_err(|_| format!("choose one of {words}"))
}

/// The identifier of every API, as tokens carry it.
pub(super) async fn identifiers(tenant: &Tenant) -> Result<BTreeMap<ApiId, String>, Failure> {
    let found = every(tenant).await?;
    Ok(found
        .into_iter()
        .map(|api| (api.id.clone(), apis::identifier(tenant, &api)))
        .collect())
}

/// The identifier of the API, if there is exactly one beside the system API.
pub(super) async fn only_identifier(tenant: &Tenant) -> Result<Option<String>, Failure> {
    let mut own = every(tenant).await?.into_iter().filter(|api| !api.is_system);
    Ok(own
        .next()
        .filter(|_| own.next().is_none())
        .and_then(|api| api.identifier))
}

async fn create(tenant: &Tenant, place: &Place, new: Create) -> Result<(), Failure> {
    let api = NewApi {
        name: new.name,
        scopes: new.scopes,
        algorithm: new.algorithm,
        token_lifetime_s: new.token_lifetime_s,
        dialect: new.dialect,
        enforces_policies: new.rbac,
        ..NewApi::new(new.identifier)
    };
    let api = apis::create(tenant, api).await?;
    if place.json {
        return print_json(&view(tenant, &api));
    }
    print(&described(tenant, &api))?;
    let (flags, identifier) = (place.flags(), apis::identifier(tenant, &api));
    let quoted = quoted(&identifier);
    print(&format!(
        "\nLet an application use it, and check the tokens in the API with the issuer {} and the audience {identifier}:\n\n  \
         tokenhouse grants create{flags} --app CLIENT_ID --api {quoted} --all-scopes\n  \
         tokenhouse verify \"$TOKEN\" --issuer {} --audience {quoted}",
        tenant.issuer.as_str(),
        tenant.issuer.as_str(),
    ))
}

async fn list(tenant: &Tenant, place: &Place) -> Result<(), Failure> {
    let found = every(tenant).await?;
    if place.json {
        return print_json(&found.iter().map(|api| view(tenant, api)).collect());
    }
    let row = |api: &Api| {
        let scopes = apis::scopes(api).len().to_string();
        vec![
            apis::identifier(tenant, api),
            api.name.clone().unwrap_or_default(),
            api.signing_alg.clone(),
            scopes,
        ]
    };
    print(&table(
        &["IDENTIFIER", "NAME", "SIGNED BY", "SCOPES"],
        &found.iter().map(row).collect::<Vec<_>>(),
    ))
}

async fn show(tenant: &Tenant, place: &Place, api: &str) -> Result<(), Failure> {
    let api = apis::api(tenant, api).await?;
    if place.json {
        return print_json(&view(tenant, &api));
    }
    print(&described(tenant, &api))
}

async fn update(tenant: &Tenant, place: &Place, api: &str, changes: Changes) -> Result<(), Failure> {
    let scopes = match changes.add.is_empty() && changes.remove.is_empty() {
        true => None,
        false => Some(changed_scopes(
            apis::api(tenant, api).await?.scopes,
            changes.add,
            &changes.remove,
        )?),
    };
    let changes = ApiChanges {
        name: changes.name,
        scopes,
        token_lifetime_s: changes.token_lifetime_s,
        dialect: changes.dialect,
        enforces_policies: (changes.rbac || changes.no_rbac).then_some(changes.rbac),
    };
    let api = apis::update(tenant, api, changes).await?;
    if place.json {
        return print_json(&view(tenant, &api));
    }
    print(&described(tenant, &api))
}

/// The scopes without some and with others, which come last unless they are there already.
fn changed_scopes(mut scopes: Vec<ApiScope>, add: Vec<ApiScope>, remove: &[String]) -> Result<Vec<ApiScope>, Failure> {
    for gone in remove {
        let place = scopes.iter().position(|scope| scope.value == *gone);
        let place = place.ok_or_else(|| Failure(format!("the API has no scope {gone}: `apis show` lists them")))?;
        scopes.remove(place);
    }
    for new in add {
        match scopes.iter_mut().find(|scope| scope.value == new.value) {
            Some(held) => held.description = new.description.or(held.description.take()),
            None => scopes.push(new),
        }
    }
    Ok(scopes)
}

async fn delete(tenant: &Tenant, place: &Place, api: &str, force: bool) -> Result<(), Failure> {
    let api = apis::api(tenant, api).await?;
    let identifier = apis::identifier(tenant, &api);
    may_go_on(&format!("Delete the API {identifier} with the grants for it?"), force)?;
    apis::remove(tenant, &api.id).await?;
    place.print_deleted(&format!(
        "Deleted {identifier}. Tokens for it stay valid until they expire."
    ))
}

async fn every(tenant: &Tenant) -> Result<Vec<Api>, Failure> {
    all(async |page| apis::apis(tenant, page).await, |api| api.id.as_str()).await
}

fn scope(text: &str) -> Result<ApiScope, String> {
    let (value, description) = match text.split_once('=') {
        Some((value, description)) => (value, Some(description.to_owned())),
        None => (text, None),
    };
    if value.is_empty() {
        return Err("write it like read:reports or 'read:reports=Read reports'".into());
    }
    Ok(ApiScope {
        value: value.to_owned(),
        description,
    })
}

/// An API in the Management API's fields.
fn view(tenant: &Tenant, api: &Api) -> Value {
    let mut view: Map<String, Value> = api.rest.clone();
    view.insert("id".into(), json!(api.id));
    view.insert("identifier".into(), json!(apis::identifier(tenant, api)));
    view.extend(api.name.as_ref().map(|name| ("name".into(), json!(name))));
    view.insert("signing_alg".into(), json!(api.signing_alg));
    view.insert("token_lifetime".into(), json!(api.token_lifetime_s));
    view.insert("token_lifetime_for_web".into(), json!(api.token_lifetime_for_web_s));
    view.insert("allow_offline_access".into(), json!(api.allow_offline_access));
    view.extend(
        api.token_dialect
            .as_ref()
            .map(|dialect| ("token_dialect".into(), json!(dialect))),
    );
    if api.enforce_policies {
        view.insert("enforce_policies".into(), json!(true));
    }
    let scopes = if api.is_system {
        apis::system_scopes().map(|value| json!({ "value": value })).collect()
    } else {
        json!(api.scopes)
    };
    view.insert("scopes".into(), scopes);
    if api.is_system {
        view.insert("is_system".into(), json!(true));
    }
    Value::Object(view)
}

fn described(tenant: &Tenant, api: &Api) -> String {
    let about = fields(&[
        ("Name", api.name.clone().unwrap_or_default()),
        ("Identifier", apis::identifier(tenant, api)),
        ("Id", api.id.to_string()),
        ("Signed by", api.signing_alg.clone()),
        ("Tokens live", format!("{} s", api.token_lifetime_s)),
        ("Tokens look like", api.token_dialect.clone().unwrap_or_default()),
        (
            "Users get",
            if api.enforce_policies {
                "what they are permitted"
            } else {
                "every scope"
            }
            .into(),
        ),
        ("Created", api.created_at.to_string()),
    ]);
    let scopes = apis::scopes(api);
    if scopes.is_empty() {
        return about;
    }
    let description = |value: &str| {
        api.scopes
            .iter()
            .find(|scope| scope.value == value)?
            .description
            .clone()
    };
    let row = |value: &String| vec![value.clone(), description(value).unwrap_or_default()];
    let rows: Vec<_> = scopes.iter().map(row).collect();
    format!("{about}\n\n{}", table(&["SCOPE", "DESCRIPTION"], &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_may_have_a_description_that_holds_anything() {
        let with = scope("read:x=Read x = y").unwrap();
        assert_eq!(
            (with.value.as_str(), with.description.as_deref()),
            ("read:x", Some("Read x = y"))
        );
        assert_eq!(scope("read:x").unwrap().description, None);
        assert!(scope("=x").is_err());
    }
}
