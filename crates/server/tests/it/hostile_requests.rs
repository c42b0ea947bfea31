//! Malformed and hostile requests to `POST /oauth/token`. Each is refused in its own words, and nothing but
//! the log is different afterwards; that the house still serves honest callers is the last row.

use tokenhouse::registry::clients::{self, Kind, NewClient};
use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::Page;

use crate::house::{AUDIENCE, Ask, House};

mod bodies;
mod clients_named;
mod envelopes;
mod grants;
mod json;
mod targets;

/// One request, and how it is refused.
struct Row {
    name: &'static str,
    send: Send,
    status: u16,
    error: &'static str,
    /// How the description begins.
    description: &'static str,
}

/// How a request is made. In texts `{auth}` stands for the sample application's id and secret as a form,
/// `{id}`, `{secret}`, `{aud}` for what they say, `{public}` for the id of an application without a secret,
/// `{pw}` for the password client's id and secret as a form.
enum Send {
    Form(&'static str),
    Json(&'static str),
    Ask(fn(&House) -> Ask),
}

const fn form(
    name: &'static str,
    body: &'static str,
    status: u16,
    error: &'static str,
    description: &'static str,
) -> Row {
    Row {
        name,
        send: Send::Form(body),
        status,
        error,
        description,
    }
}

const fn json(
    name: &'static str,
    body: &'static str,
    status: u16,
    error: &'static str,
    description: &'static str,
) -> Row {
    Row {
        name,
        send: Send::Json(body),
        status,
        error,
        description,
    }
}

const fn ask(
    name: &'static str,
    ask: fn(&House) -> Ask,
    status: u16,
    error: &'static str,
    description: &'static str,
) -> Row {
    Row {
        name,
        send: Send::Ask(ask),
        status,
        error,
        description,
    }
}

#[tokio::test]
async fn hostile_requests_are_refused_and_change_nothing() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let (public, _) = clients::create(&tenant, NewClient::of_kind(Kind::SinglePage, "Page"))
        .await
        .unwrap();
    let before = everything(&house).await;
    let tables = [
        bodies::ROWS,
        clients_named::ROWS,
        envelopes::ROWS,
        grants::ROWS,
        json::ROWS,
        targets::ROWS,
    ];
    let rows: Vec<&Row> = tables.into_iter().flatten().collect();
    assert!(rows.len() >= 80, "{} rows", rows.len());
    for row in &rows {
        let filled = |text: &str| fill(&house, public.id.as_str(), text);
        let ask = match row.send {
            Send::Form(body) => Ask::token(&[]).body(filled(body)),
            Send::Json(body) => Ask::token(&[]).content_type("application/json").body(filled(body)),
            Send::Ask(ask) => ask(&house),
        };
        let answer = house.ask(ask).await;
        let Row {
            name,
            status,
            error,
            description,
            ..
        } = row;
        assert_eq!(
            (answer.status, answer.text("error")),
            (*status, (*error).to_owned()),
            "{name}: {answer:?}"
        );
        let description = filled(description);
        let actual = answer.text("error_description");
        assert!(
            actual.starts_with(&description),
            "{name}: {actual:?} instead of {description:?}"
        );
        assert!(actual.chars().count() < 500, "{name}: repeats too much");
        assert_eq!(answer.header("content-type"), "application/json", "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
        assert!(answer.header("cache-control").contains("no-store"), "{name}");
        for header in ["set-cookie", "location", "access-control-allow-origin", "pragma"] {
            assert!(answer.headers.get(header).is_none(), "{name}: {header}");
        }
        let after = everything(&house).await;
        assert!(after == before, "{name} changed something:\n{before}\n{after}");
        // A new second, so that no row of the log is summed.
        house.advance_s(1);
    }
    let logged = house.logs().await;
    assert!(logged.iter().all(|row| row.tokens == 0 && row.repeats == 1));
    assert!(
        logged.iter().all(|row| row.kind.starts_with('f')),
        "every row is a failure"
    );
    house.token(&house.samples.sample).await;
    assert_eq!(house.password(&[("audience", AUDIENCE)]).await.status, 200);
}

#[test]
fn no_two_rows_are_the_same_attack() {
    let tables = [
        bodies::ROWS,
        clients_named::ROWS,
        envelopes::ROWS,
        grants::ROWS,
        json::ROWS,
        targets::ROWS,
    ];
    let mut names: Vec<_> = tables.into_iter().flatten().map(|row| row.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// Everything that is kept but the log, as text.
async fn everything(house: &House) -> String {
    let tenant = &TenantId::default_tenant();
    let (store, page) = (&house.app.house.store, || Page::first(1000));
    store.fold_usage().await.unwrap();
    let mut kept = Vec::new();
    let clients = store.clients(tenant, page()).await.unwrap();
    for client in &clients {
        kept.push(format!("{:?}", store.client_secrets(tenant, &client.id).await.unwrap()));
    }
    kept.push(format!("{clients:?}"));
    kept.push(format!("{:?}", store.apis(tenant, page()).await.unwrap()));
    kept.push(format!("{:?}", store.client_grants(tenant, page()).await.unwrap()));
    for user in store.users(tenant, page()).await.unwrap() {
        kept.push(format!(
            "{user:?} {:?} {:?} {:?}",
            user.email, user.password_hash, user.updated_at
        ));
    }
    kept.push(format!("{:?}", store.connections(tenant, page()).await.unwrap()));
    kept.push(format!("{:?}", store.keys(tenant).await.unwrap()));
    kept.push(format!("{:?}", store.tenants(page()).await.unwrap()));
    kept.push(format!("{:?}", store.hosts(tenant).await.unwrap()));
    kept.push(format!(
        "{:?}",
        store.revisions(std::slice::from_ref(tenant)).await.unwrap()
    ));
    let all_time = (Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX));
    kept.push(format!(
        "{:?}",
        store.usage(tenant, all_time.0, all_time.1).await.unwrap()
    ));
    kept.join("\n")
}

fn fill(house: &House, public: &str, text: &str) -> String {
    let (sample, password) = (&house.samples.sample, &house.samples.password);
    let form = |id: &str, secret: &str| format!("client_id={id}&client_secret={secret}");
    text.replace("{auth}", &form(&sample.client_id, &sample.client_secret))
        .replace("{pw}", &form(&password.client_id, &password.client_secret))
        .replace("{id}", &sample.client_id)
        .replace("{secret}", &sample.client_secret)
        .replace("{public}", public)
        .replace("{aud}", AUDIENCE)
}
