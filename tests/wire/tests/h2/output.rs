//! The send buffer: lent out, given back, never overcommitted.

use std::cell::Cell;

use h2_lite::{
    Config, Connection, EncoderEntry, ErrorCode, Event, Field, Instant, Memory, Role, Stream, UseError,
};

use crate::support::frames::*;
use crate::support::{Ev, Setup, client, request_fields};

#[test]
fn what_was_not_written_goes_out_first() {
    client(|s| {
        s.feed(&ping([1; 8]));
        s.events();
        let mut wire = Vec::new();
        let mut steps = 0;
        while let Some(transmit) = s.conn.take_transmit(s.now) {
            assert!(s.conn.take_transmit(s.now).is_none(), "it is out");
            assert!(!s.conn.wants_transmit());
            wire.push(transmit.bytes()[0]);
            s.conn.give_back(transmit, 1, s.now);
            if steps == 5 {
                s.conn.send_ping([2; 8]).unwrap();
            }
            steps += 1;
        }
        assert_eq!(wire, [ping_ack([1; 8]), ping([2; 8])].concat());
    });
}

// Spec: h2-5.1.1-ids-when-sent
#[test]
fn while_the_buffer_is_out_sending_waits_and_owed_frames_are_kept() {
    client(|s| {
        let stream = s.request(0, false);
        s.feed(&ping([1; 8]));
        let transmit = s.conn.take_transmit(s.now).unwrap();
        assert_eq!(s.conn.data_room(stream), Ok(0));
        assert_eq!(s.send_data(stream, b"x", false), Err(UseError::NoRoom));
        assert_eq!(s.try_request(1, true), Err(UseError::NoRoom));
        s.feed(&settings(&[]));
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        s.conn.send_ping([7; 8]).unwrap();
        s.expect(&[Ev::Settings]);
        let written = transmit.bytes().len();
        s.conn.give_back(transmit, written, s.now);
        s.expect_frames(&[settings_ack(), rst_stream(1, 8), ping([7; 8])]);
        assert_eq!(
            s.try_request(1, true).unwrap().id.value(),
            3,
            "the refused attempt took no identifier"
        );
    });
}

#[test]
fn data_and_headers_leave_the_last_64_octets() {
    Setup {
        send: 160,
        ..Setup::client()
    }
    .script(|s| {
        s.handshake();
        let stream = s.request(0, false);
        assert_eq!(s.conn.data_room(stream), Ok(160 - 64 - 9));
        s.send_data(stream, &[0; 80], false).unwrap();
        assert_eq!(
            s.conn.data_room(stream),
            Ok(0),
            "7 octets are left, no frame header fits"
        );
        assert_eq!(s.try_request(1, true), Err(UseError::NoRoom));
        // All control frames that may be owed at once still fit.
        s.feed(&settings(&[]));
        s.feed(&ping([1; 8]));
        s.events();
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        s.expect_frames(&[
            data(1, &[0; 80], 0),
            ping_ack([1; 8]),
            settings_ack(),
            rst_stream(1, 8),
        ]);
    });
}

// Spec: h2-5.1.1-ids-when-sent
#[test]
fn request_larger_than_the_buffer_fails_before_an_id_is_taken() {
    Setup {
        send: 200,
        ..Setup::client()
    }
    .script(|s| {
        s.handshake();
        let value = "v".repeat(200);
        let fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "a"),
            ("a", &value),
        ];
        let error = s.request_of(0, &fields);
        assert!(
            matches!(error, Err(UseError::TooLarge { available: 136, .. })),
            "{error:?}"
        );
        assert_eq!(s.try_request(0, true).unwrap().id.value(), 1);
    });
}

// Spec: h2-5.1.1-ids-when-sent, hpack-encode-whole
#[test]
fn request_without_room_changes_nothing() {
    // Whatever the size of the buffer, the octets of both requests are the same in the end.
    let wire = |send: usize, expect_wait: bool| {
        let log = Setup {
            send,
            ..Setup::client()
        }
        .script_whole(|s| {
            s.handshake();
            let mut waited = false;
            for slot in 0..4 {
                loop {
                    match s.try_request(slot, true) {
                        Ok(_) => break,
                        Err(error) => {
                            assert_eq!(error, UseError::NoRoom);
                            waited = true;
                            s.output();
                        }
                    }
                }
            }
            assert_eq!(waited, expect_wait, "{send}");
        });
        log.output
    };
    let reference = wire(4_096, false);
    for send in 140..184 {
        assert_eq!(wire(send, true), reference, "buffer of {send}");
    }
}

#[test]
fn every_send_buffer_size_answers_everything_in_the_end() {
    for send in 140..260 {
        Setup {
            send,
            ..Setup::client()
        }
        .script_whole(|s| {
            s.handshake();
            let stream = s.request(0, false);
            s.feed(
                &[
                    ping([1; 8]),
                    ping([2; 8]),
                    settings(&[]),
                    ping([3; 8]),
                    settings(&[]),
                ]
                .concat(),
            );
            while s.conn.data_room(stream).unwrap() > 0 {
                s.send_data(stream, b"x", false).unwrap();
            }
            s.conn.reset_stream(stream, ErrorCode::CANCEL);
            s.events();
            let sent = split(&s.output());
            let answers = sent.iter().filter(|frame| frame[3] == 6 || frame[3] == 4).count();
            assert_eq!(answers, 5, "{sent:?}");
            assert!(sent.contains(&rst_stream(1, 8)));
        });
    }
}

#[test]
fn buffer_out_over_a_reset_is_taken_back_empty() {
    client(|s| {
        s.conn.send_ping([1; 8]).unwrap();
        let stale = s.conn.take_transmit(s.now).unwrap();
        s.conn.reset(s.now);
        assert!(s.conn.take_transmit(s.now).is_none(), "there is no buffer");
        assert!(!s.conn.wants_transmit());
        assert_eq!(s.try_request(0, true), Err(UseError::NoRoom));
        s.conn.give_back(stale, 3, s.now);
        let sent = split(&s.output());
        assert_eq!(sent[0], PREFACE, "nothing of the old connection");
        assert_eq!(sent.len(), 2);
    });
}

#[test]
fn event_borrows_from_the_input_and_the_transmit_outlives_calls() {
    let mut streams = [Stream::new()];
    let mut send = [0; 256];
    let mut scratch = [0; 64];
    let mut entries = [EncoderEntry::new(); 2];
    let memory = Memory {
        streams: &mut streams,
        send: &mut send,
        decoder_table: &mut [],
        encoder_table: &mut entries,
        scratch: &mut scratch,
    };
    let now = Instant::from_millis(0);
    let mut conn = Connection::new(Role::Client, Config::default(), memory).unwrap();
    let transmit = conn.take_transmit(now).unwrap();
    let octets = settings(&[]);
    let mut input = &octets[..];
    assert_eq!(conn.handle_input(&mut input, now), Ok(Some(Event::Settings)));
    assert!(transmit.bytes().starts_with(PREFACE));
    let written = transmit.bytes().len();
    conn.give_back(transmit, written, now);
}

#[test]
fn nothing_is_handed_out_once_the_connection_is_given_up() {
    client(|s| {
        s.request(0, true);
        s.conn.send_ping([0; 8]).unwrap();
        let transmit = s.conn.take_transmit(s.now).unwrap();
        s.advance(20_000);
        assert!(s.conn.is_closed());
        s.conn.give_back(transmit, 3, s.now);
        assert!(!s.conn.wants_transmit());
        assert!(s.conn.take_transmit(s.now).is_none());
        s.events();
    });
}

#[test]
fn credit_that_came_to_nothing_is_no_output() {
    // Half of the window is released while the buffer is out; then the peer ends the stream.
    client(|s| {
        let stream = s.request(0, false);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&data(1, &[0; 4_000], 0));
        s.conn.send_ping([0; 8]).unwrap();
        let transmit = s.conn.take_transmit(s.now).unwrap();
        s.conn.release_capacity(stream, 4_000);
        s.feed(&data(1, b"", END_STREAM));
        let written = transmit.bytes().len();
        s.conn.give_back(transmit, written, s.now);
        assert!(!s.conn.wants_transmit());
        s.expect_frames(&[]);
        s.events();
    });
}

/// The usual fields, and one more from the third call on.
fn growing<'a, 'm: 'a>(calls: &'a Cell<u32>) -> impl Fn(&mut dyn FnMut(Field<'_, 'm>)) + 'a {
    |push| {
        request_fields(push);
        calls.set(calls.get() + 1);
        if calls.get() > 2 {
            push(Field::Literal {
                name: b"more",
                value: &[b'x'; 2_000],
            });
        }
    }
}

#[test]
fn fields_that_change_while_they_are_encoded_fail_the_connection_in_time_4_3() {
    client(|s| {
        let calls = Cell::new(0);
        let fields = growing(&calls);
        assert_eq!(
            s.conn.send_request(0, &fields, true, s.now),
            Err(UseError::Closed)
        );
        assert!(s.conn.is_free(0));
        assert!(s.conn.poll_timeout().is_some(), "its GOAWAY has a time limit");
        s.expect_frames(&[go_away(0, 2, b"")]);
        assert!(s.conn.is_closed());
    });
}
