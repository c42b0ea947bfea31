//! The seven promises, each a function that lists where it is broken.

use super::source::tokens_of;
use super::tree::{File, Tree};

const SERVER: &str = "crates/server/src";
const DOORS: [&str; 4] = ["oauth", "management", "console", "self_service"];
const ROOMS: [&str; 3] = ["issuing", "registry", "accounts"];
/// Where the client library signs its assertions (RFC 7523 §2.2).
const CLIENT_ASSERTION: &str = "crates/client/src/assertion.rs";
/// Longest file, in lines.
const MAX_LINES: usize = 400;

/// 1. `oauth`, `management`, `console`, `self_service` do not import one another.
pub(super) fn doors_are_strangers(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for door in DOORS {
        let others = |path: &[String]| {
            let inside = path.strip_prefix(&["tokenhouse".to_owned()][..]).unwrap_or(path);
            // Who imports everything from the crate's root imports every door.
            let everything = path.len() == 2 && path[0] == "tokenhouse" && path[1] == "*";
            everything
                || inside
                    .first()
                    .is_some_and(|first| first != door && DOORS.contains(&first.as_str()))
        };
        for file in tree.below(&format!("{SERVER}/{door}")) {
            broken.extend(naming(file, others));
        }
    }
    broken
}

/// 2. No file in `issuing`, `registry`, `accounts` names `axum` or `http`, nor what brings them along: a door,
///    or the hall's `web`.
pub(super) fn rooms_know_no_http(tree: &Tree) -> Vec<String> {
    let libraries = [
        "axum",
        "axum_core",
        "http",
        "http_body",
        "http_body_util",
        "hyper",
        "tower_http",
    ];
    let names_http = |path: &[String]| {
        let ours = path[0] == "tokenhouse" && (path[1] == "web" || path[1] == "*" || DOORS.contains(&path[1].as_str()));
        ours || path.iter().any(|part| libraries.contains(&part.as_str()))
    };
    let rooms = ROOMS.iter().flat_map(|room| {
        let files: Vec<_> = tree
            .files
            .iter()
            .filter(|file| file.is_below(&format!("{SERVER}/{room}")))
            .collect();
        files
    });
    rooms.flat_map(|file| naming(file, names_http)).collect()
}

/// 3. `sqlx` is named only in `crates/store`, its backends only in `db.rs` and `revision.rs`; `aws_lc_rs` only
///    in `protocol/src/crypto.rs`.
pub(super) fn heavy_dependencies_are_fenced(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_source()) {
        let in_store = file.path.starts_with("crates/store/");
        let tells_apart = ["crates/store/src/db.rs", "crates/store/src/revision.rs"].contains(&file.path.as_str());
        let words = tokens_of(&file.code);
        if !in_store && words.contains(&"sqlx") {
            broken.push(format!("{} names sqlx", file.path));
        }
        if in_store && !tells_apart {
            // `Database::Postgres` is the caller's choice, which is handed on to `db.rs`.
            broken.extend(naming(file, |path| {
                let pairs = path.windows(2);
                let mut variants = pairs.filter(|pair| ["Db", "Backend"].contains(&pair[0].as_str()));
                let drivers = |part: &String| {
                    ["sqlite", "postgres"].contains(&part.as_str())
                        || part.starts_with("Sqlite")
                        || (part.starts_with("Pg") && part != "Pg")
                };
                let of_driver = path[0] == "sqlx" && path.iter().any(drivers);
                of_driver || variants.any(|pair| ["Sqlite", "Postgres"].contains(&pair[1].as_str()))
            }));
        }
        if file.path != "crates/protocol/src/crypto.rs" {
            // What rustls calls by the same name is rustls's own.
            let is_rustls = file.paths.iter().any(|path| *path == ["rustls", "crypto", "aws_lc_rs"]);
            broken.extend(naming(file, |path| path[0] == "aws_lc_rs" && !is_rustls));
            broken.extend(
                words
                    .windows(2)
                    .find(|pair| *pair == ["use", "aws_lc_rs"])
                    .map(|_| file.path.clone()),
            );
        }
    }
    for (member, manifest) in &tree.manifests {
        for (dependency, only) in [("sqlx", "crates/store"), ("aws-lc-rs", "crates/protocol")] {
            if member != only && dependencies(manifest).contains(&dependency.to_owned()) {
                broken.push(format!("{member}/Cargo.toml names {dependency}"));
            }
        }
    }
    broken
}

/// 4. Only `registry` changes configuration, and each change bumps the tenant's revision in its transaction.
pub(super) fn only_the_registry_writes(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    let members = tree
        .files
        .iter()
        .filter(|file| file.is_source() && !file.path.starts_with("crates/store/"));
    for file in members {
        let in_registry = file.is_below(&format!("{SERVER}/registry"));
        for function in file.code.split("fn ").skip(1) {
            let name: String = function
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let place = format!("{}, {name}", file.path);
            let writes = writes(function);
            let begins = has_call(function, "begin", &[")"]);
            if !in_registry && (!writes.is_empty() || begins) {
                broken.push(format!("{place} changes configuration: {}", writes.join(", ")));
            }
            // A helper is handed the transaction that its caller began; the installation belongs to no tenant.
            let counted = function.contains("begin(tenant") || function.contains(".bump(");
            let is_handed = function.split('{').next().is_some_and(|head| head.contains("Tx<"));
            let of_no_tenant = writes == ["add_installation"];
            if in_registry && !counted && !is_handed && !of_no_tenant && (!writes.is_empty() || begins) {
                broken.push(format!("{place} does not bump the revision: {}", writes.join(", ")));
            }
        }
        if !in_registry {
            broken.extend(naming(file, |path| {
                path[0] == "tokenhouse_store" && path.last().is_some_and(|last| last == "Tx")
            }));
        }
    }
    broken
}

/// 5. `guard` and `client` depend on `protocol` and on nothing else of ours.
pub(super) fn libraries_depend_on_protocol_alone(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for library in ["guard", "client"] {
        let own = format!("tokenhouse_{library}");
        let foreign = |path: &[String]| {
            let first = path[0].as_str();
            let is_ours = first == "tokenhouse" || first.starts_with("tokenhouse_");
            is_ours && first != own && first != "tokenhouse_protocol"
        };
        let files = tree
            .files
            .iter()
            .filter(|file| file.is_below(&format!("crates/{library}/src")));
        broken.extend(files.flat_map(|file| naming(file, foreign)));
        let manifest = tree
            .manifests
            .iter()
            .find(|(member, _)| *member == format!("crates/{library}"));
        for dependency in manifest.iter().flat_map(|(_, manifest)| dependencies(manifest)) {
            if dependency.starts_with("tokenhouse") && dependency != "tokenhouse-protocol" {
                broken.push(format!("crates/{library}/Cargo.toml names {dependency}"));
            }
        }
    }
    broken
}

/// 5. `protocol`, `guard` and `client` can be published as they are, each with what a registry shows, and nothing else can.
pub(super) fn only_the_libraries_can_be_published(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for (member, manifest) in &tree.manifests {
        let package = manifest.get("package").and_then(toml::Value::as_table);
        let has = |key: &str| package.is_some_and(|package| package.contains_key(key));
        let is_library = ["crates/protocol", "crates/guard", "crates/client"].contains(&member.as_str());
        if is_library == has("publish") {
            let word = if is_library { "cannot" } else { "can" };
            broken.push(format!("{member} {word} be published"));
        }
        let shown = ["description", "license", "readme", "keywords", "categories"];
        let missing = shown.into_iter().filter(|key| is_library && !has(key));
        broken.extend(missing.map(|key| format!("{member}/Cargo.toml has no {key}")));
    }
    broken
}

/// 6. Every source file opens with `//!`; none passes 400 lines without a line in `docs/large-files.md`.
pub(super) fn files_are_short_and_introduced(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &tree.files {
        let first = file.text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") || first.trim_end().len() < "//! what it owns".len() {
            broken.push(format!("{} does not open with what it owns", file.path));
        }
        let lines = file.text.lines().count();
        let has_reason = tree
            .large_files
            .lines()
            .any(|line| line.starts_with(&format!("- `{}`: ", file.path)));
        if lines > MAX_LINES && !has_reason {
            broken.push(format!(
                "{} has {lines} lines, and no reason in docs/large-files.md",
                file.path
            ));
        }
        if lines <= MAX_LINES && has_reason {
            broken.push(format!(
                "{} is short again: docs/large-files.md need not name it",
                file.path
            ));
        }
    }
    broken
}

/// 7. Only `issuing::mint` calls the signer, and an `Authorization` is made only inside `issuing`. The client library
///    signs one thing: what an application says of itself. And `dev::forge` spoils tokens for tests (the decision
///    "faults at the door"): only the layer of faults asks it to, and only `tokenhouse dev` serves with that layer.
pub(super) fn only_mint_signs(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    let may_name = [
        ("forge", &["dev/mod.rs", "dev/faults.rs", "dev/forge.rs"][..]),
        ("with_faults", &["router.rs", "cli/dev.rs"]),
        ("Faults", &["router.rs", "cli/dev.rs", "dev/faults.rs", "dev/door.rs"]),
    ];
    for file in tree.files.iter().filter(|file| file.is_below(SERVER)) {
        let words = tokens_of(&file.code);
        for (word, files) in may_name {
            let may = files.iter().any(|name| file.path == format!("{SERVER}/{name}"));
            if !may && words.contains(&word) {
                broken.push(format!(
                    "{} names {word}, which is for `tokenhouse dev` alone",
                    file.path
                ));
            }
        }
    }
    let elsewhere = |file: &&File| file.is_source() && !file.path.starts_with("crates/protocol/");
    for file in tree.files.iter().filter(elsewhere) {
        let may_sign = ["issuing/mint.rs", "dev/forge.rs"].map(|name| format!("{SERVER}/{name}"));
        if !may_sign.contains(&file.path)
            && file.path != CLIENT_ASSERTION
            && (has_call(&file.code, "sign", &["&"]) || file.code.contains("Signer::sign"))
        {
            broken.push(format!("{} signs", file.path));
        }
        if file.is_below(&format!("{SERVER}/issuing")) {
            continue;
        }
        let words = tokens_of(&file.code);
        let made = words
            .windows(2)
            .any(|pair| pair[0] == "Authorization" && ["{", "::"].contains(&pair[1]));
        if made && file.path.starts_with(SERVER) {
            broken.push(format!("{} makes an Authorization", file.path));
        }
    }
    for file in tree.below(&format!("{SERVER}/issuing")) {
        if let Some((_, after)) = file.code.split_once("struct Authorization {") {
            let fields = after.split('}').next().unwrap_or_default();
            if tokens_of(fields)
                .windows(2)
                .any(|pair| pair[0] == "pub" && pair[1] != "(")
            {
                broken.push(format!("{}: a field of Authorization is public", file.path));
            }
        }
    }
    broken
}

/// The paths of a file that `is_wrong`.
fn naming(file: &File, is_wrong: impl Fn(&[String]) -> bool) -> Vec<String> {
    let wrong = file.paths.iter().filter(|path| is_wrong(path));
    wrong
        .map(|path| format!("{} names {}", file.path, path.join("::")))
        .collect()
}

/// The methods of a transaction that write, as far as `code` calls them.
fn writes(code: &str) -> Vec<String> {
    const VERBS: [&str; 7] = ["add_", "update_", "remove_", "set_", "expire_", "take_", "bump"];
    const NOUNS: [&str; 20] = [
        "administrator",
        "api",
        "client",
        "client_grant",
        "client_key",
        "client_secret",
        "client_secrets",
        "connection",
        "host",
        "installation",
        "key",
        "key_state",
        "permissions",
        "role",
        "role_permission",
        "tenant",
        "user",
        "user_permission",
        "user_role",
        "users",
    ];
    let calls = tokens_of(code);
    let mut found = Vec::new();
    for call in calls.windows(3).filter(|call| call[0] == "." && call[2] == "(") {
        let is_write = VERBS.iter().any(|verb| {
            call[1]
                .strip_prefix(verb)
                .is_some_and(|noun| noun.is_empty() && *verb == "bump" || NOUNS.contains(&noun))
        });
        if is_write || call[1] == "set_password" && code.contains("tx.set_password(") {
            found.push(call[1].to_owned());
        }
    }
    found
}

/// Whether `code` calls the method `name` with one of these signs, or none of them, right after its parenthesis.
fn has_call(code: &str, name: &str, first: &[&str]) -> bool {
    tokens_of(code)
        .windows(4)
        .any(|call| call[0] == "." && call[1] == name && call[2] == "(" && first.contains(&call[3]))
}

/// The dependencies that are built into a crate, by their names.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let table = |value: &toml::Value| value.as_table().map(|table| table.keys().cloned().collect::<Vec<_>>());
    let mut names = manifest.get("dependencies").and_then(table).unwrap_or_default();
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    for target in targets.iter().flat_map(|targets| targets.values()) {
        names.extend(target.get("dependencies").and_then(table).unwrap_or_default());
    }
    names
}
