//! Boots the telemetry firmware against a server on this computer, and follows its log while it runs.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::Result;
use qemu_harness::Run;

use crate::firmware::Program;
use crate::story::Mode;

/// One run of the firmware's program [`PROGRAM`].
pub(crate) struct Boot<'a> {
    pub(crate) program: &'a Program,
    pub(crate) mode: Mode,
    /// Port of the server on 127.0.0.1.
    pub(crate) port: u16,
    /// Where a capture of the device's Ethernet goes.
    pub(crate) capture: Option<PathBuf>,
}

impl Boot<'_> {
    /// Runs to the end, which comes at [`LIMIT`] at the latest. `on_line` gets each line of the log as it comes.
    ///
    /// # Errors
    /// The emulator does not start, or the firmware does not end with code 0; the message is the firmware's own.
    pub(crate) fn run(self, on_line: &mut dyn FnMut(&str)) -> Result<()> {
        let mut run = Run::new(self.program.machine, &self.program.elf)
            .arg("mode", self.mode.word())
            .arg("host", HOST_NAME)
            .arg("port", self.port)
            .name(HOST_NAME, HOST_ADDRESS)
            .limit(LIMIT);
        if let Some(capture) = self.capture {
            run = run.pcap(capture);
        }
        let (sender, lines) = channel();
        let started = Instant::now();
        // The receiver is gone only if this function has returned.
        let running = run.start(move |line| drop(sender.send(line.to_string())))?;
        // Ends with the log, or at the limit, where `wait` then kills the emulator.
        while let Ok(line) = lines.recv_timeout(LIMIT.saturating_sub(started.elapsed())) {
            on_line(&line);
        }
        running.wait().check()?;
        Ok(())
    }
}

/// The firmware's program for demo and interop.
pub(crate) const PROGRAM: &str = "telemetry";

/// Name under which the device finds this computer. The harness answers it.
pub(crate) const HOST_NAME: &str = "telemetry.test";

/// This computer, as user networking shows it to the device.
pub(crate) const HOST_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// A run takes some 10 seconds; the firmware gives up waiting for a new server after 30.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);
