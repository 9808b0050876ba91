//! What goes out, whatever it is: RFC 9113 sections 3.4, 4.1, 6.1, 6.5.2 and 6.10.

use std::collections::BTreeSet;

use h2_lite::{ErrorCode, Field, UseError};

use crate::support::frames::*;
use crate::support::{REQUEST, Session, Setup, key};

/// Windows that one connection-wide WINDOW_UPDATE takes.
fn wide(setup: Setup) -> Setup {
    Setup { slots: 1, ..setup }.config(|c| c.initial_window_size = 65_535)
}

/// Every kind of frame that both roles send, on the open stream 1 with the application's `send`.
fn everything(s: &mut Session<'_, '_>, begin: Vec<u8>) {
    let stream = key(0, 1);
    s.feed(&begin);
    for _ in 0..3 {
        s.feed(&data(1, &[0; 16_384], 0));
        s.conn.release_capacity(stream, 16_384);
    }
    s.feed(&ping([1; 8]));
    s.conn.send_ping([2; 8]).unwrap();
    s.output();
    s.send_data(stream, b"content", false).unwrap();
    s.output();
    s.conn.reset_stream(stream, ErrorCode::CANCEL);
    s.conn.go_away(ErrorCode::NO_ERROR, s.now);
    s.output();
    s.events();
}

/// Checks each frame's flags and reserved bits; the types that there were.
fn check(output: &[u8]) -> BTreeSet<u8> {
    let mut kinds = BTreeSet::new();
    for frame in split(output).into_iter().filter(|frame| frame != PREFACE) {
        let (kind, flags) = (frame[3], frame[4]);
        let allowed = match kind {
            0 => END_STREAM,
            1 => END_STREAM | END_HEADERS,
            4 | 6 => ACK,
            3 | 7 | 8 => 0,
            other => panic!("type {other} is never sent"),
        };
        assert_eq!(flags & !allowed, 0, "type {kind}");
        assert!(kind != 1 || flags & END_HEADERS != 0, "a block in one frame");
        assert_eq!(frame[5] & 0x80, 0, "reserved bit of type {kind}");
        if matches!(kind, 7 | 8) {
            assert_eq!(frame[9] & 0x80, 0, "reserved bit in the payload of type {kind}");
        }
        kinds.insert(kind);
    }
    kinds
}

// Spec: h2-4.1-sent-zero, h2-6.1-sent-padding, h2-6.10-never-sent
#[test]
fn no_undefined_flag_reserved_bit_padding_or_continuation_is_ever_sent_4_1_and_6() {
    let all = BTreeSet::from([0, 1, 3, 4, 6, 7, 8]);
    let client = wide(Setup::client()).script_whole(|s| {
        s.handshake();
        s.try_request(0, false).unwrap();
        everything(s, headers(1, STATUS_200, END_HEADERS));
    });
    assert_eq!(check(&client.output), all);
    let server = wide(Setup::server()).script_whole(|s| {
        s.accept();
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS));
        s.respond(key(0, 1), &[(":status", "200")], false).unwrap();
        everything(s, Vec::new());
    });
    assert_eq!(check(&server.output), all);
}

fn request_with_field_of<'m>(octets: &'m [u8]) -> impl Fn(&mut dyn FnMut(Field<'_, 'm>)) {
    move |push| {
        for (name, value) in REQUEST {
            push(Field::Literal {
                name: name.as_bytes(),
                value: value.as_bytes(),
            });
        }
        push(Field::Literal {
            name: b"long",
            value: octets,
        });
    }
}

// Spec: h2-6.10-never-sent, h2-4.2-sends-within
#[test]
fn block_larger_than_a_frame_is_refused_not_split_6_10() {
    const LONG: [u8; 16_384] = [b'v'; 16_384];
    Setup {
        send: 60_000,
        ..Setup::client()
    }
    .script_whole(|s| {
        s.handshake_with(&[(5, 1_000_000)]);
        let fields = request_with_field_of(&LONG);
        let error = s.conn.send_request(0, &fields, true, s.now);
        assert!(matches!(error, Err(UseError::TooLarge { .. })), "{error:?}");
        let fields = request_with_field_of(&LONG[..16_000]);
        s.conn.send_request(0, &fields, true, s.now).unwrap();
        let sent = split(&s.output());
        assert_eq!(
            (sent.len(), sent[0][3], sent[0][4]),
            (1, 1, END_HEADERS | END_STREAM)
        );
    });
}

// Spec: h2-3.4-ack-after-preface
#[test]
fn acknowledgement_follows_our_own_preface_3_4() {
    Setup::client().script(|s| {
        s.feed(&settings(&[(3, 7)]));
        s.events();
        let sent = split(&s.output());
        assert_eq!(sent[0], PREFACE);
        assert_eq!((sent[1][3], sent[1][4]), (4, 0));
        assert_eq!(sent[2..], [settings_ack()]);
    });
    Setup::server().script(|s| {
        s.feed(PREFACE);
        s.feed(&settings(&[(3, 7)]));
        s.feed(&ping([1; 8]));
        s.events();
        let sent = split(&s.output());
        assert_eq!((sent[0][3], sent[0][4]), (4, 0));
        assert_eq!(sent[1..], [ping_ack([1; 8]), settings_ack()]);
    });
}

fn indexable<'m>(push: &mut dyn FnMut(Field<'_, 'm>)) {
    for (name, value) in REQUEST {
        push(Field::Indexable {
            name: name.as_bytes(),
            value: value.as_bytes(),
        });
    }
}

// Spec: h2-6.5.2-defaults
#[test]
fn defaults_hold_until_settings_arrive_6_5_2() {
    Setup {
        send: 80_000,
        ..Setup::client()
    }
    .script_whole(|s| {
        s.output();
        let mut blocks = Vec::new();
        for slot in 0..2 {
            s.conn.send_request(slot, &indexable, false, s.now).unwrap();
            blocks.push(split(&s.output())[0][9..].to_vec());
        }
        // A table of 4,096 octets: no size update, and the second request refers to the first.
        assert_ne!(blocks[0][0] & 0xe0, 0x20);
        assert_eq!(blocks[1].len(), REQUEST.len());
        let stream = key(0, 1);
        let mut sent = 0;
        loop {
            let room = s.conn.data_room(stream).unwrap();
            assert_eq!(
                room,
                16_384.min(65_535 - sent),
                "frames of 16,384, both windows of 65,535"
            );
            if room == 0 {
                break;
            }
            s.send_data(stream, &vec![0; room], false).unwrap();
            s.output();
            sent += room;
        }
        s.feed(&settings(&[]));
        s.feed(&window_update(0, 100));
        s.events();
        assert_eq!(
            s.conn.data_room(stream),
            Ok(0),
            "the stream's window is 65,535, too"
        );
        s.feed(&window_update(1, 100));
        s.events();
        s.output();
        assert_eq!(s.conn.data_room(stream), Ok(100));
    });
}
