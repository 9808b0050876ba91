//! The channel to the server: its memory, its TCP buffers, and the task that runs it.

use core::fmt::Write;

use embassy_executor::Spawner;
use embassy_net::Stack;
use heapless::String;
use rpc_nostd::transport::embassy::TcpConnector;
use rpc_nostd::{Channel, Config, EmbassyTimer, Resources, Runner};
use static_cell::{ConstStaticCell, StaticCell};

/// Two calls at once; responses up to 571 octets, which is what `Diagnose` can answer and the prefix.
type ClientResources = Resources<'static, 2, 576, 1024, 256>;

/// The channel for `host` at `port`, its runner spawned. `None`: logged, cannot happen with these sizes.
pub(crate) fn open(
    spawner: Spawner,
    stack: Stack<'static>,
    host: &'static str,
    port: u16,
) -> Option<Channel<'static>> {
    static RESOURCES: ConstStaticCell<ClientResources> = ConstStaticCell::new(Resources::new());
    static TCP_RX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);
    static TCP_TX: ConstStaticCell<[u8; 1024]> = ConstStaticCell::new([0; 1024]);
    static AUTHORITY: StaticCell<String<80>> = StaticCell::new();

    let authority = AUTHORITY.init(String::new());
    if write!(authority, "{host}:{port}").is_err() {
        defmt::error!("demo: fail: name too long: {=str}", host);
        return None;
    }
    let connector = TcpConnector::new(stack, host, port, TCP_RX.take(), TCP_TX.take());
    let config = Config::new(authority);
    match Channel::new(RESOURCES.take(), connector, &EmbassyTimer, config) {
        Ok((channel, runner)) => {
            spawner.spawn(rpc(runner).ok()?);
            Some(channel)
        }
        Err(error) => {
            defmt::error!("demo: fail: resources: {}", defmt::Debug2Format(&error));
            None
        }
    }
}

#[embassy_executor::task]
async fn rpc(runner: Runner<'static, TcpConnector<'static>>) {
    runner.run().await;
}
