//! The client: cases one after another, over one channel.

use core::fmt::Write;
use core::time::Duration;

use embassy_executor::Spawner;
use embassy_net::Stack;
use heapless::String;
use qemu_runtime::Args;
use rpc_nostd::{Channel, Config, EmbassyTimer, Resources, Runner, TcpConnector};
use rpc_nostd_interop::{Bench, Case, Failure, NewChannel, large_unary_beside};
use static_cell::{ConstStaticCell, StaticCell};

use crate::{Next, TcpBuffers, log_stack};

/// Runs the cases that `args` name.
///
/// # Errors
/// What was wrong with the arguments, or that a case failed.
pub(crate) async fn run(
    spawner: Spawner,
    stack: Stack<'static>,
    args: Args,
    [tcp, soak_tcp]: &'static mut [TcpBuffers; 2],
) -> Result<Next, &'static str> {
    static RESOURCES: ConstStaticCell<ClientResources<STREAMS>> = ConstStaticCell::new(Resources::new());
    static AUTHORITY: StaticCell<String<80>> = StaticCell::new();

    let (host, port) = (
        args.get("host").unwrap_or("10.0.2.2"),
        args.number("port", 50_051),
    );
    let authority = AUTHORITY.init(String::new());
    write!(authority, "{host}:{port}").map_err(|_| "the host's name is too long")?;
    let connector = TcpConnector::new(stack, host, port, &mut tcp.rx, &mut tcp.tx);
    let (channel, runner) = Channel::new(RESOURCES.take(), connector, &EmbassyTimer, config(authority))
        .map_err(|_| "the channel's memory is too small for HTTP/2")?;
    spawner.spawn(rpc(runner).map_err(|_| "the channel's task is spawned once")?);
    let mut bench = Bench {
        channel,
        new_channel: Server {
            stack,
            host,
            port,
            authority,
            tcp: soak_tcp,
        },
        soak_iterations: args.number("soak", 10),
    };
    run_cases(&mut bench, args.get("cases").unwrap_or("all")).await
}

async fn run_cases(bench: &mut Bench<'static, Server>, wanted: &str) -> Result<Next, &'static str> {
    let is_wanted = |case: &Case| wanted == "all" || wanted.split(',').any(|name| name == case.name());
    let unknown = wanted.split(',').find(|name| Case::from_name(name).is_none());
    if let Some(name) = unknown
        && wanted != "all"
    {
        defmt::error!("{=str}: no such case", name);
        return Err("an unknown case was asked for");
    }
    let mut failed = 0_u32;
    for case in Case::ALL.into_iter().filter(is_wanted) {
        match bench.run(case).await {
            Ok(()) => defmt::info!("interop: {=str}: pass", case.name()),
            Err(failure) => {
                failed += 1;
                defmt::error!("interop: {=str}: FAIL: {}", case.name(), failure);
            }
        }
    }
    log_stack();
    match failed {
        0 => Ok(Next::End),
        _ => Err("cases failed"),
    }
}

#[embassy_executor::task]
async fn rpc(runner: Runner<'static, TcpConnector<'static>>) {
    runner.run().await;
}

/// Where the channels of channel_soak go, and their TCP buffers.
struct Server {
    stack: Stack<'static>,
    host: &'static str,
    port: u16,
    authority: &'static str,
    tcp: &'static mut TcpBuffers,
}

impl NewChannel for Server {
    async fn large_unary(&mut self) -> Result<(), Failure> {
        let mut resources = ClientResources::<1>::new();
        let tcp = &mut *self.tcp;
        let connector = TcpConnector::new(self.stack, self.host, self.port, &mut tcp.rx, &mut tcp.tx);
        let (channel, runner) =
            Channel::new(&mut resources, connector, &EmbassyTimer, config(self.authority))
                .map_err(|_| Failure::new("the channel's memory is too small for HTTP/2"))?;
        large_unary_beside(channel, runner).await
    }
}

fn config(authority: &str) -> Config<'_> {
    let mut config = Config::new(authority);
    // An emulated machine takes its time, and how fast it is is not the question.
    config.default_timeout = Duration::from_secs(60);
    config
}

/// Messages above 507 octets pass in parts. Metadata: the test's own and a proxy's.
type ClientResources<'r, const STREAMS: usize> = Resources<'r, STREAMS, 512, 1024, 256, 256>;

/// Calls at once.
const STREAMS: usize = 2;
