//! The gRPC servers that firmware calls, as child processes: `telemetry-server` of the tests, on tonic, and the same
//! service on grpc-go, which this side steers; and the same on Python's grpcio.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::go::Peer;
use crate::process;
use crate::wire::CallRecord;
use crate::workspace::Workspace;

/// What the server is built with. Cargo puts both in the same folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Builds fastest from nothing.
    Dev,
    /// Already built by `cargo test`.
    Test,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }
}

/// A running server. What it has to say of calls goes to standard output; its answers to commands come here.
pub(crate) struct Server {
    /// For messages.
    name: &'static str,
    child: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
    /// Where it listens on 127.0.0.1.
    pub(crate) port: u16,
}

impl Server {
    /// Builds and starts it, on a free port.
    ///
    /// # Errors
    /// It does not build, start, or say where it listens.
    pub(crate) fn start(workspace: &Workspace, profile: Profile) -> Result<Self> {
        let build = [
            "build",
            "--profile",
            profile.name(),
            "--package",
            "rpc-nostd-tests",
            "--bin",
            PROGRAM,
        ];
        process::run(workspace.cargo().args(build))?;
        let command = Command::new(workspace.target.join("debug").join(PROGRAM));
        Self::launch(PROGRAM, command)
    }

    /// Starts grpc-go's, on a free port.
    ///
    /// # Errors
    /// It does not start, or say where it listens.
    pub(crate) fn start_go(peer: &Peer) -> Result<Self> {
        Self::launch("the server on grpc-go", peer.command("server"))
    }

    fn launch(name: &'static str, mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(name)?;
        let commands = child.stdin.take().context("no pipe to the server")?;
        let stdout = child.stdout.take().context("no pipe from the server")?;
        let (sender, answers) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.starts_with("server: ") {
                    println!("{line}");
                } else if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Self {
            name,
            child,
            commands,
            answers,
            port: 0,
        };
        server.port = listening_port(&server.answer()?)?;
        Ok(server)
    }

    /// Cuts all connections and closes the port; [`start_again`](Self::start_again) opens it.
    ///
    /// # Errors
    /// The server is gone or does not answer.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.order("stop", "stopped")
    }

    /// Listens on the same port again, having forgotten the reports.
    ///
    /// # Errors
    /// As for [`stop`](Self::stop).
    pub(crate) fn start_again(&mut self) -> Result<()> {
        self.order("restart", "restarted")
    }

    /// All calls so far, also those before a restart.
    ///
    /// # Errors
    /// The server is gone or does not answer.
    pub(crate) fn calls(&mut self) -> Result<Vec<CallRecord>> {
        self.say("calls")?;
        let mut records = Vec::new();
        loop {
            let line = self.answer()?;
            if line == "end" {
                return Ok(records);
            }
            records.push(CallRecord::parse(&line).with_context(|| format!("no call: {line:?}"))?);
        }
    }

    fn order(&mut self, command: &str, wanted: &str) -> Result<()> {
        self.say(command)?;
        let line = self.answer()?;
        if line.split(' ').next() != Some(wanted) {
            bail!("{} answered {line:?} to `{command}`", self.name);
        }
        Ok(())
    }

    fn say(&mut self, command: &str) -> Result<()> {
        writeln!(self.commands, "{command}").with_context(|| format!("{} is gone", self.name))
    }

    fn answer(&self) -> Result<String> {
        self.answers
            .recv_timeout(PATIENCE)
            .with_context(|| format!("no answer from {}", self.name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running Python peer.
pub(crate) struct PythonServer {
    child: Child,
    /// Where it listens on 127.0.0.1.
    pub(crate) port: u16,
}

impl PythonServer {
    /// Starts it on a free port, with an interpreter that has the packages.
    ///
    /// # Errors
    /// It does not start, or does not say where it listens.
    pub(crate) fn start(workspace: &Workspace, python: &Path) -> Result<Self> {
        let descriptors = descriptors(workspace, Profile::Test)?;
        let mut command = Command::new(python);
        command
            .arg(workspace.root.join("tests/peers/python/telemetry_server.py"))
            .arg(descriptors);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("Python peer")?;
        let stdout = child.stdout.take().context("no pipe from the Python peer")?;
        let mut server = Self { child, port: 0 };
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .context("the Python peer is gone")?;
        server.port = listening_port(line.trim())?;
        Ok(server)
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file that describes the service to peers which make their messages at run time. The tests' build writes it.
///
/// # Errors
/// The tests do not build.
pub(crate) fn descriptors(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let run = [
        "run",
        "--quiet",
        "--profile",
        profile.name(),
        "--package",
        "rpc-nostd-tests",
        "--bin",
        PROGRAM,
        "--",
        "--descriptors",
    ];
    let path = process::output(workspace.cargo().args(run))?;
    Ok(PathBuf::from(path.trim()))
}

fn listening_port(line: &str) -> Result<u16> {
    let port = line
        .strip_prefix("listening port=")
        .and_then(|port| port.parse().ok());
    port.with_context(|| format!("a server said {line:?} instead of its port"))
}

const PROGRAM: &str = "telemetry-server";

/// It answers at once unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);
