//! A call's life on its connection: the request, the deadline, cancellation, loss. Spec: gRPC PROTOCOL-HTTP2.md.

use super::with_call;
use crate::endpoint::Call;
use crate::peer::{HEAD, Server};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, END_HEADERS, END_STREAM, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new("calls/a_request_is_headers_and_one_data_frame", request),
    Case::new(
        "calls/one_dropped_before_its_headers_were_sent_uses_no_identifier",
        dropped_before,
    ),
    Case::new("calls/one_dropped_later_resets_its_stream", dropped_later),
    Case::new(
        "calls/a_deadline_resets_the_stream_and_late_trailers_change_nothing",
        deadline,
    ),
    Case::new("calls/those_of_a_lost_connection_are_unavailable", lost),
    Case::new(
        "calls/a_header_section_over_the_limit_harms_its_own_call_alone",
        over_the_limit,
    ),
    Case::new(
        "calls/a_header_section_far_over_the_limit_is_calmed_down",
        far_over_the_limit,
    ),
];

// Spec: grpc-request-order, grpc-request-post, grpc-request-te, grpc-request-content-type, grpc-request-end
// Spec: manners-one-frame, h2-8.3.1-request-fields, h2-8.3.1-sends-no-host, h2-4.1-sent-zero
fn request(server: &mut Server) -> Verdict {
    server.open()?;
    server.client.call(Call::Unary(3));
    let frames = server.look();
    let [head, data] = &frames[..] else {
        return check(false, || format!("HEADERS and DATA, not {frames:?}"));
    };
    let exact = head.kind == wire::HEADERS
        && head.flags == END_HEADERS
        && data.kind == wire::DATA
        && data.flags == END_STREAM
        && data.payload == wire::message(b"uuu");
    check(exact, || format!("one HEADERS, one DATA: {frames:?}"))?;
    let names: Vec<&str> = head.fields.iter().map(|(name, _)| name.as_str()).collect();
    let order = [
        ":method",
        ":scheme",
        ":path",
        ":authority",
        "grpc-timeout",
        "te",
        "content-type",
    ];
    let mut pseudo = names[..4].to_vec();
    pseudo.sort_unstable();
    let in_order = pseudo == [":authority", ":method", ":path", ":scheme"] && names[4..7] == order[4..];
    check(in_order, || format!("the fields in order: {names:?}"))?;
    for field in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/test.Echo/Unary"),
        ("te", "trailers"),
    ] {
        let stands = |(name, value): &(String, String)| (name.as_str(), value.as_str()) == field;
        check(
            head.fields.iter().filter(|found| stands(found)).count() == 1,
            || format!("{field:?} once in {:?}", head.fields),
        )?;
    }
    Ok(())
}

// Spec: h2-5.1.1-ids-when-sent
fn dropped_before(server: &mut Server) -> Verdict {
    server.open_with(&[(3, 1)])?;
    let waiting = server.client.call(Call::Unary(3));
    server.expect_silence()?;
    server.client.cancel(waiting);
    server.expect_silence()?;
    server.expect_innocent_completes()?;
    let request = server.request(Call::Unary(3))?;
    check(request.stream == 3, || {
        format!("stream {} in place of 3", request.stream)
    })?;
    server.respond(3, b"no gap");
    server.expect_outcome(request.call, 0, b"no gap")?;
    server.expect_ignored()
}

// Spec: h2-5.1.1-dropped-after, grpc-cancel-reset, h2-5.4.2-last-frame
fn dropped_later(server: &mut Server) -> Verdict {
    for kind in [Call::Unary(3), Call::ServerStreaming, Call::Bidi] {
        let request = with_call(server, kind)?;
        server.client.cancel(request.call);
        let frames = server.look();
        let exact = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM
            && reset.stream == request.stream && reset.u32_at(0) == Some(code::CANCEL));
        check(exact, || format!("RST_STREAM(CANCEL) alone, not {frames:?}"))?;
    }
    server.expect_ignored()
}

// Spec: grpc-deadline-client-reset, grpc-deadline-client-status
fn deadline(server: &mut Server) -> Verdict {
    server.open()?;
    server.expect_innocent_completes()?;
    let request = server.request(Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.client.pass(60_000);
    let frames = server.look();
    let exact = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM
        && reset.stream == request.stream && reset.u32_at(0) == Some(code::CANCEL));
    check(exact, || format!("RST_STREAM(CANCEL) alone, not {frames:?}"))?;
    server.expect_outcome(request.call, 4, &[])?;
    server.send(&wire::data(request.stream, &wire::message(b"late"), 0));
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    server.expect_silence()?;
    server.expect_outcome(request.call, 4, &[])?;
    server.expect_alive()
}

// Spec: grpc-lost-client
fn lost(server: &mut Server) -> Verdict {
    let (silent, begun, half) = (
        with_call(server, Call::Unary(3))?,
        server.request(Call::Unary(3))?,
        server.request(Call::Unary(3))?,
    );
    server.send(&wire::headers(begun.stream, HEAD, 0));
    server.send(&wire::headers(half.stream, HEAD, 0));
    server.send(&wire::data(half.stream, &wire::message(b"all of it"), 0));
    // In the middle of a frame.
    server.send(&wire::headers(half.stream, &[("grpc-status", "0")], END_STREAM)[..12]);
    server.client.hang_up();
    for request in [silent, begun, half] {
        server.expect_outcome(request.call, 14, &[])?;
    }
    server.expect_new_connection()
}

/// A response whose header section counts so many octets beside its own fields.
fn large_section(server: &mut Server, stream: u32, octets: usize) {
    let value = "v".repeat(1_000 - 32 - 6);
    let mut fields = HEAD.to_vec();
    fields.extend(vec![("x-much", &value[..]); octets.div_ceil(1_000)]);
    let block = wire::block(&fields);
    let mut frames = Vec::new();
    let count = block.len().div_ceil(PIECE);
    for (at, piece) in block.chunks(PIECE).enumerate() {
        let last = if at + 1 == count { END_HEADERS } else { 0 };
        frames.extend(match at {
            0 => wire::frame(wire::HEADERS, last, stream, piece),
            _ => wire::continuation(stream, piece, last),
        });
    }
    server.send(&frames);
}

// Spec: grpc-header-limit, h2-4.3-always-decodes, trap-continuation-legal
fn over_the_limit(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    large_section(server, request.stream, 20_000);
    server.expect_silence()?;
    server.send(&wire::data(request.stream, &wire::message(b"large"), 0));
    server.send(&wire::headers(
        request.stream,
        &[("grpc-status", "0")],
        END_STREAM,
    ));
    // Fields over the limit are skipped, and the metadata says so; what decides the call came within it.
    server.expect_outcome(request.call, 0, b"large")?;
    server.expect_ignored()
}

// Spec: h2-5.4.1-goaway
fn far_over_the_limit(server: &mut Server) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    large_section(server, request.stream, 40_000);
    server.expect_connection_error(code::ENHANCE_YOUR_CALM)
}

/// Octets of a header block in one frame.
const PIECE: usize = 16_000;
