//! `cargo xtask examples`: the examples' client and server on this computer and on both emulated machines, each with each.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use qemu_harness::{LogLine, Machine, Outcome, Run, Running, Sizes};

use crate::device::HOST_ADDRESS;
use crate::firmware::{self, Program};
use crate::workspace::Workspace;
use crate::{process, qemu};

/// Sets up what is missing, runs all pairings and shows what they say.
///
/// # Errors
/// Something cannot be set up, or an example failed; the message is its own.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    println!("==> The emulator that stands in for a board");
    qemu::ensure()?;
    println!("\n==> The examples for this computer");
    process::run(workspace.cargo().args(["build", "--package", HOST_PACKAGE]))?;
    let host = Host {
        program: workspace.target.join("debug").join(HOST_PACKAGE),
    };
    println!("\n==> The examples as firmware");
    let programs = Machine::ALL.map(|machine| firmware::build(workspace, machine, FIRMWARE));
    let programs = programs.into_iter().collect::<Result<Vec<_>>>()?;

    println!("\n==> This computer calls this computer");
    host_calls_host(&host, &[])?;
    println!("\n==> The same without an executor on either side");
    host_calls_host(&host, &["--blocking"])?;
    let mut figures = Vec::new();
    for program in &programs {
        println!("\n==> {} calls this computer", program.machine);
        let client_peak = device_calls_host(&host, program)?;
        println!("\n==> This computer calls {}", program.machine);
        let server_peak = host_calls_device(&host, program)?;
        figures.push((program, client_peak, server_peak));
    }
    print_figures(&figures)?;
    println!("\nAll pairings went well.");
    Ok(())
}

fn host_calls_host(host: &Host, options: &[&str]) -> Result<()> {
    let server = host.serve(options)?;
    host.call(server.port, options)
}

/// Returns the peak of the device's stack, in octets.
fn device_calls_host(host: &Host, program: &Program) -> Result<u64> {
    let server = host.serve(&[])?;
    let run = Run::new(program.machine, &program.elf)
        .arg("role", "client")
        .arg("host", HOST_ADDRESS)
        .arg("port", server.port)
        .limit(LIMIT);
    let outcome = run.start(|line| show("device client", line))?.wait();
    outcome.check()?;
    stack_peak(&outcome)
}

/// As [`device_calls_host`].
fn host_calls_device(host: &Host, program: &Program) -> Result<u64> {
    let port = free_port()?;
    let device = boot_server(program, port)?;
    host.call(port, &[])?;
    let outcome = device.stop();
    if let Some(line) = outcome.last_error() {
        bail!("{}: the firmware says: {}", program.machine, line.message);
    }
    stack_peak(&outcome)
}

/// Boots and waits until the device listens; `port` of this computer is forwarded to it.
fn boot_server(program: &Program, port: u16) -> Result<Running> {
    let run = Run::new(program.machine, &program.elf)
        .arg("role", "server")
        .arg("port", GUEST_PORT)
        .forward(port, GUEST_PORT)
        .limit(LIMIT);
    let (sender, listening) = channel();
    let running = run.start(move |line| {
        show("device server", line);
        if line.message.starts_with(LISTENING) {
            // The receiver waits for the first of these only.
            let _ = sender.send(());
        }
    })?;
    if listening.recv_timeout(PATIENCE).is_ok() {
        return Ok(running);
    }
    let outcome = running.stop();
    outcome.check()?;
    bail!("{}: the device does not listen", program.machine)
}

fn show(who: &str, line: &LogLine) {
    if let Some(text) = line.message.strip_prefix(PREFIX) {
        println!("{who}: {text}");
    }
}

/// The last one that the firmware logged.
fn stack_peak(outcome: &Outcome) -> Result<u64> {
    let mut peaks = outcome
        .lines
        .iter()
        .rev()
        .filter_map(|line| peak_in(&line.message));
    peaks
        .next()
        .context("the firmware does not say how much stack it used")
}

fn peak_in(message: &str) -> Option<u64> {
    let rest = message.strip_prefix("stack: peak=")?;
    rest.split(' ').next()?.parse().ok()
}

/// From the server's first line.
fn port_in(line: &str) -> Option<u16> {
    line.strip_prefix("server: listening on 127.0.0.1:")?.parse().ok()
}

fn print_figures(figures: &[(&Program, u64, u64)]) -> Result<()> {
    let row = |what: &str, cells: [String; 4]| {
        let [flash, ram, client, server] = cells;
        println!("{what:<20}{flash:>10}{ram:>14}{client:>16}{server:>16}");
    };
    println!();
    let heads = ["flash", "static RAM", "client's stack", "server's stack"];
    row("octets", heads.map(str::to_owned));
    for (program, client, server) in figures {
        let sizes = Sizes::of(&program.elf)?;
        let cells = [sizes.flash, sizes.static_ram, *client, *server];
        row(program.machine.name(), cells.map(|octets| octets.to_string()));
    }
    Ok(())
}

/// The examples' program for this computer.
struct Host {
    program: PathBuf,
}

impl Host {
    /// Starts a server and waits until it listens.
    fn serve(&self, options: &[&str]) -> Result<HostServer> {
        let mut command = Command::new(&self.program);
        command.args(["server", "--port", "0"]).args(options);
        let (child, lines) = start(&mut command)?;
        let mut server = HostServer { child, port: 0 };
        let said = lines.recv_timeout(PATIENCE).unwrap_or_default();
        let port = port_in(&said);
        server.port =
            port.with_context(|| format!("the server said {said:?} instead of where it listens"))?;
        Ok(server)
    }

    /// Runs all examples against the server on `port` of this computer.
    fn call(&self, port: u16, options: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        command
            .arg("client")
            .arg(format!("--server=127.0.0.1:{port}"))
            .args(options);
        let (mut child, lines) = start(&mut command)?;
        // Until it closes its output. Each call in it has a deadline.
        lines.iter().for_each(drop);
        let status = child.wait()?;
        ensure!(status.success(), "the client on this computer failed: {status}");
        Ok(())
    }
}

/// A server on this computer. Dropped, it is killed.
struct HostServer {
    child: Child,
    port: u16,
}

impl Drop for HostServer {
    fn drop(&mut self) {
        // Both fail only for a child that has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts one of this computer's programs. Its lines are shown, and are in the receiver too.
fn start(command: &mut Command) -> Result<(Child, Receiver<String>)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", process::line(command)))?;
    let stdout: ChildStdout = child.stdout.take().context("no pipe from the program")?;
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            println!("host {line}");
            // Nobody listens to a server any more once it has said where it is.
            let _ = sender.send(line);
        }
    });
    Ok((child, lines))
}

/// A port that nobody listens on.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

const HOST_PACKAGE: &str = "rpc-nostd-examples-host";
const FIRMWARE: &str = "greenhouse";
const GUEST_PORT: u16 = 50051;

/// What the firmware's lines of interest begin with.
const PREFIX: &str = "examples: ";
const LISTENING: &str = "examples: listening";

/// For a program to listen: it takes a second or two.
const PATIENCE: Duration = Duration::from_secs(30);

/// A run takes some seconds.
const LIMIT: Duration = Duration::from_secs(90);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_in_reads_the_firmwares_line_only() {
        assert_eq!(peak_in("stack: peak=6832 size=12288"), Some(6832));
        assert_eq!(peak_in("examples: stack: peak=1 size=2"), None);
    }

    #[test]
    fn port_in_reads_the_servers_line_only() {
        assert_eq!(port_in("server: listening on 127.0.0.1:50051"), Some(50051));
        assert_eq!(port_in("server: GetReading: basil:7"), None);
    }

    #[test]
    fn call_without_a_server_is_error() {
        let host = Host {
            program: "false".into(),
        };
        assert!(host.call(1, &[]).is_err());
    }

    #[test]
    fn serve_by_a_program_that_says_nothing_is_error() {
        let host = Host {
            program: "true".into(),
        };
        assert!(host.serve(&[]).is_err());
    }
}
