//! The device as server.

use embassy_executor::Spawner;
use embassy_net::Stack;
use qemu_runtime::Args;
use rpc_nostd::server::{ConnectionRunner, Server, ServerConfig, ServerResources};
use rpc_nostd::{EmbassyTimer, TcpAcceptor};
use rpc_nostd_examples::service::{self, GreenhouseService};
use static_cell::{ConstStaticCell, StaticCell};

use crate::{Failed, say, watch_stack};

/// Clients at once, and calls at once of each.
const CONNECTIONS: usize = 2;
const STREAMS: usize = 2;

/// Requests up to 507 octets, send buffers of 1 KiB, 256 octets of metadata.
type Memory = ServerResources<'static, CONNECTIONS, STREAMS, 512, 1024, 256>;

type Connection = ConnectionRunner<'static, TcpAcceptor<'static>, GreenhouseService<'static>, STREAMS>;

/// Serves for ever.
pub(crate) async fn serve(spawner: Spawner, stack: Stack<'static>, args: Args) -> Result<(), Failed> {
    let port = args.number("port", 50_051);
    start(spawner, stack, port)?;
    say(format_args!("listening on port {port}"));
    watch_stack().await
}

// Inlined, what it has on the stack would be part of the task's frame for good.
#[inline(never)]
fn start(spawner: Spawner, stack: Stack<'static>, port: u16) -> Result<(), Failed> {
    static RESOURCES: ConstStaticCell<Memory> = ConstStaticCell::new(ServerResources::new());
    static TCP_RX: ConstStaticCell<[[u8; 1024]; CONNECTIONS]> =
        ConstStaticCell::new([[0; 1024]; CONNECTIONS]);
    static TCP_TX: ConstStaticCell<[[u8; 1024]; CONNECTIONS]> =
        ConstStaticCell::new([[0; 1024]; CONNECTIONS]);
    static SERVICE: StaticCell<GreenhouseService<'static>> = StaticCell::new();

    let [rx, other_rx] = TCP_RX.take();
    let [tx, other_tx] = TCP_TX.take();
    let acceptors = [(rx, tx), (other_rx, other_tx)].map(|(rx, tx)| TcpAcceptor::new(stack, port, rx, tx));
    let service = SERVICE.init(service::greenhouse(&EmbassyTimer, say));
    let config = ServerConfig::new();
    let made = Server::new(RESOURCES.take(), acceptors, service, &EmbassyTimer, &config);
    // The handle, which could shut the server down, is not needed here.
    let (_, runner) = made.map_err(|error| {
        defmt::error!("examples: {}", defmt::Debug2Format(&error));
        Failed
    })?;
    // A task for each connection: their futures then lie in the tasks' memory, and never on the stack.
    for connection in runner.connections() {
        spawner.spawn(run(connection).map_err(|_| Failed)?);
    }
    Ok(())
}

#[embassy_executor::task(pool_size = CONNECTIONS)]
async fn run(connection: Connection) {
    connection.run().await;
}
