//! Writes the output whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::error::{Error, Problem};

/// Puts `code` into `path` by renaming a finished file, so that no half-written one is ever seen.
pub(crate) fn write(path: &Path, code: &str) -> Result<(), Error> {
    let failed = |source| {
        Error::from(Problem::Io {
            action: "write",
            path: path.to_owned(),
            source,
        })
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(code.as_bytes()).map_err(failed)?;
    make_readable(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Temporary files are made for one user's eyes; the output is for everybody, as if created by name.
#[cfg(unix)]
fn make_readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
