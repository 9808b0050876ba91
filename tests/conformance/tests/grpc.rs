//! Attacks above HTTP/2, traps and manners: each case is a test of its own name.

use libtest_mimic::{Arguments, Failed, Trial};
use rpc_nostd_conformance::ours::{OurClient, OurServer};
use rpc_nostd_conformance::{grpc, peer, suite};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for case in grpc::for_servers() {
        let run = move || report((case.run)(&mut peer::Client::new(OurServer::default())));
        trials.push(Trial::test(format!("server/{}", case.name), run));
    }
    for case in grpc::for_clients() {
        let run = move || report((case.run)(&mut peer::Server::new(OurClient::default())));
        trials.push(Trial::test(format!("client/{}", case.name), run));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn report(verdict: suite::Verdict) -> Result<(), Failed> {
    verdict.map_err(|fault| Failed::from(fault.0))
}
