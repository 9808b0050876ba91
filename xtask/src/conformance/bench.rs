//! One run of a tool: against a server, or calling a client.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{self, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::cases::{Cases, Judgement};
use super::transcript::Transcript;
use crate::interop::Role;
use crate::interop::programs::run_to_verdict;
use crate::interop::served::{Daemon, free_port};

/// What is tested.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// A program of ours in the folder of built programs, with its options: a server takes `--port`, too, a client a URL.
    Ours(&'static str, &'static [&'static str]),
    /// A server that runs already, at HOST:PORT.
    Address(String),
    /// A command that takes a URL as its last argument.
    Command(String),
}

impl Subject {
    pub(super) fn title(&self) -> String {
        match self {
            Self::Ours(program, options) => format!("{program} {}", options.join(" ")).trim().to_owned(),
            Self::Address(text) | Self::Command(text) => text.clone(),
        }
    }
}

/// What all runs share.
pub(super) struct Bench {
    /// Where the tools were built.
    pub(super) tools: PathBuf,
    /// Where our programs were built.
    pub(super) programs: PathBuf,
    /// Where what the tools print goes.
    pub(super) logs: PathBuf,
    /// Sections on the tools' command line; none are all.
    pub(super) sections: Vec<String>,
    /// What h2spec must run.
    pub(super) server_cases: Cases,
    /// What h2specd must run.
    pub(super) client_cases: Cases,
    /// [`CLIENT_PORTS`] for each run of h2specd, from here on.
    pub(super) client_ports: u16,
}

/// A judged run.
pub(super) struct Run {
    pub(super) judgement: Judgement,
    pub(super) took: Duration,
    /// What the tool printed.
    pub(super) log: PathBuf,
}

impl Bench {
    fn cases(&self, role: Role) -> &Cases {
        match role {
            Role::Server => &self.server_cases,
            Role::Client => &self.client_cases,
        }
    }

    /// The sections that are this role's.
    fn sections(&self, role: Role) -> Vec<String> {
        let sections = self.sections.iter();
        sections
            .filter(|section| self.cases(role).has(section))
            .cloned()
            .collect()
    }

    /// Whether there is anything to run for this role.
    pub(super) fn has_cases(&self, role: Role) -> bool {
        self.sections.is_empty() || !self.sections(role).is_empty()
    }

    /// Runs the tool that tests this role. `number` is another for each run.
    ///
    /// # Errors
    /// Tool or subject do not start, or the tool's output cannot be read.
    pub(super) fn run(&self, role: Role, subject: &Subject, number: u16) -> Result<Run> {
        let log = self.logs.join(format!("{}-{number}.log", tool(role)));
        let started = Instant::now();
        let sections = self.sections(role);
        let mut tool = Command::new(self.tools.join(tool(role)));
        let (ended, survived) = match role {
            Role::Server => {
                let mut daemon = self.serve(subject, number)?;
                let address = match (&daemon, subject) {
                    (Some(daemon), _) => format!("{}:{}", Ipv4Addr::LOCALHOST, daemon.port),
                    (None, subject) => subject.title(),
                };
                let (host, port) = address
                    .rsplit_once(':')
                    .with_context(|| format!("{address} is not HOST:PORT"))?;
                tool.args(["--strict", "--host", host, "--port", port]);
                let ended = run_to_verdict(tool.args(&sections), &log, LIMIT);
                (ended, daemon.as_mut().is_none_or(Daemon::is_alive))
            }
            Role::Client => {
                self.call(subject, number, &mut tool);
                (run_to_verdict(tool.args(&sections), &log, LIMIT), true)
            }
        };
        let text = fs::read(&log).with_context(|| log.display().to_string())?;
        let transcript = Transcript::read(&String::from_utf8_lossy(&text));
        let mut judgement = self.cases(role).judge(&sections, &transcript);
        if let (Err(error), true) = (ended, judgement.complaints.is_empty()) {
            judgement.complain(format!("{error:#}"));
        }
        if !survived {
            judgement.complain("the server ended before the tests did".to_owned());
        }
        Ok(Run {
            judgement,
            took: started.elapsed(),
            log,
        })
    }

    /// Starts the server, if it does not run yet.
    fn serve(&self, subject: &Subject, number: u16) -> Result<Option<Daemon>> {
        let Subject::Ours(program, options) = subject else {
            return Ok(None);
        };
        let port = free_port()?;
        let mut command = Command::new(self.programs.join(program));
        command.arg(format!("--port={port}")).args(*options);
        let log = self.logs.join(format!("{program}-{number}.log"));
        Daemon::start(command, port, log).map(Some)
    }

    /// Tells h2specd what to call, and where to listen.
    fn call(&self, subject: &Subject, number: u16, tool: &mut Command) {
        // It splits the command at spaces, so the path to our programs, which may have some, is not in it.
        let client = match subject {
            Subject::Ours(..) => {
                tool.current_dir(&self.programs);
                format!("./{}", subject.title())
            }
            _ => subject.title(),
        };
        let port = self
            .client_ports
            .saturating_add(number.saturating_mul(CLIENT_PORTS));
        tool.args(["--exec", &client, "--from-port", &port.to_string()]);
    }
}

/// The first of `count` ports in a row that nobody listens on.
///
/// # Errors
/// There are none.
pub(super) fn free_ports(count: u16) -> Result<u16> {
    // Below those that the system gives away by itself, and elsewhere for another run of this command.
    let first = 20_000 + u16::try_from(process::id() % 100).unwrap_or_default() * 40;
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let all_free = |start: &u16| {
        (*start..*start + count)
            .map(is_free)
            .collect::<Result<Vec<_>, _>>()
            .is_ok()
    };
    (first..32_000 - count)
        .step_by(usize::from(CLIENT_PORTS))
        .find(all_free)
        .with_context(|| format!("there are no {count} free ports in a row below 32000"))
}

/// Which tests this role.
pub(super) fn tool(role: Role) -> &'static str {
    match role {
        Role::Server => "h2spec",
        Role::Client => "h2specd",
    }
}

/// h2specd listens on a port for each of its 57 cases.
pub(super) const CLIENT_PORTS: u16 = 57;

/// A good run takes less than a minute; a server that answers nothing costs 2 seconds and more for each case.
const LIMIT: Duration = Duration::from_secs(900);
