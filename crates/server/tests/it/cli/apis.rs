//! `tokenhouse apis update` as people type it.

use serde_json::json;

use super::fixture::Folder;

const API: &str = "https://reports.example.com";

#[test]
fn an_api_is_changed_in_what_is_named_and_in_nothing_else() {
    let folder = Folder::new();
    let before = folder.json(&["apis", "create", API, "--scope", "read:a=Read", "--scope", "write:a"]);
    let named = folder.json(&["apis", "update", API, "--name", "Reports", "--token-lifetime", "600"]);
    assert_eq!(
        (&named["name"], &named["token_lifetime"]),
        (&json!("Reports"), &json!(600))
    );
    assert_eq!(
        (&named["scopes"], &named["id"], &named["signing_alg"]),
        (&before["scopes"], &before["id"], &before["signing_alg"])
    );
    let scopes = [
        "--add-scope",
        "delete:a=Delete",
        "--add-scope",
        "read:a=Read it",
        "--remove-scope",
        "write:a",
    ];
    let after = folder.json(&[&["apis", "update", API], &scopes[..]].concat());
    let listed = json!([
        { "value": "read:a", "description": "Read it" },
        { "value": "delete:a", "description": "Delete" },
    ]);
    assert_eq!((&after["scopes"], &after["name"]), (&listed, &named["name"]));
    let rbac = |flag: &str| folder.json(&["apis", "update", API, flag])["enforce_policies"].clone();
    assert_eq!((rbac("--rbac"), rbac("--no-rbac")), (json!(true), json!(false)));
    let dialect = folder.json(&["apis", "update", API, "--dialect", "rfc9068_profile"]);
    assert_eq!(dialect["token_dialect"], "rfc9068_profile");
    assert_eq!(folder.json(&["apis", "show", API]), dialect);
}

#[test]
fn a_change_that_cannot_be_is_refused_whole() {
    let folder = Folder::new();
    let before = folder.json(&["apis", "create", API, "--scope", "read:a"]);
    for (wrong, says) in [
        (&[][..], "nothing is to be changed"),
        (&["--name", "New", "--remove-scope", "write:a"], "no scope write:a"),
        (&["--name", "New", "--token-lifetime", "2592001"], "lifetime"),
        (&["--name", "New", "--add-scope", "with space"], "scope"),
        (&["--rbac", "--no-rbac"], "cannot be used with"),
    ] {
        let refused = folder.run(&[&["apis", "update", API], wrong].concat());
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && told.contains(says), "{wrong:?}: {told}");
    }
    assert_eq!(folder.json(&["apis", "show", API]), before);
    let unknown = folder.run(&["apis", "update", "https://nowhere.example.com", "--name", "New"]);
    assert!(!unknown.status.success());
}
