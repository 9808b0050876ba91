//! The server role: requests in, responses out. RFC 9113 sections 3.4, 5.1, 6.5, 8.1 and 8.3.

use h2_lite::{Config, ConfigError, Connection, ErrorCode, Field, Memory, Role, Section, Stream, UseError};

use crate::support::frames::*;
use crate::support::{Ev, REQUEST, Setup, key, section, server};

// Spec: h2-3.3-prior-knowledge, h2-3.4-server-preface, h2-6.5.2-server-push-setting, h2-4.3.1-server-table
// Spec: grpc-header-limit-told
#[test]
fn server_speaks_first_with_settings_3_4() {
    Setup::server().script(|s| {
        let ours = settings(&[(1, 4_096), (3, 4), (4, 4_096), (6, 8_192)]);
        s.expect_frames(&[ours]);
    });
}

// Spec: h2-3.3-prior-knowledge, h2-3.4-wrong-preface
#[test]
fn wrong_preface_is_protocol_error_3_4() {
    let mut wrong = vec![b"GET / HTTP/1.1\r\n\r\n".to_vec()];
    for at in 0..PREFACE.len() {
        let mut preface = PREFACE.to_vec();
        preface[at] ^= 0x20;
        wrong.push(preface);
    }
    for text in wrong {
        Setup::server().script(|s| {
            s.output();
            s.feed(&text);
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
}

// Spec: h2-3.4-first-frame
#[test]
fn first_frame_after_the_preface_must_be_settings_3_4() {
    for other in [
        ping([1; 8]),
        settings_ack(),
        headers(1, &block(&REQUEST), END_HEADERS),
    ] {
        Setup::server().script(|s| {
            s.output();
            s.feed(PREFACE);
            s.feed(&other);
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
}

#[test]
fn slow_preface_and_missing_acknowledgement_time_out_3_4_and_6_5_3() {
    for octets in [&PREFACE[..20], PREFACE, &[PREFACE, &settings(&[])].concat()] {
        Setup::server().script_whole(|s| {
            s.output();
            for octet in octets {
                s.feed(&[*octet]);
                s.advance(100);
            }
            s.output();
            s.advance(10_000);
            s.feed(&[0]);
            s.expect_failure(ErrorCode::SETTINGS_TIMEOUT, 0);
        });
    }
}

// Spec: h2-6.5.2-enable-push-value
#[test]
fn client_may_refuse_or_allow_push_6_5_2() {
    server(|s| {
        s.feed(&settings(&[(2, 0), (2, 1)]));
        s.expect(&[Ev::Settings]);
        s.feed(&settings(&[(2, 2)]));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

#[test]
fn request_and_response_free_the_slot_8_1() {
    server(|s| {
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS | END_STREAM));
        s.expect(&section(1, &REQUEST, Section::Headers, true));
        let stream = key(0, 1);
        s.respond(stream, &[(":status", "200")], false).unwrap();
        s.send_data(stream, b"body", false).unwrap();
        s.trailers(stream, &[("grpc-status", "0")]).unwrap();
        assert!(s.conn.is_free(0));
        let sent = split(&s.output());
        assert_eq!(sent[0], headers(1, STATUS_200, END_HEADERS));
        assert_eq!(sent[1], data(1, b"body", 0));
        assert_eq!(sent[2][3..9], [1, END_HEADERS | END_STREAM, 0, 0, 0, 1]);
        assert_eq!(s.conn.can_open(), Err(UseError::WrongState));
    });
}

// Spec: h2-6.1-padded-received, h2-8.1.1-content-length
#[test]
fn request_with_content_and_trailers_8_1() {
    server(|s| {
        let fields = [&REQUEST[..], &[("content-length", "5")]].concat();
        s.feed(&headers(1, &block(&fields), END_HEADERS));
        s.feed(&data(1, b"he", 0));
        s.feed(&padded_data(1, b"llo", 3, 0));
        s.feed(&headers(1, &block(&[("sum", "1")]), END_HEADERS | END_STREAM));
        let mut expected = section(1, &fields, Section::Headers, false);
        expected.push(Ev::Data(1, b"hello".to_vec(), false));
        expected.extend(section(1, &[("sum", "1")], Section::Trailers, true));
        s.expect(&expected);
    });
}

// Spec: h2-8.1.1-reset, h2-8.3.1-missing, h2-8.3.1-empty-path, h2-8.3-repeated, h2-8.3-order, h2-8.3-direction
// Spec: h2-8.3-undefined, h2-8.3.1-host-repeated, h2-8.2.2-connection-fields, h2-8.2.2-te, h2-8.2-upper-case
// Spec: h2-8.2.1-value-bytes
#[test]
fn malformed_requests_are_stream_errors_8_1_1() {
    let without = |name: &str| -> Vec<(&str, &str)> {
        REQUEST.iter().copied().filter(|field| field.0 != name).collect()
    };
    let with = |more: &[(&'static str, &'static str)]| [&REQUEST[..], more].concat();
    let wrong = [
        without(":method"),
        without(":scheme"),
        without(":path"),
        [&[(":path", "")], &without(":path")[..]].concat(),
        [&[(":method", "")], &without(":method")[..]].concat(),
        with(&[(":path", "/again")]),
        with(&[(":method", "POST")]),
        with(&[(":authority", "b")]),
        with(&[("a", "b"), (":late", "x")]),
        with(&[(":status", "200")]),
        with(&[(":unknown", "x")]),
        with(&[("host", "a"), ("host", "a")]),
        with(&[("connection", "close")]),
        with(&[("transfer-encoding", "chunked")]),
        with(&[("te", "gzip")]),
        with(&[("Upper", "x")]),
        with(&[("", "x")]),
        with(&[("a", "x\r\ny: z")]),
        with(&[("content-length", "-1")]),
    ];
    for fields in wrong {
        server(|s| {
            s.feed(&headers(1, &block(&fields), END_HEADERS));
            s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
            assert!(s.conn.is_free(0));
            s.feed(&headers(3, &block(&REQUEST), END_HEADERS | END_STREAM));
            s.expect(&section(3, &REQUEST, Section::Headers, true));
        });
    }
}

// Spec: h2-8.3.1-host-for-authority, h2-8.3.1-host-discarded
#[test]
fn host_counts_only_without_authority_8_3_1() {
    server(|s| {
        let host = ("host", "b");
        s.feed(&headers(
            1,
            &block(&[&REQUEST[..], &[host]].concat()),
            END_HEADERS | END_STREAM,
        ));
        s.expect(&section(1, &REQUEST, Section::Headers, true));
        let instead = [&REQUEST[..3], &[host]].concat();
        s.feed(&headers(3, &block(&instead), END_HEADERS | END_STREAM));
        s.expect(&section(3, &instead, Section::Headers, true));
    });
}

// Spec: h2-8.1-second-headers, h2-8.3-trailers
#[test]
fn second_headers_without_end_stream_are_malformed_8_1() {
    server(|s| {
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS));
        s.feed(&headers(1, &block(&[("a", "b")]), END_HEADERS));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
    server(|s| {
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS));
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS | END_STREAM));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}

// Spec: h2-8.1.1-content-length
#[test]
fn content_length_of_a_request_must_equal_its_data_8_1_1() {
    for octets in [
        data(1, b"abcd", 0),
        data(1, b"ab", END_STREAM),
        headers(1, &block(&[("a", "b")]), END_HEADERS | END_STREAM),
    ] {
        server(|s| {
            let fields = [&REQUEST[..], &[("content-length", "3")]].concat();
            s.feed(&headers(1, &block(&fields), END_HEADERS));
            s.feed(&octets);
            s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
        });
    }
}

#[test]
fn request_above_the_limits_is_the_application_s_to_answer_10_5_1() {
    let long = format!("/{}", "p".repeat(600));
    let fields = [(":method", "GET"), (":path", &long), (":scheme", "http")];
    server(|s| {
        s.feed(&headers(1, &block(&fields), END_HEADERS | END_STREAM));
        let mut expected = section(1, &[fields[0], fields[2]], Section::Headers, true);
        if let Some(Ev::End { skipped, .. }) = expected.last_mut() {
            *skipped = 1;
        }
        s.expect(&expected);
        s.respond(key(0, 1), &[(":status", "431")], true).unwrap();
        assert!(s.conn.is_free(0));
    });
}

// Spec: h2-8.2.1-never-generated
#[test]
fn response_is_interim_sections_headers_data_trailers_8_1() {
    server(|s| {
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS | END_STREAM));
        s.events();
        let stream = key(0, 1);
        assert_eq!(s.send_data(stream, b"x", false), Err(UseError::WrongState));
        assert_eq!(s.conn.data_room(stream), Err(UseError::WrongState));
        assert_eq!(s.trailers(stream, &[("a", "b")]), Err(UseError::WrongState));
        let interim = [(":status", "103")];
        assert_eq!(s.respond(stream, &interim, true), Err(UseError::InvalidField));
        s.respond(stream, &interim, false).unwrap();
        assert_eq!(s.send_data(stream, b"", true), Err(UseError::WrongState));
        for wrong in [&[("a", "b")][..], &[(":status", "200"), (":path", "/")]] {
            assert_eq!(s.respond(stream, wrong, true), Err(UseError::InvalidField));
        }
        s.respond(stream, &[(":status", "200")], false).unwrap();
        assert_eq!(s.respond(stream, &interim, false), Err(UseError::WrongState));
        assert_eq!(
            s.trailers(stream, &[(":status", "200")]),
            Err(UseError::InvalidField)
        );
        s.send_data(stream, b"x", true).unwrap();
        assert_eq!(s.trailers(stream, &[("a", "b")]), Err(UseError::WrongState));
        let kinds: Vec<_> = split(&s.output())
            .iter()
            .map(|frame| (frame[3], frame[4]))
            .collect();
        assert_eq!(kinds, [(1, END_HEADERS), (1, END_HEADERS), (0, END_STREAM)]);
    });
}

// Spec: h2-5.4.2-last-frame, h2-5.4.2-in-flight
#[test]
fn early_response_is_followed_by_reset_with_no_error_8_1() {
    server(|s| {
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS));
        s.feed(&data(1, b"half", 0));
        s.events();
        let stream = key(0, 1);
        s.respond(stream, &[(":status", "415")], true).unwrap();
        assert!(!s.conn.is_free(0), "the client may still send");
        s.conn.reset_stream(stream, ErrorCode::NO_ERROR);
        assert!(s.conn.is_free(0));
        let sent = split(&s.output());
        assert_eq!(sent.last(), Some(&rst_stream(1, 0)));
        // What was on its way is dropped, without a word.
        s.feed(&data(1, b"the rest", 0));
        s.feed(&headers(1, &block(&[("a", "b")]), END_HEADERS | END_STREAM));
        s.expect(&[]);
        s.expect_frames(&[]);
        s.feed(&headers(3, &block(&REQUEST), END_HEADERS | END_STREAM));
        s.expect(&section(3, &REQUEST, Section::Headers, true));
    });
}

fn response<'m>(push: &mut dyn FnMut(Field<'_, 'm>)) {
    for (name, value) in [(":status", "200"), ("content-type", "application/grpc")] {
        push(Field::Indexable {
            name: name.as_bytes(),
            value: value.as_bytes(),
        });
    }
}

// Spec: h2-4.3.1-first-response
#[test]
fn first_response_obeys_the_client_s_table_size_4_3_1() {
    Setup::server().script(|s| {
        s.output();
        let opening = [PREFACE, &settings(&[(1, 0)])[..]].concat();
        s.feed(&opening);
        for id in [1, 3] {
            s.feed(&headers(id, &block(&REQUEST), END_HEADERS | END_STREAM));
        }
        s.events();
        for slot in 0..2 {
            let stream = key(slot, u32::from(slot) * 2 + 1);
            s.conn.send_response(stream, &response, true, s.now).unwrap();
        }
        let sent = split(&s.output());
        assert_eq!(sent[0], settings_ack());
        assert_eq!(sent[1][9..11], [0x20, 0x88], "size update to 0, then the field");
        assert_eq!(sent[2][9], 0x88);
        assert_eq!(
            sent[1][10..],
            sent[2][9..],
            "the second response has nothing to refer to"
        );
    });
}

// Spec: h2-4.3.1-server-table, hpack-server-real-table
#[test]
fn table_of_4096_octets_serves_before_and_after_the_acknowledgement_6_5_2() {
    // The client's first block may fill the default table before it reads our SETTINGS.
    let value = "v".repeat(200);
    let insert = |name: &str| [&[0x40, 1][..], name.as_bytes(), &[0x7f, 73], value.as_bytes()].concat();
    let names: Vec<String> = ('a'..='q').map(String::from).collect();
    Setup::server().script(|s| {
        s.output();
        s.feed(PREFACE);
        s.feed(&settings(&[]));
        let mut first = block(&REQUEST);
        names.iter().for_each(|name| first.extend(insert(name)));
        s.feed(&headers(1, &first, END_HEADERS | END_STREAM));
        s.events();
        s.feed(&settings_ack());
        // 17 entries of 233 octets: the oldest is index 62 + 16.
        let second = [&block(&REQUEST)[..], &[0x80 | 78]].concat();
        s.feed(&headers(3, &second, END_HEADERS | END_STREAM));
        let expected = [&REQUEST[..], &[("a", &value)]].concat();
        s.expect(&section(3, &expected, Section::Headers, true));
    });
    let mut streams = [Stream::new()];
    let memory = Memory {
        streams: &mut streams,
        send: &mut [0; 256],
        decoder_table: &mut [0; 4_095],
        encoder_table: &mut [],
        scratch: &mut [],
    };
    let error = Connection::new(Role::Server, Config::default(), memory).map(|_| ());
    assert!(
        matches!(
            error,
            Err(ConfigError {
                limit: "decoder table",
                needed: 4_096,
                ..
            })
        ),
        "{error:?}"
    );
}

// Spec: h2-6.9.3-before-ack, h2-6.5.3-bind-from-ack, h2-6.9.2-own-windows
#[test]
fn client_may_use_the_default_window_before_it_acknowledges_6_9_3() {
    Setup::server().script_octets(|s| {
        s.output();
        s.feed(PREFACE);
        s.feed(&settings(&[]));
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS));
        s.events();
        s.feed(&data(1, &[0; 10_000], 0));
        assert_eq!(s.events().len(), 1);
        assert!(!s.conn.settings_acknowledged());
        // The acknowledgement shifts the window to 4,096 - 10,000: nothing more may come.
        s.feed(&settings_ack());
        assert!(s.conn.settings_acknowledged());
        s.feed(&data(1, &[0; 1], 0));
        s.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR);
    });
}

// Spec: h2-6.9.2-own-windows
#[test]
fn window_below_zero_at_the_acknowledgement_comes_back_with_consumption_6_9_2() {
    Setup::server().script_whole(|s| {
        s.output();
        s.feed(PREFACE);
        s.feed(&settings(&[]));
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS));
        s.feed(&data(1, &[0; 10_000], 0));
        s.feed(&settings_ack());
        s.output();
        s.conn.release_capacity(key(0, 1), 10_000);
        s.expect_frames(&[window_update(1, 10_000)]);
        s.feed(&data(1, &[0; 4_096], 0));
        s.events();
        assert_eq!(s.conn.error(), None);
        s.feed(&data(1, &[0; 1], 0));
        s.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR);
    });
}

// Spec: h2-6.9.3-before-ack
#[test]
fn connection_credit_waits_for_the_acknowledgement_6_9_3() {
    Setup::server().script_whole(|s| {
        s.output();
        s.feed(PREFACE);
        s.feed(&settings(&[]));
        s.feed(&headers(1, &block(&REQUEST), END_HEADERS));
        for _ in 0..3 {
            s.feed(&data(1, &[0; 16_384], 0));
            s.conn.release_capacity(key(0, 1), 16_384);
        }
        s.feed(&data(1, &[0; 16_383], 0));
        let sent = split(&s.output());
        assert!(
            sent.iter().all(|frame| frame[3] != 8 || frame[5..9] != [0; 4]),
            "{sent:?}"
        );
        assert!(!s.conn.wants_transmit());
        s.feed(&settings_ack());
        let sent = split(&s.output());
        assert_eq!(sent[0], window_update(0, 65_535));
        s.events();
        assert_eq!(s.conn.error(), None);
    });
}
