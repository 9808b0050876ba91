//! What the application does to a stream beside sending: credit and reset.

use crate::connection::Connection;
use crate::event::StreamKey;
use crate::frame::ErrorCode;
use crate::stream::Flag;

impl Connection<'_> {
    /// Octets of the stream's DATA are consumed (or were padding): credit that is due once half the window is free.
    pub(super) fn release(&mut self, key: StreamKey, octets: u32) {
        let half = self.config.initial_window_size.checked_div(2).unwrap_or(0).max(1);
        let Some(stream) = self.store.get_mut(key) else {
            return;
        };
        let octets = octets.min(stream.unread);
        stream.unread = stream.unread.saturating_sub(octets);
        stream.released = stream.released.saturating_add(octets);
        if stream.released >= half && stream.state.can_receive() {
            stream.set(Flag::CreditDue);
        }
        self.ledger.forgive(octets);
    }

    /// The application needs `octets` more of this stream before it can consume any.
    pub(super) fn require(&mut self, key: StreamKey, octets: u32) {
        let Some(stream) = self.store.get_mut(key) else {
            return;
        };
        if stream.released > 0 && stream.receive_window.available() < octets && stream.state.can_receive() {
            stream.set(Flag::CreditDue);
        }
    }

    pub(super) fn reset_by_application(&mut self, key: StreamKey, code: ErrorCode) -> bool {
        let failed = self.error.is_some();
        let Some(stream) = self.store.get_mut(key) else {
            return false;
        };
        if stream.has(Flag::ResetOwed) && !failed {
            return false;
        }
        // A stream that the peer's GOAWAY left unprocessed is over there already.
        if failed || stream.has(Flag::Refused) {
            self.release_slot(key);
            return false;
        }
        stream.owe_reset(code);
        self.forgive_unread(key);
        self.flush_owed();
        true
    }

    /// What the application will not read any more is no overhead any more.
    pub(super) fn forgive_unread(&mut self, key: StreamKey) {
        let Some(stream) = self.store.get_mut(key) else {
            return;
        };
        let unread = core::mem::take(&mut stream.unread);
        self.ledger.forgive(unread);
    }

    /// The stream is over and forgotten.
    pub(super) fn release_slot(&mut self, key: StreamKey) {
        self.forgive_unread(key);
        self.store.free(key);
    }
}
