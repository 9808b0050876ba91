//! Threats 36 to 38: games with GOAWAY, frames that nobody asked for, and octets in any pieces.

use h2_lite::{Config as CoreConfig, Role};

use crate::attacks::Attack;
use crate::attacks::core::Core;
use crate::attacks::flood::UNAVAILABLE;
use crate::attacks::restored::client_is_restored;
use crate::attacks::script::{Reaction, STREAM, on_client, on_server};
use crate::endpoint::Call;
use crate::ours::OurClient;
use crate::peer::{HEAD, Server, request, request_with};
use crate::suite::{Verdict, check};
use crate::wire::{self, END_STREAM, code};

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "threat_36_goaway_games/client",
        run: goaway_games,
    },
    Attack {
        name: "threat_36_goaway_storm/client",
        run: goaway_storm,
    },
    Attack {
        name: "threat_36_goaway_then_silence/client",
        run: goaway_then_silence,
    },
    Attack {
        name: "threat_37_push_promise/server",
        run: push_on_server,
    },
    Attack {
        name: "threat_37_push_promise/client",
        run: push_on_client,
    },
    Attack {
        name: "threat_37_interim_responses_without_end/client",
        run: interim_storm,
    },
    Attack {
        name: "threat_38_any_cut/h2_server",
        run: || any_cut(Role::Server, &client_octets()),
    },
    Attack {
        name: "threat_38_any_cut/h2_client",
        run: || any_cut(Role::Client, &server_octets()),
    },
];

/// A last stream that rises, or that was never opened, lifts nothing: what was given up stays so, and is tried again on
/// the next connection.
// Spec: threat-36
fn goaway_games() -> Verdict {
    let mut server = Server::new(OurClient::default());
    server.open()?;
    let request = server.request(Call::Unary(5))?;
    server.send(&wire::goaway(1, code::NO_ERROR));
    server.send(
        &[
            wire::goaway(0x7fff_ffff, 0),
            wire::goaway(request.stream, 0),
            wire::goaway(5, 0),
        ]
        .concat(),
    );
    // An answer on the stream that was given up is for nobody.
    server.respond(request.stream, b"too late");
    check(
        server
            .client
            .outcome(request.call)
            .is_none_or(|outcome| outcome.code != 0),
        || "an answer to a call that was given up".into(),
    )?;
    // The innocent call, below the last stream, completes; then the connection is over, and the next one has the other.
    server.expect_innocent_completes()?;
    check(server.client.connections() == 2, || "no new connection".into())?;
    server.meet(&[])?;
    server.respond(1, b"in time");
    server.expect_outcome(request.call, 0, b"in time")?;
    client_is_restored(&mut server)
}

// Spec: threat-36
fn goaway_storm() -> Verdict {
    let mut server = Server::new(OurClient::default());
    server.open()?;
    server.send(&wire::goaway(1, code::NO_ERROR).repeat(100));
    check(server.client.outcome(0).is_none(), || {
        "a hundred are borne".into()
    })?;
    server.send(&wire::goaway(1, code::NO_ERROR));
    let outcome = server.client.outcome(0);
    let named = outcome
        .as_ref()
        .is_some_and(|outcome| outcome.code == UNAVAILABLE);
    check(named && server.client.is_closed(), || format!("{outcome:?}"))?;
    server.expect_new_connection()?;
    client_is_restored(&mut server)
}

// Spec: threat-36
fn goaway_then_silence() -> Verdict {
    let mut server = Server::new(OurClient::default());
    server.open()?;
    let waits = server.request(Call::Bidi)?;
    server.send(&wire::goaway(waits.stream, code::NO_ERROR));
    // A new call needs a new connection, and waits no longer for the old one than the drain's limit.
    let new = server.client.call(Call::Unary(3));
    check(server.client.connections() == 1, || "drained at once".into())?;
    server.client.pass(10_000);
    check(server.client.connections() == 2, || {
        "the silent connection is kept".into()
    })?;
    let outcome = server.client.outcome(waits.call);
    check(
        outcome
            .as_ref()
            .is_some_and(|outcome| outcome.code == UNAVAILABLE),
        || format!("a call on a connection that is given up: {outcome:?}"),
    )?;
    server.meet(&[])?;
    server.respond(1, b"new");
    server.expect_outcome(new, 0, b"new")?;
    client_is_restored(&mut server)
}

// Spec: threat-37
fn push_on_server() -> Verdict {
    let protocol = Reaction::Connection(1, code::PROTOCOL_ERROR);
    for (stream, promised) in [(1, 2), (0, 2), (1, 0), (3, 4)] {
        on_server(
            &wire::push_promise(stream, promised, &request_with(&[])),
            protocol,
        )?;
    }
    Ok(())
}

// Spec: threat-37
fn push_on_client() -> Verdict {
    let protocol = Reaction::Connection(0, code::PROTOCOL_ERROR);
    for (stream, promised) in [(STREAM, 2), (0, 2), (STREAM, 0), (STREAM, 5), (2, 4)] {
        on_client(
            &wire::push_promise(stream, promised, &request_with(&[])),
            protocol,
        )?;
    }
    Ok(())
}

// Spec: threat-37
fn interim_storm() -> Verdict {
    let interim = wire::headers(STREAM, &[(":status", "103"), ("link", "</x>")], 0);
    let calm = Reaction::Connection(0, code::ENHANCE_YOUR_CALM);
    on_client(&interim.repeat(201), calm)?;
    let response = [
        interim.repeat(200),
        wire::headers(STREAM, HEAD, 0),
        wire::data(STREAM, &wire::message(b"after all"), 0),
        wire::headers(STREAM, &[("grpc-status", "0")], END_STREAM),
    ];
    on_client(&response.concat(), Reaction::Nothing)
}

/// What a client says that does all sorts of things, right and wrong.
fn client_octets() -> Vec<u8> {
    let request = request("/test.Echo/Unary");
    let block = wire::block(&request);
    let (head, rest) = block.split_at(20);
    [
        wire::PREFACE.to_vec(),
        wire::settings(&[(3, 9), (4, 100), (0x99, 7)]),
        wire::settings_ack(),
        wire::headers(1, &request, 0),
        wire::ping(*b"whatever"),
        wire::padded_data(1, &wire::message(b"first"), 20, 0),
        wire::frame(wire::HEADERS, 0, 3, head),
        wire::continuation(3, rest, wire::END_HEADERS),
        wire::window_update(3, 0),
        wire::headers(5, &request_with(&[("Upper", "case")]), 0),
        wire::data(5, b"for nobody", 0),
        wire::priority(7, 9),
        wire::frame(0x77, 0xff, 1, b"unknown"),
        wire::headers(7, &request, END_STREAM),
        wire::rst_stream(7, code::CANCEL),
        wire::window_update(1, 1_000),
        wire::data(1, &[], END_STREAM),
        wire::goaway(0, 0),
        wire::data(9, b"on an idle stream", 0),
    ]
    .concat()
}

/// What a server says that does the same.
fn server_octets() -> Vec<u8> {
    [
        wire::settings(&[(3, 9), (1, 0), (4, 100)]),
        wire::settings_ack(),
        wire::headers(1, &[(":status", "103")], 0),
        wire::headers(1, HEAD, 0),
        wire::ping(*b"whatever"),
        wire::padded_data(1, &wire::message(b"first"), 20, 0),
        wire::headers(3, &[("no", "status")], 0),
        wire::data(3, b"for nobody", 0),
        wire::headers(1, &[("grpc-status", "0")], END_STREAM),
        wire::frame(0x77, 0xff, 1, b"unknown"),
        wire::goaway(3, 0),
        wire::rst_stream(5, code::CANCEL),
        wire::push_promise(1, 2, &request_with(&[])),
    ]
    .concat()
}

/// The same events and the same end, whether the octets come whole, one by one, or cut in two anywhere.
// Spec: threat-38
fn any_cut(role: Role, octets: &[u8]) -> Verdict {
    let run = |pieces: &[&[u8]]| {
        let mut core = Core::new(role, CoreConfig::default());
        core.log = Some(Vec::new());
        if role == Role::Client {
            core.request(0, false);
            core.request(1, false);
            core.request(2, true);
        }
        for piece in pieces {
            core.feed(piece);
        }
        (core.events(), format!("{:?}", core.conn.error()))
    };
    let whole = run(&[octets]);
    check(whole.0.len() > 10, || format!("{whole:?}"))?;
    let one_by_one: Vec<&[u8]> = octets.chunks(1).collect();
    let same = |cut: (Vec<String>, String), at: usize| {
        check(cut == whole, || {
            format!("cut at {at}: {cut:?} instead of {whole:?}")
        })
    };
    same(run(&one_by_one), 1)?;
    for at in 1..octets.len() {
        same(run(&[&octets[..at], &octets[at..]]), at)?;
    }
    for len in [2, 3, 7, 9, 16, 100, 256] {
        same(run(&octets.chunks(len).collect::<Vec<_>>()), len)?;
    }
    Ok(())
}
