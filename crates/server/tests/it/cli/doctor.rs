//! `tokenhouse doctor`: it finds what is wrong, and says what to do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::fixture::{Folder, Server, stdout, text};

/// The state of a check, and what is said of it.
fn check<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str) {
    let checks = report["checks"].as_array().unwrap();
    // The worst of those that look at the same.
    let found = ["fail", "warn", "ok"].into_iter().find_map(|state| {
        checks
            .iter()
            .find(|check| check["check"] == name && check["state"] == state)
    });
    let found = found.unwrap_or_else(|| panic!("nothing was said of {name}: {report}"));
    if text(found, "state") != "ok" {
        assert!(!text(found, "advice").is_empty(), "{found}");
    }
    (text(found, "state"), text(found, "text"))
}

fn report(folder: &Folder, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = folder.run(&[&["doctor", "--json"], arguments].concat());
    let said = stdout(&output);
    (
        output.status.code(),
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{output:?}")),
    )
}

#[test]
fn a_running_server_is_well_from_the_inside_and_from_the_outside() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let (code, inside) = report(&folder, &[]);
    assert_eq!((code, text(&inside, "state")), (Some(0), "ok"), "{inside:#}");
    for about in [
        "configuration",
        "certificate",
        "data folder",
        "sealing key",
        "database",
        "keys",
        "clock",
        "reachability",
        "published keys",
    ] {
        assert_eq!(check(&inside, about).0, "ok", "{inside:#}");
    }
    let outside = server.command(&folder, &["doctor"]).output().unwrap();
    assert!(outside.status.success(), "{outside:?}");
    assert!(stdout(&outside).ends_with("All is well."), "{}", stdout(&outside));
    assert!(stdout(&outside).contains("lets you in"), "{}", stdout(&outside));
}

#[test]
fn what_is_wrong_with_a_folder_is_found() {
    let folder = Folder::new();
    let (code, idle) = report(&folder, &[]);
    assert_eq!((code, check(&idle, "reachability").0), (Some(0), "warn"), "{idle:#}");
    let key = folder.path().join("sealing.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, open) = report(&folder, &[]);
    assert_eq!((code, check(&open, "sealing key").0), (Some(1), "fail"), "{open:#}");
    std::fs::remove_file(&key).unwrap();
    let (code, lost) = report(&folder, &[]);
    assert_eq!(
        (code, check(&lost, "sealing key").0, check(&lost, "database").0),
        (Some(1), "fail", "fail")
    );
    let empty = Folder::empty();
    let (code, nothing) = report(&empty, &[]);
    assert_eq!((code, check(&nothing, "database").0), (Some(1), "fail"), "{nothing:#}");
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "it makes nothing");
}

#[test]
fn a_database_that_does_not_open_has_an_advice_for_each_reason() {
    let (folder, other) = (Folder::new(), Folder::new());
    let advice = |found: &Value| {
        let checks = found["checks"].as_array().unwrap();
        let failed = checks
            .iter()
            .find(|check| check["check"] == "database" && check["state"] == "fail");
        text(failed.unwrap_or_else(|| panic!("it opened: {found:#}")), "advice").to_owned()
    };
    let key = folder.path().join("sealing.key");
    let own = std::fs::read(&key).unwrap();
    std::fs::write(&key, format!("{}=", "A".repeat(43))).unwrap();
    let (code, found) = report(&folder, &[]);
    assert_eq!(code, Some(1));
    assert!(advice(&found).contains("[sealing]"), "{found:#}");
    std::fs::write(&key, own).unwrap();
    let database = other.path().join("tokenhouse.db");
    for side in ["tokenhouse.db-wal", "tokenhouse.db-shm"] {
        std::fs::remove_file(other.path().join(side)).ok();
    }
    std::fs::write(
        &database,
        "no database at all, but long enough to have a first page ".repeat(200),
    )
    .unwrap();
    let (_, found) = report(&other, &[]);
    assert!(advice(&found).contains("tokenhouse restore"), "{found:#}");
    let (_, found) = report(&folder, &["--database", "postgres://nobody@127.0.0.1:1/none"]);
    assert!(advice(&found).contains("Start the database"), "{found:#}");
}

#[test]
fn what_is_wrong_with_a_configuration_is_found() {
    let folder = Folder::new();
    let said = |content: &str| {
        let file = folder.write("tokenhouse.toml", content.as_bytes());
        let output = folder.plain(&["doctor", "--json", "--config", &file]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        serde_json::from_str::<Value>(&stdout(&output)).unwrap()
    };
    assert_eq!(check(&said("[server]\nlisen = 1"), "configuration").0, "fail");
    let data = folder.path().display();
    let file = format!(
        "[server]\ndata = \"{data}\"\nissuer = \"http://auth.invalid/\"\n[tls]\ncertificate_file = \"nowhere.pem\""
    );
    let found = said(&file);
    for about in ["configuration", "certificate", "reachability"] {
        assert_eq!(check(&found, about).0, "fail", "{found:#}");
    }
    // Beside what it seals, which `serve` refuses unless it is told to.
    assert_eq!(check(&found, "sealing key").0, "warn", "{found:#}");
}
