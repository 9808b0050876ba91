//! The emulator: how it comes onto this computer, and what its machines have.

use anyhow::Result;
use qemu_harness::{Machine, Qemu};

use crate::apt;

/// Installs QEMU if it is missing.
///
/// # Errors
/// It is missing and may not be installed; the message holds the line to run.
pub(crate) fn ensure() -> Result<()> {
    if Qemu::find().is_err() {
        apt::install(&["qemu-system-arm"], "running firmware without a board")?;
    }
    println!("    {}", Qemu::find()?.version());
    Ok(())
}

/// Memory of a machine, in octets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) flash: u64,
    pub(crate) ram: u64,
}

/// What a machine has.
pub(crate) fn memory_of(machine: Machine) -> Memory {
    match machine {
        Machine::Lm3s6965evb => Memory {
            flash: 256 << 10,
            ram: 64 << 10,
        },
        Machine::Mps2An386 => Memory {
            flash: 4 << 20,
            ram: 4 << 20,
        },
    }
}
