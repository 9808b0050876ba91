//! The cells: which frames, on which streams, in which states.

use std::fmt;

use crate::wire::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY, PRIORITY_FLAG,
    PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
};

/// The role of the endpoint under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It answers.
    Server,
    /// It asks.
    Client,
}

/// The state of the connection's own stream, as section 5.1 names it from the view of the endpoint under test. The
/// reserved states do not exist, for there is no push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Idle, and the peer has not sent its SETTINGS: of a client's preface only the 24 octets.
    BeforeSettings,
    /// Its first header section has begun and not ended.
    InBlock,
    /// Never opened.
    Idle,
    /// Client: half-closed (local), and no response has begun.
    Awaiting,
    /// Open; the peer's first header section has come.
    Open,
    /// We have ended our side. A client's response has begun. A server does not rest here: where it has answered before
    /// the request ended, RST_STREAM(NO_ERROR) follows (8.1).
    HalfClosedLocal,
    /// The peer has ended its side. A client does not rest here, as a server does not in the one above.
    HalfClosedRemote,
    /// Both sides have sent END_STREAM.
    ClosedByEnd,
    /// We have reset it.
    ClosedByOurReset,
    /// The peer has reset it.
    ClosedByPeersReset,
    /// Server: it was one too many, and all slots are still taken. Client: the peer reset it as such, and the call was
    /// tried again on another stream.
    Refused,
    /// Server: both sides have sent END_STREAM, and a higher stream was opened.
    ClosedBelow,
    /// Server: never opened, but a higher one was, which closes it (5.1.1).
    Skipped,
}

/// The stream that the frame names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Stream 0.
    Connection,
    /// The stream of which [`State`] speaks.
    Own,
    /// An even identifier: a server's to open, and none ever does.
    Even,
    /// An odd identifier above all that were used.
    Beyond,
}

/// How long the frame's payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// As it must be.
    Right,
    /// Too few octets for what must be in it.
    TooShort,
    /// Too many octets for its type, or for SETTINGS_MAX_FRAME_SIZE.
    TooLong,
    /// As many octets of padding as there are octets behind the pad length, and one more.
    Overpadded,
    /// As it must be, with a value that its type forbids: an increment of 0, a priority that depends on itself,
    /// SETTINGS_ENABLE_PUSH = 2.
    Forbidden,
}

/// One cell of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The frame's type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// How long it is.
    pub length: Length,
    /// The stream it names.
    pub target: Target,
    /// The state of the stream [`Target::Own`].
    pub state: State,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.get(usize::from(self.kind)).copied().unwrap_or("UNKNOWN");
        let Self {
            flags,
            length,
            target,
            state,
            ..
        } = self;
        write!(f, "{name} {flags:#04x} {length:?} on {target:?} in {state:?}")
    }
}

impl Cell {
    /// All of these flags are set.
    #[must_use]
    pub const fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// `PADDED` means something in this type, and is set.
    #[must_use]
    pub const fn is_padded(&self) -> bool {
        matches!(self.kind, DATA | HEADERS | PUSH_PROMISE) && self.has(PADDED)
    }

    /// HEADERS that carry a priority.
    #[must_use]
    pub const fn has_priority(&self) -> bool {
        self.kind == HEADERS && self.has(PRIORITY_FLAG)
    }

    /// This type and these flags can be of this length.
    const fn exists(&self) -> bool {
        match self.length {
            Length::Right => true,
            Length::Overpadded => self.is_padded(),
            Length::Forbidden => match self.kind {
                WINDOW_UPDATE | PRIORITY => true,
                SETTINGS => !self.has(ACK),
                _ => self.has_priority(),
            },
            Length::TooLong => true,
            Length::TooShort => match self.kind {
                DATA => self.is_padded(),
                HEADERS => self.is_padded() || self.has_priority(),
                SETTINGS => !self.has(ACK),
                CONTINUATION | UNKNOWN => false,
                _ => true,
            },
        }
    }
}

/// All states in which the stream of an endpoint of this role can be.
#[must_use]
pub fn states(role: Role) -> Vec<State> {
    let all = [
        State::BeforeSettings,
        State::InBlock,
        State::Idle,
        State::Awaiting,
        State::Open,
        State::HalfClosedLocal,
        State::HalfClosedRemote,
        State::ClosedByEnd,
        State::ClosedByOurReset,
        State::ClosedByPeersReset,
        State::Refused,
        State::ClosedBelow,
        State::Skipped,
    ];
    let reachable = |state: &State| match role {
        Role::Server => *state != State::Awaiting,
        // A client's streams follow each other: none is skipped, and a closed one is like another.
        Role::Client => !matches!(state, State::ClosedBelow | State::Skipped),
    };
    all.into_iter().filter(reachable).collect()
}

/// All cells of a state.
#[must_use]
pub fn cells(state: State) -> Vec<Cell> {
    let mut cells = Vec::new();
    for target in [Target::Connection, Target::Own, Target::Even, Target::Beyond] {
        for (kind, defined) in TYPES {
            for flags in combinations(*defined) {
                for length in [
                    Length::Right,
                    Length::TooShort,
                    Length::TooLong,
                    Length::Overpadded,
                    Length::Forbidden,
                ] {
                    cells.push(Cell {
                        kind: *kind,
                        flags,
                        length,
                        target,
                        state,
                    });
                }
            }
        }
    }
    cells.retain(Cell::exists);
    cells
}

/// Every combination of the flags that a type defines, each without and with all that it does not.
fn combinations(defined: u8) -> impl Iterator<Item = u8> {
    let subsets = (0..=u8::MAX).filter(move |flags| flags & !defined == 0);
    subsets.flat_map(move |flags| [flags, flags | !defined])
}

/// A type that is not defined.
pub(super) const UNKNOWN: u8 = 0x0b;

/// Types, and the flags that each defines.
const TYPES: &[(u8, u8)] = &[
    (DATA, END_STREAM | PADDED),
    (HEADERS, END_STREAM | END_HEADERS | PADDED | PRIORITY_FLAG),
    (PRIORITY, 0),
    (RST_STREAM, 0),
    (SETTINGS, ACK),
    (PUSH_PROMISE, END_HEADERS | PADDED),
    (PING, ACK),
    (GOAWAY, 0),
    (WINDOW_UPDATE, 0),
    (CONTINUATION, END_HEADERS),
    (UNKNOWN, 0),
];

const NAMES: [&str; 10] = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
];
