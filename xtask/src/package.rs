//! What users get from crates.io: the packed crates, and the oldest compiler that builds them.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::report::Skip;
use crate::workspace::{PUBLISHED, Published, Workspace};
use crate::{layers, process};

/// Packs every published package and builds it from the packed files, as a user would.
///
/// # Errors
/// A package lacks a file or a manifest entry that users need, or does not build from its packed files.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let metadata = layers::metadata(workspace, &workspace.root)?;
    for published in &PUBLISHED {
        let package = layers::package(&metadata, published.package)?;
        for entry in ["description", "license", "readme"] {
            ensure!(
                package[entry].is_string(),
                "{}/Cargo.toml lacks `{entry}`",
                published.folder
            );
        }
        let mut listing = workspace.cargo();
        listing.args(["package", "--list", "--allow-dirty", "-p", published.package]);
        let files = process::output(&mut listing)?;
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"] {
            ensure!(
                files.lines().any(|line| line == file),
                "{} is packed without {file}",
                published.package
            );
        }
    }
    forget_earlier_packages()?;
    let target = workspace.target.join("packed");
    if target.exists() {
        fs::remove_dir_all(&target).with_context(|| target.display().to_string())?;
    }
    let mut command = workspace.cargo();
    command.env("CARGO_TARGET_DIR", &target);
    // Dirty is allowed, so that one can run this before committing.
    command.args(["package", "--allow-dirty"]);
    for published in &PUBLISHED {
        command.args(["-p", published.package]);
    }
    process::run(&mut command)
}

/// Cargo unpacks crates that depend on each other from a local registry, and keeps them by name and version: packed
/// again with other content, the old ones would be built. (What it built of them is in a folder of its own.)
fn forget_earlier_packages() -> Result<()> {
    let home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().context("no home directory")?.join(".cargo"),
    };
    let Ok(registries) = fs::read_dir(home.join("registry/src")) else {
        return Ok(());
    };
    for registry in registries {
        let registry = registry?;
        // A registry that is a folder has no host before the hash.
        if !registry.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        for unpacked in fs::read_dir(registry.path())? {
            let unpacked = unpacked?;
            let name = unpacked.file_name();
            let is_ours = |published: &Published| name.to_string_lossy().starts_with(published.package);
            if PUBLISHED.iter().any(is_ours) {
                fs::remove_dir_all(unpacked.path())?;
            }
        }
    }
    Ok(())
}

/// Builds the published packages with the compiler that the manifests name as the oldest.
///
/// # Errors
/// [`Skip`] where that compiler cannot be installed; else what does not build.
pub(crate) fn check_oldest_compiler(workspace: &Workspace) -> Result<()> {
    let metadata = layers::metadata(workspace, &workspace.root)?;
    let version = oldest_compiler(&metadata)?;
    let is_installed =
        || process::works(Command::new("rustup").args(["run", &version, "cargo", "--version"]));
    if !is_installed() {
        println!("    rustup: installing Rust {version}, the oldest that we promise");
        let install = ["toolchain", "install", &version, "--profile", "minimal"];
        if process::run(Command::new("rustup").args(install)).is_err() || !is_installed() {
            let advice = format!("cannot install Rust {version}; run: rustup {}", install.join(" "));
            return Err(Skip(advice).into());
        }
    }
    for published in &PUBLISHED {
        let features = layers::features(&metadata, published.package)?;
        let features: Vec<&str> = features
            .iter()
            .map(String::as_str)
            .filter(|name| !YOUNGER_FEATURES.contains(name))
            .collect();
        let mut command = Command::new("rustup");
        command.current_dir(&workspace.root).args([
            "run",
            &version,
            "cargo",
            "check",
            "-p",
            published.package,
        ]);
        command.args(["--no-default-features", "--features", &features.join(",")]);
        command
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("RUSTC")
            .env_remove("CARGO");
        process::run(&mut command)?;
    }
    Ok(())
}

/// The one `rust-version` of all published packages, with a patch number.
fn oldest_compiler(metadata: &Value) -> Result<String> {
    let mut versions = Vec::new();
    for published in &PUBLISHED {
        let version = layers::package(metadata, published.package)?["rust_version"].as_str();
        versions.push(version.with_context(|| format!("{} states no rust-version", published.package))?);
    }
    versions.dedup();
    ensure!(
        versions.len() == 1,
        "published packages state different rust-versions: {versions:?}"
    );
    let version = versions[0];
    Ok(if version.matches('.').count() == 1 {
        format!("{version}.0")
    } else {
        version.to_owned()
    })
}

/// Features that bring a dependency which asks for a younger compiler: smoltcp, below embassy-net, for 1.91.
const YOUNGER_FEATURES: [&str; 1] = ["embassy-net"];
