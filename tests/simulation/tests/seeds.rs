//! Some hundred seeds, or the one of `RPC_NOSTD_SEED`, or `RPC_NOSTD_SEEDS` of them.

use rpc_nostd_simulation::world::Trace;
use rpc_nostd_simulation::{check, simulate, story};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn every_call_ends_in_time_with_the_right_answer_or_an_error_and_nothing_is_lost() {
    if let Some(seed) = number("RPC_NOSTD_SEED") {
        println!("{}", story(seed));
        simulate(seed, &Trace::default());
        return;
    }
    for seed in 0..number("RPC_NOSTD_SEEDS").unwrap_or(SEEDS) {
        if let Err(story) = check(seed) {
            panic!("{story}");
        }
    }
}

/// Each of these found something once.
#[test]
fn seeds_that_once_failed_do_not() {
    for seed in FOUND {
        if let Err(story) = check(seed) {
            panic!("{story}");
        }
    }
}

#[test]
fn the_same_seed_has_the_same_trace() {
    for seed in 0..24 {
        assert_eq!(story(seed), story(seed), "seed {seed}");
    }
}

const SEEDS: u64 = 320;
/// What they found, in order: trailers-only metadata taken for initial; messages after an error; a blocking server that
/// spins while its transport is full.
const FOUND: [u64; 3] = [15, 4, 873];
