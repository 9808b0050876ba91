//! The device as client.

use core::fmt::Write;

use embassy_executor::Spawner;
use embassy_net::Stack;
use heapless::String;
use qemu_runtime::Args;
use rpc_nostd::{Channel, Config, EmbassyTimer, Resources, Runner, TcpConnector};
use rpc_nostd_examples::client::Example;
use rpc_nostd_examples::greenhouse::GreenhouseClient;
use static_cell::{ConstStaticCell, StaticCell};

use crate::{Failed, say};

/// 2 calls at once; responses up to 507 octets, a send buffer of 1 KiB, 256 octets for HPACK, 256 of metadata.
type ClientResources = Resources<'static, 2, 512, 1024, 256, 256>;

/// Runs all examples.
pub(crate) async fn call_all(spawner: Spawner, stack: Stack<'static>, args: Args) -> Result<(), Failed> {
    let channel = open(spawner, stack, args)?;
    let mut client = GreenhouseClient::new(channel);
    for example in Example::ALL {
        if let Err(error) = example.run(&mut client, say).await {
            defmt::error!(
                "examples: {=str}: {}",
                example.name(),
                defmt::Display2Format(&error)
            );
            return Err(Failed);
        }
    }
    channel.shutdown();
    say(format_args!("all well: {} examples", Example::ALL.len()));
    Ok(())
}

// Inlined, what it has on the stack would be part of the task's frame for good.
#[inline(never)]
fn open(spawner: Spawner, stack: Stack<'static>, args: Args) -> Result<Channel<'static>, Failed> {
    static RESOURCES: ConstStaticCell<ClientResources> = ConstStaticCell::new(Resources::new());
    static TCP_RX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);
    static TCP_TX: ConstStaticCell<[u8; 1024]> = ConstStaticCell::new([0; 1024]);
    static AUTHORITY: StaticCell<String<80>> = StaticCell::new();

    let (host, port) = (
        args.get("host").unwrap_or("10.0.2.2"),
        args.number("port", 50_051),
    );
    let authority = AUTHORITY.init(String::new());
    write!(authority, "{host}:{port}").map_err(|_| {
        defmt::error!("examples: the server's name is too long: {=str}", host);
        Failed
    })?;
    let connector = TcpConnector::new(stack, host, port, TCP_RX.take(), TCP_TX.take());
    let config = Config::new(authority);
    let made = Channel::new(RESOURCES.take(), connector, &EmbassyTimer, config);
    let (channel, runner) = made.map_err(|error| {
        defmt::error!("examples: {}", defmt::Debug2Format(&error));
        Failed
    })?;
    spawner.spawn(run(runner).map_err(|_| Failed)?);
    Ok(channel)
}

#[embassy_executor::task]
async fn run(runner: Runner<'static, TcpConnector<'static>>) {
    runner.run().await;
}
