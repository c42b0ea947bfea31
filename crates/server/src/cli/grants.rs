//! `tokenhouse grants`: client grants, which application may use which API (CONTRACT §4.5).

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Failure;
use super::management::{Management, path};
use super::output::{fields, may_go_on, print, text};
use super::place::Place;
use super::properties::Properties;

/// What is left out of applications and APIs that are looked at.
const CLIENT_SECRET: &str = "client_secret";
const SIGNING_SECRET: &str = "signing_secret";

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse grants create --app CLIENT_ID --api https://api.example.org \\
    --scope read:reports
  tokenhouse grants create --app CLIENT_ID --api https://api.example.org \\
    --all-scopes
  tokenhouse grants update GRANT_ID --scopes read:reports,write:reports
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
    #[command(visible_alias = "ls")]
    List {
        /// Only those of the application with this client ID
        #[arg(long, value_name = "CLIENT_ID")]
        app: Option<String>,
        /// Only those for this API
        #[arg(long, value_name = "IDENTIFIER")]
        api: Option<String>,
        /// Only the first so many
        #[arg(long, short, value_name = "N")]
        number: Option<usize>,
    },
    /// Show a grant
    Show {
        /// Its id
        id: String,
    },
    /// Change the scopes of a grant: those named are all that it has from now on
    Update {
        /// Its id
        id: String,
        #[command(flatten)]
        scopes: Scopes,
        /// No scope
        #[arg(long, group = "which")]
        no_scopes: bool,
    },
    /// Delete a grant: the application gets no more tokens for the API
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
    /// The application's client ID
    #[arg(long, value_name = "CLIENT_ID")]
    app: String,
    /// The API's identifier or id
    #[arg(long, value_name = "IDENTIFIER")]
    api: String,
    #[command(flatten)]
    scopes: Scopes,
}

#[derive(Args, Debug)]
struct Scopes {
    /// A scope that its tokens may have, one of the API's; may be repeated, or with commas between
    #[arg(
        long = "scope",
        visible_alias = "scopes",
        value_name = "SCOPE",
        value_delimiter = ',',
        group = "which"
    )]
    scopes: Vec<String>,
    /// Every scope of the API, now and later
    #[arg(long, group = "which")]
    all_scopes: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { action, place } = arguments;
    place
        .with_management(async |api| match action {
            Action::Create(new) => {
                let audience = api
                    .get_without(&path(["resource-servers", &new.api]), SIGNING_SECRET)
                    .await?;
                let properties = Properties::default()
                    .with("client_id", Some(new.app))
                    .with("audience", Some(text(&audience, "identifier")))
                    .with("scope", (!new.scopes.all_scopes).then(|| new.scopes.each_once()))
                    .with("allow_all_scopes", new.scopes.all_scopes.then_some(true));
                let grant = api.post("client-grants", properties.body()).await?;
                shown(api, &place, &grant).await
            }
            Action::List {
                app,
                api: named,
                number,
            } => list(api, &place, app.as_deref(), named.as_deref(), number).await,
            Action::Show { id } => shown(api, &place, &api.get(&path(["client-grants", &id]), &[]).await?).await,
            Action::Update { id, scopes, no_scopes } => {
                let says_some = no_scopes || !scopes.scopes.is_empty();
                let properties = match (scopes.all_scopes, says_some) {
                    (true, _) => Properties::default().with("allow_all_scopes", Some(true)),
                    (false, true) => Properties::default()
                        .with("scope", Some(scopes.each_once()))
                        .with("allow_all_scopes", Some(false)),
                    (false, false) => Properties::default(),
                };
                let grant = api.patch(&path(["client-grants", &id]), properties.changes()?).await?;
                shown(api, &place, &grant).await
            }
            Action::Delete { id, force } => delete(api, &place, &id, force).await,
        })
        .await
}

async fn list(
    api: &Management,
    place: &Place,
    app: Option<&str>,
    named: Option<&str>,
    number: Option<usize>,
) -> Result<(), Failure> {
    let mut query = Vec::new();
    if let Some(app) = app {
        api.get_without(&path(["clients", app]), CLIENT_SECRET).await?;
        query.push(("client_id", app));
    }
    if let Some(named) = named {
        api.get_without(&path(["resource-servers", named]), SIGNING_SECRET)
            .await?;
        query.push(("audience", named));
    }
    let found = api.all("client-grants", &query, number).await?;
    let row = |grant: &Value| {
        let [id, client, audience] = ["id", "client_id", "audience"].map(|name| text(grant, name));
        vec![id, client, audience, scopes(grant)]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    place.print_list(
        &Value::Array(found),
        &["GRANT", "CLIENT ID", "API", "SCOPES"],
        &rows,
        "There are no grants: `tokenhouse grants create --app CLIENT_ID --api IDENTIFIER` makes one.",
    )
}

async fn delete(api: &Management, place: &Place, id: &str, force: bool) -> Result<(), Failure> {
    let grant = api.get(&path(["client-grants", id]), &[]).await?;
    let (client, audience) = (text(&grant, "client_id"), text(&grant, "audience"));
    may_go_on(&format!("Delete the grant of {client} for {audience}?"), force)?;
    api.delete(&path(["client-grants", id]), Value::Null).await?;
    place.print_deleted(&format!(
        "Deleted {id}. Tokens already issued stay valid until they expire."
    ))
}

async fn shown(api: &Management, place: &Place, grant: &Value) -> Result<(), Failure> {
    if place.is_json() {
        return place.print_json(grant);
    }
    let id = text(grant, "client_id");
    let client = api.get_without(&path(["clients", &id]), CLIENT_SECRET).await?;
    print(&fields(&[
        ("Grant", text(grant, "id")),
        ("Application", format!("{} ({id})", text(&client, "name"))),
        ("API", text(grant, "audience")),
        ("Scopes", scopes(grant)),
    ]))
}

fn scopes(grant: &Value) -> String {
    match (grant["allow_all_scopes"] == true, text(grant, "scope")) {
        (true, _) => "all".into(),
        (false, scopes) if scopes.is_empty() => "none".into(),
        (false, scopes) => scopes,
    }
}

impl Scopes {
    /// The scopes; a scope holds no blank, so "a b" can only mean two.
    fn each_once(&self) -> Value {
        let mut scopes: Vec<&str> = Vec::new();
        for scope in self.scopes.iter().flat_map(|scopes| scopes.split_whitespace()) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        json!(scopes)
    }
}
