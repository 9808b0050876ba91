//! The server: its memory, its TCP buffers, and the tasks that run it.

use embassy_executor::Spawner;
use embassy_net::Stack;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use rpc_nostd::server::{ConnectionRunner, Server, ServerConfig, ServerResources};
use rpc_nostd::{EmbassyTimer, TcpAcceptor};
use static_cell::{ConstStaticCell, StaticCell};

use crate::journal::Journal;
use crate::proto::TelemetryServer;
use crate::service::Device;

/// Serves on `port` until `calls` calls are over, then shuts down.
///
/// # Errors
/// Cannot happen with the sizes below.
pub(crate) async fn start(
    spawner: Spawner,
    stack: Stack<'static>,
    port: u16,
    calls: u32,
) -> Result<(), &'static str> {
    static JOURNAL: StaticCell<Journal> = StaticCell::new();
    static SERVICE: StaticCell<Service> = StaticCell::new();
    static RESOURCES: ConstStaticCell<Resources> = ConstStaticCell::new(ServerResources::new());
    static TCP: ConstStaticCell<[TcpBuffers; CONNECTIONS]> =
        ConstStaticCell::new([const { TcpBuffers::new() }; CONNECTIONS]);

    let journal = &*JOURNAL.init(Journal::new(calls));
    let service = &*SERVICE.init(TelemetryServer::new(Device::new(journal)));
    let acceptors = TCP
        .take()
        .each_mut()
        .map(|tcp| TcpAcceptor::new(stack, port, &mut tcp.rx, &mut tcp.tx));
    let config = ServerConfig::new();
    let (server, runner) = Server::new(RESOURCES.take(), acceptors, service, &EmbassyTimer, &config)
        .map_err(|_| "resources: too small for HTTP/2")?;
    for connection in runner.connections() {
        spawner.spawn(run(connection).map_err(|_| "a connection's task is spawned once")?);
    }
    defmt::info!("demo: listening: port={=u16}", port);
    journal.over().await;
    server.shut_down();
    for _ in 0..CONNECTIONS {
        ENDED.receive().await;
    }
    Ok(())
}

#[embassy_executor::task(pool_size = CONNECTIONS)]
async fn run(connection: ConnectionRunner<'static, TcpAcceptor<'static>, Service, STREAMS>) {
    connection.run().await;
    ENDED.send(()).await;
}

type Service = TelemetryServer<Device<'static>>;

/// Requests up to 571 octets; metadata of a request up to 192, and as much of a response.
type Resources = ServerResources<'static, CONNECTIONS, STREAMS, 576, 1024, 192>;

/// Memory that TCP has for one connection.
struct TcpBuffers {
    rx: [u8; 2048],
    tx: [u8; 1024],
}

impl TcpBuffers {
    const fn new() -> Self {
        Self {
            rx: [0; 2048],
            tx: [0; 1024],
        }
    }
}

/// A connection's task has ended.
static ENDED: Channel<CriticalSectionRawMutex, (), CONNECTIONS> = Channel::new();

/// Clients at once.
const CONNECTIONS: usize = 2;
/// Calls at once of each.
const STREAMS: usize = 3;
