//! An endpoint without an executor: while it has nothing to do, the executor runs the other one.

use std::cell::Cell;
use std::task::{Poll, Waker};

use embedded_io_async::ErrorKind;
use rpc_nostd::server::{BlockingServer, ServerResources};
use rpc_nostd::transport::blocking::Transport;
use rpc_nostd::{Channel, Resources};

use crate::executor::Executor;
use crate::judge::compare;
use crate::link::End;
use crate::net::Dial;
use crate::shared::{Stage, judge};
use crate::signal::{Count, Signal};

/// An end of a connection for a blocking driver. Without an end the peer has closed.
#[derive(Debug)]
pub(crate) struct Wire<'x, 'f, 'w> {
    pub(crate) end: Option<End<'w>>,
    pub(crate) executor: &'x Executor<'f, 'w>,
}

impl Transport for Wire<'_, '_, '_> {
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str> {
        let Some(end) = &self.end else { return Ok(Some(0)) };
        now(end.reader().read(to, Waker::noop()))
    }

    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str> {
        let Some(end) = &self.end else {
            return Err("closed");
        };
        if self.executor.world().random.percent(10) {
            return Ok(None);
        }
        now(end.writer().write(from, Waker::noop()))
    }

    fn idle(&mut self) {
        self.executor
            .turn(1 + self.executor.world().random.below(MAX_IDLE_MS));
    }
}

fn now(polled: Poll<Result<usize, ErrorKind>>) -> Result<Option<usize>, &'static str> {
    match polled {
        Poll::Ready(result) => result.map(Some).map_err(|_| "the connection is broken"),
        Poll::Pending => Ok(None),
    }
}

/// Runs the simulation with a blocking server: its loop is the caller's, and tasks are polled in its pauses.
pub(crate) fn server(stage: &Stage<'_>) {
    match stage.scenario.client.index {
        0 => channel::<1, 261, 384, 0, 0, 48>(stage),
        1 => channel::<2, 300, 512, 256, 128, 256>(stage),
        2 => channel::<5, 600, 700, 128, 64, 256>(stage),
        _ => channel::<5, 13_107, 1_024, 128, 128, 256>(stage),
    }
}

fn channel<
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const TABLE: usize,
    const META: usize,
    const SCRATCH: usize,
>(
    stage: &Stage<'_>,
) {
    let mut memory: Resources<'_, STREAMS, RECV, SEND, TABLE, META, SCRATCH> = Resources::new();
    let clock = &stage.world.clock;
    let (channel, runner) = Channel::new(&mut memory, Dial(&stage.net), clock, stage.config())
        .expect("the memory is large enough");
    let (ended, left, runner_ended) = (Cell::new(false), Count::default(), Signal::default());
    let executor = Executor::new(stage.world);
    executor.spawn("runner", async {
        runner.run().await;
        runner_ended.raise();
    });
    executor.spawn("tokens", stage.tokens.fetch());
    for _ in 0..stage.scenario.tasks {
        executor.spawn("caller", async {
            stage.caller().task(channel).await;
            left.add();
        });
    }
    executor.spawn("judge", judge(stage, channel, &left, &runner_ended, &ended));
    match stage.scenario.server.index {
        0 => lives::<1, 261, 384, 100, 64>(stage, &executor),
        1 => lives::<2, 300, 512, 128, 256>(stage, &executor),
        2 => lives::<4, 600, 700, 128, 256>(stage, &executor),
        _ => lives::<5, 13_107, 1_024, 128, 256>(stage, &executor),
    }
    executor.run(&ended);
    compare(stage.scenario, &stage.ledger);
}

/// One client after the other, until the judge says stop.
fn lives<
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize,
    const SCRATCH: usize,
>(
    stage: &Stage<'_>,
    executor: &Executor<'_, '_>,
) {
    let world = stage.world;
    let service = stage.service();
    let mut memory = ServerResources::<'_, 1, STREAMS, RECV, SEND, META, SCRATCH>::new();
    let mut server =
        BlockingServer::<_, STREAMS>::new(&mut memory, &service, &world.clock, &stage.scenario.config)
            .expect("the memory is large enough");
    stage.net.set_listening(true);
    while !stage.stop.is_raised() {
        let Some(end) = stage.net.accept_now() else {
            executor.turn(MAX_IDLE_MS);
            continue;
        };
        world.note("server", format_args!("accepts {}", end.number()));
        let mut wire = Wire {
            end: Some(end),
            executor,
        };
        let restarts = stage.scenario.restarts && !stage.stays.is_raised() && world.random.percent(50);
        let over = world.now_ms() + world.random.below(if restarts { 20_000 } else { 1 });
        let begun = Cell::new(None);
        let turns = Cell::new((0, 0u32));
        let reason = server.serve(&mut wire, &mut || {
            if world.random.percent(20) {
                executor.turn(0);
            }
            let (at, count) = turns.get();
            let same = at == world.now_ms();
            turns.set((world.now_ms(), if same { count + 1 } else { 0 }));
            assert!(
                count < TOO_OFTEN,
                "the server turns and turns, and time stands still"
            );
            let ends = stage.stop.is_raised() || restarts && world.now_ms() >= over;
            if ends && begun.get().is_none() {
                begun.set(Some(world.now_ms()));
            }
            !ends
        });
        world.note("server", format_args!("has served: {reason}"));
        assert_eq!(stage.ledger.running(), 0, "handlers outlive their connection");
        if let Some(begun) = begun.get() {
            let grace = stage.scenario.config.shutdown_grace.as_millis() as u64;
            let took = world.now_ms() - begun;
            assert!(took <= grace + MAX_IDLE_MS + 10, "the shutdown took {took} ms");
        }
    }
    stage.net.set_listening(false);
}

/// Milliseconds that an idle moment takes at most.
pub(crate) const MAX_IDLE_MS: u64 = 20;
const TOO_OFTEN: u32 = 200_000;
