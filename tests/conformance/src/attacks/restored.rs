//! After an attack everything is as it was: all slots are free, and all windows are whole. Shown by using them up.

use crate::endpoint::Call;
use crate::ours::{RECV, STREAMS};
use crate::peer::{Answer, Client, Server, request};
use crate::suite::{Verdict, check};
use crate::wire::{self, Frame, code};

/// The connection's window at first. Spec: RFC 9113 section 6.9.2.
const WINDOW: i64 = 65_535;
/// Credit for the connection rides with other output from so many octets on.
const CREDIT: i64 = 16_384;
/// Content whose framed message fills a stream's window to the last octet.
const WHOLE: usize = RECV - 8;

/// All slots of the server are free, each with its whole window, and the connection's window is whole.
///
/// # Errors
/// What is not as it was.
pub fn server_is_restored(client: &mut Client) -> Verdict {
    client.look();
    let streams: Vec<u32> = (0..STREAMS).map(|_| client.next_stream()).collect();
    for stream in &streams {
        client.begin(*stream);
        client.send(&wire::data(*stream, &wire::message(&[b'w'; WHOLE]), 0));
    }
    let beyond = client.next_stream();
    client.begin(beyond);
    let mut frames = without_credit(client.look());
    let refused = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM
        && reset.stream == beyond && reset.u32_at(0) == Some(code::REFUSED_STREAM));
    check(refused, || {
        format!("{STREAMS} streams with whole windows, and one refused: {frames:?}")
    })?;
    frames.clear();
    for stream in &streams {
        client.send(&wire::data(*stream, &[], wire::END_STREAM));
        frames.extend(client.look());
    }
    for stream in &streams {
        Answer::of(&frames, *stream)?.expect_echo(&[b'w'; WHOLE])?;
    }
    client.send(&wire::window_update(0, data_octets(&frames)));
    let owed = |client: &Client| client.heard.data_sent as i64 - credit(&client.heard.frames);
    // Small calls, so that there is nothing between the last octet and the credit for it.
    for _ in 0..1_000 {
        let before = owed(client);
        let content = if before < CREDIT - 1_100 { WHOLE } else { 1 };
        let stream = client.next_stream();
        client.call(stream, &vec![b'c'; content]);
        let frames = client.look();
        Answer::of(&frames, stream)?.expect_echo(&vec![b'c'; content])?;
        client.send(&wire::window_update(0, data_octets(&frames)));
        if owed(client) < before {
            return check(owed(client) == 0, || {
                format!("the connection's window has lost {}", owed(client))
            });
        }
    }
    Err(crate::suite::Fault("no credit for the connection".into()))
}

/// All slots of the client are free, each with its whole window, and the connection's window is whole.
///
/// # Errors
/// What is not as it was.
pub fn client_is_restored(server: &mut Server) -> Verdict {
    server.look();
    let mut requests = Vec::new();
    for _ in 0..STREAMS {
        requests.push(server.request(Call::Unary(9))?);
    }
    let beyond = server.client.call(Call::Unary(9));
    check(server.look().is_empty(), || {
        "more calls at once than slots".into()
    })?;
    for request in &requests {
        server.respond(request.stream, &[b'w'; WHOLE]);
    }
    for request in &requests {
        server.expect_outcome(request.call, 0, &[b'w'; WHOLE])?;
    }
    let frames = server.look();
    let opened = frames.iter().find(|frame| frame.kind == wire::HEADERS);
    let stream = opened.map(|frame| frame.stream).unwrap_or_default();
    server.respond(stream, b"beyond");
    server.expect_outcome(beyond, 0, b"beyond")?;
    let owed = |server: &Server| server.heard.data_sent as i64 - credit(&server.heard.frames);
    for _ in 0..1_000 {
        let before = owed(server);
        let content = if before < CREDIT - 1_100 { WHOLE } else { 1 };
        // Credit may go out with the request.
        let request = server.request(Call::Unary(1))?;
        let between = owed(server);
        server.respond(request.stream, &vec![b'c'; content]);
        server.expect_outcome(request.call, 0, &vec![b'c'; content])?;
        server.look();
        let seen = data_octets(&server.heard.frames);
        check(i64::from(seen) < WINDOW, || "our own window is used up".into())?;
        let now = between.min(owed(server));
        if now < before {
            return check(now == 0, || format!("the connection's window has lost {now}"));
        }
    }
    Err(crate::suite::Fault("no credit for the connection".into()))
}

/// The path of the echo that answers when the request is whole.
pub const UNARY: &str = "/test.Echo/Unary";

/// HEADERS and RST_STREAM of a request that nobody has seen before.
#[must_use]
pub fn opened_and_reset(stream: u32) -> Vec<u8> {
    let headers = wire::headers(stream, &request(UNARY), 0);
    [headers, wire::rst_stream(stream, code::CANCEL)].concat()
}

/// All that is not WINDOW_UPDATE.
#[must_use]
pub fn without_credit(frames: Vec<Frame>) -> Vec<Frame> {
    let mut frames = frames;
    frames.retain(|frame| frame.kind != wire::WINDOW_UPDATE);
    frames
}

/// Octets of credit for the connection.
fn credit(frames: &[Frame]) -> i64 {
    let updates = frames
        .iter()
        .filter(|frame| frame.kind == wire::WINDOW_UPDATE && frame.stream == 0);
    updates.filter_map(|frame| frame.u32_at(0)).map(i64::from).sum()
}

/// Octets of DATA.
fn data_octets(frames: &[Frame]) -> u32 {
    let data = frames.iter().filter(|frame| frame.kind == wire::DATA);
    data.map(|frame| frame.payload.len() as u32).sum()
}
