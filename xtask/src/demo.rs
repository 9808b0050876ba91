//! `cargo xtask demo`: firmware on an emulated Cortex-M calls a real gRPC server, and everything it does is checked.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::DemoOptions;
use crate::firmware::{self, Program};
use crate::harness::{self, Run};
use crate::server::Server;
use crate::story::{Mode, Story};
use crate::workspace::Workspace;
use crate::{qemu, sizes, wire};

/// Sets up what is missing, runs the demo and prints the figures.
///
/// # Errors
/// Something cannot be set up, or did not happen; every missing thing is named.
pub(crate) fn run(workspace: &Workspace, options: &DemoOptions) -> Result<()> {
    let machine = qemu::MACHINES
        .into_iter()
        .find(|name| *name == options.machine)
        .context("no such machine")?;
    println!("==> The emulator that stands in for a board");
    qemu::ensure()?;
    println!("\n==> Firmware for {machine}");
    let programs = firmware::build(workspace, machine)?;
    let program = programs.into_iter().find(|program| program.name == PROGRAM);
    let program = program.with_context(|| format!("{machine} has no program {PROGRAM}"))?;
    harness::build(workspace)?;
    println!("\n==> A gRPC server on this computer (tonic)");
    let mut server = Server::start(workspace)?;
    println!(
        "    listens on 127.0.0.1:{}; the device sees it as {}",
        server.port,
        harness::HOST_NAME
    );

    println!("\n==> Booting {}", program.title());
    let capture = options
        .pcap
        .clone()
        .unwrap_or_else(|| workspace.target.join("demo.pcap"));
    let capture = std::path::absolute(&capture).with_context(|| capture.display().to_string())?;
    let story = boot(workspace, options, &program, &mut server, capture.clone())?;
    let complaints = story.complaints(Mode::Demo);
    if !complaints.is_empty() {
        bail!("the demo is incomplete:\n    {}", complaints.join("\n    "));
    }
    print_figures(&program, &story, &mut server, &capture)?;
    if options.pcap.is_some() {
        println!(
            "\nThe capture is in {}; Wireshark decodes it as HTTP/2 on port {}.",
            capture.display(),
            server.port
        );
    }
    println!("\nAll of it happened: address, name, calls, metadata, error status, deadline, restart.");
    Ok(())
}

fn boot(
    workspace: &Workspace,
    options: &DemoOptions,
    program: &Program,
    server: &mut Server,
    capture: PathBuf,
) -> Result<Story> {
    let mut story = Story::default();
    let mut log = Vec::new();
    let mut restart = Ok(());
    let run = Run {
        program,
        mode: Mode::Demo,
        port: server.port,
        capture: Some(capture),
    };
    let result = harness::run(workspace, &run, &mut |text| {
        log.push(text.to_owned());
        let Some(line) = story.hear(text) else {
            if options.verbose {
                println!("        {text}");
            }
            return;
        };
        println!("{}", line.show());
        if line.step == "restart-wait" && restart.is_ok() {
            restart = replace(server);
        }
    });
    if result.is_err() && !options.verbose {
        println!("\nEverything that the device logged:");
        log.iter().for_each(|line| println!("    {line}"));
    }
    restart.context("the server did not restart")?;
    result.map(|()| story)
}

/// Cuts the device off for a moment, then gives it a new server on the same port.
fn replace(server: &mut Server) -> Result<()> {
    println!("host:   cutting all connections, port closed");
    server.stop()?;
    thread::sleep(OUTAGE);
    server.start_again()?;
    println!("host:   a new server listens on the same port");
    Ok(())
}

fn print_figures(
    program: &Program,
    story: &Story,
    server: &mut Server,
    capture: &std::path::Path,
) -> Result<()> {
    let sizes = sizes::measure(&program.elf)?;
    let memory = qemu::memory_of(program.machine);
    let records = server.calls()?;
    let link = wire::link_traffic(capture, server.port)?;
    println!("\n{:<58}{:>10}{:>12}", "memory", "octets", "of");
    println!("{:<58}{:>10}{:>12}", "flash", sizes.flash, memory.flash);
    println!("{:<58}{:>10}{:>12}", "static RAM", sizes.ram, memory.ram);
    if let Some((peak, size)) = story.stack() {
        println!("{:<58}{peak:>10}{size:>12}", "peak stack (painted)");
    }
    println!(
        "\n{:<58}{:>10}{:>12}",
        "HTTP/2 octets per call", "to server", "to device"
    );
    for (name, cost) in wire::costs(&records) {
        println!("{name:<58}{:>10}{:>12}", cost.up, cost.down);
    }
    let calls = u64::try_from(records.len()).unwrap_or(1).max(1);
    let name = format!(
        "Ethernet, mean of all {} calls ({} frames)",
        records.len(),
        link.frames
    );
    println!("{name:<58}{:>10}{:>12}", link.up / calls, link.down / calls);
    Ok(())
}

/// The firmware's program for demo and interop.
pub(crate) const PROGRAM: &str = "telemetry";

/// Long enough for the device to notice.
const OUTAGE: Duration = Duration::from_millis(300);
