//! Threats 6, 20, 21, 22: windows that are overrun, overflowed, or eaten up.

use h2_lite::Config as CoreConfig;

use crate::attacks::Attack;
use crate::attacks::core::Core;
use crate::attacks::cost::is_linear;
use crate::attacks::flood::{UNAVAILABLE, boundless, no_goodbye};
use crate::attacks::restored::{UNARY, client_is_restored, server_is_restored};
use crate::attacks::script::{INTERNAL, Reaction, STREAM, on_client, on_server};
use crate::endpoint::Call;
use crate::ours::{OurClient, OurServer, RECV};
use crate::peer::{Client, HEAD, Server, request};
use crate::suite::{Fault, Verdict, check};
use crate::wire::{self, FrameReader, code};

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "threat_06_data_of_one_octet/server",
        run: small_data_on_server,
    },
    Attack {
        name: "threat_06_data_of_one_octet/client",
        run: small_data_on_client,
    },
    Attack {
        name: "threat_06_data_of_one_octet_that_is_read/h2",
        run: small_data_read,
    },
    Attack {
        name: "threat_20_windows_beyond_their_bound/server",
        run: overflow_on_server,
    },
    Attack {
        name: "threat_20_windows_beyond_their_bound/client",
        run: overflow_on_client,
    },
    Attack {
        name: "threat_21_data_beyond_the_windows/server",
        run: overrun_on_server,
    },
    Attack {
        name: "threat_21_data_beyond_the_windows/client",
        run: overrun_on_client,
    },
    Attack {
        name: "threat_21_data_beyond_the_connections_window/h2",
        run: overrun_of_the_connection,
    },
    Attack {
        name: "threat_22_padding_is_credited/server",
        run: padding_on_server,
    },
    Attack {
        name: "threat_22_a_million_padded_frames/h2",
        run: million_padded,
    },
    Attack {
        name: "threat_22_a_million_frames_of_a_stream_that_is_reset/h2",
        run: million_reset,
    },
    Attack {
        name: "threat_22_a_million_frames_of_refused_streams/h2",
        run: million_refused,
    },
    Attack {
        name: "threat_22_a_million_frames_after_a_cancellation/h2",
        run: million_cancelled,
    },
];

/// The default of `data_overhead` in octets, for windows of RECV octets.
const OVERHEAD: u32 = 64 * RECV as u32;
/// Frames of one octet, of which none is read, within it.
const UNREAD: usize = (OVERHEAD / 255) as usize;

fn request_headers(stream: u32) -> Vec<u8> {
    wire::headers(stream, &request(UNARY), 0)
}

/// A message that is never whole is never read.
// Spec: threat-06
fn small_data_on_server() -> Verdict {
    let octets = |count: usize| {
        let message = &wire::message(&[b's'; RECV - 8])[..count];
        let frames = message.iter().flat_map(|octet| wire::data(STREAM, &[*octet], 0));
        [request_headers(STREAM), frames.collect()].concat()
    };
    let calm = Reaction::Connection(STREAM, code::ENHANCE_YOUR_CALM);
    // Half a message of the innocent stream is unread, too, and counts as one.
    on_server(&octets(UNREAD), calm)?;
    // As many as are allowed, and the rest in one: the call completes.
    let whole = wire::message(&[b's'; RECV - 8]);
    let rest = wire::data(STREAM, &whole[UNREAD - 1..], wire::END_STREAM);
    on_server(&[octets(UNREAD - 1), rest].concat(), Reaction::Nothing)?;
    let mut core = Core::server(CoreConfig::default());
    core.consumes = false;
    let error = core.feed(&octets(UNREAD + 1));
    let named = error.is_some_and(|error| error.reason == "flood of small DATA frames");
    check(named, || format!("{error:?}"))
}

// Spec: threat-06
fn small_data_on_client() -> Verdict {
    let octets = |count: usize| {
        let message = &wire::message(&[b's'; RECV - 8])[..count];
        let frames = message.iter().flat_map(|octet| wire::data(STREAM, &[*octet], 0));
        [wire::headers(STREAM, HEAD, 0), frames.collect()].concat()
    };
    let calm = Reaction::Connection(0, code::ENHANCE_YOUR_CALM);
    on_client(&octets(UNREAD + 1), calm)?;
    on_client(&octets(UNREAD), Reaction::Nothing)
}

/// Small messages that are read as they come are no attack, however many.
// Spec: threat-06
fn small_data_read() -> Verdict {
    is_linear(50_000, |length| {
        let mut core = Core::server(CoreConfig::default());
        core.feed(&request_headers(1));
        for _ in 0..length {
            let error = core.feed(&wire::data(1, b"\0\0\0\0\0", 0));
            check(error.is_none(), || format!("{error:?}"))?;
        }
        Ok(core.cost())
    })
}

// Spec: threat-20
fn overflow_on_server() -> Verdict {
    let most = 0x7fff_ffff;
    let connection = Reaction::Connection(1, code::FLOW_CONTROL_ERROR);
    on_server(&wire::window_update(0, most), connection)?;
    on_server(&wire::settings(&[(4, most + 1)]), connection)?;
    // A stream's window is lifted, then all are, by more than there is room for.
    let lifted = [
        wire::window_update(1, most - 65_535),
        wire::settings(&[(4, 65_536)]),
    ]
    .concat();
    on_server(&lifted, connection)?;
    let stream = Reaction::Stream(code::FLOW_CONTROL_ERROR, 0);
    on_server(
        &[request_headers(STREAM), wire::window_update(STREAM, most)].concat(),
        stream,
    )?;
    // To the bound and not beyond is legal, also by way of a negative window.
    let legal = [
        wire::settings(&[(4, 0)]),
        wire::settings(&[(4, most)]),
        wire::window_update(0, most - 65_535),
        wire::settings(&[(4, 65_535)]),
    ];
    on_server(&legal.concat(), Reaction::Nothing)
}

// Spec: threat-20
fn overflow_on_client() -> Verdict {
    let most = 0x7fff_ffff;
    let connection = Reaction::Connection(0, code::FLOW_CONTROL_ERROR);
    on_client(&wire::window_update(0, most), connection)?;
    on_client(&wire::settings(&[(4, most + 1)]), connection)
}

// Spec: threat-21, trap-padding-in-window
fn overrun_on_server() -> Verdict {
    let beyond = Reaction::Stream(code::FLOW_CONTROL_ERROR, 0);
    let open = request_headers(STREAM);
    let message = wire::message(&[b'o'; 2 * RECV]);
    let frames = [
        wire::data(STREAM, &message[..RECV + 1], 0),
        [
            wire::data(STREAM, &message[..RECV], 0),
            wire::data(STREAM, b"o", 0),
        ]
        .concat(),
        // Padding and its length are octets too.
        wire::padded_data(STREAM, &message[..RECV - 10], 10, 0),
        [
            wire::data(STREAM, &message[..RECV], 0),
            wire::padded_data(STREAM, &[], 0, 0),
        ]
        .concat(),
    ];
    for octets in frames {
        on_server(&[open.clone(), octets].concat(), beyond)?;
    }
    Ok(())
}

// Spec: threat-21, trap-padding-in-window
fn overrun_on_client() -> Verdict {
    let beyond = Reaction::Stream(code::FLOW_CONTROL_ERROR, INTERNAL);
    let open = wire::headers(STREAM, HEAD, 0);
    let message = wire::message(&[b'o'; RECV - 8]);
    // All of the window but the last octet, which a message of this length leaves unread, then two more.
    let most = wire::data(STREAM, &message[..RECV - 1], 0);
    for more in [
        wire::data(STREAM, b"oo", 0),
        wire::padded_data(STREAM, b"o", 0, 0),
    ] {
        on_client_beyond(&[open.clone(), most.clone(), more].concat(), beyond)?;
    }
    Ok(())
}

/// Which status a call has whose stream is reset by us is the client's choice: it fails.
fn on_client_beyond(octets: &[u8], reaction: Reaction) -> Verdict {
    let Reaction::Stream(code, _) = reaction else {
        return Err(Fault("a stream's error".into()));
    };
    let mut server = Server::new(OurClient::default());
    server.open()?;
    let request = server.request(Call::Unary(5))?;
    server.send(octets);
    let frames = server.look();
    let reset = frames.iter().find(|frame| frame.kind == wire::RST_STREAM);
    check(reset.is_some_and(|reset| reset.u32_at(0) == Some(code)), || {
        format!("RST_STREAM with {code:#x}: {frames:?}")
    })?;
    let outcome = server.client.outcome(request.call);
    check(
        outcome
            .as_ref()
            .is_some_and(|outcome| outcome.code != 0 && outcome.code != UNAVAILABLE),
        || format!("{outcome:?}"),
    )?;
    server.expect_alive()?;
    client_is_restored(&mut server)
}

/// Both sides of the bound, with DATA that no stream's window stops: on a stream that we have reset.
// Spec: threat-21
fn overrun_of_the_connection() -> Verdict {
    let mut core = Core::new(h2_lite::Role::Server, boundless());
    // Until its SETTINGS are acknowledged the server gives no credit.
    core.feed(&[wire::PREFACE, &wire::settings(&[]), &request_headers(1)].concat());
    core.feed(&wire::headers(1, &[("trailers", "that end nothing")], 0));
    for _ in 0..3 {
        core.feed(&wire::data(1, &[0; 16_384], 0));
    }
    let within = core.feed(&wire::padded_data(1, &[0; 16_300], 82, 0));
    check(within.is_none(), || {
        format!("65,535 octets are allowed: {within:?}")
    })?;
    let over = core.feed(&wire::data(1, &[0], 0));
    check(
        over.is_some_and(|error| error.code.0 == code::FLOW_CONTROL_ERROR),
        || format!("one more is not: {over:?}"),
    )
}

/// The handler reads, and what was padding is credited with it: a client that pads may send for ever.
// Spec: threat-22, trap-padding-in-window
fn padding_on_server() -> Verdict {
    let mut client = Client::new(OurServer::default());
    client.open_with_innocent()?;
    client.note_used(STREAM);
    client.send(&wire::headers(STREAM, &request("/test.Echo/Chat"), 0));
    let (mut sent, mut given) = (0, RECV as u32);
    for _ in 0..2_000 {
        // A message of 8 octets, and 100 of padding.
        client.send(&wire::padded_data(STREAM, &wire::message(b"p"), 100, 0));
        sent += 109;
        check(sent <= given, || format!("{sent} sent, credit for {given}"))?;
        let frames = client.look();
        let credit = frames
            .iter()
            .filter(|frame| frame.kind == wire::WINDOW_UPDATE && frame.stream == STREAM);
        given += credit.filter_map(|frame| frame.u32_at(0)).sum::<u32>();
        let octets: usize = frames
            .iter()
            .filter(|frame| frame.kind == wire::DATA)
            .map(|frame| frame.payload.len())
            .sum();
        client.send(
            &[
                wire::window_update(0, octets as u32),
                wire::window_update(STREAM, octets as u32),
            ]
            .concat(),
        );
        no_goodbye(frames)?;
    }
    client.send(&wire::data(STREAM, &[], wire::END_STREAM));
    client.look();
    client.expect_alive()?;
    server_is_restored(&mut client)
}

/// A million.
const MILLION: u32 = 1_000_000;

/// After so many frames the connection's window, as the peer knows it, is what is not credited yet. So many are sent at
/// once, within the windows.
fn million(mut core: Core, at_once: u32, frames: impl Fn(u32) -> Vec<u8>) -> Verdict {
    core.output = Some(Vec::new());
    let in_one = FrameReader::default().push(&frames(0));
    let in_one = in_one.iter().filter(|frame| frame.kind == wire::DATA);
    let in_one: u64 = in_one.map(|frame| frame.payload.len() as u64).sum();
    let mut sent = 0;
    while sent < MILLION {
        let octets: Vec<u8> = (sent..sent + at_once).flat_map(&frames).collect();
        let error = core.feed(&octets);
        check(error.is_none(), || format!("{error:?} at {sent}"))?;
        sent += at_once;
        core.pass(u64::from(at_once));
    }
    let data = in_one * u64::from(sent);
    let output = core.output.take().unwrap_or_default();
    let frames = FrameReader::default().push(&output);
    let credit = frames
        .iter()
        .filter(|frame| frame.kind == wire::WINDOW_UPDATE && frame.stream == 0);
    let credit: u64 = credit.filter_map(|frame| frame.u32_at(0)).map(u64::from).sum();
    check(credit <= data && data - credit < 32_768, || {
        format!("of {data} octets {credit} were credited")
    })?;
    // And the rest comes with the next octets: none was lost on the way.
    check(data > 20_000_000, || format!("only {data} octets"))
}

// Spec: threat-22
fn million_padded() -> Verdict {
    let mut core = Core::server(CoreConfig::default());
    core.feed(&request_headers(1));
    let frame = wire::padded_data(1, b"12345678", 100, 0);
    million(core, 8, |_| frame.clone())
}

// Spec: threat-22, trap-reset-payload
fn million_reset() -> Verdict {
    let mut core = Core::server(boundless());
    core.feed(&request_headers(1));
    core.feed(&wire::headers(1, &[("trailers", "that end nothing")], 0));
    let frame = wire::padded_data(1, &[7; 100], 7, 0);
    million(core, 50, |_| frame.clone())
}

// Spec: threat-22, threat-19
fn million_refused() -> Verdict {
    let mut core = Core::server(boundless());
    for stream in [1, 3, 5, 7] {
        core.feed(&request_headers(stream));
    }
    million(core, 50, |n| {
        let stream = 9 + 2 * n;
        [
            request_headers(stream),
            wire::data(stream, &[7; 100], wire::END_STREAM),
        ]
        .concat()
    })
}

// Spec: threat-22, trap-reset-payload
fn million_cancelled() -> Verdict {
    let mut core = Core::client(boundless());
    let stream = core.request(0, true);
    core.feed(&wire::headers(1, HEAD, 0));
    core.conn.reset_stream(stream, h2_lite::ErrorCode::CANCEL);
    core.write();
    let frame = wire::padded_data(1, &[7; 100], 7, 0);
    million(core, 50, |_| frame.clone())
}
