//! Transports for the [`blocking::Client`](crate::client::blocking::Client): octets now, or not yet.

use embedded_io::{Error, ErrorKind, Read, ReadReady, Write, WriteReady};

/// A transport whose calls return at once, or within a short time that bounds how late a deadline can be noticed.
pub trait Transport {
    /// Reads what has arrived. `Some(0)`: the peer has closed; `None`: nothing has arrived yet.
    ///
    /// # Errors
    /// What went wrong, in a few words that a call's status will carry.
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str>;

    /// Writes what can be written now; `None` if that is nothing.
    ///
    /// # Errors
    /// As for [`Self::try_read`].
    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str>;

    /// Nothing could be read or written: a place to sleep until an interrupt, or for a moment.
    fn idle(&mut self) {}
}

/// Over `embedded-io`'s [`ReadReady`] and [`WriteReady`]: `read` and `write` are called only when they will
/// not block.
#[derive(Debug)]
pub struct Polled<T>(pub T);

impl<T: Read + Write + ReadReady + WriteReady> Transport for Polled<T> {
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str> {
        if !self.0.read_ready().map_err(|_| READ_FAILED)? {
            return Ok(None);
        }
        self.0.read(to).map(Some).map_err(|_| READ_FAILED)
    }

    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str> {
        if !self.0.write_ready().map_err(|_| WRITE_FAILED)? {
            return Ok(None);
        }
        let written = self.0.write(from).map_err(|_| WRITE_FAILED)?;
        self.0.flush().map_err(|_| WRITE_FAILED)?;
        Ok(Some(written))
    }
}

/// Over a transport whose calls give up after a short time of its own and then return
/// [`ErrorKind::TimedOut`]. A `flush` that gives up must have kept nothing back: it is not called again before
/// the next write. That time is how late a deadline can be noticed: 1 to 50 ms is right.
#[derive(Debug)]
pub struct Timed<T>(pub T);

impl<T: Read + Write> Transport for Timed<T> {
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str> {
        unless_timed_out(self.0.read(to), READ_FAILED)
    }

    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str> {
        let written = unless_timed_out(self.0.write(from), WRITE_FAILED)?;
        if written.is_some() {
            unless_timed_out(self.0.flush().map(|()| 0), WRITE_FAILED)?;
        }
        Ok(written)
    }
}

fn unless_timed_out<E: Error>(
    result: Result<usize, E>,
    failed: &'static str,
) -> Result<Option<usize>, &'static str> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => Ok(None),
        Err(_) => Err(failed),
    }
}

const READ_FAILED: &str = "reading from the transport failed";
const WRITE_FAILED: &str = "writing to the transport failed";
