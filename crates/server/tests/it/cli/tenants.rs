//! `tokenhouse tenants`: made, listed, and deleted with everything that they have.

use serde_json::{Value, json};

use super::fixture::{Folder, Server, stdout, text};

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_deleted_tenant_is_gone_with_what_it_had_and_its_name_is_free() {
    let folder = Folder::new();
    let create = ["tenants", "create", "acme", "--issuer", "https://acme.example/"];
    folder.ok(&create);
    folder.ok(&["apps", "create", "Of acme", "--tenant", "acme"]);
    let asked = folder.run(&["tenants", "delete", "acme"]);
    assert!(stderr(&asked).contains("--force"), "{asked:?}");
    assert!(
        folder
            .ok(&["tenants", "delete", "acme", "--force"])
            .contains("Deleted acme")
    );
    assert!(!folder.ok(&["tenants", "list"]).contains("acme"));
    let gone = folder.run(&["apps", "list", "--tenant", "acme"]);
    assert!(stderr(&gone).contains("there is no tenant acme"), "{gone:?}");
    assert_eq!(folder.run(&["tenants", "rm", "acme", "--force"]).status.code(), Some(1));
    folder.ok(&create);
    assert_eq!(folder.json(&["apps", "list", "--tenant", "acme"]), json!([]));
    assert_eq!(folder.json(&["logs", "list", "--tenant", "acme"]), json!([]));
}

#[test]
fn the_default_tenant_is_never_deleted() {
    let folder = Folder::new();
    let output = folder.run(&["tenants", "delete", "default", "--force"]);
    assert!(stderr(&output).contains("default tenant"), "{output:?}");
    assert!(!folder.json(&["apps", "list"]).as_array().unwrap().is_empty());
}

#[test]
fn over_http_the_servers_own_tenant_is_listed() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let output = server
        .command(&folder, &["tenants", "list", "--json"])
        .output()
        .unwrap();
    let listed: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(listed[0]["issuer"], server.dev["issuer"]);
    assert_eq!(text(&listed[0], "name"), "Default");
    let output = server.command(&folder, &["tenants", "delete", "x"]).output().unwrap();
    assert!(stderr(&output).contains("where the database is"), "{output:?}");
}
