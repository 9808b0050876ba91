//! Brings a client into a cell's state, sends the frame, and compares.

use super::octets::{self, PING_OCTETS};
use super::{Cell, Reaction, Role, State, Target, oracle};
use crate::endpoint::Call;
use crate::peer::{HEAD, Request, Server};
use crate::suite::{Fault, Verdict, check};
use crate::wire::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, code,
};

pub(super) fn run(cell: &Cell, server: &mut Server) -> Verdict {
    let own = reach(cell.state, server)?;
    let stream = match cell.target {
        Target::Connection => 0,
        Target::Own => OWN,
        Target::Even => EVEN,
        Target::Beyond => BEYOND,
    };
    server.send(&octets::frame(cell, stream, &content(cell)));
    let reaction = oracle::reaction(Role::Client, cell);
    let fatal = matches!(reaction, Reaction::ConnectionError(_));
    // A block that is not whole decides nothing: it ends here, in a frame that adds nothing.
    if cell.kind == HEADERS && !cell.has(END_HEADERS) && !fatal {
        server.send(&wire::continuation(stream, &[], END_HEADERS));
    }
    match (reaction, own) {
        (Reaction::ConnectionError(code), _) => {
            server.expect_connection_error(code)?;
            own.map_or(Ok(()), |own| ended(server, own, None))
        }
        (Reaction::StreamError(code), Some(own)) => server.expect_stream_error(own, code, 13),
        (Reaction::StreamError(_), None) => Err(Fault("no stream to reset".to_owned())),
        (Reaction::Ignored, _) => {
            server.expect_silence()?;
            finish(cell.state, own, server)?;
            server.expect_alive()
        }
        (Reaction::Processed, _) => effect(cell, own, server),
    }
}

/// The innocent call on stream 1, and this state of stream 3; the call on it, if it has not ended.
fn reach(state: State, server: &mut Server) -> Result<Option<Request>, Fault> {
    if state == State::BeforeSettings {
        return connected(server).map(Some);
    }
    server.open()?;
    let kind = match state {
        State::Idle | State::ClosedBelow | State::Skipped => return Ok(None),
        State::Open | State::HalfClosedRemote => Call::Bidi,
        _ => Call::Unary(3),
    };
    let request = server.request(kind)?;
    let over = |server: &mut Server, code| {
        server.expect_outcome(request.call, code, &[])?;
        server.expect_silence()?;
        Ok(None)
    };
    match state {
        State::Awaiting => {}
        State::InBlock => {
            server.send(&wire::frame(HEADERS, 0, OWN, &wire::block(HEAD)));
            server.expect_silence()?;
        }
        State::Open | State::HalfClosedLocal => {
            server.send(&wire::headers(OWN, HEAD, 0));
            server.expect_silence()?;
        }
        State::HalfClosedRemote => {
            let only = [HEAD, NOT_FOUND].concat();
            server.send(&wire::headers(OWN, &only, END_STREAM));
            reset_by_client(server, code::NO_ERROR)?;
            return over(server, 5);
        }
        State::ClosedByOurReset => {
            server.client.cancel(request.call);
            reset_by_client(server, code::CANCEL)?;
            return Ok(None);
        }
        State::ClosedByPeersReset => {
            server.send(&wire::rst_stream(OWN, code::CANCEL));
            return over(server, 1);
        }
        State::Refused => {
            server.send(&wire::rst_stream(OWN, code::REFUSED_STREAM));
            let again = server.answer(OWN + 2)?;
            check(again.ended, || format!("no second try: {again:?}"))?;
            server.respond(OWN + 2, CONTENT);
            server.expect_outcome(request.call, 0, CONTENT)?;
            return Ok(None);
        }
        _ => {
            server.respond(OWN, CONTENT);
            server.expect_outcome(request.call, 0, CONTENT)?;
            server.expect_silence()?;
            return Ok(None);
        }
    }
    Ok(Some(request))
}

/// The client has connected and sent its preface, and waits for the server's. The call that made it connect is on stream
/// 1, or will be.
fn connected(server: &mut Server) -> Result<Request, Fault> {
    let call = server.client.call(Call::Unary(3));
    let octets = server.client.receive();
    let rest = octets.strip_prefix(wire::PREFACE);
    let rest = rest.ok_or_else(|| Fault(format!("no preface: {octets:02x?}")))?;
    server.heard.push(rest);
    server.heard.look();
    Ok(Request { stream: 1, call })
}

/// RST_STREAM on the stream, alone.
fn reset_by_client(server: &mut Server, code: u32) -> Verdict {
    let frames = server.look_beside_credit();
    let exact = matches!(&frames[..], [reset] if reset.kind == wire::RST_STREAM && reset.stream == OWN
        && reset.u32_at(0) == Some(code));
    check(exact, || {
        format!("RST_STREAM({OWN}, {code:#x}) alone, not {frames:?}")
    })
}

/// What DATA and HEADERS carry: what is right in the state of their stream, as far as anything is.
fn content(cell: &Cell) -> Vec<u8> {
    match (cell.kind, cell.state) {
        (DATA, _) => wire::message(CONTENT),
        // A response that is whole with its first section, or begins with it.
        (HEADERS, State::Awaiting | State::Idle) if cell.has(END_STREAM) => {
            wire::block(&[HEAD, NOT_FOUND].concat())
        }
        (HEADERS, State::Awaiting | State::Idle) => wire::block(HEAD),
        _ => wire::block(NOT_FOUND),
    }
}

/// A frame that is processed does what its type is for, and no more.
fn effect(cell: &Cell, own: Option<Request>, server: &mut Server) -> Verdict {
    match (cell.kind, own) {
        (SETTINGS, Some(own)) if cell.state == State::BeforeSettings => return begins(own, server),
        (CONTINUATION, Some(own)) => {
            if !cell.has(END_HEADERS) {
                server.send(&wire::continuation(OWN, &[], END_HEADERS));
            }
            server.expect_silence()?;
            finish(State::HalfClosedLocal, Some(own), server)?;
            return server.expect_alive();
        }
        (SETTINGS, _) => answered_by(server, SETTINGS, &[])?,
        (PING, _) => answered_by(server, PING, PING_OCTETS)?,
        // Calls go on; the next one comes on a new connection.
        (GOAWAY, _) => {
            server.expect_silence()?;
            finish(cell.state, own, server)?;
            server.expect_ping_answered()?;
            server.expect_innocent_completes()?;
            return server.expect_new_connection();
        }
        (RST_STREAM, Some(own)) => {
            server.expect_silence()?;
            ended(server, own, Some(1))?;
            return server.expect_alive();
        }
        (DATA, Some(own)) => {
            begun_or_ended(cell, own, 2, server)?;
            return server.expect_alive();
        }
        (HEADERS, Some(own)) => {
            begun_or_ended(cell, own, 5, server)?;
            return server.expect_alive();
        }
        _ => server.expect_silence()?,
    }
    finish(cell.state, own, server)?;
    server.expect_alive()
}

/// The client has got SETTINGS: it acknowledges them, its call completes, and so does another.
fn begins(own: Request, server: &mut Server) -> Verdict {
    server.send(&wire::settings_ack());
    server.look();
    let frames = &server.heard.frames;
    let acks = frames
        .iter()
        .filter(|frame| frame.kind == SETTINGS && frame.flags == wire::ACK && frame.payload.is_empty());
    let request = frames
        .iter()
        .filter(|frame| frame.stream == own.stream && frame.has(END_STREAM));
    check(acks.count() == 1 && request.count() == 1, || {
        format!("an acknowledgement and a request, not {frames:?}")
    })?;
    server.respond(own.stream, CONTENT);
    server.expect_outcome(own.call, 0, CONTENT)?;
    server.expect_alive()
}

/// DATA and HEADERS of a response: with END_STREAM the call has ended with this code; without, it goes on.
fn begun_or_ended(cell: &Cell, own: Request, code: u32, server: &mut Server) -> Verdict {
    if cell.has(END_STREAM) {
        // "A client MAY request that the server abort ... RST_STREAM with NO_ERROR" (8.1): what it had to say is not wanted.
        if cell.state == State::Open {
            reset_by_client(server, code::NO_ERROR)?;
        } else {
            server.expect_silence()?;
        }
        return ended(server, own, Some(code));
    }
    server.expect_silence()?;
    if cell.kind == HEADERS {
        server.send(&wire::data(OWN, &wire::message(CONTENT), 0));
    }
    server.send(&wire::headers(OWN, &[("grpc-status", "0")], END_STREAM));
    server.expect_outcome(own.call, 0, CONTENT)?;
    if cell.state == State::Open {
        return reset_by_client(server, code::NO_ERROR);
    }
    server.expect_silence()
}

/// The acknowledgement of SETTINGS or PING, alone.
fn answered_by(server: &mut Server, kind: u8, payload: &[u8]) -> Verdict {
    let frames = server.look_beside_credit();
    let exact = matches!(&frames[..], [ack] if ack.kind == kind && ack.flags == wire::ACK
        && ack.stream == 0 && ack.payload == payload);
    check(exact, || format!("the acknowledgement alone, not {frames:?}"))
}

/// A call that was not touched goes on to its end.
fn finish(state: State, own: Option<Request>, server: &mut Server) -> Verdict {
    let Some(own) = own else {
        return Ok(());
    };
    if state == State::Awaiting {
        server.send(&wire::headers(OWN, HEAD, 0));
    }
    server.send(&wire::data(OWN, &wire::message(CONTENT), 0));
    server.send(&wire::headers(OWN, &[("grpc-status", "0")], END_STREAM));
    server.expect_outcome(own.call, 0, CONTENT)?;
    if state == State::Open {
        return reset_by_client(server, code::NO_ERROR);
    }
    server.expect_silence()
}

/// The call has failed: with this code, or with any.
fn ended(server: &mut Server, own: Request, code: Option<u32>) -> Verdict {
    let outcome = server.client.outcome(own.call);
    let found = outcome.as_ref().map(|outcome| outcome.code);
    let right = match code {
        Some(code) => found == Some(code),
        None => found.is_some_and(|found| found != 0),
    };
    check(right, || {
        format!("the call should end with {code:?}, not {outcome:?}")
    })
}

const OWN: u32 = 3;
const EVEN: u32 = 2;
const BEYOND: u32 = 101;
const CONTENT: &[u8] = b"of the table";
const NOT_FOUND: &[(&str, &str)] = &[("grpc-status", "5")];
