//! What a shell and a terminal get: completion, manual pages, tables that fit; and the page that says so.

use super::fixture::{Folder, stdout};

#[test]
fn the_examples_of_the_page_run() {
    let page = include_str!("../../../../../docs/command-line.md");
    let folder = Folder::new();
    let mut client = String::new();
    let mut run = 0;
    for line in page.lines().filter(|line| line.starts_with("tokenhouse ")) {
        if ["--server", ">", "tokenhouse man"]
            .iter()
            .any(|elsewhere| line.contains(elsewhere))
        {
            continue;
        }
        let line = line.replace("CLIENT_ID", &client);
        // Every second piece between quotes is one word.
        let pieces = line.split('\'').enumerate().flat_map(|(place, piece)| match place % 2 {
            1 => vec![piece],
            _ => piece.split_whitespace().collect(),
        });
        let words: Vec<&str> = pieces.skip(1).collect();
        let said = folder.ok(&words);
        let id = said.lines().find_map(|line| line.strip_prefix("Client ID"));
        client = id.map_or(client, |id| id.trim().to_owned());
        run += 1;
    }
    assert!(run >= 8, "{run}");
}

#[test]
fn each_shell_gets_a_script_that_knows_the_commands() {
    let folder = Folder::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = folder.plain(&["completion", shell]).output().unwrap();
        let script = stdout(&output);
        assert!(output.status.success() && script.contains("rotate-secret"), "{shell}");
    }
    let script = folder.write(
        "completion.bash",
        &folder.plain(&["completion", "bash"]).output().unwrap().stdout,
    );
    let checked = std::process::Command::new("bash").args(["-n", &script]).status();
    assert!(checked.unwrap().success());
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::empty();
    let pages = folder.path().join("man");
    let output = folder.plain(&["man", &pages.display().to_string()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for name in [
        "tokenhouse",
        "tokenhouse-apps",
        "tokenhouse-apps-create",
        "tokenhouse-users-roles-assign",
    ] {
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
}

#[test]
fn a_table_is_as_wide_as_the_terminal_and_json_has_all() {
    let folder = Folder::new();
    let name = "An application with a name that goes on and on beyond what anybody would like to read";
    folder.ok(&["apps", "create", name]);
    let narrow = folder.command(&["apps", "list"]).env("COLUMNS", "72").output().unwrap();
    let narrow = stdout(&narrow);
    assert!(narrow.lines().all(|line| line.chars().count() <= 72), "{narrow}");
    assert!(
        narrow.contains("An appl") && narrow.contains('…') && !narrow.contains(name),
        "{narrow}"
    );
    assert!(
        folder.ok(&["apps", "list"]).contains(name),
        "nothing is cut where nobody sees it"
    );
    let json = folder
        .command(&["apps", "list", "--json"])
        .env("COLUMNS", "72")
        .output()
        .unwrap();
    assert!(stdout(&json).contains(name));
}
