//! The cases, by the role of the endpoint under test and by concern.

#[cfg(test)]
use std::collections::BTreeSet;

use crate::peer::{Client, Server};
use crate::suite::Case;

mod client;
mod server;

/// All cases for a server under test.
#[must_use]
pub fn for_servers() -> Vec<Case<Client>> {
    server::all()
}

/// All cases for a client under test.
#[must_use]
pub fn for_clients() -> Vec<Case<Server>> {
    client::all()
}

/// Each case of another suite, which counts them by group, is restated once, by a case of ours; of ours no name stands
/// twice.
#[cfg(test)]
fn assert_restated<P>(groups: &[(&str, usize)], restated: &[(&str, &str)], ours: &[Case<P>]) {
    let numbers = |(group, count): &(&str, usize)| {
        let group = (*group).to_owned();
        (1..=*count).map(move |number| format!("{group}/{number}"))
    };
    let theirs: BTreeSet<String> = groups.iter().flat_map(numbers).collect();
    let found: BTreeSet<String> = restated.iter().map(|(theirs, _)| (*theirs).to_owned()).collect();
    assert_eq!(found, theirs);
    assert_eq!(restated.len(), theirs.len(), "one is restated twice");
    let names: BTreeSet<&str> = ours.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), ours.len(), "a name stands twice");
    for (theirs, ours) in restated {
        assert!(
            names.contains(ours),
            "{theirs} is restated by {ours}, which is no case"
        );
    }
}
