//! Where things are in this repository, and which packages it has.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// A published package and the folder that holds it.
pub(crate) struct Published {
    /// Name on crates.io.
    pub(crate) package: &'static str,
    /// Folder below the root.
    pub(crate) folder: &'static str,
    /// Builds for bare metal; `codegen` runs on the host only.
    pub(crate) no_std: bool,
}

/// The packages that users get, in the order in which they must be published.
pub(crate) const PUBLISHED: [Published; 4] = [
    Published {
        package: "hpack-lite",
        folder: "hpack",
        no_std: true,
    },
    Published {
        package: "h2-lite",
        folder: "h2-lite",
        no_std: true,
    },
    Published {
        package: "rpc-nostd",
        folder: "rpc-nostd",
        no_std: true,
    },
    Published {
        package: "rpc-nostd-codegen",
        folder: "codegen",
        no_std: false,
    },
];

/// Paths of this checkout, and how strict the run is.
pub(crate) struct Workspace {
    /// Folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder; everything that is fetched or built goes below it.
    pub(crate) target: PathBuf,
    /// `CI` is set: a step that cannot run is a failure.
    pub(crate) ci: bool,
}

impl Workspace {
    /// Finds the checkout that this program was built from.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        let target = target_folder(&root)?;
        let ci = env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0");
        Ok(Self { root, target, ci })
    }

    /// `cargo` of the toolchain that built this program, in the root folder.
    pub(crate) fn cargo(&self) -> Command {
        cargo_in(&self.root)
    }

    /// Cargo's target folder for firmware: the harness's, so that what both need is built once.
    pub(crate) fn firmware_target(&self) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR") {
            Some(_) => self.target.join("qemu"),
            None => self.firmware().join("target"),
        }
    }

    /// The firmware workspace.
    pub(crate) fn firmware(&self) -> PathBuf {
        self.root.join("qemu")
    }
}

fn cargo_in(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Where cargo builds: environment and configuration files have a say in it, so cargo is asked.
fn target_folder(root: &Path) -> Result<PathBuf> {
    let mut command = cargo_in(root);
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value =
        serde_json::from_str(&process::output(&mut command)?).context("cargo metadata is not JSON")?;
    let folder = metadata["target_directory"].as_str();
    folder.map(PathBuf::from).context("cargo names no target folder")
}
