//! `cargo xtask demo`: firmware on an emulated Cortex-M calls a real gRPC server, and everything it does is checked. With
//! `--peer go` that is grpc-go, whose client then calls a device that serves.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use qemu_harness::pcap::{self, Traffic};
use qemu_harness::{Machine, Sizes};

use crate::DemoOptions;
use crate::device::{Boot, HOST_NAME, PROGRAM};
use crate::firmware::{self, Program};
use crate::go::Peer;
use crate::server::{Profile, Server};
use crate::story::{Line, Mode, Story};
use crate::wire::CallRecord;
use crate::workspace::Workspace;
use crate::{qemu, served, wire, witness};

/// Sets up what is missing, runs the demo and prints the figures.
///
/// # Errors
/// Something cannot be set up, or did not happen; every missing thing is named.
pub(crate) fn run(workspace: &Workspace, options: &DemoOptions) -> Result<()> {
    let machine: Machine = options.machine.parse()?;
    let capture = capture_file(workspace, options.pcap.as_deref())?;
    println!("==> The emulator that stands in for a board");
    qemu::ensure()?;
    println!("\n==> Firmware for {machine}");
    let program = firmware::build(workspace, machine, PROGRAM)?;
    println!("\n==> A gRPC server on this computer ({})", options.peer);
    let peer = match options.peer.as_str() {
        "go" => Some(Peer::ensure(workspace, Profile::Dev)?),
        _ => None,
    };
    let mut server = match &peer {
        Some(peer) => Server::start_go(peer)?,
        None => Server::start(workspace, Profile::Dev)?,
    };
    println!(
        "    listens on 127.0.0.1:{}; the device sees it as {}",
        server.port, HOST_NAME
    );

    println!("\n==> Booting {}", program.title());
    let story = boot(options, &program, &mut server, capture.clone())?;
    let calls = server.calls()?;
    let mut complaints = story.complaints(Mode::Demo);
    complaints.extend(witness::contradictions(&story, &calls));
    if !complaints.is_empty() {
        bail!("the demo is incomplete:\n    {}", complaints.join("\n    "));
    }
    let link = pcap::traffic(&pcap::segments(&capture)?, server.port);
    print_figures(&program, &story, &calls, &link)?;
    if options.pcap.is_some() {
        println!(
            "\nThe capture is in {}; Wireshark decodes it as HTTP/2 on port {}.",
            capture.display(),
            server.port
        );
    }
    println!(
        "\nAll of it happened, and the server saw it too: address, name, calls of each kind, metadata, error status, \
         deadline, restart."
    );
    match peer {
        Some(peer) => serve(workspace, options, machine, &peer),
        None => Ok(()),
    }
}

/// The other way round: a client on this computer calls a device.
fn serve(workspace: &Workspace, options: &DemoOptions, machine: Machine, peer: &Peer) -> Result<()> {
    println!("\n==> The other way round: firmware for {machine} that serves");
    let program = firmware::build(workspace, machine, served::PROGRAM)?;
    println!("\n==> Booting {}; grpc-go calls it", program.title());
    let capture = options
        .pcap
        .as_ref()
        .map(|file| file.with_extension("served.pcap"));
    let mut log = Vec::new();
    let result = served::run(&program, peer, capture.clone(), &mut |who, text| {
        log.push(format!("{who}: {text}"));
        match Line::parse(text).filter(|line| line.step != "stack") {
            Some(line) => println!("{}", line.show(who)),
            None if options.verbose => println!("        {text}"),
            None => {}
        }
    });
    if result.is_err() && !options.verbose {
        println!("\nEverything that was said:");
        log.iter().for_each(|line| println!("    {line}"));
    }
    let story = result?;
    println!();
    print_memory(&program, &story)?;
    if let Some(capture) = capture {
        println!("\nThe capture is in {}.", capture.display());
    }
    println!(
        "\ngrpc-go called the device by calls of each kind, with metadata, error status and deadline, and the device saw \
         it too; then it shut down gracefully."
    );
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
        println!("{}", line.show("device"));
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

/// What the program takes of its machine.
fn print_memory(program: &Program, story: &Story) -> Result<()> {
    let sizes = Sizes::of(&program.elf)?;
    let memory = qemu::memory_of(program.machine);
    println!("{:<58}{:>10}{:>12}", "memory", "octets", "of");
    row("flash", sizes.flash, memory.flash);
    row("static RAM", sizes.static_ram, memory.ram);
    if let Some((peak, size)) = story.stack() {
        row("peak stack (painted)", peak, size);
    }
    Ok(())
}

fn row(what: &str, left: u64, right: u64) {
    println!("{what:<58}{left:>10}{right:>12}");
}

/// One table: memory, and what a call costs.
fn print_figures(program: &Program, story: &Story, calls: &[CallRecord], link: &Traffic) -> Result<()> {
    println!();
    print_memory(program, story)?;
    println!(
        "{:<58}{:>10}{:>12}",
        "on the wire per call", "to server", "to device"
    );
    for (name, cost) in wire::costs(calls) {
        row(&format!("HTTP/2: {name}"), cost.up, cost.down);
    }
    let count = u64::try_from(calls.len()).unwrap_or(1).max(1);
    row(
        &format!("Ethernet: mean of all {count}, set-up and ACKs included"),
        link.wire_sent / count,
        link.wire_received / count,
    );
    Ok(())
}

/// A file to write the capture to, tried out before anything takes time.
///
/// # Errors
/// Nothing can be written there.
fn capture_file(workspace: &Workspace, wanted: Option<&Path>) -> Result<PathBuf> {
    let Some(wanted) = wanted else {
        return Ok(workspace.target.join("demo.pcap"));
    };
    File::create(wanted).with_context(|| {
        format!(
            "--pcap {0}: cannot be written; name a file in a folder that exists",
            wanted.display()
        )
    })?;
    Ok(std::path::absolute(wanted)?)
}

/// Long enough for the device to notice.
const OUTAGE: Duration = Duration::from_millis(300);
