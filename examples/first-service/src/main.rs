//! Reports to a gRPC server, from an emulated Cortex-M3.
#![no_std]
#![no_main]

mod proto {
    include!(concat!(env!("OUT_DIR"), "/fleet.rs"));
}

use embassy_executor::Spawner;
use embassy_net::Stack;
use proto::fleet::v1::fleet_service::ClientResources;
use proto::fleet::v1::{FleetClient, ReportReply, ReportRequest};
use qemu_runtime::{Args, ExitCode, exit};
use rpc_nostd::heapless::{String, Vec};
use rpc_nostd::{Channel, Config, EmbassyTimer, Resources, Runner, Status, TcpConnector};
use static_cell::ConstStaticCell;

#[cortex_m_rt::entry]
fn main() -> ! {
    // Clock, network interface and executor: what the crates of a board do.
    lm3s6965evb::run(start)
}

fn start(spawner: Spawner, stack: Stack<'static>, _: Args) {
    let channel = open(spawner, stack);
    spawner.spawn(device(stack, channel).expect("spawned once"));
}

fn open(spawner: Spawner, stack: Stack<'static>) -> Channel<'static> {
    static RESOURCES: ConstStaticCell<ClientResources<'static, 2>> = ConstStaticCell::new(Resources::new());
    static TCP_RX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);
    static TCP_TX: ConstStaticCell<[u8; 1024]> = ConstStaticCell::new([0; 1024]);

    let connector = TcpConnector::new(stack, "10.0.2.2", 50051, TCP_RX.take(), TCP_TX.take());
    let config = Config::new("10.0.2.2:50051");
    let (channel, runner) =
        Channel::new(RESOURCES.take(), connector, &EmbassyTimer, config).expect("sizes that are enough");
    spawner.spawn(run(runner).expect("spawned once"));
    channel
}

#[embassy_executor::task]
async fn run(runner: Runner<'static, TcpConnector<'static>>) {
    runner.run().await;
}

#[embassy_executor::task]
async fn device(stack: Stack<'static>, channel: Channel<'static>) {
    stack.wait_config_up().await;
    match report(&mut FleetClient::new(channel)).await {
        Ok(reply) => {
            defmt::info!(
                "next report in {} s: {=str}",
                reply.next_in_seconds,
                reply.note.as_str()
            );
            exit(ExitCode::Success)
        }
        Err(status) => {
            defmt::error!("{}", status);
            exit(ExitCode::Failure)
        }
    }
}

async fn report(fleet: &mut FleetClient<Channel<'static>>) -> Result<ReportReply, Status> {
    let request = ReportRequest {
        device_id: String::try_from("pump-17").unwrap_or_default(),
        millivolts: 3300,
        temperatures: Vec::from_slice(&[-5, 21]).unwrap_or_default(),
    };
    fleet.report(&request).await
}
