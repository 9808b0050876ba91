//! What a connection puts up with: limits of its HTTP/2 part that the user may change.

use core::time::Duration;

pub use h2_lite::{Budget, Budgets};

use crate::deadline::whole_millis;

/// How long a connection waits for what HTTP/2 asks of its peer. Milliseconds count; longer than 49 days is 49 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the peer's preface and SETTINGS, and for its acknowledgement of ours: 10 seconds unless changed. Then GOAWAY
    /// with SETTINGS_TIMEOUT.
    pub settings: Duration,
    /// From HEADERS to the end of the header block: 10 seconds unless changed. Then GOAWAY with ENHANCE_YOUR_CALM.
    pub header_block: Duration,
    /// For the transport to take any octet of what is to be written: 20 seconds unless changed. Then the connection is
    /// lost.
    pub write_stall: Duration,
}

impl Timeouts {
    /// What suits most links.
    pub const DEFAULT: Self = Self {
        settings: Duration::from_secs(10),
        header_block: Duration::from_secs(10),
        write_stall: Duration::from_secs(20),
    };
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The configuration of a connection with receive buffers of `recv` octets.
pub(crate) fn h2_config(
    recv: usize,
    max_header_list_size: u32,
    budgets: Budgets,
    timeouts: Timeouts,
) -> h2_lite::Config {
    let millis = |duration| u32::try_from(whole_millis(duration)).unwrap_or(u32::MAX);
    h2_lite::Config {
        initial_window_size: u32::try_from(recv).unwrap_or(u32::MAX),
        max_header_list_size,
        budgets,
        settings_timeout_ms: millis(timeouts.settings),
        header_block_timeout_ms: millis(timeouts.header_block),
        write_stall_ms: millis(timeouts.write_stall),
        ..h2_lite::Config::default()
    }
}
