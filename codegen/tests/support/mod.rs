//! What several test files share.
#![allow(dead_code)]

pub(crate) mod user;

use std::path::{Path, PathBuf};

/// The folders of `tests/golden`, in order.
pub(crate) fn golden_cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases = entries(&folder);
    cases.retain(|path| path.is_dir());
    assert!(!cases.is_empty());
    cases
}

/// One of them.
pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// A folder with these files, given as name and content.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

/// The corpus of `tests/codegen`, in the style of real files: of each suite the name, the `.proto` files, and the
/// include folders.
pub(crate) fn suites() -> Vec<(String, Vec<PathBuf>, Vec<PathBuf>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/codegen/proto");
    let mut suites = Vec::new();
    for suite in entries(&root.join("suites")) {
        let name = suite.file_name().unwrap().to_str().unwrap().to_owned();
        let mut protos = Vec::new();
        find_protos(&suite, &mut protos);
        suites.push((name, protos, vec![suite, root.join("third_party")]));
    }
    assert!(!suites.is_empty());
    suites
}

fn find_protos(folder: &Path, protos: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if path.is_dir() {
            find_protos(&path, protos);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            protos.push(path);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for path in entries(from) {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
