//! Single rules of gRPC that no other script is about: the fields of a request, what an odd response becomes, and which
//! codes the library makes. Spec: gRPC `PROTOCOL-HTTP2.md`, `statuscodes.md`, `compression.md`.

use std::path::Path;
use std::time::Duration;

use crate::calls::{decode_requests, value};
use crate::support::client::{code, echo, with_channel};
use crate::support::frames::{self, Frame};
use crate::support::server::{HEAD, Server, ok};
use crate::support::{Blob, ECHO, Peers};
use rpc_nostd::client::Unary;
use rpc_nostd::{Code, MetadataEntry, ReceivedMetadata};

// Spec: grpc-request-order, grpc-request-post, grpc-request-scheme, grpc-request-path, grpc-request-te
// Spec: grpc-request-content-type, grpc-request-user-agent, h2-8.3.1-request-fields, h2-8.3.1-sends-no-host
#[test]
fn a_request_has_the_fields_of_grpc_in_order_and_no_others() {
    let server = Server::answering(|stream| ok(stream, b""));
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        let request = Blob::default();
        let entries = [
            MetadataEntry::ascii("x-device", "17"),
            MetadataEntry::binary("x-key-bin", &[0xab, 0xab]),
        ];
        let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
        call.metadata(&entries).await.unwrap();
    });
    let fields = &decode_requests(&log.borrow())[0];
    let user_agent = value(fields, "user-agent").unwrap();
    assert!(user_agent.starts_with("grpc-rust-nostd/"), "{user_agent}");
    let expected = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/test.Echo/Echo"),
        (":authority", "test.local:1"),
        ("grpc-timeout", "20000m"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", user_agent),
        ("x-device", "17"),
        ("x-key-bin", "q6s"),
    ];
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(fields, expected);
}

// Spec: grpc-index-timeout
#[test]
fn a_timeout_that_is_not_the_default_enters_no_table() {
    let server = Server::answering(|stream| ok(stream, b""));
    let log = server.log.clone();
    with_channel(Peers::one(server), async |mut channel, _| {
        echo(channel, b"").await.unwrap();
        for timeout in [1_500, 1_500, 7_777] {
            let request = Blob::default();
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
            call.deadline(Duration::from_millis(timeout)).await.unwrap();
        }
        echo(channel, b"").await.unwrap();
    });
    let blocks: Vec<usize> = log
        .borrow()
        .iter()
        .filter(|frame| frame.kind == frames::HEADERS)
        .map(|frame| frame.payload.len())
        .collect();
    assert_eq!(
        blocks[1], blocks[2],
        "the same timeout again costs the same again"
    );
    assert!(blocks[1] > 10 && blocks[3] > 10, "{blocks:?}");
    assert_eq!(blocks[4], 8, "the default is still there");
}

// Spec: grpc-bin-size, grpc-header-limit-size
#[test]
fn base64_counts_towards_the_servers_list_size() {
    // As octets the value would fit, in base64 it is a third longer.
    let fits = |limit: u32| {
        let server = Server::answering(|stream| ok(stream, b"")).settings(&[(6, limit)]);
        let mut result = None;
        with_channel(Peers::one(server), async |mut channel, _| {
            let request = Blob::default();
            let entries = [MetadataEntry::binary("x-bin", &[7; 150])];
            let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
            result = Some(call.metadata(&entries).await.map_err(|status| status.code()));
        });
        result.unwrap()
    };
    // The nine fields of the request, and 32 for each.
    let pairs = [
        ":methodPOST",
        ":schemehttp",
        ":path/test.Echo/Echo",
        ":authoritytest.local:1",
        "grpc-timeout20000m",
        "tetrailers",
        "content-typeapplication/grpc",
        concat!("user-agentgrpc-rust-nostd/", env!("CARGO_PKG_VERSION")),
        "x-bin",
    ];
    let others: usize = pairs.iter().map(|pair| pair.len() + 32).sum();
    let exact = u32::try_from(others + 200).unwrap();
    assert_eq!(fits(exact), Ok(Blob::default()));
    assert_eq!(fits(exact - 1), Err(Code::RESOURCE_EXHAUSTED));
}

/// A response of one message with this flag, and `more` in its headers.
fn flagged(flag: u8, more: &'static [(&str, &str)]) -> Server {
    Server::answering(move |stream| {
        let mut message = frames::message(b"x");
        message[0] = flag;
        let mut out = frames::headers(stream, &[HEAD, more].concat(), false);
        out.extend(frames::data(stream, &message, false));
        out.extend(frames::headers(stream, &[("grpc-status", "0")], true));
        out
    })
}

// Spec: grpc-encoding-client, grpc-flag-without-encoding, grpc-flag-unknown
#[test]
fn a_compressed_response_is_internal_and_an_uncompressed_one_among_them_is_not() {
    const GZIP: &[(&str, &str)] = &[("grpc-encoding", "gzip")];
    const IDENTITY: &[(&str, &str)] = &[("grpc-encoding", "identity")];
    for (flag, more) in [(1, GZIP), (1, IDENTITY), (1, &[]), (2, GZIP), (255, &[])] {
        with_channel(Peers::one(flagged(flag, more)), async |channel, _| {
            assert_eq!(
                code(echo(channel, b"").await).0,
                Code::INTERNAL,
                "{flag} {more:?}"
            );
        });
    }
    for more in [GZIP, IDENTITY] {
        with_channel(Peers::one(flagged(0, more)), async |channel, _| {
            assert_eq!(echo(channel, b"").await, Ok(Blob(b"x".to_vec())), "{more:?}");
        });
    }
}

// Spec: grpc-metadata-odd-values
#[test]
fn values_beyond_printable_ascii_are_no_error_and_are_kept() {
    const ODD: &[(&str, &str)] = &[("x-odd", "\u{e9}\ta\u{7f}\u{1}b"), ("x-empty", "")];
    let server = Server::answering(|stream| {
        let mut out = frames::headers(stream, &[HEAD, ODD].concat(), false);
        out.extend(frames::data(stream, &frames::message(b"x"), false));
        let trailers = [&[("grpc-status", "0")], ODD].concat();
        out.extend(frames::headers(stream, &trailers, true));
        out
    });
    with_channel(Peers::one(server), async |mut channel, _| {
        let mut memory = [0; 128];
        let mut received = ReceivedMetadata::new(&mut memory);
        let request = Blob::default();
        let call = Unary::<_, _, Blob>::new(&mut channel, &ECHO, &request);
        assert_eq!(call.receive_into(&mut received).await, Ok(Blob(b"x".to_vec())));
        for (name, value) in ODD {
            assert_eq!(received.initial(name).next(), Some(value.as_bytes()));
            assert_eq!(received.trailing(name).next(), Some(value.as_bytes()));
        }
    });
}

// Spec: grpc-request-end, grpc-request-end-empty
#[test]
fn a_request_ends_with_data_and_never_with_trailers() {
    let server = Server::answering(|stream| ok(stream, b""));
    let log = server.log.clone();
    with_channel(Peers::one(server), async |channel, _| {
        for len in [0, 1, 500, 2_000] {
            echo(channel, &vec![7; len]).await.unwrap();
        }
    });
    let log = log.borrow();
    let of_calls = |frame: &&Frame| matches!(frame.kind, frames::HEADERS | frames::DATA);
    for stream in [1, 3, 5, 7] {
        let sent: Vec<_> = log
            .iter()
            .filter(of_calls)
            .filter(|frame| frame.stream == stream)
            .collect();
        let (first, rest) = sent.split_first().unwrap();
        assert_eq!((first.kind, first.flags), (frames::HEADERS, frames::END_HEADERS));
        assert!(rest.iter().all(|frame| frame.kind == frames::DATA));
        let ends = rest.iter().map(|frame| frame.flags == frames::END_STREAM);
        let expected = (1..=rest.len()).map(|n| n == rest.len());
        assert!(ends.eq(expected), "END_STREAM on the last alone");
    }
}

// Spec: h2-6.5.2-zero-streams
#[test]
fn calls_to_a_server_that_allows_no_streams_wait_until_it_does_or_their_deadline_passes() {
    let never = Server::answering(|stream| ok(stream, b"")).settings(&[(3, 0)]);
    let log = never.log.clone();
    with_channel(Peers::one(never), async |channel, timer| {
        assert_eq!(code(echo(channel, b"").await).0, Code::DEADLINE_EXCEEDED);
        assert_eq!(timer.now_ms(), 20_000);
    });
    assert!(!log.borrow().iter().any(|frame| frame.kind == frames::HEADERS));
    // It allows one once the client has acknowledged that there may be none.
    let mut shut = true;
    let later = Server::new(move |frame, out| {
        let acknowledged = frame.kind == frames::SETTINGS && frame.flags == frames::ACK;
        if acknowledged && std::mem::replace(&mut shut, false) {
            out.extend(frames::settings(&[(3, 1)]));
        }
        if frame.kind == frames::DATA {
            out.extend(ok(frame.stream, b"at last"));
        }
        true
    });
    with_channel(Peers::one(later.settings(&[(3, 0)])), async |channel, timer| {
        assert_eq!(echo(channel, b"").await, Ok(Blob(b"at last".to_vec())));
        assert_eq!(timer.now_ms(), 0);
    });
}

/// gRPC keeps these for applications.
const OF_APPLICATIONS: [&str; 7] = [
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "DATA_LOSS",
];

// Spec: grpc-codes-never-made
#[test]
fn no_code_of_an_application_is_made_up_by_the_library() {
    let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        for line in code.filter(|line| !line.trim().starts_with("//")) {
            seen += usize::from(line.contains("Code::UNAVAILABLE"));
            let made = OF_APPLICATIONS.iter().find(|name| {
                line.contains(&format!("Code::{name}")) || line.contains(&format!("Self::{name}"))
            });
            assert_eq!(made, None, "{}: {line}", path.display());
        }
    }
    assert!(seen > 5, "the library makes other codes: {seen}");
}
