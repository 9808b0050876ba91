//! What the user says about a client as a whole.

use core::time::Duration;

use crate::client::connectivity::Backoff;
use crate::client::credentials::CallCredentials;
use crate::limits::{Budgets, Timeouts};

/// Settings of a client. Make one with [`Config::new`] and change its fields.
#[derive(Clone, Copy)]
pub struct Config<'r> {
    /// The host and port that `:authority` names, such as `"telemetry.local:50051"`.
    pub authority: &'r str,
    /// The deadline of a call that names none: 20 seconds unless changed. Zero makes every such call fail with
    /// `DEADLINE_EXCEEDED`.
    pub default_timeout: Duration,
    /// How long the connector may take: 20 seconds unless changed. The server then has
    /// [`Timeouts::settings`] for its SETTINGS. A [`blocking::Client`](crate::client::blocking::Client) does not connect and ignores it.
    pub connect_timeout: Duration,
    /// The pause after an attempt that failed, or after a server let in twice without answering any call. A
    /// [`blocking::Client`](crate::client::blocking::Client) ignores it.
    pub backoff: Backoff,
    /// What `user-agent` says.
    pub user_agent: &'r str,
    /// SETTINGS_MAX_HEADER_LIST_SIZE that the server is told, in octets: 8,192 unless changed. Fields over it
    /// are skipped. (RFC 9113 section 6.5.2)
    pub max_header_list_size: u32,
    /// Adds metadata to every call, such as an access token. None unless set.
    pub credentials: Option<&'r dyn CallCredentials>,
    /// How much useless work the server may cause before it is left, by GOAWAY with ENHANCE_YOUR_CALM; calls then fail with
    /// `UNAVAILABLE`, whose text names the budget.
    pub budgets: Budgets,
    /// How long the connection waits for the server's part in HTTP/2.
    pub timeouts: Timeouts,
}

impl<'r> Config<'r> {
    /// Defaults for calls to `authority`.
    pub const fn new(authority: &'r str) -> Self {
        Self {
            authority,
            default_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(20),
            backoff: Backoff {
                initial_ms: 1_000,
                max_ms: 120_000,
                seed: 0x9e37_79b9,
            },
            user_agent: concat!("grpc-rust-nostd/", env!("CARGO_PKG_VERSION")),
            max_header_list_size: 8_192,
            credentials: None,
            budgets: Budgets::DEFAULT,
            timeouts: Timeouts::DEFAULT,
        }
    }
}

impl core::fmt::Debug for Config<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Config")
            .field("authority", &self.authority)
            .field("default_timeout", &self.default_timeout)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}
