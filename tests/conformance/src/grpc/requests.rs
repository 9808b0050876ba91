//! Requests whose messages lie.

use crate::grpc::call::expect_status;
use crate::peer::{Answer, Client, request_with};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, code};

pub(super) const CASES: &[Case<Client>] = &[
    Case {
        name: "threat_30/a_length_over_the_limit_is_refused_at_its_prefix",
        run: length_over_the_limit,
    },
    Case {
        name: "threat_30/a_message_cut_anywhere_by_end_stream_is_an_internal_error",
        run: cut_anywhere,
    },
    Case {
        name: "threat_30/octets_behind_the_message_are_a_second_one_and_fail_the_call",
        run: trailing_octets,
    },
    Case {
        name: "threat_31/a_compressed_flag_without_encoding_is_an_internal_error",
        run: compressed_flag,
    },
    Case {
        name: "threat_32/two_requests_or_none_for_a_unary_method_are_unimplemented",
        run: cardinality,
    },
];

/// The answer to a call with this content, which ends it.
fn answer_to_content(client: &mut Client, content: &[u8]) -> Result<Answer, Fault> {
    let stream = client.next_stream();
    let data = wire::data(stream, content, wire::END_STREAM);
    client.send(&[wire::headers(stream, &request_with(&[]), 0), data].concat());
    client.answer(stream)
}

// Spec: threat-30
fn length_over_the_limit(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for length in [2_000_u32, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
        let stream = client.next_stream();
        let prefix = [&[0][..], &length.to_be_bytes()].concat();
        // The prefix alone: nothing of the message is waited for.
        let headers = wire::headers(stream, &request_with(&[]), 0);
        client.send(&[headers, wire::data(stream, &prefix, 0)].concat());
        let answer = client.answer(stream)?;
        let mut ended = answer.clone();
        ended.reset = None;
        expect_status(&ended, RESOURCE_EXHAUSTED, "a length over the limit")?;
        check(answer.reset == Some(code::NO_ERROR), || {
            format!("the rest of the request is not wanted: {answer:?}")
        })?;
        let text = answer.trailer("grpc-message").unwrap_or_default();
        check(text.contains("RECV"), || {
            format!("the limit is not named: {text:?}")
        })?;
    }
    client.expect_alive()
}

// Spec: threat-30
fn cut_anywhere(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let message = wire::message(b"hello");
    for end in 1..message.len() {
        let answer = answer_to_content(client, &message[..end])?;
        expect_status(&answer, INTERNAL, "a message that is cut")?;
    }
    client.expect_alive()
}

// Spec: threat-30
fn trailing_octets(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for more in 1..5 {
        let content = [wire::message(b"hello"), vec![0; more]].concat();
        let answer = answer_to_content(client, &content)?;
        expect_status(&answer, UNIMPLEMENTED, "octets behind the message")?;
    }
    client.expect_alive()
}

// Spec: threat-31
fn compressed_flag(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for flag in [1_u8, 2, 3, 127, 128, 255] {
        let mut message = wire::message(b"hello");
        message[0] = flag;
        let answer = answer_to_content(client, &message)?;
        expect_status(&answer, INTERNAL, "a flag that is not 0")?;
        let stream = client.next_stream();
        let identity = wire::headers(stream, &request_with(&[("grpc-encoding", "identity")]), 0);
        client.send(&[identity, wire::data(stream, &message, wire::END_STREAM)].concat());
        let answer = client.answer(stream)?;
        expect_status(&answer, INTERNAL, "a flag that is not 0, encoding identity")?;
    }
    client.expect_alive()
}

// Spec: threat-32
fn cardinality(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let two = [wire::message(b"one"), wire::message(b"two")].concat();
    let answer = answer_to_content(client, &two)?;
    expect_status(&answer, UNIMPLEMENTED, "two requests")?;
    let answer = answer_to_content(client, &[])?;
    expect_status(&answer, UNIMPLEMENTED, "no request")?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request_with(&[]), wire::END_STREAM));
    let answer = client.answer(stream)?;
    expect_status(&answer, UNIMPLEMENTED, "END_STREAM on HEADERS")?;
    client.expect_alive()
}

const RESOURCE_EXHAUSTED: u32 = 8;
const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;
