//! What a seed makes of a simulation as a whole: sizes, limits, how bad the network is.

use std::time::Duration;

use rpc_nostd::server::ServerConfig;

use crate::net::Climate;
use crate::random::Random;

/// One simulation.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How bad the network is.
    pub climate: Climate,
    /// Which endpoint is driven by a loop of its own instead of the executor, if one is.
    pub blocking: Option<Blocking>,
    /// The client's memory.
    pub client: Size,
    /// The server's memory.
    pub server: Size,
    /// The server's limits.
    pub config: ServerConfig,
    /// Calls carry tokens.
    pub tokens: bool,
    /// The server is shut down, or dies, and comes again.
    pub restarts: bool,
    /// Tasks that make calls.
    pub tasks: u64,
    /// Calls of each, at most.
    pub calls: u64,
}

/// A blocking endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocking {
    /// `blocking::Client`.
    Client,
    /// `BlockingServer`.
    Server,
}

/// Which memory an endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its place in the list of sizes.
    pub index: usize,
    /// Calls at once, on a connection.
    pub streams: usize,
    /// Octets of a receive buffer.
    pub recv: usize,
    /// Octets of metadata.
    pub meta: usize,
}

impl Scenario {
    /// The simulation of `seed`.
    pub fn new(seed: u64) -> Self {
        let random = Random::new(seed, 3);
        let climate = match seed % 8 {
            0..3 => Climate::Calm,
            _ => Climate::Stormy,
        };
        let blocking = match seed % 8 {
            0 | 3 => Some(Blocking::Client),
            1 | 4 => Some(Blocking::Server),
            _ => None,
        };
        let calm = climate == Climate::Calm;
        let client = CLIENTS[random.index(CLIENTS.len())];
        Self {
            climate,
            blocking,
            client,
            server: SERVERS[random.index(SERVERS.len())],
            config: if calm {
                ServerConfig::new()
            } else {
                limits(&random)
            },
            tokens: random.percent(25),
            restarts: !calm && random.percent(50),
            tasks: random.between(1, 7),
            // In calm weather no budget may run out: 20 resets at once, for example.
            calls: if calm { 2 } else { 6 },
        }
    }

    /// Whether nothing disturbs a call.
    pub fn is_calm(&self) -> bool {
        self.climate == Climate::Calm
    }
}

fn limits(random: &Random) -> ServerConfig {
    let seconds = |choices: &[u64]| {
        Some(random.pick(choices))
            .filter(|s| *s > 0)
            .map(Duration::from_secs)
    };
    ServerConfig {
        max_connection_idle: seconds(&[0, 2, 30, 900]),
        max_connection_age: seconds(&[0, 0, 5, 60]),
        max_connection_age_grace: Duration::from_secs(random.pick(&[0, 1, 10])),
        shutdown_grace: Duration::from_secs(random.pick(&[0, 1, 10])),
        keepalive_time: seconds(&[10, 120]),
        ..ServerConfig::new()
    }
}

const fn size(index: usize, streams: usize, recv: usize, meta: usize) -> Size {
    Size {
        index,
        streams,
        recv,
        meta,
    }
}

/// As [`crate::client`] has them.
const CLIENTS: [Size; 4] = [
    size(0, 1, 261, 0),
    size(1, 2, 300, 128),
    size(2, 5, 600, 64),
    size(3, 5, 13_107, 128),
];
/// As [`crate::server`] has them.
const SERVERS: [Size; 4] = [
    size(0, 1, 261, 100),
    size(1, 2, 300, 128),
    size(2, 4, 600, 128),
    size(3, 5, 13_107, 128),
];
