//! One call of any method of any server, and what becomes of the connection afterwards.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use rpc_nostd::blocking::{Client, Timed};
use rpc_nostd::client::Unary;
use rpc_nostd::{Channel, Code, Config, ConfigError, ConnectivityState, Method, Resources, Status};
use rpc_nostd_interop::testing::Empty;
use rpc_nostd_tests_host::{HostClock, ImpatientSocket, TokioConnector};

use crate::Sizes;

/// A unary call with an empty request, which is a valid message of any type; the fields of the response are skipped.
#[derive(Clone, Copy, Debug)]
pub struct Call<'u> {
    /// Where the server listens.
    pub address: SocketAddr,
    /// What `:authority` says.
    pub authority: &'u str,
    /// What is called.
    pub method: &'static Method,
    /// How long the call may take.
    pub deadline: Duration,
    /// How long the connection is kept after the call, unless the server ends it earlier.
    pub stay: Duration,
}

impl Call<'_> {
    /// Makes the call on an async channel. `report` gets the outcome before the connection is kept any longer.
    ///
    /// # Errors
    /// The sizes are too small for HTTP/2.
    pub async fn make(
        self,
        sizes: Sizes,
        report: impl FnOnce(Result<(), Status>),
    ) -> Result<(), ConfigError> {
        match sizes {
            Sizes::Host => self.make_sized::<8, 4096, 16384>(report).await,
            Sizes::Device => self.make_sized::<4, 512, 1024>(report).await,
        }
    }

    /// As [`Call::make`], on the blocking client.
    ///
    /// # Errors
    /// As [`Call::make`].
    pub fn make_blocking(
        self,
        sizes: Sizes,
        report: impl FnOnce(Result<(), Status>),
    ) -> Result<(), ConfigError> {
        match sizes {
            Sizes::Host => self.make_blocking_sized::<8, 4096, 16384>(report),
            Sizes::Device => self.make_blocking_sized::<4, 512, 1024>(report),
        }
    }

    async fn make_sized<const STREAMS: usize, const RECV: usize, const SEND: usize>(
        self,
        report: impl FnOnce(Result<(), Status>),
    ) -> Result<(), ConfigError> {
        let clock = HostClock::start();
        let connector = TokioConnector {
            address: self.address,
        };
        let mut resources = Resources::<STREAMS, RECV, SEND, TABLE, META>::new();
        let (mut channel, runner) =
            Channel::new(&mut resources, connector, &clock, Config::new(self.authority))?;
        let calling = async {
            let call = Unary::<_, Empty, Empty>::new(&mut channel, self.method, &Empty {});
            report(call.deadline(self.deadline).await.map(drop));
            let end = Instant::now() + self.stay;
            while channel.state() == ConnectivityState::Ready && Instant::now() < end {
                tokio::time::sleep(STEP).await;
            }
            channel.shutdown();
            // The runner says goodbye meanwhile. A server that does not answer that is not worth more time.
            tokio::time::sleep(GOODBYE).await;
        };
        tokio::select! {
            () = runner.run() => {}
            () = calling => {}
        }
        Ok(())
    }

    fn make_blocking_sized<const STREAMS: usize, const RECV: usize, const SEND: usize>(
        self,
        report: impl FnOnce(Result<(), Status>),
    ) -> Result<(), ConfigError> {
        let clock = HostClock::start();
        let Ok(mut socket) = ImpatientSocket::connect(self.address) else {
            report(Err(Status::new(
                Code::UNAVAILABLE,
                "the server refuses the connection",
            )));
            return Ok(());
        };
        let mut resources = Resources::<STREAMS, RECV, SEND, TABLE, META>::new();
        let config = Config::new(self.authority);
        let mut client = Client::new(&mut resources, Timed(&mut socket), &clock, config)?;
        let call = Unary::<_, Empty, Empty>::new(&mut client, self.method, &Empty {});
        report(call.deadline(self.deadline).call().map(drop));
        let end = Instant::now() + self.stay;
        while client.poll().is_ok() && Instant::now() < end {
            thread::sleep(STEP);
        }
        socket.close(GOODBYE);
        Ok(())
    }
}

/// HTTP/2's default: some servers never learn to keep to less.
const TABLE: usize = 4096;
/// Octets for the metadata of a response, none of which is looked at.
const META: usize = 256;
/// How late the end of the connection is seen.
const STEP: Duration = Duration::from_millis(5);
/// What the server has to read our last words.
const GOODBYE: Duration = Duration::from_millis(50);
