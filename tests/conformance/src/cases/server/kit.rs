//! What the cases for servers share.

use std::fmt::Debug;

use crate::peer::{Answer, Client, request};
use crate::suite::{Fault, Verdict, check};
use crate::wire::{self, Frame};

/// Sends back its one request.
pub(super) const UNARY: &str = "/test.Echo/Unary";
/// Sends one reply for each octet of its request.
pub(super) const STREAM: &str = "/test.Echo/Stream";
/// Sends back each request as it comes.
pub(super) const CHAT: &str = "/test.Echo/Chat";
/// Its handler waits until it is dropped.
pub(super) const WAIT: &str = "/test.Echo/Wait";

/// SETTINGS identifiers. Spec: RFC 9113 section 6.5.2.
pub(super) const HEADER_TABLE_SIZE: u16 = 1;
pub(super) const ENABLE_PUSH: u16 = 2;
pub(super) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;
pub(super) const MAX_FRAME_SIZE: u16 = 5;
pub(super) const MAX_HEADER_LIST_SIZE: u16 = 6;

/// What the connection's window is at the start, and each stream's before SETTINGS.
pub(super) const DEFAULT_WINDOW: usize = 65_535;
/// The largest window.
pub(super) const MAX_WINDOW: u32 = 0x7fff_ffff;

/// Runs `script` once for each of `variants`, on a connection of its own.
pub(super) fn each<T: Debug>(
    client: &mut Client,
    variants: impl IntoIterator<Item = T>,
    mut script: impl FnMut(&mut Client, &T) -> Verdict,
) -> Verdict {
    for variant in variants {
        client.reconnect();
        script(client, &variant).map_err(|fault| Fault(format!("{variant:?}: {fault}")))?;
    }
    Ok(())
}

/// With an innocent call under way, these octets end the connection with `code`; stream 1 is the last one.
pub(super) fn fails(client: &mut Client, octets: &[u8], code: u32) -> Verdict {
    client.open_with_innocent()?;
    client.send(octets);
    client.expect_connection_error(1, code)
}

/// With an innocent call under way, these octets for a new stream end the connection with `code`, and the stream, whose
/// HEADERS were read, is the last one.
pub(super) fn fails_at(client: &mut Client, octets: impl FnOnce(u32) -> Vec<u8>, code: u32) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&octets(stream));
    client.expect_connection_error(stream, code)
}

/// With an innocent call under way, these octets for a new stream are answered by RST_STREAM with `code` and nothing
/// else; no handler is left of it, and everything else lives on.
pub(super) fn resets(client: &mut Client, octets: impl FnOnce(u32) -> Vec<u8>, code: u32) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    let handlers = client.server.handlers();
    client.send(&octets(stream));
    expect_handlers(client, handlers)?;
    client.expect_stream_error(stream, code)
}

/// With an innocent call under way, these octets are no error and have no answer, and everything lives on.
pub(super) fn ignores(client: &mut Client, octets: &[u8]) -> Verdict {
    client.open_with_innocent()?;
    client.send(octets);
    client.expect_ignored()
}

/// With an innocent call under way, these octets are a call of the unary echo with `content` that is answered well.
pub(super) fn echoes(client: &mut Client, octets: impl FnOnce(u32) -> Vec<u8>, content: &[u8]) -> Verdict {
    client.open_with_innocent()?;
    let stream = client.next_stream();
    client.send(&octets(stream));
    client.answer(stream)?.expect_echo(content)?;
    client.expect_alive()
}

/// A whole call of `path`, sent in one go, on the stream that it returns.
pub(super) fn call(client: &mut Client, path: &str, content: &[u8]) -> u32 {
    let stream = client.next_stream();
    let data = wire::data(stream, &wire::message(content), wire::END_STREAM);
    client.send(&[wire::headers(stream, &request(path), 0), data].concat());
    stream
}

/// A call whose request has ended and whose handler waits, on the stream that it returns: half-closed (remote).
pub(super) fn half_closed(client: &mut Client) -> Result<u32, Fault> {
    let before = client.server.handlers();
    let stream = call(client, WAIT, b"");
    client.expect_silence()?;
    expect_handlers(client, before + 1)?;
    Ok(stream)
}

/// A call that is over: closed by END_STREAM of both sides.
pub(super) fn completed(client: &mut Client) -> Result<u32, Fault> {
    let stream = call(client, UNARY, b"soon over");
    client.answer(stream)?.expect_echo(b"soon over")?;
    Ok(stream)
}

/// A stream that the server has reset, for its upper-case field name.
pub(super) fn reset_by_server(client: &mut Client) -> Result<u32, Fault> {
    let stream = client.next_stream();
    client.send(&wire::headers(stream, &malformed(), 0));
    let frames = client.look();
    expect(
        &frames,
        matches!(&frames[..], [reset] if is_reset(reset, stream, wire::code::PROTOCOL_ERROR)),
        "RST_STREAM(PROTOCOL_ERROR) alone",
    )?;
    Ok(stream)
}

/// A request that is malformed.
pub(super) fn malformed() -> Vec<(&'static str, &'static str)> {
    let mut fields = request(UNARY);
    fields.push(("Upper", "case"));
    fields
}

/// So many handlers run.
pub(super) fn expect_handlers(client: &Client, handlers: usize) -> Verdict {
    let run = client.server.handlers();
    check(run == handlers, || {
        format!("{handlers} handlers expected, not {run}")
    })
}

/// A fault that shows `frames` unless `good`.
pub(super) fn expect(frames: &[Frame], good: bool, wanted: &str) -> Verdict {
    check(good, || format!("{wanted} expected, not {frames:?}"))
}

/// This RST_STREAM and no other.
pub(super) fn is_reset(frame: &Frame, stream: u32, code: u32) -> bool {
    frame.kind == wire::RST_STREAM
        && frame.flags == 0
        && frame.stream == stream
        && frame.payload == code.to_be_bytes()
}

/// The acknowledgement of SETTINGS.
pub(super) fn is_settings_ack(frame: &Frame) -> bool {
    frame.kind == wire::SETTINGS && frame.flags == wire::ACK && frame.stream == 0 && frame.payload.is_empty()
}

/// DATA of so many octets that does not end its stream.
pub(super) fn is_data(frame: &Frame, stream: u32, len: usize) -> bool {
    frame.kind == wire::DATA && frame.flags == 0 && frame.stream == stream && frame.payload.len() == len
}

/// HEADERS that are no trailers.
pub(super) fn is_headers(frame: &Frame, stream: u32) -> bool {
    frame.kind == wire::HEADERS && frame.flags == wire::END_HEADERS && frame.stream == stream
}

/// Changes settings; the acknowledgement comes first, and what else came is returned.
pub(super) fn set(client: &mut Client, settings: &[(u16, u32)]) -> Result<Vec<Frame>, Fault> {
    client.send(&wire::settings(settings));
    let frames = client.look();
    match frames.split_first() {
        Some((first, rest)) if is_settings_ack(first) => Ok(rest.to_vec()),
        _ => Err(Fault(format!(
            "the acknowledgement expected first, not {frames:?}"
        ))),
    }
}

/// What the server said in its first SETTINGS.
pub(super) fn setting(client: &Client, id: u16) -> Option<u32> {
    let first = client.heard.frames.first()?;
    let entries = first.payload.chunks_exact(6);
    let mut values = entries.filter_map(|entry| {
        let (found, value) = entry.split_first_chunk()?;
        (u16::from_be_bytes(*found) == id).then(|| value.try_into().map(u32::from_be_bytes))
    });
    values.next_back()?.ok()
}

/// The server's window for a stream, from the acknowledgement of its SETTINGS on.
pub(super) fn stream_window(client: &Client) -> usize {
    setting(client, INITIAL_WINDOW_SIZE).map_or(DEFAULT_WINDOW, |window| window as usize)
}

/// Credit among `frames` for a stream, or for the connection (0).
pub(super) fn credit(frames: &[Frame], stream: u32) -> usize {
    let updates = frames
        .iter()
        .filter(|frame| frame.kind == wire::WINDOW_UPDATE && frame.stream == stream);
    updates
        .filter_map(|frame| frame.u32_at(0))
        .map(|octets| octets as usize)
        .sum()
}

/// A response of one section without content, which ends with this status.
pub(super) fn expect_trailers_only(answer: &Answer, status: &str) -> Verdict {
    let good = answer.header(":status") == Some("200")
        && answer.header("content-type") == Some("application/grpc")
        && answer.header("grpc-status") == Some(status)
        && answer.trailers.is_empty()
        && answer.content.is_empty()
        && answer.pieces.is_empty()
        && answer.ended;
    check(good, || {
        format!("a response of trailers alone with grpc-status {status} expected, not {answer:?}")
    })
}

/// HEADERS with a whole header block of any octets.
pub(super) fn headers_of(stream: u32, block: &[u8], flags: u8) -> Vec<u8> {
    wire::frame(wire::HEADERS, flags | wire::END_HEADERS, stream, block)
}

/// The DATA of a request with `content`, which ends the stream.
pub(super) fn last_data(stream: u32, content: &[u8]) -> Vec<u8> {
    wire::data(stream, &wire::message(content), wire::END_STREAM)
}
