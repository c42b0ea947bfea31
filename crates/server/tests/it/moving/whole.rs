//! `tokenhouse export --full` and `import full`: a tenant moves with every id, time, hash and secret, and the file of the
//! moved one is the same to the byte.

use serde_json::Value;

use tokenhouse_store::TABLES;

use crate::cli::fixture::{Folder, stdout, text};

const PASSPHRASE: &str = "a passphrase for the road";

/// The arguments with the passphrase's file.
fn run(folder: &Folder, arguments: &[&str]) -> (bool, String) {
    let file = folder.write("passphrase.txt", format!("{PASSPHRASE}\n").as_bytes());
    let mut all = arguments.to_vec();
    all.extend(["--passphrase-file", &file]);
    let output = folder.run(&all);
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_tenant_that_moved_writes_the_same_file_to_the_byte() {
    let from = Folder::new();
    from.json(&[
        "apis",
        "create",
        "https://moved.example.org",
        "--scope",
        "read:it",
        "--signing-alg",
        "ES256",
    ]);
    let app = from.json(&["apps", "create", "Worker", "--type", "m2m"]);
    let id = text(&app, "client_id");
    from.json(&[
        "grants",
        "create",
        "--app",
        id,
        "--api",
        "https://moved.example.org",
        "--all-scopes",
    ]);
    from.json(&[
        "users",
        "create",
        "--email",
        "ada@example.org",
        "--password",
        "Correct horse 7",
    ]);
    one_of_everything(&from);
    let first = from.path().join("first.ndjson").display().to_string();
    let (is_done, error) = run(&from, &["export", "--full", &first]);
    assert!(is_done, "{error}");
    let written = std::fs::read_to_string(&first).unwrap();
    assert!(!written.contains(text(&app, "client_secret")), "a secret lies open");
    assert!(!written.contains("PRIVATE"), "a key lies open");

    for table in TABLES {
        let of_table = format!("\"table\":\"{}\"", table.name);
        let is_there = written.lines().any(|row| row.contains(&of_table));
        assert!(is_there, "nothing of {} was made", table.name);
    }

    let to = Folder::new();
    to.json(&["tenants", "create", "moved", "--issuer", "https://moved.example.org/"]);
    let (is_done, error) = run(&to, &["import", "full", &first, "--tenant", "moved"]);
    assert!(is_done, "{error}");
    let second = to.path().join("second.ndjson").display().to_string();
    let (is_done, error) = run(&to, &["export", "--full", &second, "--tenant", "moved"]);
    assert!(is_done, "{error}");
    assert_eq!(std::fs::read_to_string(&second).unwrap(), written);
    let shown = to.run(&["apps", "show", id, "--reveal-secret", "--json", "--tenant", "moved"]);
    let shown: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    assert_eq!(shown["client_secret"], app["client_secret"]);

    let (is_done, error) = run(&to, &["import", "full", &first, "--tenant", "moved"]);
    assert!(!is_done && error.contains("in use"), "{error}");
    let admins = to.run(&["admins", "list", "--json", "--tenant", "moved"]);
    assert!(stdout(&admins).contains("ada@admins.example"), "{admins:?}");
}

/// At least one row of every table that moves, and of every kind of secret.
fn one_of_everything(folder: &Folder) {
    let permission = ["--api", "https://moved.example.org", "--permissions", "read:it"];
    folder.ok(&["roles", "create", "Reader"]);
    folder.ok(&[&["roles", "permissions", "add", "Reader"][..], &permission].concat());
    let user = folder.json(&["users", "search", "--query", "email:ada@example.org"]);
    let user = text(&user[0], "user_id");
    folder.ok(&["users", "roles", "assign", user, "--roles", "Reader"]);
    folder.ok(&[&["users", "permissions", "add", user][..], &permission].concat());
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let key = folder.write("public.jwk", key.as_bytes());
    folder.ok(&["apps", "create", "Signs", "--key", &key]);
    folder.ok(&["apis", "create", "https://shared.example.org", "--signing-alg", "HS256"]);
    let second = "databases:\n  - name: Second\n    strategy: auth0\n    enabled_clients: []\n";
    let second = folder.write("second.yaml", second.as_bytes());
    folder.ok(&["import", "auth0", &second]);
    let file = folder.write("users.ndjson", b"{\"email\": \"of@second.example\"}\n");
    folder.ok(&["import", "auth0", &file, "--connection", "Second"]);
    let password = ["admins", "create", "ada@admins.example", "--password-stdin"];
    let made = folder.run_with_input(&password, b"a password of some length\n");
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn a_tenant_that_has_an_administrator_is_not_empty() {
    let folder = Folder::new();
    let file = folder.path().join("whole.ndjson").display().to_string();
    assert!(run(&folder, &["export", "--full", &file]).0);
    folder.json(&["tenants", "create", "moved", "--issuer", "https://moved.example.org/"]);
    folder.ok(&["admins", "create", "ada@admins.example", "--tenant", "moved"]);
    let (is_done, error) = run(&folder, &["import", "full", &file, "--tenant", "moved"]);
    assert!(!is_done && error.contains("it has administrators"), "{error}");
}

#[test]
fn a_file_that_was_changed_or_another_passphrase_brings_nothing_in() {
    let from = Folder::new();
    from.json(&[
        "users",
        "create",
        "--email",
        "ada@example.org",
        "--password",
        "Correct horse 7",
    ]);
    let file = from.path().join("whole.ndjson").display().to_string();
    assert!(run(&from, &["export", "--full", &file]).0);
    let to = Folder::new();
    to.json(&["tenants", "create", "moved", "--issuer", "https://moved.example.org/"]);
    let changed = std::fs::read_to_string(&file)
        .unwrap()
        .replace("ada@example.org", "eve@example.org");
    let changed = to.write("changed.ndjson", changed.as_bytes());
    assert!(!run(&to, &["import", "full", &changed, "--tenant", "moved"]).0);
    let other = to.write("other.txt", b"another passphrase, as long\n");
    let output = to.run(&[
        "import",
        "full",
        &file,
        "--tenant",
        "moved",
        "--passphrase-file",
        &other,
    ]);
    assert!(!output.status.success());
    let users = to.run(&["users", "list", "--json", "--tenant", "moved"]);
    assert_eq!(stdout(&users).trim(), "[]");
}
