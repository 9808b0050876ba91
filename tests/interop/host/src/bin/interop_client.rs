//! The interop test's client on rpc-nostd. The exit code is the verdict: 0 pass, 1 fail (a line for each case says why),
//! 2 wrong usage.

use std::process::ExitCode;

use clap::Parser;
use rpc_nostd_interop::Case;
use rpc_nostd_interop_host::{Sizes, run, run_blocking};

/// The interop test's client on rpc-nostd. The exit code is the verdict: 0 pass, 1 fail, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(rename_all = "snake_case")]
struct Arguments {
    /// Name or address.
    #[arg(long, default_value = "127.0.0.1")]
    server_host: String,
    /// TCP port.
    #[arg(long)]
    server_port: u16,
    /// What to do: official names, separated by commas, or `all`.
    #[arg(long, value_parser = parse_cases)]
    test_case: Cases,
    /// Calls of a soak.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    soak_iterations: u32,
    /// Use buffers of the sizes that a device has.
    #[arg(long)]
    small: bool,
    /// Use the blocking client.
    #[arg(long)]
    blocking: bool,
    /// Plaintext only.
    #[arg(long, default_value = "false", value_parser = ["false"])]
    use_tls: String,
}

#[derive(Clone, Debug)]
struct Cases(Vec<Case>);

fn parse_cases(names: &str) -> Result<Cases, String> {
    if names == "all" {
        return Ok(Cases(Case::ALL.to_vec()));
    }
    let cases = names
        .split(',')
        .map(|name| Case::from_name(name).ok_or_else(|| format!("no case is named {name}")));
    cases.collect::<Result<_, _>>().map(Cases)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run_cases(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all cases passed.
async fn run_cases(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let server = (arguments.server_host.as_str(), arguments.server_port);
    let address = tokio::net::lookup_host(server).await?.next();
    let address = address.ok_or("the server's name has no address")?;
    let sizes = Sizes::of_device_if(arguments.small);
    let mut all_passed = true;
    let report = |case: Case, result| match result {
        Ok(()) => println!("{}: pass", case.name()),
        Err(failure) => {
            all_passed = false;
            println!("{}: FAIL: {failure}", case.name());
        }
    };
    let Cases(cases) = &arguments.test_case;
    if arguments.blocking {
        run_blocking(address, sizes, cases, arguments.soak_iterations, report);
    } else {
        run(address, sizes, cases, arguments.soak_iterations, report).await?;
    }
    Ok(all_passed)
}
