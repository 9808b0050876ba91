//! What the wire tests share: the corpora that others wrote.
//!
//! They lie in `../shared/data` beside the workspace, or where `RPC_NOSTD_DATA` says. Without them the tests that
//! need them say so and pass (`cargo xtask test` then counts a skip); where `CI` is set they fail.
#![forbid(unsafe_code)]

use std::io::Read;
use std::path::{Path, PathBuf};

/// A file of an archive: path and content.
pub type File = (String, Vec<u8>);

/// The files of an archive in `.tar.xz` format, by path, in order. `None`: the archive is not there, and that is
/// allowed here.
///
/// # Panics
/// On CI if the archive is missing; anywhere if it is broken.
#[must_use]
pub fn archive(name: &str) -> Option<Vec<File>> {
    let path = folder().join(name);
    let Ok(packed) = std::fs::read(&path) else {
        let required = std::env::var("CI").is_ok_and(|ci| !matches!(ci.as_str(), "" | "0" | "false"));
        assert!(
            !required,
            "{} is missing, and this is CI: set RPC_NOSTD_DATA",
            path.display()
        );
        eprintln!(
            "SKIPPED: {} is missing; set RPC_NOSTD_DATA to the folder that holds it",
            path.display()
        );
        return None;
    };
    let files = unpack(&packed).unwrap_or_else(|error| panic!("{} is broken: {error}", path.display()));
    assert!(!files.is_empty(), "{} is empty", path.display());
    Some(files)
}

/// At run time, because one build may serve several checkouts.
fn folder() -> PathBuf {
    let beside = || {
        let here =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&here).join("../../../shared/data")
    };
    std::env::var_os("RPC_NOSTD_DATA").map_or_else(beside, PathBuf::from)
}

fn unpack(mut packed: &[u8]) -> Result<Vec<File>, Box<dyn std::error::Error>> {
    let mut octets = Vec::new();
    lzma_rs::xz_decompress(&mut packed, &mut octets)?;
    let mut files = Vec::new();
    for entry in tar::Archive::new(octets.as_slice()).entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.push((entry.path()?.display().to_string(), content));
        }
    }
    files.sort();
    Ok(files)
}
