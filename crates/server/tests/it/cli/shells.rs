//! What a shell and a terminal get: completion, manual pages, tables that fit.

use super::fixture::{Folder, stdout};

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
