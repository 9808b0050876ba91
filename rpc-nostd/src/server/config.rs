//! What the user says about a server as a whole.

use core::time::Duration;

use crate::limits::{Budgets, Timeouts};

/// Settings of a server. Make one with [`ServerConfig::new`] and change its fields.
#[derive(Clone, Copy, Debug)]
pub struct ServerConfig {
    /// A connection without calls for so long is ended by GOAWAY, so that another client can have its place: 15
    /// minutes unless changed. `None`: never.
    pub max_connection_idle: Option<Duration>,
    /// A connection of this age is ended by GOAWAY, give or take 10 %; calls under way go on for
    /// `max_connection_age_grace`. `None`, the default: never.
    pub max_connection_age: Option<Duration>,
    /// How long the calls of a connection that is too old, or idle, may go on: 10 seconds unless changed. Then they are
    /// cancelled.
    pub max_connection_age_grace: Duration,
    /// How long calls may go on after [`Server::shut_down`](crate::server::Server::shut_down): 10 seconds unless
    /// changed. Then they are cancelled.
    pub shutdown_grace: Duration,
    /// After so long without an octet from the client it is asked by PING whether it is still there: 2 minutes unless
    /// changed. `None`: never; a client whose power fails then keeps its connection until it has been idle too long, and
    /// its calls for ever.
    pub keepalive_time: Option<Duration>,
    /// How long an answer to that PING may take, 20 seconds unless changed. Then the connection is lost.
    pub keepalive_timeout: Duration,
    /// SETTINGS_MAX_HEADER_LIST_SIZE that clients are told, in octets: 8,192 unless changed. Fields over it are
    /// skipped. (RFC 9113 section 6.5.2)
    pub max_header_list_size: u32,
    /// How long a response may wait for the client to open its flow-control window: 5 minutes unless changed. Then the
    /// call is cancelled, and its place is free for another. `None`: as long as the call's deadline allows.
    pub window_timeout: Option<Duration>,
    /// How much useless work a client may cause before its connection is ended, by GOAWAY with ENHANCE_YOUR_CALM.
    pub budgets: Budgets,
    /// How long a connection waits for the client's part in HTTP/2.
    pub timeouts: Timeouts,
}

impl ServerConfig {
    /// Defaults.
    pub const fn new() -> Self {
        Self {
            max_connection_idle: Some(Duration::from_secs(15 * 60)),
            max_connection_age: None,
            max_connection_age_grace: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(10),
            keepalive_time: Some(Duration::from_secs(120)),
            keepalive_timeout: Duration::from_secs(20),
            max_header_list_size: 8_192,
            window_timeout: Some(Duration::from_secs(5 * 60)),
            budgets: Budgets::DEFAULT,
            timeouts: Timeouts::DEFAULT,
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self::new()
    }
}
