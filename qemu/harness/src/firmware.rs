//! Builds a firmware image with cargo.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Machine};

/// One program of the firmware workspace for one machine.
#[derive(Debug, Clone)]
pub struct Firmware {
    machine: Machine,
    bin: String,
    cargo: OsString,
    cargo_args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Firmware {
    /// The program `bin` (a file in `machines/<machine>/src/bin`).
    #[must_use]
    pub fn new(machine: Machine, bin: impl Into<String>) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self {
            machine,
            bin: bin.into(),
            cargo,
            cargo_args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Another cargo than the one that runs now, with arguments to append to `cargo build`: for toolchains that have
    /// to build `core` themselves (`/usr/bin/cargo`, `-Zbuild-std=core`, environment `RUSTC_BOOTSTRAP=1`).
    #[must_use]
    pub fn cargo<I: IntoIterator<Item: Into<OsString>>>(
        mut self,
        cargo: impl Into<OsString>,
        args: I,
    ) -> Self {
        self.cargo = cargo.into();
        self.cargo_args = args.into_iter().map(Into::into).collect();
        self
    }

    /// An environment variable for that cargo.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Builds in release mode and returns the path of the ELF file. Cargo's own output goes to stderr.
    ///
    /// # Errors
    /// The text names the command that failed.
    pub fn build(&self) -> Result<PathBuf, Error> {
        let mut command = self.command();
        let shown = format!(
            "cargo build --release -p {} --target {}",
            self.machine,
            self.machine.target()
        );
        let status = command
            .status()
            .map_err(Error::at(format!("cannot run {:?}", self.cargo)))?;
        if !status.success() {
            let place = workspace().display().to_string();
            return Err(Error::new(format!(
                "firmware does not build: `{shown}` in {place} ended with {status}"
            )));
        }
        let elf = target_dir()
            .join(self.machine.target())
            .join("release")
            .join(&self.bin);
        if elf.is_file() {
            Ok(elf)
        } else {
            Err(Error::new(format!("cargo built no {}", elf.display())))
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        // In that directory, so that its .cargo/config.toml (log level) counts.
        command.current_dir(workspace());
        command.args([
            "build",
            "--release",
            "-p",
            self.machine.name(),
            "--bin",
            &self.bin,
        ]);
        command
            .args(["--target", self.machine.target(), "--target-dir"])
            .arg(target_dir());
        command.args(&self.cargo_args).envs(self.env.iter().cloned());
        // What cargo sets for the program that runs now is not meant for the firmware's packages.
        command.env_remove("CARGO_ENCODED_RUSTFLAGS");
        command
    }
}

/// The firmware workspace.
fn workspace() -> &'static Path {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().unwrap_or(harness)
}

fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => std::path::absolute(&dir)
            .unwrap_or_else(|_| dir.into())
            .join("qemu"),
        None => workspace().join("target"),
    }
}
