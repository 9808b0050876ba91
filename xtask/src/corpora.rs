//! The corpora that others wrote, which the wire tests read: without them these tests pass and prove nothing.

use std::env;
use std::path::PathBuf;

use anyhow::Result;

use crate::report::Skip;
use crate::workspace::Workspace;

/// Looks for all of them where the tests will.
///
/// # Errors
/// [`Skip`] names what is missing.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let folder = match env::var_os("RPC_NOSTD_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => workspace.root.join("../shared/data"),
    };
    let missing: Vec<&str> = ARCHIVES
        .into_iter()
        .filter(|name| !folder.join(name).is_file())
        .collect();
    if !missing.is_empty() {
        let text = format!(
            "{} lacks {}, so the tests that read them pass unproven; put them there, or set RPC_NOSTD_DATA to the folder that \
             has them (CONTRIBUTING.md says what they are)",
            folder.display(),
            missing.join(", ")
        );
        return Err(Skip(text).into());
    }
    println!("    {}: {}", folder.display(), ARCHIVES.join(", "));
    Ok(())
}

/// What `tests/wire` opens.
const ARCHIVES: [&str; 3] = [
    "hpack-test-case.tar.xz",
    "http2-frame-test-case.tar.xz",
    "nghttp2-h2spec-corpus.tar.xz",
];
