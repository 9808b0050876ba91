//! One run of one image.

use std::fmt::Display;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::names::NameService;
use crate::outcome::{End, Outcome};
use crate::{Error, LogLine, Machine, Qemu, log, qemu};

/// What to run and how; see the crate's documentation for an example.
#[derive(Debug, Clone)]
pub struct Run {
    machine: Machine,
    elf: PathBuf,
    args: Vec<String>,
    names: Vec<(String, Ipv4Addr)>,
    forwards: Vec<(u16, u16)>,
    pcap: Option<PathBuf>,
    limit: Duration,
}

impl Run {
    /// Runs `elf` on `machine`: user networking, no arguments, 60 seconds at most.
    #[must_use]
    pub fn new(machine: Machine, elf: impl Into<PathBuf>) -> Self {
        Self {
            machine,
            elf: elf.into(),
            args: Vec::new(),
            names: Vec::new(),
            forwards: Vec::new(),
            pcap: None,
            limit: Duration::from_secs(60),
        }
    }

    /// Passes `key=value` to the firmware. No white space in either; 512 bytes for all together.
    #[must_use]
    pub fn arg(mut self, key: &str, value: impl Display) -> Self {
        self.args.push(format!("{key}={value}"));
        self
    }

    /// Lets the guest's name server answer `name` with `address` (10.0.2.2 is this host). See [`crate::names`].
    #[must_use]
    pub fn name(mut self, name: impl Into<String>, address: Ipv4Addr) -> Self {
        self.names.push((name.into(), address));
        self
    }

    /// Forwards TCP connections to 127.0.0.1:`host_port` of this host to `guest_port` of the guest.
    #[must_use]
    pub fn forward(mut self, host_port: u16, guest_port: u16) -> Self {
        self.forwards.push((host_port, guest_port));
        self
    }

    /// Captures every frame on the guest's interface into a pcap file.
    #[must_use]
    pub fn pcap(mut self, path: impl Into<PathBuf>) -> Self {
        self.pcap = Some(path.into());
        self
    }

    /// The longest the run may take; then the emulator is killed and the run has failed.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts the emulator. `on_line` gets each log line as it comes, on another thread.
    ///
    /// # Errors
    /// No emulator, no readable image, arguments that cannot be passed.
    pub fn start(self, mut on_line: impl FnMut(&LogLine) + Send + 'static) -> Result<Running, Error> {
        if let Some(arg) = self.args.iter().find(|arg| arg.contains(char::is_whitespace)) {
            return Err(Error::new(format!(
                "the argument {arg:?} has white space: it cannot be passed"
            )));
        }
        let table = log::table(&self.elf)?;
        let emulator = Qemu::find()?;
        let name_service = if self.names.is_empty() {
            None
        } else {
            Some(NameService::listen(self.names.clone())?)
        };
        let mut command = emulator.command(self.machine, &self.args);
        command.args(self.network_options(name_service.as_ref()));
        command.arg("-kernel").arg(&self.elf);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().map_err(Error::at("cannot start the emulator"))?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let decoder = child.stdout.take().map(|stdout| {
            let lines = Arc::clone(&lines);
            std::thread::spawn(move || read_log(&table, stdout, &lines, &mut on_line))
        });
        let stderr = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                // What was read before an error is as good as there is.
                let _ = stderr.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        if let Some(service) = name_service {
            service.serve();
        }
        Ok(Running {
            machine: self.machine,
            limit: self.limit,
            started,
            child,
            lines,
            decoder,
            stderr,
        })
    }

    fn network_options(&self, name_service: Option<&NameService>) -> Vec<std::ffi::OsString> {
        let mut netdev = "user,id=net0".to_owned();
        for (host, guest) in &self.forwards {
            netdev.push_str(&format!(",hostfwd=tcp:127.0.0.1:{host}-:{guest}"));
        }
        let mut options = vec![
            "-netdev".into(),
            netdev.into(),
            "-net".into(),
            "nic,netdev=net0".into(),
        ];
        if let Some(service) = name_service {
            options.extend(service.options("net0").into_iter().map(Into::into));
        }
        // After the name service: what it takes out and what it puts in is then in the capture.
        if let Some(pcap) = &self.pcap {
            options.push("-object".into());
            options.push(qemu::with_path("filter-dump,id=pcap,netdev=net0,file=", pcap));
        }
        options
    }
}

/// A started emulator. Dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    machine: Machine,
    limit: Duration,
    started: Instant,
    child: Child,
    lines: Arc<Mutex<Vec<LogLine>>>,
    decoder: Option<JoinHandle<()>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Waits for the end, which comes at the limit at the latest.
    #[must_use]
    pub fn wait(mut self) -> Outcome {
        let end = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status.code().map_or(End::Died, End::Exit),
                Ok(None) if self.started.elapsed() >= self.limit => break End::Limit(self.limit),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => break End::Died,
            }
        };
        self.finish(end)
    }

    /// Kills the emulator now.
    #[must_use]
    pub fn stop(mut self) -> Outcome {
        self.finish(End::Stopped)
    }

    fn finish(&mut self, end: End) -> Outcome {
        self.kill();
        // A panic of the caller's closure shows on stderr; the lines up to there are still good.
        let _ = self.decoder.take().map(JoinHandle::join);
        let stderr = self
            .stderr
            .take()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default();
        Outcome {
            machine: self.machine,
            end,
            lines: std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner)),
            emulator_messages: stderr,
            elapsed: self.started.elapsed(),
        }
    }

    fn kill(&mut self) {
        // Both fail only for a child that has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read_log(
    table: &defmt_decoder::Table,
    stdout: ChildStdout,
    lines: &Mutex<Vec<LogLine>>,
    on_line: &mut (impl FnMut(&LogLine) + Send),
) {
    log::decode(table, stdout, |line| {
        on_line(&line);
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    });
}
