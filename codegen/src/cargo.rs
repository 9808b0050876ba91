//! What a build.rs tells cargo: when to run it again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The paths whose change makes another run necessary: `inputs`, and where files of `absent` could appear.
///
/// Cargo takes a path that does not exist for changed, always. So the folder is watched in which a file is missing. A
/// folder that holds the whole package cannot be watched, because every build changes it; there the missing file is
/// named after all, and the build.rs runs each time until there is one.
pub(crate) fn watched(inputs: &[PathBuf], absent: &[PathBuf]) -> Vec<PathBuf> {
    let busy = busy_folders();
    let mut watched = inputs.to_vec();
    let mut more = BTreeSet::new();
    for path in absent {
        let folder = crate::builder::folder_of(path);
        more.insert(if holds_any(&folder, &busy) {
            path.clone()
        } else {
            folder
        });
    }
    watched.extend(more);
    watched
}

/// Where builds write.
fn busy_folders() -> Vec<PathBuf> {
    ["OUT_DIR", "CARGO_MANIFEST_DIR"]
        .into_iter()
        .filter_map(std::env::var_os)
        .filter_map(|folder| Path::new(&folder).canonicalize().ok())
        .collect()
}

fn holds_any(folder: &Path, others: &[PathBuf]) -> bool {
    // One that cannot be looked at is better not watched.
    folder.canonicalize().map_or(true, |folder| {
        others.iter().any(|other| other.starts_with(&folder))
    })
}
