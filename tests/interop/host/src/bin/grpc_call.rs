//! Calls one method of a gRPC server with an empty request, and tells the status: whether a server is there, and what
//! it says. The exit code is 0 if that is OK, 1 if not, 2 for wrong usage.
//!
//! ```text
//! grpc_call http://127.0.0.1:50051/grpc.testing.TestService/EmptyCall
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use http::Uri;
use http::uri::Authority;
use rpc_nostd::Method;
use rpc_nostd_interop_host::{Call, Sizes};

/// Calls one method of a gRPC server with an empty request, and tells the status. The exit code is 0 if that is OK.
#[derive(Debug, Parser)]
#[command(rename_all = "snake_case")]
struct Arguments {
    /// Server and method, such as http://127.0.0.1:50051/package.Service/Method
    #[arg(value_parser = parse_url)]
    url: Url,
    /// Seconds that the call may take.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = parse_seconds)]
    deadline: Duration,
    /// Seconds to keep the connection after the call, unless the server ends it.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = parse_seconds)]
    stay: Duration,
    /// Use buffers of the sizes that a device has.
    #[arg(long)]
    small: bool,
    /// Use the blocking client.
    #[arg(long)]
    blocking: bool,
}

#[derive(Clone, Debug)]
struct Url {
    authority: Authority,
    path: String,
}

fn parse_url(text: &str) -> Result<Url, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    if uri.scheme_str() != Some("http") {
        return Err("it must begin with http:// (plaintext only)".to_owned());
    }
    Ok(Url {
        authority: uri.authority().ok_or("it names no server")?.clone(),
        path: uri.path().to_owned(),
    })
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match make(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the status was OK.
async fn make(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let Url { authority, path } = &arguments.url;
    let server = (authority.host(), authority.port_u16().unwrap_or(HTTP_PORT));
    let address = tokio::net::lookup_host(server).await?.next();
    // As generated code has them: for ever.
    let method = Box::leak(Box::new(Method::unary(path.clone().leak())));
    let call = Call {
        address: address.ok_or("the server's name has no address")?,
        authority: authority.as_str(),
        method,
        deadline: arguments.deadline,
        stay: arguments.stay,
    };
    let mut is_ok = false;
    let report = |result| match result {
        Ok(()) => {
            is_ok = true;
            println!("OK");
        }
        Err(status) => println!("{status}"),
    };
    let sizes = Sizes::of_device_if(arguments.small);
    if arguments.blocking {
        call.make_blocking(sizes, report)?;
    } else {
        call.make(sizes, report).await?;
    }
    Ok(is_ok)
}

const HTTP_PORT: u16 = 80;
