//! The server role: which frames may come on which streams. RFC 9113 sections 5.1, 5.1.1, 5.1.2 and 5.4.2.

use h2_lite::{ErrorCode, Origin, Section};

use crate::support::frames::*;
use crate::support::{Ev, REQUEST, Session, Setup, key, section, server};

fn request(id: u32, end_stream: bool) -> Vec<u8> {
    let flags = if end_stream {
        END_HEADERS | END_STREAM
    } else {
        END_HEADERS
    };
    headers(id, &block(&REQUEST), flags)
}

/// A request that leaves `x: y` in the table.
fn inserting_request(id: u32) -> Vec<u8> {
    let octets = [&block(&REQUEST)[..], &[0x40, 1], b"x", &[1], b"y"].concat();
    headers(id, &octets, END_HEADERS | END_STREAM)
}

/// A request that refers to `x: y` is understood: the table is in step, and the connection lives.
#[track_caller]
fn expect_in_step(s: &mut Session<'_, '_>, id: u32) {
    let octets = [&block(&REQUEST)[..], &[0xbe]].concat();
    s.feed(&headers(id, &octets, END_HEADERS | END_STREAM));
    s.expect(&section(
        id,
        &[&REQUEST[..], &[("x", "y")]].concat(),
        Section::Headers,
        true,
    ));
}

// Spec: h2-8.4-push-from-client
#[test]
fn push_promise_from_a_client_is_protocol_error_8_4() {
    server(|s| {
        s.feed(&push_promise(1, 2, STATUS_200));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

// Spec: h2-5.1.1-even
#[test]
fn even_streams_are_not_a_client_s_to_open_5_1_1() {
    server(|s| {
        s.feed(&request(2, true));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

// Spec: h2-5.1.1-decreasing
#[test]
fn identifiers_must_increase_5_1_1() {
    server(|s| {
        s.feed(&request(5, true));
        s.feed(&request(3, true));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 5);
    });
}

// Spec: h2-5.1-idle, h2-6.4-idle
#[test]
fn frames_on_an_idle_stream_are_protocol_errors_5_1() {
    for id in [3, 2, 0x7fff_ffff] {
        for octets in [data(id, b"x", 0), rst_stream(id, 8), window_update(id, 1)] {
            server(|s| {
                s.feed(&request(1, true));
                s.feed(&octets);
                s.expect_failure(ErrorCode::PROTOCOL_ERROR, 1);
            });
        }
    }
}

// Spec: h2-6.3-any-state, h2-6.4-never-on-idle
#[test]
fn priority_is_taken_in_any_state_but_not_on_itself_6_3() {
    server(|s| {
        s.feed(&priority(1, 0));
        s.feed(&priority(8, 3));
        s.feed(&request(1, true));
        s.feed(&priority(1, 3));
        s.events();
        s.respond(key(0, 1), &[(":status", "200")], true).unwrap();
        s.output();
        s.feed(&priority(1, 0));
        s.feed(&priority(1, 1));
        s.expect(&[]);
        s.feed(&request(3, true));
        s.feed(&priority(3, 3));
        s.expect_stream_error(3, ErrorCode::PROTOCOL_ERROR);
        // RST_STREAM must not be sent on an idle stream (5.1), so the error is the connection's.
        s.feed(&priority(5, 5));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 3);
    });
    server(|s| {
        let depends = [&[0, 0, 0, 1, 255][..], &block(&REQUEST)].concat();
        s.feed(&headers(1, &depends, END_HEADERS | PRIORITY));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}

// Spec: h2-5.1-half-closed, h2-6.1-state
#[test]
fn data_and_headers_after_end_stream_are_stream_closed_5_1() {
    for octets in [data(1, b"x", 0), request(1, true)] {
        server(|s| {
            s.feed(&request(1, true));
            s.feed(&octets);
            s.expect_stream_error(1, ErrorCode::STREAM_CLOSED);
            s.feed(&request(3, true));
            s.expect(&section(3, &REQUEST, Section::Headers, true));
        });
    }
}

// Spec: h2-5.1.1-highest-again, h2-5.1-closed-arrivals, h2-6.1-state
#[test]
fn data_and_headers_on_a_finished_stream_are_stream_closed_for_the_connection_5_1() {
    for octets in [data(1, b"x", 0), request(1, true)] {
        server(|s| {
            s.feed(&request(1, true));
            s.events();
            s.respond(key(0, 1), &[(":status", "200")], true).unwrap();
            s.output();
            s.feed(&octets);
            s.expect_failure(ErrorCode::STREAM_CLOSED, 1);
        });
        server(|s| {
            s.feed(&request(1, false));
            s.feed(&rst_stream(1, 8));
            s.feed(&octets);
            s.expect_failure(ErrorCode::STREAM_CLOSED, 1);
        });
    }
    // A stream that was passed over is closed as well (5.1.1).
    server(|s| {
        s.feed(&request(5, true));
        s.feed(&data(3, b"x", 0));
        s.expect_failure(ErrorCode::STREAM_CLOSED, 5);
    });
}

// Spec: h2-6.9-closed, h2-6.3-any-state, h2-5.1-closed-silence
#[test]
fn window_update_rst_stream_and_priority_on_finished_streams_are_no_errors_5_1() {
    server(|s| {
        s.feed(&request(1, true));
        s.events();
        s.respond(key(0, 1), &[(":status", "200")], true).unwrap();
        s.output();
        for octets in [
            window_update(1, 5),
            window_update(1, 0),
            rst_stream(1, 8),
            rst_stream(1, 0),
            priority(1, 0),
        ] {
            s.feed(&octets);
        }
        s.expect(&[]);
        s.expect_frames(&[]);
        s.feed(&request(3, true));
        s.expect(&section(3, &REQUEST, Section::Headers, true));
    });
}

// Spec: h2-5.4.2-in-flight, h2-5.1-closed-arrivals, h2-4.3-always-decodes
#[test]
fn frames_on_streams_that_we_reset_are_dropped_5_4_2() {
    server(|s| {
        s.feed(&request(1, false));
        s.events();
        s.conn.reset_stream(key(0, 1), ErrorCode::CANCEL);
        s.expect_frames(&[rst_stream(1, 8)]);
        s.feed(&data(1, b"on its way", 0));
        s.feed(&inserting_request(1));
        s.expect(&[]);
        s.expect_frames(&[]);
        expect_in_step(s, 3);
    });
}

// Spec: h2-5.4.2-in-flight
#[test]
fn resets_that_are_forgotten_are_given_the_benefit_of_the_doubt_5_4_2() {
    server(|s| {
        // Nine resets, one more than are remembered, and a stream that ended properly.
        for id in (1..=17).step_by(2) {
            s.feed(&request(id, false));
            s.conn.reset_stream(key(0, id), ErrorCode::CANCEL);
            s.output();
        }
        s.feed(&request(19, true));
        s.events();
        s.respond(key(0, 19), &[(":status", "200")], true).unwrap();
        s.output();
        for id in (1..=17).step_by(2) {
            s.feed(&data(id, b"late", 0));
        }
        s.feed(&inserting_request(1));
        s.expect(&[]);
        s.expect_frames(&[]);
        expect_in_step(s, 21);
        s.feed(&data(19, b"late", 0));
        s.expect_failure(ErrorCode::STREAM_CLOSED, 21);
    });
}

// Spec: h2-5.1.2-excess, h2-8.7-refused-untouched, h2-4.3-always-decodes
#[test]
fn request_without_a_slot_is_refused_and_its_block_decoded_5_1_2() {
    server(|s| {
        for id in [1, 3, 5, 7] {
            s.feed(&request(id, false));
        }
        s.events();
        s.feed(&inserting_request(9));
        s.expect(&[]);
        s.expect_frames(&[rst_stream(9, 7)]);
        // Its content was under way.
        s.feed(&data(9, b"dropped", END_STREAM));
        s.expect(&[]);
        s.feed(&rst_stream(1, 8));
        s.events();
        expect_in_step(s, 11);
    });
}

// Spec: h2-5.1.2-excess
#[test]
fn streams_are_refused_before_our_settings_are_acknowledged_too_5_1_2() {
    Setup::server().script(|s| {
        s.output();
        s.feed(PREFACE);
        s.feed(&settings(&[]));
        for id in [1, 3, 5, 7, 9, 11] {
            s.feed(&request(id, true));
        }
        assert_eq!(s.events().len(), 1 + 4 * 5);
        let sent = split(&s.output());
        assert!(sent.contains(&rst_stream(9, 7)) && sent.contains(&rst_stream(11, 7)));
        assert_eq!(s.conn.error(), None);
    });
}

#[test]
fn second_refusal_waits_for_the_first_to_be_sent_5_1_2() {
    Setup::server().script_whole(|s| {
        s.accept();
        for id in [1, 3, 5, 7] {
            s.feed(&request(id, true));
        }
        s.events();
        s.conn.send_ping([1; 8]).unwrap();
        let transmit = s.conn.take_transmit(s.now).unwrap();
        s.feed(&request(9, true));
        let mut input = &request(11, true)[..];
        assert_eq!(s.conn.handle_input(&mut input, s.now), Ok(None));
        assert!(!s.conn.wants_input() && !input.is_empty());
        let written = transmit.bytes().len();
        s.conn.give_back(transmit, written, s.now);
        assert!(s.conn.wants_input());
        assert_eq!(s.conn.handle_input(&mut input, s.now), Ok(None));
        assert!(input.is_empty());
        s.expect_frames(&[rst_stream(9, 7), rst_stream(11, 7)]);
    });
}

#[test]
fn response_that_waits_for_window_keeps_its_stream_open_5_1_2() {
    Setup {
        slots: 1,
        ..Setup::server()
    }
    .script(|s| {
        s.accept();
        s.feed(&settings(&[(4, 3)]));
        s.feed(&request(1, true));
        s.events();
        let stream = key(0, 1);
        s.respond(stream, &[(":status", "200")], false).unwrap();
        assert_eq!(s.conn.data_room(stream), Ok(3));
        s.send_data(stream, b"abc", false).unwrap();
        s.output();
        s.feed(&request(3, true));
        s.expect_frames(&[rst_stream(3, 7)]);
        s.feed(&window_update(1, 2));
        s.expect(&[Ev::Window(1)]);
        s.send_data(stream, b"de", true).unwrap();
        s.expect_frames(&[data(1, b"de", END_STREAM)]);
        s.feed(&request(5, true));
        s.expect(&section(5, &REQUEST, Section::Headers, true));
    });
}

#[test]
fn reserved_slot_takes_no_stream_until_its_handler_is_gone_10_5() {
    Setup {
        slots: 2,
        ..Setup::server()
    }
    .script(|s| {
        s.accept();
        s.feed(&request(1, true));
        s.events();
        s.conn.reserve_slot(0, true);
        s.feed(&rst_stream(1, 8));
        s.events();
        assert!(s.conn.is_free(0));
        s.feed(&request(3, true));
        s.expect(&section(3, &REQUEST, Section::Headers, true));
        assert!(s.conn.is_free(0) && !s.conn.is_free(1));
        s.feed(&request(5, true));
        s.expect_frames(&[rst_stream(5, 7)]);
        s.conn.reserve_slot(0, false);
        s.feed(&request(7, true));
        s.expect(&section(7, &REQUEST, Section::Headers, true));
        assert!(!s.conn.is_free(0));
        s.conn.reserve_slot(200, true);
    });
}

// Spec: h2-6.9-counts-all
#[test]
fn data_on_a_request_that_was_refused_is_charged_and_credited_6_9() {
    Setup {
        slots: 1,
        ..Setup::server()
    }
    .script_whole(|s| {
        s.accept();
        s.feed(&request(1, false));
        s.feed(&request(3, false));
        s.events();
        s.output();
        let mut credit = 0;
        for _ in 0..10_000 {
            s.feed(&padded_data(3, &[0; 300], 10, 0));
            for frame in split(&s.output()) {
                assert_eq!(frame[3..9], [8, 0, 0, 0, 0, 0]);
                credit += u32::from_be_bytes(frame[9..].try_into().unwrap());
            }
        }
        s.expect(&[]);
        assert!(10_000 * 311 - credit < 32_768, "{credit}");
        // The innocent stream goes on.
        s.feed(&data(1, b"x", END_STREAM));
        s.expect(&[Ev::Data(1, b"x".to_vec(), true)]);
    });
}

// Spec: h2-5.1.2-excess
#[test]
fn a_slot_that_only_waits_for_its_reset_to_be_written_is_no_reason_to_refuse_5_1_2() {
    server(|s| {
        // All four slots are taken, and each of their streams is in error.
        for id in [1, 3, 5, 7] {
            s.feed(&[request(id, false), window_update(id, 0)].concat());
        }
        s.feed(&request(9, true));
        let events = s.events();
        assert!(
            events.ends_with(&section(9, &REQUEST, Section::Headers, true)),
            "{events:?}"
        );
        let resets: Vec<Vec<u8>> = [1, 3, 5, 7].map(|id| rst_stream(id, 1)).to_vec();
        s.expect_frames(&resets);
    });
}

#[test]
fn floods_against_a_server_are_ended_10_5() {
    // What one round of each attack sends, and after how many rounds it is over.
    type Round = fn(u32) -> Vec<u8>;
    let attacks: [(Round, u32); 5] = [
        // Rapid reset.
        (|id| [request(id, true), rst_stream(id, 8)].concat(), 100),
        // MadeYouReset: the reset is ours, the fault the peer's.
        (|id| [request(id, false), window_update(id, 0)].concat(), 100),
        (|id| [request(id, true), data(id, b"x", 0)].concat(), 100),
        (|id| headers(id, &block(&[("no", "path")]), END_HEADERS), 100),
        // Streams beyond the slots.
        (|id| request(id, true), 1_004),
    ];
    for (round, last) in attacks {
        Setup::server().script_whole(|s| {
            s.accept();
            for turn in 0.. {
                s.feed(&round(turn * 2 + 1));
                s.output();
                if let Some(error) = s.conn.error() {
                    assert_eq!(
                        (error.code, turn),
                        (ErrorCode::ENHANCE_YOUR_CALM, last),
                        "{error}"
                    );
                    break;
                }
            }
            s.events();
        });
    }
}

// Spec: h2-8.1-no-error-reset, h2-6.4-silence
#[test]
fn a_client_that_resets_with_no_error_has_cancelled_like_any_other_6_4() {
    server(|s| {
        s.feed(&request(1, true));
        s.events();
        s.feed(&rst_stream(1, 0));
        s.expect(&[Ev::Reset(1, ErrorCode::NO_ERROR, Origin::Peer)]);
        assert!(s.conn.is_free(0));
    });
}
