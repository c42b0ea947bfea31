//! The command line as people type it: the built binary on data folders that `tokenhouse dev` made.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use fixture::{Folder, Server, key_id, patiently, stdout, text};

mod apis;
mod doctor;
pub(crate) mod fixture;
mod permissions_and_keys;
mod places;
mod rows;
mod shells;
mod snippet;
mod tenants;
mod token;

const API: &str = "https://cli.example.org";

#[test]
fn what_is_registered_while_the_server_runs_gets_a_token_at_once() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    folder.ok(&[
        "apis",
        "create",
        API,
        "--scope",
        "read:reports=Read reports",
        "--scope",
        "write:reports",
    ]);
    let app = folder.json(&["apps", "create", "Report reader"]);
    folder.ok(&[
        "grants",
        "create",
        "--app",
        text(&app, "client_id"),
        "--api",
        API,
        "--scope",
        "read:reports",
    ]);

    let token = server.token(&app, API);
    let accepted = folder.run(&["verify", &token, "--audience", API, "--scope", "read:reports"]);
    assert_eq!(accepted.status.code(), Some(0), "{accepted:?}");
    let refused = folder.run(&["verify", &token, "--audience", API, "--scope", "write:reports"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(stdout(&refused).contains("✗  scope"), "{}", stdout(&refused));

    let log: Value = serde_json::from_str(&folder.ok(&["logs", "tail", "-n", "1", "--json"])).unwrap();
    assert_eq!(
        (text(&log, "type"), text(&log, "client_id")),
        ("seccft", text(&app, "client_id"))
    );
    let usage = folder.json(&["usage"]);
    let of_app = |row: &&Value| row["client_id"] == app["client_id"];
    let row = usage.as_array().unwrap().iter().find(of_app).unwrap();
    assert_eq!((text(row, "audience"), &row["tokens"]), (API, &Value::from(1)));
}

#[test]
fn compact_json_is_the_same_on_one_line() {
    let folder = Folder::new();
    for arguments in [&["apps", "list"][..], &["tenants", "show"]] {
        let line = folder.ok(&[arguments, &["--json-compact"]].concat());
        assert_eq!(line.lines().count(), 1, "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), folder.json(arguments));
    }
}

#[test]
fn lists_are_csv_for_a_spreadsheet() {
    let folder = Folder::new();
    folder.ok(&["apps", "create", "=1+1, \"quoted\""]);
    let apps = folder.ok(&["apps", "list", "--csv"]);
    let mut lines = apps.lines();
    assert_eq!(lines.next(), Some("CLIENT ID,NAME,TYPE,GRANT TYPES"));
    // No formula of a stranger's runs where the file is opened.
    assert!(
        apps.contains(r#","'=1+1, ""quoted""",non_interactive,client_credentials"#),
        "{apps}"
    );
    assert_eq!(
        folder.ok(&["roles", "list", "--csv"]).trim(),
        "ROLE ID,NAME,DESCRIPTION"
    );
    assert!(
        folder
            .ok(&["logs", "list", "--csv"])
            .starts_with("date,type,description,client_id,")
    );
    let both = folder.run(&["apps", "list", "--csv", "--json"]);
    assert_eq!(both.status.code(), Some(2), "{both:?}");
}

#[test]
fn a_running_server_picks_up_rotated_and_revoked_keys() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let app = server.sample();
    let audience = text(&server.dev, "audience");
    let old = server.token(&app, audience);
    let first = key_id(&old);

    let early = folder.run(&["keys", "rotate"]);
    assert_eq!(early.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&early.stderr).contains("--now"), "{early:?}");
    let rotated = folder.json(&["keys", "rotate", "--now"]);
    let new = patiently(|| Some(server.token(&app, audience)).filter(|token| key_id(token) != first));
    assert_eq!(key_id(&new), text(&rotated, "kid"));
    assert_eq!(
        folder.run(&["verify", &old]).status.code(),
        Some(0),
        "a rotation refuses no valid token"
    );

    folder.ok(&["keys", "revoke", &first]);
    patiently(|| (folder.run(&["verify", &old]).status.code() == Some(1)).then_some(()));
    assert_eq!(folder.run(&["verify", &new]).status.code(), Some(0));
}

#[test]
fn the_sample_api_takes_tokens_of_the_issuer_it_was_told() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let audience = text(&server.dev, "audience");
    let token = server.token(&server.sample(), audience);
    let arguments = [
        "api",
        "--issuer",
        text(&server.dev, "issuer"),
        "--audience",
        audience,
        "--listen",
        "127.0.0.1:0",
    ];
    let mut child = folder.plain(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    // The pipe closes after the first line; that once ended the server.
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    let mut api = Server {
        child,
        address: said.split('/').nth(2).unwrap().to_owned(),
        dev: Value::Null,
    };
    assert_eq!(api.get("/api/private", None).0, 401);
    assert_eq!(api.get("/api/private", Some(&token)).0, 200);
    assert!(api.stop().success());
}

#[test]
fn a_token_is_verified_with_a_key_set_in_a_file() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let audience = text(&server.dev, "audience");
    let token = server.token(&server.sample(), audience);
    let file = folder.write("keys.json", server.get("/.well-known/jwks.json", None).1.as_bytes());
    let arguments = ["verify", &token, "--jwks", &file, "--audience", audience];
    let output = folder.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        stdout(&output).contains("·  issuer      not asked for"),
        "{}",
        stdout(&output)
    );
    let elsewhere = folder.run(&[&arguments[..], &["--issuer", "https://elsewhere.example/"]].concat());
    assert_eq!(elsewhere.status.code(), Some(1), "{elsewhere:?}");
}

#[test]
fn a_folder_without_data_is_refused_and_left_alone() {
    let folder = Folder::empty();
    let output = folder.run(&["apps", "list"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("there is no Tokenhouse data in") && said.contains("tokenhouse dev"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn json_names_its_fields_as_the_management_api_does() {
    let folder = Folder::new();
    let holds = |value: &Value, names: &str| {
        let missing = names.split(' ').find(|name| value.get(name).is_none());
        assert_eq!(missing, None, "{value}");
    };
    let api = folder.json(&["apis", "create", API, "--scope", "a", "--token-lifetime", "60"]);
    holds(
        &api,
        "id identifier name scopes signing_alg token_lifetime token_lifetime_for_web",
    );
    // Auth0's tools refuse an API without a name.
    assert_eq!(text(&api, "name"), API);
    let app = folder.json(&["apps", "create", "X", "--origin", "https://a.example"]);
    holds(
        &app,
        "app_type client_id client_secret grant_types is_first_party name tenant web_origins",
    );
    assert_eq!(
        app["grant_types"],
        serde_json::json!(["client_credentials"]),
        "safe values"
    );
    let grant = folder.json(&["grants", "create", "--app", text(&app, "client_id"), "--api", API]);
    holds(&grant, "audience client_id id scope subject_type");
    let all = folder.json(&["grants", "list", "--app", text(&app, "client_id")]);
    assert_eq!(all, Value::Array(vec![grant.clone()]));
    let user = folder.json(&[
        "users",
        "create",
        "--email",
        "ada@example.org",
        "--password",
        "Correct-horse-1",
    ]);
    holds(
        &user,
        "created_at email email_verified identities name updated_at user_id",
    );
    for (kind, id) in [
        ("apis", API),
        ("apps", text(&app, "client_id")),
        ("grants", text(&grant, "id")),
    ] {
        let shown = folder.json(&[kind, "show", id]);
        assert!(
            folder.json(&[kind, "list"]).as_array().unwrap().contains(&shown),
            "{kind}"
        );
    }
}

#[test]
fn an_api_takes_its_grants_with_it() {
    let folder = Folder::new();
    folder.ok(&["apis", "create", API]);
    let app = folder.json(&["apps", "create", "X"]);
    let grant = folder.json(&["grants", "create", "--app", text(&app, "client_id"), "--api", API]);
    assert_eq!(folder.ok(&["apis", "delete", API, "--force", "--json"]), "");
    assert_eq!(
        folder.run(&["grants", "show", text(&grant, "id")]).status.code(),
        Some(1)
    );
}

#[test]
fn secrets_are_shown_only_when_made_or_asked_for() {
    let folder = Folder::new();
    let app = folder.json(&["apps", "create", "X"]);
    let (id, secret) = (text(&app, "client_id"), text(&app, "client_secret"));
    let user = folder.json(&["users", "create", "--username", "ada", "--password", "Correct-horse-1"]);
    let shown = [
        folder.ok(&["apps", "list", "--json"]),
        folder.ok(&["apps", "show", id]),
        folder.ok(&["apps", "show", id, "--json"]),
        folder.ok(&["users", "show", text(&user, "user_id"), "--json"]),
        folder.ok(&["users", "list"]),
        folder.ok(&["keys", "list", "--json"]),
    ];
    for text in shown {
        assert!(
            !text.contains(secret) && !text.contains("argon2") && !text.contains("v1."),
            "{text}"
        );
    }
    assert!(folder.ok(&["apps", "show", id, "--reveal-secret"]).contains(secret));
    let rotated = folder.json(&["apps", "rotate-secret", id]);
    assert_ne!(text(&rotated, "client_secret"), secret);
}

#[test]
fn nothing_is_deleted_when_nobody_can_be_asked() {
    let folder = Folder::new();
    let app = folder.json(&["apps", "create", "X"]);
    let output = folder.run(&["apps", "delete", text(&app, "client_id")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--force"));
    folder.ok(&["apps", "show", text(&app, "client_id")]);
}

#[test]
fn a_password_comes_from_standard_input_and_a_user_can_be_blocked() {
    let folder = Folder::new();
    let arguments = [
        "users",
        "create",
        "--email",
        "eve@example.org",
        "--password-stdin",
        "--json",
    ];
    let output = folder.run_with_input(&arguments, b"Correct-horse-1\n");
    let user: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = text(&user, "user_id");
    assert_eq!(folder.json(&["users", "block", id])["blocked"], true);
    assert_eq!(folder.json(&["users", "unblock", id])["blocked"], false);
    // The folder's connection takes any password but none, so that the sample user can have theirs.
    let weak = folder.run_with_input(&["users", "set-password", id, "--password-stdin"], b"\n");
    assert_eq!(weak.status.code(), Some(1));
    assert!(String::from_utf8(weak.stderr).unwrap().contains("password"));
}

#[test]
fn tenants_keep_their_own_applications() {
    let folder = Folder::new();
    folder.ok(&["tenants", "create", "acme", "--issuer", "http://acme.localhost:4000"]);
    folder.ok(&["apps", "create", "Only here", "--tenant", "acme"]);
    assert!(folder.ok(&["apps", "list", "--tenant", "acme"]).contains("Only here"));
    assert!(!folder.ok(&["apps", "list"]).contains("Only here"));
    assert!(folder.ok(&["tenants", "list"]).contains("http://acme.localhost:4000/"));
    assert_eq!(
        folder.run(&["apps", "list", "--tenant", "nobody"]).status.code(),
        Some(1)
    );
}

#[test]
fn verify_says_what_it_must_be_told() {
    let folder = Folder::empty();
    let output = folder.run(&["verify", "abc"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--issuer"));
    let output = folder.run(&["verify", "abc", "--issuer", "http://127.0.0.1:9/"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("--audience"));
    let output = folder.run(&["verify", "abc", "--issuer", "http://127.0.0.1:9/", "--audience", API]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("✗  form"), "{}", stdout(&output));
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let folder = Folder::new();
    let mut child = folder
        .command(&["apps", "list"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn the_file_in_the_repository_holds_every_key_with_its_default() {
    let folder = Folder::empty();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tokenhouse.toml");
    let defaults = stdout(&folder.plain(&["config", "show"]).output().unwrap());
    assert_eq!(
        stdout(&folder.plain(&["config", "show", "--config", file]).output().unwrap()),
        defaults
    );
    let written = std::fs::read_to_string(file).unwrap();
    for line in defaults.lines().filter(|line| !line.is_empty()) {
        assert!(written.lines().any(|other| other == line), "{line}");
    }
}

#[test]
fn a_misspelt_option_is_a_usage_error() {
    let folder = Folder::empty();
    assert_eq!(folder.plain(&["apps", "lits"]).output().unwrap().status.code(), Some(2));
    assert_eq!(
        folder
            .plain(&["keys", "rotate", "--alg", "none"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
    let version = stdout(&folder.plain(&["--version"]).output().unwrap());
    assert!(
        version.starts_with("tokenhouse ") && version.contains("(commit "),
        "{version}"
    );
}
