//! Blocking sockets.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

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
        Self::new(TcpStream::connect(address)?)
    }

    /// Over a connection that is there.
    ///
    /// # Errors
    /// As for the host's sockets.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// Says that nothing more will be sent, and waits until the peer has closed, too, but not longer than `limit`.
    pub fn close(mut self, limit: Duration) {
        let end = Instant::now() + limit;
        // With octets unread, the host would reset the connection, and what was sent last could be lost.
        let mut rest = [0; 512];
        let mut peer_sends = self.stream.shutdown(Shutdown::Write).is_ok();
        while peer_sends && Instant::now() < end {
            let read = Read::read(&mut self, &mut rest);
            peer_sends = match read {
                Ok(count) => count > 0,
                Err(error) => error.kind() == ErrorKind::TimedOut,
            };
        }
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
