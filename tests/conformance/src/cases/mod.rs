//! The cases, by the role of the endpoint under test and by concern.

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
