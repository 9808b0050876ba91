//! The emulator: which machines there are, and how it comes onto this computer.

use std::process::Command;

use anyhow::Result;

use crate::{apt, process};

/// Emulated machines that firmware exists for.
pub(crate) const MACHINES: [&str; 2] = ["lm3s6965evb", "mps2-an386"];

/// Rust target of a machine.
pub(crate) fn target_of(machine: &str) -> &'static str {
    match machine {
        "mps2-an386" => "thumbv7em-none-eabihf",
        _ => "thumbv7m-none-eabi",
    }
}

/// Memory of a machine, in octets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) flash: u64,
    pub(crate) ram: u64,
}

/// What a machine has.
pub(crate) fn memory_of(machine: &str) -> Memory {
    match machine {
        "mps2-an386" => Memory {
            flash: 4 << 20,
            ram: 4 << 20,
        },
        _ => Memory {
            flash: 256 << 10,
            ram: 64 << 10,
        },
    }
}

/// Installs QEMU if it is missing.
///
/// # Errors
/// It is missing and may not be installed; the message holds the line to run.
pub(crate) fn ensure() -> Result<()> {
    if !is_there() {
        apt::install(&["qemu-system-arm"], "running firmware without a board")?;
    }
    let version = process::output(Command::new(PROGRAM).arg("--version"))?;
    println!("    {}", version.lines().next().unwrap_or_default());
    Ok(())
}

fn is_there() -> bool {
    process::works(Command::new(PROGRAM).arg("--version"))
}

const PROGRAM: &str = "qemu-system-arm";
