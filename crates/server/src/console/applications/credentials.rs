//! What an application proves itself with: its secret, shown when it is asked for and rotated with a time in which both
//! work; or its keys, for `private_key_jwt`.

use askama::Template;
use serde_json::{Value, json};

use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::Client;

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::display::Moment;
use super::super::frame::Frame;
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::words;
use super::{found, frame, path_of};
use crate::registry::RegistryError;
use crate::registry::client_keys::{self, NewClientKey};
use crate::registry::clients;

const HOUR_MS: i64 = 3_600_000;
/// Longest time in which an old secret works beside the new one, in hours: thirty days.
const MAX_GRACE_HOURS: i64 = 720;

/// What a pair of keys made here can sign with, and when to choose it.
const ALGORITHMS: &[(&str, &str)] = &[
    ("ES256", words::application_credentials::ES256),
    ("RS256", words::application_credentials::RS256),
    ("RS384", words::application_credentials::RS384),
    ("PS256", words::application_credentials::PS256),
    ("EdDSA", words::application_credentials::EDDSA),
];
/// How long an old secret works beside a new one, in hours.
const GRACES: &[(i64, &str)] = &[
    (24, words::application_credentials::A_DAY),
    (1, words::application_credentials::AN_HOUR),
    (168, words::application_credentials::A_WEEK),
    (MAX_GRACE_HOURS, words::application_credentials::THIRTY_DAYS),
    (0, words::application_credentials::NOT_AT_ALL),
];

#[derive(Template)]
#[template(path = "application_credentials.html")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    path: String,
    id: String,
    is_public: bool,
    uses_keys: bool,
    /// The secret, where it was asked for.
    secret: Option<Secret>,
    /// Older secrets that still work: their ids, and until when.
    older: Vec<(String, Moment)>,
    graces: Vec<(i64, &'static str)>,
    keys: Vec<Row>,
    /// A pair that was just made.
    generated: Option<Generated>,
    /// What a pair can sign with, and when to choose it.
    algorithms: &'static [(&'static str, &'static str)],
    pem: String,
    name: String,
}

/// A new pair, whose private half is shown once.
struct Generated {
    kid: String,
    algorithm: String,
    private: Secret,
}

struct Row {
    id: String,
    name: String,
    kid: String,
    algorithm: String,
    created: Moment,
    is_used: bool,
}

/// `GET /console/applications/{id}/credentials`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let client = found(&visit).await?;
    let mut page = page(&visit, &client, None, None).await?;
    let shown = visit.shown(&own_path(&client)).await?;
    page.generated = shown.as_ref().map(Generated::read);
    Reply::page(&page)
}

/// `POST /console/applications/{id}/credentials`: shows or rotates the secret, adds or removes a key.
pub(crate) async fn act(visit: Visit) -> Result<Done, Failure> {
    let client = found(&visit).await?;
    let (tenant, form) = (&visit.tenant, &visit.form);
    let back = || Reply::see(&own_path(&client));
    let outcome = match form.text("action") {
        "show" => {
            let secret = clients::secret(tenant, &client.id).await?;
            let page = page(&visit, &client, secret, None).await?;
            let record = Record::reading(words::log::SECRET_SHOWN).application(&client.id);
            return Ok(Done::recorded(record, Reply::page(&page)?));
        }
        "rotate" => {
            let hours = form.number("grace_hours").unwrap_or(0).clamp(0, MAX_GRACE_HOURS);
            let rotated = clients::rotate_secret_within(tenant, &client.id, hours * HOUR_MS).await;
            rotated.map(|_| {
                let record = Record::change(words::log::SECRET_ROTATED).with("grace_hours", hours);
                (record, words::notices::SECRET_ROTATED)
            })
        }
        "end" => clients::end_secret(tenant, &client.id, form.text("secret"))
            .await
            .map(|()| {
                let record = Record::change(words::log::SECRET_ENDED).with("secret", form.text("secret"));
                (record, words::notices::SECRET_ENDED)
            }),
        "generate" => match generate(&visit, &client).await {
            Ok(generated) => {
                let record = Record::change(words::log::KEY_ADDED).with("kid", generated.kid.clone());
                let reply = back().showing(generated.to_json());
                return Ok(Done::recorded(record.application(&client.id), reply));
            }
            Err(error) => Err(error),
        },
        "add" => add(&visit, &client).await.map(|kid| {
            let record = Record::change(words::log::KEY_ADDED).with("kid", kid);
            (record, words::notices::KEY_ADDED)
        }),
        "remove" => client_keys::remove(tenant, &client.id, form.text("key"))
            .await
            .map(|()| {
                let record = Record::change(words::log::KEY_REMOVED).with("key", form.text("key"));
                (record, words::notices::KEY_REMOVED)
            }),
        _ => return Err(Failure::missing()),
    };
    match outcome {
        Ok((record, notice)) => Ok(Done::recorded(record.application(&client.id), back().saying(notice))),
        Err(error) => {
            let page = page(&visit, &client, None, Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

impl Generated {
    fn to_json(&self) -> Value {
        json!({ "kid": self.kid, "algorithm": self.algorithm, "private": self.private.expose() })
    }

    /// Reads what [`Self::to_json`] wrote.
    fn read(shown: &Value) -> Self {
        let text = |name: &str| shown.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            kid: text("kid"),
            algorithm: text("algorithm"),
            private: Secret::new(text("private")),
        }
    }
}

/// The address of this page.
fn own_path(client: &Client) -> String {
    format!("{}/credentials", path_of(&client.id))
}

/// Registers the key that was pasted: its `kid`.
async fn add(visit: &Visit, client: &Client) -> Result<String, RegistryError> {
    let key = NewClientKey {
        name: visit.form.filled("name").map(str::to_owned),
        ..NewClientKey::read(visit.form.raw("pem"))?
    };
    let added = client_keys::add(&visit.tenant, &client.id, key).await?;
    Ok(added.kid)
}

/// Makes a pair and registers its public half.
async fn generate(visit: &Visit, client: &Client) -> Result<Generated, RegistryError> {
    let name = visit.form.filled("name").map(str::to_owned);
    let (new, private) = NewClientKey::generate(visit.form.text("algorithm"), name).await?;
    let algorithm = new.algorithm.as_str().to_owned();
    let added = client_keys::add(&visit.tenant, &client.id, new).await?;
    Ok(Generated {
        kid: added.kid,
        algorithm,
        private,
    })
}

async fn page(
    visit: &Visit,
    client: &Client,
    secret: Option<Secret>,
    problem: Option<String>,
) -> Result<Page, Failure> {
    let tenant = &visit.tenant;
    let now = tenant.house.clock.now();
    let held = tenant.house.store.client_secrets(&tenant.id, &client.id).await?;
    let older = held.iter().filter_map(|row| {
        let end = row.expires_at.filter(|end| *end > now)?;
        Some((row.id.clone(), Moment::of(end)))
    });
    let keys = client_keys::keys(tenant, &client.id).await?;
    let is_again = problem.is_some();
    Ok(Page {
        frame: frame(visit, client).await?,
        problem,
        path: path_of(&client.id),
        id: client.id.to_string(),
        is_public: client.token_endpoint_auth_method.as_deref() == Some("none"),
        uses_keys: client_keys::uses_assertions(client),
        secret,
        generated: None,
        algorithms: ALGORITHMS,
        older: older.collect(),
        graces: GRACES.to_vec(),
        keys: keys
            .iter()
            .map(|key| Row {
                id: key.id.to_string(),
                name: key.name.clone().unwrap_or_default(),
                kid: key.kid.clone(),
                algorithm: key.algorithm.clone(),
                created: Moment::of(key.created_at),
                is_used: client_keys::is_listed(client, key),
            })
            .collect(),
        pem: if is_again {
            visit.form.raw("pem").to_owned()
        } else {
            String::new()
        },
        name: if is_again {
            visit.form.text("name").to_owned()
        } else {
            String::new()
        },
    })
}
