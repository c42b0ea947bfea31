//! Signing keys: which signs, which is next, which are still trusted; rotating them, and revoking one with what that
//! breaks.

use askama::Template;
use axum::http::StatusCode;

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Key, KeyState, Unexpired};

use super::answer::{Done, Failure, Reply, problem};
use super::display::Moment;
use super::frame::{Frame, Section};
use super::record::Record;
use super::visit::Visit;
use super::words;
use crate::registry::keys;
use crate::tenant::Tenant;

/// APIs that are named as broken by a revocation; of more, how many.
const MAX_APIS: usize = 200;

#[derive(Template)]
#[template(path = "keys.html")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    /// The algorithm whose rotation was refused for being too early.
    too_early: Option<String>,
    groups: Vec<Group>,
    jwks: String,
}

/// The keys of one algorithm, the current one first.
struct Group {
    algorithm: String,
    keys: Vec<Row>,
}

struct Row {
    id: String,
    state: &'static str,
    /// What the state means.
    meaning: &'static str,
    since: Moment,
    is_current: bool,
    is_previous: bool,
    is_revoked: bool,
}

#[derive(Template)]
#[template(path = "key_revoke.html")]
struct RevokePage {
    frame: Frame,
    problem: Option<String>,
    id: String,
    algorithm: String,
    until: Moment,
    /// When the last token that it signed has expired, while some may be valid.
    last: Option<Moment>,
    /// Tokens that it signed and that may be valid still, at most.
    tokens: i64,
    /// What they are for: the APIs with the most tokens.
    apis: Vec<String>,
    /// How many APIs there are besides.
    others: usize,
}

/// `GET /console/keys`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Failure> {
    Reply::page(&page(&visit, None, None).await?)
}

/// `POST /console/keys/rotate`
pub(crate) async fn rotate(visit: Visit) -> Result<Done, Failure> {
    let Ok(algorithm) = visit.form.text("algorithm").parse::<Algorithm>() else {
        return Err(Failure::missing());
    };
    let now = visit.form.is_ticked("now");
    match keys::rotate(&visit.tenant, algorithm, now).await {
        Ok(current) => {
            let record = Record::change(words::log::KEY_ROTATED)
                .with("kid", current.as_str())
                .with("alg", algorithm.as_str())
                .with("at_once", now);
            let notice = words::notices::key_rotated(algorithm.as_str(), current.as_str());
            Ok(Done::recorded(record, Reply::see("/console/keys").saying(notice)))
        }
        Err(error) => {
            let text = problem(error)?;
            let page = match !now && is_too_early(&visit.tenant, algorithm).await? {
                true => {
                    let early = Some(algorithm.as_str().to_owned());
                    page(&visit, Some(words::problems::KEY_TOO_EARLY.to_owned()), early).await?
                }
                false => page(&visit, Some(text), None).await?,
            };
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

/// Whether the next key has been public for too short a time to sign.
async fn is_too_early(tenant: &Tenant, algorithm: Algorithm) -> Result<bool, Failure> {
    let now = tenant.house.clock.now();
    let found = keys::keys(tenant).await?;
    let mut next = found
        .iter()
        .filter(|key| key.algorithm == algorithm.as_str() && key.state == KeyState::Next);
    Ok(next.any(|key| now < keys::ready_at(key)))
}

/// `GET /console/keys/{kid}/revoke`
pub(crate) async fn confirm(visit: Visit) -> Result<Reply, Failure> {
    Reply::page(&revoke_page(&visit, None).await?)
}

/// `POST /console/keys/{kid}/revoke`
pub(crate) async fn revoke(visit: Visit) -> Result<Done, Failure> {
    let id = KeyId::new(visit.parameter("kid"));
    match keys::revoke(&visit.tenant, &id).await {
        Ok(()) => {
            let record = Record::change(words::log::KEY_REVOKED).with("kid", id.as_str());
            let notice = words::notices::key_revoked(id.as_str(), keys::JWKS_MAX_AGE_S);
            Ok(Done::recorded(record, Reply::see("/console/keys").saying(notice)))
        }
        Err(error) => {
            let page = revoke_page(&visit, Some(problem(error)?)).await?;
            Ok(Done::unchanged(Reply::refused(&page)?))
        }
    }
}

async fn page(visit: &Visit, problem: Option<String>, too_early: Option<String>) -> Result<Page, Failure> {
    let tenant = &visit.tenant;
    let found = keys::keys(tenant).await?;
    let mut groups: Vec<Group> = Vec::new();
    for algorithm in Algorithm::SIGNING {
        let mut of_it: Vec<&Key> = found.iter().filter(|key| key.algorithm == algorithm.as_str()).collect();
        of_it.sort_by_key(|key| (order(key.state), -since(key).ms()));
        if !of_it.is_empty() {
            groups.push(Group {
                algorithm: algorithm.as_str().to_owned(),
                keys: of_it.into_iter().map(row).collect(),
            });
        }
    }
    Ok(Page {
        frame: visit.frame(Section::Keys, words::navigation::KEYS).await?,
        problem,
        too_early,
        groups,
        jwks: format!("{}.well-known/jwks.json", tenant.issuer.as_str()),
    })
}

async fn revoke_page(visit: &Visit, problem: Option<String>) -> Result<RevokePage, Failure> {
    let tenant = &visit.tenant;
    let id = visit.parameter("kid");
    let found = keys::keys(tenant).await?;
    let Some(key) = found.iter().find(|key| key.id.as_str() == id) else {
        return Err(Failure::missing());
    };
    if key.state != KeyState::Previous {
        return Err(Failure::new(
            StatusCode::CONFLICT,
            words::failures::REFUSED,
            words::problems::KEY_NOT_PREVIOUS,
        ));
    }
    let mut broken = broken_by(tenant, key).await?;
    let others = broken.apis.len().saturating_sub(MAX_APIS);
    broken.apis.truncate(MAX_APIS);
    Ok(RevokePage {
        frame: visit
            .frame(Section::Keys, words::key_revoke::TITLE)
            .await?
            .below(words::navigation::KEYS, "/console/keys"),
        problem,
        id: id.to_owned(),
        algorithm: key.algorithm.clone(),
        until: Moment::of(key.previous_at.unwrap_or(key.created_at)),
        last: broken.last.map(Moment::of),
        tokens: broken.tokens,
        apis: broken.apis,
        others,
    })
}

/// What still trusts a previous key.
struct Broken {
    last: Option<Timestamp>,
    tokens: i64,
    apis: Vec<String>,
}

/// The APIs whose tokens it signed that may not have expired, and how many those are at most.
async fn broken_by(tenant: &Tenant, key: &Key) -> Result<Broken, Failure> {
    let since = key.current_at.unwrap_or(key.created_at);
    let until = key.previous_at.unwrap_or(key.created_at);
    let store = &tenant.house.store;
    let found = store
        .unexpired_tokens(&tenant.id, &key.algorithm, (since, until))
        .await?;
    let expire = found.iter().map(|api| until.plus_ms(api.token_lifetime_s * 1000));
    let identifier = |api: Unexpired| api.identifier.unwrap_or_else(|| tenant.issuer.system_api());
    Ok(Broken {
        last: expire.max(),
        tokens: found.iter().map(|api| api.tokens).sum(),
        apis: found.into_iter().map(identifier).collect(),
    })
}

fn row(key: &Key) -> Row {
    let (state, meaning) = match key.state {
        KeyState::Next => (words::keys::NEXT, words::keys::NEXT_TEXT),
        KeyState::Current => (words::keys::CURRENT, words::keys::CURRENT_TEXT),
        KeyState::Previous => (words::keys::PREVIOUS, words::keys::PREVIOUS_TEXT),
        KeyState::Revoked => (words::keys::REVOKED, words::keys::REVOKED_TEXT),
    };
    Row {
        id: key.id.to_string(),
        state,
        meaning,
        since: Moment::of(since(key)),
        is_current: key.state == KeyState::Current,
        is_previous: key.state == KeyState::Previous,
        is_revoked: key.state == KeyState::Revoked,
    }
}

fn order(state: KeyState) -> u8 {
    match state {
        KeyState::Current => 0,
        KeyState::Next => 1,
        KeyState::Previous => 2,
        KeyState::Revoked => 3,
    }
}

/// Since when the key is in its state.
fn since(key: &Key) -> Timestamp {
    let at = match key.state {
        KeyState::Next => None,
        KeyState::Current => key.current_at,
        KeyState::Previous => key.previous_at,
        KeyState::Revoked => key.revoked_at,
    };
    at.unwrap_or(key.created_at)
}
