//! The telemetry service on Python's grpcio, as a child process.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running peer. It stops, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct PythonPeer {
    child: Child,
    address: SocketAddr,
}

impl PythonPeer {
    /// Starts on a free port of 127.0.0.1. `python` is an interpreter that can import grpc, see [`interpreter`].
    ///
    /// # Errors
    /// It does not start, or does not say where it listens; its own message is on standard error.
    pub fn start(python: &Path) -> io::Result<Self> {
        let descriptors = descriptor_file()?;
        let mut command = Command::new(python);
        command
            .arg(SCRIPT)
            .arg(descriptors)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.as_mut() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let port = line
            .trim()
            .strip_prefix("listening port=")
            .and_then(|port| port.parse().ok());
        match port {
            Some(port) => Ok(Self {
                child,
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(io::Error::other(format!(
                    "the Python peer said {line:?} instead of its port"
                )))
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for PythonPeer {
    fn drop(&mut self) {
        // Nothing is left to save, and waiting for a polite end could hang a failing test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that `cargo xtask test` has set up, or `None` with a line on standard error that says how to get one.
///
/// # Panics
/// There is none and `CI` is set: there, a skipped test is a failure.
pub fn interpreter() -> Option<PathBuf> {
    let named = env::var_os("RPC_NOSTD_PYTHON").map(PathBuf::from);
    let found = named
        .or_else(|| Some(target_folder()?.join("python-peer/bin/python")))
        .filter(|path| path.exists());
    if found.is_none() {
        let advice = "skipped: no Python peer; `cargo xtask test` sets it up and runs this test";
        let is_ci = env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
        assert!(!is_ci, "{advice}");
        eprintln!("{advice}");
    }
    found
}

/// The file with the service's description (a serialized FileDescriptorSet) from which the peer builds its messages.
///
/// # Errors
/// The build's output is gone.
pub fn descriptor_file() -> io::Result<PathBuf> {
    let path = Path::new(env!("OUT_DIR")).join("telemetry.binpb");
    fs::metadata(&path)?;
    Ok(path)
}

/// Cargo's target folder, as seen from the running test program.
fn target_folder() -> Option<PathBuf> {
    let named = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    named.or_else(|| Some(Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("target")))
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/python/telemetry_server.py");
