//! `seed`: makes many applications in few transactions, each with a secret and a grant for every API, writes their
//! credentials to a file, and makes many users. It goes beneath the registry, which makes them one by one, so a server
//! that is running must not have heard of these ids before.

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
use tokenhouse_protocol::id::{self, ApiId, ClientGrantId, ClientId, ConnectionId, TenantId, UserId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::{Client, ClientGrant, ClientSecret, Database, Logins, Options, Page, Store, Tx, User};

/// Applications in one transaction.
const BATCH: usize = 500;

/// Adds applications and users to the default tenant of a database that a server has made.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    place: Where,
    /// The file that holds the sealing key
    #[arg(long, value_name = "FILE")]
    sealing_key: PathBuf,
    /// How many applications
    #[arg(long)]
    applications: usize,
    /// Make only the applications: neither secrets nor grants
    #[arg(long)]
    bare: bool,
    /// How many users: user0@example.com and so on, who have no password
    #[arg(long, default_value_t = 0)]
    users: usize,
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
    is_bare: bool,
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
        is_bare: arguments.bare,
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
    let connections = store.connections(&seed.tenant, Page::first(1)).await?;
    let connection = connections.first().ok_or("the tenant has no connection for users")?;
    for first in (0..arguments.users).step_by(BATCH) {
        let numbers = first..arguments.users.min(first + BATCH);
        let users: Vec<User> = numbers.map(|number| seed.user(&connection.id, number)).collect();
        let mut tx = store.begin().await?;
        // Each id is new: they cannot be there already.
        tx.add_users(&seed.tenant, &users).await?;
        tx.commit().await?;
    }
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
        if self.is_bare {
            return Ok((id, secret));
        }
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

    fn user(&self, connection_id: &ConnectionId, number: usize) -> User {
        let now = self.clock.now();
        User {
            id: UserId::new(format!("auth0|{number:024}")),
            connection_id: connection_id.clone(),
            email: Some(format!("user{number}@example.com")),
            email_verified: true,
            username: None,
            password_hash: None,
            blocked: false,
            rest: Map::new(),
            created_at: now,
            updated_at: now,
            logins: Logins::default(),
        }
    }
}
