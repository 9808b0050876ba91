//! What the connection tells the application.

use hpack_lite::HeaderField;

use crate::error::Origin;
use crate::frame::{ErrorCode, StreamId};

/// A stream as the application names it: its slot, and the identifier that shows when the slot has moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamKey {
    /// Index into the lent stream slots.
    pub slot: u8,
    /// The stream's identifier, never reused on a connection.
    pub id: StreamId,
}

/// Which field section of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// The section that opens the message, pseudo-header fields included.
    Headers,
    /// The section after the content.
    Trailers,
}

/// One thing that happened. Borrows the input or the connection: use it or copy it before the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The peer's SETTINGS are applied: windows and limits may have changed.
    Settings,
    /// One valid field, or the beginning of one ([`HeaderField::truncated`]; never of a pseudo-header field). The first of a response is `:status`, three digits, not 1xx. Of a request `host` is reported only
    /// where `:authority` is missing.
    HeaderField {
        /// The stream.
        stream: StreamKey,
        /// Headers or trailers.
        section: Section,
        /// Name and value.
        field: HeaderField<'a>,
    },
    /// The field section is complete and valid.
    HeadersEnd {
        /// The stream.
        stream: StreamKey,
        /// Headers or trailers.
        section: Section,
        /// The peer's side of the stream ended with it.
        end_stream: bool,
        /// Fields that were above a limit and not yielded. If a request has any, `:method`, `:scheme` and `:path` may be
        /// among them: answer 431, or reset it.
        skipped: u32,
    },
    /// Content, in the pieces in which it arrived; empty only with `end_stream`. It counts against the
    /// stream's window until [`release_capacity`](crate::Connection::release_capacity).
    Data {
        /// The stream.
        stream: StreamKey,
        /// The octets.
        bytes: &'a [u8],
        /// The peer's side of the stream ended with the last of them.
        end_stream: bool,
    },
    /// The stream is over before its proper end. Nothing more will be reported for it.
    Reset {
        /// The stream.
        stream: StreamKey,
        /// Why.
        code: ErrorCode,
        /// Who ended it.
        origin: Origin,
    },
    /// More may be sent: on this stream, or (`None`) on the connection.
    WindowUpdate {
        /// The stream whose window grew.
        stream: Option<StreamKey>,
    },
    /// The peer takes no new streams. Streams above the identifier follow as `Reset`.
    GoAway {
        /// The highest stream of ours that the peer may have processed.
        last_stream_id: StreamId,
        /// Why.
        code: ErrorCode,
        /// As much of the debug data as had arrived; empty if the peer gave none.
        debug: &'a [u8],
    },
    /// The peer answered our PING.
    PingAck {
        /// What we sent.
        payload: [u8; 8],
    },
}
