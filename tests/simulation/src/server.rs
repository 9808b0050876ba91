//! The server: it comes, serves, is shut down or dies, and comes again.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};

use rpc_nostd::server::{Server, ServerResources};

use crate::net::{Listen, Net};
use crate::service::Planned;
use crate::signal::{Either, Signal, all, first};

/// Who runs a server, and until when.
#[derive(Debug)]
pub struct Operator<'n, 'w> {
    /// Where it listens.
    pub net: &'n Net<'w>,
    /// No more restarts: the server that is there, or comes next, stays.
    pub stays: &'n Signal,
    /// The server is to end for good.
    pub stop: &'n Signal,
    /// It has.
    pub stopped: &'n Cell<bool>,
}

/// Runs servers of the scenario's size until the operator says stop.
pub fn serve<'a, 'w>(
    operator: &'a Operator<'a, 'w>,
    service: Planned<'a>,
) -> Pin<Box<dyn Future<Output = ()> + 'a>>
where
    'w: 'a,
{
    match service.scenario.server.index {
        0 => Box::pin(lives::<1, 1, 261, 384, 100, 64>(operator, service)),
        1 => Box::pin(lives::<2, 2, 300, 512, 128, 256>(operator, service)),
        2 => Box::pin(lives::<2, 4, 600, 700, 128, 256>(operator, service)),
        _ => Box::pin(lives::<1, 5, 13_107, 1_024, 128, 256>(operator, service)),
    }
}

async fn lives<
    const CONNECTIONS: usize,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize,
    const SCRATCH: usize,
>(
    operator: &Operator<'_, '_>,
    service: Planned<'_>,
) {
    let world = service.world;
    loop {
        let last = life::<CONNECTIONS, STREAMS, RECV, SEND, META, SCRATCH>(operator, service).await;
        assert_eq!(service.ledger.running(), 0, "handlers outlive their server");
        if last {
            break;
        }
        world.sleep(world.random.below(20_000)).await;
    }
    operator.stopped.set(true);
}

/// One server, from its beginning to its end. True: it was the last.
async fn life<
    const CONNECTIONS: usize,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize,
    const SCRATCH: usize,
>(
    operator: &Operator<'_, '_>,
    service: Planned<'_>,
) -> bool {
    let (world, net) = (service.world, operator.net);
    let mut memory = ServerResources::<'_, CONNECTIONS, STREAMS, RECV, SEND, META, SCRATCH>::new();
    let acceptors = [(); CONNECTIONS].map(|()| Listen(net));
    let (server, runner) = Server::new(
        &mut memory,
        acceptors,
        &service,
        &world.clock,
        &service.scenario.config,
    )
    .expect("the memory is large enough");
    net.set_listening(true);
    world.note("server", format_args!("begins"));
    let running: Pin<Box<dyn Future<Output = ()> + '_>> = match world.random.below(4) {
        0 => Box::pin(runner.run_with_spare(Listen(net))),
        1 => {
            let connections = runner
                .connections()
                .into_iter()
                .map(|runner| runner.run())
                .collect();
            Box::pin(async { drop(all::<()>(connections).await) })
        }
        _ => Box::pin(runner.run()),
    };
    let mut running = running;
    let last = match first(&mut running, pin!(end_of_life(operator, service))).await {
        Either::First(()) => panic!("the server ended without being told"),
        Either::Second(last) => last,
    };
    net.set_listening(false);
    if !last && world.random.percent(40) {
        world.note("server", format_args!("dies"));
        return false;
    }
    let begun = world.now_ms();
    world.note("server", format_args!("is shut down"));
    server.shut_down();
    running.await;
    let took = world.now_ms() - begun;
    world.note("server", format_args!("has ended"));
    let grace = service.scenario.config.shutdown_grace.as_millis() as u64;
    // A client that is turned away is given a second to leave, and a close that does not end another.
    assert!(took <= grace + 2_100, "the shutdown took {took} ms");
    last
}

/// Waits for what ends a server. True: for good.
async fn end_of_life(operator: &Operator<'_, '_>, service: Planned<'_>) -> bool {
    let world = service.world;
    if service.scenario.restarts {
        let time = world.random.pick(&[100, 5_000, 40_000]);
        let over = world.random.below(time);
        if let Either::Second(()) = first(pin!(operator.stays.wait()), pin!(world.sleep(over))).await {
            return false;
        }
    }
    operator.stop.wait().await;
    true
}
