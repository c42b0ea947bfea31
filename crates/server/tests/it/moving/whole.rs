//! `tokenhouse export --full` and `import full`: a tenant moves with every id, time, hash and secret, and the file of the
//! moved one is the same to the byte.

use serde_json::Value;

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
    let first = from.path().join("first.ndjson").display().to_string();
    let (is_done, error) = run(&from, &["export", "--full", &first]);
    assert!(is_done, "{error}");
    let written = std::fs::read_to_string(&first).unwrap();
    assert!(!written.contains(text(&app, "client_secret")), "a secret lies open");
    assert!(!written.contains("PRIVATE"), "a key lies open");

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
