//! What honest peers count against us: pings, resets, small frames, window updates.

use crate::endpoint::Call;
use crate::peer::{Client, HEAD, Server};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, END_STREAM};

pub(super) const FOR_SERVERS: &[Case<Client>] = &[
    Case {
        name: "manners/a_small_reply_is_one_data_frame_and_no_frame_is_empty",
        run: one_frame,
    },
    Case {
        name: "manners/small_replies_that_are_ready_together_share_frames",
        run: replies_share_frames,
    },
    Case {
        name: "manners/keepalive_pings_a_silent_client_at_most_every_two_minutes",
        run: server_pings,
    },
    Case {
        name: "manners/window_updates_come_in_worthwhile_amounts",
        run: window_updates_of_a_server,
    },
];

pub(super) const FOR_CLIENTS: &[Case<Server>] = &[
    Case {
        name: "manners/a_small_request_is_one_data_frame",
        run: one_request_frame,
    },
    Case {
        name: "manners/no_ping_of_its_own_comes_from_a_client_idle_or_busy",
        run: client_pings,
    },
    Case {
        name: "manners/a_burst_of_cancelled_calls_stays_below_what_peers_count_as_an_attack",
        run: resets,
    },
    Case {
        name: "manners/fields_beyond_what_the_peer_takes_fail_the_call_unsent",
        run: header_list,
    },
    Case {
        name: "manners/window_updates_come_in_worthwhile_amounts",
        run: window_updates_of_a_client,
    },
];

// Spec: manners-one-frame, manners-no-empty-data
fn one_frame(client: &mut Client) -> Verdict {
    client.open()?;
    for len in [0, 1, 100, 900] {
        let content = vec![b'x'; len];
        let stream = client.next_stream();
        client.call(stream, &content);
        let answer = client.answer(stream)?;
        answer.expect_echo(&content)?;
        let whole = [wire::message(&content).len()];
        check(answer.pieces == whole, || {
            format!("{len} octets in frames of {:?}", answer.pieces)
        })?;
    }
    client.expect_alive()
}

// Spec: manners-small-messages, manners-no-empty-data
fn replies_share_frames(client: &mut Client) -> Verdict {
    client.open()?;
    let stream = client.next_stream();
    client.begin_at(stream, "/test.Echo/Stream");
    client.send(&wire::data(stream, &wire::message(&[b's'; 60]), END_STREAM));
    let answer = client.answer(stream)?;
    let replies = wire::contents(&answer.content).unwrap_or_default();
    check(replies.len() == 60, || format!("{} replies", replies.len()))?;
    // 8 octets each; the send buffer has 1,024, less what is kept for control frames.
    check(answer.pieces.len() <= 4, || {
        format!("60 small replies in frames of {:?}", answer.pieces)
    })?;
    client.expect_alive()
}

// Spec: manners-pings
fn server_pings(client: &mut Client) -> Verdict {
    client.open()?;
    client.begin(1);
    client.look();
    let mut pings = 0;
    for _ in 0..600 {
        client.server.pass(1_000);
        for frame in client.look() {
            check(frame.kind == wire::PING && frame.flags == 0, || {
                format!("{frame:?}")
            })?;
            pings += 1;
            client.send(&wire::frame(wire::PING, wire::ACK, 0, &frame.payload));
        }
    }
    check((1..=5).contains(&pings), || {
        format!("{pings} PING in ten minutes")
    })
}

// Spec: manners-window-updates
fn window_updates_of_a_server(client: &mut Client) -> Verdict {
    client.open()?;
    client.begin_at(1, "/test.Echo/Collect");
    let mut octets = 0;
    let mut updates = Vec::new();
    for _ in 0..100 {
        let message = wire::message(&[b'c'; 10]);
        octets += message.len();
        client.send(&wire::data(1, &message, 0));
        updates.extend(
            client
                .look()
                .into_iter()
                .filter(|frame| frame.kind == wire::WINDOW_UPDATE),
        );
    }
    // Half of a window each: 1,700 octets, 512 at a time.
    let bound = octets / 512 + 1;
    check(!updates.is_empty() && updates.len() <= bound, || {
        format!("{} WINDOW_UPDATE for {octets} octets: {updates:?}", updates.len())
    })
}

// Spec: manners-one-frame, manners-no-empty-data
fn one_request_frame(server: &mut Server) -> Verdict {
    server.open()?;
    for len in [0, 1, 100, 900] {
        let call = server.client.call(Call::Unary(len));
        let frames = server.look();
        let shapes: Vec<(u8, bool)> = frames
            .iter()
            .map(|frame| (frame.kind, frame.has(END_STREAM)))
            .collect();
        check(shapes == [(wire::HEADERS, false), (wire::DATA, true)], || {
            format!("{len} octets: {frames:?}")
        })?;
        server.respond(frames[0].stream, b"thanks");
        server.expect_outcome(call, 0, b"thanks")?;
    }
    server.expect_alive()
}

// Spec: manners-pings
fn client_pings(server: &mut Server) -> Verdict {
    server.open()?;
    let request = server.request(Call::Bidi)?;
    let mut seen = Vec::new();
    for minute in 0..120 {
        server.client.pass(60_000);
        seen.extend(server.look().into_iter().filter(|frame| frame.kind == wire::PING));
        check(!server.client.is_closed(), || {
            format!("closed after {minute} minutes")
        })?;
    }
    // Its deadline ended the call long ago; the connection stands, idle.
    check(seen.is_empty(), || format!("{} PING in two hours", seen.len()))?;
    check(server.client.outcome(request.call).is_some(), || {
        "the call has no deadline".to_owned()
    })
}

// Spec: manners-resets
fn resets(server: &mut Server) -> Verdict {
    server.open()?;
    server.expect_alive()?;
    let mut resets = 0;
    for _ in 0..200 {
        let call = server.client.call(Call::Unary(3));
        resets += count(server, wire::RST_STREAM);
        server.client.cancel(call);
        resets += count(server, wire::RST_STREAM);
    }
    // h2 takes 20 at once for an attack.
    check((1..20).contains(&resets), || {
        format!("{resets} RST_STREAM in a burst")
    })?;
    // Netty: 200 in 30 seconds.
    for _ in 0..300 {
        let call = server.client.call(Call::Unary(3));
        server.client.pass(100);
        resets += count(server, wire::RST_STREAM);
        server.client.cancel(call);
        resets += count(server, wire::RST_STREAM);
    }
    check(resets < 200, || format!("{resets} RST_STREAM in 30 seconds"))?;
    server.client.pass(5_000);
    server.look();
    server.expect_alive()
}

fn count(server: &mut Server, kind: u8) -> usize {
    server.look().iter().filter(|frame| frame.kind == kind).count()
}

// Spec: manners-metadata
fn header_list(server: &mut Server) -> Verdict {
    server.open()?;
    // Less than the usual request has: 7 or 8 fields, 32 octets each beside their text.
    server.send(&wire::settings(&[(MAX_HEADER_LIST_SIZE, 200)]));
    server.look();
    let call = server.client.call(Call::Unary(3));
    server.expect_silence()?;
    let outcome = server.client.outcome(call);
    let named = outcome
        .as_ref()
        .is_some_and(|outcome| outcome.code == 8 && !outcome.message.is_empty());
    check(named, || {
        format!("RESOURCE_EXHAUSTED with a text expected, not {outcome:?}")
    })?;
    server.send(&wire::settings(&[(MAX_HEADER_LIST_SIZE, 8_192)]));
    server.look();
    server.expect_alive()
}

// Spec: manners-window-updates
fn window_updates_of_a_client(server: &mut Server) -> Verdict {
    server.open()?;
    let request = server.request(Call::ServerStreaming)?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    let mut octets = 0;
    let mut updates = Vec::new();
    for _ in 0..100 {
        let message = wire::message(&[b'c'; 10]);
        octets += message.len();
        server.send(&wire::data(request.stream, &message, 0));
        updates.extend(
            server
                .look()
                .into_iter()
                .filter(|frame| frame.kind == wire::WINDOW_UPDATE),
        );
    }
    let bound = octets / 512 + 1;
    check(!updates.is_empty() && updates.len() <= bound, || {
        format!("{} WINDOW_UPDATE for {octets} octets: {updates:?}", updates.len())
    })?;
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.look();
    server.expect_alive()
}

const MAX_HEADER_LIST_SIZE: u16 = 6;
