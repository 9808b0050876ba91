//! Every frame in every state, for both roles: one test per role and state, which lists all cells that fail; and the mocks,
//! which must fail most of them.

use libtest_mimic::{Arguments, Failed, Trial};
use rpc_nostd_conformance::mocks::{MANNERS, Manner, Mock};
use rpc_nostd_conformance::ours::{OurClient, OurServer};
use rpc_nostd_conformance::peer;
use rpc_nostd_conformance::suite::{Fault, Verdict};
use rpc_nostd_conformance::table::{
    Cell, Reaction, Role, State, cells, oracle, run_on_client, run_on_server, states,
};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for role in [Role::Server, Role::Client] {
        for state in states(role) {
            let name = format!("{role:?}/{state:?}").to_lowercase();
            trials.push(Trial::test(name, move || all_pass(role, state)));
        }
        for manner in MANNERS {
            let name = format!("teeth/{role:?}_that_{manner:?}").to_lowercase();
            trials.push(Trial::test(name, move || has_teeth(role, manner)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Each cell on a fresh connection of ours.
fn all_pass(role: Role, state: State) -> Result<(), Failed> {
    let cells = cells(state);
    let faults = match role {
        Role::Server => server_faults(&cells),
        Role::Client => client_faults(&cells),
    };
    println!("{role:?} {state:?}: {}", tally(role, &cells));
    if faults.is_empty() {
        return Ok(());
    }
    let (failed, of) = (faults.len(), cells.len());
    Err(Failed::from(format!(
        "{failed} of {of} cells fail:\n{}",
        faults.join("\n")
    )))
}

/// A server for some cells, each on a new connection: its memory is lent for ever, and so not for every cell anew.
fn server_faults(cells: &[Cell]) -> Vec<String> {
    let mut faults = Vec::new();
    for some in cells.chunks(CELLS_OF_ONE_SERVER) {
        let mut client = peer::Client::new(OurServer::default());
        for cell in some {
            if let Err(fault) = guarded(|| run_on_server(cell, &mut client)) {
                faults.push(format!("{cell:?}: {fault}"));
                client = peer::Client::new(OurServer::default());
            } else {
                client.reconnect();
            }
        }
    }
    faults
}

fn client_faults(cells: &[Cell]) -> Vec<String> {
    let run = |cell: &Cell| {
        let mut server = peer::Server::new(OurClient::default());
        let fault = guarded(|| run_on_client(cell, &mut server)).err()?;
        Some(format!("{cell:?}: {fault}"))
    };
    cells.iter().filter_map(run).collect()
}

/// How many cells ask for which kind of reaction.
fn tally(role: Role, cells: &[Cell]) -> String {
    let (mut ignored, mut processed, mut stream, mut connection) = (0, 0, 0, 0);
    for cell in cells {
        match oracle::reaction(role, cell) {
            Reaction::Ignored => ignored += 1,
            Reaction::Processed => processed += 1,
            Reaction::StreamError(_) => stream += 1,
            Reaction::ConnectionError(_) => connection += 1,
        }
    }
    let all = cells.len();
    format!(
        "{all} cells, {ignored} ignored, {processed} processed, {stream} stream errors, {connection} connection errors"
    )
}

fn has_teeth(role: Role, manner: Manner) -> Result<(), Failed> {
    let all: Vec<Cell> = states(role).into_iter().flat_map(cells).collect();
    let passes = |cell: &&Cell| {
        let verdict = guarded(|| match role {
            Role::Server => run_on_server(cell, &mut peer::Client::new(Mock::server(manner))),
            Role::Client => run_on_client(cell, &mut peer::Server::new(Mock::client(manner))),
        });
        verdict.is_ok()
    };
    let passed = all.iter().filter(passes).count();
    println!("{role:?} that {manner:?}: {passed} of {} cells pass", all.len());
    if passed * 3 < all.len() {
        return Ok(());
    }
    Err(Failed::from(format!(
        "a mock passes {passed} of {} cells: no teeth",
        all.len()
    )))
}

/// An endpoint or a peer that panics fails its cell.
fn guarded(run: impl FnOnce() -> Verdict) -> Verdict {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    outcome.unwrap_or_else(|_| Err(Fault("it panicked".to_owned())))
}

const CELLS_OF_ONE_SERVER: usize = 50;
