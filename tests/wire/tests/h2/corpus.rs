//! Corpora that others wrote: http2-frame-test-case, and the octets that h2spec sends, as nghttp2 recorded them.

use h2_lite::ErrorCode;
use h2_lite::frame::{
    Continuation, Data, FrameHeader, FrameReader, GoAway, Headers, Kind, PADDED, Piece, Ping, Priority,
    PushPromise, RstStream, Setting, SettingId, Settings, StreamId, WindowUpdate,
};
use rpc_nostd_wire_tests::archive;
use serde_json::Value;

use crate::support::frames;
use crate::support::{Session, Setup};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap_or(0) as u32
}

/// What a reader makes of one frame, with adjacent runs of octets put together.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    header: Option<FrameHeader>,
    octets: Vec<u8>,
    priority: Option<Priority>,
    settings: Vec<Setting>,
    ping: Option<[u8; 8]>,
    code: Option<ErrorCode>,
    increment: Option<u32>,
    go_away: Option<GoAway>,
    promised: Option<StreamId>,
    padding: u32,
}

fn decode(chunks: &[&[u8]]) -> Result<Decoded, ErrorCode> {
    let mut reader = FrameReader::new();
    let mut decoded = Decoded::default();
    for chunk in chunks {
        let mut input = *chunk;
        while let Some(piece) = reader.next(&mut input).map_err(|error| error.code)? {
            match piece {
                Piece::Header(header) => decoded.header = Some(header),
                Piece::Priority(priority) => decoded.priority = Some(priority),
                Piece::Data { bytes, .. } | Piece::Fragment { bytes, .. } | Piece::Debug(bytes) => {
                    decoded.octets.extend(bytes);
                }
                Piece::Setting(setting) => decoded.settings.push(setting),
                Piece::Ping(payload) => decoded.ping = Some(payload),
                Piece::RstStream(code) => decoded.code = Some(code),
                Piece::WindowUpdate(increment) => decoded.increment = Some(increment),
                Piece::GoAway(frame) => decoded.go_away = Some(frame),
                Piece::Promised(id) => decoded.promised = Some(id),
                Piece::End => decoded.padding = reader.padding_len(),
            }
        }
    }
    Ok(decoded)
}

/// Every cut of `wire` gives the same.
fn decode_every_cut(wire: &[u8]) -> Result<Decoded, ErrorCode> {
    let whole = decode(&[wire]);
    assert_eq!(whole, decode(&wire.chunks(1).collect::<Vec<_>>()));
    for at in 0..wire.len() {
        assert_eq!(whole, decode(&[&wire[..at], &wire[at..]]), "cut at {at}");
    }
    whole
}

/// The frame again, from its typed parts. What our encoders never set (flags of padding and priority) is put in by hand.
fn encode(decoded: &Decoded, padding: &str) -> Vec<u8> {
    let header = decoded.header.unwrap();
    let stream_id = header.stream_id;
    let length = decoded.octets.len() as u32;
    let end_stream = header.has(frames::END_STREAM);
    let mut wire = match header.kind {
        Kind::DATA => Data {
            stream_id,
            length,
            end_stream,
        }
        .encode()
        .to_vec(),
        Kind::HEADERS => Headers {
            stream_id,
            length,
            end_stream,
        }
        .encode()
        .to_vec(),
        Kind::PRIORITY => Priority::header(stream_id).to_vec(),
        Kind::RST_STREAM => RstStream {
            stream_id,
            code: decoded.code.unwrap(),
        }
        .encode()
        .to_vec(),
        Kind::SETTINGS => Settings {
            length: header.length,
            ack: header.has(frames::ACK),
        }
        .encode()
        .to_vec(),
        Kind::PUSH_PROMISE => PushPromise {
            stream_id,
            promised_stream_id: decoded.promised.unwrap(),
            length,
        }
        .encode()
        .to_vec(),
        Kind::PING => Ping {
            ack: header.has(frames::ACK),
            payload: decoded.ping.unwrap(),
        }
        .encode()
        .to_vec(),
        Kind::GOAWAY => decoded.go_away.unwrap().encode().to_vec(),
        Kind::WINDOW_UPDATE => WindowUpdate {
            stream_id,
            increment: decoded.increment.unwrap(),
        }
        .encode()
        .to_vec(),
        _ => Continuation {
            stream_id,
            length,
            end_headers: header.has(frames::END_HEADERS),
        }
        .encode()
        .to_vec(),
    };
    if let Some(priority) = decoded.priority {
        wire.extend(priority.encode());
    }
    wire.extend(decoded.settings.iter().flat_map(|setting| setting.encode()));
    wire.extend(&decoded.octets);
    if header.has(PADDED) && matches!(header.kind, Kind::DATA | Kind::HEADERS | Kind::PUSH_PROMISE) {
        wire.insert(FrameHeader::LEN, padding.len() as u8);
        wire.extend(padding.as_bytes());
    }
    wire[4] |= header.flags;
    let length = ((wire.len() - FrameHeader::LEN) as u32).to_be_bytes();
    wire[..3].copy_from_slice(&length[1..]);
    wire
}

/// The decoded frame against the description.
fn compare(decoded: &Decoded, frame: &Value) {
    let header = decoded.header.unwrap();
    let payload = &frame["frame_payload"];
    let text = |name: &str| payload[name].as_str().unwrap_or_default().as_bytes().to_vec();
    assert_eq!(header.length, number(&frame["length"]));
    assert_eq!(u32::from(header.kind.0), number(&frame["type"]));
    assert_eq!(u32::from(header.flags), number(&frame["flags"]));
    assert_eq!(header.stream_id.value(), number(&frame["stream_identifier"]));
    match header.kind {
        Kind::DATA => assert_eq!(decoded.octets, text("data")),
        Kind::HEADERS | Kind::CONTINUATION => assert_eq!(decoded.octets, text("header_block_fragment")),
        Kind::RST_STREAM => assert_eq!(decoded.code, Some(ErrorCode(number(&payload["error_code"])))),
        Kind::SETTINGS => {
            let entries = payload["settings"].as_array().unwrap().iter();
            let entries = entries.map(|entry| Setting {
                id: SettingId(number(&entry[0]) as u16),
                value: number(&entry[1]),
            });
            assert_eq!(decoded.settings, entries.collect::<Vec<_>>());
        }
        Kind::PUSH_PROMISE => {
            assert_eq!(
                decoded.promised,
                Some(StreamId::new(number(&payload["promised_stream_id"])))
            );
            assert_eq!(decoded.octets, text("header_block_fragment"));
        }
        Kind::PING => assert_eq!(decoded.ping.unwrap().to_vec(), text("opaque_data")),
        Kind::GOAWAY => {
            let frame = decoded.go_away.unwrap();
            assert_eq!(frame.last_stream_id.value(), number(&payload["last_stream_id"]));
            assert_eq!(frame.code.0, number(&payload["error_code"]));
            assert_eq!(decoded.octets, text("additional_debug_data"));
        }
        Kind::WINDOW_UPDATE => assert_eq!(decoded.increment, Some(number(&payload["window_size_increment"]))),
        _ => {}
    }
    if let Some(priority) = decoded.priority {
        assert_eq!(Some(priority.exclusive), payload["exclusive"].as_bool());
        assert_eq!(priority.dependency.value(), number(&payload["stream_dependency"]));
        // The corpus gives the weight itself, the wire one less.
        assert_eq!(u32::from(priority.weight) + 1, number(&payload["weight"]));
    }
    let padding = payload["padding_length"]
        .as_u64()
        .map_or(0, |length| length as u32 + 1);
    assert_eq!(decoded.padding, padding);
}

#[test]
fn every_frame_of_the_corpus_decodes_and_encodes_and_every_error_has_a_listed_code() {
    let Some(files) = archive("http2-frame-test-case.tar.xz") else {
        return;
    };
    let (mut good, mut bad) = (0, 0);
    for (name, content) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
        let case: Value = serde_json::from_slice(content).unwrap();
        let wire = hex(case["wire"].as_str().unwrap());
        let decoded = decode_every_cut(&wire);
        if let Some(codes) = case["error"].as_array() {
            let code = decoded.expect_err(name);
            assert!(
                codes.iter().any(|listed| number(listed) == code.0),
                "{name}: {code}"
            );
            bad += 1;
        } else {
            let decoded = decoded.expect(name);
            compare(&decoded, &case["frame"]);
            let padding = case["frame"]["frame_payload"]["padding"]
                .as_str()
                .unwrap_or_default();
            assert_eq!(encode(&decoded, padding), wire, "{name}");
            good += 1;
        }
    }
    println!("{good} frames, {bad} errors");
    assert_eq!((good, bad), (12, 22));
}

#[test]
fn every_error_frame_of_the_corpus_fails_a_client_with_a_listed_code() {
    let Some(files) = archive("http2-frame-test-case.tar.xz") else {
        return;
    };
    for (name, content) in files
        .iter()
        .filter(|(name, _)| name.starts_with("./error/") || name.starts_with("error/"))
    {
        let case: Value = serde_json::from_slice(content).unwrap();
        let wire = hex(case["wire"].as_str().unwrap());
        let codes: Vec<u32> = case["error"].as_array().unwrap().iter().map(number).collect();
        Setup::client().script(|s| {
            s.handshake();
            s.request(0, false);
            s.feed(&frames::headers(1, frames::STATUS_200, frames::END_HEADERS));
            s.feed(&wire);
            let code = s.events().iter().find_map(|event| match event {
                crate::support::Ev::Error(code, _) | crate::support::Ev::Reset(_, code, _) => Some(code.0),
                _ => None,
            });
            assert!(code.is_some_and(|code| codes.contains(&code)), "{name}: {code:?}");
        });
    }
}

#[test]
fn every_error_frame_of_the_corpus_fails_a_server_with_a_listed_code() {
    let Some(files) = archive("http2-frame-test-case.tar.xz") else {
        return;
    };
    for (name, content) in files
        .iter()
        .filter(|(name, _)| name.starts_with("./error/") || name.starts_with("error/"))
    {
        let case: Value = serde_json::from_slice(content).unwrap();
        let wire = hex(case["wire"].as_str().unwrap());
        let codes: Vec<u32> = case["error"].as_array().unwrap().iter().map(number).collect();
        Setup::server().script(|s| {
            s.accept();
            let request = frames::block(&crate::support::REQUEST);
            s.feed(&frames::headers(1, &request, frames::END_HEADERS));
            s.feed(&wire);
            let code = s.events().iter().find_map(|event| match event {
                crate::support::Ev::Error(code, _) | crate::support::Ev::Reset(_, code, _) => Some(code.0),
                _ => None,
            });
            assert!(code.is_some_and(|code| codes.contains(&code)), "{name}: {code:?}");
        });
    }
}

/// Plays `octets` to `setup` whole, octet by octet, and cut in two at every place.
fn replay(setup: &Setup, name: &str, octets: &[u8], prepare: impl Fn(&mut Session<'_, '_>)) {
    let script = |s: &mut Session<'_, '_>| {
        prepare(s);
        s.feed(octets);
    };
    let whole = setup.script_whole(script);
    assert_eq!(whole, setup.script_octets(script), "{name} octet by octet");
    for at in 1..whole.input_len {
        assert_eq!(whole, setup.script_cut(at, script), "{name} cut at {at}");
    }
}

#[test]
fn h2spec_streams_give_the_same_events_at_every_cut() {
    let Some(files) = archive("nghttp2-h2spec-corpus.tar.xz") else {
        return;
    };
    let streams: Vec<_> = files
        .iter()
        .filter(|(name, _)| name.contains("/corpus/"))
        .collect();
    assert_eq!(
        streams
            .iter()
            .filter(|(name, _)| name.contains("/h2spec/"))
            .count(),
        133
    );
    for (name, octets) in &streams {
        // What h2spec sent to a server: to a server, and, without the preface, to a client.
        replay(&Setup::server(), name, octets, |s| {
            s.output();
        });
        let rest = octets.strip_prefix(frames::PREFACE).unwrap_or(octets);
        replay(&Setup::client(), name, rest, |s| {
            s.output();
        });
        replay(&Setup::client(), name, rest, |s| {
            for slot in 0..4 {
                s.request(slot, false);
            }
        });
    }
    println!("{} streams", streams.len());
    assert_eq!(streams.len(), 136);
}
