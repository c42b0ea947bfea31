//! The commit that `tokenhouse --version` names: `TOKENHOUSE_COMMIT` if the builder says one, else the checkout's,
//! read from its files so that git itself is not needed, else "unknown".

use std::fs;
use std::path::Path;

/// Characters of a commit that are shown.
const SHOWN_CHARS: usize = 9;

fn main() {
    let git = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.git");
    // A file that is missing would run this again with every build.
    for watched in ["HEAD", "refs/heads", "packed-refs"].map(|name| git.join(name)) {
        if watched.exists() {
            println!("cargo:rerun-if-changed={}", watched.display());
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=TOKENHOUSE_COMMIT");
    #[expect(
        clippy::disallowed_methods,
        reason = "this runs at build time: there is no configuration yet"
    )]
    let told = std::env::var("TOKENHOUSE_COMMIT").ok();
    let commit = told
        .filter(|told| is_commit(told))
        .or_else(|| commit_of(&git))
        .unwrap_or_else(|| "unknown".into());
    println!(
        "cargo:rustc-env=TOKENHOUSE_COMMIT={}",
        commit.get(..SHOWN_CHARS).unwrap_or(&commit)
    );
}

/// The commit that a checkout is at.
fn commit_of(git: &Path) -> Option<String> {
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(branch) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned());
    };
    let loose = fs::read_to_string(git.join(branch))
        .ok()
        .map(|commit| commit.trim().to_owned());
    let packed = || {
        let packed = fs::read_to_string(git.join("packed-refs")).ok()?;
        let line = packed.lines().find(|line| line.split(' ').nth(1) == Some(branch))?;
        line.split(' ').next().map(str::to_owned)
    };
    loose.or_else(packed).filter(|commit| is_commit(commit))
}

fn is_commit(text: &str) -> bool {
    text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit())
}
