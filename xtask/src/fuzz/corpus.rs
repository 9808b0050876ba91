//! Inputs: the working corpus below the target folder, the committed one, and those that broke a promise.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// Where libFuzzer keeps what it finds.
pub(super) fn working(workspace: &Workspace, target: &str) -> PathBuf {
    workspace.target.join("fuzz/corpus").join(target)
}

/// Where libFuzzer writes an input that breaks a promise.
pub(super) fn findings(workspace: &Workspace, target: &str) -> PathBuf {
    workspace.target.join("fuzz/findings").join(target)
}

/// Fills the working corpus with what is committed, and with seeds from the corpora of others, if it is new.
pub(super) fn prepare(workspace: &Workspace, target: &str) -> Result<()> {
    let working = working(workspace, target);
    let is_new = !working.exists();
    fs::create_dir_all(&working)?;
    for folder in ["corpus", "regressions"] {
        copy_all(&committed(workspace, folder, target), &working)?;
    }
    if is_new {
        let mut command = workspace.cargo();
        command
            .args([
                "run",
                "--quiet",
                "-p",
                "rpc-nostd-fuzz-targets",
                "--example",
                "seeds",
                "--",
                target,
            ])
            .arg(&working);
        process::run(&mut command)?;
    }
    Ok(())
}

/// Copies an input to the regressions, and says how to see it again.
pub(super) fn keep_finding(workspace: &Workspace, target: &str, input: &Path) -> Result<()> {
    let folder = committed(workspace, "regressions", target);
    fs::create_dir_all(&folder)?;
    let kept = folder.join(input.file_name().context("an input without a name")?);
    fs::copy(input, &kept)?;
    println!("    found {}; it is replayed by", kept.display());
    println!(
        "    cargo run -p rpc-nostd-fuzz-targets --example replay -- {target} {}",
        kept.strip_prefix(&workspace.root).unwrap_or(&kept).display()
    );
    Ok(())
}

/// Replaces the committed corpus by the files of `kept`.
pub(super) fn commit(workspace: &Workspace, target: &str, kept: &Path) -> Result<()> {
    let folder = committed(workspace, "corpus", target);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    copy_all(kept, &folder)
}

fn committed(workspace: &Workspace, kind: &str, target: &str) -> PathBuf {
    workspace.root.join("tests/fuzz").join(kind).join(target)
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(from) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
