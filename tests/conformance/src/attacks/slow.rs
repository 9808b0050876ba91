//! Threats 8, 10, 11, 13, 35: peers that do not read, or take their time.

use std::time::Duration;

use rpc_nostd::server::ServerConfig;
use rpc_nostd::{Config, Timeouts};

use crate::attacks::Attack;
use crate::attacks::restored::{client_is_restored, server_is_restored};
use crate::attacks::script::STREAM;
use crate::endpoint::Call;
use crate::ours::{OurClient, OurServer};
use crate::peer::{Client, Server, request, request_with};
use crate::suite::{Verdict, check};
use crate::wire::{self, code};

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "threat_08_pings_of_a_client_that_does_not_read/server",
        run: || unread(pings()),
    },
    Attack {
        name: "threat_10_resets_for_a_client_that_does_not_read/server",
        run: || unread(resets()),
    },
    Attack {
        name: "threat_11_settings_of_a_client_that_does_not_read/server",
        run: || unread(settings()),
    },
    Attack {
        name: "threat_08_pings_of_a_server_that_does_not_read/client",
        run: || unread_by_server(pings()),
    },
    Attack {
        name: "threat_11_settings_of_a_server_that_does_not_read/client",
        run: || unread_by_server(settings()),
    },
    Attack {
        name: "threat_11_settings_of_many_entries/server",
        run: many_entries,
    },
    Attack {
        name: "threat_13_open_window_over_a_shut_transport/server",
        run: shut_transport,
    },
    Attack {
        name: "threat_13_open_window_over_a_shut_transport/client",
        run: shut_transport_of_client,
    },
    Attack {
        name: "threat_35_slow_peers/server",
        run: slow_clients,
    },
    Attack {
        name: "threat_35_slow_peers/client",
        run: slow_servers,
    },
    Attack {
        name: "threat_35_an_octet_at_a_time/server",
        run: octet_by_octet,
    },
];

fn pings() -> Vec<u8> {
    wire::ping([7; 8]).repeat(99)
}

/// Behind some PINGs, for 99 acknowledgements alone fit the send buffer.
fn settings() -> Vec<u8> {
    let entries = wire::settings(&[(3, 5), (6, 9_000)]);
    [wire::ping([7; 8]).repeat(60), entries.repeat(99)].concat()
}

fn resets() -> Vec<u8> {
    let streams = (0..99).map(|n| STREAM + 2 * n);
    streams
        .flat_map(|stream| wire::headers(stream, &request_with(&[("Upper", "case")]), 0))
        .collect()
}

/// The default of `write_stall`.
const STALL_MS: u64 = 20_000;

/// What is owed to a peer that reads nothing does not add up: reading stops, and with the write's deadline the connection.
/// One that reads again in time has lost nothing.
// Spec: threat-08, threat-10, threat-11, threat-13
fn unread(octets: Vec<u8>) -> Verdict {
    for patient in [true, false] {
        let mut client = Client::new(OurServer::default());
        client.open_with_innocent()?;
        client.note_used(STREAM + 2 * 99);
        client.server.set_capacity(Some(0));
        let before = client.server.work();
        client.send(&octets);
        // Far more than the server would read if it went on.
        client.send(&wire::frame(0x55, 0, 0, &[0; 16_000]).repeat(4));
        let work = client.server.work().since(before);
        check(work.written == 0 && work.moves < 100, || {
            format!("reading goes on although nothing can be written: {work:?}")
        })?;
        if patient {
            client.server.pass(STALL_MS - 1);
            client.server.set_capacity(None);
            let frames = client.look();
            let answers = frames
                .iter()
                .filter(|frame| matches!(frame.kind, wire::PING | wire::SETTINGS | wire::RST_STREAM));
            let (count, asked) = (answers.count(), wire::FrameReader::default().push(&octets).len());
            check(count == asked, || format!("{count} answers of {asked}"))?;
            client.expect_alive()?;
        } else {
            client.server.pass(STALL_MS);
            check(client.server.is_closed() && client.server.handlers() == 0, || {
                "nothing was written for 20 seconds, and the connection stands".into()
            })?;
            client.reconnect();
            client.server.set_capacity(None);
            client.open_with_innocent()?;
            client.expect_alive()?;
        }
        server_is_restored(&mut client)?;
    }
    Ok(())
}

// Spec: threat-08, threat-11
fn unread_by_server(octets: Vec<u8>) -> Verdict {
    let mut server = Server::new(OurClient::default());
    server.open()?;
    server.client.set_capacity(Some(0));
    let before = server.client.work();
    server.send(&octets);
    server.send(&wire::frame(0x55, 0, 0, &[0; 16_000]).repeat(4));
    let work = server.client.work().since(before);
    check(work.written == 0 && work.moves < 100, || {
        format!("reading goes on although nothing can be written: {work:?}")
    })?;
    server.client.pass(STALL_MS);
    let outcome = server.client.outcome(0);
    check(outcome.as_ref().is_some_and(|outcome| outcome.code != 0), || {
        format!("the call of a connection that stalls: {outcome:?}")
    })?;
    check(server.client.is_closed(), || "the connection stands".into())?;
    server.expect_new_connection()?;
    client_is_restored(&mut server)
}

// Spec: threat-11
fn many_entries() -> Verdict {
    // Each 32 entries begun cost what a frame costs.
    let mut client = Client::new(OurServer::default());
    client.open_with_innocent()?;
    let entries = [(0x99, 0); 2_000];
    client.send(&wire::settings(&entries));
    let acks = client.look();
    check(acks.len() == 1, || format!("{acks:?}"))?;
    client.send(&wire::settings(&entries));
    client.expect_connection_error(1, code::ENHANCE_YOUR_CALM)?;
    client.reconnect();
    client.open_with_innocent()?;
    client.expect_alive()?;
    server_is_restored(&mut client)
}

/// Four large answers that nobody takes: what is not in the send buffer is not made.
// Spec: threat-13
fn shut_transport() -> Verdict {
    let mut client = Client::new(OurServer::default());
    client.open_with(&[(4, 0x7fff_ffff)])?;
    client.send(&wire::window_update(0, 0x7fff_0000));
    client.server.set_capacity(Some(0));
    let before = client.server.work();
    for stream in [1, 3, 5, 7] {
        client.send(&wire::headers(stream, &request("/test.Echo/Stream"), 0));
        client.send(&wire::data(stream, &wire::message(&[1; 1_000]), wire::END_STREAM));
    }
    let work = client.server.work().since(before);
    check(work.written == 0 && client.server.handlers() == 4, || {
        format!("{work:?}")
    })?;
    client.server.pass(STALL_MS + 1);
    check(client.server.is_closed() && client.server.handlers() == 0, || {
        "nothing was taken for 20 seconds, and the connection stands".into()
    })?;
    client.reconnect();
    client.open_with_innocent()?;
    client.expect_alive()?;
    server_is_restored(&mut client)
}

// Spec: threat-13
fn shut_transport_of_client() -> Verdict {
    let mut server = Server::new(OurClient::default());
    server.open()?;
    server.client.set_capacity(Some(0));
    let call = server.client.call(Call::Unary(2_000));
    server.client.pass(STALL_MS);
    let outcome = server.client.outcome(call);
    check(outcome.as_ref().is_some_and(|outcome| outcome.code != 0), || {
        format!("a call whose request cannot leave: {outcome:?}")
    })?;
    check(server.client.is_closed(), || "the connection stands".into())?;
    server.expect_new_connection()?;
    client_is_restored(&mut server)
}

/// A deadline, what is missing until then, and what is said about it.
struct Late {
    octets: Vec<u8>,
    /// As `Timeouts` has it by default, and as it is configured.
    after_ms: [u64; 2],
    last: u32,
    code: u32,
}

const SHORT: Timeouts = Timeouts {
    settings: Duration::from_millis(1_500),
    header_block: Duration::from_millis(700),
    write_stall: Duration::from_millis(900),
};

// Spec: threat-35
fn slow_clients() -> Verdict {
    let preface = [wire::PREFACE, &wire::settings(&[])].concat();
    let begun = [
        &preface[..],
        &wire::settings_ack(),
        &wire::frame(wire::HEADERS, 0, 1, &wire::block(&request("/a.B/C"))),
    ]
    .concat();
    let handshake = |octets: &[u8]| Late {
        octets: octets.to_vec(),
        after_ms: [10_000, 1_500],
        last: 0,
        code: code::SETTINGS_TIMEOUT,
    };
    let mut slow = vec![
        handshake(b""),
        handshake(&wire::PREFACE[..10]),
        handshake(wire::PREFACE),
        // SETTINGS that do not end, and those that are never acknowledged.
        handshake(&preface[..30]),
        handshake(&preface),
    ];
    slow.push(Late {
        octets: begun,
        after_ms: [10_000, 700],
        last: 1,
        code: code::ENHANCE_YOUR_CALM,
    });
    let mut configured = ServerConfig::new();
    configured.timeouts = SHORT;
    for late in &slow {
        for (config, after_ms) in [ServerConfig::new(), configured].iter().zip(late.after_ms) {
            let mut client = Client::new(OurServer::new(config));
            client.send(&late.octets);
            client.server.pass(after_ms - 1);
            check(!client.server.is_closed(), || "too early".into())?;
            client.server.pass(1);
            let frames = client.look();
            let goodbye = frames.last().is_some_and(|frame| {
                frame.kind == wire::GOAWAY
                    && frame.u32_at(0) == Some(late.last)
                    && frame.u32_at(4) == Some(late.code)
            });
            check(goodbye && client.server.is_closed(), || format!("{frames:?}"))?;
            client.reconnect();
            client.open_with_innocent()?;
            client.expect_alive()?;
            server_is_restored(&mut client)?;
        }
    }
    Ok(())
}

// Spec: threat-35
fn slow_servers() -> Verdict {
    let mut configured = Config::new("test.local:1");
    configured.timeouts = SHORT;
    for (config, after_ms) in [(Config::new("test.local:1"), 10_000), (configured, 1_500)] {
        for (octets, reason) in [
            (Vec::new(), "peer sent no SETTINGS in time"),
            (
                wire::settings_ack()[..5].to_vec(),
                "peer sent no SETTINGS in time",
            ),
            (wire::settings(&[]), "peer did not acknowledge SETTINGS in time"),
        ] {
            let mut server = Server::new(OurClient::new(config));
            let call = server.client.call(Call::Unary(5));
            server.client.receive();
            server.client.send(&octets);
            server.client.pass(after_ms - 1);
            check(server.client.outcome(call).is_none(), || "too early".into())?;
            server.client.pass(1);
            let outcome = server.client.outcome(call);
            check(
                outcome
                    .as_ref()
                    .is_some_and(|outcome| outcome.code == 14 && outcome.message == reason),
                || format!("{reason:?} expected, not {outcome:?}"),
            )?;
            check(server.client.is_closed(), || "the connection stands".into())?;
            server.expect_new_connection()?;
            client_is_restored(&mut server)?;
        }
    }
    Ok(())
}

/// Slow, but not too slow: everything an octet at a time, and seconds between frames.
// Spec: threat-35, threat-38
fn octet_by_octet() -> Verdict {
    let mut client = Client::new(OurServer::default());
    for octet in [wire::PREFACE, &wire::settings(&[]), &wire::settings_ack()].concat() {
        client.send(&[octet]);
        client.server.pass(50);
    }
    client.look();
    let call = [
        wire::headers(1, &request("/test.Echo/Unary"), 0),
        wire::data(1, &wire::message(b"slowly"), wire::END_STREAM),
    ];
    for frame in call {
        for octet in frame {
            client.send(&[octet]);
            client.server.pass(50);
        }
        client.server.pass(9_000);
    }
    client.answer(1)?.expect_echo(b"slowly")?;
    client.expect_alive()?;
    server_is_restored(&mut client)
}
