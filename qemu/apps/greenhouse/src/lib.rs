//! The examples of the repository's folder `examples` on a device: the same source, with embassy's executor and sockets.
//!
//! | argument | meaning | default |
//! |---|---|---|
//! | `role` | `client`: calls a server, example by example; `server`: serves until the emulator ends | `client` |
//! | `host` | name or address of the server to call | `10.0.2.2` |
//! | `port` | its port, or the one to listen on | 50051 |
//!
//! What happens is logged as `examples: ...`; a client ends with exit code 0 if all went well, 1 if not.
#![no_std]

mod client;
mod server;

use core::fmt;

use embassy_executor::Spawner;
use embassy_net::Stack;
use embassy_time::Timer;
use qemu_runtime::{Args, ExitCode, exit, network, stack};

/// Spawns the application.
pub fn start(spawner: Spawner, stack: Stack<'static>, args: Args) {
    match main(spawner, stack, args) {
        Ok(task) => spawner.spawn(task),
        Err(_) => panic!("the main task is spawned once"),
    }
}

#[embassy_executor::task]
async fn main(spawner: Spawner, stack: Stack<'static>, args: Args) {
    network::wait_for_address(stack).await;
    let result = match args.get("role") {
        Some("server") => server::serve(spawner, stack, args).await,
        _ => client::call_all(spawner, stack, args).await,
    };
    log_stack();
    match result {
        Ok(()) => exit(ExitCode::Success),
        Err(Failed) => exit(ExitCode::Failure),
    }
}

/// Something went wrong, and the log says what.
struct Failed;

fn say(text: fmt::Arguments<'_>) {
    defmt::info!("examples: {}", defmt::Display2Format(&text));
}

fn log_stack() {
    defmt::info!("stack: peak={=usize} size={=usize}", stack::peak(), stack::size());
}

/// Logs the peak of the stack whenever it has grown.
async fn watch_stack() -> ! {
    let mut peak = 0;
    loop {
        if stack::peak() > peak {
            peak = stack::peak();
            log_stack();
        }
        Timer::after_millis(100).await;
    }
}
