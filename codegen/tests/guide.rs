//! The files on the guide's page about capacities: what it shows generates, and the errors are as it shows them.
//!
//! A block that begins "```proto case=folder/name" is the file `name` in the case `folder`. Cases but the first one take from it
//! what they do not have.

use std::collections::BTreeMap;
use std::path::Path;

use rpc_nostd_codegen::Builder;

#[test]
fn each_case_generates() {
    let cases = cases();
    assert!(cases.len() >= 4, "{:?}", cases.keys());
    for (name, files) in &cases {
        let folder = folder_with(files);
        let proto = folder.path().join(PROTO);
        // What borrows is only sent, as its page says.
        let builder = Builder::new().server(name != "holding");
        let generated = builder.generate(&[proto], &[folder.path()]);
        if let Err(error) = generated {
            panic!("case `{name}`: {error}");
        }
    }
}

#[test]
fn what_is_missing_is_told_as_shown() {
    let mut files = cases().remove("").unwrap();
    files.remove("log.toml");
    let shown = files.remove("error").unwrap();
    let folder = folder_with(&files);
    let proto = folder.path().join(PROTO);
    let error = Builder::new()
        .generate(&[proto], &[folder.path()])
        .unwrap_err()
        .to_string();
    let here = format!("{}/", folder.path().display());
    let error = error.replace(&here, "");
    assert!(error.starts_with(&shown), "{error}");
    // One for each line of the page's capacity file.
    assert_eq!(error.matches("no capacity for").count(), 8, "{error}");
}

fn folder_with(files: &BTreeMap<String, String>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Files by name, by case.
fn cases() -> BTreeMap<String, BTreeMap<String, String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/capacities.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut cases: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for block in page.split("\n```").filter(|block| block.contains(" case=")) {
        let (info, text) = block.split_once('\n').unwrap();
        let path = info.split_once(" case=").unwrap().1;
        let (case, name) = path.split_once('/').unwrap_or(("", path));
        let files = cases.entry(case.to_owned()).or_default();
        files.insert(name.to_owned(), text.to_owned());
    }
    let first = cases[""].clone();
    for files in cases.values_mut() {
        // A capacity file of another case does not fit its `.proto`.
        let own = files.contains_key(PROTO);
        for (name, text) in first.iter().filter(|_| !own) {
            files.entry(name.clone()).or_insert_with(|| text.clone());
        }
    }
    cases
}

const PROTO: &str = "log.proto";
