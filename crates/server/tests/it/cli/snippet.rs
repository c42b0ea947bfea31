//! `tokenhouse snippet`: whose values are taken, and what is said where one is missing. That the programs work is tested
//! by executing them, in `tests/snippets`.

use super::fixture::{Folder, Server, stdout, text};

const REQUEST: [&str; 5] = ["snippet", "--language", "curl", "--request", "token-client-credentials"];

#[test]
fn a_program_has_the_values_of_the_server_that_runs_on_the_folder() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let program = folder.ok(&REQUEST);
    let sample = server.sample();
    for value in [
        text(&sample, "client_id"),
        text(&sample, "client_secret"),
        text(&server.dev, "token_url"),
    ] {
        assert!(program.contains(value), "{program}");
    }
}

#[test]
fn the_samples_values_are_never_mixed_with_anothers() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let secret = text(&server.dev["applications"]["sample"], "client_secret").to_owned();
    for others in [["--issuer", "https://elsewhere.example/"], ["--client-id", "another"]] {
        let output = folder.run(&[&REQUEST[..], &others].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{others:?}");
        assert!(said.contains("needs the application's client"), "{said}");
        assert!(output.stdout.is_empty() && !said.contains(&secret));
    }
    let given = [&REQUEST[..], &["--client-id", "another", "--client-secret-file", "-"]].concat();
    let output = folder.run_with_input(&given, b"a secret of theirs\r\n");
    let program = stdout(&output);
    assert!(
        program.contains(r#""client_secret": "a secret of theirs","#),
        "{program}"
    );
    assert!(!program.contains(&secret) && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_folder_on_which_nothing_runs_is_named() {
    let folder = Folder::empty();
    let output = folder.run(&REQUEST);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no `tokenhouse dev` runs on"), "{said}");
}

#[test]
fn a_secret_on_the_command_line_is_advised_against() {
    let folder = Folder::empty();
    let mut command = folder.plain(&REQUEST);
    command.args([
        "--issuer",
        "https://a.example",
        "--audience",
        "b",
        "--client-id",
        "c",
        "--client-secret",
        "d",
    ]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--client-secret-file"));
}
