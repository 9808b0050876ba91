//! `cargo xtask demo`.

use anyhow::{Result, bail};

use crate::DemoOptions;
use crate::workspace::Workspace;

pub(crate) fn run(_workspace: &Workspace, _options: &DemoOptions) -> Result<()> {
    bail!("not there yet")
}
