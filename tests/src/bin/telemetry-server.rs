//! The telemetry server as a program: `telemetry-server [port]`. Commands come line by line on standard input:
//!
//! - `restart`: cut all connections, start again on the same port without the stored reports;
//! - `calls`: list the calls so far, one line each, then `end`;
//! - end of input: stop.

use std::error::Error;
use std::io;

use rpc_nostd_tests::server::Server;

fn main() -> Result<(), Box<dyn Error>> {
    let port = match std::env::args().nth(1) {
        Some(port) => port.parse()?,
        None => 0,
    };
    let mut server = Server::start_on(port, true)?;
    println!("listening port={}", server.address().port());
    for line in io::stdin().lines() {
        match line?.trim() {
            "restart" => {
                server.restart()?;
                println!("restarted port={}", server.address().port());
            }
            "calls" => {
                for call in server.calls() {
                    println!(
                        "call connection={} method={} received={} sent={}",
                        call.connection, call.method, call.octets_received, call.octets_sent
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
