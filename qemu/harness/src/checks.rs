//! Tests of the machines, their drivers and this harness with the firmware `selftest`, and of devices that are called with
//! the firmware `telemetry-server`.

mod server;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::{End, Error, Machine, Outcome, Run, pcap};

pub use server::SERVER;

/// A check of one machine with an image.
pub struct Check {
    /// What it proves.
    pub name: &'static str,
    run: fn(Machine, &Path) -> Result<(), Error>,
}

impl Check {
    /// Runs it.
    ///
    /// # Errors
    /// What did not hold.
    pub fn run(&self, machine: Machine, elf: &Path) -> Result<(), Error> {
        (self.run)(machine, elf)
    }
}

/// The checks with `selftest`. None needs root, a resolver or the internet; each takes a second or two at most.
pub const ALL: [Check; 8] = [
    Check {
        name: "the log is decoded and exit code 0 is success",
        run: hello,
    },
    Check {
        name: "time passes no faster than here, and no timer fires early",
        run: clock,
    },
    Check {
        name: "DHCP, name resolution, TCP to the host; the capture shows it",
        run: connect,
    },
    Check {
        name: "a name that nobody knows: fall back to an address, loudly",
        run: fallback,
    },
    Check {
        name: "200 KB through the device and back, unchanged",
        run: echo,
    },
    Check {
        name: "200 KB from a host that calls the device",
        run: forwarded_echo,
    },
    Check {
        name: "failures speak with the firmware's own words",
        run: failures,
    },
    Check {
        name: "firmware that hangs is ended at the limit",
        run: hang,
    },
];

fn hello(machine: Machine, elf: &Path) -> Result<(), Error> {
    let outcome = run(Run::new(machine, elf).arg("run", "hello"))?;
    outcome.check()?;
    expect(
        outcome.value("hello ") == Some("from the firmware"),
        "the line is in the log",
        &outcome,
    )
}

fn clock(machine: Machine, elf: &Path) -> Result<(), Error> {
    let outcome = run(Run::new(machine, elf).arg("run", "clock").arg("ms", 500))?;
    outcome.check()?;
    // The device compares its clock with itself; that it does not run fast is for the host to see.
    expect(
        outcome.elapsed >= Duration::from_millis(500),
        format!("500 ms of the device are as much here, not {:?}", outcome.elapsed),
        &outcome,
    )
}

fn connect(machine: Machine, elf: &Path) -> Result<(), Error> {
    let (port, server) = serve(|mut stream| {
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        stream.write_all(format!("the host heard: {line}").as_bytes())?;
        Ok(line)
    })?;
    let file = scratch(machine, "connect.pcap");
    let outcome = run(Run::new(machine, elf)
        .arg("run", "connect")
        .arg("host", "telemetry.local")
        .arg("port", port)
        .name("telemetry.local", HOST)
        .pcap(&file))?;
    outcome.check()?;
    let line = joined(server)?;
    expect(line == "hello over TCP\n", "the host got the line", &outcome)?;
    expect(
        outcome.value("name resolution: ") == Some("telemetry.local is 10.0.2.2"),
        "the name was resolved",
        &outcome,
    )?;
    let traffic = pcap::traffic(&pcap::segments(&file)?, port);
    let both = (traffic.payload_sent, traffic.payload_received);
    expect(
        both == (15, 31),
        format!("the capture has 15 octets out and 31 in, not {both:?}"),
        &outcome,
    )?;
    std::fs::remove_file(&file).map_err(Error::at(file.display()))
}

fn fallback(machine: Machine, elf: &Path) -> Result<(), Error> {
    let (port, server) = serve(|mut stream| {
        stream.write_all(b"welcome\n")?;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest)?;
        Ok(())
    })?;
    // The literal stands for a host whose resolver is silent: a name of 64 letters cannot even be asked for.
    let outcome = run(Run::new(machine, elf)
        .arg("run", "connect")
        .arg("host", "x".repeat(64))
        .arg("fallback", HOST)
        .arg("port", port))?;
    outcome.check()?;
    joined(server)?;
    let warned = outcome
        .lines
        .iter()
        .any(|line| line.message.starts_with("NO NAME RESOLUTION"));
    expect(warned, "the log says that there was no name resolution", &outcome)
}

fn echo(machine: Machine, elf: &Path) -> Result<(), Error> {
    let (port, server) = serve(exchange)?;
    let outcome = run(Run::new(machine, elf)
        .arg("run", "echo")
        .arg("host", "telemetry.local")
        .arg("port", port)
        .name("telemetry.local", HOST))?;
    outcome.check()?;
    joined(server)
}

fn forwarded_echo(machine: Machine, elf: &Path) -> Result<(), Error> {
    let host_port = free_port()?;
    let (listening, wait_listening) = std::sync::mpsc::channel();
    let running = Run::new(machine, elf)
        .arg("run", "listen")
        .arg("port", 7)
        .forward(host_port, 7)
        .limit(LIMIT)
        .start(move |line| {
            if line.message.starts_with("listening") {
                // The receiver may have given up waiting.
                let _ = listening.send(());
            }
        })?;
    if wait_listening.recv_timeout(LIMIT).is_ok() {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, host_port));
        stream
            .and_then(exchange)
            .map_err(Error::at("calling the device"))?;
    }
    running.wait().check()
}

fn failures(machine: Machine, elf: &Path) -> Result<(), Error> {
    let cases = [
        ("fail", 1, "failed: failed as asked"),
        ("panic", 101, "panicked as asked: 42"),
        ("fault", 102, "HardFault at pc"),
        ("overflow", 102, "stack overflow"),
        ("nonsense", 1, "unknown value"),
    ];
    for (case, code, words) in cases {
        let outcome = run(Run::new(machine, elf).arg("run", case))?;
        expect(
            outcome.end == End::Exit(code),
            format!("{case} ends with {code}"),
            &outcome,
        )?;
        let text = outcome
            .check()
            .map_or_else(|error| error.to_string(), |()| String::new());
        expect(
            text.contains(words),
            format!("{case} says {words:?}: {text}"),
            &outcome,
        )?;
    }
    Ok(())
}

fn hang(machine: Machine, elf: &Path) -> Result<(), Error> {
    let limit = Duration::from_secs(1);
    let outcome = Run::new(machine, elf)
        .arg("run", "hang")
        .limit(limit)
        .start(|_| ())?
        .wait();
    expect(
        outcome.end == End::Limit(limit),
        "the run ends at its limit",
        &outcome,
    )
}

fn run(run: Run) -> Result<Outcome, Error> {
    Ok(run.limit(LIMIT).start(|_| ())?.wait())
}

fn expect(holds: bool, what: impl std::fmt::Display, outcome: &Outcome) -> Result<(), Error> {
    if holds {
        return Ok(());
    }
    let log: String = outcome.lines.iter().map(|line| format!("\n    {line}")).collect();
    Err(Error::new(format!(
        "{}: not true that {what}; {:?}, log:{log}",
        outcome.machine, outcome.end
    )))
}

type Server<T> = JoinHandle<std::io::Result<T>>;

/// Serves one connection on a free port of the loopback interface.
fn serve<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> std::io::Result<T> + Send + 'static,
) -> Result<(u16, Server<T>), Error> {
    let listen = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok((listener.local_addr()?, listener))
    };
    let listening: std::io::Result<(SocketAddr, TcpListener)> = listen();
    let (address, listener) = listening.map_err(Error::at("listening on 127.0.0.1"))?;
    let begin = Instant::now();
    let thread = std::thread::spawn(move || {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_read_timeout(Some(LIMIT))?;
                    return serve(stream);
                }
                Err(_) if begin.elapsed() < LIMIT => std::thread::sleep(Duration::from_millis(2)),
                Err(error) => return Err(error),
            }
        }
    });
    Ok((address.port(), thread))
}

fn joined<T>(server: Server<T>) -> Result<T, Error> {
    let result = server
        .join()
        .map_err(|_| Error::new("the host's side of the check panicked"))?;
    result.map_err(Error::at("the host's side of the check"))
}

/// Sends 200,000 octets while reading them back, and compares.
fn exchange(mut stream: TcpStream) -> std::io::Result<()> {
    // A sequence without period in the range of a window, so that a lost or doubled segment shows.
    let sent: Vec<u8> = (0_u32..200_000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut writer = stream.try_clone()?;
    let out = sent.clone();
    let writing = std::thread::spawn(move || {
        writer.write_all(&out)?;
        writer.shutdown(Shutdown::Write)
    });
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    writing
        .join()
        .map_err(|_| std::io::Error::other("writer panicked"))??;
    if received == sent {
        Ok(())
    } else {
        let same = received.iter().zip(&sent).take_while(|(a, b)| a == b).count();
        let text = format!(
            "{} octets came back for {}; the first {same} agree",
            received.len(),
            sent.len()
        );
        Err(std::io::Error::other(text))
    }
}

fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(Error::at("finding a free port"))
}

fn scratch(machine: Machine, name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("qemu-harness-{}-{machine}-{name}", std::process::id()))
}

/// This host, seen from the guest.
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
const LIMIT: Duration = Duration::from_secs(30);
