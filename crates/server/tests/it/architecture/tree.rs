//! The sources as the promises read them: every file of the workspace, stripped and taken apart.

use std::path::{Path, PathBuf};

use super::source::{code_of, paths_of};

/// The files of the workspace.
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    /// The manifests, by their crate's folder.
    pub(super) manifests: Vec<(String, toml::Table)>,
    /// `docs/large-files.md`.
    pub(super) large_files: String,
}

/// A Rust file.
pub(super) struct File {
    /// Its path from the workspace's root, such as `crates/server/src/app.rs`.
    pub(super) path: String,
    /// As it was written.
    pub(super) text: String,
    /// Without comments, texts and characters.
    pub(super) code: String,
    /// Every path in it, imported or qualified, from its crate's root on: `["tokenhouse", "oauth", "token"]`.
    pub(super) paths: Vec<Vec<String>>,
}

impl Tree {
    /// The workspace that this test belongs to.
    pub(super) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut tree = Self {
            files: Vec::new(),
            manifests: Vec::new(),
            large_files: String::new(),
        };
        for folder in ["crates", "examples"] {
            for member in entries(&root.join(folder)) {
                let Ok(manifest) = std::fs::read_to_string(member.join("Cargo.toml")) else {
                    continue;
                };
                tree.manifests
                    .push((name_of(&root, &member), manifest.parse().unwrap()));
                rust_files(&member, &mut |path| {
                    tree.add(&name_of(&root, path), std::fs::read_to_string(path).unwrap());
                });
            }
        }
        tree.large_files = std::fs::read_to_string(root.join("docs/large-files.md")).unwrap();
        assert!(
            tree.files.len() > 100 && tree.manifests.len() >= 5,
            "the sources were not found"
        );
        tree
    }

    /// A tree of this one file, as if it were at `path`.
    pub(super) fn of(path: &str, text: &str) -> Self {
        let mut tree = Self {
            files: Vec::new(),
            manifests: Vec::new(),
            large_files: String::new(),
        };
        tree.add(path, text.to_owned());
        tree
    }

    /// The files below a folder, that of the folder's own name among them: `issuing.rs` is below `issuing`.
    pub(super) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.is_below(folder))
    }

    fn add(&mut self, path: &str, text: String) {
        let code = code_of(&text);
        let paths = paths_of(&code, &module_of(path));
        self.files.push(File {
            path: path.to_owned(),
            text,
            code,
            paths,
        });
    }
}

impl File {
    pub(super) fn is_below(&self, folder: &str) -> bool {
        let rest = self.path.strip_prefix(folder);
        rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    }

    /// Whether it is part of a crate, not of its tests.
    pub(super) fn is_source(&self) -> bool {
        self.path.starts_with("crates/") && self.path.split('/').nth(2) == Some("src")
    }
}

/// The module of a file, its crate first: `crates/server/src/oauth/token.rs` is `tokenhouse::oauth::token`.
fn module_of(path: &str) -> Vec<String> {
    let parts: Vec<_> = path.split('/').collect();
    let [_, member, _, inside @ ..] = &parts[..] else {
        return vec!["crate".into()];
    };
    let of_crate = if *member == "server" {
        "tokenhouse".to_owned()
    } else {
        format!("tokenhouse_{member}")
    };
    let modules = inside.iter().map(|part| part.trim_end_matches(".rs"));
    let modules = modules
        .filter(|part| !["lib", "main", "mod"].contains(part))
        .map(str::to_owned);
    [of_crate].into_iter().chain(modules).collect()
}

fn rust_files(folder: &Path, found: &mut impl FnMut(&Path)) {
    for entry in entries(folder) {
        if entry.is_dir() {
            if entry.file_name().is_some_and(|name| name != "target") {
                rust_files(&entry, found);
            }
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found(&entry);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

fn name_of(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/")
}
