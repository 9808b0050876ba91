//! The interop test's server on rpc-nostd, plaintext, on 127.0.0.1. SIGINT or SIGTERM end it, the calls under way
//! first; those of blocking servers at once.

use std::error::Error;
use std::net::Ipv4Addr;

use clap::Parser;
use rpc_nostd_interop_host::{Sizes, serve, serve_blocking};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The interop test's server on rpc-nostd, plaintext, on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(rename_all = "snake_case")]
struct Arguments {
    /// TCP port; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Use buffers of the sizes that a device has.
    #[arg(long)]
    small: bool,
    /// Use blocking servers, a thread for each connection.
    #[arg(long)]
    blocking: bool,
    /// Plaintext only.
    #[arg(long, default_value = "false", value_parser = ["false"])]
    use_tls: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
    let sizes = Sizes::of_device_if(arguments.small);
    if arguments.blocking {
        let listener = listener.into_std()?;
        listener.set_nonblocking(false)?;
        println!("listening on {}", listener.local_addr()?);
        return serve_blocking(&listener, sizes);
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on {}", listener.local_addr()?);
    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    serve(&listener, sizes, stop).await?;
    Ok(())
}
