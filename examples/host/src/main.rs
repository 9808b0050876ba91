//! The examples on this computer: `server`, or `client` with the name of an example.

#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use rpc_nostd_examples::client::{Example, blocking as blocking_examples};
use rpc_nostd_examples_host::{asynch, blocking};

/// A gRPC service and its clients, one example for each kind of call.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Serve until Ctrl-C
    Server {
        /// Where to listen on 127.0.0.1; 0: any free port
        #[arg(long, default_value_t = DEFAULT_PORT)]
        port: u16,
        /// Without an executor: one client at a time
        #[arg(long)]
        blocking: bool,
    },
    /// Call a server, example by example
    Client {
        /// Host and port of the server
        #[arg(long, default_value_t = format!("127.0.0.1:{DEFAULT_PORT}"))]
        server: String,
        /// Without an executor
        #[arg(long)]
        blocking: bool,
        /// Name of an example, or `all`
        #[arg(default_value = "all", value_parser = Example::ALL.map(Example::name).into_iter().chain(["all"]).collect::<Vec<_>>())]
        example: String,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().role) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(role: Role) -> Result<()> {
    match role {
        Role::Server { port, blocking } => serve(port, blocking),
        Role::Client {
            server,
            blocking,
            example,
        } => {
            let mut addresses = server.to_socket_addrs().with_context(|| server.clone())?;
            let address = addresses.find(SocketAddr::is_ipv4);
            let address = address.with_context(|| format!("{server} has no IPv4 address"))?;
            call(address, blocking, &example)
        }
    }
}

fn serve(port: u16, without_executor: bool) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("port {port}"))?;
    say_as_server(format_args!("listening on {}", listener.local_addr()?));
    if without_executor {
        return blocking::serve(&listener, say_as_server);
    }
    listener.set_nonblocking(true)?;
    executor()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        asynch::serve(listener, say_as_server).await
    })
}

fn call(address: SocketAddr, without_executor: bool, name: &str) -> Result<()> {
    let offered: &[Example] = if without_executor {
        &blocking_examples::EXAMPLES
    } else {
        &Example::ALL
    };
    let wanted = offered
        .iter()
        .copied()
        .filter(|example| name == "all" || name == example.name());
    let wanted: Vec<Example> = wanted.collect();
    if wanted.is_empty() {
        bail!("{name} is not written out for --blocking; run it without");
    }
    if without_executor {
        blocking::call(address, &wanted, say_as_client)?;
    } else {
        executor()?.block_on(asynch::call(address, &wanted, say_as_client))?;
    }
    say_as_client(format_args!("all well: {} examples", wanted.len()));
    Ok(())
}

fn executor() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn say_as_server(text: fmt::Arguments<'_>) {
    say("server", text);
}

fn say_as_client(text: fmt::Arguments<'_>) {
    say("client", text);
}

fn say(who: &str, text: fmt::Arguments<'_>) {
    // Nobody reads it any more: the calls themselves are what counts.
    let _ = writeln!(io::stdout().lock(), "{who}: {text}");
}

const DEFAULT_PORT: u16 = 50051;
