//! Two endpoints of rpc-nostd, a client and a server, on a faulty link under a virtual clock. All that happens comes of
//! one number, the seed: the order in which tasks are polled, what the link does, what is called and how it is answered.
//!
//! [`simulate`] runs one seed and panics where the endpoints break a promise:
//! - each call ends by its deadline, and its handler too;
//! - OK means that all messages came, the right ones in the right order, and that the handler ended with OK;
//! - a status that a handler gave is the one that its client gets; a call reaches one handler at most;
//! - where the network only takes its time, each call ends as it was planned;
//! - in the end all slots are free, all windows whole, and a call succeeds as soon as the network is good.
//!
//! `RPC_NOSTD_SEED=17` shows one seed with its trace.

mod blocking;
mod blocking_client;
pub mod client;
pub mod executor;
pub mod judge;
pub mod ledger;
pub mod limits;
pub mod link;
pub mod message;
pub mod net;
mod pipe;
pub mod plan;
pub mod random;
pub mod scenario;
pub mod server;
pub mod service;
mod shared;
pub mod signal;
pub mod tokens;
pub mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::scenario::{Blocking, Scenario};
use crate::shared::Stage;
use crate::world::{Trace, World};

/// Runs one seed.
///
/// # Panics
/// A promise is broken.
pub fn simulate(seed: u64, trace: &Trace) {
    let world = World::new(seed, trace);
    let scenario = Scenario::new(seed);
    world.note("seed", format_args!("{seed}: {scenario:?}"));
    let stage = Stage::new(&world, &scenario);
    match scenario.blocking {
        None => shared::run(&stage),
        Some(Blocking::Client) => blocking_client::run(&stage),
        Some(Blocking::Server) => blocking::server(&stage),
    }
}

/// Runs one seed. Where a promise is broken: says which, and how the seed is run again.
///
/// # Errors
/// The trace up to there, with the command to see it again.
pub fn check(seed: u64) -> Result<(), String> {
    if catch_unwind(AssertUnwindSafe(|| simulate(seed, &Trace::default()))).is_ok() {
        return Ok(());
    }
    Err(story(seed))
}

/// The trace of a seed, with how it ends, and the command to see it again.
pub fn story(seed: u64) -> String {
    let trace = Trace::kept();
    let ended = catch_unwind(AssertUnwindSafe(|| simulate(seed, &trace)));
    let mut story = trace.lines().join("\n");
    if let Err(panic) = ended {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied());
        story.push_str(&format!(
            "\nseed {seed} failed: {}",
            text.unwrap_or("a panic without text")
        ));
    }
    story.push_str(&format!(
        "\nto see it again: RPC_NOSTD_SEED={seed} cargo test -p rpc-nostd-simulation --test seeds -- --nocapture"
    ));
    story
}
