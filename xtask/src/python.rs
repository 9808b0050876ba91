//! The Python peer: an environment of its own below the target folder, with the pinned packages.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{apt, process};

/// Makes the environment if it is missing or out of date, and gives the path of its `python`.
///
/// # Errors
/// Python is missing and may not be installed, or the packages cannot be fetched. The message holds the line to run.
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let environment = workspace.target.join("python-peer");
    let python = environment.join("bin/python");
    let stamp = environment.join("requirements.stamp");
    let requirements = workspace.root.join("tests/peers/python/requirements.txt");
    let wanted = fs::read_to_string(&requirements).with_context(|| requirements.display().to_string())?;
    let is_current = fs::read_to_string(&stamp).is_ok_and(|found| found == wanted);
    if is_current && process::works(Command::new(&python).args(["-c", "import grpc, google.protobuf"])) {
        return Ok(python);
    }
    println!(
        "    Python's grpcio is a second, independent gRPC implementation: the client must work with both"
    );
    if !process::works(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        apt::install(&["python3", "python3-venv"], "the Python peer")?;
    }
    process::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    )?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        "-r",
    ]);
    pip.arg(&requirements);
    process::run(&mut pip).with_context(|| {
        format!(
            "cannot fetch the peer's packages; with network access run:\n    {}",
            process::line(&pip)
        )
    })?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(python)
}
