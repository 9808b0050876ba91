//! One row of the matrix: one peer, one role of ours, on one target. All cases share one server process.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::device::Booted;
use super::matrix::Outcome;
use super::peers::{BEHIND_PROXIES, Installed, Kind, Peer};
use super::programs::{self, Programs, Proxy, Soak};
use super::served::{Daemon, free_port};
use super::{Bench, Role, Target, device};
use crate::firmware;

/// Our side of all rows of one target.
pub(crate) enum Ours {
    Host(Programs),
    Device(firmware::Program),
}

/// Runs all chosen cases and gives their outcomes in order.
pub(super) fn run(bench: &Bench<'_>, peer: &Peer, role: Role, target: Target, ours: &Ours) -> Vec<Outcome> {
    let sides = match Sides::of(bench, peer) {
        Ok(sides) => sides,
        Err(reason) => {
            println!("    SKIPPED: {reason}");
            return vec![Outcome::Skip(reason); bench.selection.cases.len()];
        }
    };
    let title = format!("{}-{}-{}", target.name(), peer.name, role.name());
    let row = Row {
        bench,
        sides,
        role,
        target,
        ours,
        title,
    };
    match (role, ours) {
        (Role::Client, Ours::Device(program)) => row.device_client(program),
        _ => row.case_by_case(),
    }
}

/// The foreign programs of a row.
struct Sides<'b> {
    programs: &'b Programs,
    proxy: Option<&'b Proxy>,
}

impl<'b> Sides<'b> {
    fn of(bench: &'b Bench<'_>, peer: &Peer) -> Result<Self, String> {
        match &installed(bench, peer.name)?.kind {
            Kind::Programs(programs) => Ok(Self {
                programs,
                proxy: None,
            }),
            Kind::Proxy(proxy) => match &installed(bench, BEHIND_PROXIES)?.kind {
                Kind::Programs(programs) => Ok(Self {
                    programs,
                    proxy: Some(proxy),
                }),
                Kind::Proxy(_) => Err(format!("{BEHIND_PROXIES} is a proxy itself")),
            },
        }
    }
}

fn installed<'b>(bench: &'b Bench<'_>, name: &str) -> Result<&'b Installed, String> {
    match bench.peers.get(name) {
        Some(Ok(installed)) => Ok(installed),
        Some(Err(reason)) => Err(format!("{name}: {reason}")),
        None => Err(format!("{name} was not set up")),
    }
}

/// The server of a row, and what stands in front of it.
struct Stage {
    server: Served,
    proxy: Option<Daemon>,
}

enum Served {
    Process(Daemon),
    Device(Booted),
}

impl Stage {
    fn port(&self) -> u16 {
        match (&self.proxy, &self.server) {
            (Some(proxy), _) => proxy.port,
            (None, Served::Process(daemon)) => daemon.port,
            (None, Served::Device(booted)) => booted.port,
        }
    }

    fn is_alive(&mut self) -> bool {
        let server = match &mut self.server {
            Served::Process(daemon) => daemon.is_alive(),
            Served::Device(booted) => booted.is_alive(),
        };
        server && self.proxy.as_mut().is_none_or(Daemon::is_alive)
    }

    /// Where each log ends now.
    fn marks(&self) -> Vec<(std::path::PathBuf, u64)> {
        let server = match &self.server {
            Served::Process(daemon) => (daemon.log.clone(), daemon.log_length()),
            Served::Device(booted) => (booted.log.clone(), booted.log_length()),
        };
        let proxy = self
            .proxy
            .as_ref()
            .map(|proxy| (proxy.log.clone(), proxy.log_length()));
        std::iter::once(server).chain(proxy).collect()
    }
}

struct Row<'b> {
    bench: &'b Bench<'b>,
    sides: Sides<'b>,
    role: Role,
    target: Target,
    ours: &'b Ours,
    title: String,
}

impl Row<'_> {
    /// A client process for every case. A server that ended is started again.
    fn case_by_case(&self) -> Vec<Outcome> {
        let mut stage: Option<Stage> = None;
        let mut outcomes = Vec::new();
        for case in &self.bench.selection.cases {
            if !stage.as_mut().is_some_and(Stage::is_alive) {
                // The old one must be gone before its log is written anew.
                drop(stage.take());
                stage = match self.set_stage() {
                    Ok(stage) => Some(stage),
                    Err(error) => {
                        println!("    {error:#}");
                        let left = self.bench.selection.cases.len() - outcomes.len();
                        outcomes.extend(vec![Outcome::failed(&error); left]);
                        return outcomes;
                    }
                };
            }
            if let Some(stage) = &mut stage {
                outcomes.push(self.run_case(stage, case));
            }
        }
        outcomes
    }

    fn run_case(&self, stage: &mut Stage, case: &str) -> Outcome {
        let client = match (self.role, self.ours) {
            (Role::Client, Ours::Host(ours)) => ours,
            _ => self.sides.programs,
        };
        let mut command = client.client_command(case, stage.port(), self.soak());
        let log = self.log(case);
        let marks = stage.marks();
        let started = Instant::now();
        let result = programs::run_to_verdict(&mut command, &log, self.limit());
        let result = match result {
            Err(error) if !stage.is_alive() => Err(error.context("the server ended")),
            other => other,
        };
        let took = started.elapsed().as_secs_f32();
        match result {
            Ok(()) => {
                println!("    pass  {case} ({took:.1} s)");
                Outcome::Pass
            }
            Err(error) => {
                println!("    FAIL  {case} ({took:.1} s): {error:#}");
                println!("      client:\n{}", programs::tail(&log, 0));
                for (log, start) in marks {
                    println!("      {}:\n{}", log.display(), programs::tail(&log, start));
                }
                Outcome::failed(&error)
            }
        }
    }

    /// Our client on a device: it is booted with the list of cases, and again for the rest after one that stopped it.
    fn device_client(&self, program: &firmware::Program) -> Vec<Outcome> {
        let mut verdicts: Vec<Outcome> = Vec::new();
        while verdicts.len() < self.bench.selection.cases.len() {
            let rest = &self.bench.selection.cases[verdicts.len()..];
            let result = self.set_stage().and_then(|stage| {
                let boot = device::ClientBoot {
                    program,
                    port: stage.port(),
                    cases: rest,
                    soak_iterations: self.bench.selection.soak_iterations(self.target),
                    log: self.log(&format!("device-{}", verdicts.len())),
                };
                let outcomes = boot.run()?;
                let failed = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Fail(_)));
                for (log, _) in stage.marks().iter().filter(|_| failed) {
                    println!("      {}:\n{}", log.display(), programs::tail(log, 0));
                }
                Ok(outcomes)
            });
            match result {
                Ok(outcomes) => verdicts.extend(outcomes),
                Err(error) => {
                    println!("    {error:#}");
                    verdicts.extend(vec![Outcome::failed(&error); rest.len()]);
                }
            }
        }
        verdicts
    }

    /// Starts the row's server, and the proxy if there is one.
    fn set_stage(&self) -> Result<Stage> {
        let server = match (self.role, self.ours) {
            (Role::Client, _) => Served::Process(self.serve(self.sides.programs)?),
            (Role::Server, Ours::Host(ours)) => Served::Process(self.serve(ours)?),
            (Role::Server, Ours::Device(program)) => {
                Served::Device(Booted::start(program, free_port()?, self.log("device"))?)
            }
        };
        let mut stage = Stage { server, proxy: None };
        if let Some(proxy) = self.sides.proxy {
            let port = free_port()?;
            let command = proxy.command(&self.bench.logs, port, stage.port())?;
            stage.proxy = Some(Daemon::start(command, port, self.log("proxy"))?);
        }
        Ok(stage)
    }

    fn serve(&self, programs: &Programs) -> Result<Daemon> {
        let port = free_port()?;
        Daemon::start(programs.server_command(port), port, self.log("server"))
    }

    fn log(&self, what: &str) -> std::path::PathBuf {
        self.bench.logs.join(format!("{}-{what}.log", self.title))
    }

    fn soak(&self) -> Soak {
        Soak {
            iterations: self.bench.selection.soak_iterations(self.target),
            call_limit: match self.target {
                Target::Host => HOST_CALL_LIMIT,
                Target::Device(_) => device::CASE_LIMIT,
            },
            limit: self.limit(),
        }
    }

    fn limit(&self) -> Duration {
        match self.target {
            Target::Host => HOST_LIMIT,
            Target::Device(_) => device::CASE_LIMIT,
        }
    }
}

/// What soaks allow a call by default is a second, too little for a busy computer, where it takes 50 ms otherwise.
const HOST_CALL_LIMIT: Duration = Duration::from_secs(5);

/// The slowest client needs 2 seconds for the slowest case.
const HOST_LIMIT: Duration = Duration::from_secs(30);
