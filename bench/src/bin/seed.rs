//! `seed`: makes many applications in few transactions, each with a secret and a grant for every API, and writes
//! their credentials to a file. It goes beneath the registry, which makes them one by one, so a server that is
//! running must not have heard of these ids before.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use serde_json::Map;

use tokenhouse::registry::secrets::Secrets;
use tokenhouse_bench::{Outcome, exit};
use tokenhouse_protocol::crypto::{Place, Random, SealingKey};
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::{self, ApiId, ClientGrantId, ClientId, TenantId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::{Client, ClientGrant, ClientSecret, Database, Options, Page, Store, Tx};

/// Applications in one transaction.
const BATCH: usize = 500;

/// Adds applications to the default tenant of a database that a server has made.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    place: Where,
    /// The file that holds the sealing key
    #[arg(long, value_name = "FILE")]
    sealing_key: PathBuf,
    /// How many
    #[arg(long)]
    applications: usize,
    /// Where to write a line `client_id client_secret` for each
    #[arg(long, value_name = "FILE")]
    credentials: PathBuf,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Where {
    /// The SQLite database
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The PostgreSQL database
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
}

/// What every application is made with.
struct Seed {
    tenant: TenantId,
    apis: Vec<ApiId>,
    secrets: Secrets,
    random: Random,
    clock: Clock,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Outcome<()> {
    let (clock, random) = (Clock::system(), Random::system());
    let database = match (arguments.place.file, arguments.place.postgres) {
        (Some(file), _) => Database::File(file),
        (None, Some(url)) => Database::Postgres(url),
        (None, None) => return Err("name a database".into()),
    };
    let store = Store::open(Options {
        database,
        clock: clock.clone(),
        random: random.clone(),
    })
    .await?;
    let sealing = SealingKey::parse(&fs::read_to_string(arguments.sealing_key)?).map_err(|error| error.to_string())?;
    let secrets = Secrets::unlock(&store, sealing, &clock)
        .await
        .map_err(|error| error.to_string())?;
    let tenant = TenantId::default_tenant();
    let apis = store.apis(&tenant, Page::first(100)).await?;
    let seed = Seed {
        apis: apis
            .into_iter()
            .filter(|api| !api.is_system)
            .map(|api| api.id)
            .collect(),
        tenant,
        secrets,
        random,
        clock,
    };
    let mut credentials = BufWriter::new(File::create(arguments.credentials)?);
    for first in (0..arguments.applications).step_by(BATCH) {
        let mut tx = store.begin().await?;
        for number in first..arguments.applications.min(first + BATCH) {
            let (id, secret) = seed.application(&mut tx, number).await?;
            writeln!(credentials, "{id} {}", secret.expose())?;
        }
        tx.commit().await?;
    }
    credentials.flush()?;
    store.close().await;
    Ok(())
}

impl Seed {
    async fn application(&self, tx: &mut Tx<'_>, number: usize) -> Outcome<(ClientId, Secret)> {
        let now = self.clock.now();
        let id = ClientId::generate(&self.random);
        let secret = id::client_secret(&self.random);
        let client = Client {
            id: id.clone(),
            name: format!("Application {number}"),
            app_type: Some("non_interactive".into()),
            grant_types: [GrantType::ClientCredentials, GrantType::PasswordRealm]
                .map(|grant| grant.as_str().to_owned())
                .to_vec(),
            token_endpoint_auth_method: Some("client_secret_post".into()),
            is_first_party: true,
            is_global: false,
            rest: Map::new(),
            created_at: now,
            updated_at: now,
        };
        // Each id is new: nothing of this can be there already.
        let _ = tx.add_client(&self.tenant, &client).await?;
        let row = id::row_id(&self.random);
        let place = Place {
            tenant: self.tenant.as_str(),
            table: "client_secrets",
            row: &row,
            column: "sealed",
        };
        let secret_row = ClientSecret {
            sealed: Some(self.secrets.seal(place, secret.expose().as_bytes())),
            digest: self.secrets.digest(&self.tenant, &id, &secret).to_text(),
            id: row,
            client_id: id.clone(),
            created_at: now,
            expires_at: None,
        };
        let _ = tx.add_client_secret(&self.tenant, &secret_row).await?;
        for api_id in &self.apis {
            let grant = ClientGrant {
                id: ClientGrantId::generate(&self.random),
                client_id: id.clone(),
                api_id: api_id.clone(),
                subject_type: "client".into(),
                scopes: Vec::new(),
                allow_all_scopes: true,
                rest: Map::new(),
                created_at: now,
                updated_at: now,
            };
            let _ = tx.add_client_grant(&self.tenant, &grant).await?;
        }
        Ok((id, secret))
    }
}
