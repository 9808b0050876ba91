//! The official interop test of gRPC as firmware, in both roles.
//!
//! | argument | meaning | default |
//! |---|---|---|
//! | `role` | `client`: runs cases; `server`: serves them | `client` |
//! | `host`, `port` | of the server; for the server, the port where it listens | `10.0.2.2`, 50051 |
//! | `cases` | official names with commas between, or `all` | `all` |
//! | `soak` | calls of a soak | 10 |
//!
//! The client logs `interop: <case>: pass` or `interop: <case>: FAIL: <reason>` for each case, and ends: with exit code 0
//! if all passed. The server logs `interop: listening: port=<n>` and serves until the host ends it.
#![no_std]

mod client;
mod server;

use embassy_executor::Spawner;
use embassy_net::Stack;
use embassy_time::{Duration, with_timeout};
use qemu_runtime::{Args, ExitCode, exit, network, stack};
use static_cell::ConstStaticCell;

/// Spawns the application.
pub fn start(spawner: Spawner, stack: Stack<'static>, args: Args) {
    match main(spawner, stack, args) {
        Ok(task) => spawner.spawn(task),
        Err(_) => panic!("the main task is spawned once"),
    }
}

#[embassy_executor::task]
async fn main(spawner: Spawner, stack: Stack<'static>, args: Args) {
    if with_timeout(ADDRESS_LIMIT, network::wait_for_address(stack))
        .await
        .is_err()
    {
        defmt::error!("no address by DHCP");
        exit(ExitCode::Failure);
    }
    let result = match args.get("role").unwrap_or("client") {
        "client" => client::run(spawner, stack, args, TCP.take()).await,
        "server" => server::start(spawner, stack, args, TCP.take()),
        _ => Err("unknown value of the argument role"),
    };
    match result {
        // The server's tasks go on.
        Ok(Next::Serve) => {}
        Ok(Next::End) => exit(ExitCode::Success),
        Err(reason) => {
            defmt::error!("{=str}", reason);
            exit(ExitCode::Failure)
        }
    }
}

/// Memory that TCP has for one connection.
pub(crate) struct TcpBuffers {
    pub(crate) rx: [u8; 1024],
    pub(crate) tx: [u8; 1024],
}

impl TcpBuffers {
    const fn new() -> Self {
        Self {
            rx: [0; 1024],
            tx: [0; 1024],
        }
    }
}

/// What comes after the main task.
enum Next {
    Serve,
    End,
}

fn log_stack() {
    defmt::info!(
        "interop: stack: peak={=usize} size={=usize}",
        stack::peak(),
        stack::size()
    );
}

/// For either role: two connections.
static TCP: ConstStaticCell<[TcpBuffers; 2]> = ConstStaticCell::new([const { TcpBuffers::new() }; 2]);
const ADDRESS_LIMIT: Duration = Duration::from_secs(10);
