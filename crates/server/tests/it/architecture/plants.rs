//! Planted violations: what each promise must find, in every spelling that somebody may try.

use super::promises::{
    doors_are_strangers, files_are_short_and_introduced, heavy_dependencies_are_fenced,
    libraries_depend_on_protocol_alone, only_mint_signs, only_the_libraries_can_be_published, only_the_registry_writes,
    rooms_know_no_http,
};
use super::tree::Tree;

type Promise = fn(&Tree) -> Vec<String>;

#[test]
fn a_door_that_imports_another_is_found() {
    let door = "crates/server/src/oauth/token.rs";
    for code in [
        "use crate::management::clients;",
        "use crate::{app::App, console};",
        "use super::super::console::page as helper;",
        "fn f() { crate::management::access::check() }",
        "use crate::*;",
        "use super::super::{tenant, management::{self}};",
    ] {
        assert_found(doors_are_strangers, door, code);
    }
    assert_found(doors_are_strangers, "crates/server/src/console.rs", "use super::oauth;");
    assert_kept(
        doors_are_strangers,
        door,
        "use crate::oauth::error; use super::metadata; // crate::console::x\n",
    );
    assert_kept(
        doors_are_strangers,
        "crates/server/src/router.rs",
        "use crate::{oauth, management};",
    );
}

#[test]
fn a_room_that_names_http_is_found() {
    let room = "crates/server/src/registry/clients.rs";
    for code in [
        "use axum::http::StatusCode;",
        "fn f() -> http::StatusCode { todo() }",
        "use tokenhouse_guard::axum::Rejection;",
        "use crate::web::answer;",
        "fn f() { crate::oauth::error::answer() }",
        "use ::http::{self as h};",
    ] {
        assert_found(rooms_know_no_http, room, code);
    }
    assert_found(
        rooms_know_no_http,
        "crates/server/src/issuing/grants/new.rs",
        "use axum::Router;",
    );
    assert_kept(
        rooms_know_no_http,
        room,
        "const X: &str = \"http://auth0.com/oauth\"; // axum::Router\n",
    );
    assert_kept(
        rooms_know_no_http,
        "crates/server/src/web/body.rs",
        "use axum::body::Body;",
    );
}

#[test]
fn a_driver_or_a_crypto_library_outside_its_fence_is_found() {
    assert_found(
        heavy_dependencies_are_fenced,
        "crates/server/src/app.rs",
        "use sqlx::Row;",
    );
    assert_found(heavy_dependencies_are_fenced, "crates/server/src/app.rs", "use sqlx;");
    assert_found(
        heavy_dependencies_are_fenced,
        "crates/guard/src/verify.rs",
        "fn f() { ::aws_lc_rs::rand::fill() }",
    );
    assert_found(
        heavy_dependencies_are_fenced,
        "crates/protocol/src/crypto/seal.rs",
        "use aws_lc_rs::aead;",
    );
    for code in [
        "use sqlx::sqlite::SqlitePool;",
        "use sqlx::{Row, PgPool};",
        "fn f() { if let Db::Sqlite { .. } = x {} }",
    ] {
        assert_found(heavy_dependencies_are_fenced, "crates/store/src/logs.rs", code);
        assert_kept(heavy_dependencies_are_fenced, "crates/store/src/db.rs", code);
    }
    assert_kept(
        heavy_dependencies_are_fenced,
        "crates/store/src/logs.rs",
        "use sqlx::Row; fn f() { Database::Postgres }",
    );
    let mut tree = Tree::of("crates/server/src/app.rs", "");
    tree.manifests.push((
        "crates/server".into(),
        "[dependencies]\nsqlx.workspace = true".parse().unwrap(),
    ));
    assert!(!heavy_dependencies_are_fenced(&tree).is_empty());
}

#[test]
fn a_write_outside_the_registry_or_without_a_bump_is_found() {
    let management = "crates/server/src/management/clients.rs";
    for code in [
        "async fn f() { let mut tx = store.begin().await?; }",
        "async fn f(tx: &mut T) { tx.update_client(a, b).await }",
        "async fn f() { store . bump (x).await }",
        "use tokenhouse_store::Tx;",
        "async fn f(tx: &mut tokenhouse_store::Tx<'_>) {}",
    ] {
        assert_found(only_the_registry_writes, management, code);
    }
    let registry = "crates/server/src/registry/clients.rs";
    assert_found(
        only_the_registry_writes,
        registry,
        "async fn f() { let mut tx = store.begin().await?; tx.add_client(a) }",
    );
    assert_kept(
        only_the_registry_writes,
        registry,
        "async fn f() { let mut tx = begin(tenant, &c).await?; tx.add_client(a) }",
    );
    assert_kept(
        only_the_registry_writes,
        registry,
        "async fn f(tx: &mut Tx<'_>) { tx.add_key(a) }",
    );
    assert_kept(
        only_the_registry_writes,
        management,
        "fn f() { clients::update(tenant); attempts.begin(&tenant.id, a) }",
    );
}

#[test]
fn a_library_that_depends_on_more_of_ours_is_found() {
    assert_found(
        libraries_depend_on_protocol_alone,
        "crates/guard/src/lib.rs",
        "use tokenhouse_store::Store;",
    );
    assert_found(
        libraries_depend_on_protocol_alone,
        "crates/client/src/lib.rs",
        "fn f() { tokenhouse_guard::Guard::new() }",
    );
    assert_found(
        libraries_depend_on_protocol_alone,
        "crates/client/src/lib.rs",
        "use ::tokenhouse::app::App;",
    );
    assert_kept(
        libraries_depend_on_protocol_alone,
        "crates/guard/src/lib.rs",
        "use tokenhouse_protocol::time::Clock;",
    );
    let mut tree = Tree::of("crates/guard/src/lib.rs", "");
    let manifest = "[target.'cfg(unix)'.dependencies]\ntokenhouse-client.workspace = true";
    tree.manifests.push(("crates/guard".into(), manifest.parse().unwrap()));
    assert!(!libraries_depend_on_protocol_alone(&tree).is_empty());
}

#[test]
fn a_file_that_is_long_or_says_nothing_is_found() {
    let path = "crates/server/src/app.rs";
    let long = format!("//! The application as a whole.\n{}", "\n".repeat(400));
    for text in ["use std::fmt;\n", "// A comment.\n", "//!\n", "", long.as_str()] {
        let tree = Tree::of(path, text);
        assert!(!files_are_short_and_introduced(&tree).is_empty(), "{text:?}");
    }
    assert_kept(
        files_are_short_and_introduced,
        path,
        "//! The application as a whole.\n",
    );
    let mut excused = Tree::of(path, &long);
    excused.large_files = format!("- `{path}`: one table, which reads better whole.");
    assert!(files_are_short_and_introduced(&excused).is_empty());
    let mut stale = Tree::of(path, "//! The application as a whole.\n");
    stale.large_files.clone_from(&excused.large_files);
    assert!(!files_are_short_and_introduced(&stale).is_empty());
}

#[test]
fn a_second_signer_or_a_made_up_authorization_is_found() {
    let elsewhere = "crates/server/src/management/access.rs";
    for code in [
        "fn f() { signer.sign(&claims) }",
        "fn f() { Signer::sign(&signer, claims) }",
        "use crate::issuing::Authorization; fn f() { Authorization::settle(a, b, c, d) }",
        "fn f() { let a = issuing::Authorization { user: None }; }",
    ] {
        assert_found(only_mint_signs, elsewhere, code);
    }
    assert_found(
        only_mint_signs,
        "crates/server/src/issuing/exchange.rs",
        "fn f() { key.sign(&claims) }",
    );
    assert_found(
        only_mint_signs,
        "crates/server/src/issuing/authorization.rs",
        "pub struct Authorization { pub user: Option<User>, }",
    );
    for code in [
        "use crate::dev::forge;",
        "fn f() { crate::dev::forge::spoilt(tenant, token, wrong) }",
        "use crate::router::with_faults as framed;",
        "fn f(faults: crate::dev::faults::Faults) {}",
    ] {
        assert_found(only_mint_signs, "crates/server/src/cli/serve.rs", code);
        assert_found(only_mint_signs, "crates/server/src/oauth/token.rs", code);
    }
    assert_found(
        only_mint_signs,
        "crates/server/src/dev/faults.rs",
        "fn f() { signer.sign(&claims) }",
    );
    for signs in ["crates/server/src/issuing/mint.rs", "crates/server/src/dev/forge.rs"] {
        assert_kept(only_mint_signs, signs, "fn f() { signer.sign(&claims) }");
    }
    assert_kept(
        only_mint_signs,
        "crates/server/src/cli/dev.rs",
        "use crate::dev::faults::Faults; use crate::router::with_faults;",
    );
    assert_kept(
        only_mint_signs,
        elsewhere,
        "fn f(headers: Authorization<Bearer>) { header::AUTHORIZATION }",
    );
}

#[test]
fn a_crate_that_should_not_be_published_is_found() {
    for (member, manifest) in [
        ("crates/store", "package.name = 'a'"),
        ("crates/guard", "package.publish = false"),
        ("crates/client", "package.name = 'a'"),
    ] {
        let mut tree = Tree::of("crates/store/src/lib.rs", "");
        tree.manifests.push((member.to_owned(), manifest.parse().unwrap()));
        assert!(!only_the_libraries_can_be_published(&tree).is_empty(), "{member}");
    }
}

fn assert_found(promise: Promise, path: &str, code: &str) {
    assert!(!promise(&Tree::of(path, code)).is_empty(), "not found: {code}");
}

fn assert_kept(promise: Promise, path: &str, code: &str) {
    let broken = promise(&Tree::of(path, code));
    assert!(broken.is_empty(), "{code}: {broken:?}");
}
