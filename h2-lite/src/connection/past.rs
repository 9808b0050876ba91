//! Streams of the peer that are over. Nothing is kept of each, but what tells a late frame from a wrong one.
//!
//! Spec: RFC 9113 sections 5.1 (closed), 5.1.1 and 5.4.2.

use crate::config::Role;
use crate::connection::{Connection, role};
use crate::frame::{ErrorCode, FrameError, Kind, StreamId};

/// The last streams that we reset ourselves: their peer may send on until it has read our RST_STREAM.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnResets {
    /// Free places hold 0.
    ring: [StreamId; REMEMBERED],
    /// Where the next one goes.
    next: u8,
    /// The highest stream that fell out of the ring: up to here nothing is certain any more, so all is dropped.
    forgotten: StreamId,
}

impl OwnResets {
    pub(super) const NONE: Self = Self {
        ring: [StreamId::CONNECTION; REMEMBERED],
        next: 0,
        forgotten: StreamId::CONNECTION,
    };

    /// RST_STREAM was sent, or is owed, on `id`.
    pub(super) fn remember(&mut self, id: StreamId) {
        if let Some(place) = self.ring.get_mut(usize::from(self.next)) {
            self.forgotten = self.forgotten.max(core::mem::replace(place, id));
        }
        self.next = self.next.saturating_add(1);
        if usize::from(self.next) >= REMEMBERED {
            self.next = 0;
        }
    }

    /// True if we reset `id`, as far as is remembered.
    fn may_hold(&self, id: StreamId) -> bool {
        id <= self.forgotten || self.ring.contains(&id)
    }
}

impl Connection<'_> {
    /// DATA or HEADERS came for a stream that is not idle and has no slot.
    ///
    /// A client drops them. So does a server where the peer could not know better: on streams that we reset ("MUST
    /// minimally process and then discard any frames it receives in this state", 5.1) and on those above the last stream
    /// of our GOAWAY (6.8). On others the peer had its say: END_STREAM or RST_STREAM.
    ///
    /// # Errors
    /// STREAM_CLOSED; PROTOCOL_ERROR for HEADERS below the highest stream, which may be a new stream whose identifier
    /// does not increase (5.1.1).
    pub(super) fn check_past(&self, id: StreamId, kind: Kind) -> Result<(), FrameError> {
        let ignored = self.own_last.is_some_and(|last| id > last);
        // Spec: h2-5.4.2-in-flight, h2-6.8-accounting
        let excused = ignored || self.own_resets.may_hold(id);
        if self.role == Role::Client || !role::peer_may_open(self.role, id) || excused {
            return Ok(());
        }
        // Spec: h2-5.1.1-decreasing, h2-5.1.1-highest-again, h2-5.1-closed-arrivals
        let (code, reason) = if kind == Kind::HEADERS && id < self.highest_peer_id {
            (ErrorCode::PROTOCOL_ERROR, "stream identifier does not increase")
        } else {
            (ErrorCode::STREAM_CLOSED, "frame on a stream that is over")
        };
        Err(FrameError::connection(code, reason))
    }
}

/// Places of the ring.
const REMEMBERED: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_below_a_forgotten_one_are_taken_for_reset_5_4_2() {
        let mut resets = OwnResets::NONE;
        assert!(!resets.may_hold(StreamId::new(1)));
        for id in [3, 9, 5, 11, 13, 15, 17, 19] {
            resets.remember(StreamId::new(id));
        }
        let held = |resets: &OwnResets, ids: &[u32]| ids.iter().all(|id| resets.may_hold(StreamId::new(*id)));
        assert!(held(&resets, &[3, 9, 19]) && !resets.may_hold(StreamId::new(1)));
        resets.remember(StreamId::new(21));
        assert!(held(&resets, &[1, 3, 5, 21]) && !resets.may_hold(StreamId::new(7)));
        resets.remember(StreamId::new(23));
        assert!(held(&resets, &[7, 9, 23]) && !resets.may_hold(StreamId::new(25)));
        resets.remember(StreamId::new(25));
        assert!(held(&resets, &[5, 9]), "what is forgotten does not shrink");
    }
}
