//! What a call ends with. Spec: gRPC PROTOCOL-HTTP2.md, http-grpc-status-mapping.md, statuscodes.md.

use super::with_call;
use crate::endpoint::Call;
use crate::peer::{HEAD, Server};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, END_STREAM, code};

pub(super) const CASES: &[Case<Server>] = &[
    Case::new("status/each_code_of_rst_stream_has_its_own", reset_codes),
    Case::new(
        "status/a_refused_stream_is_tried_once_more_and_then_unavailable",
        refused,
    ),
    Case::new(
        "status/unknown_codes_of_rst_stream_are_unknown",
        unknown_reset_codes,
    ),
    Case::new("status/each_http_status_has_its_own", http),
    Case::new("status/http_errors_with_content_have_the_same", http_with_content),
    Case::new("status/grpc_status_wins_over_http", grpc_wins),
    Case::new("status/each_grpc_status_is_reported", grpc),
    Case::new("status/a_grpc_status_that_is_none_is_unknown", no_grpc_status),
    Case::new("status/the_end_without_grpc_status_is_unknown", missing),
    Case::new("status/another_content_type_is_unknown", content_type),
    Case::new("status/ok_without_a_message_is_unimplemented", no_message),
    Case::new("status/a_second_message_is_unimplemented", two_messages),
    Case::new("status/a_message_cut_short_is_internal", cut_message),
    Case::new("status/a_compressed_flag_is_internal", flags),
    Case::new("status/a_message_over_the_limit_is_resource_exhausted", too_large),
];

// Spec: grpc-rst-map, grpc-rst-cancel, grpc-rst-calm, grpc-rst-security, h2-6.4-silence
fn reset_codes(server: &mut Server) -> Verdict {
    let table = [
        (code::NO_ERROR, 13),
        (code::PROTOCOL_ERROR, 13),
        (code::INTERNAL_ERROR, 13),
        (code::FLOW_CONTROL_ERROR, 13),
        (code::SETTINGS_TIMEOUT, 13),
        (code::STREAM_CLOSED, 2),
        (code::FRAME_SIZE_ERROR, 13),
        (code::CANCEL, 1),
        (code::COMPRESSION_ERROR, 13),
        (0xa, 13),
        (code::ENHANCE_YOUR_CALM, 8),
        (0xc, 7),
    ];
    reset_with(server, &table)
}

// A stream that was refused was not processed: the call is tried once more, unseen by the application.
// Spec: grpc-rst-refused
fn refused(server: &mut Server) -> Verdict {
    let refuse = |server: &mut Server, stream| server.send(&wire::rst_stream(stream, code::REFUSED_STREAM));
    let again = |server: &mut Server, stream: u32| {
        let answer = server.answer(stream + 2)?;
        let whole = answer.ended && !answer.content.is_empty();
        check(whole, || format!("no second request: {answer:?}"))
    };
    let request = with_call(server, Call::Unary(3))?;
    refuse(server, request.stream);
    again(server, request.stream)?;
    server.respond(request.stream + 2, b"second try");
    server.expect_outcome(request.call, 0, b"second try")?;
    let request = server.request(Call::Unary(3))?;
    refuse(server, request.stream);
    again(server, request.stream)?;
    refuse(server, request.stream + 2);
    server.expect_silence()?;
    server.expect_outcome(request.call, 14, &[])?;
    // What has begun may have been processed, whatever the code says.
    let request = server.request(Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    refuse(server, request.stream);
    server.expect_outcome(request.call, 14, &[])?;
    server.expect_ignored()
}

// Spec: grpc-rst-unknown, h2-7-unknown-codes
fn unknown_reset_codes(server: &mut Server) -> Verdict {
    reset_with(server, &[(0xd, 2), (0xe, 2), (0x7fff_ffff, 2), (u32::MAX, 2)])
}

/// RST_STREAM before and within a response: the call ends with the status beside the code, and nothing is said to it.
fn reset_with(server: &mut Server, table: &[(u32, u32)]) -> Verdict {
    for (code, status) in table {
        for begun in [false, true] {
            let request = with_call(server, Call::Unary(3))?;
            if begun {
                server.send(&wire::headers(request.stream, HEAD, 0));
            }
            server.send(&wire::rst_stream(request.stream, *code));
            server.expect_outcome(request.call, *status, &[])?;
            server.expect_ignored()?;
        }
    }
    Ok(())
}

const HTTP: [(&str, u32); 18] = [
    ("200", 2),
    ("204", 2),
    ("302", 2),
    ("400", 13),
    ("401", 16),
    ("402", 2),
    ("403", 7),
    ("404", 12),
    ("405", 2),
    ("408", 2),
    ("415", 2),
    ("429", 14),
    ("431", 13),
    ("500", 2),
    ("501", 2),
    ("502", 14),
    ("503", 14),
    ("504", 14),
];

// Spec: grpc-http-400, grpc-http-401, grpc-http-403, grpc-http-404, grpc-http-429-502-503-504, grpc-http-431, grpc-http-other
fn http(server: &mut Server) -> Verdict {
    for (status, code) in HTTP {
        let request = with_call(server, Call::Unary(3))?;
        server.send(&wire::headers(request.stream, &[(":status", status)], END_STREAM));
        server.expect_outcome(request.call, code, &[])?;
        server.expect_ignored()?;
    }
    Ok(())
}

// Spec: grpc-odd-status, grpc-odd-content-type
fn http_with_content(server: &mut Server) -> Verdict {
    for (status, code) in HTTP {
        let request = with_call(server, Call::Unary(3))?;
        let head = [(":status", status), ("content-type", "text/html")];
        server.send(&wire::headers(request.stream, &head, 0));
        // Trailers could still bring a grpc-status. Content cannot, and ends the call: what still comes is dropped.
        server.expect_silence()?;
        server.send(&wire::data(request.stream, b"<html>", 0));
        server.expect_outcome(request.call, code, &[])?;
        let frames = server.look();
        let exact = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM
            && reset.stream == request.stream && reset.u32_at(0) == Some(code::CANCEL));
        check(exact, || format!("RST_STREAM(CANCEL) alone, not {frames:?}"))?;
        server.send(&wire::data(request.stream, b"</html>", END_STREAM));
        server.expect_ignored()?;
        // The client spaces its resets, and calls with them.
        server.client.pass(1_000);
    }
    Ok(())
}

// Spec: grpc-status-wins, grpc-trailers-only
fn grpc_wins(server: &mut Server) -> Verdict {
    for (status, _) in HTTP {
        let request = with_call(server, Call::Unary(3))?;
        let only = [
            (":status", status),
            ("content-type", "application/grpc"),
            ("grpc-status", "5"),
        ];
        server.send(&wire::headers(request.stream, &only, END_STREAM));
        server.expect_outcome(request.call, 5, &[])?;
        server.expect_ignored()?;
    }
    Ok(())
}

// Spec: grpc-trailers-only
fn grpc(server: &mut Server) -> Verdict {
    for code in 1..=16_u32 {
        let number = code.to_string();
        for only in [false, true] {
            let request = with_call(server, Call::Unary(3))?;
            let status = ("grpc-status", &number[..]);
            if only {
                let fields = [HEAD, &[status]].concat();
                server.send(&wire::headers(request.stream, &fields, END_STREAM));
            } else {
                server.send(&wire::headers(request.stream, HEAD, 0));
                server.send(&wire::headers(request.stream, &[status], END_STREAM));
            }
            server.expect_outcome(request.call, code, &[])?;
            server.expect_ignored()?;
        }
    }
    Ok(())
}

/// A whole response that ends with these trailers, and the call with this code.
fn ends(server: &mut Server, content: &[u8], trailers: &[(&str, &str)], code: u32) -> Verdict {
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    if !content.is_empty() {
        server.send(&wire::data(request.stream, content, 0));
    }
    server.send(&wire::headers(request.stream, trailers, END_STREAM));
    server.expect_outcome(request.call, code, &[])?;
    server.look();
    server.expect_alive()
}

// Spec: grpc-bad-status, threat-32
fn no_grpc_status(server: &mut Server) -> Verdict {
    for bad in ["", "x", "-1", "0x0", "4294967296", "0 0", "99"] {
        ends(server, &wire::message(b"x"), &[("grpc-status", bad)], 2)?;
    }
    let twice = [("grpc-status", "0"), ("grpc-status", "0")];
    ends(server, &wire::message(b"x"), &twice, 2)
}

// Spec: grpc-missing-status, threat-32
fn missing(server: &mut Server) -> Verdict {
    ends(server, &wire::message(b"x"), &[("grpc-message", "fine")], 2)?;
    let request = with_call(server, Call::Unary(3))?;
    server.send(&wire::headers(request.stream, HEAD, 0));
    server.send(&wire::data(request.stream, &wire::message(b"x"), END_STREAM));
    server.expect_outcome(request.call, 2, &[])?;
    server.look();
    server.expect_alive()
}

// Spec: grpc-odd-content-type
fn content_type(server: &mut Server) -> Verdict {
    for kind in ["text/html", "application/grpc-web", "application/grpcx", ""] {
        for end in [0, END_STREAM] {
            let request = with_call(server, Call::Unary(3))?;
            let head = [(":status", "200"), ("content-type", kind)];
            server.send(&wire::headers(request.stream, &head, 0));
            server.send(&wire::data(request.stream, &wire::message(b"x"), end));
            server.expect_outcome(request.call, 2, &[])?;
            server.look();
            server.expect_alive()?;
        }
    }
    Ok(())
}

// Spec: grpc-cardinality-client-none, threat-32
fn no_message(server: &mut Server) -> Verdict {
    ends(server, &[], &[("grpc-status", "0")], 12)
}

// Spec: grpc-cardinality-client-many, threat-32
fn two_messages(server: &mut Server) -> Verdict {
    let two = [wire::message(b"x"), wire::message(b"y")].concat();
    ends(server, &two, &[("grpc-status", "0")], 12)
}

// Spec: grpc-response-cut, threat-30
fn cut_message(server: &mut Server) -> Verdict {
    let whole = wire::message(b"whole");
    (1..whole.len()).try_for_each(|at| ends(server, &whole[..at], &[("grpc-status", "0")], 13))
}

// Spec: grpc-flag-without-encoding, grpc-flag-unknown, threat-31
fn flags(server: &mut Server) -> Verdict {
    for flag in [1, 2, 0x80, 0xff] {
        let mut message = wire::message(b"x");
        message[0] = flag;
        ends(server, &message, &[("grpc-status", "0")], 13)?;
    }
    Ok(())
}

// Spec: grpc-response-too-large, threat-30
fn too_large(server: &mut Server) -> Verdict {
    for length in [0x1000_u32, 0x00ff_ffff, u32::MAX] {
        let prefix = [&[0][..], &length.to_be_bytes()].concat();
        ends(server, &prefix, &[("grpc-status", "0")], 8)?;
    }
    Ok(())
}
