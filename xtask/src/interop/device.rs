//! Our client and server as firmware on an emulated machine.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use qemu_harness::{Run, Running};

use super::matrix::Outcome;
use super::programs;
use crate::device::HOST_ADDRESS;
use crate::firmware::Program;

/// One boot that runs cases one after another, and ends after the last.
pub(crate) struct ClientBoot<'a> {
    pub(crate) program: &'a Program,
    /// Of the server on 127.0.0.1.
    pub(crate) port: u16,
    pub(crate) cases: &'a [&'static str],
    pub(crate) soak_iterations: u32,
    pub(crate) log: PathBuf,
}

impl ClientBoot<'_> {
    /// The verdicts of the cases, in order. After a case without a verdict there are no more.
    ///
    /// # Errors
    /// The emulator does not start.
    pub(crate) fn run(&self) -> Result<Vec<Outcome>> {
        let run = Run::new(self.program.machine, &self.program.elf)
            .arg("role", "client")
            .arg("host", HOST_ADDRESS)
            .arg("port", self.port)
            .arg("soak", self.soak_iterations)
            .arg("cases", self.cases.join(","))
            .limit(BOOT_LIMIT);
        let (running, lines) = start(run, &self.log)?;
        let mut running = Some(running);
        let mut verdicts = Vec::new();
        for case in self.cases {
            let outcome = match wait_for(&lines, |line| verdict(line, case)) {
                Ok(outcome) => outcome,
                Err(silence) => {
                    let end = running.take().map(|running| silence.explain(running));
                    Outcome::Fail(end.unwrap_or_default())
                }
            };
            match &outcome {
                Outcome::Fail(reason) => {
                    println!("    FAIL  {case}: {reason}\n{}", programs::tail(&self.log, 0));
                }
                _ => println!("    pass  {case}"),
            }
            verdicts.push(outcome);
            if running.is_none() {
                break;
            }
        }
        Ok(verdicts)
    }
}

/// A device that serves. Dropped, its emulator is killed.
pub(crate) struct Booted {
    /// Kills the emulator when dropped.
    _running: Running,
    lines: Receiver<String>,
    /// On this computer.
    pub(crate) port: u16,
    pub(crate) log: PathBuf,
}

impl Booted {
    /// Boots, and waits until the device listens; `port` of this computer is forwarded to it.
    ///
    /// # Errors
    /// The emulator does not start, or the device does not listen within [`CASE_LIMIT`].
    pub(crate) fn start(program: &Program, port: u16, log: PathBuf) -> Result<Self> {
        let run = Run::new(program.machine, &program.elf)
            .arg("role", "server")
            .arg("port", GUEST_PORT)
            .forward(port, GUEST_PORT)
            .limit(BOOT_LIMIT);
        let (running, lines) = start(run, &log)?;
        match wait_for(&lines, |line| line.starts_with(LISTENING).then_some(())) {
            Ok(()) => Ok(Self {
                _running: running,
                lines,
                port,
                log,
            }),
            Err(silence) => bail!("the device does not listen: {}", silence.explain(running)),
        }
    }

    /// The firmware has not ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        loop {
            match self.lines.try_recv() {
                Ok(_) => {}
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// How much it has logged so far, in octets.
    pub(crate) fn log_length(&self) -> u64 {
        fs::metadata(&self.log).map_or(0, |file| file.len())
    }
}

/// Why a line did not come.
enum Silence {
    Ended,
    TooLong,
}

impl Silence {
    fn explain(self, running: Running) -> String {
        match self {
            Self::TooLong => format!("no verdict within {} s", CASE_LIMIT.as_secs()),
            // The log has ended, so the emulator has, or is about to.
            Self::Ended => match running.wait().check() {
                Ok(()) => "the firmware ended without a verdict".to_owned(),
                Err(error) => error.to_string(),
            },
        }
    }
}

/// Starts the emulator with its log in a file and, message by message, in the receiver.
fn start(run: Run, log: &Path) -> Result<(Running, Receiver<String>)> {
    let mut file = File::create(log).with_context(|| log.display().to_string())?;
    let (sender, lines) = channel();
    let running = run.start(move |line| {
        // A full disk shows elsewhere; the receiver is gone only if nobody waits any more.
        let _ = writeln!(file, "{line}");
        let _ = sender.send(line.message.clone());
    })?;
    Ok((running, lines))
}

/// The first line that `pick` takes.
fn wait_for<T>(lines: &Receiver<String>, pick: impl Fn(&str) -> Option<T>) -> Result<T, Silence> {
    let started = std::time::Instant::now();
    loop {
        match lines.recv_timeout(CASE_LIMIT.saturating_sub(started.elapsed())) {
            Ok(line) => {
                if let Some(found) = pick(&line) {
                    return Ok(found);
                }
            }
            Err(RecvTimeoutError::Timeout) => return Err(Silence::TooLong),
            Err(RecvTimeoutError::Disconnected) => return Err(Silence::Ended),
        }
    }
}

/// What a line of the log says of `case`.
fn verdict(line: &str, case: &str) -> Option<Outcome> {
    let said = line
        .strip_prefix("interop: ")?
        .strip_prefix(case)?
        .strip_prefix(": ")?;
    if said == "pass" {
        return Some(Outcome::Pass);
    }
    said.strip_prefix("FAIL")
        .map(|reason| Outcome::Fail(reason.trim_start_matches([':', ' ']).to_owned()))
}

/// The firmware's program.
pub(crate) const PROGRAM: &str = "interop";

/// The longest silence of a device that still counts as work; its own limit for a call comes first and says more.
pub(crate) const CASE_LIMIT: Duration = Duration::from_secs(90);

/// No run of all cases takes this long; each case has a limit of its own.
const BOOT_LIMIT: Duration = Duration::from_secs(1800);

const GUEST_PORT: u16 = 50051;
const LISTENING: &str = "interop: listening";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_is_of_its_own_case_only() {
        assert_eq!(
            verdict("interop: ping_pong: pass", "ping_pong"),
            Some(Outcome::Pass)
        );
        let failed = Some(Outcome::Fail("2 replies".to_owned()));
        assert_eq!(
            verdict("interop: ping_pong: FAIL: 2 replies", "ping_pong"),
            failed
        );
        assert_eq!(verdict("interop: ping_pong: pass", "empty_stream"), None);
        assert_eq!(verdict("interop: listening: port=50051", "ping_pong"), None);
    }
}
