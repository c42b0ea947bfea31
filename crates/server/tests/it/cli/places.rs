//! A command says the same of a data folder and of a server over HTTP, and tells who may not ask what to do.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use super::fixture::{Folder, Server, patiently, stdout, text};

use self::installation::Place;

mod installation;

/// Every command, in an order in which each finds what it needs. `=NAME` keeps the answer's id for `{NAME}` further on;
/// those of `logs` and `usage`, whose answers are of their own history, have a test below.
const COMMANDS: &str = "\
apis create https://places.example --name Places --scope read:a=Read --scope write:a =api
apis list
apis show https://places.example
apis update {api} --token-lifetime 600 --rbac --signing-alg ES256
apis update {api} --subject-type-authorization {\"user\":{\"policy\":\"deny_all\"}}
apis update {api} --subject-type-authorization nothing
apis scopes list {api}
apis scopes add {api} delete:a=Delete
apis scopes remove {api} write:a
apps create --name Batch --type m2m --description Nightly =app
apps create Shop --type regular --grants password,refresh-token --callbacks https://shop.example/back =shop
apps create Page --type spa --origin https://page.example =page
apps list --number 20
apps show {app}
apps show {app} --reveal-secret
apps update {app} --name Night --metadata team=blue --set sso=true
apps update {app} --set description=null
apps add-key {shop} {key} --name Spare --kid spare
apps assertion-audience {shop} token-endpoint
apps remove-key {shop} spare
apps rotate-secret {app}
apps show nobody
apps update {app} --set callbacks=nothing
grants create --app {app} --api {api} --scope read:a =grant
grants create --app {app} --api {api}
grants list --app {app}
grants list --api https://places.example
grants show {grant}
grants update {grant} --scopes read:a,delete:a
grants update {grant} --all-scopes
grants update {grant} --no-scopes
grants update {grant}
users create --email ada@places.example --password Correct-horse-1 --name Ada =user
users create --email ada@places.example --password Correct-horse-1
users search --query email:ada* --sort email:1
users search --query ((
users search-by-email ada@places.example
users show {user}
users update {user} --name Countess --set app_metadata={\"plan\":\"gold\"}
users block {user}
users unblock {user}
users update {user} --blocked
users update {user} --blocked false
users set-password {user} --password Another-horse-2
roles create Editor --description Writes =role
roles list
roles show Editor
roles update Editor --description Reads
roles permissions add Editor --api {api} --permissions read:a,delete:a
roles permissions remove Editor --api {api} --scope delete:a
roles permissions list {role}
users roles assign {user} --roles Editor
users roles show {user}
roles users Editor
users permissions add {user} --api https://places.example --permissions delete:a
users permissions list {user}
users permissions remove {user} --api https://places.example --permissions delete:a
users roles remove {user} --roles {role}
users roles assign {user} --roles Nobody
keys list
keys rotate
keys rotate --now
keys rotate --alg HS256
keys list
tenants show
tenants update --name Renamed --default-audience https://places.example
tenants update
grants delete {grant} --force
users delete {user} --force
users delete {user} --force
roles delete Editor --force
apps delete {app} --force
apis delete {api} --force
apis show https://places.example
apis delete https://places.example --force
";

#[test]
fn every_command_says_the_same_of_a_folder_and_of_a_server() {
    let (folder, other) = (Folder::new(), Folder::new());
    let server = Server::start(&other);
    let key = folder.write("public.jwk", PUBLIC_KEY.as_bytes());
    let here = |arguments: &[&str]| folder.run(arguments);
    let there = |arguments: &[&str]| server.command(&other, arguments).output().unwrap();
    let mut of_folder = Place::new("http://localhost:4000/", &key, &here);
    let mut of_server = Place::new(text(&server.dev, "issuer"), &key, &there);
    for line in COMMANDS.lines() {
        assert_eq!(of_folder.told(line), of_server.told(line), "as text: {line}");
    }
    for line in COMMANDS.lines() {
        let line = line.replace("places", "json").replace("Editor", "Author");
        assert_eq!(of_folder.json(&line), of_server.json(&line), "as JSON: {line}");
    }
}

#[test]
fn what_was_done_and_issued_is_told_by_both() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    server.token(&server.sample(), text(&server.dev, "audience"));
    folder.ok(&["apps", "create", "By hand"]);
    let there = |arguments: &[&str]| stdout(&server.command(&folder, arguments).output().unwrap());
    there(&["apps", "create", "From afar"]);
    let list = [
        "logs",
        "list",
        "--filter",
        "type:(sapi OR seccft)",
        "--number",
        "3",
        "--json",
    ];
    let lines: Value = serde_json::from_str(&folder.ok(&list)).unwrap();
    assert_eq!(
        lines.to_string(),
        serde_json::from_str::<Value>(&there(&list)).unwrap().to_string()
    );
    let channels = |line: &Value| line["channel"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (channels(&lines[0]), channels(&lines[2])),
        ("api".into(), "command line".into())
    );
    let id = text(&lines[2], "log_id");
    assert_eq!(folder.ok(&["logs", "show", id]), there(&["logs", "show", id]));
    assert!(folder.ok(&["logs", "show", id]).contains("\"name\": \"By hand\""));
    let tail = ["logs", "tail", "-n", "5", "--filter", "type:sapi"];
    assert_eq!(folder.ok(&tail), there(&tail));
    assert_eq!(folder.ok(&tail).lines().count(), 2);
    assert_eq!(folder.ok(&["usage"]), there(&["usage"]));
    assert_eq!(
        folder.json(&["usage", "--from", "2001-01-01", "--to", "2001-02-01"]),
        json!([])
    );
    let user = folder.json(&["users", "list"])[0]["user_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(there(&["users", "blocks", "list", &user, "--json"]), "[]");
    let said = folder.run(&["users", "blocks", "list", &user]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("--server"), "{said:?}");
}

#[test]
fn new_lines_are_followed_in_both_places_and_behind_a_filter() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let follow = ["logs", "tail", "--follow", "--take", "0", "--json"];
    let filtered = [&follow[..], &["--filter", "type:sapi"]].concat();
    for mut command in [
        folder.command(&follow),
        folder.command(&filtered),
        server.command(&folder, &follow),
        server.command(&folder, &filtered),
    ] {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, lines) = mpsc::channel();
        let reader = std::thread::spawn(move || sender.send(said.next().unwrap().unwrap()));
        // Again and again, since the follower may not have begun.
        let line = patiently(|| {
            folder.ok(&["roles", "create", "R"]);
            folder.ok(&["roles", "delete", "R", "--force"]);
            lines.recv_timeout(Duration::from_millis(500)).ok()
        });
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(text(&line, "type"), "sapi", "{command:?}: {line}");
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap().unwrap();
    }
}

#[test]
fn a_server_is_asked_for_one_token_by_many_commands() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    for _ in 0..3 {
        assert!(
            server
                .command(&folder, &["apps", "list"])
                .output()
                .unwrap()
                .status
                .success()
        );
    }
    let issued = folder.json(&["logs", "list", "--filter", "type:seccft"]);
    assert_eq!(issued.as_array().unwrap().len(), 1, "{issued}");
}

#[test]
fn who_may_not_is_told_what_to_do() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let refused = |change: &dyn Fn(&mut std::process::Command)| {
        let mut command = server.command(&folder, &["apps", "list"]);
        change(&mut command);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    };
    let said = refused(&|command| {
        command.env_remove("TOKENHOUSE_CLIENT_ID");
    });
    assert!(
        said.contains("TOKENHOUSE_CLIENT_ID") && said.contains("TOKENHOUSE_TOKEN"),
        "{said}"
    );
    let said = refused(&|command| {
        command.env("TOKENHOUSE_CLIENT_SECRET", "guessed");
    });
    assert!(
        said.contains("TOKENHOUSE_CLIENT_SECRET") && !said.contains("guessed"),
        "{said}"
    );
    let said = refused(&|command| {
        command.env("TOKENHOUSE_TOKEN", "no.token.atall");
    });
    assert!(
        said.contains("does not take this token") && !said.contains("atall"),
        "{said}"
    );

    let app = folder.json(&["apps", "create", "Weak"]);
    let (id, secret) = (text(&app, "client_id"), text(&app, "client_secret"));
    let system = format!("{}api/v2/", text(&server.dev, "issuer"));
    // The folder's server says which issuer it is, so that its system API has this name here too.
    folder.ok(&[
        "grants",
        "create",
        "--app",
        id,
        "--api",
        &system,
        "--scope",
        "read:users",
    ]);
    server.token(&app, &system);
    let weak = |command: &mut std::process::Command| {
        command
            .env("TOKENHOUSE_CLIENT_ID", id)
            .env("TOKENHOUSE_CLIENT_SECRET", secret);
    };
    let said = refused(&weak);
    assert!(
        said.contains("read:clients") && said.contains("grants update"),
        "{said}"
    );
    let grant = folder.json(&["grants", "list", "--app", id])[0]["id"].clone();
    folder.ok(&[
        "grants",
        "update",
        grant.as_str().unwrap(),
        "--scopes",
        "read:users,read:clients",
    ]);
    patiently(|| {
        let mut command = server.command(&folder, &["apps", "list"]);
        weak(&mut command);
        command.output().unwrap().status.success().then_some(())
    });
    let away = refused(&|command| {
        command.args(["--ca-file", "/nowhere"]);
    });
    assert!(away.contains("/nowhere"), "{away}");
}

#[test]
fn a_server_without_tls_on_another_machine_is_refused() {
    let folder = Folder::empty();
    let arguments = ["apps", "list", "--server", "http://auth.example.com/"];
    let output = folder.plain(&arguments).env("TOKENHOUSE_TOKEN", "t").output().unwrap();
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("https://"),
        "{output:?}"
    );
    let output = folder.run(&["apps", "list", "--server", "https://auth.example.com/"]);
    assert_eq!(output.status.code(), Some(2), "a folder and a server: {output:?}");
}

const PUBLIC_KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
