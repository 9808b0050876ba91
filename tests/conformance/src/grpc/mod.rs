//! Attacks above HTTP/2, the traps that caught other implementations, and our own manners.
//!
//! Each case is one row of the threat model, whose id it cites: the row's input, the one reaction, and an
//! innocent call on the same connection that completes.

use crate::peer::{Client, Server};
use crate::suite::Case;

mod call;
mod client;
mod manners;
mod requests;
mod traps;

/// All cases for a server under test.
#[must_use]
pub fn for_servers() -> Vec<Case<Client>> {
    let lists = [
        call::CASES,
        requests::CASES,
        traps::FOR_SERVERS,
        manners::FOR_SERVERS,
    ];
    lists.into_iter().flatten().map(|case| Case { ..*case }).collect()
}

/// All cases for a client under test.
#[must_use]
pub fn for_clients() -> Vec<Case<Server>> {
    let lists = [client::CASES, traps::FOR_CLIENTS, manners::FOR_CLIENTS];
    lists.into_iter().flatten().map(|case| Case { ..*case }).collect()
}
