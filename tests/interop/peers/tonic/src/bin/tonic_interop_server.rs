//! The interop test's server on tonic, plaintext, on 127.0.0.1. It serves until it is killed.

use std::error::Error;
use std::net::Ipv4Addr;

use clap::Parser;
use tokio::net::TcpListener;

/// The interop test's server on tonic, plaintext, on 127.0.0.1. It serves until it is killed.
#[derive(Debug, Parser)]
#[command(rename_all = "snake_case")]
struct Arguments {
    /// TCP port; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Plaintext only.
    #[arg(long, default_value = "false", value_parser = ["false"])]
    use_tls: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
    println!("listening on port {}", listener.local_addr()?.port());
    rpc_nostd_interop_tonic::serve(listener).await?;
    Ok(())
}
