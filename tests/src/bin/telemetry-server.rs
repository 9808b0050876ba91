//! The telemetry server as a program: `telemetry-server [port]`, or `telemetry-server --descriptors` to print where the
//! service's descriptor set is (the Python peer wants it). Commands come line by line on standard input:
//!
//! - `stop`: cut all connections, close the port;
//! - `restart`: stop if need be, start again on the same port without the stored reports;
//! - `calls`: list the calls so far, one line each, then `end`;
//! - end of input: stop.

use std::error::Error;
use std::io;

use rpc_nostd_tests::python;
use rpc_nostd_tests::server::Server;

fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("--descriptors") {
        println!("{}", python::descriptor_file()?.display());
        return Ok(());
    }
    let port = match argument {
        Some(port) => port.parse()?,
        None => 0,
    };
    let mut server = Server::start_on(port, true)?;
    println!("listening port={}", server.address().port());
    for line in io::stdin().lines() {
        match line?.trim() {
            "stop" => {
                server.stop();
                println!("stopped");
            }
            "restart" => {
                server.restart()?;
                println!("restarted port={}", server.address().port());
            }
            "calls" => {
                for call in server.calls() {
                    println!(
                        "call connection={} method={} {} answered={} received={} sent={}",
                        call.connection,
                        call.method,
                        call.asked,
                        if call.answered { "yes" } else { "no" },
                        call.octets_received,
                        call.octets_sent
                    );
                }
                println!("end");
            }
            "" => {}
            other => return Err(format!("no such command: {other}").into()),
        }
    }
    Ok(())
}
