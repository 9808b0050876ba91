//! `cargo xtask simulate`: endpoints, links, clocks and callers by the dice, as many seeds as one likes.

use std::thread;

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// How many seeds, and which.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Seeds to run in each simulation
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// Run this seed of the two endpoints alone, and show its trace
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs both endpoints against each other, then the client against broken servers and the server against broken
/// clients. Optimised, on all cores.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if let Some(seed) = options.seed {
        return process::run(simulation(workspace).args(["--seed", &seed.to_string()]));
    }
    println!("Client and server on a faulty link:");
    process::run(simulation(workspace).args(["--seeds", &options.seeds.to_string()]))?;
    println!("The client against broken servers, and the server against broken clients:");
    for (target, _) in STORMS {
        let mut build = workspace.cargo();
        process::run(build.args([
            "test",
            "--release",
            "-p",
            "rpc-nostd",
            "--no-run",
            "--test",
            target,
        ]))?;
    }
    storms(workspace, options.seeds)
}

/// Both at once: each is one thread.
fn storms(workspace: &Workspace, seeds: u64) -> Result<()> {
    let results = thread::scope(|scope| {
        let runs = STORMS.map(|(target, name)| {
            scope.spawn(move || {
                let mut command = workspace.cargo();
                let test = [
                    "test",
                    "--release",
                    "-q",
                    "-p",
                    "rpc-nostd",
                    "--test",
                    target,
                    name,
                ];
                process::run(command.args(test).env("RPC_NOSTD_SEEDS", seeds.to_string()))
            })
        });
        runs.map(thread::ScopedJoinHandle::join)
    });
    for result in results {
        match result {
            Ok(result) => result?,
            Err(_) => bail!("a simulation could not be started"),
        }
    }
    Ok(())
}

fn simulation(workspace: &Workspace) -> std::process::Command {
    let mut command = workspace.cargo();
    command.args(["run", "--release", "-q", "-p", "rpc-nostd-simulation", "--"]);
    command
}

/// Test programs of rpc-nostd and the tests in them that take `RPC_NOSTD_SEEDS`.
const STORMS: [(&str, &str); 2] = [
    (
        "simulation",
        "every_call_ends_in_time_with_the_right_answer_or_an_error_and_nothing_leaks",
    ),
    ("server", "whatever_clients_do_the_next_one_is_served"),
];
