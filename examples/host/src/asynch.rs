//! With an executor: tokio, on one thread. On a device it is embassy, and the same code but for the sockets.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use rpc_nostd::server::{Server, ServerConfig, ServerResources};
use rpc_nostd::{Channel, Config, Resources};
use rpc_nostd_examples::client::Example;
use rpc_nostd_examples::greenhouse::GreenhouseClient;
use rpc_nostd_examples::{Say, service};
use rpc_nostd_tests_host::{HostClock, TokioAcceptor, TokioConnector};
use tokio::net::TcpListener;

/// Serves four clients at once, for ever.
///
/// # Errors
/// The server's memory is too small for HTTP/2.
pub async fn serve(listener: TcpListener, say: Say) -> Result<()> {
    let clock = HostClock::start();
    let greenhouse = service::greenhouse(&clock, say);
    // 4 connections with 4 calls each; requests up to 1,019 octets, send buffers of 1 KiB, 256 octets of metadata.
    let mut resources = ServerResources::<4, 4, 1024, 1024, 256>::new();
    let acceptors = [TokioAcceptor { listener: &listener }; 4];
    let config = ServerConfig::new();
    let (_server, runner) = Server::new(&mut resources, acceptors, &greenhouse, &clock, &config)?;
    runner.run().await;
    Ok(())
}

/// Runs `examples` against the server at `address`.
///
/// # Errors
/// Names the example that failed.
pub async fn call(address: SocketAddr, examples: &[Example], say: Say) -> Result<()> {
    let clock = HostClock::start();
    let authority = address.to_string();
    // 2 calls at once; responses up to 1,019 octets, a send buffer of 1 KiB, 256 octets for HPACK, 256 of metadata.
    let mut resources = Resources::<2, 1024, 1024, 256, 256>::new();
    let connector = TokioConnector { address };
    let (channel, runner) = Channel::new(&mut resources, connector, &clock, Config::new(&authority))?;
    let calls = async {
        let mut client = GreenhouseClient::new(channel);
        let result = run_all(&mut client, examples, say).await;
        // The runner, which does the work of the channel, then returns.
        channel.shutdown();
        result
    };
    let ((), result) = tokio::join!(runner.run(), calls);
    result
}

async fn run_all(client: &mut GreenhouseClient<Channel<'_>>, examples: &[Example], say: Say) -> Result<()> {
    for example in examples {
        example.run(client, say).await.context(example.name())?;
    }
    Ok(())
}
