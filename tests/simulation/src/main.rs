//! Runs any number of seeds on all cores: `simulation [--seeds N] [--from N]`, or one with its trace: `--seed N`.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use rpc_nostd_simulation::{check, story};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    if let Some(seed) = number("--seed") {
        let story = story(seed);
        println!("{story}");
        return ExitCode::from(u8::from(check(seed).is_err()));
    }
    // A panic's own words come with the trace.
    std::panic::set_hook(Box::new(|_| {}));
    let from = number("--from").unwrap_or(0);
    if run(from, number("--seeds").unwrap_or(DEFAULT_SEEDS)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs so many seeds. False: one failed.
fn run(from: u64, seeds: u64) -> bool {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (next, good) = (AtomicU64::new(from), AtomicBool::new(true));
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while good.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        return;
                    }
                    if let Err(story) = check(seed)
                        && good.swap(false, Ordering::Relaxed)
                    {
                        println!("{story}");
                    }
                    if (seed + 1).is_multiple_of(10_000) {
                        println!("{} seeds are good", seed + 1 - from);
                    }
                }
            });
        }
    });
    let good = good.load(Ordering::Relaxed);
    if good {
        println!("all {seeds} seeds from {from} on are good");
    }
    good
}

const DEFAULT_SEEDS: u64 = 100_000;
