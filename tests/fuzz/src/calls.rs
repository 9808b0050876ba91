//! The streams of `end_to_end` as their applications see them: what was received must be what was sent.

use h2_lite::{Event, Section, StreamKey};

/// A stream as its application sees it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Call {
    pub(crate) key: Option<StreamKey>,
    pub(crate) begun: bool,
    pub(crate) ended: bool,
    pub(crate) peer_ended: bool,
    pub(crate) received: u32,
    pub(crate) unread: u32,
}

impl Call {
    /// Whether the stream may be over without a word: a client with a complete response is not told that the server reads
    /// no more of its request.
    pub(crate) fn may_be_over(&self, side: usize) -> bool {
        self.key.is_none() || (side == 0 && self.peer_ended)
    }

    pub(crate) fn forget_if_over(&mut self) {
        if self.ended && self.peer_ended {
            self.key = None;
        }
    }

    fn peer_ends(&mut self, sent: u32) {
        assert!(!self.peer_ended, "it ended twice");
        assert_eq!(self.received, sent, "octets were lost");
        self.peer_ended = true;
        self.forget_if_over();
    }
}

/// What an application makes of an event. `sent`: what the peer has sent, by stream.
pub(crate) fn note(event: Event<'_>, side: usize, calls: &mut [Call], sent: &[u32]) {
    match event {
        Event::HeadersEnd {
            stream,
            section,
            end_stream,
            skipped,
        } => {
            assert_eq!(skipped, 0);
            let call = &mut calls[usize::from(stream.slot)];
            if side == 1 && section == Section::Headers {
                assert!(call.key.is_none(), "the slot was in use");
                *call = Call {
                    key: Some(stream),
                    ..Call::default()
                };
            }
            assert_eq!(call.key, Some(stream));
            if end_stream {
                call.peer_ends(sent[number(stream)]);
            }
        }
        Event::Data {
            stream,
            bytes,
            end_stream,
        } => {
            let call = &mut calls[usize::from(stream.slot)];
            assert_eq!(call.key, Some(stream));
            for octet in bytes {
                assert_eq!(*octet, content(1 - side, call.received), "octets out of order");
                call.received += 1;
            }
            call.unread += bytes.len() as u32;
            if end_stream {
                call.peer_ends(sent[number(stream)]);
            }
        }
        Event::Reset { stream, .. } => {
            let call = &mut calls[usize::from(stream.slot)];
            assert_eq!(call.key, Some(stream));
            call.key = None;
        }
        _ => {}
    }
}

/// Of the octet at place `at` that a side sends on any stream.
pub(crate) fn content(side: usize, at: u32) -> u8 {
    (at.wrapping_mul(7) >> 1) as u8 ^ side as u8
}

/// Streams are counted by twos.
pub(crate) fn number(key: StreamKey) -> usize {
    key.id.value() as usize / 2
}
