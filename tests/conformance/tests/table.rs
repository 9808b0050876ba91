//! Every frame in every state, for both roles: one test per role and state, which lists all cells that fail; and the mocks,
//! which must fail most of them.

use libtest_mimic::{Arguments, Failed, Trial};
use rpc_nostd_conformance::mocks::{ClientFlaw, ClientMutant, Flaw, MANNERS, Manner, Mock, Mutant};
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
    for flaw in FLAWS {
        let name = format!("teeth/server_whose_flaw_is_{flaw:?}");
        trials.push(Trial::test(name, move || server_is_noticed(flaw)));
    }
    for flaw in CLIENT_FLAWS {
        let name = format!("teeth/client_whose_flaw_is_{flaw:?}");
        trials.push(Trial::test(name, move || client_is_noticed(flaw)));
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

/// Some cell fails for our server with this flaw, and none for a server without.
fn server_is_noticed(flaw: Flaw) -> Result<(), Failed> {
    let fails = |cell: &Cell| {
        let run = || run_on_server(cell, &mut peer::Client::new(Mutant::new(flaw)));
        guarded(run).is_err()
    };
    notices(Role::Server, flaw == Flaw::None, fails)
}

/// The same for our client.
fn client_is_noticed(flaw: ClientFlaw) -> Result<(), Failed> {
    let fails = |cell: &Cell| {
        let run = || run_on_client(cell, &mut peer::Server::new(ClientMutant::new(flaw)));
        guarded(run).is_err()
    };
    notices(Role::Client, flaw == ClientFlaw::None, fails)
}

/// Every so many cells are enough to show it.
fn notices(role: Role, sound: bool, fails: impl Fn(&Cell) -> bool) -> Result<(), Failed> {
    let all = states(role).into_iter().flat_map(cells);
    let some: Vec<Cell> = all.step_by(STEP).collect();
    let failing: Vec<&Cell> = some.iter().filter(|cell| fails(cell)).collect();
    println!("{} of {} cells fail", failing.len(), some.len());
    if failing.is_empty() == sound {
        return Ok(());
    }
    Err(Failed::from(format!("failing cells: {failing:?}")))
}

/// An endpoint or a peer that panics fails its cell.
fn guarded(run: impl FnOnce() -> Verdict) -> Verdict {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    outcome.unwrap_or_else(|_| Err(Fault("it panicked".to_owned())))
}

const CELLS_OF_ONE_SERVER: usize = 50;

/// Without a common divisor with the cells of a state, so that states give different ones.
const STEP: usize = 41;

/// What a table can notice of a server.
const FLAWS: [Flaw; 15] = [
    Flaw::None,
    Flaw::GoAwayCodeIsLost,
    Flaw::LastStreamIsZero,
    Flaw::LastStreamIsTooHigh,
    Flaw::GoAwayIsRepeated,
    Flaw::NeverCloses,
    Flaw::ResetCodeIsLost,
    Flaw::ResetBecomesGoAway,
    Flaw::ResetIsSwallowed,
    Flaw::ResetIsRepeated,
    Flaw::PingPayloadIsLost,
    Flaw::SettingsAreNotAcknowledged,
    Flaw::HandlersAreLeaked,
    Flaw::UnknownIsTakenInsideBlocks,
    Flaw::PriorityIsNotChecked,
];

/// What a table can notice of a client.
const CLIENT_FLAWS: [ClientFlaw; 14] = [
    ClientFlaw::None,
    ClientFlaw::GoAwayCodeIsLost,
    ClientFlaw::GoAwayIsRepeated,
    ClientFlaw::NeverCloses,
    ClientFlaw::ResetCodeIsLost,
    ClientFlaw::ResetIsSwallowed,
    ClientFlaw::ResetIsRepeated,
    ClientFlaw::PingPayloadIsLost,
    ClientFlaw::SettingsAreNotAcknowledged,
    ClientFlaw::GoAwayIsNotObeyed,
    ClientFlaw::PushIsTaken,
    ClientFlaw::UnknownIsTakenInsideBlocks,
    ClientFlaw::PriorityIsNotChecked,
    ClientFlaw::FailureIsLost,
];
