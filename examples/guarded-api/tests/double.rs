//! The API's promises, each kept against a real issuer of its own: `tokenhouse dev --memory`, see docs/test-double.md.
//!
//! `cargo test -p guarded-api --test double`, with `tokenhouse` on the PATH or its path in `TOKENHOUSE`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Which APIs, applications and users there are.
const SEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../seed.toml");

#[tokio::test]
async fn without_a_token_401() {
    let double = Double::start();
    assert_eq!(double.call("").await, 401);
}

#[tokio::test]
async fn without_the_scope_403() {
    let double = Double::start();
    assert_eq!(double.call(&double.token("write:messages").await).await, 403);
}

#[tokio::test]
async fn with_both_200() {
    let double = Double::start();
    assert_eq!(double.call(&double.token("read:messages").await).await, 200);
}

#[tokio::test]
async fn a_spoilt_token_401() {
    let double = Double::start();
    for fault in [
        "expired",
        "not_yet_valid",
        "wrong_audience",
        "wrong_issuer",
        "wrong_key",
        "unknown_key",
    ] {
        double
            .steer(Method::PUT, "faults/next_token", Some(json!({"is": fault})))
            .await;
        assert_eq!(double.call(&double.token("read:messages").await).await, 401, "{fault}");
    }
}

#[tokio::test]
async fn a_rotation_refuses_nobody() {
    let double = Double::start();
    let old = double.token("read:messages").await;
    assert_eq!(double.call(&old).await, 200);
    double.steer(Method::POST, "rotate", None).await;
    let fresh = double.token("read:messages").await;
    // A token begins with its header, which names the key.
    assert_ne!(fresh.split('.').next(), old.split('.').next());
    assert_eq!(double.call(&fresh).await, 200);
    assert_eq!(double.call(&old).await, 200);
}

#[tokio::test]
async fn one_call_takes_every_fault_away() {
    let double = Double::start();
    let fault = json!({"is": "expired", "times": 9});
    double.steer(Method::PUT, "faults/next_token", Some(fault)).await;
    assert_eq!(double.call(&double.token("read:messages").await).await, 401);
    double.steer(Method::DELETE, "state", None).await;
    assert_eq!(double.call(&double.token("read:messages").await).await, 200);
}

/// An issuer and an API that trusts it. Both end with the test.
struct Double {
    _issuer: Program,
    _api: Program,
    facts: Value,
    url: String,
    http: Client,
}

impl Double {
    fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "only the environment knows where the program is"
        )]
        let program = std::env::var("TOKENHOUSE").unwrap_or_else(|_| "tokenhouse".to_owned());
        let issuer = Program::start(&program, &["dev", "--memory", "--port", "0", "--seed", SEED, "--json"]);
        let facts: Value = serde_json::from_str(&issuer.line).unwrap();
        let arguments = [text(&facts["issuer"]), text(&facts["audience"]), "127.0.0.1:0"];
        let api = Program::start(env!("CARGO_BIN_EXE_guarded-api"), &arguments);
        let address = api.line.trim_end().trim_start_matches("listening on ");
        Self {
            url: format!("{address}/api/private-scoped"),
            _issuer: issuer,
            _api: api,
            facts,
            http: Client::builder().build().unwrap(),
        }
    }

    /// The status of the API's answer; an empty token is none.
    async fn call(&self, token: &str) -> u16 {
        let request = self.http.get(&self.url);
        let request = if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        };
        request.send().await.unwrap().status().as_u16()
    }

    /// An access token of a seeded application.
    async fn token(&self, scope: &str) -> String {
        let application = &self.facts["applications"]["Messenger"];
        let asked = json!({
            "grant_type": "client_credentials",
            "client_id": application["client_id"],
            "client_secret": application["client_secret"],
            "audience": self.facts["audience"],
            "scope": scope,
        });
        let answer = self
            .send(Method::POST, text(&self.facts["token_url"]), Some(asked))
            .await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        text(&answer["access_token"]).to_owned()
    }

    /// A request under `/dev/`: faults, rotations, the clock.
    async fn steer(&self, method: Method, path: &str, json: Option<Value>) {
        let url = format!("{}{path}", text(&self.facts["dev_url"]));
        self.send(method, &url, json).await;
    }

    async fn send(&self, method: Method, url: &str, json: Option<Value>) -> String {
        let mut request = self.http.request(method, url).header("tokenhouse-dev", "1");
        if let Some(json) = json {
            request = request
                .header("content-type", "application/json")
                .body(json.to_string());
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
        answer.text().await.unwrap()
    }
}

/// A program that has said its first line, and is ended when it is dropped.
struct Program {
    child: Child,
    line: String,
}

impl Program {
    fn start(path: &str, arguments: &[&str]) -> Self {
        let child = Command::new(path).args(arguments).stdout(Stdio::piped()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{path}: {error}; set TOKENHOUSE to the path of tokenhouse"));
        let mut program = Self {
            child,
            line: String::new(),
        };
        let stdout = program.child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut program.line).unwrap();
        assert!(!program.line.is_empty(), "{path} ended: its reason is above");
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
