//! Responses as HTTP has them: sections in order, fields that may stand in them, content. Spec: RFC 9113 sections 8.1 to
//! 8.3.

use super::with_call;
use crate::endpoint::Call;
use crate::peer::{HEAD, Request, Server};
use crate::suite::{Case, Fault, Verdict, check};
use crate::wire::{self, END_HEADERS, END_STREAM, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new("response/without_status_is_malformed", no_status),
    Case::new("response/with_a_second_status_is_malformed", second_status),
    Case::new(
        "response/with_a_status_that_is_no_three_digits_is_malformed",
        odd_status,
    ),
    Case::new(
        "response/with_a_pseudo_field_of_requests_is_malformed",
        request_pseudo,
    ),
    Case::new(
        "response/with_an_unknown_pseudo_field_is_malformed",
        unknown_pseudo,
    ),
    Case::new(
        "response/with_status_after_a_regular_field_is_malformed",
        late_status,
    ),
    Case::new(
        "response/with_a_pseudo_field_in_trailers_is_malformed",
        pseudo_in_trailers,
    ),
    Case::new(
        "response/trailers_without_end_stream_are_malformed",
        trailers_without_end,
    ),
    Case::new("response/interim_ones_are_skipped", interim),
    Case::new(
        "response/an_interim_one_with_end_stream_is_malformed",
        interim_end,
    ),
    Case::new("response/status_101_is_malformed", switching_protocols),
    Case::new(
        "response/data_after_an_interim_one_is_malformed",
        data_after_interim,
    ),
    Case::new(
        "response/with_a_connection_specific_field_is_malformed",
        connection_fields,
    ),
    Case::new(
        "response/with_a_field_name_that_is_no_lower_case_token_is_malformed",
        names,
    ),
    Case::new("response/with_a_field_value_that_injects_is_malformed", values),
    Case::new(
        "response/whose_content_is_longer_than_content_length_is_malformed",
        content_longer,
    ),
    Case::new(
        "response/whose_content_is_shorter_than_content_length_is_malformed",
        content_shorter,
    ),
    Case::new(
        "response/with_two_content_lengths_that_differ_is_malformed",
        content_lengths,
    ),
    Case::new("response/with_the_right_content_length_is_good", content_right),
    Case::new(
        "response/followed_by_rst_stream_no_error_is_good",
        reset_after_end,
    ),
    Case::new(
        "response/that_ends_before_the_request_is_good_and_ends_it",
        early_end,
    ),
    Case::new(
        "response/broken_off_by_rst_stream_no_error_is_none",
        reset_before_end,
    ),
];

/// A response that begins like this is malformed, whether END_STREAM is set or not.
fn malformed(server: &mut Server, fields: &[(&str, &str)]) -> Verdict {
    for flags in [0, END_STREAM] {
        let request = with_call(server, Call::Unary(3))?;
        server.send(&wire::headers(request.stream, fields, flags));
        rejected(server, request)?;
    }
    Ok(())
}

// The reason why a call failed is the server's fault: INTERNAL.
fn rejected(server: &mut Server, request: Request) -> Verdict {
    server.expect_stream_error(request, code::PROTOCOL_ERROR, 13)
}

/// A call whose response has begun.
fn begun(server: &mut Server) -> Result<Request, Fault> {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.expect_silence()?;
    Ok(request)
}

fn good(server: &mut Server, request: Request) -> Verdict {
    server.respond(request.stream, b"good");
    server.expect_outcome(request.call, 0, b"good")?;
    server.expect_ignored()
}

// Spec: h2-8.3.2-no-status, h2-8.1.1-reset, h2-8.1.1-client-refuses
fn no_status(server: &mut Server) -> Verdict {
    malformed(
        server,
        &[("content-type", "application/grpc"), ("grpc-status", "0")],
    )
}

// Spec: h2-8.3-repeated
fn second_status(server: &mut Server) -> Verdict {
    malformed(server, &[(":status", "200"), (":status", "200")])
}

// Spec: h2-8.3.2-no-status
fn odd_status(server: &mut Server) -> Verdict {
    for status in ["", "20", "2000", "abc", "+20", "0x1", "099"] {
        malformed(server, &[(":status", status)])?;
    }
    Ok(())
}

// Spec: h2-8.3-direction
fn request_pseudo(server: &mut Server) -> Verdict {
    for name in [":path", ":method", ":scheme", ":authority"] {
        malformed(server, &[(":status", "200"), (name, "/")])?;
    }
    Ok(())
}

// Spec: h2-8.3-undefined
fn unknown_pseudo(server: &mut Server) -> Verdict {
    malformed(server, &[(":status", "200"), (":protocol", "grpc")])?;
    malformed(server, &[(":", "x"), (":status", "200")])
}

// Spec: h2-8.3-order
fn late_status(server: &mut Server) -> Verdict {
    malformed(
        server,
        &[("content-type", "application/grpc"), (":status", "200")],
    )
}

// Spec: h2-8.3-trailers
fn pseudo_in_trailers(server: &mut Server) -> Verdict {
    for name in [":status", ":path", ":unknown"] {
        let request = begun(server)?;
        server.send(&wire::data(request.stream, &wire::message(b"x"), 0));
        let trailers = [(name, "200"), ("grpc-status", "0")];
        server.send(&wire::headers(request.stream, &trailers, END_STREAM));
        rejected(server, request)?;
    }
    Ok(())
}

// Spec: h2-8.1-late-headers
fn trailers_without_end(server: &mut Server) -> Verdict {
    for fields in [&[("grpc-status", "0")][..], HEAD] {
        let request = begun(server)?;
        server.send(&wire::headers(request.stream, fields, 0));
        rejected(server, request)?;
    }
    Ok(())
}

// Spec: h2-8.1-interim, grpc-http-1xx
fn interim(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    for status in ["100", "103", "199"] {
        let fields = [(":status", status), ("grpc-status", "13"), ("link", "<x>")];
        server.send(&wire::headers(request.stream, &fields, 0));
    }
    server.expect_silence()?;
    good(server, request)
}

// Spec: h2-8.1-interim-end
fn interim_end(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let fields = [(":status", "103"), ("grpc-status", "0")];
    server.send(&wire::headers(request.stream, &fields, END_STREAM));
    rejected(server, request)
}

// Spec: h2-8.1.1-reset
fn switching_protocols(server: &mut Server) -> Verdict {
    malformed(server, &[(":status", "101")])
}

// Spec: h2-8.1.1-reset, h2-8.1-interim
fn data_after_interim(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, &[(":status", "100")], 0));
    server.send(&wire::data(request.stream, &wire::message(b"x"), 0));
    rejected(server, request)
}

// Spec: h2-8.2.2-connection-fields, h2-8.2.2-te
fn connection_fields(server: &mut Server) -> Verdict {
    for field in [
        ("connection", "close"),
        ("proxy-connection", "close"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
    ] {
        malformed(server, &[HEAD, &[field]].concat())?;
        let request = begun(server)?;
        let trailers = [("grpc-status", "0"), field];
        server.send(&wire::headers(request.stream, &trailers, END_STREAM));
        rejected(server, request)?;
    }
    Ok(())
}

/// HEAD and a field of any octets.
fn with_field(server: &mut Server, name: &[u8], value: &[u8]) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    let block = [wire::block(HEAD), wire::literal(name, value)].concat();
    server.send(&wire::frame(
        wire::HEADERS,
        END_HEADERS | END_STREAM,
        request.stream,
        &block,
    ));
    rejected(server, request)
}

// Spec: h2-8.2-upper-case, h2-8.2.1-name-bytes, h2-8.2.1-name-colon, threat-12, threat-25
fn names(server: &mut Server) -> Verdict {
    let bad: [&[u8]; 11] = [
        b"",
        b"Grpc-status",
        b"x-A",
        b"a b",
        b"a:b",
        b"a\0",
        b"a\r\nb",
        b"a\x7f",
        b"a\xc3\xa4",
        b" a",
        b"a\t",
    ];
    bad.iter().try_for_each(|name| with_field(server, name, b"v"))
}

// Spec: h2-8.2.1-value-bytes, h2-8.2.1-value-edges, threat-25
fn values(server: &mut Server) -> Verdict {
    let bad: [&[u8]; 8] = [
        b"a\0b",
        b"a\rb",
        b"a\nb",
        b"0\r\ngrpc-status: 0",
        b" a",
        b"a ",
        b"\ta",
        b"a\t",
    ];
    bad.iter()
        .try_for_each(|value| with_field(server, b"x-field", value))
}

/// A response whose content-length says `length`, with `octets` of content and good trailers.
fn with_content_length(server: &mut Server, length: &str, octets: &[u8]) -> Result<Request, Fault> {
    let request = with_call(server, Call::Unary(3))?;
    let head = [HEAD, &[("content-length", length)]].concat();
    server.send(&wire::headers(request.stream, &head, 0));
    server.expect_silence()?;
    server.send(&wire::data(request.stream, octets, 0));
    Ok(request)
}

// Spec: h2-8.1.1-content-length
fn content_longer(server: &mut Server) -> Verdict {
    for length in ["0", "1", "6"] {
        let request = with_content_length(server, length, &wire::message(b""))?;
        rejected(server, request)?;
    }
    Ok(())
}

// Spec: h2-8.1.1-content-length
fn content_shorter(server: &mut Server) -> Verdict {
    let request = with_content_length(server, "8", &wire::message(b""))?;
    server.expect_silence()?;
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    rejected(server, request)?;
    let request = with_call(server, Call::Unary(3))?;
    let only = [HEAD, &[("content-length", "1"), ("grpc-status", "5")]].concat();
    server.send(&wire::headers(request.stream, &only, END_STREAM));
    rejected(server, request)
}

// Spec: h2-8.1.1-content-length
fn content_lengths(server: &mut Server) -> Verdict {
    malformed(
        server,
        &[HEAD, &[("content-length", "7"), ("content-length", "8")]].concat(),
    )?;
    malformed(server, &[HEAD, &[("content-length", "seven")]].concat())?;
    malformed(server, &[HEAD, &[("content-length", "-1")]].concat())
}

// Spec: h2-8.1.1-content-length
fn content_right(server: &mut Server) -> Verdict {
    let message = wire::message(b"");
    let request = with_content_length(server, "7", &message[..3])?;
    server.send(&wire::padded_data(request.stream, &message[3..], 9, 0));
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_outcome(request.call, 0, b"")?;
    server.expect_ignored()
}

// Spec: h2-8.1-no-error-reset
fn reset_after_end(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.respond(request.stream, b"complete");
    server.send(&wire::rst_stream(request.stream, code::NO_ERROR));
    server.expect_outcome(request.call, 0, b"complete")?;
    server.expect_ignored()
}

// Spec: grpc-early-trailers-client, h2-8.1-no-error-reset
fn early_end(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Bidi)?;
    server.send(&wire::headers(
        request.stream,
        &[HEAD, &[("grpc-status", "9")]].concat(),
        END_STREAM,
    ));
    let frames = server.look();
    let exact = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM
        && reset.stream == request.stream && reset.u32_at(0) == Some(code::NO_ERROR));
    check(exact, || format!("RST_STREAM(NO_ERROR) alone, not {frames:?}"))?;
    server.expect_outcome(request.call, 9, &[])?;
    server.send(&wire::rst_stream(request.stream, code::NO_ERROR));
    server.expect_ignored()
}

// Spec: grpc-rst-map, h2-8.1.1-client-refuses
fn reset_before_end(server: &mut Server) -> Verdict {
    let request = begun(server)?;
    server.send(&wire::data(request.stream, &wire::message(b"almost"), 0));
    server.send(&wire::rst_stream(request.stream, code::NO_ERROR));
    server.expect_outcome(request.call, 13, &[])?;
    server.look();
    server.expect_alive()
}
