//! The server.

use core::time::Duration;

use embassy_executor::Spawner;
use embassy_net::Stack;
use embassy_time::Timer;
use qemu_runtime::Args;
use rpc_nostd::server::{ConnectionRunner, Server, ServerConfig, ServerResources};
use rpc_nostd::{EmbassyTimer, TcpAcceptor};
use rpc_nostd_interop::service::{InteropService, service};
use static_cell::{ConstStaticCell, StaticCell};

use crate::{Next, TcpBuffers, log_stack};

/// Starts serving.
///
/// # Errors
/// Cannot happen with the sizes below.
pub(crate) fn start(
    spawner: Spawner,
    stack: Stack<'static>,
    args: Args,
    tcp: &'static mut [TcpBuffers; CONNECTIONS],
) -> Result<Next, &'static str> {
    static SERVICE: StaticCell<InteropService<'static>> = StaticCell::new();
    static RESOURCES: ConstStaticCell<Resources> = ConstStaticCell::new(ServerResources::new());

    let port = args.number("port", 50_051);
    let service = SERVICE.init(service(&EmbassyTimer));
    let acceptors = tcp
        .each_mut()
        .map(|tcp| TcpAcceptor::new(stack, port, &mut tcp.rx, &mut tcp.tx));
    let mut config = ServerConfig::new();
    // Clients that keep channels open while they use others must not keep those out; channel_soak of grpc-go closes none
    // before the end.
    config.max_connection_idle = Some(Duration::from_millis(200));
    let (_, runner) = Server::new(RESOURCES.take(), acceptors, service, &EmbassyTimer, &config)
        .map_err(|_| "the server's memory is too small for HTTP/2")?;
    for connection in runner.connections() {
        spawner.spawn(serve(connection).map_err(|_| "a connection's task is spawned once")?);
    }
    spawner.spawn(watch_stack().map_err(|_| "the stack is watched once")?);
    defmt::info!("interop: listening: port={=u16}", port);
    Ok(Next::Serve)
}

#[embassy_executor::task(pool_size = CONNECTIONS)]
async fn serve(
    connection: ConnectionRunner<'static, TcpAcceptor<'static>, InteropService<'static>, STREAMS>,
) {
    connection.run().await;
}

/// The host ends a server without asking, so its stack is shown now and then.
#[embassy_executor::task]
async fn watch_stack() {
    loop {
        Timer::after_secs(5).await;
        log_stack();
    }
}

/// Messages above 507 octets pass in parts.
type Resources = ServerResources<'static, CONNECTIONS, STREAMS, 512, 1024, 256>;

/// Clients at once.
const CONNECTIONS: usize = 2;
/// Calls at once of each.
const STREAMS: usize = 2;
