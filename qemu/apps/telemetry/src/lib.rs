//! A device that reports measurements to a gRPC server, and shows on the way what a device meets: names, metadata,
//! error statuses, deadlines, a server that goes away.
//!
//! | argument | meaning | default |
//! |---|---|---|
//! | `host` | name or address of the server | `10.0.2.2` |
//! | `port` | its port | 50051 |
//! | `mode` | `demo`: with a server restart in the middle; `interop`: without | `interop` |
//! | `fallback` | address to go on with, loudly, where `host` cannot be resolved | none: that is a failure |
//!
//! Each step logs `demo: <step>: key=value...`, which the host checks; a step that went wrong logs `demo: fail: ...`
//! and the firmware ends with exit code 1.
#![no_std]

mod channel;
mod steps;

use embassy_executor::Spawner;
use embassy_net::Stack;
use qemu_runtime::{Args, ExitCode, exit, stack};

/// Messages and stubs of `telemetry.proto`.
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
    let result = steps::run(spawner, stack, args).await;
    defmt::info!(
        "demo: stack: peak={=usize} size={=usize}",
        stack::peak(),
        stack::size()
    );
    if result.is_err() {
        exit(ExitCode::Failure);
    }
    defmt::info!("demo: done");
    exit(ExitCode::Success)
}
