//! Each case, by its name, for each of our endpoints; and the mocks, which must fail most of them.

use libtest_mimic::{Arguments, Failed, Trial};
use rpc_nostd_conformance::mocks::{MANNERS, Mock};
use rpc_nostd_conformance::ours::{OurClient, OurServer};
use rpc_nostd_conformance::{cases, peer, suite};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for case in cases::for_servers() {
        let run = move || report((case.run)(&mut peer::Client::new(OurServer::default())));
        trials.push(Trial::test(format!("server/{}", case.name), run));
    }
    for case in cases::for_clients() {
        let run = move || report((case.run)(&mut peer::Server::new(OurClient::default())));
        trials.push(Trial::test(format!("client/{}", case.name), run));
    }
    for manner in MANNERS {
        let servers = move || {
            let cases = cases::for_servers();
            let passed = suite::score(&cases, || peer::Client::new(Mock::server(manner)));
            below_a_third(passed, cases.len())
        };
        trials.push(Trial::test(format!("teeth/server_that_{manner:?}"), servers));
        let clients = move || {
            let cases = cases::for_clients();
            let passed = suite::score(&cases, || peer::Server::new(Mock::client(manner)));
            below_a_third(passed, cases.len())
        };
        trials.push(Trial::test(format!("teeth/client_that_{manner:?}"), clients));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn report(verdict: suite::Verdict) -> Result<(), Failed> {
    verdict.map_err(|fault| Failed::from(fault.0))
}

fn below_a_third(passed: usize, of: usize) -> Result<(), Failed> {
    println!("{passed} of {of} cases pass");
    if passed * 3 < of {
        Ok(())
    } else {
        Err(Failed::from(format!(
            "a mock passes {passed} of {of} cases: no teeth"
        )))
    }
}
