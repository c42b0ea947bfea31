//! `tokenhouse token`: whoever asks twice is issued one token, and what is kept says nothing to others.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};

use super::fixture::{Folder, Server, stdout, text};

const AUDIENCE: &str = "https://api.example.com";

/// `tokenhouse token` with a home of its own.
fn token(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = folder.command(&[&["token"], arguments].concat());
    command
        .env("XDG_CACHE_HOME", home(folder))
        .env_remove("TOKENHOUSE_CLIENT_SECRET");
    command
}

fn home(folder: &Folder) -> PathBuf {
    folder.path().join("home")
}

fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    stdout(output)
}

fn issued(folder: &Folder) -> u64 {
    let usage = folder.json(&["usage"]);
    usage
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["tokens"].as_u64().unwrap())
        .sum()
}

/// Every file below a folder.
fn files(below: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[test]
fn several_at_once_and_one_after_the_other_are_issued_one_token() {
    let folder = Folder::new();
    let _server = Server::start(&folder);
    let at_once: Vec<_> = (0..6).map(|_| token(&folder, &[]).spawn().unwrap()).collect();
    let mut tokens: Vec<_> = at_once
        .into_iter()
        .map(|child| ok(&child.wait_with_output().unwrap()))
        .collect();
    tokens.push(ok(&token(&folder, &["--audience", AUDIENCE]).output().unwrap()));
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(issued(&folder), 1);
    let verified = folder.run(&["verify", &tokens[0], "--scope", "read:messages"]);
    assert!(verified.status.success(), "{verified:?}");

    let kept = files(&home(&folder));
    assert_eq!(kept.len(), 2, "a token and a key: {kept:?}");
    for file in kept {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        let content = std::fs::read_to_string(&file).unwrap();
        assert!(!content.is_empty() && !content.contains(&tokens[0]), "{file:?}");
    }
}

#[test]
fn what_is_another_token_is_not_taken_for_one_that_is_kept() {
    let folder = Folder::new();
    let _server = Server::start(&folder);
    let first = ok(&token(&folder, &[]).output().unwrap());
    let both = ["--scope", "write:messages", "--scope", "read:messages"];
    let scoped = ok(&token(&folder, &both).output().unwrap());
    let other_order = ["--scope", "read:messages write:messages"];
    assert_eq!(ok(&token(&folder, &other_order).output().unwrap()), scoped);
    assert_eq!(issued(&folder), 2);
    ok(&token(&folder, &["--app", "reader"]).output().unwrap());
    assert_eq!(issued(&folder), 3);
    ok(&token(&folder, &["--no-cache"]).output().unwrap());
    ok(&token(&folder, &["--no-cache"]).output().unwrap());
    assert_eq!(issued(&folder), 5);
    assert_eq!(ok(&token(&folder, &[]).output().unwrap()), first);

    let answer: Value = serde_json::from_str(&ok(&token(&folder, &["--json"]).output().unwrap())).unwrap();
    assert_eq!(
        (text(&answer, "access_token"), text(&answer, "token_type")),
        (first.as_str(), "Bearer")
    );
    assert_eq!(text(&answer, "scope"), "read:messages write:messages");
    assert!(
        (86_000..=86_400).contains(&answer["expires_in"].as_u64().unwrap()),
        "{answer}"
    );
}

#[test]
fn a_renewed_token_takes_the_place_of_the_one_that_is_kept() {
    let folder = Folder::new();
    let _server = Server::start(&folder);
    let first = ok(&token(&folder, &[]).output().unwrap());
    // Its key is gone, and it with it: what is kept cannot know.
    let rotated = folder.run(&["keys", "rotate", "--now"]);
    assert!(rotated.status.success(), "{rotated:?}");
    assert_eq!(ok(&token(&folder, &[]).output().unwrap()), first);
    // The server sees the rotation within a quarter of a second; until then, in one second, it signs the same token.
    let mut tokens = vec![first];
    while tokens.len() < 50 && (tokens.len() < 2 || tokens[0] == tokens[tokens.len() - 1]) {
        tokens.push(ok(&token(&folder, &["--renew"]).output().unwrap()));
    }
    let renewed = &tokens[tokens.len() - 1];
    assert_ne!(*renewed, tokens[0]);
    assert_eq!(ok(&token(&folder, &[]).output().unwrap()), *renewed);
    assert_eq!(usize::try_from(issued(&folder)).unwrap(), tokens.len());
    let both = token(&folder, &["--renew", "--no-cache"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2), "{both:?}");
}

#[test]
fn who_does_not_have_the_secret_does_not_get_the_token_that_is_kept() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let (id, secret) = (
        text(&server.sample(), "client_id").to_owned(),
        text(&server.sample(), "client_secret").to_owned(),
    );
    let own = ["--client-id", &id];
    let by_variable = ok(&token(&folder, &own)
        .env("TOKENHOUSE_CLIENT_SECRET", &secret)
        .output()
        .unwrap());
    let file = folder.write("secret.txt", format!("{secret}\n").as_bytes());
    let by_file = ok(&token(&folder, &[&own[..], &["--client-secret-file", &file]].concat())
        .output()
        .unwrap());
    assert_eq!((by_file == by_variable, issued(&folder)), (true, 1));

    let wrong = token(&folder, &own)
        .env("TOKENHOUSE_CLIENT_SECRET", "wrong-and-long")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("refuses") && !said.contains("wrong-and-long"), "{said}");
    let none = token(&folder, &own).stdin(Stdio::null()).output().unwrap();
    assert!(
        String::from_utf8_lossy(&none.stderr).contains("TOKENHOUSE_CLIENT_SECRET"),
        "{none:?}"
    );
}

#[test]
fn what_cannot_be_kept_safely_is_not_kept_and_the_token_is_there_all_the_same() {
    let folder = Folder::new();
    let _server = Server::start(&folder);
    ok(&token(&folder, &[]).output().unwrap());
    let kept = files(&home(&folder).join("tokenhouse/tokens"));
    std::fs::write(&kept[0], "v1.00000000.AAAA").unwrap();
    for _ in 0..2 {
        assert!(!ok(&token(&folder, &[]).output().unwrap()).is_empty());
        assert_eq!(issued(&folder), 2, "what is damaged is as good as nothing, once");
    }

    let key = home(&folder).join("tokenhouse/token.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = token(&folder, &[]).output().unwrap();
    assert!(!ok(&open).is_empty());
    let said = String::from_utf8_lossy(&open.stderr).into_owned();
    assert!(said.contains("others may read") && said.contains("delete it"), "{said}");
}

#[test]
fn an_application_proves_itself_by_its_private_key() {
    let folder = Folder::new();
    let _server = Server::start(&folder);
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm, RsaBits::Bits2048);
        let pem = |label: &str, der: &[u8]| {
            format!(
                "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
                STANDARD.encode(der)
            )
        };
        let public = folder.write("public.pem", pem("PUBLIC KEY", &key.public_spki().unwrap()).as_bytes());
        let private = folder.write("private.pem", pem("PRIVATE KEY", &key.pkcs8()).as_bytes());
        let app = folder.json(&["apps", "create", algorithm.as_str(), "--key", &public]);
        let id = text(&app, "client_id");
        folder.ok(&[
            "grants",
            "create",
            "--app",
            id,
            "--api",
            AUDIENCE,
            "--scope",
            "read:messages",
        ]);
        let arguments = ["--client-id", id, "--private-key", &private];
        let got = ok(&token(&folder, &arguments).output().unwrap());
        assert!(
            folder
                .run(&["verify", &got, "--scope", "read:messages"])
                .status
                .success(),
            "{algorithm}"
        );
    }
}
