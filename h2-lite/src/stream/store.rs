//! Stream slots: a fixed, lent array, looked up by identifier. Takes no side: either role may open a stream.

use super::{State, Window};
use crate::event::StreamKey;
use crate::frame::{ErrorCode, StreamId};

/// One stream slot. Make an array of them with [`Stream::new`] and lend it in
/// [`Memory`](crate::Memory); the rest is the connection's business.
#[derive(Debug)]
pub struct Stream {
    /// The stream in this slot; 0 if it is free.
    pub(crate) id: StreamId,
    pub(crate) state: State,
    flags: u8,
    /// What we may send.
    pub(crate) send_window: Window,
    /// What the peer may send.
    pub(crate) receive_window: Window,
    /// Octets received and not yet released by the application.
    pub(crate) unread: u32,
    /// Octets released and not yet credited to the peer.
    pub(crate) released: u32,
    /// What the owed RST_STREAM says, while `Flag::ResetOwed` is set.
    pub(crate) reset_code: ErrorCode,
    /// Octets of content still to come, while `Flag::ContentLength` is set.
    pub(crate) content_left: u64,
}

impl Stream {
    /// A free slot.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            id: StreamId::CONNECTION,
            state: State::Idle,
            flags: 0,
            send_window: Window::DEFAULT,
            receive_window: Window::DEFAULT,
            unread: 0,
            released: 0,
            reset_code: ErrorCode::NO_ERROR,
            content_left: 0,
        }
    }

    pub(crate) const fn has(&self, flag: Flag) -> bool {
        self.flags & flag.bit() != 0
    }

    pub(crate) const fn set(&mut self, flag: Flag) {
        self.flags |= flag.bit();
    }

    pub(crate) const fn clear(&mut self, flag: Flag) {
        self.flags &= !flag.bit();
    }

    pub(crate) const fn is_free(&self) -> bool {
        self.id.is_connection()
    }

    /// What is left of the slot when its stream is over.
    const fn cleared(&self) -> Self {
        Self {
            flags: self.flags & Flag::Reserved.bit(),
            ..Self::new()
        }
    }

    /// The application still hears of this stream: neither side has reset it.
    pub(crate) const fn is_live(&self) -> bool {
        !self.is_free() && !self.has(Flag::ResetOwed) && !self.has(Flag::Refused)
    }

    /// RST_STREAM is to be sent; nothing more is reported or sent.
    pub(crate) const fn owe_reset(&mut self, code: ErrorCode) {
        self.reset_code = code;
        self.set(Flag::ResetOwed);
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self::new()
    }
}

/// Facts about a stream beside its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    /// The final (not interim) header section has been received: the next one is trailers.
    HeadersReceived,
    /// content-length was given.
    ContentLength,
    /// The answer has no content whatever its content-length says: the request's method is HEAD.
    NoContent,
    /// RST_STREAM waits for room in the send buffer.
    ResetOwed,
    /// WINDOW_UPDATE is due now.
    CreditDue,
    /// Above the last stream of the peer's GOAWAY: `Event::Reset` is to be reported.
    Refused,
    /// Our message has begun: its final header section was sent.
    HeadersSent,
    /// Of the slot, not of its stream: the peer's streams are not put here.
    Reserved,
}

impl Flag {
    const fn bit(self) -> u8 {
        match self {
            Self::HeadersReceived => 0x01,
            Self::ContentLength => 0x02,
            Self::NoContent => 0x04,
            Self::ResetOwed => 0x08,
            Self::CreditDue => 0x10,
            Self::Refused => 0x20,
            Self::HeadersSent => 0x40,
            Self::Reserved => 0x80,
        }
    }
}

/// All slots of a connection.
#[derive(Debug)]
pub(crate) struct Store<'m> {
    slots: &'m mut [Stream],
}

impl<'m> Store<'m> {
    pub(crate) fn new(slots: &'m mut [Stream]) -> Self {
        for slot in slots.iter_mut() {
            *slot = Stream::new();
        }
        Self { slots }
    }

    /// Frees every slot.
    pub(crate) fn clear(&mut self) {
        for slot in self.slots.iter_mut() {
            *slot = slot.cleared();
        }
    }

    /// Puts stream `id` into `slot`, which the caller knows to be free.
    pub(crate) fn insert(
        &mut self,
        slot: u8,
        id: StreamId,
        send: Window,
        receive: Window,
    ) -> Option<StreamKey> {
        let stream = self
            .slots
            .get_mut(usize::from(slot))
            .filter(|stream| stream.is_free())?;
        *stream = Stream {
            id,
            send_window: send,
            receive_window: receive,
            ..stream.cleared()
        };
        stream.state.open();
        Some(StreamKey { slot, id })
    }

    pub(crate) fn free(&mut self, key: StreamKey) {
        if let Some(stream) = self.get_mut(key) {
            *stream = stream.cleared();
        }
    }

    pub(crate) fn reserve(&mut self, slot: u8, reserved: bool) {
        if let Some(stream) = self.slots.get_mut(usize::from(slot)) {
            if reserved {
                stream.set(Flag::Reserved);
            } else {
                stream.clear(Flag::Reserved);
            }
        }
    }

    /// The stream of `key`, unless the slot has moved on.
    pub(crate) fn get(&self, key: StreamKey) -> Option<&Stream> {
        self.slots
            .get(usize::from(key.slot))
            .filter(|stream| !stream.is_free() && stream.id == key.id)
    }

    pub(crate) fn get_mut(&mut self, key: StreamKey) -> Option<&mut Stream> {
        self.slots
            .get_mut(usize::from(key.slot))
            .filter(|stream| !stream.is_free() && stream.id == key.id)
    }

    /// True if the application still hears of the stream of `key`.
    pub(crate) fn is_live(&self, key: StreamKey) -> bool {
        self.get(key).is_some_and(Stream::is_live)
    }

    /// The key of stream `id`, if it has a slot.
    pub(crate) fn find(&self, id: StreamId) -> Option<StreamKey> {
        self.iter().find(|(key, _)| key.id == id).map(|(key, _)| key)
    }

    /// True if `slot` exists and holds no stream.
    pub(crate) fn is_free(&self, slot: u8) -> bool {
        self.slots.get(usize::from(slot)).is_some_and(Stream::is_free)
    }

    /// The first slot that is free for a stream of the peer.
    pub(crate) fn first_free(&self) -> Option<u8> {
        (0..=u8::MAX)
            .zip(self.slots.iter())
            .find(|(_, stream)| stream.is_free() && !stream.has(Flag::Reserved))
            .map(|(slot, _)| slot)
    }

    /// Streams that count towards SETTINGS_MAX_CONCURRENT_STREAMS: all that are not closed (5.1.2).
    pub(crate) fn active(&self) -> u32 {
        self.slots.iter().fold(0, |count: u32, stream| {
            count.saturating_add(u32::from(!stream.is_free()))
        })
    }

    /// The streams, without free slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (StreamKey, &Stream)> {
        (0..=u8::MAX)
            .zip(self.slots.iter())
            .filter(|(_, stream)| !stream.is_free())
            .map(|(slot, stream)| (StreamKey { slot, id: stream.id }, stream))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (StreamKey, &mut Stream)> {
        (0..=u8::MAX)
            .zip(self.slots.iter_mut())
            .filter(|(_, stream)| !stream.is_free())
            .map(|(slot, stream)| (StreamKey { slot, id: stream.id }, stream))
    }
}
