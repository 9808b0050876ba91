//! A device that serves the telemetry service to gRPC clients: calls of each kind, error statuses, deadlines, metadata.
//!
//! | argument | meaning | default |
//! |---|---|---|
//! | `port` | where it listens | 50051 |
//! | `calls` | after so many calls it shuts down gracefully, and ends with exit code 0 | it serves for ever |
//!
//! It logs `demo: listening: port=<n>` once clients can come, `demo: call: method=<name> key=value... answered=<yes or
//! no>` for each call that is over, and the depth of its stack after each call.
#![no_std]

mod journal;
mod serve;
mod service;

use embassy_executor::Spawner;
use embassy_net::Stack;
use embassy_time::{Duration, with_timeout};
use qemu_runtime::{Args, ExitCode, exit, network};

/// Messages and service trait of `telemetry.proto`.
#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/telemetry.rs"));
}
pub(crate) use generated::telemetry::v1 as proto;

/// Spawns the application.
pub fn start(spawner: Spawner, stack: Stack<'static>, args: Args) {
    match main(spawner, stack, args) {
        Ok(task) => spawner.spawn(task),
        Err(_) => panic!("the main task is spawned once"),
    }
}

#[embassy_executor::task]
async fn main(spawner: Spawner, stack: Stack<'static>, args: Args) {
    // Only to say so: the server listens whatever the address is.
    if with_timeout(ADDRESS_LIMIT, network::wait_for_address(stack))
        .await
        .is_err()
    {
        defmt::error!("demo: fail: dhcp: no address");
        exit(ExitCode::Failure);
    }
    let port = args.number("port", 50_051);
    let calls = args.number("calls", u32::MAX);
    if let Err(reason) = serve::start(spawner, stack, port, calls).await {
        defmt::error!("demo: fail: {=str}", reason);
        exit(ExitCode::Failure);
    }
    defmt::info!("demo: done");
    exit(ExitCode::Success)
}

const ADDRESS_LIMIT: Duration = Duration::from_secs(10);
