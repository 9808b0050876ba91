//! Requests whose header section lies about the call: path, timeout, metadata, encoding.

use crate::peer::{Answer, Client, request_with};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, code};

pub(super) const CASES: &[Case<Client>] = &[
    Case {
        name: "threat_27/a_path_that_is_not_exactly_a_method_is_unimplemented",
        run: path_lies,
    },
    Case {
        name: "threat_28/odd_te_and_scheme_with_many_fields_reset_one_stream",
        run: te_and_scheme,
    },
    Case {
        name: "threat_29/broken_base64_fails_its_call_and_nothing_else",
        run: broken_base64,
    },
    Case {
        name: "threat_31/an_unknown_encoding_is_unimplemented_with_the_list_of_known_ones",
        run: unknown_encoding,
    },
    Case {
        name: "threat_33/a_timeout_that_is_none_is_an_internal_error",
        run: bad_timeouts,
    },
    Case {
        name: "threat_33/a_timeout_beyond_the_clock_saturates",
        run: huge_timeouts,
    },
];

/// The answer to a whole call with these fields in place of the usual ones, on a new stream.
pub(super) fn answer_to(client: &mut Client, more: &[(&str, &str)]) -> Result<Answer, crate::suite::Fault> {
    let stream = client.next_stream();
    let data = wire::data(stream, &wire::message(b"x"), wire::END_STREAM);
    client.send(&[wire::headers(stream, &request_with(more), 0), data].concat());
    client.answer(stream)
}

/// Trailers-Only with this status, and no reset: the request was whole.
pub(super) fn expect_status(answer: &Answer, status: u32, what: &str) -> Verdict {
    let good = answer.header(":status") == Some("200")
        && answer.trailer("grpc-status") == Some(&status.to_string())
        && answer.content.is_empty()
        && answer.ended
        && answer.reset.is_none();
    check(good, || {
        format!("{what}: status {status} expected, not {answer:?}")
    })
}

// Spec: threat-27, trap-unknown-method
fn path_lies(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for path in [
        "test.Echo/Unary",
        "//test.Echo/Unary",
        "/test.Echo/Unary/x",
        "/test.Echo/Unary/",
        "/test.Echo/unary",
        "/test.Echo",
        "/test.Echo/",
        "/Unary",
        "/",
        "*",
        "/test.Echo/Unary?x=1",
        "/test.Echo/Unary#x",
        "/test.Echo/./Unary",
        "/x/../test.Echo/Unary",
        "/test.Echo/%55nary",
        "/test%2eEcho/Unary",
        "http://test.local/test.Echo/Unary",
    ] {
        let answer = answer_to(client, &[(":path", path)])?;
        expect_status(&answer, UNIMPLEMENTED, path)?;
    }
    client.expect_alive()
}

// Spec: threat-28
fn te_and_scheme(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let many: Vec<String> = (0..200).map(|n| format!("x-{n:03}")).collect();
    let long = "v".repeat(40);
    for odd in [&[("te", "x")][..], &[(":scheme", "x"), ("te", "gzip")]] {
        let stream = client.next_stream();
        let mut fields = request_with(odd);
        fields.extend(many.iter().map(|name| (name.as_str(), long.as_str())));
        client.send(&wire::headers(stream, &fields, wire::END_STREAM));
        let answer = client.answer(stream)?;
        check(answer == reset_with(code::PROTOCOL_ERROR), || {
            format!("{odd:?}: RST_STREAM(PROTOCOL_ERROR) expected, not {answer:?}")
        })?;
    }
    // A scheme alone is no fault of HTTP/2: the call is served, and sized as it is.
    let answer = answer_to(client, &[(":scheme", "x")])?;
    answer.expect_echo(b"x")?;
    client.expect_alive()
}

fn reset_with(code: u32) -> Answer {
    Answer {
        reset: Some(code),
        ..Answer::default()
    }
}

// Spec: threat-29
fn broken_base64(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for value in [
        "!", "a", "ab=c", "====", "YWJj=", "YW Jj", "YWJj,!", "\u{e4}", "YR",
    ] {
        let answer = answer_to(client, &[("x-bin", value)])?;
        expect_status(&answer, INTERNAL, value)?;
    }
    for value in ["", "YQ", "YQ==", "YWJj", "YQ,YWJj", "+/+/"] {
        answer_to(client, &[("x-bin", value)])?.expect_echo(b"x")?;
    }
    client.expect_alive()
}

// Spec: threat-31
fn unknown_encoding(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for encoding in ["gzip", "x-made-up", "identity, gzip"] {
        let answer = answer_to(client, &[("grpc-encoding", encoding)])?;
        expect_status(&answer, UNIMPLEMENTED, encoding)?;
        let list = answer.header("grpc-accept-encoding").unwrap_or_default();
        check(list == "identity", || {
            format!("the list of known encodings is {list:?}")
        })?;
    }
    answer_to(client, &[("grpc-encoding", "identity")])?.expect_echo(b"x")?;
    client.expect_alive()
}

// Spec: threat-33
fn bad_timeouts(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for timeout in [
        "S",
        "1",
        "-1S",
        "+1S",
        "1x",
        "1s",
        "123456789S",
        "1 S",
        "1SS",
        "1.5S",
        "0x1S",
        "S1",
        "\u{661}S",
    ] {
        let answer = answer_to(client, &[("grpc-timeout", timeout)])?;
        expect_status(&answer, INTERNAL, timeout)?;
    }
    // An empty value, too.
    let answer = answer_to(client, &[("grpc-timeout", "")])?;
    expect_status(&answer, INTERNAL, "an empty timeout")?;
    client.expect_alive()
}

// Spec: threat-33
fn huge_timeouts(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for timeout in ["99999999H", "99999999M", "99999999S", "99999999m", "00000001H"] {
        answer_to(client, &[("grpc-timeout", timeout)])?.expect_echo(b"x")?;
    }
    client.expect_alive()
}

const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;
