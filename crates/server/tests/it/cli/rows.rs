//! What a command does that is no request of the Management API is in the log all the same: one row, with how many of
//! what.

#![expect(
    clippy::unwrap_used,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use serde_json::{Value, json};

use super::fixture::{Folder, text};

/// The last rows of the log that a command left, newest first: the type, the command, and what is told.
fn rows(folder: &Folder, more: &[&str]) -> Vec<(String, String, Value)> {
    let arguments = [&["logs", "list", "--number", "100"], more].concat();
    let listed = folder.json(&arguments);
    let told = |row: &Value| {
        let details = &row["details"];
        let command = details["request"]["command"].as_str()?.to_owned();
        assert_eq!(row["channel"], "command line");
        assert!(row["description"].is_string(), "{row}");
        Some((
            text(row, "type").to_owned(),
            command,
            details["response"]["body"].clone(),
        ))
    };
    listed.as_array().unwrap().iter().filter_map(told).collect()
}

fn last(folder: &Folder, more: &[&str]) -> (String, String, Value) {
    rows(folder, more).into_iter().next().unwrap()
}

fn named(kind: &str, command: &str) -> (String, String) {
    (kind.to_owned(), command.to_owned())
}

#[test]
fn an_import_of_users_leaves_one_row_with_its_counts() {
    let folder = Folder::new();
    let file = folder.write("users.ndjson", b"{\"email\": \"a@rows.example\"}\n{\"email\": \"b\"}\n");
    folder.run(&["import", "auth0", &file, "--dry-run"]);
    assert_eq!(rows(&folder, &[]), [], "a dry run does nothing");
    assert!(!folder.run(&["import", "auth0", &file]).status.success());
    let (kind, command, told) = last(&folder, &[]);
    assert_eq!((kind, command), named("sapi", "import auth0"));
    assert_eq!(
        (&told["file"], &told["inserted"], &told["rejected"]),
        (&json!("users.ndjson"), &json!(1), &json!(1))
    );
    assert!(!told.to_string().contains("rows.example"), "{told}");

    let dump = folder.write("dump.json", include_bytes!("../../vectors/django-dumpdata.json"));
    folder.run(&["import", "django", &dump]);
    let (kind, command, told) = last(&folder, &[]);
    assert_eq!((kind, command), named("sapi", "import django"));
    assert_eq!(told["inserted"], 6);
    assert_eq!(rows(&folder, &[]).len(), 2);
}

#[test]
fn a_whole_tenant_that_goes_out_or_comes_in_leaves_a_row() {
    let folder = Folder::new();
    let passphrase = folder.write("passphrase.txt", b"a passphrase for rows\n");
    let file = folder.path().join("whole.ndjson").display().to_string();
    let with = |arguments: &[&str]| {
        let all = [arguments, &["--passphrase-file", &passphrase]].concat();
        folder.run(&all).status.success()
    };
    assert!(with(&["export", "--full", &file]));
    let (kind, command, told) = last(&folder, &[]);
    assert_eq!((kind, command), named("mgmt_api_read", "export full"));
    assert!(
        told["users"].as_u64().unwrap() > 0 && told["keys"].as_u64().unwrap() > 0,
        "{told}"
    );

    let issuer = "https://rows.example.org/";
    folder.json(&["tenants", "create", "rows", "--issuer", issuer]);
    let (kind, command, told) = last(&folder, &[]);
    assert_eq!((kind, command), named("sapi", "tenants create"));
    assert_eq!((&told["id"], &told["issuer"]), (&json!("rows"), &json!(issuer)));
    folder.run(&["tenants", "create", "rows", "--issuer", issuer]);
    let (kind, _, told) = last(&folder, &[]);
    assert_eq!(kind, "fapi");
    assert!(told["message"].as_str().unwrap().contains("already exists"), "{told}");

    let there = ["--tenant", "rows"];
    assert!(with(&["import", "full", &file, "--tenant", "rows"]));
    let (kind, command, counts) = last(&folder, &there);
    assert_eq!((kind, command), named("sapi", "import full"));
    assert!(counts["clients"].as_u64().unwrap() > 1, "{counts}");
    assert!(!with(&["import", "full", &file, "--tenant", "rows"]));
    assert_eq!(last(&folder, &there).0, "fapi");

    folder.ok(&["tenants", "delete", "rows", "--force"]);
    let (kind, command, told) = last(&folder, &[]);
    assert_eq!((kind, command), named("sapi", "tenants delete"));
    assert!(told["rows"].as_u64().unwrap() > 5, "{told}");
}

#[test]
fn a_backup_leaves_a_row_that_is_not_in_the_copy() {
    let folder = Folder::new();
    let copy = folder.path().join("copy.backup");
    let file = copy.display().to_string();
    folder.ok(&["backup", &file]);
    let (kind, command, told) = last(&folder, &[]);
    assert_eq!((kind, command), named("mgmt_api_read", "backup"));
    assert_eq!(told["file"], json!(file));
    assert_eq!(told["bytes"], json!(std::fs::metadata(&copy).unwrap().len()));
    // One that was refused read nothing.
    assert!(!folder.run(&["backup", &file]).status.success());
    assert_eq!(rows(&folder, &[]).len(), 1);
    // It needs no sealing key, as the copy needs none.
    std::fs::remove_file(folder.path().join("sealing.key")).unwrap();
    let again = format!("{file}.again");
    let said = folder.ok(&["backup", &again]);
    assert!(!said.contains("no row"), "{said}");
}

#[test]
fn what_is_done_to_administrators_leaves_a_row_that_names_them() {
    let folder = Folder::new();
    let made = folder.json(&["admins", "create", "ada@rows.example", "--name", "Ada"]);
    folder.ok(&["admins", "link", "ada@rows.example"]);
    folder.run(&["admins", "create", "ada@rows.example"]);
    folder.ok(&["admins", "delete", "ada@rows.example", "--force"]);
    let rows = rows(&folder, &[]);
    let kinds: Vec<(&str, &str)> = rows
        .iter()
        .map(|(kind, command, _)| (kind.as_str(), command.as_str()))
        .collect();
    let wanted = [
        ("sapi", "admins delete"),
        ("fapi", "admins create"),
        ("sapi", "admins link"),
        ("sapi", "admins create"),
    ];
    assert_eq!(kinds, wanted);
    assert_eq!(rows[3].2["id"], made["administrator_id"]);
    let key = text(&made, "password_url").rsplit('=').next().unwrap().to_owned();
    assert!(
        !folder.ok(&["logs", "list", "--json"]).contains(&key),
        "a link lies open"
    );
}
