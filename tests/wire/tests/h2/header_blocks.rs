//! Header blocks: RFC 9113 sections 4.3, 6.2, 6.10; RFC 7541.

use h2_lite::{ErrorCode, Section};

use crate::support::frames::*;
use crate::support::{Ev, Setup, client, ok, section};

// Spec: h2-6.10-received
#[test]
fn block_over_headers_and_continuation_is_one_section_6_10() {
    let fields = [(":status", "200"), ("alpha", "one"), ("beta", "two")];
    let octets = block(&fields);
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, &octets[..3], END_STREAM));
        s.feed(&continuation(1, &octets[3..17], 0));
        s.feed(&continuation(1, &[], 0));
        s.feed(&continuation(1, &octets[17..], END_HEADERS));
        s.expect(&section(1, &fields, Section::Headers, true));
        assert!(s.conn.is_free(0));
    });
}

// Spec: h2-6.10-interleaved, h2-6.10-other-stream, h2-5.5-unknown-in-block
#[test]
fn nothing_may_come_between_headers_and_continuation_6_2_and_6_10() {
    let intruders = [
        data(1, b"x", 0),
        headers(1, STATUS_200, END_HEADERS),
        headers(3, STATUS_200, END_HEADERS),
        priority(1, 0),
        rst_stream(1, 8),
        settings(&[]),
        settings_ack(),
        ping([0; 8]),
        go_away(0, 0, b""),
        window_update(0, 1),
        continuation(3, b"", END_HEADERS),
        frame(0x42, 0, 1, b""),
        frame(0x42, 0, 0, &[0; 20_000])[..9].to_vec(),
    ];
    for intruder in intruders {
        client(|s| {
            s.request(0, true);
            s.request(1, true);
            s.feed(&headers(1, STATUS_200, 0));
            s.feed(&intruder);
            s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
        });
    }
}

// Spec: h2-6.10-no-block
#[test]
fn continuation_without_a_header_block_is_protocol_error_6_10() {
    client(|s| {
        s.request(0, true);
        s.feed(&continuation(1, STATUS_200, END_HEADERS));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
    client(|s| {
        s.request(0, true);
        s.feed(&headers(1, STATUS_200, END_HEADERS));
        s.feed(&continuation(1, b"", END_HEADERS));
        s.expect_failure(ErrorCode::PROTOCOL_ERROR, 0);
    });
}

// Spec: h2-4.3-undecodable, hpack-2.3.3-index
#[test]
fn undecodable_block_is_compression_error_4_3() {
    // Huffman: EOS, padding of a whole octet, padding with zeros; an integer above 2^32, one padded with zeros for ever.
    // Index 0; beyond the tables, of a field and of the name of each kind of literal; late size update; size update above
    // our limit; cut off inside a field.
    let wrong: [&[u8]; 14] = [
        &[0x88, 0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00],
        &[0x88, 0x00, 0x82, 0x1f, 0xff, 0x00],
        &[0x88, 0x00, 0x81, 0x18, 0x00],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        &[0x80],
        &[0xff, 0x20],
        &[0x88, 0x7e, 1, b'v'],
        &[0x88, 0x0f, 0x2f, 1, b'v'],
        &[0x88, 0x1f, 0x2f, 1, b'v'],
        &[0x88, 0x20],
        &[0x3f, 0xe2, 0x01],
        &[0x88, 0x00, 0x05],
        &[0x40],
    ];
    for octets in wrong {
        client(|s| {
            s.request(0, true);
            s.feed(&headers(1, octets, END_HEADERS | END_STREAM));
            s.expect_failure(ErrorCode::COMPRESSION_ERROR, 0);
        });
    }
}

// Spec: h2-4.3-always-decodes, h2-5.1-closed-arrivals
#[test]
fn blocks_of_streams_that_are_over_keep_the_table_in_step_4_3() {
    // `x: y` enters the table in a block for a stream that we have reset, and is indexed in the next one.
    let insert = [&[0x88, 0x40, 1][..], b"x", &[1], b"y"].concat();
    client(|s| {
        let stream = s.request(0, true);
        s.request(1, true);
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        s.feed(&headers(1, &insert, END_HEADERS | END_STREAM));
        s.expect(&[]);
        s.feed(&headers(3, &[0x88, 0xbe], END_HEADERS | END_STREAM));
        s.expect(&section(
            3,
            &[(":status", "200"), ("x", "y")],
            Section::Headers,
            true,
        ));
    });
}

// Spec: h2-4.3-always-decodes
#[test]
fn malformed_block_is_decoded_to_its_end_4_3() {
    let insert = [
        &[0x88][..],
        &literal(b"Upper", b"v"),
        &[0x40, 1],
        b"x",
        &[1],
        b"y",
    ]
    .concat();
    client(|s| {
        s.request(0, true);
        s.request(1, true);
        s.feed(&headers(1, &insert[..5], END_STREAM));
        s.feed(&continuation(1, &insert[5..], END_HEADERS));
        s.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR);
        s.feed(&headers(3, &[0x88, 0xbe], END_HEADERS | END_STREAM));
        s.expect(&section(
            3,
            &[(":status", "200"), ("x", "y")],
            Section::Headers,
            true,
        ));
    });
}

#[test]
fn block_of_a_stream_reset_in_mid_section_is_silent_5_4_2() {
    client(|s| {
        let stream = s.request(0, true);
        s.feed(&headers(1, &[0x88], 0));
        s.expect(&ok(1, false)[..1]);
        s.conn.reset_stream(stream, ErrorCode::CANCEL);
        s.expect_frames(&[rst_stream(1, 8)]);
        // The slot is in use again before the old block has ended.
        s.request(0, true);
        s.feed(&continuation(
            1,
            &block(&[("a", "b"), ("Not", "valid")]),
            END_HEADERS,
        ));
        s.expect(&[]);
        s.feed(&headers(3, STATUS_200, END_HEADERS | END_STREAM));
        s.expect(&ok(3, true));
    });
}

// Spec: grpc-header-limit
#[test]
fn fields_above_the_list_size_are_skipped_and_counted_10_5_1() {
    Setup::client()
        .config(|c| c.max_header_list_size = 200)
        .script(|s| {
            s.handshake();
            s.request(0, true);
            let long = "v".repeat(150);
            let fields = block(&[(":status", "200"), ("a", "1"), ("long", &long), ("b", "2")]);
            s.feed(&headers(1, &fields, END_HEADERS | END_STREAM));
            let mut expected = section(
                1,
                &[(":status", "200"), ("a", "1"), ("b", "2")],
                Section::Headers,
                true,
            );
            *expected.last_mut().unwrap() = Ev::End {
                stream: 1,
                section: Section::Headers,
                end_stream: true,
                skipped: 1,
            };
            s.expect(&expected);
        });
}

/// Fields that were skipped count although the stream is refused for another one, and wherever the block is cut.
#[test]
fn a_list_of_far_more_than_the_limit_ends_the_connection_though_its_last_field_is_malformed_10_5_1() {
    Setup::client()
        .config(|c| c.max_header_list_size = 200)
        .script(|s| {
            s.handshake();
            s.request(0, true);
            let long = "v".repeat(150);
            let mut fields = vec![(":status", "200")];
            fields.extend([("long", &*long); 8]);
            fields.push(("", ""));
            s.feed(&headers(1, &block(&fields), END_HEADERS | END_STREAM));
            let end = Ev::Error(
                ErrorCode::ENHANCE_YOUR_CALM,
                "header block decompresses to far more than SETTINGS_MAX_HEADER_LIST_SIZE",
            );
            assert_eq!(s.events().last(), Some(&end));
        });
}

#[test]
fn fields_above_the_count_are_skipped_10_5_1() {
    Setup::client().config(|c| c.max_header_fields = 2).script(|s| {
        s.handshake();
        s.request(0, true);
        s.feed(&headers(
            1,
            &block(&[(":status", "200"), ("a", "1"), ("b", "2"), ("c", "3")]),
            END_HEADERS | END_STREAM,
        ));
        let mut expected = section(1, &[(":status", "200"), ("a", "1")], Section::Headers, true);
        *expected.last_mut().unwrap() = Ev::End {
            stream: 1,
            section: Section::Headers,
            end_stream: true,
            skipped: 2,
        };
        s.expect(&expected);
    });
}

// Spec: h2-6.5.3-bind-from-ack
#[test]
fn settings_ack_makes_our_table_size_binding_6_5_3() {
    Setup {
        decoder_table: 8_192,
        ..Setup::client()
    }
    .script(|s| {
        s.output();
        s.feed(&settings(&[]));
        s.request(0, true);
        s.request(1, true);
        s.feed(&settings_ack());
        // 8,192 as an integer with a 5-bit prefix.
        s.feed(&headers(1, &[0x3f, 0xe1, 0x3f, 0x88], END_HEADERS | END_STREAM));
        s.expect(&[vec![Ev::Settings], ok(1, true)].concat());
    });
    Setup {
        decoder_table: 8_192,
        ..Setup::client()
    }
    .script(|s| {
        s.output();
        s.feed(&settings(&[]));
        s.request(0, true);
        s.feed(&headers(1, &[0x3f, 0xe1, 0x3f, 0x88], END_HEADERS | END_STREAM));
        s.expect_failure(ErrorCode::COMPRESSION_ERROR, 0);
    });
}

#[test]
fn field_larger_than_the_scratch_is_cut_and_the_block_goes_on_10_5_1() {
    Setup {
        scratch: 32,
        ..Setup::client()
    }
    .script(|s| {
        s.handshake();
        s.request(0, true);
        let long = "v".repeat(60);
        s.feed(&headers(
            1,
            &block(&[(":status", "200"), ("long", &long), (&long, "1"), ("b", "2")]),
            END_HEADERS | END_STREAM,
        ));
        // 32 octets for name and value; a name that does not fit is no field at all.
        let fields = [(":status", "200"), ("long", &long[..28]), ("b", "2")];
        let mut expected = section(1, &fields, Section::Headers, true);
        *expected.last_mut().unwrap() = Ev::End {
            stream: 1,
            section: Section::Headers,
            end_stream: true,
            skipped: 2,
        };
        s.expect(&expected);
    });
}

#[test]
fn a_pseudo_field_that_is_cut_is_not_reported_and_a_cut_value_may_end_with_a_blank() {
    Setup {
        scratch: 32,
        ..Setup::server()
    }
    .script(|s| {
        s.accept();
        let (long, blank) = (
            "/p".repeat(30),
            format!("{}   {}", "v".repeat(25), "v".repeat(20)),
        );
        let fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", &*long),
            ("x", &blank),
        ];
        s.feed(&headers(1, &block(&fields), END_HEADERS | END_STREAM));
        let seen = [(":method", "POST"), (":scheme", "http"), ("x", &blank[..31])];
        assert!(blank[..28].ends_with(' '));
        let mut expected = section(1, &seen, Section::Headers, true);
        *expected.last_mut().unwrap() = Ev::End {
            stream: 1,
            section: Section::Headers,
            end_stream: true,
            skipped: 2,
        };
        s.expect(&expected);
    });
}

#[test]
fn block_above_its_bound_ends_at_the_same_field_for_every_cut_10_5_1() {
    Setup::client()
        .config(|c| c.budgets.header_block_size = 20)
        .script(|s| {
            s.handshake();
            s.request(0, true);
            // 1 + 15 octets are within the bound, the next field crosses it.
            let fields = block(&[("alpha", "12345678"), ("beta", "12345678")]);
            s.feed(&headers(1, &[STATUS_200, &fields[..]].concat(), END_HEADERS));
            let events = s.events();
            assert_eq!(events.len(), 3, "{events:?}");
            assert!(matches!(
                events[2],
                Ev::Error(ErrorCode::ENHANCE_YOUR_CALM, "header block too large")
            ));
        });
}
