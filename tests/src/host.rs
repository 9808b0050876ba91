//! What our clients need to run on this host: TCP sockets as their transports, the host's clock as theirs.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::task::Waker;
use std::time::{Duration, Instant as HostInstant};

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};
use embedded_io_adapters::tokio_1::FromTokio;
use rpc_nostd::time::{Clock, Instant, Timer};
use rpc_nostd::transport::asynch::{Connector, Duplex};
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// The host's clock, from the moment it was made; wakes tasks through tokio.
#[derive(Debug)]
pub struct HostClock {
    zero: HostInstant,
}

impl HostClock {
    /// Begins at 0 ms.
    pub fn start() -> Self {
        Self {
            zero: HostInstant::now(),
        }
    }
}

impl Clock for HostClock {
    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.zero.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl Timer for HostClock {
    fn wake_at(&self, at: Instant, waker: &Waker) {
        let due = self.zero + Duration::from_millis(at.as_millis());
        let waker = waker.clone();
        tokio::spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            waker.wake();
        });
    }
}

/// Connects the async channel by tokio's TCP.
#[derive(Clone, Copy, Debug)]
pub struct TokioConnector {
    /// Where the server listens.
    pub address: SocketAddr,
}

impl Connector for TokioConnector {
    type Connection<'c> = TokioConnection;

    fn connect(&mut self) -> impl Future<Output = Result<Self::Connection<'_>, &'static str>> {
        let address = self.address;
        async move {
            let stream = tokio::net::TcpStream::connect(address).await;
            let stream = stream.map_err(|_| "the server refuses the connection")?;
            stream.set_nodelay(true).map_err(|_| "no TCP_NODELAY")?;
            Ok(TokioConnection { stream })
        }
    }
}

/// A connection that [`TokioConnector`] made.
#[derive(Debug)]
pub struct TokioConnection {
    stream: tokio::net::TcpStream,
}

impl Duplex for TokioConnection {
    type Reader<'h> = FromTokio<ReadHalf<'h>>;
    type Writer<'h> = FromTokio<WriteHalf<'h>>;

    fn split(&mut self) -> (Self::Reader<'_>, Self::Writer<'_>) {
        let (reader, writer) = self.stream.split();
        (FromTokio::new(reader), FromTokio::new(writer))
    }
}

/// A socket for `rpc_nostd::blocking::Polled`: it says whether it is ready, and is not asked otherwise.
#[derive(Debug)]
pub struct ReadySocket {
    stream: TcpStream,
}

impl ReadySocket {
    /// Connects.
    ///
    /// # Errors
    /// As for the host's sockets.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream })
    }
}

impl ErrorType for ReadySocket {
    type Error = io::Error;
}

impl Read for ReadySocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // A driver that calls this unready gets WouldBlock, and the test that uses it fails.
        io::Read::read(&mut self.stream, buf)
    }
}

impl ReadReady for ReadySocket {
    fn read_ready(&mut self) -> io::Result<bool> {
        is_ready(self.stream.peek(&mut [0]).map(|_| ()))
    }
}

impl Write for ReadySocket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut self.stream, buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteReady for ReadySocket {
    fn write_ready(&mut self) -> io::Result<bool> {
        // The host's send buffer is larger than anything that our clients have in flight.
        Ok(true)
    }
}

fn is_ready(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// A socket for `rpc_nostd::blocking::Timed`: its calls give up after 5 ms with `TimedOut`.
#[derive(Debug)]
pub struct ImpatientSocket {
    stream: TcpStream,
}

impl ImpatientSocket {
    /// Connects.
    ///
    /// # Errors
    /// As for the host's sockets.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }
}

impl ErrorType for ImpatientSocket {
    type Error = io::Error;
}

impl Read for ImpatientSocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut self.stream, buf).map_err(timed_out)
    }
}

impl Write for ImpatientSocket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut self.stream, buf).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Unix says `WouldBlock` when a socket's time is over, other systems `TimedOut`.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock {
        ErrorKind::TimedOut.into()
    } else {
        error
    }
}

const PATIENCE: Duration = Duration::from_millis(5);
