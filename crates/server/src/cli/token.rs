//! `tokenhouse token`: an access token by client credentials, for scripts and for trying things out. It is kept until it
//! expires, so that whoever asks twice is issued one.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use tokenhouse_client::{Builder, PrivateKey, TokenClient};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Clock;

use super::Failure;
use super::environment::variable;
use super::output::{print, print_json_line, remark};
use super::place::{DEFAULT_FOLDER, Running};
use crate::dev::folder::{DEV_FILE, SEALING_KEY_FILE};

use self::kept::{Kept, Token};

mod kept;

/// The variable that may hold the client secret.
const SECRET_VARIABLE: &str = "TOKENHOUSE_CLIENT_SECRET";
/// The variables that say who uses a server's Management API, beside that one.
const ID_VARIABLE: &str = "TOKENHOUSE_CLIENT_ID";
const KEY_FILE_VARIABLE: &str = "TOKENHOUSE_PRIVATE_KEY_FILE";
/// The sample application that is taken unless another is named.
const SAMPLE: &str = "sample";
/// Most bytes of a secret, a key or a CA file that are read.
const MAX_INPUT_BYTES: u64 = 1 << 20;

#[derive(Args, Debug)]
#[command(after_help = "\
While `tokenhouse dev` runs, its issuer, its sample API and its sample application are taken unless others are named. \
The token is kept, encrypted, in a file of yours alone below $XDG_CACHE_HOME/tokenhouse or ~/.cache/tokenhouse.

Examples:
  tokenhouse token             # of the sample application of `tokenhouse dev`
  tokenhouse token --renew     # when the API refuses the one that is kept
  curl --header \"authorization: Bearer $(tokenhouse token)\" \\
    http://localhost:3010/api/private
  tokenhouse token --issuer https://example.eu.auth0.com/ --client-id ID \\
    --client-secret-stdin --audience https://api.example.com \\
    --scope read:reports < secret.txt")]
pub(super) struct Arguments {
    /// Who issues the token, exactly as in its tokens
    #[arg(long, value_name = "URL", requires = "client_id")]
    issuer: Option<String>,
    /// The application
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A file with the client secret; without it, the variable TOKENHOUSE_CLIENT_SECRET is looked at
    #[arg(long, value_name = "FILE", requires = "client_id", group = "proof")]
    client_secret_file: Option<PathBuf>,
    /// Read the client secret from standard input
    #[arg(long, requires = "client_id", group = "proof")]
    client_secret_stdin: bool,
    /// A file with the application's private key in PEM, in place of a secret
    #[arg(long, value_name = "FILE", requires = "client_id", group = "proof")]
    private_key: Option<PathBuf>,
    /// That key's id at the issuer
    #[arg(long, value_name = "KID", requires = "private_key")]
    key_id: Option<String>,
    /// A sample application of `tokenhouse dev`: sample, reader, stranger, admin
    #[arg(long, value_name = "NAME", conflicts_with = "client_id")]
    app: Option<String>,
    /// The API's identifier; other issuers than `tokenhouse dev` choose without it
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// A scope to ask for; may be repeated; all that were granted without it
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The data folder of `tokenhouse dev`
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    data: PathBuf,
    /// A file with the issuer's certificate authority, if the machine does not know it
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Ask for a new token, and keep it in place of the one that is kept: when that was revoked, say
    #[arg(long, conflicts_with = "no_cache")]
    renew: bool,
    /// Ask for a new token, and do not keep it
    #[arg(long)]
    no_cache: bool,
    /// Answer as a token endpoint does, with JSON
    #[arg(long)]
    json: bool,
}

/// What is asked for, and by whom.
pub(super) struct Wanted {
    issuer: String,
    /// What tells the house behind the issuer from another that was there before, where it is one of this machine.
    house: String,
    client_id: String,
    proof: Proof,
    audience: Option<String>,
    scope: String,
    ca_file: Option<PathBuf>,
}

enum Proof {
    Secret(Secret),
    Key { pem: Secret, key_id: Option<String> },
}

/// The part of `dev.json` that only this command reads.
#[derive(Deserialize)]
struct Samples {
    applications: BTreeMap<String, Sample>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Sample {
    client_id: String,
    client_secret: Secret,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let wanted = Wanted::of(&arguments)?;
    let now = Clock::system().now();
    let token = match arguments.no_cache {
        true => wanted.fetch().await?,
        false => wanted.kept(arguments.renew).await?,
    };
    if !arguments.json {
        return print(token.text.expose());
    }
    let left_ms = (token.expires_at.ms() - now.ms()).max(0);
    let mut answer =
        json!({ "access_token": token.text.expose(), "expires_in": left_ms / 1000, "token_type": "Bearer" });
    if let Some(scope) = &token.scope {
        answer["scope"] = scope.as_str().into();
    }
    print_json_line(&answer)
}

impl Wanted {
    /// What was named, or else what the server that runs on the data folder says.
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let running = Running::in_folder(&arguments.data);
        let of_dev = running.as_ref().map(|running| running.issuer.clone());
        let issuer = arguments.issuer.clone().or_else(|| of_dev.clone()).ok_or_else(|| {
            let folder = arguments.data.display();
            Failure(format!(
                "who issues the token? Name the issuer with --issuer URL (no server runs on {folder})"
            ))
        })?;
        let running = running.filter(|running| running.issuer == issuer);
        // A folder that began anew may have the same issuer and secrets under other keys.
        let sealing_key = running.as_ref().map(|_| arguments.data.join(SEALING_KEY_FILE));
        let made = sealing_key.and_then(|file| std::fs::metadata(file).ok()?.modified().ok());
        let samples = running.is_some().then(|| Samples::in_folder(&arguments.data)).flatten();
        let (client_id, proof) = match (&arguments.client_id, &samples) {
            (Some(client_id), _) => (client_id.clone(), Proof::of(arguments)?),
            (None, Some(samples)) => samples.application(arguments.app.as_deref().unwrap_or(SAMPLE))?,
            (None, None) => return Err(Failure("which application asks? Name it with --client-id ID".into())),
        };
        Ok(Self {
            issuer,
            house: made.map(|made| format!("{made:?}")).unwrap_or_default(),
            client_id,
            proof,
            audience: arguments.audience.clone().or(running.map(|running| running.audience)),
            scope: in_order(&arguments.scopes),
            ca_file: arguments
                .ca_file
                .clone()
                .or(samples.and_then(|samples| samples.ca_file)),
        })
    }

    /// A token for an issuer's Management API, of the application that the environment names; none if it names none.
    pub(super) fn for_management(issuer: &str, ca_file: Option<PathBuf>) -> Result<Option<Self>, Failure> {
        let Some(client_id) = variable(ID_VARIABLE) else {
            return Ok(None);
        };
        let proof = match (variable(SECRET_VARIABLE), variable(KEY_FILE_VARIABLE)) {
            (Some(secret), _) => Proof::Secret(Secret::new(secret.trim())),
            (None, Some(file)) => Proof::Key {
                pem: read(Path::new(&file))?,
                key_id: None,
            },
            (None, None) => return Ok(None),
        };
        Ok(Some(Self {
            issuer: issuer.to_owned(),
            house: String::new(),
            client_id,
            proof,
            audience: Some(format!("{issuer}api/v2/")),
            scope: String::new(),
            ca_file,
        }))
    }

    /// The token alone: kept until it expires, unless it is wanted anew.
    pub(super) async fn token(&self, is_anew: bool) -> Result<Secret, Failure> {
        Ok(self.kept(is_anew).await?.text)
    }

    /// The token that is kept, or one that is kept from now on.
    async fn kept(&self, is_anew: bool) -> Result<Token, Failure> {
        let now = Clock::system().now();
        let mut kept = match Kept::open(&self.parts()) {
            Ok(kept) => kept,
            Err(why) => {
                remark(&why);
                return self.fetch().await;
            }
        };
        if let Some(token) = kept.token(now).filter(|_| !is_anew) {
            return Ok(token);
        }
        let token = self.fetch().await?;
        kept.keep(&token, now).unwrap_or_else(|why| remark(&why));
        Ok(token)
    }

    /// All that makes this token another than that.
    fn parts(&self) -> [&str; 6] {
        let proof = match &self.proof {
            Proof::Secret(secret) => secret,
            Proof::Key { pem, .. } => pem,
        };
        // An audience is never empty, so that none is another.
        let audience = self.audience.as_deref().unwrap_or_default();
        [
            &self.issuer,
            &self.client_id,
            proof.expose(),
            audience,
            &self.scope,
            &self.house,
        ]
    }

    async fn fetch(&self) -> Result<Token, Failure> {
        let client = self.client()?;
        let token = client.token().await.map_err(|error| Failure(error.to_string()))?;
        Ok(Token {
            text: Secret::new(token.expose()),
            expires_at: token.expires_at(),
            scope: token.scope().map(str::to_owned),
        })
    }

    fn client(&self) -> Result<TokenClient, Failure> {
        let unusable = |error: tokenhouse_client::BuildError| Failure(error.to_string());
        let mut builder: Builder = TokenClient::builder().issuer(&self.issuer).scope(&self.scope);
        builder = match &self.proof {
            Proof::Secret(secret) => builder.credentials(&self.client_id, secret.expose()),
            Proof::Key { pem, key_id } => {
                let key = PrivateKey::from_pem(pem.expose()).map_err(unusable)?;
                let key = match key_id {
                    Some(key_id) => key.with_key_id(key_id),
                    None => key,
                };
                builder.private_key(&self.client_id, key)
            }
        };
        if let Some(audience) = &self.audience {
            builder = builder.audience(audience);
        }
        if let Some(file) = &self.ca_file {
            builder = builder.ca_certificate(read(file)?.expose());
        }
        builder.build().map_err(unusable)
    }
}

impl Proof {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        if let Some(file) = &arguments.private_key {
            return Ok(Self::Key {
                pem: read(file)?,
                key_id: arguments.key_id.clone(),
            });
        }
        let secret = match &arguments.client_secret_file {
            Some(file) => read(file)?,
            None if arguments.client_secret_stdin => {
                let read = text_of(std::io::stdin().lock());
                read.map_err(|error| Failure::because("the secret cannot be read from standard input", error))?
            }
            None => variable(SECRET_VARIABLE).map(Secret::new).ok_or_else(|| {
                Failure(format!(
                    "what does the application prove itself with? Set {SECRET_VARIABLE}, or name --client-secret-file, \
                     --client-secret-stdin or --private-key"
                ))
            })?,
        };
        // A secret has no white space around it; files and pipes end in a line feed.
        let secret = Secret::new(secret.expose().trim());
        if secret.expose().is_empty() {
            return Err(Failure("the client secret is empty".into()));
        }
        Ok(Self::Secret(secret))
    }
}

impl Samples {
    fn in_folder(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(DEV_FILE)).ok()?).ok()
    }

    fn application(&self, name: &str) -> Result<(String, Proof), Failure> {
        let found = self.applications.get(name).ok_or_else(|| {
            let names: Vec<_> = self.applications.keys().map(String::as_str).collect();
            Failure(format!(
                "there is no sample application {name:?}: there are {}",
                names.join(", ")
            ))
        })?;
        Ok((found.client_id.clone(), Proof::Secret(found.client_secret.clone())))
    }
}

/// The scopes, each once, in an order that does not depend on how they were named.
fn in_order(scopes: &[String]) -> String {
    let mut scopes: Vec<_> = scopes.iter().flat_map(|scope| scope.split_ascii_whitespace()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes.join(" ")
}

fn read(file: &Path) -> Result<Secret, Failure> {
    let text = std::fs::File::open(file).and_then(text_of);
    text.map_err(|error| Failure::because(format_args!("cannot read {}", file.display()), error))
}

fn text_of(source: impl std::io::Read) -> std::io::Result<Secret> {
    let mut text = String::new();
    source.take(MAX_INPUT_BYTES).read_to_string(&mut text)?;
    Ok(Secret::new(text))
}
