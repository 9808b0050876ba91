//! HTTP messages: RFC 9113 sections 8.1, 8.2 and 8.3.

use h2_lite::{ErrorCode, Section, UseError};

use crate::support::frames::*;
use crate::support::{Ev, Setup, client, ok, section};

// Spec: h2-8.3.1-request-fields
#[test]
fn request_is_exactly_these_octets_8_3_1() {
    client(|s| {
        s.try_request(0, true).unwrap();
        // :method POST (index 3), :scheme http (6), :path and :authority literal with indexed names (4, 1).
        let sent = split(&s.output());
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0][3..9], [1, END_HEADERS | END_STREAM, 0, 0, 0, 1]);
        assert_eq!(sent[0][9..11], [0x83, 0x86]);
        assert_eq!(sent[0][11] & 0xf0, 0x00, "literal without indexing");
    });
}

// Spec: h2-8.3.1-request-fields, h2-8.3.1-sends-no-host, h2-8.2.1-never-generated, h2-8.2.2-never-generated
// Spec: h2-5.1.1-ids-when-sent
#[test]
fn client_never_sends_fields_that_break_the_rules_8_2_and_8_3() {
    type Pairs = &'static [(&'static str, &'static str)];
    const GOOD: [(&str, &str); 4] = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "a"),
    ];
    let wrong: [Pairs; 12] = [
        &[("Upper", "x")],
        &[("", "x")],
        &[("a b", "x")],
        &[("a", "x\r\ny: z")],
        &[("a", " x")],
        &[("connection", "close")],
        &[("te", "gzip")],
        &[("transfer-encoding", "chunked")],
        &[(":path", "/again")],
        &[(":status", "200")],
        &[(":extra", "x")],
        &[("host", "other")],
    ];
    client(|s| {
        let mut send = |fields: Vec<(&str, &str)>| s.request_of(0, &fields);
        for extra in wrong {
            assert_eq!(
                send([&GOOD[..], extra].concat()),
                Err(UseError::InvalidField),
                "{extra:?}"
            );
        }
        for missing in 0..4 {
            let mut fields = GOOD.to_vec();
            fields.remove(missing);
            assert_eq!(send(fields), Err(UseError::InvalidField));
        }
        assert_eq!(
            send([&[("a", "b")], &GOOD[..]].concat()),
            Err(UseError::InvalidField),
            "pseudo fields first"
        );
        assert_eq!(
            send([&GOOD[..], &[("te", "trailers")]].concat())
                .unwrap()
                .id
                .value(),
            1,
            "no identifier was used"
        );
    });
}

#[test]
fn request_above_the_peers_list_size_fails_before_an_id_is_taken_6_5_2() {
    Setup::client().script(|s| {
        s.handshake_with(&[(6, 100)]);
        assert!(matches!(
            s.try_request(0, true),
            Err(UseError::TooLarge { available: 100, .. })
        ));
        s.feed(&settings(&[(6, 1_000)]));
        s.events();
        assert_eq!(s.try_request(0, true).unwrap().id.value(), 1);
    });
}

// Spec: h2-8.1.1-reset, h2-8.1.1-client-refuses, h2-8.3.2-no-status, h2-8.3-repeated, h2-8.3-order, h2-8.3-direction
// Spec: h2-8.3-undefined, h2-8.2-upper-case, h2-8.2.1-name-colon, h2-8.2.1-value-bytes, h2-8.2.1-value-edges
// Spec: h2-8.2.2-connection-fields, h2-8.2.2-te
#[test]
fn malformed_responses_are_stream_errors_8_1_1() {
    let wrong: [&[(&str, &str)]; 17] = [
        &[],
        &[("a", "b")],
        &[(":status", "200"), (":status", "200")],
        &[("a", "b"), (":status", "200")],
        &[(":status", "20")],
        &[(":status", "2000")],
        &[(":status", "abc")],
        &[(":status", "200"), (":method", "GET")],
        &[(":status", "200"), (":unknown", "x")],
        &[(":status", "200"), ("Upper", "x")],
        &[(":status", "200"), ("", "x")],
        &[(":status", "200"), ("a:b", "x")],
        &[(":status", "200"), ("a", "x\n")],
        &[(":status", "200"), ("a", "x ")],
        &[(":status", "200"), ("connection", "close")],
        &[(":status", "200"), ("te", "deflate")],
        &[(":status", "200"), ("content-length", "x")],
    ];
    for fields in wrong {
        client(|s| {
            s.request(0, true);
            s.request(1, true);
            s.feed(&headers(1, &block(fields), END_HEADERS));
            s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
            assert!(s.conn.is_free(0));
            s.feed(&data(1, b"dropped", END_STREAM));
            s.feed(&headers(3, STATUS_200, END_HEADERS | END_STREAM));
            s.expect(&ok(3, true));
        });
    }
}

// Spec: h2-8.1-interim, grpc-http-1xx
#[test]
fn interim_responses_are_skipped_8_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &block(&[(":status", "100")]), END_HEADERS));
        s.feed(&headers(
            1,
            &block(&[(":status", "103"), ("link", "x")]),
            END_HEADERS,
        ));
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(1, true));
    });
}

// Spec: h2-8.1-interim-end
#[test]
fn interim_response_that_ends_the_stream_is_malformed_8_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(
            1,
            &block(&[(":status", "100")]),
            END_HEADERS | END_STREAM,
        ));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}

#[test]
fn switching_protocols_is_malformed_8_6() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &block(&[(":status", "101")]), END_HEADERS));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}

#[test]
fn data_before_the_header_section_is_malformed_8_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&data(1, b"x", 0));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &block(&[(":status", "100")]), END_HEADERS));
        s.feed(&data(1, b"x", 0));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}

// Spec: h2-8.1-late-headers
#[test]
fn trailers_without_end_stream_are_malformed_8_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&headers(1, &block(&[("grpc-status", "0")]), END_HEADERS));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}

// Spec: h2-8.3-trailers
#[test]
fn pseudo_fields_in_trailers_are_malformed_8_3() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&headers(1, STATUS_200, END_HEADERS | END_STREAM));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}

#[test]
fn trailers_may_follow_headers_without_data_8_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&headers(
            1,
            &block(&[("grpc-status", "5")]),
            END_HEADERS | END_STREAM,
        ));
        s.expect(
            &[
                ok(1, false),
                section(1, &[("grpc-status", "5")], Section::Trailers, true),
            ]
            .concat(),
        );
    });
}

// Spec: h2-8.1.1-content-length
#[test]
fn content_length_must_equal_the_data_8_1_1() {
    let with_length = |length: &str| block(&[(":status", "200"), ("content-length", length)]);
    // Too much, too little by DATA, by trailers, by HEADERS alone.
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &with_length("3"), END_HEADERS));
        s.feed(&data(1, b"ab", 0));
        s.feed(&padded_data(1, b"", 9, 0));
        s.feed(&data(1, b"", 0));
        s.events();
        s.feed(&padded_data(1, b"c", 4, END_STREAM));
        s.expect(&[Ev::Data(1, b"c".to_vec(), true)]);
    });
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &with_length("3"), END_HEADERS));
        s.feed(&data(1, b"abc", 0));
        s.events();
        s.feed(&data(1, b"d", 0));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &with_length("3"), END_HEADERS));
        s.feed(&data(1, b"ab", 0));
        s.feed(&headers(1, &block(&[("a", "b")]), END_HEADERS | END_STREAM));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &with_length("1"), END_HEADERS | END_STREAM));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &with_length("3"), END_HEADERS));
        s.events();
        s.feed(&data(1, b"", END_STREAM));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
    });
}

#[test]
fn responses_without_content_may_give_a_length_8_1_1() {
    for status in ["204", "304"] {
        client(|s| {
            s.request(0, true);
            let fields = [(":status", status), ("content-length", "42")];
            s.feed(&headers(1, &block(&fields), END_HEADERS | END_STREAM));
            s.expect(&section(1, &fields, Section::Headers, true));
        });
    }
    client(|s| {
        let head = [
            (":method", "HEAD"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "a"),
        ];
        s.request_of(0, &head).unwrap();
        let fields = [(":status", "200"), ("content-length", "42")];
        s.feed(&headers(1, &block(&fields), END_HEADERS | END_STREAM));
        s.expect(&section(1, &fields, Section::Headers, true));
    });
}

// Spec: h2-8.1.1-reset
#[test]
fn malformed_trailers_end_the_stream_once_8_1_1() {
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.expect(&ok(1, false));
        s.feed(&headers(
            1,
            &block(&[("ok", "1"), ("BAD", "1"), ("WORSE", "1")]),
            END_HEADERS | END_STREAM,
        ));
        let events = s.events();
        assert_eq!(
            events
                .iter()
                .filter(|event| matches!(event, Ev::Reset(..)))
                .count(),
            1
        );
        s.expect_frames(&[rst_stream(1, 1)]);
    });
}
