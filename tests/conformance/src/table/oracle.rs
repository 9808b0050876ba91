//! What RFC 9113 says of each cell. Where it leaves a choice, the comment says which one is taken, and why.
//!
//! Rules that look at the same frame are asked in the order in which a receiver can know them, and the first that
//! forbids it decides: whether such a frame may come now at all (3.4, 6.10), what stream the type belongs on (section 6),
//! the length (4.2), the state of the stream (5.1), the padding, the value. The RFC names no order between them.

use super::cell::UNKNOWN;
use super::{Cell, Length, Reaction, Role, State, Target};
use crate::wire::code::{FRAME_SIZE_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED};
use crate::wire::{
    ACK, CONTINUATION, DATA, END_STREAM, GOAWAY, HEADERS, PING, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS,
    WINDOW_UPDATE,
};

/// What an endpoint of this role must do.
#[must_use]
pub fn reaction(role: Role, cell: &Cell) -> Reaction {
    by_order(cell)
        .or_else(|| by_stream(cell))
        .or_else(|| by_length(role, cell))
        .unwrap_or_else(|| by_value(role, cell, by_padding(cell, by_state(role, cell))))
}

/// What may come at this moment.
///
/// Section 3.4: a connection begins with a SETTINGS frame of each side, which is no acknowledgement; "clients and servers
/// MUST treat an invalid connection preface as a connection error of type PROTOCOL_ERROR". Sections 4.3 and 6.10: between
/// HEADERS and END_HEADERS comes nothing but CONTINUATION on the same stream; all else, of unknown types too (5.5), is
/// PROTOCOL_ERROR of the connection.
fn by_order(cell: &Cell) -> Option<Reaction> {
    let may_come = match cell.state {
        State::BeforeSettings => cell.kind == SETTINGS && !cell.has(ACK),
        State::InBlock => cell.kind == CONTINUATION && cell.target == Target::Own,
        _ => true,
    };
    (!may_come).then_some(Reaction::ConnectionError(PROTOCOL_ERROR))
}

/// Which types belong to the connection and which to a stream.
///
/// Sections 6.1 (DATA), 6.2 (HEADERS), 6.3 (PRIORITY), 6.4 (RST_STREAM), 6.5 (SETTINGS), 6.6 (PUSH_PROMISE), 6.7 (PING),
/// 6.8 (GOAWAY), 6.10 (CONTINUATION): all PROTOCOL_ERROR of the connection. WINDOW_UPDATE (6.9) belongs to both, and
/// unknown types (4.1) anywhere.
fn by_stream(cell: &Cell) -> Option<Reaction> {
    let on_connection = cell.target == Target::Connection;
    let wrong = match cell.kind {
        DATA | HEADERS | PRIORITY | RST_STREAM | PUSH_PROMISE | CONTINUATION => on_connection,
        SETTINGS | PING | GOAWAY => !on_connection,
        _ => false,
    };
    wrong.then_some(Reaction::ConnectionError(PROTOCOL_ERROR))
}

/// Section 4.2: FRAME_SIZE_ERROR for frames that are too large or too small, of the connection if the frame "could alter
/// the state of the entire connection": those with a field block, SETTINGS, and all on stream 0. Sections 6.4 (RST_STREAM)
/// and 6.9 (WINDOW_UPDATE) say connection too; 6.3 (PRIORITY) says stream.
fn by_length(role: Role, cell: &Cell) -> Option<Reaction> {
    if matches!(
        cell.length,
        Length::Right | Length::Overpadded | Length::Forbidden
    ) {
        return None;
    }
    // "If the length of the padding is the length of the frame payload or greater" (6.1) presumes a pad length: a padded
    // frame without it is too small for mandatory data (4.2).
    let of_stream = matches!(cell.kind, DATA | PRIORITY | UNKNOWN) && cell.target != Target::Connection;
    // RST_STREAM must not be sent on an idle stream (6.4), nor anything on a closed one (5.1): there it reaches the
    // connection, as "an endpoint MAY choose to treat a stream error as a connection error" (5.4.1). A frame that is
    // dropped because it came too late is no less wrong in its size.
    let can_be_reset = matches!(life(role, cell), Life::Live { .. } | Life::HalfClosedRemote);
    Some(if of_stream && can_be_reset {
        Reaction::StreamError(FRAME_SIZE_ERROR)
    } else {
        Reaction::ConnectionError(FRAME_SIZE_ERROR)
    })
}

/// Sections 6.1, 6.2 and 6.6: padding that is as long as the rest of the frame or longer is PROTOCOL_ERROR of the
/// connection. An error of the connection that was known before it stands; one of the stream does not hide it.
fn by_padding(cell: &Cell, before: Reaction) -> Reaction {
    match before {
        Reaction::ConnectionError(_) => before,
        _ if cell.length == Length::Overpadded => Reaction::ConnectionError(PROTOCOL_ERROR),
        _ => before,
    }
}

/// Values that a type forbids. What the stream's state has made an error already stays that error, and what it drops is
/// dropped whatever it says.
fn by_value(role: Role, cell: &Cell, before: Reaction) -> Reaction {
    let wrong = cell.length == Length::Forbidden;
    let settled = matches!(before, Reaction::ConnectionError(_) | Reaction::StreamError(_));
    if !wrong || settled {
        return before;
    }
    match (cell.kind, life(role, cell)) {
        // 6.5.2: "Any value other than 0 or 1 MUST be treated as a connection error of type PROTOCOL_ERROR"; 6.9: an increment
        // of 0 is PROTOCOL_ERROR, of the stream or of the connection.
        (SETTINGS, _) | (WINDOW_UPDATE, Life::Connection) => Reaction::ConnectionError(PROTOCOL_ERROR),
        (WINDOW_UPDATE, Life::Live { .. } | Life::HalfClosedRemote) => Reaction::StreamError(PROTOCOL_ERROR),
        // "A stream cannot depend on itself" is a rule of RFC 7540 (5.3.1) alone, which RFC 9113 dropped with the scheme (5.3.2).
        // We keep it where it does no harm: on streams that we know, and on those that a client may open of a server, where
        // no RST_STREAM may be sent (6.4) and so the connection fails. A client ignores it on idle streams.
        (PRIORITY, Life::Live { .. } | Life::HalfClosedRemote) => Reaction::StreamError(PROTOCOL_ERROR),
        (PRIORITY, Life::Openable | Life::Idle) if role == Role::Server => {
            Reaction::ConnectionError(PROTOCOL_ERROR)
        }
        (HEADERS, _) if before == Reaction::Processed => Reaction::StreamError(PROTOCOL_ERROR),
        _ => before,
    }
}

/// What section 5.1 makes of the stream that a frame names.
enum Life {
    /// Stream 0.
    Connection,
    /// Idle, and the peer may open it.
    Openable,
    /// Idle, and the peer may not.
    Idle,
    /// Open or half-closed (local): the peer may send. `headers`: its first section has come.
    Live { headers: bool },
    /// The peer has ended its side.
    HalfClosedRemote,
    /// Closed. What comes is minimally processed and dropped.
    Dropped,
    /// Closed by the peer itself, and not the highest identifier if `below`.
    Closed { below: bool },
}

fn life(role: Role, cell: &Cell) -> Life {
    match cell.target {
        Target::Connection => Life::Connection,
        // "Streams initiated by a client MUST use odd-numbered stream identifiers" (5.1.1). A server could open an even one
        // by PUSH_PROMISE alone, which our client forbids (8.4).
        Target::Even => Life::Idle,
        Target::Beyond => idle(role),
        Target::Own => own(role, cell.state),
    }
}

fn own(role: Role, state: State) -> Life {
    match (state, role) {
        (State::Idle | State::BeforeSettings, _) => idle(role),
        (State::InBlock | State::Awaiting, _) => Life::Live { headers: false },
        (State::Open, _) | (State::HalfClosedLocal, Role::Client) => Life::Live { headers: true },
        (State::HalfClosedRemote, Role::Server) => Life::HalfClosedRemote,
        // "An endpoint that sends a RST_STREAM frame on a stream that is in the 'open' or 'half-closed (local)' state could
        // receive any type of frame ... MUST minimally process and then discard" (5.1). So after our early answer with
        // RST_STREAM(NO_ERROR) (8.1), after any other reset of ours, and after a refusal.
        (State::ClosedByOurReset | State::HalfClosedLocal | State::HalfClosedRemote, _) => Life::Dropped,
        (State::Refused, Role::Server) => Life::Dropped,
        // "can ... treat frames ... as a connection error ... STREAM_CLOSED" is a MAY for streams that the peer closed. A
        // client drops such frames, and keeps nothing of a stream that is over.
        (_, Role::Client) => Life::Dropped,
        // A server takes the choice of an error where the peer itself had ended or reset the stream.
        (State::ClosedByEnd | State::ClosedByPeersReset, Role::Server) => Life::Closed { below: false },
        // "The first use of a new stream identifier implicitly closes all streams in the 'idle' state ... with a
        // lower-valued stream identifier" (5.1.1).
        (State::ClosedBelow | State::Skipped, Role::Server) => Life::Closed { below: true },
    }
}

/// "A server that receives a HEADERS frame in idle" opens the stream; a client can only be sent PUSH_PROMISE for one (5.1).
fn idle(role: Role) -> Life {
    match role {
        Role::Server => Life::Openable,
        Role::Client => Life::Idle,
    }
}

fn by_state(role: Role, cell: &Cell) -> Reaction {
    match cell.kind {
        DATA => data(&life(role, cell)),
        HEADERS => headers(role, cell),
        // "A client cannot push" (8.4); our client has sent SETTINGS_ENABLE_PUSH = 0, and its peers have acknowledged it
        // (6.6).
        PUSH_PROMISE => Reaction::ConnectionError(PROTOCOL_ERROR),
        CONTINUATION if cell.state == State::InBlock => Reaction::Processed,
        // No header block is open: "MUST respond with a connection error of type PROTOCOL_ERROR" (6.10).
        CONTINUATION => Reaction::ConnectionError(PROTOCOL_ERROR),
        // "PRIORITY can be sent and received in any stream state" (5.1), and has no effect any more (5.3.2).
        PRIORITY => Reaction::Ignored,
        // Acknowledgements that nobody asked for change nothing: 6.5 and 6.7 name no error for them.
        SETTINGS | PING if cell.has(ACK) => Reaction::Ignored,
        SETTINGS | PING | GOAWAY => Reaction::Processed,
        RST_STREAM | WINDOW_UPDATE => control(&life(role, cell)),
        // "Implementations MUST ignore and discard frames of unknown types" (4.1), in any state (5.1).
        _ => Reaction::Ignored,
    }
}

fn data(life: &Life) -> Reaction {
    match life {
        // "Receiving any frame other than HEADERS or PRIORITY on a stream in this state MUST be treated as a connection
        // error of type PROTOCOL_ERROR" (5.1, idle).
        Life::Connection | Life::Openable | Life::Idle => Reaction::ConnectionError(PROTOCOL_ERROR),
        Life::Live { headers: true } => Reaction::Processed,
        // A message begins with a header section (8.1), else it is malformed (8.1.1).
        Life::Live { headers: false } => Reaction::StreamError(PROTOCOL_ERROR),
        // 5.1 (half-closed (remote)) and 6.1.
        Life::HalfClosedRemote => Reaction::StreamError(STREAM_CLOSED),
        Life::Dropped => Reaction::Ignored,
        Life::Closed { .. } => Reaction::ConnectionError(STREAM_CLOSED),
    }
}

fn headers(role: Role, cell: &Cell) -> Reaction {
    match life(role, cell) {
        // 5.1.2: beyond SETTINGS_MAX_CONCURRENT_STREAMS PROTOCOL_ERROR or REFUSED_STREAM. The latter, for it tells that
        // nothing was done (8.7).
        Life::Openable if cell.state == State::Refused => Reaction::StreamError(REFUSED_STREAM),
        Life::Openable => Reaction::Processed,
        // 5.1.1: "An endpoint that receives an unexpected stream identifier MUST respond with a connection error of type
        // PROTOCOL_ERROR."
        Life::Connection | Life::Idle => Reaction::ConnectionError(PROTOCOL_ERROR),
        Life::Live { headers: false } => Reaction::Processed,
        // Trailers end their stream: "an endpoint that receives a HEADERS frame without the END_STREAM flag set after
        // receiving the HEADERS frame that opens a request or after receiving a final ... status code MUST treat the
        // corresponding request or response as malformed" (8.1).
        Life::Live { headers: true } if cell.has(END_STREAM) => Reaction::Processed,
        Life::Live { headers: true } => Reaction::StreamError(PROTOCOL_ERROR),
        Life::HalfClosedRemote => Reaction::StreamError(STREAM_CLOSED),
        Life::Dropped => Reaction::Ignored,
        // Below the highest it may be a new stream whose identifier does not increase: PROTOCOL_ERROR (5.1.1). The highest
        // cannot be, and was closed by its peer: STREAM_CLOSED (5.1).
        Life::Closed { below: true } => Reaction::ConnectionError(PROTOCOL_ERROR),
        Life::Closed { below: false } => Reaction::ConnectionError(STREAM_CLOSED),
    }
}

/// RST_STREAM and WINDOW_UPDATE.
fn control(life: &Life) -> Reaction {
    match life {
        Life::Connection | Life::Live { .. } | Life::HalfClosedRemote => Reaction::Processed,
        Life::Openable | Life::Idle => Reaction::ConnectionError(PROTOCOL_ERROR),
        // "An endpoint can receive WINDOW_UPDATE or RST_STREAM frames in this state for a short period" (5.1): a server cannot
        // know how short, so that they are ignored for ever.
        Life::Dropped | Life::Closed { .. } => Reaction::Ignored,
    }
}
