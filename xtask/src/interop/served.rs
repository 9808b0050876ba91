//! A server process that lives as long as its value: free port, start, wait until it accepts, kill.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::programs;

/// A running server on 127.0.0.1. Dropped, it is killed.
pub(crate) struct Daemon {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
    /// Everything that it wrote.
    pub(crate) log: PathBuf,
}

impl Daemon {
    /// Starts `command`, which listens on `port`, and waits until it accepts a connection.
    ///
    /// # Errors
    /// It does not start, ends, or does not listen within [`PATIENCE`]; the message holds what it wrote.
    pub(crate) fn start(mut command: Command, port: u16, log: PathBuf) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = programs::to_log(&mut command, &log)?.spawn();
        let child = child.with_context(|| format!("cannot start {name}"))?;
        let mut daemon = Self { child, port, log };
        let started = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            if !daemon.is_alive() || started.elapsed() >= PATIENCE {
                bail!("{name} does not listen:\n{}", programs::tail(&daemon.log, 0));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(daemon)
    }

    /// Has not ended by itself.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How much it has written so far, in octets.
    pub(crate) fn log_length(&self) -> u64 {
        fs::metadata(&self.log).map_or(0, |file| file.len())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only for a child that has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on, on any interface.
///
/// # Errors
/// The system has none.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}

/// A Java server on a busy computer starts slowest.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_program_that_ends_is_error_with_its_output() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such option"]);
        let log = std::env::temp_dir().join("interop-daemon-test.log");
        let error = Daemon::start(command, free_port().unwrap(), log).err().unwrap();
        assert!(error.to_string().contains("no such option"), "{error}");
    }
}
