//! The telemetry service on grpc-go, client and server: `tests/peers/go`, built below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::server::{self, Profile};
use crate::workspace::Workspace;
use crate::{apt, process};

/// The built peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    program: PathBuf,
    /// From which it makes its messages.
    descriptors: PathBuf,
}

impl Peer {
    /// Builds it with what go.mod pins.
    ///
    /// # Errors
    /// There is no Go of the version that go.mod asks for, or the modules cannot be fetched.
    pub(crate) fn ensure(workspace: &Workspace, profile: Profile) -> Result<Self> {
        println!("    grpc-go is gRPC's most used implementation, and shares no code with the Rust ones");
        let sources = workspace.root.join("tests/peers/go");
        ensure_go(&sources)?;
        let program = workspace.target.join("go-peer/telemetry-peer");
        let mut build = Command::new("go");
        build.current_dir(&sources).args(["build", "-o"]);
        process::run(build.arg(&program).arg("."))?;
        Ok(Self {
            program,
            descriptors: server::descriptors(workspace, profile)?,
        })
    }

    /// It in this role: `server` or `client`.
    pub(crate) fn command(&self, role: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(&self.descriptors).arg(role);
        command
    }
}

/// Go of the version that go.mod asks for; Go from 1.21 on fetches that by itself.
fn ensure_go(sources: &Path) -> Result<()> {
    if !process::works(Command::new("go").arg("version")) {
        apt::install(&["golang-go"], "grpc-go").context(ADVICE)?;
    }
    let works = process::works(Command::new("go").current_dir(sources).args(["list", "-m"]));
    ensure!(
        works,
        "the installed Go is too old for tests/peers/go/go.mod. {ADVICE}"
    );
    Ok(())
}

const ADVICE: &str = "grpc-go needs Go 1.25 (Debian 12 has 1.19): install it from https://go.dev/dl/ into the PATH; Go 1.21 \
                      or newer then fetches what else it needs";
