//! What a connection is told at its birth: role, limits, budgets, memory.

use hpack_lite::EncoderEntry;

use crate::error::ConfigError;
use crate::stream::{DEFAULT_WINDOW, Stream};

/// Which end of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opens streams.
    Client,
    /// Answers them.
    Server,
}

/// The memory of one connection, lent by whoever owns it.
#[derive(Debug)]
pub struct Memory<'m> {
    /// One slot per concurrent stream, 1 to 255.
    pub streams: &'m mut [Stream],
    /// Outgoing frames, at least [`Config::MIN_SEND_BUFFER`] octets. The largest header block and the largest
    /// DATA frame are 64 octets and a frame header smaller.
    pub send: &'m mut [u8],
    /// The decoder's dynamic table; its length is our SETTINGS_HEADER_TABLE_SIZE. May be empty for a client; at least
    /// 4,096 octets for a server, whose peers send their first requests before they see its SETTINGS.
    pub decoder_table: &'m mut [u8],
    /// The encoder's dynamic table: references, not copies. May be empty.
    pub encoder_table: &'m mut [EncoderEntry<'m>],
    /// Where the decoder gathers a literal field: larger ones (name and value) are skipped and counted, unless they
    /// lie in a table.
    pub scratch: &'m mut [u8],
}

/// Limits of one connection. `Config::default()` suits a small client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// SETTINGS_INITIAL_WINDOW_SIZE in octets: the receive buffer that the application keeps per stream.
    /// Times the number of slots at most 65,535, the connection's window. Default 4,096.
    pub initial_window_size: u32,
    /// SETTINGS_MAX_HEADER_LIST_SIZE in octets (name + value + 32 a field); what is above is skipped, four
    /// times as much ends the connection. Default 8,192.
    pub max_header_list_size: u32,
    /// Fields reported of one section; the rest is skipped. Default 64.
    pub max_header_fields: u16,
    /// Milliseconds for the peer to send its SETTINGS and to acknowledge ours. Default 10,000.
    pub settings_timeout_ms: u32,
    /// Milliseconds from HEADERS to the end of its header block. Default 10,000.
    pub header_block_timeout_ms: u32,
    /// Milliseconds without progress while output waits, after which the connection fails. Default 20,000.
    pub write_stall_ms: u32,
    /// Milliseconds that a server's graceful shutdown waits for its PING to come back. Default 10,000.
    pub shutdown_timeout_ms: u32,
    /// How much useless work the peer may cause.
    pub budgets: Budgets,
}

impl Config {
    /// The smallest send buffer: the 64 octets kept for control frames, and room for the preface.
    pub const MIN_SEND_BUFFER: usize = 128;

    /// Whether `memory` and these limits make a connection.
    ///
    /// # Errors
    /// The limit that does not work, and what would.
    pub(crate) fn check(&self, role: Role, memory: &Memory<'_>) -> Result<(), ConfigError> {
        let slots = memory.streams.len();
        if slots == 0 || slots > usize::from(u8::MAX) {
            let needed = slots.clamp(1, usize::from(u8::MAX));
            let advice = "lend between 1 and 255 stream slots";
            return Err(ConfigError {
                limit: "stream slots",
                given: slots,
                needed,
                advice,
            });
        }
        if memory.send.len() < Self::MIN_SEND_BUFFER {
            return Err(ConfigError {
                limit: "send buffer",
                given: memory.send.len(),
                needed: Self::MIN_SEND_BUFFER,
                advice: "lend a larger send buffer",
            });
        }
        // Spec: h2-4.3.1-server-table, hpack-server-real-table
        if role == Role::Server && memory.decoder_table.len() < DEFAULT_TABLE_SIZE {
            return Err(ConfigError {
                limit: "decoder table",
                given: memory.decoder_table.len(),
                needed: DEFAULT_TABLE_SIZE,
                advice: "a server's peers use 4,096 octets before they see its SETTINGS: lend them",
            });
        }
        let window = usize::try_from(self.initial_window_size).unwrap_or(usize::MAX);
        let bound = usize::try_from(DEFAULT_WINDOW).unwrap_or(usize::MAX);
        // The connection's window is credited on receipt, so that memory is bounded by the stream windows.
        if window == 0 || window.saturating_mul(slots) > bound {
            return Err(ConfigError {
                limit: "initial_window_size",
                given: window,
                needed: bound.checked_div(slots).unwrap_or(bound).max(1),
                advice: "slots times initial_window_size must be 1 to 65,535: fewer slots or smaller buffers",
            });
        }
        Ok(())
    }
}

/// SETTINGS_HEADER_TABLE_SIZE until it is changed. Spec: RFC 9113 section 6.5.2.
const DEFAULT_TABLE_SIZE: usize = 4_096;

impl Default for Config {
    fn default() -> Self {
        Self {
            initial_window_size: 4_096,
            max_header_list_size: 8_192,
            max_header_fields: 64,
            settings_timeout_ms: 10_000,
            header_block_timeout_ms: 10_000,
            write_stall_ms: 20_000,
            shutdown_timeout_ms: 10_000,
            budgets: Budgets::DEFAULT,
        }
    }
}

/// Bounds on work that no honest peer causes. Going over one is a connection error ENHANCE_YOUR_CALM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Streams that the peer opened and reset before we began to answer. Each response that we end gives one back, and a
    /// server of gRPC excuses resets of calls whose deadline has passed.
    /// Default 100, then 20 a second.
    ///
    /// A reset costs what the start of its call cost, which a call that is answered costs as well; and it cannot run ahead of
    /// us, since a stream's slot is taken until the application lets go of it. So only what comes to nothing is counted, and
    /// a client whose calls often run out of time, or that leaves streams of responses early, is within the budget.
    pub peer_resets: Budget,
    /// Errors that make us reset a stream or that we ignore (self-dependent priority, empty DATA, GOAWAY).
    /// Default 100, then 10 a second.
    pub glitches: Budget,
    /// PING. Default 100, then 20 a second; each useful DATA or HEADERS frame, in or out, adds 2.
    pub pings: Budget,
    /// SETTINGS, one for every 32 entries begun. Default 100, then 20 a second; refilled like pings.
    pub settings: Budget,
    /// WINDOW_UPDATE, PRIORITY, unknown frames, interim responses, RST_STREAM on closed streams. Default 200,
    /// then 40 a second; refilled like pings, and by one for every 2 octets of DATA that we send: credit for less at a
    /// time is no use to anybody.
    pub control: Budget,
    /// DATA frames under 256 octets and HEADERS on streams that are over. Default 1,000, then 100 a second.
    pub discarded: Budget,
    /// Octets by which unread DATA frames fall short of 256 octets each; given back as the application
    /// releases them. 0, the default, stands for 64 times the initial window, at least 25,600.
    pub data_overhead: u32,
    /// CONTINUATION frames of one header block. Default 8.
    pub continuations: u8,
    /// Encoded octets of one header block. Default 65,536.
    pub header_block_size: u32,
}

impl Budgets {
    /// What suits a small device.
    pub const DEFAULT: Self = Self {
        peer_resets: Budget::new(100, 20),
        glitches: Budget::new(100, 10),
        pings: Budget::new(100, 20),
        settings: Budget::new(100, 20),
        control: Budget::new(200, 40),
        discarded: Budget::new(1_000, 100),
        data_overhead: 0,
        continuations: 8,
        header_block_size: 65_536,
    };
}

impl Default for Budgets {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Tokens when full, and at the start.
    pub burst: u16,
    /// Tokens that come back each second.
    pub per_second: u16,
}

impl Budget {
    /// A bucket of `burst` tokens that refills by `per_second`.
    #[must_use]
    pub const fn new(burst: u16, per_second: u16) -> Self {
        Self { burst, per_second }
    }
}
