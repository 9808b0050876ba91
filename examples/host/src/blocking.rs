//! Without an executor: one loop for each side, over sockets that say at once whether there is anything.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use rpc_nostd::blocking::{Client, Transport};
use rpc_nostd::server::{BlockingServer, ServerConfig, ServerResources};
use rpc_nostd::{Config, Resources};
use rpc_nostd_examples::client::{Example, blocking};
use rpc_nostd_examples::greenhouse::GreenhouseClient;
use rpc_nostd_examples::{Say, service};
use rpc_nostd_tests_host::{HostClock, LoopClock};

/// Serves one client after the other, for ever.
///
/// # Errors
/// The server's memory is too small for HTTP/2, or nobody can connect any more.
pub fn serve(listener: &TcpListener, say: Say) -> Result<()> {
    let clock = LoopClock::start();
    let greenhouse = service::greenhouse(&clock, say);
    // 4 calls at once; requests up to 1,019 octets, a send buffer of 1 KiB, 256 octets of metadata.
    let mut resources = ServerResources::<1, 4, 1024, 1024, 256>::new();
    let mut server = BlockingServer::new(&mut resources, &greenhouse, &clock, &ServerConfig::new())?;
    loop {
        let (stream, _) = listener.accept()?;
        let mut socket = Socket::new(stream)?;
        let why = server.serve(&mut socket, &mut || true);
        say(format_args!("connection over: {why}"));
    }
}

/// Runs `examples` against the server at `address`.
///
/// # Errors
/// Names the example that failed.
pub fn call(address: SocketAddr, examples: &[Example], say: Say) -> Result<()> {
    let clock = HostClock::start();
    let authority = address.to_string();
    let mut resources = Resources::<1, 1024, 1024, 256, 256>::new();
    let socket = Socket::new(TcpStream::connect(address).context("the server cannot be reached")?)?;
    let client = Client::new(&mut resources, socket, &clock, Config::new(&authority))?;
    let mut client = GreenhouseClient::new(client);
    for example in examples {
        blocking::run(*example, &mut client, say).context(example.name())?;
    }
    Ok(())
}

/// A socket that never blocks: the transport of both sides.
struct Socket {
    stream: TcpStream,
}

impl Socket {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream })
    }
}

impl Transport for Socket {
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str> {
        unless_would_block(self.stream.read(to)).map_err(|_| "reading from the socket failed")
    }

    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str> {
        unless_would_block(self.stream.write(from)).map_err(|_| "writing to the socket failed")
    }

    fn idle(&mut self) {
        // A device would sleep until an interrupt.
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn unless_would_block(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
