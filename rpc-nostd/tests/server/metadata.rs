//! Metadata both ways, and the status.

use std::cell::RefCell;
use std::rc::Rc;

use rpc_nostd::server::{Call, ServerConfig};
use rpc_nostd::{Code, MetadataEntry, Status};

use crate::bench::{serving, serving_in};
use crate::service::{CHAT, Custom, STREAM, UNARY, echo};
use crate::support::Blob;
use crate::support::frames;
use crate::wire::{Answer, request_with};

/// Name and value.
type Field = (String, Vec<u8>);

/// What `handler` answers to a unary call with these fields.
fn answer(
    fields: &[(&'static str, &'static str)],
    handler: impl AsyncFn(&mut Call<'_>) -> Result<(), Status>,
) -> Answer {
    let mut result = Answer::default();
    serving(Custom(handler), async |bench| {
        let mut wire = bench.open().await;
        wire.send(&frames::headers(1, &request_with(UNARY.path(), fields), false));
        wire.send(&frames::data(1, &frames::message(b"x"), true));
        bench.settle().await;
        result = wire.answer(1);
    });
    result
}

// Spec: grpc-metadata-order, grpc-metadata-delivered, grpc-bin-padded, grpc-bin-unpadded
#[test]
fn request_metadata_reaches_the_handler_in_order_and_binary_values_decoded() {
    let seen: Rc<RefCell<Vec<Field>>> = Rc::default();
    let fields = [
        ("x-a", "1"),
        ("x-bin", "q6ur"),
        ("x-bin", "qw=="),
        ("x-bin", "qw"),
        ("user-agent", "test/1"),
        ("x-a", "2, 3"),
        ("grpc-unknown", "kept from the handler"),
        ("x-empty", ""),
    ];
    let log = seen.clone();
    let answer = answer(&fields, async move |call| {
        assert_eq!(call.method(), &UNARY);
        let context = call.context();
        assert!(!context.metadata().overflowed());
        for (name, value) in context.metadata().all_initial() {
            log.borrow_mut().push((name.to_owned(), value.to_vec()));
        }
        assert_eq!(
            context.metadata().initial("x-a").collect::<Vec<_>>(),
            [&b"1"[..], b"2, 3"]
        );
        assert_eq!(context.metadata().initial("X-A").count(), 0);
        echo(call).await
    });
    assert_eq!(answer.code(), Some(Code::OK), "{answer:?}");
    let expected: [(&str, &[u8]); 7] = [
        ("x-a", b"1"),
        ("x-bin", &[0xab, 0xab, 0xab]),
        ("x-bin", &[0xab]),
        ("x-bin", &[0xab]),
        ("user-agent", b"test/1"),
        ("x-a", b"2, 3"),
        ("x-empty", b""),
    ];
    let seen = seen.borrow();
    let seen: Vec<(&str, &[u8])> = seen
        .iter()
        .map(|(name, value)| (name.as_str(), &value[..]))
        .collect();
    assert_eq!(seen, expected);
}

// Spec: grpc-metadata-odd-values
#[test]
fn values_beyond_printable_ascii_are_no_error_and_reach_the_handler() {
    const ODD: &str = "\u{e9}\ta\u{7f}\u{1}b";
    let answer = answer(&[("x-odd", ODD)], async |call| {
        let metadata = call.context().metadata();
        assert_eq!(metadata.initial("x-odd").next(), Some(ODD.as_bytes()));
        echo(call).await
    });
    assert_eq!(answer.code(), Some(Code::OK));
}

#[test]
fn request_metadata_that_finds_no_room_is_flagged_and_the_call_goes_on() {
    const LONG: &str = "0123456789012345678901234567890123456789012345678901234567890123456789";
    let fields = [("x-first", LONG), ("x-second", LONG), ("x-third", "3")];
    let answer = answer(&fields, async |call| {
        let metadata = call.context().metadata();
        assert!(metadata.overflowed());
        let names: Vec<_> = metadata.all_initial().map(|(name, _)| name).collect();
        assert_eq!(names, ["x-first", "x-third"]);
        echo(call).await
    });
    assert_eq!(answer.code(), Some(Code::OK));
}

#[test]
fn a_request_field_longer_than_scratch_is_flagged_and_the_call_goes_on() {
    let long: &'static str = "v".repeat(300).leak();
    let answer = answer(&[("x-long", long), ("x-short", "1")], async |call| {
        let metadata = call.context().metadata();
        assert!(metadata.overflowed());
        assert_eq!(metadata.initial("x-long").count(), 0);
        assert_eq!(metadata.initial("x-short").count(), 1);
        echo(call).await
    });
    assert_eq!(answer.code(), Some(Code::OK));
}

#[test]
fn metadata_of_one_call_is_not_seen_by_the_next_in_the_same_slot() {
    let service = Custom(async |call: &mut Call<'_>| {
        let seen = call.context().metadata().all_initial().count();
        let overflowed = call.context().metadata().overflowed();
        let (_, mut requests, mut replies) = call.split::<Blob, Blob>();
        requests.only().await?;
        replies.send(&Blob(vec![seen as u8, u8::from(overflowed)])).await
    });
    serving(service, async |bench| {
        let mut wire = bench.open().await;
        for (n, expected) in [[2, 1], [0, 0], [2, 1], [0, 0], [0, 0]].into_iter().enumerate() {
            let stream = 2 * n as u32 + 1;
            let long = "v".repeat(200);
            let more = [("x-a", "1"), ("x-b", "2"), ("x-c", long.as_str())];
            let more = if expected == [0, 0] { &[][..] } else { &more };
            wire.send(&frames::headers(stream, &request_with(UNARY.path(), more), false));
            wire.send(&frames::data(stream, &frames::message(b""), true));
            bench.settle().await;
            assert_eq!(wire.answer(stream).messages(), [expected], "call {n}");
        }
    });
}

// Spec: grpc-bin-malformed
#[test]
fn a_binary_value_that_is_no_base64_fails_that_call_with_internal_and_no_other() {
    serving(Custom(echo), async |bench| {
        let mut wire = bench.open().await;
        for (n, bad) in ["%%%", "q6u!", "a", "===="].into_iter().enumerate() {
            let stream = 4 * n as u32 + 1;
            wire.send(&frames::headers(
                stream,
                &request_with(UNARY.path(), &[("x-bin", bad)]),
                false,
            ));
            wire.send(&frames::data(stream, &frames::message(b""), true));
            bench.settle().await;
            let answer = wire.answer(stream);
            assert_eq!(
                (answer.code(), answer.frames.as_str()),
                (Some(Code::INTERNAL), "H!"),
                "{bad}"
            );
            bench.echo(&mut wire, stream + 2, b"innocent").await;
        }
    });
}

// Spec: grpc-metadata-delivered, grpc-bin-unpadded, grpc-status-decimal, grpc-response-trailers
#[test]
fn initial_and_trailing_metadata_and_details_go_out_where_they_belong() {
    let answer = answer(&[], async |call| {
        let (context, mut requests, mut replies) = call.split::<Blob, Blob>();
        context.add_initial(MetadataEntry::ascii("x-served-by", "unit"))?;
        context.add_initial(MetadataEntry::binary("x-id-bin", &[0xab, 0xab, 0xab, 0xab]))?;
        context.add_trailing(MetadataEntry::binary("x-trace-bin", &[0xab, 0xab, 0xab]))?;
        context.add_trailing(MetadataEntry::ascii("x-trace", "1"))?;
        context.add_trailing(MetadataEntry::ascii("x-trace", "2"))?;
        context.set_details(&[1, 2])?;
        let request = requests.only().await?;
        replies.send(&request).await?;
        Err(Status::with_text(Code::ABORTED, "later"))
    });
    assert_eq!(answer.frames, "HDH!");
    let pairs = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
        fields
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    };
    let headers = [
        (":status", "200"),
        ("content-type", "application/grpc"),
        ("x-served-by", "unit"),
        ("x-id-bin", "q6urqw"),
    ];
    assert_eq!(answer.headers, pairs(&headers));
    let trailers = [
        ("grpc-status", "10"),
        ("grpc-message", "later"),
        ("grpc-status-details-bin", "AQI"),
        ("x-trace-bin", "q6ur"),
        ("x-trace", "1"),
        ("x-trace", "2"),
    ];
    assert_eq!(answer.trailers, pairs(&trailers));
}

// Spec: grpc-trailers-only, grpc-response-late-headers
#[test]
fn without_a_message_initial_and_trailing_metadata_share_the_one_headers_frame() {
    let answer = answer(&[], async |call| {
        let context = call.context();
        context.add_trailing(MetadataEntry::ascii("x-last", "2"))?;
        context.add_initial(MetadataEntry::ascii("x-first", "1"))?;
        Err(Status::new(Code::NOT_FOUND, "no such thing"))
    });
    assert_eq!(answer.frames, "H!");
    let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        ":status",
        "content-type",
        "x-first",
        "grpc-status",
        "grpc-message",
        "x-last",
    ];
    assert_eq!(names, expected);
}

#[test]
fn headers_can_go_out_before_the_first_message_and_then_take_no_more() {
    serving(
        Custom(async |call: &mut Call<'_>| {
            let (context, mut requests, mut replies) = call.split::<Blob, Blob>();
            context.add_initial(MetadataEntry::ascii("x-first", "1"))?;
            replies.send_headers().await?;
            replies.send_headers().await?;
            let late = context.add_initial(MetadataEntry::ascii("x-late", "1"));
            assert_eq!(late.map_err(|status| status.code()), Err(Code::INTERNAL));
            context.add_trailing(MetadataEntry::ascii("x-last", "1"))?;
            while requests.next().await?.is_some() {}
            Ok(())
        }),
        async |bench| {
            let mut wire = bench.open().await;
            wire.send(&frames::headers(1, &request_with(CHAT.path(), &[]), false));
            bench.settle().await;
            let first = wire.answer(1);
            assert_eq!((first.frames.as_str(), first.header("x-first")), ("H", Some("1")));
            wire.send(&frames::data(1, &[], true));
            bench.settle().await;
            let last = wire.answer(1);
            assert_eq!((last.frames.as_str(), last.trailer("x-last")), ("H!", Some("1")));
        },
    );
}

// Spec: grpc-reserved-names, grpc-metadata-names, grpc-metadata-values
#[test]
fn names_and_values_that_are_not_the_handlers_to_choose_are_refused() {
    let answer = answer(&[], async |call| {
        let context = call.context();
        for name in [
            "grpc-status",
            "grpc-message",
            ":status",
            "content-type",
            "te",
            "connection",
            "X",
            "a b",
            "",
        ] {
            let entry = MetadataEntry::ascii(name, "v");
            assert!(context.add_initial(entry).is_err(), "{name}");
            assert!(context.add_trailing(entry).is_err(), "{name}");
        }
        for value in ["a\r\nb", "\0", " a", "a ", "\u{e9}"] {
            assert!(
                context.add_trailing(MetadataEntry::ascii("x", value)).is_err(),
                "{value:?}"
            );
        }
        assert!(
            context
                .add_trailing(MetadataEntry::ascii("x-bin", "text"))
                .is_err()
        );
        assert!(
            context
                .add_trailing(MetadataEntry::binary("x", b"octets"))
                .is_err()
        );
        echo(call).await
    });
    assert_eq!(answer.frames, "HDH!");
    assert_eq!((answer.headers.len(), answer.trailers.len()), (2, 1));
}

#[test]
fn metadata_beyond_meta_is_refused_to_the_handler() {
    let answer = answer(&[], async |call| {
        let context = call.context();
        context.add_trailing(MetadataEntry::binary("x-bin", &[7; 100]))?;
        let refused = context
            .add_trailing(MetadataEntry::binary("y-bin", &[7; 100]))
            .unwrap_err();
        assert_eq!(refused.code(), Code::RESOURCE_EXHAUSTED);
        assert!(refused.message().contains("META"), "{refused}");
        let refused = context.set_details(&[7; 193]).unwrap_err();
        assert_eq!(refused.code(), Code::RESOURCE_EXHAUSTED);
        echo(call).await
    });
    assert_eq!((answer.code(), answer.trailers.len()), (Some(Code::OK), 2));
}

// Spec: grpc-message-encoded
#[test]
fn a_status_text_is_percent_encoded() {
    const SPECIAL: &str = "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";
    let answer = answer(&[], async |_| Err(Status::with_text(Code::UNKNOWN, SPECIAL)));
    assert_eq!(answer.frames, "H!");
    assert_eq!(answer.header("grpc-status"), Some("2"));
    let expected = "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A";
    assert_eq!(answer.header("grpc-message"), Some(expected));
}

#[test]
fn the_code_of_a_handler_stays_where_its_text_finds_no_room() {
    let text = "\u{263a}".repeat(32);
    let service = Custom(async move |_: &mut Call<'_>| Err(Status::with_text(Code::ABORTED, &text)));
    serving_in::<2, 300, 384>(service, ServerConfig::new(), async |bench| {
        let mut wire = bench.open().await;
        wire.call(1, UNARY.path(), &[b""]);
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.frames.as_str(), answer.code()),
            ("H!", Some(Code::ABORTED))
        );
    });
}

#[test]
fn response_metadata_that_fits_no_frame_ends_the_call_with_resource_exhausted() {
    // SETTINGS_MAX_HEADER_LIST_SIZE of the client (RFC 9113 section 6.5.2).
    let service = Custom(async |call: &mut Call<'_>| {
        let context = call.context();
        context.add_trailing(MetadataEntry::ascii(
            "x-long",
            "0123456789012345678901234567890123456789",
        ))?;
        Ok(())
    });
    serving(service, async |bench| {
        let mut wire = bench.open_with(&[(6, 150)]).await;
        wire.call(1, STREAM.path(), &[b""]);
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.frames.as_str(), answer.code()),
            ("H!", Some(Code::RESOURCE_EXHAUSTED))
        );
    });
}

#[test]
fn a_client_that_takes_no_header_at_all_gets_a_reset_that_is_an_error() {
    serving(Custom(echo), async |bench| {
        let mut wire = bench.open_with(&[(6, 10)]).await;
        wire.send(&frames::headers(1, &request_with(STREAM.path(), &[]), false));
        wire.send(&frames::data(1, &frames::message(b""), true));
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.frames.as_str(), answer.reset),
            ("R", Some(2)),
            "INTERNAL_ERROR"
        );
    });
}
