//! content-length, which must be what came. Spec: RFC 9113 section 8.1.1.

use crate::cases::server::kit::{UNARY, each, echoes, expect_handlers, last_data, resets};
use crate::peer::{Client, request, request_with};
use crate::suite::{Case, Verdict};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: h2-8.1.1-content-length
    Case::new("content_length/that_is_the_sum_of_the_data_is_taken", exact),
    // Spec: h2-8.1.1-content-length, h2-6.1-padded-received
    Case::new("content_length/counts_no_padding", no_padding),
    // Spec: h2-8.1.1-content-length, threat-26
    Case::new("content_length/that_differs_from_one_frame_is_malformed", one_frame),
    // Spec: h2-8.1.1-content-length, threat-26
    Case::new("content_length/that_differs_from_the_sum_of_several_frames_is_malformed", several_frames),
    // Spec: h2-8.1.1-content-length
    Case::new("content_length/above_0_without_any_data_is_malformed", no_data),
    // Spec: h2-8.1.1-content-length
    Case::new("content_length/not_reached_at_trailers_is_malformed", short_at_trailers),
    // Spec: h2-8.1.1-content-length
    Case::new("content_length/passed_resets_before_the_end_of_the_request", passed),
    // Spec: h2-8.1.1-content-length, threat-26
    Case::new("content_length/that_is_no_number_is_malformed", no_number),
    // Spec: h2-8.1.1-content-length, threat-26
    Case::new("content_length/that_contradicts_itself_is_malformed", contradiction),
    // Spec: h2-8.1.1-content-length
    Case::new("content_length/twice_the_same_is_taken", same_twice),
    // Spec: h2-8.1.1-content-length
    Case::new("content_length/of_any_size_is_taken_until_its_end", huge),
];

/// The length of the request's DATA: a message of one octet of content.
const SUM: usize = 8;

/// A request of this content-length, and these DATA frames, of which the last ends it.
fn with_length(stream: u32, length: &str, frames: &[&[u8]]) -> Vec<u8> {
    let mut octets = wire::headers(stream, &request_with(&[("content-length", length)]), 0);
    for (at, frame) in frames.iter().enumerate() {
        let end = if at + 1 == frames.len() {
            wire::END_STREAM
        } else {
            0
        };
        octets.extend(wire::data(stream, frame, end));
    }
    octets
}

fn exact(client: &mut Client) -> Verdict {
    let message = wire::message(b"x");
    assert_eq!(message.len(), SUM, "the request's DATA");
    each(
        client,
        ["8", "08", "0000000000000000000000008"],
        |client, length| echoes(client, |stream| with_length(stream, length, &[&message]), b"x"),
    )?;
    client.reconnect();
    let (first, second) = message.split_at(3);
    echoes(
        client,
        |stream| with_length(stream, "8", &[first, second, b""]),
        b"x",
    )
}

fn no_padding(client: &mut Client) -> Verdict {
    let octets = |stream| {
        let data = wire::padded_data(stream, &wire::message(b"x"), 200, wire::END_STREAM);
        [
            wire::headers(stream, &request_with(&[("content-length", "8")]), 0),
            data,
        ]
        .concat()
    };
    echoes(client, octets, b"x")
}

fn one_frame(client: &mut Client) -> Verdict {
    each(
        client,
        ["0", "1", "7", "9", "16", "18446744073709551615"],
        |client, length| {
            resets(
                client,
                |stream| with_length(stream, length, &[&wire::message(b"x")]),
                code::PROTOCOL_ERROR,
            )
        },
    )
}

fn several_frames(client: &mut Client) -> Verdict {
    let message = wire::message(b"x");
    let (first, second) = message.split_at(6);
    each(client, ["5", "6", "7", "9"], |client, length| {
        resets(
            client,
            |stream| with_length(stream, length, &[first, second]),
            code::PROTOCOL_ERROR,
        )
    })
}

fn no_data(client: &mut Client) -> Verdict {
    let fields = request_with(&[("content-length", "1")]);
    resets(
        client,
        |stream| wire::headers(stream, &fields, wire::END_STREAM),
        code::PROTOCOL_ERROR,
    )?;
    client.reconnect();
    resets(
        client,
        |stream| with_length(stream, "1", &[b""]),
        code::PROTOCOL_ERROR,
    )
}

fn short_at_trailers(client: &mut Client) -> Verdict {
    let octets = |stream| {
        [
            wire::headers(stream, &request_with(&[("content-length", "9")]), 0),
            wire::data(stream, &wire::message(b"x"), 0),
            wire::headers(stream, &[("x-trailer", "x")], wire::END_STREAM),
        ]
        .concat()
    };
    resets(client, octets, code::PROTOCOL_ERROR)?;
    client.reconnect();
    let octets = |stream| {
        [
            wire::headers(stream, &request_with(&[("content-length", "8")]), 0),
            wire::data(stream, &wire::message(b"x"), 0),
            wire::headers(stream, &[("x-trailer", "x")], wire::END_STREAM),
        ]
        .concat()
    };
    echoes(client, octets, b"x")
}

fn passed(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&wire::headers(
        stream,
        &request_with(&[("content-length", "4")]),
        0,
    ));
    client.send(&wire::data(stream, &[0; 4], 0));
    client.expect_silence()?;
    expect_handlers(client, 2)?;
    client.send(&wire::data(stream, &[0], 0));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::PROTOCOL_ERROR)
}

fn no_number(client: &mut Client) -> Verdict {
    let values = [
        "",
        "-8",
        "+8",
        "8.0",
        "0x8",
        "8 8",
        "eight",
        "8,8",
        "18446744073709551616",
    ];
    each(client, values, |client, length| {
        resets(
            client,
            |stream| with_length(stream, length, &[&wire::message(b"x")]),
            code::PROTOCOL_ERROR,
        )
    })
}

/// A request of two such fields.
fn two(stream: u32, lengths: [&str; 2]) -> Vec<u8> {
    let mut fields = request(UNARY);
    fields.extend(lengths.map(|length| ("content-length", length)));
    [wire::headers(stream, &fields, 0), last_data(stream, b"x")].concat()
}

fn contradiction(client: &mut Client) -> Verdict {
    each(client, [["8", "9"], ["9", "8"], ["0", "8"]], |client, lengths| {
        resets(client, |stream| two(stream, *lengths), code::PROTOCOL_ERROR)
    })
}

fn same_twice(client: &mut Client) -> Verdict {
    echoes(client, |stream| two(stream, ["8", "8"]), b"x")
}

fn huge(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&wire::headers(
        stream,
        &request_with(&[("content-length", "18446744073709551615")]),
        0,
    ));
    client.send(&wire::data(stream, &[0; 4], 0));
    client.expect_silence()?;
    client.send(&wire::data(stream, &[], wire::END_STREAM));
    expect_handlers(client, 1)?;
    client.expect_stream_error(stream, code::PROTOCOL_ERROR)
}
