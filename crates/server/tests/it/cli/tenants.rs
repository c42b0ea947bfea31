//! `tokenhouse tenants`: made, listed, and deleted with everything that they have.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::fixture::{Folder, Server, patiently, stdout, text};
use crate::tls::Ending;

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
fn no_tenant_is_made_that_no_request_would_find() {
    let folder = Folder::new();
    let create = |arguments: &[&str]| folder.run(&[&["tenants", "create", "bad", "--issuer"], arguments].concat());
    for (arguments, why) in [
        // The default tenant's own, by any scheme.
        (&["http://localhost:4000/"][..], "the default tenant's issuer"),
        (&["https://localhost:4000/"], "the default tenant's issuer"),
        (
            &["https://a.example/", "--host", "localhost:4000"],
            "the default tenant's issuer",
        ),
        (&["https://a.example/auth/"], "write it like https://a.example/"),
        (&["https://*.example/"], "is no host"),
        (&["https://a.example/", "--host", "https://b.example"], "is no host"),
    ] {
        let refused = create(arguments);
        assert!(
            !refused.status.success() && stderr(&refused).contains(why),
            "{refused:?}"
        );
    }
    assert_eq!(folder.json(&["tenants", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_host_with_a_usual_port_is_the_host_without_one() {
    let folder = Folder::new();
    let create = |id, host| {
        [
            "tenants",
            "create",
            id,
            "--issuer",
            "https://acme.example/",
            "--host",
            host,
        ]
    };
    let made = folder.json(&create("acme", "login.acme.example:80"));
    assert_eq!(made["hosts"], json!(["acme.example", "login.acme.example"]));
    let update = |arguments: &[&str]| folder.run(&[&["tenants", "update", "acme", "--json"], arguments].concat());
    let changed = update(&[
        "--add-host",
        "sso.acme.example:443",
        "--remove-host",
        "login.acme.example:443",
    ]);
    let hosts: Value = serde_json::from_str(&stdout(&changed)).unwrap();
    assert_eq!(hosts, json!({"hosts": ["acme.example", "sso.acme.example"]}));
    for (option, host, why) in [
        ("--add-host", "sso.acme.example:80", "leads to a tenant already"),
        ("--add-host", "localhost:4000", "the default tenant's issuer"),
        ("--remove-host", "acme.example:443", "the issuer's own"),
    ] {
        let refused = update(&[option, host]);
        assert!(
            !refused.status.success() && stderr(&refused).contains(why),
            "{refused:?}"
        );
    }
    // To the default tenant its own host leads anyway: named here, it goes on to lead there under another issuer.
    folder.ok(&["tenants", "update", "--add-host", "localhost:4000"]);
}

#[test]
fn plain_http_on_a_name_that_others_reach_is_remarked_upon() {
    let folder = Folder::new();
    let remark = |id, issuer| {
        let made = folder.run(&["tenants", "create", id, "--issuer", issuer]);
        assert!(made.status.success(), "{made:?}");
        stderr(&made)
    };
    assert!(remark("plain", "http://plain.example/").contains("in the clear"));
    assert_eq!(remark("secure", "https://secure.example/"), "");
    assert_eq!(remark("local", "http://acme.localhost:4000/"), "");
}

#[test]
fn a_server_does_not_start_under_the_host_of_another_tenant() {
    let folder = Folder::new();
    folder.ok(&["tenants", "create", "acme", "--issuer", "https://acme.example/"]);
    let file = configured(&folder, "http://acme.example/");
    let plain = |arguments: &[&str]| {
        let mut command = folder.plain(&[arguments, &["--config", &file]].concat());
        command.output().unwrap()
    };
    let why = "leads to the tenant acme already";
    let refused = plain(&["serve", "--allow-local-key"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(stderr(&refused).contains(why), "{refused:?}");
    let doctor = plain(&["doctor"]);
    assert!(stdout(&doctor).contains(why), "{doctor:?}");
    // Commands work, since by one of them it is put right.
    let removed = plain(&["tenants", "delete", "acme", "--force"]);
    assert!(removed.status.success(), "{removed:?}");
    assert!(!stdout(&plain(&["doctor"])).contains(why));
}

#[test]
fn a_server_whose_issuer_has_a_path_starts_with_a_warning() {
    let folder = Folder::new();
    let file = configured(&folder, "http://localhost/auth/");
    let log = folder.path().join("log");
    let mut command = folder.plain(&["serve", "--allow-local-key", "--config", &file]);
    command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
    let mut server = Ending(command.spawn().unwrap());
    // It greets when it serves.
    server.0.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    assert!(std::fs::read_to_string(log).unwrap().contains("the issuer has a path"));
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

/// The configuration of a server on a folder's data, under this issuer.
fn configured(folder: &Folder, issuer: &str) -> String {
    let data = folder.path().display();
    let server = format!("[server]\nissuer = \"{issuer}\"\nlisten = \"127.0.0.1:0\"\ndata = \"{data}\"\n");
    let sealing = format!("[sealing]\nkey_file = \"{data}/sealing.key\"\n");
    folder.write("tokenhouse.toml", format!("{server}{sealing}").as_bytes())
}
