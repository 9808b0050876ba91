//! Budgets are configuration: each that is changed is obeyed. Those of frames that come one by one are in the floods.

use rpc_nostd::server::ServerConfig;
use rpc_nostd::{Budget, Budgets, Config};

use crate::attacks::Attack;
use crate::attacks::flood::no_goodbye;
use crate::attacks::restored::server_is_restored;
use crate::attacks::script::{STREAM, cut, request_block, response_block};
use crate::endpoint::Call;
use crate::ours::{OurClient, OurServer};
use crate::peer::{Client, HEAD, Server, request, request_with};
use crate::suite::{Verdict, check};
use crate::wire::{self, END_STREAM, code};

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "budgets_are_obeyed/server",
        run: on_server,
    },
    Attack {
        name: "budgets_are_obeyed/client",
        run: on_client,
    },
    Attack {
        name: "budgets_refill_with_time/server",
        run: refill,
    },
    Attack {
        name: "threat_01_short_deadlines_are_no_attack/server",
        run: short_deadlines,
    },
];

/// A budget that was changed, what it then allows, and what is too much.
struct Changed {
    change: fn(&mut Budgets),
    within: Vec<u8>,
    over: Vec<u8>,
}

fn in_pieces(block: &[u8], frames: usize) -> Vec<u8> {
    cut(block, block.len().div_ceil(frames))
}

fn small_data(head: Vec<u8>, frames: usize) -> Vec<u8> {
    let message = wire::message(&[1; 500]);
    let small = message[..frames]
        .iter()
        .flat_map(|octet| wire::data(STREAM, &[*octet], 0));
    [head, small.collect()].concat()
}

fn changed(block: fn(&[u8]) -> Vec<u8>, head: &[(&str, &str)]) -> Vec<Changed> {
    let head = wire::headers(STREAM, head, 0);
    let long = |octets: usize| {
        let field = wire::literal(b"x", &vec![b'l'; octets - block(&[]).len() - 6]);
        cut(&block(&field), 16_384)
    };
    vec![
        Changed {
            change: |budgets| budgets.continuations = 2,
            within: in_pieces(&block(&[]), 3),
            over: in_pieces(&block(&[]), 4),
        },
        Changed {
            change: |budgets| budgets.continuations = 20,
            within: in_pieces(&block(&[]), 15),
            over: in_pieces(&block(&wire::literal(b"x", &[b'y'; 60])), 25),
        },
        Changed {
            change: |budgets| budgets.header_block_size = 1_000,
            within: long(1_000),
            over: long(1_001),
        },
        Changed {
            change: |budgets| budgets.data_overhead = 255 * 10,
            within: small_data(head.clone(), 9),
            over: small_data(head, 11),
        },
    ]
}

// Spec: threat-03, threat-04, threat-06, threat-24
fn on_server() -> Verdict {
    let sound = request_with(&[]);
    for (n, Changed { change, within, over }) in changed(request_block, &sound).iter().enumerate() {
        let mut config = ServerConfig::new();
        change(&mut config.budgets);
        for (octets, allowed) in [(within, true), (over, false)] {
            let mut client = Client::new(OurServer::new(&config));
            client.open_with_innocent()?;
            client.note_used(STREAM);
            client.send(octets);
            if allowed {
                no_goodbye(client.look()).map_err(|fault| crate::suite::Fault(format!("{n}: {fault}")))?;
                client.expect_alive()?;
            } else {
                client.expect_connection_error(STREAM, code::ENHANCE_YOUR_CALM)?;
            }
        }
    }
    discarded()
}

/// Frames on streams that we have reset.
fn discarded() -> Verdict {
    let mut config = ServerConfig::new();
    config.budgets.discarded = Budget::new(5, 0);
    let mut client = Client::new(OurServer::new(&config));
    client.open_with_innocent()?;
    client.note_used(STREAM);
    let malformed = wire::headers(STREAM, &request_with(&[("Upper", "case")]), 0);
    let late = wire::data(STREAM, b"late", 0);
    // The malformed block itself was nobody's in the end.
    client.send(&[malformed, late.repeat(4)].concat());
    no_goodbye(client.look())?;
    client.send(&late);
    client.expect_connection_error(STREAM, code::ENHANCE_YOUR_CALM)
}

// Spec: threat-03, threat-04, threat-06
fn on_client() -> Verdict {
    for (n, Changed { change, within, over }) in changed(response_block, HEAD).iter().enumerate() {
        let mut config = Config::new("test.local:1");
        change(&mut config.budgets);
        for (octets, allowed) in [(within, true), (over, false)] {
            let mut server = Server::new(OurClient::new(config));
            server.open()?;
            let request = server.request(Call::Unary(5))?;
            server.send(octets);
            if allowed {
                no_goodbye(server.look()).map_err(|fault| crate::suite::Fault(format!("{n}: {fault}")))?;
                server.client.cancel(request.call);
                server.look();
                server.expect_alive()?;
            } else {
                server.expect_connection_error(code::ENHANCE_YOUR_CALM)?;
            }
        }
    }
    Ok(())
}

/// Tokens come back each second, as many as configured.
fn refill() -> Verdict {
    let mut config = ServerConfig::new();
    config.budgets.pings = Budget::new(10, 5);
    let mut client = Client::new(OurServer::new(&config));
    client.open_with_innocent()?;
    client.send(&wire::ping([0; 8]).repeat(10));
    for _ in 0..20 {
        client.server.pass(1_000);
        client.send(&wire::ping([0; 8]).repeat(5));
    }
    no_goodbye(client.look())?;
    client.send(&wire::ping([0; 8]));
    client.expect_connection_error(1, code::ENHANCE_YOUR_CALM)
}

/// A client that gives up call after call, after a millisecond each, as its deadlines say, and now and then has an answer.
// Spec: threat-01
fn short_deadlines() -> Verdict {
    let mut client = Client::new(OurServer::default());
    client.open_with_innocent()?;
    let mut fields = request("/test.Echo/Wait");
    fields.push(("grpc-timeout", "1m"));
    for _ in 0..1_000 {
        let stream = client.next_stream();
        let data = wire::data(stream, &wire::message(b"w"), END_STREAM);
        client.send(&[wire::headers(stream, &fields, 0), data].concat());
        client.server.pass(1);
        client.send(&wire::rst_stream(stream, code::CANCEL));
        let frames = client.look();
        no_goodbye(frames)?;
    }
    check(client.server.handlers() <= 1, || {
        "handlers outlive their calls".into()
    })?;
    client.expect_alive()?;
    server_is_restored(&mut client)
}
