//! Python environments of our own below the target folder, with pinned packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{apt, process};

/// The environment of the Python peer, and the path of its `python`.
///
/// # Errors
/// As for [`environment`].
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    println!(
        "    Python's grpcio is a second, independent gRPC implementation: the client must work with both"
    );
    environment(
        &workspace.target.join("python-peer"),
        &workspace.root.join("tests/peers/python/requirements.txt"),
        "grpc, google.protobuf",
    )
}

/// The path of a `python` whose `grpc_tools.protoc` is a protoc.
///
/// # Errors
/// As for [`environment`].
pub(crate) fn protoc(workspace: &Workspace) -> Result<PathBuf> {
    environment(
        &workspace.target.join("protoc"),
        &workspace.root.join("tests/peers/protoc/requirements.txt"),
        "grpc_tools.protoc",
    )
}

/// Makes the environment in `folder` if it is missing or not as `requirements` say, and gives the path of its `python`,
/// which can import the modules `imports`.
///
/// # Errors
/// Python is missing and may not be installed, or the packages cannot be fetched. The message holds the line to run.
pub(crate) fn environment(folder: &Path, requirements: &Path, imports: &str) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let stamp = folder.join("requirements.stamp");
    let wanted = fs::read_to_string(requirements).with_context(|| requirements.display().to_string())?;
    let is_current = fs::read_to_string(&stamp).is_ok_and(|found| found == wanted);
    if is_current && process::works(Command::new(&python).args(["-c", &format!("import {imports}")])) {
        return Ok(python);
    }
    if !process::works(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        apt::install(&["python3", "python3-venv"], "Python packages")?;
    }
    process::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder),
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
    pip.arg(requirements);
    process::run(&mut pip).with_context(|| {
        format!(
            "cannot fetch Python packages; with network access run:\n    {}",
            process::line(&pip)
        )
    })?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(python)
}
