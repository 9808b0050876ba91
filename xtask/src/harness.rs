//! Runs firmware on QEMU through the harness in `qemu/harness`.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::firmware::Program;
use crate::story::Mode;
use crate::workspace::Workspace;

/// Name under which the device finds the host.
pub(crate) const HOST_NAME: &str = "telemetry.test";

/// One run of a program that talks to a server on this computer.
pub(crate) struct Run<'a> {
    pub(crate) program: &'a Program,
    pub(crate) mode: Mode,
    /// Port of the server on 127.0.0.1.
    pub(crate) port: u16,
    /// Where the capture of the device's Ethernet goes.
    pub(crate) capture: Option<PathBuf>,
}

pub(crate) fn build(_workspace: &Workspace) -> Result<()> {
    bail!("no harness yet")
}

pub(crate) fn run(_workspace: &Workspace, run: &Run<'_>, on_line: &mut dyn FnMut(&str)) -> Result<()> {
    on_line("");
    bail!(
        "no harness yet: {} {} {} {:?}",
        run.program.title(),
        run.mode.word(),
        run.port,
        run.capture
    )
}

/// Runs a program that needs no server, and believes its exit code.
pub(crate) fn smoke(_workspace: &Workspace, program: &Program) -> Result<()> {
    bail!("no harness yet: {}", program.title())
}
