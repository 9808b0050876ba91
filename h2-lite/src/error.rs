//! Errors: what the peer did, what the caller asked for, what the configuration lacks.

use core::fmt;

use crate::frame::ErrorCode;

/// Who ended a stream or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The peer said so (RST_STREAM).
    Peer,
    /// This endpoint: the peer broke a rule, or a limit or timeout was reached.
    Local,
    /// The peer's GOAWAY: it has not processed this stream, so a retry elsewhere is safe.
    GoAway,
}

/// Why the connection is over. It never recovers; [`Connection::reset`](crate::Connection::reset) starts a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionError {
    /// The code that our GOAWAY carries.
    pub code: ErrorCode,
    /// What happened, for people.
    pub reason: &'static str,
    /// Who ended it.
    pub origin: Origin,
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

impl core::error::Error for ConnectionError {}

/// Why a call of the application did nothing. Nothing has changed when one of these is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseError {
    /// The stream is not in a state that allows this, or the key is stale.
    WrongState,
    /// No room in the send buffer (or no window) now: take and write what is there, then try again.
    NoRoom,
    /// Never possible with this send buffer or this peer's limits.
    TooLarge {
        /// Octets that this would take at most.
        needed: usize,
        /// Octets there can ever be.
        available: usize,
    },
    /// The peer's SETTINGS_MAX_CONCURRENT_STREAMS is reached; a stream must end first.
    TooManyStreams,
    /// The slot holds another stream, or does not exist.
    SlotBusy,
    /// The 2^30 stream identifiers of this role are used up: a new connection is needed.
    StreamIdsExhausted,
    /// GOAWAY was received or sent: no new streams on this connection.
    GoingAway,
    /// The connection has failed, see [`Connection::error`](crate::Connection::error).
    Closed,
    /// A field to send breaks RFC 9113 sections 8.2 and 8.3 (name, value, order or pseudo-header fields).
    InvalidField,
}

impl fmt::Display for UseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::TooLarge { needed, available } => {
                return write!(f, "{needed} octets needed, {available} is the limit");
            }
            Self::WrongState => "the stream's state does not allow this",
            Self::NoRoom => "no room in the send buffer now",
            Self::TooManyStreams => "the peer's limit of concurrent streams is reached",
            Self::SlotBusy => "the slot is not free",
            Self::StreamIdsExhausted => "no stream identifiers left on this connection",
            Self::GoingAway => "the connection takes no new streams",
            Self::Closed => "the connection has failed",
            Self::InvalidField => "a header field breaks the rules of HTTP/2",
        };
        f.write_str(text)
    }
}

impl core::error::Error for UseError {}

/// A limit of [`Config`](crate::Config) or [`Memory`](crate::Memory) that no connection can work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Which limit.
    pub limit: &'static str,
    /// What was given.
    pub given: usize,
    /// The nearest value that works.
    pub needed: usize,
    /// How to get there.
    pub advice: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}, the bound is {}: {}",
            self.limit, self.given, self.needed, self.advice
        )
    }
}

impl core::error::Error for ConfigError {}
