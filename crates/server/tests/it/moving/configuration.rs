//! `tokenhouse import auth0` of what Auth0's deploy CLI exports: the plan, doing it, and doing it again.

#![expect(
    clippy::unwrap_used,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::fixture::{Folder, stdout, text};

const API: &str = "https://moved.example.org";

/// The files of a small tenant's export, as the deploy CLI lays them out.
fn exported(folder: &Folder) -> String {
    let root = folder.path().join("export");
    let put = |name: &str, value: &Value| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{value:#}")).unwrap();
    };
    put(
        "tenant.json",
        &json!({ "friendly_name": "Moved", "flags": { "enable_sso": true, "some_flag": true } }),
    );
    put(
        "resource-servers/Moved API.json",
        &json!({
            "name": "Moved API", "identifier": API, "signing_alg": "RS256", "token_lifetime": 3600, "enforce_policies": true,
            "scopes": [{ "value": "read:it", "description": "Read it" }, { "value": "write:it" }],
        }),
    );
    put(
        "resource-servers/Auth0 Management API.json",
        &json!({ "name": "Auth0 Management API", "identifier": "https://old.eu.auth0.com/api/v2/", "is_system": true }),
    );
    put(
        "clients/My app.json",
        &json!({
            "name": "My app", "app_type": "regular_web", "callbacks": ["https://##HOST##/cb"], "is_first_party": true,
            "grant_types": ["authorization_code", "password", "client_credentials"], "client_metadata": { "team": "a" },
            "custom_login_page": "./My app_custom_login_page.html", "tenant": "old", "global": false,
        }),
    );
    std::fs::write(root.join("clients/My app_custom_login_page.html"), "<p>Old page</p>").unwrap();
    put(
        "clients/Worker.json",
        &json!({ "name": "Worker", "app_type": "non_interactive" }),
    );
    put(
        "grants/My app-Moved API.json",
        &json!({ "client_id": "My app", "audience": API, "scope": ["read:it"], "subject_type": "client" }),
    );
    put(
        "grants/Worker-Auth0 Management API.json",
        &json!({
            "client_id": "Worker", "audience": "https://old.eu.auth0.com/api/v2/", "scope": ["read:clients", "read:rules_x"],
        }),
    );
    put(
        "roles/Reader.json",
        &json!({
            "name": "Reader", "description": "Reads",
            "permissions": [{ "permission_name": "read:it", "resource_server_identifier": API }],
        }),
    );
    put(
        "database-connections/Username-Password-Authentication/database.json",
        &json!({
            "name": "Username-Password-Authentication", "strategy": "auth0", "enabled_clients": ["My app"],
            "options": { "passwordPolicy": "fair", "customScripts": { "login": "./login.js" } },
        }),
    );
    put(
        "attack-protection/brute-force-protection.json",
        &json!({ "enabled": true, "max_attempts": 7 }),
    );
    put(
        "database-connections/Second/database.json",
        &json!({
            "name": "Second", "strategy": "auth0", "enabled_clients": ["My app"], "is_domain_connection": false,
            "options": { "passwordPolicy": "low", "import_mode": false, "customScripts": {} },
        }),
    );
    put(
        "pages/login.json",
        &json!({ "name": "login", "enabled": true, "html": "./login.html" }),
    );
    std::fs::write(root.join("pages/login.html"), "<p>@@config@@ ##HOST##</p>").unwrap();
    put(
        "pages/password_reset.json",
        &json!({ "name": "password_reset", "enabled": true }),
    );
    std::fs::write(root.join("pages/password_reset.html"), "<p>Reset</p>").unwrap();
    put("actions/x.json", &json!({ "name": "x" }));
    root.display().to_string()
}

fn count(said: &Value, name: &str) -> u64 {
    said[name].as_u64().unwrap()
}

fn import(folder: &Folder, path: &str, more: &[&str]) -> Value {
    let arguments = [&["import", "auth0", path, "--replace", "HOST=new.example.org"], more].concat();
    folder.json(&arguments)
}

#[test]
fn an_export_is_planned_done_and_then_unchanged() {
    let folder = Folder::new();
    let path = exported(&folder);
    let before = folder.json(&["apps", "list"]);
    let plan = import(&folder, &path, &["--dry-run"]);
    assert_eq!(folder.json(&["apps", "list"]), before, "a dry run writes nothing");
    let done = import(&folder, &path, &[]);
    for name in ["created", "updated"] {
        assert_eq!(plan[name], done[name], "{name}: {plan} and {done}");
    }
    // Two applications, an API, two grants, a role, a database.
    assert_eq!(count(&done, "created"), 7, "{done}");
    assert_eq!(done["failures"], json!([]));
    let notes = done["notes"].to_string();
    for said in ["actions", "scripts", "1 scopes"] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let again = import(&folder, &path, &[]);
    assert_eq!((count(&again, "created"), count(&again, "updated")), (0, 0), "{again}");
    assert!(count(&again, "unchanged") >= 8, "{again}");

    let apps = folder.json(&["apps", "list"]);
    let app = |name: &str| {
        apps.as_array()
            .unwrap()
            .iter()
            .find(|app| app["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(app("My app")["callbacks"], json!(["https://new.example.org/cb"]));
    assert_eq!(app("My app")["custom_login_page"], "<p>Old page</p>");
    let grants = folder.json(&["grants", "list"]);
    let of_worker = |grant: &&Value| grant["client_id"] == app("Worker")["client_id"];
    let grant = grants.as_array().unwrap().iter().find(of_worker).unwrap();
    assert!(
        text(grant, "audience").ends_with("/api/v2/") && !text(grant, "audience").contains("auth0.com"),
        "{grant}"
    );
    assert_eq!(grant["scope"], json!(["read:clients"]));
    let settings = folder.json(&["tenants", "show"]);
    assert_eq!(
        settings["change_password"],
        json!({ "enabled": true, "html": "<p>Reset</p>" })
    );
}

#[test]
fn what_was_exported_comes_in_elsewhere_and_is_exported_the_same() {
    let (from, to) = (Folder::new(), Folder::new());
    let path = exported(&from);
    import(&from, &path, &[]);
    let user = from.json(&["users", "list"])[0]["user_id"].as_str().unwrap().to_owned();
    from.ok(&[
        "apps",
        "create",
        "Of the console",
        "--type",
        "spa",
        "--origin",
        "https://spa.example",
    ]);
    from.ok(&["users", "roles", "assign", &user, "--roles", "Reader"]);
    from.ok(&["apis", "create", "https://shared.example.org", "--signing-alg", "HS256"]);
    let out = |folder: &Folder| {
        let out = folder.path().join("out");
        let said = folder.json(&["export", "auth0", &out.display().to_string()]);
        assert_eq!(said["databases"], 2, "{said}");
        out
    };
    let first = out(&from);
    // What `dev` made there is in the file as well, or it would not be the same.
    let brought = to.json(&["import", "auth0", &first.display().to_string()]);
    assert_eq!(brought["failures"], json!([]));
    let (first, second) = (files(&first), files(&out(&to)));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, content) in &first {
        assert_eq!(content, &second[name], "{}", name.display());
    }
    let page = &first[Path::new("pages/login.html")];
    assert_eq!(page, "<p>@@config@@ new.example.org</p>");
    let database = &first[Path::new("database-connections/Second/database.json")];
    assert!(
        database.contains("\"low\"") && database.contains("\"My app\""),
        "{database}"
    );
    let all: String = first.values().map(String::as_str).collect();
    for app in from.json(&["apps", "list", "--reveal-secrets"]).as_array().unwrap() {
        assert!(!all.contains(text(app, "client_id")), "an id: {app}");
        // A page in the browser has none.
        let secret = app["client_secret"].as_str().unwrap_or("no secret at all");
        assert!(!all.contains(secret), "a secret: {app}");
    }
}

/// Every file below a folder, by its path in it.
fn files(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn what_changed_in_the_export_alone_changes_here() {
    let folder = Folder::new();
    let path = exported(&folder);
    import(&folder, &path, &[]);
    let edit = |name: &str, from: &str, to: &str| {
        let file = Path::new(&path).join(name);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    };
    edit("clients/Worker.json", "non_interactive", "spa");
    edit("resource-servers/Moved API.json", "3600", "60");
    edit("roles/Reader.json", "read:it", "write:it");
    let done = import(&folder, &path, &[]);
    assert_eq!((count(&done, "created"), count(&done, "updated")), (0, 4), "{done}");
    let details: Vec<&str> = done["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| text(change, "detail"))
        .collect();
    assert_eq!(details, ["token_lifetime", "app_type", "+write:it", "-read:it"]);
}

#[test]
fn yaml_says_the_same_as_a_folder() {
    let folder = Folder::new();
    let yaml = "\
tenant:
  friendly_name: From YAML
clients:
  - name: Yaml app
    app_type: non_interactive
    callbacks: []
resourceServers:
  - identifier: https://yaml.example.org
    name: Yaml API
    scopes:
      - value: 'read:it'
clientGrants:
  - client_id: Yaml app
    audience: https://yaml.example.org
    scope: ['read:it']
attackProtection:
  bruteForceProtection:
    enabled: true
rules: []
";
    let file = folder.write("tenant.yaml", yaml.as_bytes());
    let done = folder.json(&["import", "auth0", &file]);
    assert_eq!((count(&done, "created"), &done["failures"]), (3, &json!([])), "{done}");
    let again = folder.json(&["import", "auth0", &file]);
    assert_eq!((count(&again, "created"), count(&again, "updated")), (0, 0), "{again}");
}

#[test]
fn a_marker_that_nothing_is_said_of_and_what_the_api_refuses_are_named() {
    let folder = Folder::new();
    let path = exported(&folder);
    let output = folder.run(&["import", "auth0", &path]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("--replace HOST=") && said.contains("My app.json"),
        "{said}"
    );
    let bad = Path::new(&path).join("clients/Bad.json");
    std::fs::write(bad, json!({ "name": "Bad", "app_type": "toaster" }).to_string()).unwrap();
    for more in [&["--dry-run"][..], &[]] {
        let arguments = [
            &["import", "auth0", &path, "--json", "--replace", "HOST=x.example"],
            more,
        ]
        .concat();
        let output = folder.run(&arguments);
        assert_eq!(output.status.code(), Some(1));
        let said: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let failure = said["failures"][0].as_str().unwrap();
        assert!(
            failure.contains("application Bad (clients/Bad.json)") && failure.contains("app_type"),
            "{failure}"
        );
        assert_eq!(count(&said, "created"), 7, "the others go on: {said}");
    }
}
