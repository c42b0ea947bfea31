//! The promises of DESIGN §3, read off every `use` and every fully qualified path of the sources. Each has
//! a planted violation that it must find, since a check that never fails checks nothing.

mod plants;
mod promises;
mod source;
mod tree;
mod words;

use tree::Tree;

#[test]
fn doors_do_not_import_one_another() {
    holds(promises::doors_are_strangers);
}

#[test]
fn no_room_names_axum_or_http() {
    holds(promises::rooms_know_no_http);
}

#[test]
fn the_database_driver_and_the_crypto_library_stay_behind_their_fences() {
    holds(promises::heavy_dependencies_are_fenced);
}

#[test]
fn only_the_registry_changes_configuration_and_counts_each_change() {
    holds(promises::only_the_registry_writes);
}

#[test]
fn guard_and_client_depend_on_protocol_alone() {
    holds(promises::libraries_depend_on_protocol_alone);
}

#[test]
fn the_libraries_can_be_published_and_nothing_else() {
    holds(promises::only_the_libraries_can_be_published);
}

#[test]
fn every_file_says_what_it_owns_and_is_short() {
    holds(promises::files_are_short_and_introduced);
}

#[test]
fn only_mint_signs_and_only_issuing_authorizes() {
    holds(promises::only_mint_signs);
}

fn holds(promise: fn(&Tree) -> Vec<String>) {
    let broken = promise(&Tree::read());
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}
