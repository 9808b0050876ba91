//! What a driver sees of a connection, whichever side of it this is.

use core::task::Waker;

use h2_lite::{Instant, Transmit};

/// One side of a connection, sans-IO: the drivers move its octets and tell it the time.
pub(crate) trait Endpoint<'r> {
    /// Whom to wake when there is something to write, or to do.
    fn set_driver(&mut self, waker: &Waker);

    /// Takes octets from the transport until they are used up, or something must be done first. Returns what is left
    /// of them; `None`: the connection has failed. Its GOAWAY can still be written; then it is finished.
    fn handle_input<'i>(&mut self, input: &'i [u8], now: Instant) -> Option<&'i [u8]>;

    /// Whether the transport may be read.
    fn wants_input(&self) -> bool;

    /// Lends the send buffer to the driver, if something is to be written.
    fn take_transmit(&mut self, now: Instant) -> Option<Transmit<'r>>;

    /// Takes the send buffer back; `written` octets of it are on their way.
    fn give_back(&mut self, transmit: Transmit<'r>, written: usize, now: Instant);

    /// When [`Self::handle_timeout`] is due.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Does what is due. False: a time limit of the connection has passed, and it has failed.
    fn handle_timeout(&mut self, now: Instant) -> bool;

    /// Whether the connection is of no more use: close the transport.
    fn is_finished(&mut self, now: Instant) -> bool;

    /// Whether the connection is given up even if the write under way does not end.
    fn is_given_up(&mut self, now: Instant) -> bool;

    /// Why the connection ended.
    fn end_reason(&self) -> &'static str;
}
