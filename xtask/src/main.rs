//! The one tool a developer needs: `cargo xtask <command>`.
//!
//! Every command fetches what it lacks, says what it is doing and why, and ends with exit code 0 only if all of it
//! worked. Each command is a module; what several share (steps, tools to install) has modules of its own.

mod apt;
mod ci;
mod conformance;
mod corpora;
mod demo;
mod device;
mod examples;
mod firmware;
mod fuzz;
mod go;
mod guide;
mod hygiene;
mod interop;
mod layers;
mod licences;
mod package;
mod process;
mod proof;
mod protobuf;
mod python;
mod qemu;
mod report;
mod served;
mod server;
mod simulate;
mod sizes;
mod story;
mod test;
mod toolchain;
mod trace;
mod variants;
mod wire;
mod witness;
mod words;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use qemu_harness::Machine;

use crate::report::Report;
use crate::workspace::Workspace;

/// Developer commands of rpc-nostd. Each installs what it lacks, or prints the line that does.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Boot firmware on an emulated Cortex-M and let it call a gRPC server on this computer
    Demo(DemoOptions),
    /// The examples' client and server, on this computer and on both emulated machines, each with each
    Examples,
    /// The guide's first service: its server on this computer, its firmware on an emulated Cortex-M3
    Guide,
    /// Host tests, proofs on linked images, firmware builds, runs on QEMU, the examples, and all interop cases against foreign peers
    Test,
    /// The official gRPC interop cases against other implementations and proxies, in both roles
    Interop(interop::Options),
    /// Which code enforces each rule of HTTP/2, HPACK and gRPC, and which test proves it
    Trace(trace::Options),
    /// h2spec against our server, h2specd against our client: HTTP/2 as others test it
    Conformance(conformance::Options),
    /// Google's protobuf conformance tests of the binary format, on generated messages
    Protobuf(protobuf::Options),
    /// The fuzz targets of tests/fuzz under libFuzzer: one, or all in turn
    Fuzz(fuzz::Options),
    /// Flash and RAM of all firmware, against the golden files
    Sizes(CiOptions),
    /// Client and server on a faulty link, by the dice: 100,000 seeds, or as many as you like
    Simulate(simulate::Options),
    /// What linked images show: no panic, no allocator, no unsafe code, how deep the stack goes
    Proof(CiOptions),
    /// Everything that a pull request must pass: `test`, and all checks
    Ci(CiOptions),
}

/// What the demo runs on and keeps.
#[derive(clap::Args)]
struct DemoOptions {
    /// Emulated machine
    #[arg(long, default_value = "lm3s6965evb", value_parser = Machine::ALL.map(Machine::name))]
    machine: String,
    /// The gRPC on this computer; with go, a device also serves, and grpc-go calls it
    #[arg(long, default_value = "tonic", value_parser = ["tonic", "go"])]
    peer: String,
    /// Keep a capture of the device's Ethernet here (Wireshark and tshark read it)
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Show every line that the firmware logs
    #[arg(long)]
    verbose: bool,
}

#[derive(clap::Args)]
struct CiOptions {
    /// Rewrite golden files (flash, RAM and stack) instead of comparing with them
    #[arg(long)]
    update: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = Workspace::locate()?;
    match &arguments.command {
        Command::Demo(options) => demo::run(&workspace, options),
        Command::Examples => examples::run(&workspace),
        Command::Guide => guide::run(&workspace),
        Command::Test => {
            let mut report = Report::new(workspace.ci);
            report.step("Rules: each enforced in code and proved by a test", || {
                trace::run(&workspace, &trace::Options::default())
            });
            test::run(&workspace, &mut report, false);
            report.finish()
        }
        Command::Interop(options) => interop::run(&workspace, options),
        Command::Trace(options) => trace::run(&workspace, options),
        Command::Conformance(options) => conformance::run(&workspace, options),
        Command::Protobuf(options) => protobuf::run(&workspace, options),
        Command::Fuzz(options) => fuzz::run(&workspace, options),
        Command::Sizes(options) => {
            let mut report = Report::new(workspace.ci);
            let programs = firmware::build_everything(&workspace, &mut report);
            sizes::check(&workspace, &mut report, &programs, options.update);
            report.finish()
        }
        Command::Simulate(options) => simulate::run(&workspace, options),
        Command::Proof(options) => {
            let mut report = Report::new(workspace.ci);
            proof::run(&workspace, &mut report, options.update);
            report.finish()
        }
        Command::Ci(options) => {
            let mut report = Report::new(workspace.ci);
            ci::run(&workspace, &mut report, options.update);
            report.finish()
        }
    }
}
