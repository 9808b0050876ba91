//! The blocking server: every method of its services is called.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use proof::keep::keep;
use proof::script::Script;
use proof::service::All;
use proof::ticks::Ticks;
use proof::{kept, served};
use rpc_nostd::server::{BlockingServer, ServerConfig, ServerResources};
use static_cell::{ConstStaticCell, StaticCell};

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
    keep(rpc_nostd::server::ServerResources::<1, 4, 512, 1_024>::new as *const ());
    keep(rpc_nostd::server::BlockingServer::<All, 4>::new::<512, 1_024, 128, 256> as *const ());
    keep(serve_one as *const ());
}

fn serve_one(
    server: &mut BlockingServer<'static, All, 4>,
    transport: &mut &'static Script,
    keep_going: &mut dyn FnMut() -> bool,
) -> &'static str {
    rpc_nostd::server::BlockingServer::serve(server, transport, keep_going)
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
    let server = BlockingServer::<All, 4>::new(resources, service, &CLOCK, &ServerConfig::new());
    let mut server = proof::unless_failed(server);
    let mut calls = served::Calls::default();
    let mut turns = 0;
    server.serve(&mut { script }, &mut || {
        calls.turn(script);
        turns += 1;
        turns < TURNS
    });
    calls.are_over(script)
}

/// More than enough for all calls.
const TURNS: u32 = 100;
