//! The client: the cases one after another, over one channel.

use std::net::SocketAddr;
use std::time::Duration;

use rpc_nostd::blocking::{Client, Timed};
use rpc_nostd::{Channel, Config, ConfigError, Resources};
use rpc_nostd_interop::{Bench, Case, Failure, NewChannel, blocking, large_unary_beside};
use rpc_nostd_tests_host::{HostClock, ImpatientSocket, TokioConnector};

use crate::Sizes;

/// Runs cases against the server at `address`, one after another. `report` gets each result as it comes.
///
/// # Errors
/// The sizes are too small for HTTP/2.
pub async fn run(
    address: SocketAddr,
    sizes: Sizes,
    cases: &[Case],
    soak_iterations: u32,
    report: impl FnMut(Case, Result<(), Failure>),
) -> Result<(), ConfigError> {
    let server = Server {
        address,
        authority: address.to_string(),
        clock: HostClock::start(),
    };
    match sizes {
        Sizes::Host => Sized::<8, 4096, 16384>::run(&server, cases, soak_iterations, report).await,
        Sizes::Device => Sized::<4, 512, 1024>::run(&server, cases, soak_iterations, report).await,
    }
}

/// As [`run`], on the blocking client: each case on a connection of its own.
pub fn run_blocking(
    address: SocketAddr,
    sizes: Sizes,
    cases: &[Case],
    soak_iterations: u32,
    mut report: impl FnMut(Case, Result<(), Failure>),
) {
    let server = Server {
        address,
        authority: address.to_string(),
        clock: HostClock::start(),
    };
    for case in cases {
        let connections = if *case == Case::ChannelSoak {
            soak_iterations
        } else {
            1
        };
        let run_once = |_| match sizes {
            Sizes::Host => Sized::<8, 4096, 16384>::run_blocking(&server, *case, soak_iterations),
            Sizes::Device => Sized::<4, 512, 1024>::run_blocking(&server, *case, soak_iterations),
        };
        report(*case, (0..connections).try_for_each(run_once));
    }
}

/// Where calls go.
struct Server {
    address: SocketAddr,
    authority: String,
    clock: HostClock,
}

impl Server {
    fn connector(&self) -> TokioConnector {
        TokioConnector {
            address: self.address,
        }
    }

    fn config(&self) -> Config<'_> {
        let mut config = Config::new(&self.authority);
        // An emulated device takes its time, and how fast it is is not the question.
        config.default_timeout = Duration::from_secs(60);
        config
    }
}

/// Channels of one size.
struct Sized<'s, const STREAMS: usize, const RECV: usize, const SEND: usize> {
    server: &'s Server,
}

impl<const STREAMS: usize, const RECV: usize, const SEND: usize> Sized<'_, STREAMS, RECV, SEND> {
    async fn run(
        server: &Server,
        cases: &[Case],
        soak_iterations: u32,
        mut report: impl FnMut(Case, Result<(), Failure>),
    ) -> Result<(), ConfigError> {
        let mut resources = Resources::<STREAMS, RECV, SEND, TABLE, META>::new();
        let (channel, runner) =
            Channel::new(&mut resources, server.connector(), &server.clock, server.config())?;
        let mut bench = Bench {
            channel,
            new_channel: Sized::<STREAMS, RECV, SEND> { server },
            soak_iterations,
        };
        let run_all = async {
            for case in cases {
                report(*case, bench.run(*case).await);
            }
            channel.shutdown();
        };
        tokio::join!(run_all, runner.run());
        Ok(())
    }

    fn run_blocking(server: &Server, case: Case, soak_iterations: u32) -> Result<(), Failure> {
        let mut resources = Resources::<STREAMS, RECV, SEND, TABLE, META>::new();
        let socket = ImpatientSocket::connect(server.address);
        let socket = socket.map_err(|_| Failure::new("the server refuses the connection"))?;
        let client = Client::new(&mut resources, Timed(socket), &server.clock, server.config());
        blocking::run(case, client.map_err(|_| TOO_SMALL)?, soak_iterations)
    }
}

impl<const STREAMS: usize, const RECV: usize, const SEND: usize> NewChannel
    for Sized<'_, STREAMS, RECV, SEND>
{
    async fn large_unary(&mut self) -> Result<(), Failure> {
        let server = self.server;
        let mut resources = Resources::<STREAMS, RECV, SEND, TABLE, META>::new();
        let made = Channel::new(&mut resources, server.connector(), &server.clock, server.config());
        let (channel, runner) = made.map_err(|_| TOO_SMALL)?;
        large_unary_beside(channel, runner).await
    }
}

/// Octets for what servers say in every response's headers.
const TABLE: usize = 256;
/// Octets for the metadata of a response: the interop test's, and a proxy's.
const META: usize = 256;
const TOO_SMALL: Failure = Failure::new("the sizes are too small for HTTP/2");
