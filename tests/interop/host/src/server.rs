//! The server.

use std::future::Future;
use std::time::Duration;

use rpc_nostd::ConfigError;
use rpc_nostd::server::{Server, ServerConfig, ServerResources};
use rpc_nostd_interop::service::service;
use rpc_nostd_tests_host::{HostClock, TokioAcceptor};
use tokio::net::TcpListener;

use crate::Sizes;

/// Serves the interop test to clients of `listener` until `stop` is ready; then calls under way go on for a while.
///
/// # Errors
/// The sizes are too small for HTTP/2.
pub async fn serve(
    listener: &TcpListener,
    sizes: Sizes,
    stop: impl Future<Output = ()>,
) -> Result<(), ConfigError> {
    let mut config = ServerConfig::new();
    match sizes {
        Sizes::Host => serve_sized::<12, 8, 4096, 8192>(listener, &config, stop).await,
        Sizes::Device => {
            // Clients that keep channels open while they use others must not keep those out.
            config.max_connection_idle = Some(Duration::from_secs(1));
            serve_sized::<2, 4, 512, 1024>(listener, &config, stop).await
        }
    }
}

async fn serve_sized<const CONNECTIONS: usize, const STREAMS: usize, const RECV: usize, const SEND: usize>(
    listener: &TcpListener,
    config: &ServerConfig,
    stop: impl Future<Output = ()>,
) -> Result<(), ConfigError> {
    let clock = HostClock::start();
    let service = service(&clock);
    let mut resources = Box::new(ServerResources::<CONNECTIONS, STREAMS, RECV, SEND, META>::new());
    let acceptors = [TokioAcceptor { listener }; CONNECTIONS];
    let (server, runner) = Server::new(&mut resources, acceptors, &service, &clock, config)?;
    let stopping = async {
        stop.await;
        server.shut_down();
    };
    // The handlers of all calls are in it.
    tokio::join!(Box::pin(runner.run()), stopping);
    Ok(())
}

/// Octets for the metadata of a request, and for those of its response.
const META: usize = 256;
