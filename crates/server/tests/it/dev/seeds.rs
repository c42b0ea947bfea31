//! `tokenhouse dev --seed`, the built binary as a test of somebody's API starts it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tokenhouse_client::{PrivateKey, TokenClient};

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::row_id;

use crate::house::{Jwt, form};

const BINARY: &str = env!("CARGO_BIN_EXE_tokenhouse");
const SEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/seed.toml");

/// A running `tokenhouse dev`, and what it says of itself.
struct Double {
    child: Child,
    facts: Value,
}

impl Double {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(["dev", "--port", "0", "--json"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            facts: serde_json::from_str(&line).unwrap(),
        }
    }

    fn token(&self, fields: &[(&str, &str)]) -> Jwt {
        let body = form(fields);
        for secret in fields
            .iter()
            .filter(|(name, _)| ["client_secret", "password"].contains(name))
        {
            crate::secrets::used(secret.1);
        }
        let head = "POST /oauth/token HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded";
        let body = self.ask(&format!("{head}\r\ncontent-length: {}", body.len()), &body);
        Jwt::read(body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")))
    }

    /// What the Management API shows of `path`.
    fn managed(&self, token: &Jwt, path: &str) -> Value {
        let head = format!("GET /api/v2/{path} HTTP/1.1\r\nauthorization: Bearer {}", token.raw);
        self.ask(&head, "")
    }

    /// Sends a request and reads the JSON that is the answer.
    fn ask(&self, head: &str, body: &str) -> Value {
        let issuer = self.facts["issuer"].as_str().unwrap();
        let address = issuer.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{head}\r\nhost: {address}\r\nconnection: close\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    fn stop(mut self) {
        assert!(
            Command::new("kill")
                .arg(self.child.id().to_string())
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        // It has ended already if it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of one test, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("tokenhouse-seed-{}", row_id(&Random::system())));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const READER: [(&str, &str); 2] = [
    ("client_id", "reader"),
    ("client_secret", "reader-secret-for-tests-only"),
];

#[test]
fn a_seeded_house_in_memory_has_the_ids_secrets_and_keys_of_its_seed() {
    let double = Double::start(&["--memory", "--seed", SEED]);
    let token = double.token(&[&READER[..], &[("grant_type", "client_credentials")]].concat());
    assert_eq!(token.kid(), "rsa-1");
    assert_eq!(token.claims["sub"], "reader@clients");
    assert_eq!(token.claims["aud"], "https://api.example.com");
    assert_eq!(token.claims["scope"], "read:messages");
    let exp = token.claims["exp"].as_i64().unwrap() - token.claims["iat"].as_i64().unwrap();
    assert_eq!(exp, 3600);
    let alice = [
        ("grant_type", "password"),
        ("username", "alice@example.com"),
        ("password", "alice-password"),
        ("audience", "https://reports.example.com"),
        ("scope", "read:reports"),
    ];
    let token = double.token(&[&READER[..], &alice].concat());
    assert_eq!(
        (token.kid().as_str(), &token.claims["sub"]),
        ("ec-1", &Value::from("auth0|alice"))
    );
    assert_eq!(token.claims["permissions"], serde_json::json!(["read:reports"]));
    assert_eq!(double.facts["applications"]["Reader"]["client_id"], "reader");
    assert_eq!(double.facts["users"][0]["user_id"], "auth0|alice");
    double.stop();
}

/// Making keys is what a start would have to wait for.
#[test]
fn a_seed_with_keys_starts_without_making_any() {
    let double = Double::start(&["--memory", "--seed", SEED]);
    let published = double.ask("GET /.well-known/jwks.json HTTP/1.1", "");
    let keys = published["keys"].as_array().unwrap().iter();
    let mut ids: Vec<_> = keys.map(|key| key["kid"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["ec-1", "ec-2", "rsa-1", "rsa-2"]);
    double.stop();
}

#[test]
fn a_folder_is_seeded_once_and_the_ready_file_goes_with_the_server() {
    let folder = Folder::new();
    let (data, ready) = (folder.0.join("data"), folder.0.join("ready.json"));
    let arguments = ["--data", text(&data), "--seed", SEED, "--ready-file", text(&ready)];
    let double = Double::start(&arguments);
    let written: Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
    assert_eq!(written, double.facts);
    let made = double.facts["users"][1]["user_id"].clone();
    double.stop();
    assert!(!ready.exists());
    let again = Double::start(&arguments);
    assert_eq!(again.facts["users"][1]["user_id"], made, "what was made once stays");
    again.stop();
}

#[test]
fn a_seed_with_a_mistake_is_refused_by_its_line_or_its_part() {
    let folder = Folder::new();
    for (seed, expected) in [
        (
            "[[apis]]\nidentifier = \"a\"\nscope = []\n",
            "line 3: unknown field `scope`",
        ),
        (
            "[[apis]]\nidentifier = \"a\"\nsigning_alg = \"none\"\n",
            "API \"a\": the algorithm is",
        ),
        (
            "[[apis]]\nid = \"a/b\"\nidentifier = \"a\"\n",
            "API \"a\": id is 1 to 64 letters, digits, _ and -",
        ),
        (
            "[[apis]]\nid = \"a\"\nidentifier = \"a\"\n[[apis]]\nid = \"a\"\nidentifier = \"b\"\n",
            "API \"b\": its id is another API's",
        ),
        ("[[roles]]\nid = \"\"\nname = \"A\"\n", "role \"A\": id is 1 to 64"),
        (
            "[[applications]]\nname = \"A\"\nclient_id = \"a b\"\n",
            "application \"A\": client_id is 1 to 64",
        ),
        (
            "[[applications]]\nname = \"A\"\ngrants = [{ audience = \"b\" }]\n",
            "application \"A\": The resource server does not exist",
        ),
        (
            "[[users]]\nusername = \"u\"\npassword = \"p\"\nuser_id = \"a@clients\"\n",
            "user \"u\": user_id",
        ),
        (
            "[[users]]\nusername = \"u\"\npassword = \"p\"\nsettings = { app_metadata = \"gold\" }\n",
            "user \"u\": settings: ",
        ),
        (
            "[[applications]]\nname = \"A\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\n",
            "application \"A\": an application with private_key_jwt needs public_keys",
        ),
        (
            "[[applications]]\nname = \"A\"\npublic_keys = [{ pem = \"x\" }]\n",
            "application \"A\": The key cannot be used: ",
        ),
        (
            "[[keys]]\nkid = \"k\"\nalg = \"RS256\"\npem = \"shown-to-nobody\"\n",
            "key \"k\": the key k cannot be used: not PEM",
        ),
    ] {
        let file = folder.0.join("seed.toml");
        std::fs::write(&file, seed).unwrap();
        let refused = refused(&["dev", "--memory", "--port", "0", "--seed", text(&file)]);
        assert!(!refused.status.success());
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains(expected), "{seed}: {said}");
        assert!(!said.contains("shown-to-nobody"), "{said}");
    }
}

/// A tenant whose every part says more than its own keys can.
const MORE: &str = r#"
[tenant.settings]
default_token_lifetime = 600
default_token_quota = { clients = { client_credentials = { per_hour = 1000, enforce = false } } }

[[apis]]
id = "messages"
identifier = "https://api.example.com"
signing_alg = "HS256"
signing_secret = "a-secret-of-thirty-two-bytes-or-more"
settings = { allow_offline_access = true }

[[roles]]
id = "rol_auditor"
name = "Auditor"

[[applications]]
name = "Signer"
client_id = "signer"
token_endpoint_auth_method = "private_key_jwt"
public_keys = [{ kid = "signer-1", alg = "EdDSA", pem = """
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAClzOPHFccMIjLzNKJBKVMNHERzVGTppmPHYzLtOsSRo=
-----END PUBLIC KEY-----
""" }]
grants = [{ audience = "https://api.example.com" }]

[[applications]]
name = "Manager"
client_id = "manager"
client_secret = "manager-secret-for-tests-only"
settings = { client_metadata = { team = "tests" } }
grants = [{ audience = "management", all_scopes = true }]

[[users]]
user_id = "auth0|alice"
email = "alice@example.com"
password = "alice-password"
settings = { app_metadata = { plan = "gold" }, user_metadata = { language = "de" } }
"#;
/// The private half of the application's key.
const SIGNERS_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIH64yNpnSRvvQFMnXRciw0jVa+TEdQM417QU0E5wrzyi
-----END PRIVATE KEY-----
";

#[test]
fn every_part_of_a_seed_takes_what_the_management_api_takes() {
    let folder = Folder::new();
    let seed = folder.0.join("seed.toml");
    std::fs::write(&seed, MORE).unwrap();
    let double = Double::start(&["--memory", "--seed", text(&seed)]);
    let management = format!("{}api/v2/", double.facts["issuer"].as_str().unwrap());
    let token = double.token(&[
        ("grant_type", "client_credentials"),
        ("client_id", "manager"),
        ("client_secret", "manager-secret-for-tests-only"),
        ("audience", &management),
    ]);
    let alice = double.managed(&token, "users/auth0%7Calice");
    assert_eq!(
        (&alice["app_metadata"]["plan"], &alice["user_metadata"]["language"]),
        (&"gold".into(), &"de".into()),
        "{alice}"
    );
    let api = double.managed(&token, "resource-servers/https%3A%2F%2Fapi.example.com");
    assert_eq!(double.managed(&token, "resource-servers/messages"), api);
    assert_eq!(double.managed(&token, "roles/rol_auditor")["name"], "Auditor");
    assert_eq!(api["allow_offline_access"], true, "{api}");
    assert_eq!(api["token_lifetime"], 600, "the settings of the same file hold");
    let secret = "a-secret-of-thirty-two-bytes-or-more";
    crate::secrets::used(secret);
    assert_eq!(api["signing_secret"], secret);
    let settings = double.managed(&token, "tenants/settings");
    let quota = &settings["default_token_quota"]["clients"]["client_credentials"];
    assert_eq!(quota["per_hour"], 1000, "{settings}");
    assert_eq!(
        double.managed(&token, "clients/manager")["client_metadata"]["team"],
        "tests"
    );
    assert_eq!(double.facts["applications"]["Signer"]["client_secret"], "");
    double.stop();
}

#[tokio::test]
async fn over_https_in_memory_it_is_trusted_by_the_file_that_it_names_until_it_ends() {
    let folder = Folder::new();
    let seed = folder.0.join("seed.toml");
    std::fs::write(&seed, MORE).unwrap();
    let double = Double::start(&["--memory", "--https", "--seed", text(&seed)]);
    let issuer = double.facts["issuer"].as_str().unwrap().to_owned();
    assert!(issuer.starts_with("https://localhost:"), "{issuer}");
    let ca_file = PathBuf::from(double.facts["ca_file"].as_str().unwrap());
    let beside: Vec<_> = std::fs::read_dir(ca_file.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 1, "the authority's key is in memory alone");
    let client = TokenClient::builder()
        .issuer(issuer)
        .private_key(
            "signer",
            PrivateKey::from_pem(SIGNERS_KEY).unwrap().with_key_id("signer-1"),
        )
        .audience("https://api.example.com")
        .ca_certificate(std::fs::read(&ca_file).unwrap())
        .build()
        .unwrap();
    let token = Jwt::read(client.token().await.unwrap().expose());
    assert_eq!(token.claims["sub"], "signer@clients");
    double.stop();
    assert!(!ca_file.parent().unwrap().exists());
}

#[test]
fn keys_beside_others_of_a_folder_are_refused() {
    let folder = Folder::new();
    let data = folder.0.join("data");
    Double::start(&["--data", text(&data)]).stop();
    let refused = refused(&["dev", "--port", "0", "--data", text(&data), "--seed", SEED]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("other RS256 keys already"), "{said}");
}

fn refused(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
