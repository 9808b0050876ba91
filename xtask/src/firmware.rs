//! Builds the firmware of the emulated machines, with whatever compiler for bare metal there is.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use qemu_harness::{Firmware, Machine};

use crate::report::Report;
use crate::toolchain::BareMetal;
use crate::workspace::Workspace;
use crate::{layers, process};

/// One linked program for one machine.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// What it runs on.
    pub(crate) machine: Machine,
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

    /// Where its golden sizes are: beside its source.
    pub(crate) fn golden_sizes(&self, workspace: &Workspace) -> PathBuf {
        let folder = workspace.firmware().join("machines").join(self.machine.name());
        folder.join("src/bin").join(format!("{}.size", self.name))
    }
}

/// Builds one program in release form: a debug build does not fit the small machine.
///
/// # Errors
/// There is no compiler for it, or it does not build.
pub(crate) fn build(workspace: &Workspace, machine: Machine, name: &str) -> Result<Program> {
    let bare_metal = BareMetal::ensure(workspace)?;
    println!(
        "    building {name} for {machine} ({}), optimised for size",
        machine.description()
    );
    let mut firmware = Firmware::new(machine, name);
    if let Some(setup) = bare_metal.setup(machine.target()) {
        firmware = firmware.cargo(setup.cargo, setup.arguments);
        for (key, value) in setup.variables {
            firmware = firmware.env(key, value);
        }
    }
    Ok(Program {
        machine,
        name: name.to_owned(),
        elf: firmware.build()?,
    })
}

/// Builds every program of `machine`.
///
/// # Errors
/// As for [`build`].
pub(crate) fn build_all(workspace: &Workspace, machine: Machine) -> Result<Vec<Program>> {
    let names = names(workspace, machine)?;
    ensure!(!names.is_empty(), "no programs for {machine}");
    names.iter().map(|name| build(workspace, machine, name)).collect()
}

/// Builds every program of every machine, a step each machine.
pub(crate) fn build_everything(workspace: &Workspace, report: &mut Report) -> Vec<Program> {
    let mut programs = Vec::new();
    for machine in Machine::ALL {
        let built = report.step(&format!("Firmware for {machine}"), || {
            build_all(workspace, machine)
        });
        programs.extend(built.unwrap_or_default());
    }
    programs
}

/// Lints every program of `machine`, and the crates that it is made of; a warning is an error.
///
/// # Errors
/// There is no compiler for it, or there are findings.
pub(crate) fn lint(workspace: &Workspace, machine: Machine) -> Result<()> {
    let bare_metal = BareMetal::ensure(workspace)?;
    let folder = workspace.firmware_target();
    let folder = folder.to_str().context("the target folder's path is not UTF-8")?;
    let arguments = ["--release", "-p", machine.name(), "--target-dir", folder];
    process::run(&mut bare_metal.lint(workspace, &workspace.firmware(), machine.target(), &arguments))
}

/// The binaries of the machine's package.
fn names(workspace: &Workspace, machine: Machine) -> Result<Vec<String>> {
    let metadata = layers::metadata(workspace, &workspace.firmware())?;
    let targets = layers::package(&metadata, machine.name())?["targets"]
        .as_array()
        .context("no targets")?;
    let binaries = targets.iter().filter(|target| target["kind"][0] == "bin");
    Ok(binaries
        .filter_map(|target| target["name"].as_str())
        .map(str::to_owned)
        .collect())
}
