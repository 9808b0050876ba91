//! The other way round: firmware that serves, and a gRPC client on this computer that calls it.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use qemu_harness::{Run, Running};

use crate::firmware::Program;
use crate::go::Peer;
use crate::story::{Mode, Story};
use crate::witness;

/// Boots `program`, lets grpc-go call it, and checks both sides' words. `on_line` gets each line of the device's log, of
/// the client's output, and who it is from.
///
/// # Errors
/// Something does not start or does not end well, or did not happen.
pub(crate) fn run(
    program: &Program,
    peer: &Peer,
    capture: Option<PathBuf>,
    on_line: &mut dyn FnMut(&str, &str),
) -> Result<Story> {
    let port = free_port()?;
    let (sender, lines) = channel();
    let device = boot(program, port, capture, sender.clone())?;
    let mut talk = Talk {
        story: Story::default(),
        lines,
        on_line,
        started: Instant::now(),
    };
    talk.until(|story| story.first("listening").is_some());
    let mut command = peer.command("client");
    command.arg(format!("127.0.0.1:{port}"));
    let client = call(command, sender)?;
    // Ends when both have ended, or at the limit.
    talk.until(|_| false);
    let story = talk.story;
    client.finish()?;
    device.wait().check()?;
    let mut complaints = story.complaints(Mode::Served);
    complaints.extend(witness::contradictions(&story, &story.calls()));
    if !complaints.is_empty() {
        bail!(
            "the device did not serve as it should:\n    {}",
            complaints.join("\n    ")
        );
    }
    Ok(story)
}

/// What both sides say, as it comes.
struct Talk<'l> {
    story: Story,
    lines: Receiver<(&'static str, String)>,
    on_line: &'l mut dyn FnMut(&str, &str),
    started: Instant,
}

impl Talk<'_> {
    fn until(&mut self, enough: impl Fn(&Story) -> bool) {
        while let Ok((who, line)) = self
            .lines
            .recv_timeout(LIMIT.saturating_sub(self.started.elapsed()))
        {
            self.story.hear(&line);
            (self.on_line)(who, &line);
            if enough(&self.story) {
                return;
            }
        }
    }
}

fn boot(
    program: &Program,
    port: u16,
    capture: Option<PathBuf>,
    lines: Sender<(&'static str, String)>,
) -> Result<Running> {
    let mut run = Run::new(program.machine, &program.elf)
        .arg("port", GUEST_PORT)
        .arg("calls", CALLS)
        .forward(port, GUEST_PORT)
        .limit(LIMIT);
    if let Some(capture) = capture {
        run = run.pcap(capture);
    }
    // The receiver is gone only if nobody waits any more.
    Ok(run.start(move |line| drop(lines.send(("device", line.to_string()))))?)
}

/// A client under way. Dropped, it is killed.
struct Client(Child);

impl Client {
    fn finish(mut self) -> Result<()> {
        let status = self.0.wait().context("the client on grpc-go")?;
        if !status.success() {
            bail!("the client on grpc-go ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Both fail only for a child that has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn call(mut command: Command, lines: Sender<(&'static str, String)>) -> Result<Client> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("the client on grpc-go")?;
    let stdout = child.stdout.take().context("no pipe from the client")?;
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if lines.send(("client", line)).is_err() {
                break;
            }
        }
    });
    Ok(Client(child))
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}

/// The firmware's program.
pub(crate) const PROGRAM: &str = "telemetry-server";
/// Where the device listens.
const GUEST_PORT: u16 = 50_051;
/// After so many the device shuts down: as many as the client makes.
const CALLS: u32 = 7;
/// A run takes two seconds.
const LIMIT: Duration = Duration::from_secs(60);
