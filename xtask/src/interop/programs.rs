//! Command lines of interop programs, with the official flags; and running a client to its verdict.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::cases;

/// A program, with everything of its command line that is the same in all runs.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Program {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Client and server of one implementation. The exit code of a client is its verdict.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) client: Program,
    pub(crate) server: Program,
    /// Another client, for cases that the first one lacks.
    pub(crate) other_client: Option<(Program, &'static [&'static str])>,
    /// The client fails a soak that takes longer than a second a call, unless told otherwise.
    pub(crate) limits_soaks: bool,
}

impl Programs {
    /// Runs `case` against 127.0.0.1:`port`.
    pub(crate) fn client_command(&self, case: &str, port: u16, soak: Soak) -> Command {
        let program = match &self.other_client {
            Some((program, cases)) if cases.contains(&case) => program,
            _ => &self.client,
        };
        let mut command = program.command();
        command.arg("--server_host=127.0.0.1");
        command.arg(format!("--server_port={port}"));
        command.arg("--use_tls=false");
        command.arg(format!("--test_case={case}"));
        if cases::is_soak(case) {
            command.arg(format!("--soak_iterations={}", soak.iterations));
            if self.limits_soaks {
                let (call, all) = (soak.call_limit.as_millis(), soak.limit.as_secs());
                command.arg(format!("--soak_per_iteration_max_acceptable_latency_ms={call}"));
                command.arg(format!("--soak_overall_timeout_seconds={all}"));
            }
        }
        command
    }

    /// Listens on `port`.
    pub(crate) fn server_command(&self, port: u16) -> Command {
        let mut command = self.server.command();
        command.arg(format!("--port={port}")).arg("--use_tls=false");
        command
    }
}

/// How long a soak goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Soak {
    /// Calls, or channels.
    pub(crate) iterations: u32,
    /// The longest that one call may take.
    pub(crate) call_limit: Duration,
    /// The longest that all of it may take.
    pub(crate) limit: Duration,
}

/// A program between client and server, steered by a file.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// Takes the path of its configuration as the last argument.
    pub(crate) program: Program,
    /// The configuration, with places for ports to be filled in.
    pub(crate) template: PathBuf,
}

impl Proxy {
    /// Listens on `port` and forwards to 127.0.0.1:`backend`. The configuration is written into `folder`.
    ///
    /// # Errors
    /// Template or folder are not there.
    pub(crate) fn command(&self, folder: &Path, port: u16, backend: u16) -> Result<Command> {
        let template =
            fs::read_to_string(&self.template).with_context(|| self.template.display().to_string())?;
        let text = template
            .replace("@LISTEN@", &port.to_string())
            .replace("@BACKEND@", &backend.to_string())
            .replace("@FOLDER@", &folder.display().to_string());
        let name = self.template.file_name().context("the template has no name")?;
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| file.display().to_string())?;
        let mut command = self.program.command();
        command.arg(file);
        Ok(command)
    }
}

/// Runs `command` to its end with output to the file `log`.
///
/// # Errors
/// It does not start, does not end within `limit` (and is killed), or ends with another code than 0.
pub(crate) fn run_to_verdict(command: &mut Command, log: &Path, limit: Duration) -> Result<()> {
    let mut child = to_log(command, log)?
        .spawn()
        .context("the client does not start")?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().context("the client is out of reach")? {
            break status;
        }
        if started.elapsed() >= limit {
            // Fails only if it ended just now.
            let _ = child.kill();
            let _ = child.wait();
            bail!("no verdict within {} s", limit.as_secs());
        }
        thread::sleep(STEP);
    };
    if !status.success() {
        bail!("{status}: {}", reason(log));
    }
    Ok(())
}

/// Directs all output of `command` to a new file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn to_log<'c>(command: &'c mut Command, log: &Path) -> Result<&'c mut Command> {
    let file = File::create(log).with_context(|| log.display().to_string())?;
    let copy = file.try_clone().with_context(|| log.display().to_string())?;
    Ok(command.stdin(Stdio::null()).stdout(copy).stderr(file))
}

/// The end of a log from octet `start` on, for a report.
pub(crate) fn tail(log: &Path, start: u64) -> String {
    let text = fs::read(log).unwrap_or_default();
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let text = String::from_utf8_lossy(text.get(start..).unwrap_or_default()).into_owned();
    let lines: Vec<_> = text.lines().filter(|line| !is_stack_frame(line)).collect();
    let skipped = lines.len().saturating_sub(TAIL_LINES);
    lines
        .iter()
        .skip(skipped)
        .map(|line| format!("        {line}\n"))
        .collect()
}

/// What most probably says why a client failed: the first exception, or else its last line.
fn reason(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !is_stack_frame(line));
    let exception = lines
        .clone()
        .find(|line| line.contains("Exception") || line.contains("Error"));
    let line = exception.or_else(|| lines.next_back()).unwrap_or("no output");
    line.chars().take(REASON_CHARS).collect()
}

/// Java's and Ruby's.
fn is_stack_frame(line: &str) -> bool {
    line.starts_with("\tat ") || line.starts_with("\tfrom ")
}

const STEP: Duration = Duration::from_millis(5);
const TAIL_LINES: usize = 20;
const REASON_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(script: &str, limit: Duration) -> Result<()> {
        let log = std::env::temp_dir().join(format!("interop-verdict-{}.log", script.len()));
        run_to_verdict(Command::new("sh").args(["-c", script]), &log, limit)
    }

    #[test]
    fn verdict_is_the_exit_code() {
        assert!(verdict("echo FAILED", PATIENCE).is_ok());
        let error = verdict("echo running; echo 'wrong size'; exit 3", PATIENCE).unwrap_err();
        assert!(error.to_string().ends_with("3: wrong size"), "{error}");
    }

    #[test]
    fn reason_is_the_first_exception_not_what_follows() {
        let error = verdict(
            "echo 'E: IoException: no size'; echo '\tat x.java'; echo bye; exit 1",
            PATIENCE,
        )
        .unwrap_err();
        assert!(error.to_string().ends_with("IoException: no size"), "{error}");
    }

    #[test]
    fn verdict_silent_client_is_killed_at_the_limit() {
        let error = verdict("exec sleep 600", Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("no verdict"), "{error}");
    }

    #[test]
    fn client_command_other_client_takes_its_cases_only() {
        let programs = Programs {
            client: Program::new("first"),
            server: Program::new("server"),
            other_client: Some((Program::new("second"), &["rpc_soak"])),
            limits_soaks: false,
        };
        let soak = Soak {
            iterations: 3,
            call_limit: PATIENCE,
            limit: PATIENCE,
        };
        let program = |case| programs.client_command(case, 1, soak).get_program().to_owned();
        assert_eq!(program("rpc_soak"), "second");
        assert_eq!(program("empty_unary"), "first");
    }

    const PATIENCE: Duration = Duration::from_secs(60);
}
