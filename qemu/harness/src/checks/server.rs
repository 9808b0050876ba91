//! Connections to a device that serves, below gRPC: how they come, how many there may be, and how they go.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::{Check, LIMIT, expect, free_port};
use crate::{End, Error, Machine, Outcome, Run, Running};

/// The checks with `telemetry-server`. None needs gRPC on this host.
pub const SERVER: [Check; 3] = [
    Check {
        name: "a device serves one client after the other, whether they leave politely or not",
        run: one_after_the_other,
    },
    Check {
        name: "a device serves as many clients at once as it has places, and refuses one more",
        run: at_once,
    },
    Check {
        name: "a device that serves for ever is ended by its host",
        run: stopped,
    },
];

fn one_after_the_other(machine: Machine, elf: &Path) -> Result<(), Error> {
    let device = Device::boot(machine, elf)?;
    for client in 0..3 * PLACES {
        let mut stream = device.wait_for_place()?;
        if client % 2 == 0 {
            stream
                .write_all(&frame(GOAWAY, &[0; 8]))
                .map_err(Error::at("GOAWAY"))?;
        }
    }
    device.stop().map(drop)
}

fn at_once(machine: Machine, elf: &Path) -> Result<(), Error> {
    let device = Device::boot(machine, elf)?;
    let mut clients = Vec::new();
    for _ in 0..PLACES {
        clients.push(device.wait_for_place()?);
    }
    if device.connect().is_ok() {
        return Err(Error::new(format!(
            "{machine}: a client more than there are places was served"
        )));
    }
    clients.pop();
    clients.push(device.wait_for_place()?);
    // Those that stayed are still served.
    for client in &mut clients {
        let answer = ping(client).map_err(Error::at("PING"))?;
        if answer != b"12345678" {
            return Err(Error::new(format!(
                "{machine}: a PING was answered by {answer:?}"
            )));
        }
    }
    device.stop().map(drop)
}

fn stopped(machine: Machine, elf: &Path) -> Result<(), Error> {
    let device = Device::boot(machine, elf)?;
    let client = device.wait_for_place()?;
    let outcome = device.stop()?;
    drop(client);
    expect(
        outcome.end == End::Stopped,
        "it ran until it was stopped",
        &outcome,
    )
}

/// A device that serves.
struct Device {
    running: Running,
    port: u16,
}

impl Device {
    fn boot(machine: Machine, elf: &Path) -> Result<Self, Error> {
        let port = free_port()?;
        let (listening, wait_listening) = channel();
        let running = Run::new(machine, elf)
            .arg("port", GUEST_PORT)
            .forward(port, GUEST_PORT)
            .limit(LIMIT)
            .start(move |line| {
                if line.message.starts_with("demo: listening") {
                    // The receiver may have given up waiting.
                    let _ = listening.send(());
                }
            })?;
        match wait_listening.recv_timeout(LIMIT) {
            Ok(()) => Ok(Self { running, port }),
            Err(_) => Err(running
                .stop()
                .check()
                .map_or_else(|error| error, |()| Error::new("it ended"))),
        }
    }

    /// A client that has the device's SETTINGS.
    fn connect(&self) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(PREFACE)?;
        stream.write_all(&frame(SETTINGS, &[]))?;
        read_frame(&mut stream, SETTINGS)?;
        Ok(stream)
    }

    /// A device that has just lost a client needs a moment until it listens again.
    fn wait_for_place(&self) -> Result<TcpStream, Error> {
        let begin = Instant::now();
        loop {
            match self.connect() {
                Ok(stream) => return Ok(stream),
                Err(_) if begin.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(Error::at("calling the device")(error)),
            }
        }
    }

    fn stop(self) -> Result<Outcome, Error> {
        let outcome = self.running.stop();
        expect(outcome.last_error().is_none(), "it logged no error", &outcome)?;
        Ok(outcome)
    }
}

fn ping(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    stream.write_all(&frame(PING, b"12345678"))?;
    read_frame(stream, PING)
}

/// A frame of the connection, without flags. Spec: RFC 9113 section 4.1.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0, 0, payload.len() as u8, kind, 0, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// The payload of the next frame of this kind.
fn read_frame(stream: &mut TcpStream, wanted: u8) -> std::io::Result<Vec<u8>> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [_, high, low, kind, ..] = head;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        stream.read_exact(&mut payload)?;
        match kind {
            _ if kind == wanted => return Ok(payload),
            GOAWAY => return Err(ErrorKind::ConnectionAborted.into()),
            _ => {}
        }
    }
}

/// Connections of the firmware `telemetry-server`.
const PLACES: usize = 2;
const GUEST_PORT: u16 = 50_051;
/// The device gives the end of a connection a second.
const PATIENCE: Duration = Duration::from_secs(5);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
