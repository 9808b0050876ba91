//! One attack, one reaction: sent beside an innocent stream, and what must follow.

use crate::attacks::flood::{UNAVAILABLE, no_goodbye};
use crate::attacks::restored::{UNARY, client_is_restored, server_is_restored};
use crate::endpoint::Call;
use crate::ours::{OurClient, OurServer};
use crate::peer::{Client, HEAD, Server, request};
use crate::suite::{Verdict, check};
use crate::wire::{self, END_HEADERS};

/// What must follow an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// GOAWAY with this last stream (of a server's) and this code; the next connection is as good as any.
    Connection(u32, u32),
    /// RST_STREAM with this code, and on a client the call fails with this status; all else lives on.
    Stream(u32, u32),
    /// Nothing: the connection lives, and the peer may carry on.
    Nothing,
}

/// The stream of the attack. A server's innocent one is 1, a client's too.
pub const STREAM: u32 = 3;
/// `INTERNAL`, which is what a malformed response is to its call.
pub const INTERNAL: u32 = 13;

/// A server takes these octets, and does that. The attack's stream is not opened before.
///
/// # Errors
/// Another reaction, or something that is not as before.
pub fn on_server(octets: &[u8], reaction: Reaction) -> Verdict {
    let mut client = Client::new(OurServer::default());
    client.open_with_innocent()?;
    client.note_used(STREAM);
    client.send(octets);
    match reaction {
        Reaction::Connection(last, code) => {
            client.expect_connection_error(last, code)?;
            client.reconnect();
            client.open_with_innocent()?;
            client.expect_alive()?;
        }
        Reaction::Stream(code, _) => client.expect_stream_error(STREAM, code)?,
        Reaction::Nothing => {
            no_goodbye(client.look())?;
            client.expect_alive()?;
        }
    }
    server_is_restored(&mut client)
}

/// A client takes these octets, and does that. The attack's stream has a call which has sent its request.
///
/// # Errors
/// As [`on_server`].
pub fn on_client(octets: &[u8], reaction: Reaction) -> Verdict {
    let mut server = Server::new(OurClient::default());
    server.open()?;
    let request = server.request(Call::Unary(5))?;
    server.send(octets);
    match reaction {
        Reaction::Connection(_, code) => {
            server.expect_connection_error(code)?;
            let outcome = server.client.outcome(request.call);
            let failed = outcome.as_ref().is_some_and(|outcome| {
                outcome.code == UNAVAILABLE && !outcome.message.is_empty() && outcome.replies.is_empty()
            });
            check(failed, || format!("UNAVAILABLE and a reason: {outcome:?}"))?;
        }
        Reaction::Stream(code, status) => server.expect_stream_error(request, code, status)?,
        Reaction::Nothing => {
            no_goodbye(server.look())?;
            server.client.cancel(request.call);
            server.look();
            server.expect_alive()?;
        }
    }
    client_is_restored(&mut server)
}

/// The header block of a sound request, with these octets behind.
#[must_use]
pub fn request_block(more: &[u8]) -> Vec<u8> {
    [&wire::block(&request(UNARY)), more].concat()
}

/// The header block of a sound response, with these octets behind.
#[must_use]
pub fn response_block(more: &[u8]) -> Vec<u8> {
    [&wire::block(HEAD), more].concat()
}

/// HEADERS of a whole block.
#[must_use]
pub fn whole(block: &[u8]) -> Vec<u8> {
    wire::frame(wire::HEADERS, END_HEADERS, STREAM, block)
}

/// A block in HEADERS and CONTINUATION of so many octets each.
#[must_use]
pub fn cut(block: &[u8], len: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    let last = block.len().div_ceil(len) - 1;
    for (n, piece) in block.chunks(len).enumerate() {
        let kind = if n == 0 { wire::HEADERS } else { wire::CONTINUATION };
        let flags = if n == last { END_HEADERS } else { 0 };
        octets.extend(wire::frame(kind, flags, STREAM, piece));
    }
    octets
}
