//! Tests of machine, drivers and harness, chosen by the argument `run`:
//!
//! | `run=` | does | ends with |
//! |---|---|---|
//! | `smoke` (the default) | `clock`, then DHCP: needs nothing of the host | 0 |
//! | `hello` | prints a line | 0 |
//! | `clock` | sleeps `ms` and compares the clock | 0 |
//! | `connect` | DHCP, DNS for `host`, TCP to `port`: one line there and back | 0 |
//! | `echo` | TCP to `host`:`port`, returns every byte until the peer ends | 0 |
//! | `listen` | accepts one connection on `port`, then as `echo` | 0 |
//! | `fail`, `panic`, `fault`, `overflow`, `hang` | just that | 1, 101, 102, 102, never |
#![no_std]

mod tcp;
mod trouble;

use embassy_executor::Spawner;
use embassy_net::Stack;
use embassy_time::{Duration, Instant, Timer, with_timeout};
use qemu_runtime::{Args, ExitCode, exit, network, stack};

/// Spawns the test that `args` names.
pub fn start(spawner: Spawner, stack: Stack<'static>, args: Args) {
    match main(stack, args) {
        Ok(task) => spawner.spawn(task),
        Err(_) => panic!("the main task is spawned once"),
    }
}

#[embassy_executor::task]
async fn main(stack: Stack<'static>, args: Args) {
    let result = match args.get("run").unwrap_or("smoke") {
        "smoke" => smoke(stack, args).await,
        "hello" => {
            defmt::info!("hello from the firmware");
            Ok(())
        }
        "clock" => clock(args).await,
        "connect" => tcp::connect(stack, args).await,
        "echo" => tcp::echo(stack, args).await,
        "listen" => tcp::listen(stack, args).await,
        "fail" => Err("failed as asked"),
        "panic" => panic!("panicked as asked: {}", 42),
        "fault" => trouble::fault(),
        "overflow" => trouble::overflow(),
        "hang" => core::future::pending().await,
        _ => Err("unknown value of the argument run"),
    };
    defmt::info!(
        "stack peak: {=usize} of {=usize} bytes",
        stack::peak(),
        stack::size()
    );
    match result {
        Ok(()) => exit(ExitCode::Success),
        Err(reason) => {
            defmt::error!("{=str}", reason);
            exit(ExitCode::Failure)
        }
    }
}

/// What needs no peer.
async fn smoke(stack: Stack<'static>, args: Args) -> Result<(), &'static str> {
    clock(args).await?;
    let address = with_timeout(Duration::from_secs(10), network::wait_for_address(stack)).await;
    address.map(|_| ()).map_err(|_| "no address by DHCP")
}

/// Sleeps in small steps and checks that neither the steps nor their sum came early.
async fn clock(args: Args) -> Result<(), &'static str> {
    let total = Duration::from_millis(args.number("ms", 300));
    let begin = Instant::now();
    let mut previous = begin;
    let step = Duration::from_millis(7);
    while begin.elapsed() < total {
        Timer::after(step).await;
        let now = Instant::now();
        if now
            .checked_duration_since(previous)
            .is_none_or(|slept| slept < step)
        {
            return Err("the clock went backwards or a timer fired early");
        }
        previous = now;
    }
    defmt::info!(
        "clock: {=u64} us for {=u64} us asked",
        begin.elapsed().as_micros(),
        total.as_micros()
    );
    Ok(())
}
