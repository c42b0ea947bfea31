//! `tokenhouse import` of users, as people type it.

#![expect(
    clippy::unwrap_used,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Output;

use serde_json::{Value, json};

use crate::cli::fixture::{Folder, Server, stdout, text};

/// Users of Django 5.2, as its `dumpdata` wrote them; the password of each is the vectors'.
const DUMPDATA: &[u8] = include_bytes!("../../vectors/django-dumpdata.json");
const PASSWORD: &str = "Grüße, Ada 1!";

fn lines(users: &[Value]) -> Vec<u8> {
    let mut text = String::new();
    for user in users {
        writeln!(text, "{user}").unwrap();
    }
    text.into_bytes()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn total(folder: &Folder) -> usize {
    folder
        .json(&["users", "list", "--number", "5000"])
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn what_is_not_taken_is_in_a_file_by_line_and_comes_in_once_it_is_corrected() {
    let folder = Folder::new();
    let before = total(&folder);
    let file = folder.write(
        "users.json",
        b"[\n  {\"email\": \"a@file.example\"},\n  {\"email\": \"b\"},\n  {\"email\": \"c@file.example\", \"x\": 1}\n, {]\n]\n",
    );
    let output = folder.run(&["import", "auth0", &file, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&said["inserted"], &said["rejected"]), (&json!(1), &json!(3)), "{said}");
    let errors = stderr(&output);
    assert!(
        errors.contains("line 3: ") && errors.contains("line 4: ") && errors.contains("line 5: "),
        "{errors}"
    );
    let rejects = said["rejects"].as_str().unwrap();
    let rows: Vec<Value> = std::fs::read_to_string(rejects)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        rows.iter().map(|row| row["line"].as_u64().unwrap()).collect::<Vec<_>>(),
        [3, 4, 5]
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(rejects).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Corrected, the file of rejects is itself a file to import.
    let mut row = rows[1].clone();
    row["user"].as_object_mut().unwrap().remove("x");
    let corrected = folder.write("corrected.ndjson", format!("{row}\n").as_bytes());
    assert_eq!(folder.json(&["import", "auth0", &corrected])["inserted"], 1);
    assert_eq!(total(&folder), before + 2);
}

#[test]
fn what_an_earlier_import_rejected_stays_when_the_file_comes_again() {
    let folder = Folder::new();
    let file = folder.write("users.json", b"[{\"email\": \"a@file.example\"}, {\"email\": \"b\"}]");
    let rejects = |more: &[&str]| {
        let output = folder.run(&[&["import", "auth0", &file, "--json"], more].concat());
        let said: Value = serde_json::from_str(&stdout(&output)).unwrap();
        said["rejects"].as_str().unwrap().to_owned()
    };
    let first = rejects(&[]);
    let kept = std::fs::read(&first).unwrap();
    let second = rejects(&[]);
    assert_eq!(second, format!("{file}.rejects-2.ndjson"));
    assert_eq!(
        (std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap()),
        (kept.clone(), kept)
    );
    // Who names the file gets that one, and nobody's is written over.
    let output = folder.run(&["import", "auth0", &file, "--rejects", &first]);
    assert!(stderr(&output).contains("--rejects"), "{output:?}");
}

#[test]
fn a_dry_run_says_what_would_be_and_writes_nothing() {
    let folder = Folder::new();
    let before = total(&folder);
    let file = folder.write(
        "users.ndjson",
        &lines(&[json!({"email": "a@file.example"}), json!({"email": "b@file.example"})]),
    );
    let said = folder.json(&["import", "auth0", &file, "--dry-run"]);
    assert_eq!((&said["inserted"], &said["dry_run"]), (&json!(2), &json!(true)));
    assert_eq!(total(&folder), before);
    assert!(
        folder
            .ok(&["import", "auth0", &file, "--dry-run"])
            .contains("would be inserted  2")
    );
    let said = folder.json(&["import", "auth0", &file]);
    assert_eq!((&said["inserted"], &said["unchanged"]), (&json!(2), &json!(0)));
    let again = folder.json(&["import", "auth0", &file]);
    assert_eq!(
        (&again["inserted"], &again["unchanged"]),
        (&json!(0), &json!(2)),
        "the same again changes nothing"
    );
}

#[test]
fn an_import_that_was_stopped_goes_on_where_it_was() {
    let folder = Folder::new();
    let before = total(&folder);
    let mut users: Vec<Value> = (0..1200)
        .map(|number| json!({ "email": format!("u{number}@file.example") }))
        .collect();
    users[1100] = json!({ "email": "bad" });
    let file = folder.write("users.ndjson", &lines(&users));
    // What an import leaves that ends after its first batch.
    let first = folder.write("first.ndjson", &lines(&users[..500]));
    folder.json(&["import", "auth0", &first]);
    let offset = std::fs::metadata(&first).unwrap().len() - 1;
    let kept = json!({
        "what": {
            "size": std::fs::metadata(&file).unwrap().len(), "connection": "Username-Password-Authentication",
            "upsert": false, "tenant": "default", "rejects": format!("{file}.rejects.ndjson"),
        },
        "reached": { "offset": offset, "line": 500, "number": 500, "form": "lines" }, "reject_bytes": 0,
        "inserted": 500, "updated": 0, "unchanged": 0, "passed": 0, "rejected": 0, "without_factors": 0,
    });
    let progress = format!("{file}.progress.json");
    std::fs::write(&progress, kept.to_string()).unwrap();
    // With other options it is not the same import.
    let other = folder.run(&["import", "auth0", &file, "--upsert"]);
    assert!(stderr(&other).contains("--restart"), "{other:?}");
    let output = folder.run(&["import", "auth0", &file, "--json"]);
    assert!(stderr(&output).contains("Going on at line 500"), "{output:?}");
    let said: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let counts = (&said["read"], &said["inserted"], &said["unchanged"], &said["rejected"]);
    assert_eq!(counts, (&json!(1200), &json!(1199), &json!(0), &json!(1)));
    assert!(stderr(&output).contains("line 1101: "), "{output:?}");
    assert!(!std::path::Path::new(&progress).exists(), "it is over");
    assert_eq!(total(&folder), before + 1199);
}

#[test]
fn djangos_users_move_in_with_their_passwords() {
    let folder = Folder::new();
    let file = folder.write("dump.json", DUMPDATA);
    let output = folder.run(&["import", "django", &file, "--json"]);
    let said: Value = serde_json::from_str(&stdout(&output)).unwrap();
    // Six of the seven: one signs in by an address that is not theirs. The group is passed over.
    assert_eq!(
        (&said["inserted"], &said["passed"], &said["rejected"]),
        (&json!(6), &json!(1), &json!(1)),
        "{output:?}"
    );
    assert!(stderr(&output).contains("#/fields/username"), "{output:?}");
    let users = folder.json(&["users", "list", "--number", "5000"]);
    let user = |name: &str| {
        let found = users
            .as_array()
            .unwrap()
            .iter()
            .find(|user| user["username"] == name || user["email"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {users}"))
    };
    assert_eq!(text(user("user1"), "user_id"), "auth0|django-1");
    assert_eq!(user("unusable")["blocked"], true);
    let before = hashes(&folder, "before.ndjson");
    let server = Server::start(&folder);
    let app = folder.json(&[
        "apps",
        "create",
        "Old app",
        "--type",
        "regular",
        "--grant-type",
        "password",
    ]);
    for name in ["user1", "user2", "user3", "user4", "mail@example.org"] {
        let form = format!(
            "grant_type=password&client_id={}&client_secret={}&audience={}&username={name}&password=Gr%C3%BC%C3%9Fe%2C+Ada+1!",
            text(&app, "client_id"),
            text(&app, "client_secret"),
            text(&server.dev, "audience"),
        );
        assert!(PASSWORD.starts_with("Grüße"));
        for time in ["first", "second"] {
            let answer = server.post("/oauth/token", &form);
            assert!(answer["access_token"].is_string(), "{time} login of {name}: {answer}");
        }
    }
    let after = hashes(&folder, "after.ndjson");
    for name in ["user1", "user2", "user3", "user4", "mail@example.org"] {
        assert_ne!(before[name], after[name], "{name}");
        assert!(after[name].starts_with("$argon2id$v=19$"), "{name}: {}", after[name]);
    }
    // What each costs now is what this server's own cost, Django's argon2 too.
    let cost = |name: &str| after[name].split('$').nth(3).unwrap().to_owned();
    assert_eq!(cost("user2"), cost("user1"));
}

#[test]
fn a_packed_or_missing_file_and_an_unknown_connection_are_refused_in_a_sentence() {
    let folder = Folder::new();
    let packed = folder.write("users.json.gz", b"\x1f\x8b");
    assert!(stderr(&folder.run(&["import", "auth0", &packed])).contains("unpack it first"));
    assert!(stderr(&folder.run(&["import", "auth0", "nowhere.json"])).contains("cannot be read"));
    let file = folder.write("users.json", b"[]");
    let output = folder.run(&["import", "auth0", &file, "--connection", "nope"]);
    assert!(stderr(&output).contains("connection does not exist"), "{output:?}");
    assert_eq!(folder.json(&["import", "auth0", &file])["read"], 0);
}

/// The hashes of the folder's users, by their names or addresses.
fn hashes(folder: &Folder, name: &str) -> BTreeMap<String, String> {
    let passphrase = folder.write("passphrase.txt", b"a passphrase to look\n");
    let file = folder.path().join(name).display().to_string();
    folder.ok(&["export", "--full", &file, "--passphrase-file", &passphrase]);
    let written = std::fs::read_to_string(&file).unwrap();
    let rows = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let users = rows
        .filter(|line| line["table"] == "users")
        .map(|line| line["row"].clone());
    let named = |row: Value| {
        let name = row["username"].as_str().or(row["email"].as_str()).unwrap().to_owned();
        (name, row["password_hash"].as_str().unwrap_or_default().to_owned())
    };
    users.map(named).collect()
}
