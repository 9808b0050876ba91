//! Builds the firmware of the emulated machines.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::toolchain::BareMetal;
use crate::workspace::Workspace;
use crate::{layers, process, qemu};

/// One linked program for one machine.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Machine, such as `lm3s6965evb`.
    pub(crate) machine: &'static str,
    /// Name of the program, such as `telemetry`.
    pub(crate) name: String,
    /// The ELF file.
    pub(crate) elf: PathBuf,
}

impl Program {
    /// For people: program and machine.
    pub(crate) fn title(&self) -> String {
        format!("{} on {}", self.name, self.machine)
    }

    /// Where its golden sizes are.
    pub(crate) fn golden_sizes(&self, workspace: &Workspace) -> PathBuf {
        let folder = workspace.firmware().join("machines").join(self.machine);
        folder.join("src/bin").join(format!("{}.size", self.name))
    }
}

/// Builds every program of `machine` in release form: a debug build does not fit the small machine.
///
/// # Errors
/// There is no compiler for it, or it does not build.
pub(crate) fn build(workspace: &Workspace, machine: &'static str) -> Result<Vec<Program>> {
    let bare_metal = BareMetal::ensure(workspace)?;
    let mut command = cargo(workspace, &bare_metal, "build", machine);
    process::run(command.args(["--release", "--bins"]))?;
    let folder = target_folder(workspace)
        .join(qemu::target_of(machine))
        .join("release");
    let programs = names(workspace, machine)?.into_iter();
    let programs: Vec<Program> = programs
        .map(|name| Program {
            machine,
            elf: folder.join(&name),
            name,
        })
        .collect();
    ensure!(!programs.is_empty(), "no programs for {machine}");
    Ok(programs)
}

/// Lints every program of `machine`; a warning is an error.
///
/// # Errors
/// As for [`build`], or there are findings.
pub(crate) fn lint(workspace: &Workspace, machine: &'static str) -> Result<()> {
    let bare_metal = BareMetal::ensure(workspace)?;
    let mut command = cargo(workspace, &bare_metal, "clippy", machine);
    process::run(command.args(["--release", "--", "-D", "warnings"]))
}

fn cargo(workspace: &Workspace, bare_metal: &BareMetal, verb: &str, machine: &'static str) -> Command {
    let target = qemu::target_of(machine);
    let mut command = bare_metal.cargo(workspace, &workspace.firmware(), verb, target);
    command
        .args(["-p", machine, "--target-dir"])
        .arg(target_folder(workspace));
    command
}

fn target_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("firmware")
}

/// The binaries of the machine's package.
fn names(workspace: &Workspace, machine: &str) -> Result<Vec<String>> {
    let metadata = layers::metadata(workspace, &workspace.firmware())?;
    let targets = layers::package(&metadata, machine)?["targets"]
        .as_array()
        .context("no targets")?;
    let binaries = targets.iter().filter(|target| target["kind"][0] == "bin");
    Ok(binaries
        .filter_map(|target| target["name"].as_str())
        .map(str::to_owned)
        .collect())
}
