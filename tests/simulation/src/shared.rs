//! A channel that many tasks share, and a server, both under the executor.

use std::cell::Cell;

use rpc_nostd::{Backoff, Channel, Code, Config, Resources};

use crate::client::Caller;
use crate::executor::Executor;
use crate::judge::{Probe, compare};
use crate::ledger::Ledger;
use crate::net::{Dial, Net};
use crate::random::Random;
use crate::scenario::Scenario;
use crate::server::{Operator, serve};
use crate::service::Planned;
use crate::signal::{Count, Signal};
use crate::tokens::Tokens;
use crate::world::World;

/// Everything of one simulation but the endpoints.
#[derive(Debug)]
pub(crate) struct Stage<'w> {
    pub(crate) world: &'w World<'w>,
    pub(crate) scenario: &'w Scenario,
    pub(crate) net: Net<'w>,
    pub(crate) ledger: Ledger,
    pub(crate) tokens: Tokens<'w>,
    pub(crate) probe: Probe,
    pub(crate) client_dice: Random,
    pub(crate) server_dice: Random,
    pub(crate) stays: Signal,
    pub(crate) stop: Signal,
    pub(crate) stopped: Cell<bool>,
}

impl<'w> Stage<'w> {
    pub(crate) fn new(world: &'w World<'w>, scenario: &'w Scenario) -> Self {
        Self {
            world,
            scenario,
            net: Net::new(world, scenario.climate),
            ledger: Ledger::default(),
            tokens: Tokens::new(world, scenario.tokens),
            probe: Probe::new(world.seed, scenario),
            client_dice: Random::new(world.seed, 4),
            server_dice: Random::new(world.seed, 5),
            stays: Signal::default(),
            stop: Signal::default(),
            stopped: Cell::new(false),
        }
    }

    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller {
            world: self.world,
            scenario: self.scenario,
            ledger: &self.ledger,
            random: &self.client_dice,
        }
    }

    pub(crate) fn service(&self) -> Planned<'_> {
        Planned {
            world: self.world,
            scenario: self.scenario,
            ledger: &self.ledger,
            random: &self.server_dice,
            tokens: &self.tokens,
            probe: &self.probe,
        }
    }

    pub(crate) fn operator(&self) -> Operator<'_, 'w> {
        Operator {
            net: &self.net,
            stays: &self.stays,
            stop: &self.stop,
            stopped: &self.stopped,
        }
    }

    pub(crate) fn config(&self) -> Config<'_> {
        let mut config = Config::new("simulation:1");
        config.backoff = Backoff {
            seed: self.world.seed as u32,
            ..Backoff::default()
        };
        config.credentials = self.scenario.tokens.then_some(&self.tokens);
        config
    }

    /// From now on nothing breaks that is not broken.
    pub(crate) fn calm_down(&self) {
        self.world
            .note("judge", format_args!("all calls have ended: the network is good"));
        self.world.calm.set(true);
        self.stays.raise();
    }
}

/// Runs the simulation with a client of the scenario's size.
pub(crate) fn run(stage: &Stage<'_>) {
    match stage.scenario.client.index {
        0 => with_client::<1, 261, 384, 0, 0, 48>(stage),
        1 => with_client::<2, 300, 512, 256, 128, 256>(stage),
        2 => with_client::<5, 600, 700, 128, 64, 256>(stage),
        _ => with_client::<5, 13_107, 1_024, 128, 128, 256>(stage),
    }
}

fn with_client<
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
    let operator = stage.operator();
    let (ended, left, runner_ended) = (Cell::new(false), Count::default(), Signal::default());
    let executor = Executor::new(stage.world);
    executor.spawn("runner", async {
        runner.run().await;
        runner_ended.raise();
    });
    executor.spawn("server", serve(&operator, stage.service()));
    executor.spawn("tokens", stage.tokens.fetch());
    for _ in 0..stage.scenario.tasks {
        executor.spawn("caller", async {
            stage.caller().task(channel).await;
            left.add();
        });
    }
    executor.spawn("judge", judge(stage, channel, &left, &runner_ended, &ended));
    executor.run(&ended);
    executor.run(&stage.stopped);
    compare(stage.scenario, &stage.ledger);
}

/// Waits for all calls, then finds out what is left of them, and ends everything.
pub(crate) async fn judge(
    stage: &Stage<'_>,
    channel: Channel<'_>,
    left: &Count,
    runner_ended: &Signal,
    ended: &Cell<bool>,
) {
    left.wait(stage.scenario.tasks as usize).await;
    stage.calm_down();
    stage
        .probe
        .all_is_well(stage.world, stage.scenario, channel)
        .await;
    channel.shutdown();
    runner_ended.wait().await;
    let late = stage.caller().call_after_shutdown(channel).await;
    assert_eq!(late.map_err(|status| status.code()), Err(Code::UNAVAILABLE));
    stage.stop.raise();
    ended.set(true);
}
