//! Requests that are answered and not served: no gRPC, or no such call. Each is one stream's matter, and an answer.
//!
//! Spec: gRPC `PROTOCOL-HTTP2.md`; RFC 9113 section 8.1.

use crate::cases::server::kit::{
    UNARY, WAIT, each, expect, expect_handlers, expect_trailers_only, headers_of, is_reset, last_data,
};
use crate::peer::{Answer, Client, request, request_with};
use crate::suite::{Case, Verdict, check};
use crate::wire::{self, code};

#[rustfmt::skip]
pub(super) const CASES: &[Case<Client>] = &[
    // Spec: grpc-method-405
    Case::new("answers/get_is_405_and_says_what_is_allowed", get),
    // Spec: grpc-method-405
    Case::new("answers/head_is_405_without_content", head),
    // Spec: grpc-method-405
    Case::new("answers/any_method_but_post_is_405", other_methods),
    // Spec: grpc-content-type-415
    Case::new("answers/post_of_another_content_type_is_415", other_types),
    // Spec: grpc-content-type-415, grpc-content-type-web
    Case::new("answers/what_only_begins_like_grpc_is_415", similar_types),
    // Spec: grpc-content-type-suffix
    Case::new("answers/grpc_may_be_followed_by_plus_and_semicolon", suffixes),
    // Spec: grpc-content-type-415, h2-6.9-counts-all
    Case::new("answers/the_content_of_what_is_not_grpc_is_read_over", content_read_over),
    // Spec: grpc-early-trailers-server
    Case::new("answers/a_client_that_does_not_end_what_is_not_grpc_is_told_to_stop_after_a_second", told_to_stop),
    // Spec: grpc-path-unknown, grpc-trailers-only, trap-unknown-method
    Case::new("answers/an_unknown_method_is_unimplemented", unknown_method),
    // Spec: grpc-path-unknown, threat-27
    Case::new("answers/a_path_that_is_not_exactly_a_methods_is_unimplemented", lying_paths),
    // Spec: grpc-early-trailers-server, h2-5.4.2-last-frame
    Case::new("answers/trailers_before_the_end_of_the_request_are_followed_by_no_error", early_trailers),
    // Spec: grpc-encoding-server
    Case::new("answers/an_unknown_encoding_is_unimplemented_and_says_what_is_known", unknown_encoding),
    // Spec: grpc-timeout-malformed, grpc-timeout-format, threat-33
    Case::new("answers/a_malformed_timeout_is_internal", malformed_timeout),
    // Spec: grpc-bin-malformed, threat-29
    Case::new("answers/a_binary_field_that_is_no_base64_fails_its_call_alone", malformed_base64),
    // Spec: grpc-header-limit
    Case::new("answers/a_path_larger_than_any_limit_is_431", large_path),
];

/// A request that ends with its header section.
fn ask(client: &mut Client, fields: &[(&str, &str)]) -> Result<Answer, crate::suite::Fault> {
    let stream = client.next_stream();
    let handlers = client.server.handlers();
    client.send(&wire::headers(stream, fields, wire::END_STREAM));
    expect_handlers(client, handlers)?;
    client.answer(stream)
}

/// An answer of HTTP: this status, a text unless `silent`, and its end.
fn expect_http(answer: &Answer, status: &str, silent: bool) -> Verdict {
    let good = answer.header(":status") == Some(status)
        && answer.header("grpc-status").is_none()
        && answer.header("content-type") == Some("text/plain")
        && (answer.header("allow") == Some("POST")) == (status == "405")
        && answer.content.is_empty() == silent
        && answer.trailers.is_empty()
        && answer.ended
        && answer.reset.is_none();
    check(good, || format!("{status} expected, not {answer:?}"))
}

fn get(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let plain = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "test.local"),
    ];
    expect_http(&ask(client, &plain)?, "405", false)?;
    expect_http(&ask(client, &request_with(&[(":method", "GET")]))?, "405", false)?;
    client.expect_alive()
}

fn head(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    expect_http(&ask(client, &request_with(&[(":method", "HEAD")]))?, "405", true)?;
    client.expect_alive()
}

fn other_methods(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for method in [
        "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "post", "POSTER", "PRI",
    ] {
        expect_http(&ask(client, &request_with(&[(":method", method)]))?, "405", false)?;
    }
    client.expect_alive()
}

fn other_types(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for content_type in ["", "text/plain", "application/json", "Application/grpc"] {
        expect_http(
            &ask(client, &request_with(&[("content-type", content_type)]))?,
            "415",
            false,
        )?;
    }
    // None at all.
    expect_http(&ask(client, &request(UNARY)[..5])?, "415", false)?;
    client.expect_alive()
}

fn similar_types(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for content_type in [
        "application/grpc-web",
        "application/grpc-web+proto",
        "application/grpcx",
        "application/grp",
    ] {
        expect_http(
            &ask(client, &request_with(&[("content-type", content_type)]))?,
            "415",
            false,
        )?;
    }
    client.expect_alive()
}

fn suffixes(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for content_type in [
        "application/grpc+proto",
        "application/grpc+json",
        "application/grpc;charset=utf-8",
    ] {
        let stream = client.next_stream();
        let fields = request_with(&[("content-type", content_type)]);
        client.send(&[wire::headers(stream, &fields, 0), last_data(stream, b"suffix")].concat());
        client.answer(stream)?.expect_echo(b"suffix")?;
    }
    client.expect_alive()
}

fn content_read_over(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for method in ["PUT", "POST"] {
        let stream = client.next_stream();
        client.send(&wire::headers(
            stream,
            &request_with(&[(":method", method), ("content-type", "text/plain")]),
            0,
        ));
        expect_http(
            &client.answer(stream)?,
            if method == "PUT" { "405" } else { "415" },
            false,
        )?;
        for end in [0, 0, 0, 0, wire::END_STREAM] {
            client.send(&wire::data(stream, &[0; 500], end));
            let frames = client.look();
            let credit = frames.iter().all(|frame| frame.kind == wire::WINDOW_UPDATE);
            expect(&frames, credit, "nothing but credit")?;
        }
    }
    // It is over: the client ended it, and nothing is owed.
    client.server.pass(2_000);
    client.expect_ignored()
}

fn told_to_stop(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request_with(&[(":method", "GET")]), 0));
    expect_http(&client.answer(stream)?, "405", false)?;
    client.server.pass(999);
    client.expect_silence()?;
    client.server.pass(1);
    let frames = client.look();
    let reset = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM && reset.stream == stream);
    expect(&frames, reset, "RST_STREAM alone")?;
    client.send(&wire::data(stream, &[0; 100], wire::END_STREAM));
    client.expect_ignored()
}

fn unknown_method(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let answer = ask(client, &request("/test.Echo/Nothing"))?;
    expect_trailers_only(&answer, "12")?;
    check(answer.reset.is_none(), || {
        format!("no reset expected: {answer:?}")
    })?;
    // With a request behind it, which ends at once.
    let stream = client.next_stream();
    let fields = request("/test.Nothing/Unary");
    client.send(&[wire::headers(stream, &fields, 0), last_data(stream, b"in vain")].concat());
    expect_trailers_only(&client.answer(stream)?, "12")?;
    client.expect_alive()
}

fn lying_paths(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let paths = [
        "/",
        "*",
        "test.Echo/Unary",
        "//test.Echo/Unary",
        "/test.Echo//Unary",
        "/test.Echo/Unary/",
        "/test.Echo/Unary/x",
        "/test.Echo",
        "/test.Echo/",
        "/test.Echo/Unary?x=y",
        "/test.echo/Unary",
        "/test.Echo/unary",
        "/test.Echo/Unar",
        "/test.Echo/Unaryy",
        "/test.Echo/%55nary",
        "http://test.local/test.Echo/Unary",
        "/x/../test.Echo/Unary",
    ];
    for path in paths {
        let answer = ask(client, &request(path))?;
        expect_trailers_only(&answer, "12")
            .map_err(|fault| crate::suite::Fault(format!("{path}: {fault}")))?;
    }
    client.expect_alive()
}

fn early_trailers(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &request("/test.Echo/Nothing"), 0));
    let frames = client.look();
    expect_trailers_only(&Answer::of(&frames, stream)?, "12")?;
    let told = matches!(&frames[..], [_, reset] if is_reset(reset, stream, code::NO_ERROR));
    expect(&frames, told, "trailers and RST_STREAM(NO_ERROR)")?;
    // What was on its way is dropped.
    client.send(&last_data(stream, b"on its way"));
    client.expect_ignored()
}

fn unknown_encoding(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for encoding in ["gzip", "deflate", "br", "identity, gzip", ""] {
        let answer = ask(client, &request_with(&[("grpc-encoding", encoding)]))?;
        expect_trailers_only(&answer, "12")?;
        check(answer.header("grpc-accept-encoding") == Some("identity"), || {
            format!("{encoding}: {answer:?}")
        })?;
    }
    let stream = client.next_stream();
    let fields = request_with(&[("grpc-encoding", "identity")]);
    client.send(&[wire::headers(stream, &fields, 0), last_data(stream, b"as it is")].concat());
    client.answer(stream)?.expect_echo(b"as it is")?;
    client.expect_alive()
}

fn malformed_timeout(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for timeout in [
        "",
        "S",
        "1",
        "123456789S",
        "-1S",
        "+1S",
        "1s",
        "1 S",
        "1.5S",
        "0x1S",
        "1Sm",
        "n",
    ] {
        let answer = ask(client, &request_with(&[("grpc-timeout", timeout)]))?;
        expect_trailers_only(&answer, "13")
            .map_err(|fault| crate::suite::Fault(format!("{timeout}: {fault}")))?;
    }
    each(client, ["99999999H", "99999999S", "1S"], |client, timeout| {
        client.open_with_innocent()?;
        let stream = client.next_stream();
        let fields = request_with(&[("grpc-timeout", timeout)]);
        client.send(&[wire::headers(stream, &fields, 0), last_data(stream, b"in time")].concat());
        client.answer(stream)?.expect_echo(b"in time")?;
        client.expect_alive()
    })
}

fn malformed_base64(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    for value in ["%%%", "A", "AA=A", "AAA==", "A A="] {
        let answer = ask(client, &request_with(&[("x-some-bin", value)]))?;
        expect_trailers_only(&answer, "13")
            .map_err(|fault| crate::suite::Fault(format!("{value}: {fault}")))?;
    }
    client.expect_alive()
}

fn large_path(client: &mut Client) -> Verdict {
    client.open_with_innocent()?;
    let path = format!("/{}", "x".repeat(7_000));
    let answer = ask(client, &request_with(&[(":path", &path)]))?;
    check(answer.header(":status") == Some("431") && answer.ended, || {
        format!("431 expected, not {answer:?}")
    })?;
    // The table is in step, and the place is free.
    let stream = client.next_stream();
    client.send(&headers_of(stream, &wire::block(&request(WAIT)), 0));
    client.send(&wire::rst_stream(stream, code::CANCEL));
    client.expect_ignored()
}
