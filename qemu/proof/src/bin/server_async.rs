//! The async server: every method of its services is called.
#![no_std]
#![no_main]

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use cortex_m_rt::entry;
use proof::keep::{keep, keep_async, keep_async2};
use proof::script::{Script, Way};
use proof::service::All;
use proof::ticks::Ticks;
use proof::{futures, kept, served};
use rpc_nostd::server::{Server, ServerConfig, ServerResources};
use static_cell::{ConstStaticCell, StaticCell};

type Acceptor = Way<'static>;

#[entry]
fn main() -> ! {
    keep_all();
    proof::end(serve())
}

#[inline(never)]
fn keep_all() {
    kept::keep_values();
    kept::keep_messages();
    served::keep_server();
    keep_running();
}

fn keep_running() {
    keep(rpc_nostd::server::ServerResources::<2, 4, 512, 1_024>::new as *const ());
    keep(make as *const ());
    keep(rpc_nostd::server::Server::shut_down as *const ());
    keep(rpc_nostd::server::ServerRunner::<Acceptor, All, 2, 4>::connections as *const ());
    keep_async(rpc_nostd::server::ServerRunner::<'static, Acceptor, All, 2, 4>::run);
    keep_async2(rpc_nostd::server::ServerRunner::<'static, Acceptor, All, 2, 4>::run_with_spare::<Acceptor>);
    keep_async(rpc_nostd::server::ConnectionRunner::<'static, Acceptor, All, 4>::run);
}

fn make(
    resources: &'static mut ServerResources<'static, 2, 4, 512, 1_024>,
    acceptors: [Acceptor; 2],
    service: &'static All,
    config: &ServerConfig,
) -> bool {
    static CLOCK: Ticks = Ticks::new();
    rpc_nostd::server::Server::new(resources, acceptors, service, &CLOCK, config).is_ok()
}

fn serve() -> bool {
    static RESOURCES: ConstStaticCell<ServerResources<'static, 1, 4, 512, 1_024>> =
        ConstStaticCell::new(ServerResources::new());
    static SCRIPT: ConstStaticCell<Script> = ConstStaticCell::new(Script::new());
    static CLOCK: Ticks = Ticks::new();
    static SERVICE: StaticCell<All> = StaticCell::new();
    let script: &'static Script = proof::take(&SCRIPT);
    let resources = proof::take(&RESOURCES);
    let service = proof::unless_failed(SERVICE.try_init(proof::service::all()).ok_or(()));
    let made = Server::new(resources, [Way(script)], service, &CLOCK, &ServerConfig::new());
    let (server, runner) = proof::unless_failed(made);
    let mut calls = served::Calls::default();
    let mut turns = 0;
    let shutting_down = poll_fn(|_| {
        calls.turn(script);
        turns += 1;
        if turns == TURNS {
            server.shut_down();
        }
        Poll::<()>::Pending
    });
    let [connection] = runner.connections();
    {
        let connection = pin!(connection.run());
        futures::run(pin!(shutting_down), connection);
    }
    calls.are_over(script)
}

/// More than enough for all calls.
const TURNS: u32 = 200;
