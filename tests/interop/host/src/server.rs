//! The server.

use std::error::Error;
use std::future::Future;
use std::net;
use std::thread;
use std::time::Duration;

use rpc_nostd::ConfigError;
use rpc_nostd::blocking::Timed;
use rpc_nostd::server::{BlockingServer, Server, ServerConfig, ServerResources};
use rpc_nostd_interop::service::service;
use rpc_nostd_tests_host::{HostClock, ImpatientSocket, LoopClock, TokioAcceptor};
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
    let config = config(sizes);
    match sizes {
        Sizes::Host => serve_sized::<12, 8, 4096, 8192>(listener, &config, stop).await,
        Sizes::Device => serve_sized::<2, 4, 512, 1024>(listener, &config, stop).await,
    }
}

/// As [`serve`], by blocking servers, of 12 connections at once: a thread for each, for ever.
///
/// # Errors
/// The sizes are too small for HTTP/2, or no client can connect any more.
pub fn serve_blocking(listener: &net::TcpListener, sizes: Sizes) -> Result<(), Box<dyn Error>> {
    let serve_one: ServeOne = match sizes {
        Sizes::Host => serve_blocking_sized::<8, 4096, 8192>,
        Sizes::Device => serve_blocking_sized::<4, 512, 1024>,
    };
    let config = config(sizes);
    thread::scope(|scope| {
        for _ in 1..THREADS {
            scope.spawn(|| {
                if let Err(error) = serve_one(listener, &config) {
                    println!("{error}");
                }
            });
        }
        serve_one(listener, &config)
    })
}

type ServeOne = fn(&net::TcpListener, &ServerConfig) -> Result<(), Box<dyn Error>>;

fn config(sizes: Sizes) -> ServerConfig {
    let mut config = ServerConfig::new();
    if sizes == Sizes::Device {
        // Clients that keep channels open while they use others must not keep those out.
        config.max_connection_idle = Some(Duration::from_secs(1));
    }
    config
}

/// One connection after the other.
fn serve_blocking_sized<const STREAMS: usize, const RECV: usize, const SEND: usize>(
    listener: &net::TcpListener,
    config: &ServerConfig,
) -> Result<(), Box<dyn Error>> {
    let clock = LoopClock::start();
    let service = service(&clock);
    let mut resources = Box::new(ServerResources::<1, STREAMS, RECV, SEND, META>::new());
    let mut server = BlockingServer::new(&mut resources, &service, &clock, config)?;
    loop {
        let (stream, _) = listener.accept()?;
        let mut socket = ImpatientSocket::new(stream)?;
        server.serve(&mut Timed(&mut socket), &mut || true);
        socket.close(GOODBYE);
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
/// Each has a blocking server.
const THREADS: usize = 12;
/// What a client has to read our last words.
const GOODBYE: Duration = Duration::from_secs(1);
