//! `tokenhouse tenants`: made, listed, and deleted with everything that they have.

use serde_json::{Value, json};

use super::fixture::{Folder, Server, patiently, stdout, text};

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
fn hosts_are_given_to_a_tenant_and_taken_from_it() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    folder.ok(&["tenants", "create", "acme", "--issuer", "http://acme.example:4000/"]);
    folder.ok(&["tenants", "create", "other", "--issuer", "http://other.example:4000/"]);
    let update = |arguments: &[&str]| folder.run(&[&["tenants", "update", "acme"], arguments].concat());
    let issuer_at = |host: &str| server.issuer_at(host);
    assert_eq!(issuer_at("login.acme.example"), None);
    let changed = update(&[
        "--add-host",
        "login.acme.example",
        "--add-host",
        "sso.acme.example",
        "--json",
    ]);
    let hosts: Value = serde_json::from_str(&stdout(&changed)).unwrap();
    assert_eq!(
        hosts,
        json!({"hosts": ["acme.example:4000", "login.acme.example", "sso.acme.example"]})
    );
    let acme = Some("http://acme.example:4000/".to_owned());
    patiently(|| (issuer_at("login.acme.example") == acme).then_some(()));
    let changed = update(&["--remove-host", "login.acme.example", "--name", "Acme Corporation"]);
    assert!(stdout(&changed).contains("Acme Corporation"), "{changed:?}");
    patiently(|| issuer_at("login.acme.example").is_none().then_some(()));
    assert_eq!(issuer_at("sso.acme.example"), acme);
    for (arguments, why) in [
        (["--remove-host", "acme.example:4000"], "the issuer's own"),
        (["--remove-host", "login.acme.example"], "does not lead here"),
        (["--add-host", "other.example:4000"], "leads to a tenant already"),
        (["--add-host", "No/Host"], "is no host"),
    ] {
        let refused = update(&arguments);
        assert!(
            !refused.status.success() && stderr(&refused).contains(why),
            "{refused:?}"
        );
    }
    let rows = folder.json(&["logs", "list", "--tenant", "acme"]);
    let rows = rows.as_array().unwrap().iter();
    let commands: Vec<&Value> = rows
        .filter(|row| row["details"]["request"]["command"] == "tenants update")
        .collect();
    assert_eq!(commands.len(), 6, "those that were refused, too");
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
