//! Each case, by its name, for each of our endpoints; and the mocks, which must fail most of them.

use libtest_mimic::{Arguments, Failed, Trial};
use rpc_nostd_conformance::circumstances::{Cut, CutClient, Used};
use rpc_nostd_conformance::endpoint::Server;
use rpc_nostd_conformance::mocks::{
    CLIENT_FLAWS, ClientFlaw, ClientMutant, FLAWS, Flaw, MANNERS, Mock, Mutant,
};
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
    for (flaw, noticed_by) in FLAWS {
        let name = format!("teeth/server_whose_flaw_is_{flaw:?}");
        trials.push(Trial::test(name, move || notices(flaw, noticed_by)));
    }
    for (flaw, noticed_by) in CLIENT_FLAWS {
        let name = format!("teeth/client_whose_flaw_is_{flaw:?}");
        trials.push(Trial::test(name, move || client_cases_notice(flaw, noticed_by)));
    }
    for piece in [7, 100] {
        let name = format!("circumstances/server_that_reads_{piece}_octets_at_a_time");
        trials.push(Trial::test(name, move || {
            all_pass(|| Cut::new(piece), &KNOWN_EARLY)
        }));
    }
    for piece in [1, 2, 3, 7, 100] {
        let name = format!("circumstances/client_that_reads_{piece}_octets_at_a_time");
        trials.push(Trial::test(name, move || all_client_cases_pass(piece)));
    }
    let name = "circumstances/server_that_has_had_other_connections";
    trials.push(Trial::test(name, || {
        let server = Used::default();
        all_pass(|| server.again(), &[])
    }));
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

/// Cases fail for a server with this flaw, these among them; and a server without one fails none.
fn notices(flaw: Flaw, noticed_by: &[&str]) -> Result<(), Failed> {
    let cases = cases::for_servers();
    let failing = suite::failing(&cases, || peer::Client::new(Mutant::new(flaw)));
    println!("{flaw:?}: {} of {} cases fail", failing.len(), cases.len());
    judge(&failing, noticed_by, flaw == Flaw::None)
}

/// The same for clients.
fn client_cases_notice(flaw: ClientFlaw, noticed_by: &[&str]) -> Result<(), Failed> {
    let cases = cases::for_clients();
    let failing = suite::failing(&cases, || peer::Server::new(ClientMutant::new(flaw)));
    println!("{flaw:?}: {} of {} cases fail", failing.len(), cases.len());
    judge(&failing, noticed_by, flaw == ClientFlaw::None)
}

/// All cases for a client that reads so many octets at a time.
fn all_client_cases_pass(piece: usize) -> Result<(), Failed> {
    let failing = suite::failing(&cases::for_clients(), || peer::Server::new(CutClient::new(piece)));
    if failing.is_empty() {
        Ok(())
    } else {
        Err(Failed::from(format!("{failing:?} fail")))
    }
}

fn judge(failing: &[&str], noticed_by: &[&str], sound: bool) -> Result<(), Failed> {
    let missed: Vec<_> = noticed_by.iter().filter(|name| !failing.contains(name)).collect();
    if missed.is_empty() && failing.is_empty() == sound {
        Ok(())
    } else {
        Err(Failed::from(format!("not noticed by {missed:?}, by {failing:?}")))
    }
}

/// All cases for servers pass, but those that ask for something else than happens here.
fn all_pass<S: Server + 'static>(server: impl Fn() -> S, but: &[&str]) -> Result<(), Failed> {
    let cases = cases::for_servers();
    let failing = suite::failing(&cases, || peer::Client::new(server()));
    let wrong: Vec<_> = failing.iter().filter(|name| !but.contains(name)).collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failed::from(format!("{wrong:#?}")))
    }
}

/// What is wrong with these requests is known before they have ended, if they come piece by piece: NO_ERROR then follows
/// the answer, and they ask for none.
const KNOWN_EARLY: [&str; 2] = [
    "calls/one_request_wanted_and_two_came_is_unimplemented",
    "calls/a_message_flag_other_than_0_is_internal",
];
