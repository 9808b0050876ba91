//! Every frame in every state: what an endpoint must do, by a table that was written from RFC 9113, and what it does.
//!
//! A [`Cell`] is a frame (type, flags, length), the stream it names, and the state that one stream of the connection is
//! in when it comes. [`oracle::reaction`] says what must follow; it knows the RFC and what our design documents choose
//! where the RFC leaves a choice, and nothing of the code under test. `server` and `client` bring an endpoint into
//! the state, send the frame, and compare strictly: the reaction, nothing beside it, and everything else lives on.

mod cell;
mod client;
mod octets;
pub mod oracle;
mod server;

pub use cell::{Cell, Length, Role, State, Target, cells, states};

use crate::peer;
use crate::suite::Verdict;

/// What must follow a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing: no answer, and no change.
    Ignored,
    /// It has the effect that section 6 gives its type.
    Processed,
    /// RST_STREAM with this code on the stream that the frame names.
    StreamError(u32),
    /// GOAWAY with this code, and the end of the transport.
    ConnectionError(u32),
}

/// Runs one cell against a server.
///
/// # Errors
/// What is not as the table says.
pub fn run_on_server(cell: &Cell, client: &mut peer::Client) -> Verdict {
    server::run(cell, client)
}

/// Runs one cell against a client.
///
/// # Errors
/// What is not as the table says.
pub fn run_on_client(cell: &Cell, server: &mut peer::Server) -> Verdict {
    client::run(cell, server)
}
