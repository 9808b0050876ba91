//! Each attack on our endpoints, by its name.

use libtest_mimic::{Arguments, Failed, Trial};
use rpc_nostd_conformance::attacks;

fn main() {
    let arguments = Arguments::from_args();
    let trial = |attack: attacks::Attack| {
        let run = move || (attack.run)().map_err(|fault| Failed::from(fault.0));
        Trial::test(attack.name, run)
    };
    let trials = attacks::all().into_iter().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit();
}
