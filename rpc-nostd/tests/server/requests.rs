//! What is no call of ours, and requests that are not what their method has.

use rpc_nostd::server::{Call, Routes, Service, find};
use rpc_nostd::{Code, Method, Status};

use crate::bench::{Bench, serving, serving_in};
use crate::service::{CHAT, COLLECT, Custom, Echo, STREAM, UNARY, echo};
use crate::support::Blob;
use crate::support::frames;
use crate::wire::{Answer, Wire, request, request_with};

/// Opens stream 1 with these fields in place of, or beside, those of a sound request; then an innocent call.
fn answer_to(more: &[(&str, &str)]) -> Answer {
    let mut result = Answer::default();
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request_with(UNARY.path(), more), false));
        wire.send(&frames::data(1, &frames::message(b"x"), true));
        bench.settle().await;
        result = wire.answer(1);
        bench.echo(&mut wire, 3, b"innocent").await;
    });
    result
}

/// The answer to a call with this content, which ends with END_STREAM; then an innocent call.
fn answer_to_content(path: &str, content: &[u8]) -> Answer {
    let mut result = Answer::default();
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(path), false));
        wire.send(&frames::data(1, content, true));
        bench.settle().await;
        result = wire.answer(1);
        bench.echo(&mut wire, 3, b"innocent").await;
    });
    result
}

struct Other;

static SHOUT: Method = Method::unary("/test.Other/Shout");
static SHADOWED: Method = Method::unary("/test.Echo/Unary");

impl Routes for Other {
    fn method(path: &[u8]) -> Option<&'static Method> {
        find(&[&SHOUT, &SHADOWED], path)
    }
}

impl Service for Other {
    async fn serve(&self, call: &mut Call<'_>) -> Result<(), Status> {
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        let request = requests.only().await?;
        replies.send(&Blob(request.0.to_ascii_uppercase())).await
    }
}

// Spec: grpc-path-unknown
#[test]
fn calls_go_by_exact_path_to_the_service_that_has_it() {
    serving(Echo.and(Other), async |bench| {
        let mut wire = bench.open().await;
        let mut stream = 1;
        for (path, expected) in [("/test.Echo/Unary", &b"abc"[..]), ("/test.Other/Shout", b"ABC")] {
            wire.call(stream, path, &[b"abc"]);
            bench.settle().await;
            assert_eq!(wire.answer(stream).messages(), [expected], "{path}");
            stream += 2;
        }
        for path in [
            "/test.Echo/unary",
            "/test.Echo/Unary/",
            "/test.Echo/Unary/x",
            "//test.Echo/Unary",
            "/test.Echo/Unary?x=1",
            "test.Echo/Unary",
            "/test.Echo/",
            "/test.Echo",
            "/",
            "*",
            "/test.Echo/UnimplementedCall",
            "/test.UnimplementedService/Unary",
        ] {
            wire.call(stream, path, &[b"abc"]);
            bench.settle().await;
            let answer = wire.answer(stream);
            assert_eq!(
                (answer.code(), answer.frames.as_str()),
                (Some(Code::UNIMPLEMENTED), "H!"),
                "{path}"
            );
            assert!(!answer.header("grpc-message").unwrap().is_empty());
            stream += 2;
        }
    });
}

// Spec: grpc-content-type-415, grpc-content-type-web, grpc-method-405, grpc-http-not-server
#[test]
fn what_is_no_grpc_gets_an_http_status_and_a_text() {
    for (more, status) in [
        (&[("content-type", "application/json")][..], "415"),
        (&[("content-type", "application/grpc-web")], "415"),
        (&[("content-type", "application/grpc-web+proto")], "415"),
        (&[(":method", "GET")], "405"),
        (&[(":method", "HEAD")], "405"),
        (&[(":method", "PUT"), ("content-type", "text/plain")], "405"),
    ] {
        let answer = answer_to(more);
        assert_eq!(answer.header(":status"), Some(status), "{more:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert!(answer.header("grpc-status").is_none());
        let head = more[0].1 == "HEAD";
        let frames = if head { "H!" } else { "HD!" };
        assert_eq!(answer.frames, frames, "{more:?}");
        assert_eq!(answer.content.len() > 5, !head);
    }
}

#[test]
fn what_is_no_grpc_is_answered_whatever_comes_in_the_same_read() {
    // h2spec 4.2/1: 16,384 octets, more than the stream's window.
    for capacity in [None, Some(5)] {
        serving(Echo, async |bench| {
            let mut wire = bench.open().await;
            wire.socket.set_capacity(capacity);
            let mut octets = frames::headers(1, &request_with("/", &[("content-type", "text/plain")]), false);
            octets.extend(frames::data(1, &[0; 16_384], true));
            wire.send(&octets);
            for _ in 0..100 {
                bench.settle().await;
                wire.read();
            }
            let answer = wire.answer(1);
            assert_eq!(
                (answer.header(":status"), answer.frames.as_str()),
                (Some("415"), "HD!R")
            );
            wire.socket.set_capacity(None);
            bench.echo(&mut wire, 3, b"innocent").await;
        });
    }
}

#[test]
fn what_is_no_grpc_and_does_not_end_keeps_its_slot_for_a_second() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(
            1,
            &request_with("/", &[("content-type", "text/plain")]),
            false,
        ));
        bench.settle().await;
        assert_eq!(wire.answer(1).frames, "HD!");
        wire.send(&frames::data(1, &[0; 200], false));
        wire.send(&frames::data(1, &[0; 100], false));
        bench.pass(999).await;
        assert_eq!(wire.answer(1).reset, None);
        bench.pass(1).await;
        assert_eq!(wire.answer(1).reset, Some(0));
        bench.echo(&mut wire, 3, b"innocent").await;
    });
}

#[test]
fn a_request_without_content_type_gets_415() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        let mut fields = request(UNARY.path());
        fields.retain(|(name, _)| *name != "content-type");
        wire.send(&frames::headers(1, &fields, true));
        bench.settle().await;
        assert_eq!(wire.answer(1).header(":status"), Some("415"));
    });
}

#[test]
fn a_request_whose_own_fields_were_above_a_limit_gets_431() {
    let path: String = format!("/{}", "x".repeat(300));
    let content_type = format!("application/grpc{}", "+proto".repeat(60));
    for more in [
        &[(":path", path.as_str())][..],
        &[("content-type", content_type.as_str())],
    ] {
        let answer = answer_to(more);
        assert_eq!(
            (answer.header(":status"), answer.frames.as_str()),
            (Some("431"), "HD!"),
            "{more:?}"
        );
    }
}

// Spec: grpc-content-type-suffix
#[test]
fn every_form_of_the_content_type_is_taken() {
    for good in [
        "application/grpc+proto",
        "application/grpc+json",
        "application/grpc; charset=utf-8",
    ] {
        assert_eq!(
            answer_to(&[("content-type", good)]).code(),
            Some(Code::OK),
            "{good}"
        );
    }
}

// Spec: grpc-encoding-server
#[test]
fn a_compressed_request_is_refused_with_the_list_of_what_is_understood() {
    for encoding in ["gzip", "deflate", "x"] {
        let answer = answer_to(&[("grpc-encoding", encoding)]);
        assert_eq!(
            (answer.code(), answer.frames.as_str()),
            (Some(Code::UNIMPLEMENTED), "H!")
        );
        assert_eq!(answer.header("grpc-accept-encoding"), Some("identity"));
    }
    let more = [
        ("grpc-encoding", "identity"),
        ("grpc-accept-encoding", "gzip,deflate"),
    ];
    assert_eq!(answer_to(&more).code(), Some(Code::OK));
}

// Spec: grpc-flag-without-encoding, grpc-flag-unknown, grpc-response-late-headers
#[test]
fn a_message_marked_compressed_without_an_encoding_is_an_internal_error() {
    for flag in [1, 2, 255] {
        let answer = answer_to_content(UNARY.path(), &[flag, 0, 0, 0, 1, 7]);
        assert_eq!(
            (answer.code(), answer.frames.as_str()),
            (Some(Code::INTERNAL), "H!"),
            "flag {flag}"
        );
    }
}

// Spec: grpc-cardinality-server-none, grpc-cardinality-server-many
#[test]
fn none_or_two_requests_where_the_method_has_one_are_unimplemented() {
    let two = [frames::message(b"1"), frames::message(b"2")].concat();
    for path in [UNARY.path(), STREAM.path()] {
        for content in [&[][..], &two] {
            let answer = answer_to_content(path, content);
            assert_eq!(
                (answer.code(), answer.frames.as_str()),
                (Some(Code::UNIMPLEMENTED), "H!"),
                "{path} {content:?}"
            );
        }
    }
}

#[test]
fn a_call_that_ends_with_its_headers_has_no_request() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        for (stream, path, code) in [
            (1, UNARY.path(), Code::UNIMPLEMENTED),
            (3, STREAM.path(), Code::UNIMPLEMENTED),
            (5, COLLECT.path(), Code::OK),
            (7, CHAT.path(), Code::OK),
        ] {
            wire.send(&frames::headers(stream, &request(path), true));
            bench.settle().await;
            assert_eq!(wire.answer(stream).code(), Some(code), "{path}");
        }
    });
}

// Spec: grpc-request-cut
#[test]
fn end_stream_inside_a_message_is_an_internal_error_wherever_it_cuts() {
    let message = frames::message(b"abcdef");
    for path in [UNARY.path(), STREAM.path(), COLLECT.path(), CHAT.path()] {
        for cut in 1..message.len() {
            let answer = answer_to_content(path, &message[..cut]);
            assert_eq!(
                (answer.code(), answer.frames.as_str()),
                (Some(Code::INTERNAL), "H!"),
                "{path} cut at {cut}"
            );
        }
    }
}

#[test]
fn octets_behind_the_last_message_fail_the_call() {
    for extra in 1..5 {
        let content = [frames::message(b"abc"), vec![0; extra]].concat();
        for path in [UNARY.path(), STREAM.path()] {
            let answer = answer_to_content(path, &content);
            assert_eq!(
                answer.code(),
                Some(Code::UNIMPLEMENTED),
                "{path}: the beginning of a second request"
            );
        }
        let answer = answer_to_content(COLLECT.path(), &content);
        assert_eq!(answer.code(), Some(Code::INTERNAL));
    }
}

// Spec: grpc-request-too-large, grpc-response-late-headers
#[test]
fn a_request_over_recv_fails_at_its_prefix_and_names_the_limit() {
    serving(Echo, async |bench| {
        let mut wire = bench.open().await;
        for (n, len) in [296u32, 100_000, u32::MAX].into_iter().enumerate() {
            let stream = 4 * n as u32 + 1;
            wire.send(&frames::headers(stream, &request(CHAT.path()), false));
            wire.send(&frames::data(
                stream,
                &[&[0][..], &len.to_be_bytes()].concat(),
                false,
            ));
            bench.settle().await;
            let answer = wire.answer(stream);
            assert_eq!(answer.code(), Some(Code::RESOURCE_EXHAUSTED), "{len}");
            assert!(answer.header("grpc-message").unwrap().contains("RECV"));
            assert_eq!((answer.frames.as_str(), answer.reset), ("H!R", Some(0)));
            bench.echo(&mut wire, stream + 2, b"innocent").await;
        }
        // 295 octets and the prefix fill the 300 octets.
        bench.echo(&mut wire, 101, &[7; 292]).await;
    });
}

// Spec: grpc-request-parse
#[test]
fn a_request_that_is_no_protobuf_is_an_internal_error() {
    for body in [&[0xff][..], &[0x0a, 5, 1], &[0x12, 1, 1]] {
        let content = [&[0, 0, 0, 0, body.len() as u8], body].concat();
        let answer = answer_to_content(UNARY.path(), &content);
        assert_eq!(
            (answer.code(), answer.frames.as_str()),
            (Some(Code::INTERNAL), "H!"),
            "{body:?}"
        );
    }
}

#[test]
fn a_field_over_its_capacity_is_resource_exhausted() {
    serving_in::<2, 4_096, 512>(Echo, Default::default(), async |bench| {
        let mut wire = bench.open().await;
        wire.call(1, UNARY.path(), &[&[1; 3_000]]);
        bench.settle().await;
        assert_eq!(wire.answer(1).code(), Some(Code::RESOURCE_EXHAUSTED));
        bench.echo(&mut wire, 3, &[1; 2_000]).await;
    });
}

// Spec: grpc-early-trailers-server
#[test]
fn trailers_before_the_clients_end_are_followed_by_rst_stream_no_error() {
    // RFC 9113 section 8.1.
    serving(Custom(early), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        wire.send(&frames::data(1, &frames::message(b"1"), false));
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!((answer.frames.as_str(), answer.reset), ("HDH!R", Some(0)));
        // What was under way when the client had not read that yet.
        wire.send(&frames::data(1, &[0; 200], true));
        bench.settle().await;
        assert!(wire.look_for(frames::GOAWAY).is_empty());
        ping(bench, &mut wire).await;
    });
}

/// Answers the first request and ends.
async fn early(call: &mut Call<'_>) -> Result<(), Status> {
    let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
    let request = requests.next().await?.unwrap_or_default();
    replies.send(&request).await
}

async fn ping(bench: &Bench<'_>, wire: &mut Wire) {
    wire.send(&frames::frame(frames::PING, 0, 0, b"whatever"));
    bench.settle().await;
    assert_eq!(wire.look_for(frames::PING)[0].payload, b"whatever");
}

#[test]
fn a_handler_that_ends_well_without_its_response_is_an_internal_error() {
    serving(Custom(async |_: &mut Call<'_>| Ok(())), async |bench| {
        let mut wire = bench.open().await;
        for (stream, path, code) in [
            (1, UNARY.path(), Code::INTERNAL),
            (3, COLLECT.path(), Code::INTERNAL),
            (5, STREAM.path(), Code::OK),
            (7, CHAT.path(), Code::OK),
        ] {
            wire.call(stream, path, &[b""]);
            bench.settle().await;
            assert_eq!(wire.answer(stream).code(), Some(code), "{path}");
        }
    });
}

#[test]
fn a_second_response_where_the_method_has_one_is_an_internal_error() {
    let twice = async |call: &mut Call<'_>| {
        echo(call).await?;
        let (_, _, mut replies) = call.split::<Blob, Blob>();
        replies.send(&Blob(b"again".to_vec())).await
    };
    serving(Custom(twice), async |bench| {
        let mut wire = bench.open().await;
        wire.call(1, UNARY.path(), &[b"once"]);
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(answer.messages(), [b"once"]);
        assert_eq!(
            (answer.frames.as_str(), answer.code()),
            ("HDH!", Some(Code::INTERNAL))
        );
    });
}
