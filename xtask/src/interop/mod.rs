//! `cargo xtask interop`: the official interop cases between our programs and foreign ones, in both roles.

mod cases;
mod device;
mod install;
mod matrix;
mod peers;
pub(crate) mod programs;
mod row;
pub(crate) mod served;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use qemu_harness::Machine;

use crate::workspace::Workspace;
use crate::{firmware, process, qemu};

use cases::CASES;
use matrix::{Matrix, Row};
use peers::{Kind, PEERS, Peer};
use programs::{Program, Programs};
use row::Ours;

/// Which part of the matrix to run; without filters all of it, and the result is kept in the repository.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Only this peer; may be given several times
    #[arg(long = "peer", value_name = "PEER", value_parser = PEERS.map(|peer| peer.name))]
    peers: Vec<String>,
    /// Only this role of ours: our client against the peer's server, or our server under the peer's client
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
    /// Only this case; may be given several times
    #[arg(long = "case", value_name = "CASE", value_parser = CASES)]
    cases: Vec<String>,
    /// Only where our programs run on this: the computer itself, or an emulated machine
    #[arg(long = "target", value_name = "TARGET", value_parser = TARGETS)]
    targets: Vec<String>,
    /// Calls or channels of a soak; by default 10 on this computer, 3 on emulated machines
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    soak_iterations: Option<u32>,
    /// Keep the result in the repository although not everything ran
    #[arg(long)]
    write: bool,
    /// Take this peer's programs in place of ours, to tell whose fault a failure is
    #[arg(long, value_name = "PEER", conflicts_with_all = ["targets", "write"], value_parser = PEERS.map(|peer| peer.name))]
    in_place_of_ours: Option<String>,
}

impl Options {
    /// Everything is asked for, of our own programs.
    fn is_whole(&self) -> bool {
        let filters = [&self.peers, &self.cases, &self.targets];
        filters.iter().all(|filter| filter.is_empty())
            && self.roles.is_empty()
            && self.in_place_of_ours.is_none()
    }
}

/// What our program is in a row of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Client,
    Server,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// What our programs run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Host,
    Device(Machine),
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Host => HOST,
            Self::Device(machine) => machine.name(),
        }
    }

    fn parse(name: &str) -> Result<Self> {
        match name {
            HOST => Ok(Self::Host),
            machine => Ok(Self::Device(machine.parse()?)),
        }
    }
}

/// What was asked for, with the defaults filled in.
struct Selection {
    peers: Vec<&'static Peer>,
    roles: Vec<Role>,
    targets: Vec<Target>,
    cases: Vec<&'static str>,
    soak_iterations: Option<u32>,
}

impl Selection {
    fn of(options: &Options) -> Result<Self> {
        let peers = PEERS.iter().filter(|peer| chosen(&options.peers, peer.name));
        let cases = CASES.into_iter().filter(|case| chosen(&options.cases, case));
        let targets = match &options.in_place_of_ours {
            Some(_) => vec![Target::Host],
            None => TARGETS
                .into_iter()
                .filter(|name| chosen(&options.targets, name))
                .map(Target::parse)
                .collect::<Result<_>>()?,
        };
        let roles = match options.roles.as_slice() {
            [] => vec![Role::Client, Role::Server],
            roles => roles.to_vec(),
        };
        Ok(Self {
            peers: peers.collect(),
            roles,
            targets,
            cases: cases.collect(),
            soak_iterations: options.soak_iterations,
        })
    }

    fn soak_iterations(&self, target: Target) -> u32 {
        self.soak_iterations.unwrap_or(match target {
            Target::Host => 10,
            Target::Device(_) => 3,
        })
    }
}

/// Sets up what is missing, runs the rows one after another, prints the matrix and keeps it if it is whole.
///
/// # Errors
/// Our own programs do not build, a cell is FAIL, or on CI a cell was skipped.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let keeps = options.write || options.is_whole();
    play(workspace, options, keeps)
}

/// Runs all of it, and keeps nothing.
///
/// # Errors
/// As [`run`].
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    play(workspace, &Options::default(), false)
}

fn play(workspace: &Workspace, options: &Options, keeps: bool) -> Result<()> {
    let selection = Selection::of(options)?;
    let bench = Bench::set_up(workspace, selection, options.in_place_of_ours.as_deref())?;
    let selection = &bench.selection;
    let mut matrix = Matrix::new(selection.cases.clone());
    for (target, ours) in &bench.ours {
        for peer in &selection.peers {
            for role in &selection.roles {
                println!(
                    "\n==> {}, our role {}, on {}",
                    peer.title,
                    role.name(),
                    target.name()
                );
                let outcomes = row::run(&bench, peer, *role, *target, ours);
                matrix.rows.push(Row {
                    peer: peer.name,
                    role: role.name(),
                    target: target.name(),
                    outcomes,
                });
            }
        }
    }
    println!("\n{}", matrix.text());
    if keeps {
        keep(workspace, &matrix, &bench)?;
    }
    let (failed, skipped) = matrix.counts();
    if failed > 0 {
        bail!(
            "{failed} cells failed; the programs' logs are in {}",
            bench.logs.display()
        );
    }
    if skipped > 0 && workspace.ci {
        bail!("{skipped} cells were skipped, which is a failure because CI is set");
    }
    Ok(())
}

/// Everything that rows need: programs of both sides, and a folder for logs.
struct Bench<'w> {
    workspace: &'w Workspace,
    selection: Selection,
    /// Why a peer is missing, if it is.
    peers: BTreeMap<&'static str, Result<peers::Installed, String>>,
    ours: Vec<(Target, Ours)>,
    logs: PathBuf,
}

impl<'w> Bench<'w> {
    fn set_up(workspace: &'w Workspace, selection: Selection, stand_in: Option<&str>) -> Result<Self> {
        let logs = workspace.target.join("interop/logs");
        std::fs::create_dir_all(&logs).with_context(|| logs.display().to_string())?;
        let mut bench = Self {
            workspace,
            selection,
            peers: BTreeMap::new(),
            ours: Vec::new(),
            logs,
        };
        for peer in bench.selection.peers.clone() {
            bench.install(peer);
        }
        for target in bench.selection.targets.clone() {
            let ours = match (target, stand_in) {
                (_, Some(name)) => Ours::Host(bench.stand_in(name)?),
                (Target::Host, None) => Ours::Host(build_host(workspace)?),
                (Target::Device(machine), None) => Ours::Device(build_device(workspace, machine)?),
            };
            bench.ours.push((target, ours));
        }
        Ok(bench)
    }

    /// Installs `peer` and what it needs, unless that was done or tried before.
    fn install(&mut self, peer: &'static Peer) {
        if self.peers.contains_key(peer.name) {
            return;
        }
        println!("\n==> {}", peer.title);
        let installed = (peer.install)(self.workspace).map_err(|error| format!("{error:#}"));
        match &installed {
            Ok(installed) => println!("    {}", installed.version),
            Err(reason) => println!("    SKIPPED: {reason}"),
        }
        let is_proxy = matches!(&installed, Ok(installed) if matches!(installed.kind, Kind::Proxy(_)));
        self.peers.insert(peer.name, installed);
        if let (true, Some(behind)) = (is_proxy, peers::find(peers::BEHIND_PROXIES)) {
            self.install(behind);
        }
    }

    fn stand_in(&mut self, name: &str) -> Result<Programs> {
        let peer = peers::find(name).context("no such peer")?;
        self.install(peer);
        match self.peers.get(peer.name) {
            Some(Ok(peers::Installed {
                kind: Kind::Programs(programs),
                ..
            })) => Ok(programs.clone()),
            Some(Err(reason)) => bail!("{reason}"),
            _ => bail!("{name} is a proxy: it cannot stand in for our programs"),
        }
    }
}

/// Client and server for this computer.
fn build_host(workspace: &Workspace) -> Result<Programs> {
    println!("\n==> Our programs for this computer");
    process::run(
        workspace
            .cargo()
            .args(["build", "--package", "rpc-nostd-interop-host"]),
    )?;
    let folder = workspace.target.join("debug");
    Ok(Programs {
        client: Program::new(folder.join("interop_client")),
        server: Program::new(folder.join("interop_server")),
        other_client: None,
        limits_soaks: false,
    })
}

fn build_device(workspace: &Workspace, machine: Machine) -> Result<firmware::Program> {
    println!("\n==> Our programs for {machine}");
    qemu::ensure()?;
    firmware::build(workspace, machine, device::PROGRAM)
}

/// Writes the matrix, with what it was made of, into the repository.
fn keep(workspace: &Workspace, matrix: &Matrix, bench: &Bench<'_>) -> Result<()> {
    let file = workspace.root.join(RESULTS);
    let date = process::output(std::process::Command::new("date").args(["-u", "+%F"]))?;
    let command: Vec<_> = std::env::args().skip(1).collect();
    let versions: Vec<_> = bench
        .peers
        .iter()
        .map(|(name, installed)| match installed {
            Ok(installed) => (*name, installed.version.as_str()),
            Err(_) => (*name, "not installed"),
        })
        .collect();
    let text = matrix.markdown(
        &format!("cargo xtask {}", command.join(" ")),
        date.trim(),
        &versions,
    );
    std::fs::write(&file, text).with_context(|| file.display().to_string())?;
    println!("\nThis matrix is now {RESULTS}");
    Ok(())
}

/// Nothing chosen means everything.
fn chosen(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)
}

const RESULTS: &str = "tests/interop/RESULTS.md";
const HOST: &str = "host";
const TARGETS: [&str; 3] = [HOST, Machine::ALL[0].name(), Machine::ALL[1].name()];
