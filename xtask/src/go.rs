//! Go, and the telemetry service on grpc-go, client and server: `tests/peers/go`, built below the target folder.

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
        self::ensure(&sources, "grpc-go")?;
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

/// Go of the version that `sources/go.mod` asks for; Go from 1.21 on fetches that by itself.
///
/// # Errors
/// There is none and it cannot be installed, or it is too old. The message says for what it is needed.
pub(crate) fn ensure(sources: &Path, purpose: &str) -> Result<()> {
    if !process::works(Command::new("go").arg("version")) {
        apt::install(&["golang-go"], purpose).context(ADVICE)?;
    }
    let works = process::works(Command::new("go").current_dir(sources).args(["list", "-m"]));
    ensure!(
        works,
        "{purpose}: the installed Go is too old for {}/go.mod. {ADVICE}",
        sources.display()
    );
    Ok(())
}

/// Builds the programs that `sources/go.mod` names as tools into `folder`, which exists.
///
/// # Errors
/// As for [`ensure()`], or the modules cannot be fetched or built.
pub(crate) fn build_tools(sources: &Path, folder: &Path, purpose: &str) -> Result<()> {
    ensure(sources, purpose)?;
    let mut build = Command::new("go");
    build.current_dir(sources).args(["build", "-o"]);
    process::run(build.arg(folder).arg("tool"))
}

const ADVICE: &str = "Go 1.25 is needed (Debian 12 has 1.19): install it from https://go.dev/dl/ into the PATH; Go 1.21 or newer \
                      then fetches what else it needs";
