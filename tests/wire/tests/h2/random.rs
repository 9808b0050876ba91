//! Random frames and random octets: no panic, the same events for every cut, and windows that add up.

use h2_lite::ErrorCode;
use proptest::prelude::*;

use crate::support::frames::*;
use crate::support::{Ev, Session, Setup, key, request_fields};

/// Frames that are mostly plausible for a client with streams 1 to 7.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![8 => (0_u32..5).prop_map(|n| n * 2 + 1), 1 => Just(0_u32), 1 => any::<u32>()];
    let flags = prop_oneof![4 => Just(END_HEADERS), 2 => Just(0_u8), 1 => Just(END_HEADERS | END_STREAM), 1 => any::<u8>()];
    let payload = prop_oneof![
        4 => Just(STATUS_200.to_vec()),
        2 => Just(block(&[("grpc-status", "0"), ("x", "y")])),
        2 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(Just(0_u8), 4..=4),
    ];
    prop_oneof![
        4 => (0_u8..10, flags, stream.clone(), payload).prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload)),
        2 => (stream.clone(), prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(stream, bytes)| data(stream, &bytes, 0)),
        1 => (stream.clone(), any::<u32>()).prop_map(|(stream, n)| window_update(stream, n)),
        1 => any::<[u8; 8]>().prop_map(ping),
        1 => prop::collection::vec((0_u16..8, any::<u32>()), 0..4).prop_map(|entries| settings(&entries)),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}

fn prepared(s: &mut Session<'_, '_>) {
    s.handshake();
    for slot in 0..4 {
        s.request(slot, slot % 2 == 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_frames_give_the_same_events_for_every_cut(
        frames in prop::collection::vec(any_frame(), 1..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        let octets = frames.concat();
        let script = |s: &mut Session<'_, '_>| {
            prepared(s);
            s.feed(&octets);
        };
        for setup in [Setup::client(), Setup { send: 180, scratch: 16, decoder_table: 40, slots: 4, ..Setup::client() }] {
            let whole = setup.script_whole(script);
            prop_assert_eq!(&whole, &setup.script_octets(script));
            for cut in &cuts {
                prop_assert_eq!(&whole, &setup.script_cut(cut.index(whole.input_len), script));
            }
        }
    }

    #[test]
    fn random_frames_to_a_server_give_the_same_events_for_every_cut(frames in prop::collection::vec(any_frame(), 1..12)) {
        let octets = frames.concat();
        let script = |s: &mut Session<'_, '_>| {
            s.output();
            s.feed(PREFACE);
            s.feed(&settings(&[]));
            s.feed(&settings_ack());
            s.feed(&octets);
        };
        prop_assert_eq!(Setup::server().script_whole(script), Setup::server().script_octets(script));
    }

    #[test]
    fn random_octets_never_pass_for_http2(octets in prop::collection::vec(any::<u8>(), 9..100)) {
        prop_assume!(octets[3] != 4);
        Setup::client().script_whole(|s| {
            s.output();
            s.feed(&octets);
            let events = s.events();
            assert!(matches!(events[..], [Ev::Error(ErrorCode::PROTOCOL_ERROR, _)]), "{events:?}");
        });
    }

    /// Calls of the application in any order, with a buffer of any size and writes of any length, between frames of the
    /// peer: what is sent stays within the windows, frames are never torn, slots come back.
    #[test]
    fn random_use_keeps_windows_frames_and_slots(
        send in 150_usize..400,
        window in 0_u32..300,
        steps in prop::collection::vec((0_u8..9, 0_u8..4, 0_usize..120), 1..80),
    ) {
        let log = Setup { send, ..Setup::client() }.script_whole(|s| {
            s.handshake_with(&[(4, window)]);
            let mut next = 1;
            let mut streams: [Option<u32>; 4] = [None; 4];
            for (what, slot, amount) in &steps {
                let at = usize::from(*slot);
                match (what, streams[at]) {
                    (0 | 1, None) => {
                        if s.conn.send_request(*slot, &|push| request_fields(push), false, s.now).is_ok() {
                            streams[at] = Some(next);
                            next += 2;
                        }
                    }
                    (2 | 3, Some(id)) => {
                        let room = s.conn.data_room(key(*slot, id)).unwrap();
                        let len = room.min(*amount);
                        let sent = s.send_data(key(*slot, id), &vec![7; len], len == 0 && *amount == 0);
                        match sent {
                            Ok(()) if len == 0 => streams[at] = None,
                            Ok(()) => {}
                            Err(error) => assert!(len == 0, "{error:?}"),
                        }
                    }
                    (4, Some(id)) => s.feed(&window_update(id, *amount as u32 + 1)),
                    (5, Some(id)) => {
                        s.conn.reset_stream(key(*slot, id), ErrorCode::CANCEL);
                        streams[at] = None;
                    }
                    (6, _) => s.feed(&ping([*slot; 8])),
                    (7, _) => {
                        if let Some(transmit) = s.conn.take_transmit(s.now) {
                            let written = transmit.bytes().len().min(*amount);
                            let bytes = transmit.bytes()[..written].to_vec();
                            s.conn.give_back(transmit, written, s.now);
                            s.wrote(&bytes);
                        }
                    }
                    _ => assert!(s.conn.error().is_none()),
                }
            }
        });
        // Every frame is whole, identifiers increase, DATA stays within what was granted.
        let sent = split(&log.output);
        let mut last = 0;
        let mut used = std::collections::BTreeMap::<u32, i64>::new();
        for frame in &sent {
            if frame.starts_with(PREFACE) { continue; }
            let id = u32::from_be_bytes(frame[5..9].try_into().unwrap());
            match frame[3] {
                1 => { prop_assert!(id > last); last = id; }
                0 => *used.entry(id).or_default() += frame.len() as i64 - 9,
                _ => {}
            }
        }
        for (id, octets) in used {
            let granted: i64 = steps.iter().filter(|(what, ..)| *what == 4).map(|(_, _, amount)| *amount as i64 + 1).sum();
            prop_assert!(octets <= i64::from(window) + granted, "stream {id}");
        }
    }
}
