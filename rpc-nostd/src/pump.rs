//! The blocking driver: one turn of writing and reading. It knows no protocol, and which side this is.

use core::ops::Range;

use h2_lite::Instant;

use crate::endpoint::Endpoint;
use crate::transport::blocking::Transport;

/// What has been read and not handled yet.
#[derive(Debug)]
pub(crate) struct Pump<'c> {
    chunk: &'c mut [u8],
    /// Octets of `chunk` that wait until output is flushed.
    unread: Range<usize>,
}

impl<'c> Pump<'c> {
    /// `chunk` is what is read at once.
    pub(crate) const fn new(chunk: &'c mut [u8]) -> Self {
        Self { chunk, unread: 0..0 }
    }

    /// Forgets what an earlier transport brought.
    pub(crate) const fn clear(&mut self) {
        self.unread = 0..0;
    }

    /// Writes and reads once, without waiting. Returns whether anything moved.
    ///
    /// # Errors
    /// The connection is over, and why.
    pub(crate) fn turn<'r>(
        &mut self,
        endpoint: &mut (dyn Endpoint<'r> + 'r),
        transport: &mut dyn Transport,
        now: Instant,
    ) -> Result<bool, &'static str> {
        // A failure leaves a GOAWAY to write; then the connection is finished.
        let failed = !endpoint.handle_timeout(now);
        let wrote = write(endpoint, transport, now)?;
        if failed && !wrote || endpoint.is_finished(now) {
            return Err(endpoint.end_reason());
        }
        let read = self.read(endpoint, transport, now)?;
        Ok(wrote || read)
    }

    fn read<'r>(
        &mut self,
        endpoint: &mut (dyn Endpoint<'r> + 'r),
        transport: &mut dyn Transport,
        now: Instant,
    ) -> Result<bool, &'static str> {
        if !endpoint.wants_input() {
            return Ok(false);
        }
        if self.unread.is_empty() {
            match transport.try_read(self.chunk)? {
                Some(0) => return Err("the peer closed the connection"),
                Some(read) => self.unread = 0..read,
                None => return Ok(false),
            }
        }
        let input = self.chunk.get(self.unread.clone()).unwrap_or_default();
        // A failure is found again by the next turn, which writes the GOAWAY.
        let left = endpoint.handle_input(input, now).map_or(0, <[u8]>::len);
        self.unread.start = self.unread.end.saturating_sub(left);
        Ok(true)
    }
}

/// Writes once, as much as the transport takes. Returns whether that was anything.
///
/// # Errors
/// What the transport says of a write that failed.
pub(crate) fn write<'r>(
    endpoint: &mut (dyn Endpoint<'r> + 'r),
    transport: &mut dyn Transport,
    now: Instant,
) -> Result<bool, &'static str> {
    let Some(transmit) = endpoint.take_transmit(now) else {
        return Ok(false);
    };
    let result = transport.try_write(transmit.bytes());
    let written = result.unwrap_or_default().unwrap_or_default();
    endpoint.give_back(transmit, written, now);
    result.map(|_| written > 0)
}
