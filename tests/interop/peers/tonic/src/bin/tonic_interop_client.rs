//! The interop test's client on tonic. The exit code is the verdict: 0 pass, 1 fail (one line says why), 2 wrong usage.
//! It waits as long as the server does; who runs it limits the time.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use rpc_nostd_interop_tonic::{Case, Soak, run};

/// The interop test's client on tonic. The exit code is the verdict: 0 pass, 1 fail, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(rename_all = "snake_case")]
struct Arguments {
    /// Name or address.
    #[arg(long, default_value = "127.0.0.1")]
    server_host: String,
    /// TCP port.
    #[arg(long)]
    server_port: u16,
    /// What to do.
    #[arg(long)]
    test_case: Case,
    /// Calls of a soak.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    soak_iterations: u32,
    /// Calls of a soak that may fail.
    #[arg(long, default_value_t = 0)]
    soak_max_failures: u32,
    /// Plaintext only.
    #[arg(long, default_value = "false", value_parser = ["false"])]
    use_tls: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let name = arguments.test_case.to_possible_value();
    let name = name.as_ref().map_or("", |value| value.get_name());
    let soak = Soak {
        iterations: arguments.soak_iterations,
        max_failures: arguments.soak_max_failures,
    };
    match run(
        arguments.test_case,
        &arguments.server_host,
        arguments.server_port,
        soak,
    )
    .await
    {
        Ok(()) => {
            println!("{name}: pass");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{name}: FAIL: {failure}");
            ExitCode::FAILURE
        }
    }
}
