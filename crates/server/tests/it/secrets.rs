//! No secret, password or token in anything that is written down: the output, the log, the database file.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{Read as _, Write};
use std::net::TcpStream;
use std::sync::{Mutex, Once, PoisonError};

use serde_json::json;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use tokenhouse::registry::users::{self, NewUser};
use tokenhouse::router::router;
use tokenhouse::serve;
use tokenhouse_protocol::secret::Secret;

use crate::house::{AUDIENCE, Ask, House, form, with_secret};

/// Shorter ones, like the sample password, occur by chance.
const MIN_BYTES: usize = 8;
/// A file that `scripts/test` greps the whole suite's output with: one secret a line.
const FILE_VARIABLE: &str = "TOKENHOUSE_TEST_SECRETS";

static USED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static OUTPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Notes a secret, password or token that a test uses.
pub(crate) fn used(secret: &str) {
    if secret.len() < MIN_BYTES {
        return;
    }
    let is_new = USED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(secret.to_owned());
    #[expect(clippy::disallowed_methods, reason = "a test has no config that could read it")]
    if is_new && let Ok(file) = std::env::var(FILE_VARIABLE) {
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        file.write_all(format!("{secret}\n").as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn no_secret_reaches_the_output() {
    capture();
    let house = House::on_file().await;
    session(&house).await;
    over_a_socket(&house).await;
    tracing::trace!("the end of the session");
    let output = String::from_utf8_lossy(&OUTPUT.lock().unwrap()).into_owned();
    assert!(
        output.contains("the end of the session") && output.contains("answered"),
        "nothing was captured"
    );
    assert_free_of_secrets("the output", &output);
}

#[tokio::test]
async fn no_secret_reaches_the_log_rows() {
    let house = House::new().await;
    session(&house).await;
    let rows = house.logs().await;
    assert!(rows.len() > 10, "{} rows", rows.len());
    assert_free_of_secrets("the log", &format!("{rows:?}"));
}

#[tokio::test]
async fn no_secret_lies_readable_in_the_database_file() {
    let house = House::on_file().await;
    session(&house).await;
    house.written().await;
    let mut files = 0;
    for name in ["tokenhouse.db", "tokenhouse.db-wal"] {
        let Ok(bytes) = std::fs::read(house.folder().join(name)) else {
            continue;
        };
        files += 1;
        assert_free_of_secrets(name, &String::from_utf8_lossy(&bytes));
    }
    assert!(files > 0);
}

/// Everything that a caller can do with a secret, right and wrong.
async fn session(house: &House) {
    const PASSWORD: &str = "Correct-horse-7-battery";
    const WRONG: &str = "Wrong-password-of-a-user";
    const WRONG_SECRET: &str = "wrong-secret-of-an-application";
    [PASSWORD, WRONG, WRONG_SECRET].into_iter().for_each(used);
    let new = NewUser {
        connection: "Username-Password-Authentication".into(),
        email: Some("someone@example.com".into()),
        email_verified: false,
        username: Some("someone".into()),
        password: Secret::new(PASSWORD),
    };
    users::create(&*house.tenant().await, new).await.unwrap();
    let sample = &house.samples.sample;
    let own = ("username", "someone@example.com");
    let machine = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];

    let token = house.token(sample).await;
    let opaque = house
        .password(&[own, ("password", PASSWORD), ("scope", "openid profile")])
        .await;
    assert_eq!(opaque.status, 200, "{}", opaque.body);
    let opaque = opaque.text("access_token");
    assert_eq!(
        house
            .password(&[own, ("password", PASSWORD), ("audience", AUDIENCE)])
            .await
            .status,
        200
    );
    assert_eq!(house.password(&[own, ("password", WRONG)]).await.status, 403);
    assert_eq!(
        house
            .password(&[("username", "nobody"), ("password", PASSWORD)])
            .await
            .status,
        403
    );
    for secret in [WRONG_SECRET, &sample.client_secret] {
        let basic = Ask::token(&machine).basic(&sample.client_id, secret);
        house.ask(basic.clone()).await;
        house.ask(basic.header("x-request-id", "a-request")).await;
    }
    house
        .post_form(&with_secret(
            sample,
            &[("client_secret", WRONG_SECRET), machine[0], machine[1]],
        ))
        .await;
    // Where a program put it by mistake.
    house
        .ask(Ask::token(&with_secret(sample, &machine)).bearer(&token.raw))
        .await;
    house
        .ask(Ask::new(
            "POST",
            &format!("/oauth/token?client_secret={}", sample.client_secret),
        ))
        .await;
    house.get(&format!("/userinfo?access_token={}", token.raw)).await;
    let unreadable = [
        json!({ "client_secret": [sample.client_secret], "client_id": sample.client_id }).to_string(),
        format!(
            "{{\"client_secret\":\"{0}\",\"client_secret\":\"{0}\"",
            sample.client_secret
        ),
        format!("{{\"password\":\"{PASSWORD}"),
    ];
    for body in unreadable {
        let ask = Ask::token_json(&json!(null)).body(body);
        assert!(house.ask(ask).await.status >= 400);
    }
    house
        .post_form(&[
            ("client_assertion", &token.raw),
            ("client_id", &sample.client_id),
            machine[0],
        ])
        .await;
    house
        .post_form(&with_secret(sample, &[machine[0], machine[1], ("scope", "a\u{7f}")]))
        .await;
    for bearer in [opaque.as_str(), token.raw.as_str(), WRONG_SECRET] {
        house.ask(Ask::get("/userinfo").bearer(bearer)).await;
    }
}

/// The same door with a real connection in front of it, whose library writes a log as well.
async fn over_a_socket(house: &House) {
    let listeners = serve::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listeners[0].local_addr().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let serving = tokio::spawn(serve::serve(listeners, router(&house.app), None, stopped));
    let machine = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
    let body = form(&with_secret(&house.samples.sample, &machine));
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: localhost:4000\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    used(body["access_token"].as_str().unwrap());
    stop.send(true).unwrap();
    serving.await.unwrap();
}

fn assert_free_of_secrets(place: &str, text: &str) {
    let used = USED.lock().unwrap();
    assert!(used.len() > 10);
    for secret in used.iter() {
        assert!(!text.contains(secret.as_str()), "{place} holds {secret}");
        // Of a token the signature alone would be too much.
        let signature = secret.rsplit('.').next().filter(|part| part.len() >= MIN_BYTES);
        assert!(
            signature.is_none_or(|part| !text.contains(part)),
            "{place} holds the end of {secret}"
        );
    }
}

/// From here on everything that this process says, at trace level, goes to [`OUTPUT`].
fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(Buffer)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

struct Buffer;

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        OUTPUT
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
