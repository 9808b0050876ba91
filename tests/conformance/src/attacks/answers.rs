//! Threats 1, 2, 14 once more: handlers of streams that are reset, and servers whose answers are errors or nothing.

use rpc_nostd::server::ServerConfig;
use rpc_nostd::{Budget, Config};

use crate::attacks::Attack;
use crate::attacks::flood::{UNAVAILABLE, boundless, no_goodbye};
use crate::attacks::restored::{client_is_restored, server_is_restored};
use crate::attacks::script::{INTERNAL, Reaction, STREAM, on_client};
use crate::endpoint::Call;
use crate::ours::{OurClient, OurServer, STREAMS};
use crate::peer::{Client, HEAD, Server, request};
use crate::suite::{Verdict, check};
use crate::wire::{self, END_STREAM, code};

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "threat_01_handlers_of_streams_that_are_reset/server",
        run: handlers,
    },
    Attack {
        name: "threat_02_answers_that_make_us_reset/client",
        run: malformed_answers,
    },
    Attack {
        name: "threat_14_empty_data/client",
        run: empty_data,
    },
];

/// A slot is free when its handler is gone: never are there more handlers than slots, whatever is reset.
// Spec: threat-01
fn handlers() -> Verdict {
    let mut config = ServerConfig::new();
    config.budgets = boundless().budgets;
    let mut client = Client::new(OurServer::new(&config));
    client.open_with_innocent()?;
    for _ in 0..500 {
        let stream = client.next_stream();
        client.send(&wire::headers(stream, &request("/test.Echo/Wait"), 0));
        client.send(&wire::data(stream, &wire::message(b"w"), END_STREAM));
        let running = client.server.handlers();
        check(running <= STREAMS, || {
            format!("{running} handlers in {STREAMS} slots")
        })?;
        client.send(&wire::rst_stream(stream, code::CANCEL));
        let left = client.server.handlers();
        check(left <= 1, || {
            format!("{left} handlers, though only one call is left")
        })?;
        no_goodbye(client.look())?;
    }
    client.expect_alive()?;
    server_is_restored(&mut client)
}

/// Each answer is malformed, and makes the client reset a stream.
// Spec: threat-02
fn malformed_answers() -> Verdict {
    let mut config = Config::new("test.local:1");
    config.budgets.glitches = Budget::new(5, 0);
    let mut server = Server::new(OurClient::new(config));
    server.open()?;
    for round in 0..6 {
        let request = server.request(Call::Unary(3))?;
        server.send(&wire::headers(request.stream, &[("no", "status")], END_STREAM));
        let outcome = server.client.outcome(request.call);
        let expected = if round < 5 { INTERNAL } else { UNAVAILABLE };
        check(
            outcome.as_ref().is_some_and(|outcome| outcome.code == expected),
            || format!("{expected} expected in round {round}, not {outcome:?}"),
        )?;
    }
    server.expect_connection_error(code::ENHANCE_YOUR_CALM)?;
    let outcome = server.client.outcome(0);
    let named = outcome
        .as_ref()
        .is_some_and(|outcome| outcome.message == "too many errors of the peer");
    check(named, || format!("{outcome:?}"))?;
    client_is_restored(&mut server)
}

// Spec: threat-14
fn empty_data() -> Verdict {
    let empty = |count| {
        [
            wire::headers(STREAM, HEAD, 0),
            wire::data(STREAM, &[], 0).repeat(count),
        ]
        .concat()
    };
    on_client(&empty(100), Reaction::Nothing)?;
    on_client(&empty(101), Reaction::Connection(0, code::ENHANCE_YOUR_CALM))
}
