//! A link for the blocking client, and a clock.

use std::cell::Cell;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use rpc_nostd::time::{Clock, Instant};

use super::Peer;

/// A clock that goes on by a millisecond whenever the client looks at it.
#[derive(Default)]
pub struct Ticking(Cell<u64>);

impl Clock for Ticking {
    fn now(&self) -> Instant {
        self.0.set(self.0.get() + 1);
        Instant::from_millis(self.0.get())
    }
}

/// A link to a peer that moves `piece` octets a call, and panics where it is read unready.
pub struct Wire {
    peer: Box<dyn Peer>,
    inbound: Vec<u8>,
    open: bool,
    piece: usize,
    pub unready_reads: bool,
}

impl Wire {
    pub fn new(mut peer: impl Peer + 'static, piece: usize) -> Self {
        let mut inbound = Vec::new();
        let open = peer.receive(&[], &mut inbound);
        Self {
            peer: Box::new(peer),
            inbound,
            open,
            piece,
            unready_reads: false,
        }
    }
}

impl ErrorType for Wire {
    type Error = ErrorKind;
}

impl ReadReady for Wire {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.inbound.is_empty() || !self.open)
    }
}

impl WriteReady for Wire {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}

impl Read for Wire {
    fn read(&mut self, to: &mut [u8]) -> Result<usize, ErrorKind> {
        if self.inbound.is_empty() && self.open {
            assert!(
                self.unready_reads,
                "read was called while nothing is there: it would block"
            );
            return Err(ErrorKind::TimedOut);
        }
        let count = to.len().min(self.piece).min(self.inbound.len());
        to[..count].copy_from_slice(&self.inbound[..count]);
        self.inbound.drain(..count);
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        if !self.open {
            return Err(ErrorKind::BrokenPipe);
        }
        let count = from.len().min(self.piece);
        self.open = self.peer.receive(&from[..count], &mut self.inbound);
        Ok(count)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
