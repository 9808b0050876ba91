//! `cargo xtask demo`: firmware on an emulated Cortex-M calls a real gRPC server, and everything it does is checked.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use qemu_harness::{Machine, Sizes, pcap};

use crate::DemoOptions;
use crate::device::{Boot, HOST_NAME, PROGRAM};
use crate::firmware::{self, Program};
use crate::server::{Profile, Server};
use crate::story::{Mode, Story};
use crate::workspace::Workspace;
use crate::{qemu, wire};

/// Sets up what is missing, runs the demo and prints the figures.
///
/// # Errors
/// Something cannot be set up, or did not happen; every missing thing is named.
pub(crate) fn run(workspace: &Workspace, options: &DemoOptions) -> Result<()> {
    let machine: Machine = options.machine.parse()?;
    println!("==> The emulator that stands in for a board");
    qemu::ensure()?;
    println!("\n==> Firmware for {machine}");
    let program = firmware::build(workspace, machine, PROGRAM)?;
    println!("\n==> A gRPC server on this computer (tonic)");
    let mut server = Server::start(workspace, Profile::Dev)?;
    println!(
        "    listens on 127.0.0.1:{}; the device sees it as {}",
        server.port, HOST_NAME
    );

    println!("\n==> Booting {}", program.title());
    let capture = options
        .pcap
        .clone()
        .unwrap_or_else(|| workspace.target.join("demo.pcap"));
    let capture = std::path::absolute(&capture).with_context(|| capture.display().to_string())?;
    let story = boot(options, &program, &mut server, capture.clone())?;
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

fn boot(options: &DemoOptions, program: &Program, server: &mut Server, capture: PathBuf) -> Result<Story> {
    let mut story = Story::default();
    let mut log = Vec::new();
    let mut restart = Ok(());
    let boot = Boot {
        program,
        mode: Mode::Demo,
        port: server.port,
        capture: Some(capture),
    };
    let result = boot.run(&mut |text| {
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
    let sizes = Sizes::of(&program.elf)?;
    let memory = qemu::memory_of(program.machine);
    let records = server.calls()?;
    let link = pcap::traffic(&pcap::segments(capture)?, server.port);
    println!("\n{:<58}{:>10}{:>12}", "memory", "octets", "of");
    println!("{:<58}{:>10}{:>12}", "flash", sizes.flash, memory.flash);
    println!("{:<58}{:>10}{:>12}", "static RAM", sizes.static_ram, memory.ram);
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
    let frames = link.frames_sent + link.frames_received;
    println!(
        "\nOn the Ethernet: {frames} frames with {} octets for {calls} calls, connection set-up included: {} octets a call.",
        link.wire,
        link.wire / calls
    );
    Ok(())
}

/// Long enough for the device to notice.
const OUTAGE: Duration = Duration::from_millis(300);
