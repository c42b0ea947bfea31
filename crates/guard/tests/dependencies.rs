//! The guard stays small in other people's programs: how many crates it brings, by its features, and which it must not.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use std::collections::BTreeSet;
use std::process::Command;

/// Every crate that is compiled into a program by the guard with these features, itself and procedural macros among them.
fn tree(features: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args([
        "tree",
        "--locked",
        "--offline",
        "--package",
        "tokenhouse-guard",
        "--no-default-features",
    ]);
    cargo.args([
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--features",
        features,
    ]);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn without_features_it_is_at_most_35_crates_and_with_fetch_at_most_100() {
    for (features, most) in [("", 35), ("fetch", 100)] {
        let crates = tree(features);
        assert!(
            crates.iter().any(|name| name.starts_with("tokenhouse-protocol ")),
            "{crates:#?}"
        );
        assert!(
            crates.len() <= most,
            "{} crates with {features:?}: {crates:#?}",
            crates.len()
        );
    }
}

#[test]
fn no_openssl_is_in_it() {
    let crates = tree("fetch,axum,metrics");
    let unwanted = |name: &&String| {
        let name = name.split(' ').next().unwrap_or_default();
        ["openssl", "openssl-sys", "native-tls", "boring", "ring"].contains(&name)
    };
    assert_eq!(
        crates.iter().filter(unwanted).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}
