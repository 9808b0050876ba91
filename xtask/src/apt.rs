//! Installs packages of a Debian system, where that is allowed; otherwise tells the line to type.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Installs `packages`, which are needed for `purpose`.
///
/// # Errors
/// There is no apt-get, this user may not install, or the installation failed twice. The message holds the line to run.
pub(crate) fn install(packages: &[&str], purpose: &str) -> Result<()> {
    let advice = format!(
        "{purpose} needs: {}. On Debian or Ubuntu run:\n    sudo apt-get update && sudo apt-get install -y {}",
        packages.join(", "),
        packages.join(" "),
    );
    if !process::works(Command::new("apt-get").arg("--version")) {
        bail!("{advice}\n(this system has no apt-get: install the same with its own package manager)");
    }
    if !is_root() {
        bail!("{advice}\n(not done here, because this user may not install packages)");
    }
    println!("    installing {} for {purpose}", packages.join(", "));
    // A stale list is no reason to give up: the install itself decides.
    let _ = process::run(Command::new("apt-get").args(["update", "-q"]));
    let attempt = || {
        let mut command = Command::new("apt-get");
        command
            .args(["install", "-y", "-q", "--no-install-recommends"])
            .args(packages);
        process::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // Images that carry a newer part of a package stop the first time on a file conflict and pass the second.
    attempt().or_else(|_| attempt()).with_context(|| advice.clone())
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
