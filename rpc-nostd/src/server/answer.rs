//! What a call sends: response headers, messages, trailers, and the answers to what is no call.
//!
//! Spec: gRPC `PROTOCOL-HTTP2.md` "Responses".

use core::task::Poll;

use h2_lite::{Connection, Fields, Instant, StreamKey, UseError};
use hpack_lite::Field;

use crate::codec::{Framed, Outgoing};
use crate::framing;
use crate::link::SendError;
use crate::metadata::{self, Kind, MetadataEntry, ReceivedMetadata};
use crate::server::request::Refusal;
use crate::server::session::ServerSession;
use crate::slot::SlotKey;
use crate::status::{Code, Status};

/// How far an answer has come.
pub(crate) type Sent = Poll<Result<(), Status>>;

impl<'r> ServerSession<'r> {
    /// Sends the response's headers with what the handler added to them, once.
    pub(crate) fn poll_headers(&mut self, key: SlotKey, now: Instant) -> Sent {
        if self.link.slot(key).is_some_and(|slot| slot.head.headers_sent) {
            return Poll::Ready(Ok(()));
        }
        let (conn, slots) = (&mut self.link.conn, &mut self.link.slots);
        let Some(slot) = crate::link::find(slots, key) else {
            return Poll::Ready(Err(OVER));
        };
        let Some(stream) = slot.stream() else {
            return Poll::Ready(Err(OVER));
        };
        let outgoing = &slot.head.outgoing;
        let fields = |emit: &mut dyn FnMut(Field<'_, 'r>)| {
            head(emit);
            emit_stored(outgoing, Kind::Initial, emit);
        };
        let sent = conn.send_response(stream, &fields, false, now);
        slot.head.headers_sent = sent.is_ok();
        sent_or(self.link.section_sent(key, sent))
    }

    /// Sends what credit and room allow of a message, after the headers.
    pub(crate) fn poll_message(
        &mut self,
        key: SlotKey,
        message: &dyn Outgoing,
        sent: &mut usize,
        now: Instant,
    ) -> Sent {
        let Some(prefix) = framing::prefix(message.message_len()) else {
            return Poll::Ready(Err(TOO_LONG));
        };
        // Spec: grpc-response-late-headers
        if *sent == 0 {
            match self.poll_headers(key, now) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
        }
        let framed = Framed {
            message,
            prefix,
            end: false,
        };
        let polled = self.link.poll_send_message(key, &framed, sent, now);
        polled.map(|sent| sent.map_err(|error| self.unsent(key, error)))
    }

    /// Counts a response before it is sent.
    ///
    /// # Errors
    /// The method has one, and this is another.
    pub(crate) fn begin_response(&mut self, key: SlotKey, only_one: bool) -> Result<(), Status> {
        let Some(slot) = self.link.slot(key) else {
            return Err(OVER);
        };
        if only_one && slot.head.responses > 0 {
            return Err(TWO_RESPONSES);
        }
        slot.head.responses = slot.head.responses.saturating_add(1);
        Ok(())
    }

    /// Nothing of the response that was counted last has been sent, nor will be.
    pub(crate) fn take_back_response(&mut self, key: SlotKey) {
        if let Some(slot) = self.link.slot(key) {
            slot.head.responses = slot.head.responses.saturating_sub(1);
        }
    }

    /// Ends the response: trailers, or headers and trailers in one section where nothing was sent before.
    pub(crate) fn poll_trailers(&mut self, key: SlotKey, end: &Ending<'_>, now: Instant) -> Sent {
        let conn = &mut self.link.conn;
        let Some(slot) = crate::link::find(self.link.slots, key) else {
            return Poll::Ready(Err(OVER));
        };
        let Some(stream) = slot.stream() else {
            return Poll::Ready(Err(OVER));
        };
        // Spec: grpc-trailers-only, grpc-response-trailers
        let only = !slot.head.headers_sent;
        let outgoing = &slot.head.outgoing;
        // The call must end all the same: without its text, or without its metadata, which is an error of its own.
        let mut sent = Ok(());
        for with in [With::All, With::Metadata, With::Nothing] {
            let fields = |emit: &mut dyn FnMut(Field<'_, 'r>)| {
                if only {
                    head(emit);
                }
                if with == With::Nothing {
                    let lost = holds_any(outgoing);
                    return emit_code(if lost { Code::RESOURCE_EXHAUSTED } else { end.code }, emit);
                }
                if only {
                    emit_stored(outgoing, Kind::Initial, emit);
                }
                end.emit(with == With::All, emit);
                emit_stored(outgoing, Kind::Details, emit);
                emit_stored(outgoing, Kind::Trailing, emit);
            };
            sent = send_end(conn, stream, only, &fields, now);
            if !matches!(sent, Err(UseError::TooLarge { .. })) {
                break;
            }
        }
        slot.head.headers_sent |= sent.is_ok();
        sent_or(self.link.section_sent(key, sent))
    }

    /// Answers a request that is not gRPC: an HTTP status and a short text.
    pub(crate) fn poll_http(
        &mut self,
        key: SlotKey,
        answer: (&'static str, &'static str),
        now: Instant,
    ) -> Sent {
        let (status, body) = answer;
        let (conn, slots) = (&mut self.link.conn, &mut self.link.slots);
        let Some(slot) = crate::link::find(slots, key) else {
            return Poll::Ready(Err(OVER));
        };
        let Some(stream) = slot.stream() else {
            return Poll::Ready(Err(OVER));
        };
        let begun = usize::try_from(slot.head.responses).unwrap_or(usize::MAX);
        if !slot.head.headers_sent {
            let fields = |emit: &mut dyn FnMut(Field<'_, 'r>)| {
                let mut literal = |name: &[u8], value: &[u8]| emit(Field::Literal { name, value });
                literal(b":status", status.as_bytes());
                literal(b"content-type", b"text/plain");
                if status == "405" {
                    literal(b"allow", b"POST");
                }
            };
            let sent = conn.send_response(stream, &fields, body.is_empty(), now);
            slot.head.headers_sent = sent.is_ok();
            if let Err(error) = self.link.section_sent(key, sent) {
                return sent_or(Err(error));
            }
        }
        if body.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let rest = body.as_bytes().get(begun..).unwrap_or_default();
        let mut fill = |to: &mut [u8]| {
            for (to, from) in to.iter_mut().zip(rest) {
                *to = *from;
            }
        };
        match self.link.send_piece(key, rest.len(), true, &mut fill, now) {
            Ok(len) if len == rest.len() => Poll::Ready(Ok(())),
            Ok(len) => {
                // The octets of this body that have gone: it has no messages to count.
                if let Some(slot) = self.link.slot(key) {
                    let len = u32::try_from(len).unwrap_or(u32::MAX);
                    slot.head.responses = slot.head.responses.saturating_add(len);
                }
                Poll::Pending
            }
            Err(SendError::NotNow) => Poll::Pending,
            Err(error) => Poll::Ready(Err(self.unsent(key, error))),
        }
    }

    /// Why no more of a message can be sent. A stream whose client opens no window is cancelled: its place is wanted.
    pub(crate) fn unsent(&mut self, key: SlotKey, error: SendError) -> Status {
        if error == SendError::NoWindow {
            self.cancel(key);
        }
        send_error(error)
    }

    /// Adds a field to what is sent with the response.
    ///
    /// # Errors
    /// It is no legal field, or finds no room.
    pub(crate) fn add_metadata(
        &mut self,
        key: SlotKey,
        kind: Kind,
        entry: &MetadataEntry<'_>,
    ) -> Result<(), Status> {
        // Spec: grpc-metadata-names, grpc-metadata-values, grpc-reserved-names
        entry.check()?;
        let slot = self.link.slot(key).ok_or(OVER)?;
        if kind == Kind::Initial && slot.head.headers_sent {
            return Err(HEADERS_GONE);
        }
        let stored = slot
            .head
            .outgoing
            .keep_entry(kind, entry.name, entry.value_octets());
        if stored { Ok(()) } else { Err(NO_META_ROOM) }
    }

    /// Sets `grpc-status-details-bin`.
    pub(crate) fn set_details(&mut self, key: SlotKey, details: &[u8]) -> Result<(), Status> {
        let slot = self.link.slot(key).ok_or(OVER)?;
        if slot.head.outgoing.keep_entry(Kind::Details, "", details) {
            Ok(())
        } else {
            Err(NO_META_ROOM)
        }
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending<'s> {
    pub(crate) code: Code,
    pub(crate) message: &'s str,
    /// Says which encodings of messages are understood: none but identity.
    pub(crate) list_encodings: bool,
}

impl Ending<'_> {
    fn emit<'r>(&self, text: bool, emit: &mut dyn FnMut(Field<'_, 'r>)) {
        emit_code(self.code, emit);
        if text && !self.message.is_empty() {
            let mut text = [0; MAX_ENCODED_MESSAGE];
            // Spec: grpc-message-encoded
            let value = crate::percent::encode(self.message, &mut text);
            emit(Field::Literal {
                name: b"grpc-message",
                value,
            });
        }
        if self.list_encodings {
            emit(Field::Literal {
                // Spec: grpc-encoding-server
                name: b"grpc-accept-encoding",
                value: b"identity",
            });
        }
    }
}

/// What goes out beside the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    All,
    Metadata,
    Nothing,
}

impl<'s> From<&'s Status> for Ending<'s> {
    fn from(status: &'s Status) -> Self {
        Self {
            code: status.code(),
            message: status.message(),
            list_encodings: false,
        }
    }
}

impl Refusal {
    /// The answer, where it is gRPC's.
    pub(crate) fn ending(&self) -> Option<Ending<'_>> {
        match self {
            Self::Http { .. } => None,
            Self::Status {
                status,
                list_encodings,
            } => Some(Ending {
                list_encodings: *list_encodings,
                ..Ending::from(status)
            }),
        }
    }
}

fn send_end<'r>(
    conn: &mut Connection<'r>,
    stream: StreamKey,
    only: bool,
    fields: Fields<'_, 'r>,
    now: Instant,
) -> Result<(), UseError> {
    if only {
        conn.send_response(stream, fields, true, now)
    } else {
        conn.send_trailers(stream, fields, now)
    }
}

/// What every response begins with.
fn head<'r>(emit: &mut dyn FnMut(Field<'_, 'r>)) {
    emit(Field::Indexable {
        // Spec: grpc-response-headers
        name: b":status",
        value: b"200",
    });
    emit(Field::Indexable {
        name: b"content-type",
        value: b"application/grpc",
    });
}

fn emit_code<'r>(code: Code, emit: &mut dyn FnMut(Field<'_, 'r>)) {
    let name = b"grpc-status";
    if code == Code::OK {
        return emit(Field::Indexable { name, value: b"0" });
    }
    // Spec: grpc-status-decimal
    let number = code.as_u8();
    let digits = [b'0'.wrapping_add(number / 10), b'0'.wrapping_add(number % 10)];
    let value = if number < 10 {
        digits.get(1..)
    } else {
        digits.get(..)
    };
    emit(Field::Literal {
        name,
        value: value.unwrap_or_default(),
    });
}

fn emit_stored<'r>(stored: &ReceivedMetadata<'_>, kind: Kind, emit: &mut dyn FnMut(Field<'_, 'r>)) {
    stored.each(kind, &mut |name, value| {
        metadata::emit_octets(kind, name, value, emit)
    });
}

fn holds_any(stored: &ReceivedMetadata<'_>) -> bool {
    stored.status_details().is_some()
        || stored.all_initial().next().is_some()
        || stored.all_trailing().next().is_some()
}

fn sent_or(sent: Result<(), SendError>) -> Sent {
    match sent {
        Ok(()) => Poll::Ready(Ok(())),
        Err(SendError::NotNow) => Poll::Pending,
        Err(error) => Poll::Ready(Err(send_error(error))),
    }
}

fn send_error(error: SendError) -> Status {
    match error {
        SendError::TooLarge => HEADERS_TOO_LARGE,
        SendError::InvalidField => {
            Status::new(Code::INTERNAL, "a field of the response is not legal in HTTP/2")
        }
        SendError::NoWindow => NO_WINDOW,
        SendError::NotNow | SendError::GoingAway | SendError::Over => OVER,
    }
}

/// Octets of a status message on the wire: one of 96 octets, whatever they are, and more of our own.
const MAX_ENCODED_MESSAGE: usize = 288;
pub(crate) const OVER: Status = Status::new(
    Code::CANCELLED,
    "the call is over: cancelled, or its connection lost",
);
const NO_WINDOW: Status = Status::new(
    Code::CANCELLED,
    "the client opened no flow-control window for window_timeout of ServerConfig",
);
const TOO_LONG: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the response is longer than gRPC's 32-bit length can say",
);
const TWO_RESPONSES: Status = Status::new(
    Code::INTERNAL,
    "the handler sent two responses where the method has one",
);
const HEADERS_TOO_LARGE: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the response's metadata does not fit the send buffer: raise SEND of ServerResources",
);
const HEADERS_GONE: Status = Status::new(
    Code::INTERNAL,
    "the response's headers are sent already: add initial metadata before the first response",
);
const NO_META_ROOM: Status = Status::new(
    Code::RESOURCE_EXHAUSTED,
    "the response's metadata finds no room: raise META of ServerResources",
);
