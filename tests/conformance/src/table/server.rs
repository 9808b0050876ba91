//! Brings a server into a cell's state, sends the frame, and compares.

use super::octets::{self, PING_OCTETS};
use super::{Cell, Reaction, Role, State, Target, oracle};
use crate::peer::{Client, request, request_with};
use crate::suite::{Verdict, check};
use crate::wire::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, code,
};

pub(super) fn run(cell: &Cell, client: &mut Client) -> Verdict {
    reach(cell.state, client)?;
    let stream = match cell.target {
        Target::Connection => 0,
        Target::Own => own(cell.state),
        Target::Even => EVEN,
        Target::Beyond => BEYOND,
    };
    let content = content(cell);
    client.send(&octets::frame(cell, stream, &content));
    let reaction = oracle::reaction(Role::Server, cell);
    let fatal = matches!(reaction, Reaction::ConnectionError(_));
    // A block that is not whole decides nothing: it ends here, in a frame that adds nothing.
    if cell.kind == HEADERS && !cell.has(END_HEADERS) && !fatal {
        client.send(&wire::continuation(stream, &[], END_HEADERS));
    }
    if cell.kind == HEADERS && matches!(cell.target, Target::Own | Target::Beyond) {
        client.note_used(stream);
    }
    match reaction {
        Reaction::ConnectionError(code) => client.expect_connection_error(last(cell), code),
        Reaction::StreamError(code) => {
            client.expect_stream_error(stream, code)?;
            if cell.target != Target::Own {
                finish(cell.state, client)?;
            }
            no_handlers(cell.state, client)
        }
        Reaction::Ignored => {
            client.expect_silence()?;
            finish(cell.state, client)?;
            client.expect_alive()?;
            no_handlers(cell.state, client)
        }
        Reaction::Processed => {
            effect(cell, stream, client)?;
            no_handlers(cell.state, client)
        }
    }
}

/// The innocent request on stream 1, and this state of the stream [`own`].
fn reach(state: State, client: &mut Client) -> Verdict {
    if state == State::BeforeSettings {
        client.send(wire::PREFACE);
        let frames = client.look();
        let exact = matches!(&frames[..], [first] if first.kind == SETTINGS && first.flags == 0);
        return check(exact, || format!("the server's SETTINGS, not {frames:?}"));
    }
    client.open_with_innocent()?;
    match state {
        State::BeforeSettings | State::Idle | State::Awaiting => Ok(()),
        State::InBlock => {
            client.note_used(OWN);
            let block = wire::block(&request_with(&[]));
            client.send(&wire::frame(HEADERS, 0, OWN, &block));
            client.expect_silence()
        }
        State::Open => {
            client.begin(OWN);
            client.send(&wire::data(OWN, &wire::message(CONTENT)[..HALF], 0));
            client.expect_silence()
        }
        State::HalfClosedLocal => {
            // An unknown method is answered at once, and the rest of the request is not wanted.
            client.note_used(OWN);
            client.send(&wire::headers(OWN, &request("/test.Echo/None"), 0));
            let answer = client.answer(OWN)?;
            let early = answer.trailer("grpc-status") == Some("12") && answer.reset == Some(code::NO_ERROR);
            check(early, || {
                format!("an early answer and RST_STREAM(NO_ERROR), not {answer:?}")
            })
        }
        State::HalfClosedRemote => {
            wait(client, OWN);
            client.expect_silence()
        }
        State::ClosedByEnd => complete(client, OWN),
        State::ClosedBelow => {
            complete(client, OWN)?;
            complete(client, OWN + 2)
        }
        State::Skipped => complete(client, OWN + 2),
        State::ClosedByOurReset => {
            client.begin(OWN);
            client.send(&wire::window_update(OWN, 0));
            let answer = client.answer(OWN)?;
            check(answer.reset == Some(code::PROTOCOL_ERROR), || {
                format!("RST_STREAM expected, not {answer:?}")
            })
        }
        State::ClosedByPeersReset => {
            client.begin(OWN);
            client.send(&wire::rst_stream(OWN, code::CANCEL));
            client.expect_silence()
        }
        State::Refused => {
            for stream in [OWN, OWN + 2, OWN + 4] {
                wait(client, stream);
            }
            client.begin(REFUSED);
            let answer = client.answer(REFUSED)?;
            check(answer.reset == Some(code::REFUSED_STREAM), || {
                format!("REFUSED_STREAM expected, not {answer:?}")
            })
        }
    }
}

/// A whole request whose handler does not end.
fn wait(client: &mut Client, stream: u32) {
    client.note_used(stream);
    let fields = request("/test.Echo/Wait");
    client.send(&wire::headers(stream, &fields, 0));
    client.send(&wire::data(stream, &wire::message(CONTENT), END_STREAM));
}

fn complete(client: &mut Client, stream: u32) -> Verdict {
    client.call(stream, CONTENT);
    client.answer(stream)?.expect_echo(CONTENT)
}

/// What DATA and HEADERS carry: what is right in the state of their stream, as far as anything is.
fn content(cell: &Cell) -> Vec<u8> {
    let opens = cell.state == State::Idle || cell.target != Target::Own;
    match cell.kind {
        DATA => wire::message(CONTENT)[HALF..].to_vec(),
        HEADERS if opens => wire::block(&request_with(&[])),
        _ => wire::block(&[("x-trailer", "1")]),
    }
}

/// A frame that is processed does what its type is for, and no more.
fn effect(cell: &Cell, stream: u32, client: &mut Client) -> Verdict {
    match (cell.kind, cell.target) {
        (SETTINGS, _) => {
            answered_by(client, SETTINGS, &[])?;
            if cell.state == State::BeforeSettings {
                client.send(&wire::settings_ack());
            }
        }
        (CONTINUATION, _) => {
            client.expect_silence()?;
            if !cell.has(END_HEADERS) {
                client.send(&wire::continuation(stream, &[], END_HEADERS));
            }
            client.send(&wire::data(stream, &wire::message(CONTENT), END_STREAM));
            client.answer(stream)?.expect_echo(CONTENT)?;
            return client.expect_alive();
        }
        (PING, _) => answered_by(client, PING, PING_OCTETS)?,
        // The client opens no more streams; those that are open go on.
        (GOAWAY, _) => {
            client.expect_silence()?;
            finish(cell.state, client)?;
            client.expect_ping_answered()?;
            return client.expect_innocent_completes();
        }
        (RST_STREAM, _) => {
            client.expect_silence()?;
            return client.expect_alive();
        }
        (DATA, _) => {
            if !cell.has(END_STREAM) {
                client.expect_silence()?;
                client.send(&wire::data(stream, &[], END_STREAM));
            }
            client.answer(stream)?.expect_echo(CONTENT)?;
            return client.expect_alive();
        }
        (HEADERS, _) => {
            opened_or_ended(cell, stream, client)?;
            if cell.target == Target::Own {
                return client.expect_alive();
            }
        }
        _ => client.expect_silence()?,
    }
    finish(cell.state, client)?;
    client.expect_alive()
}

/// HEADERS open a stream, or end one as trailers.
fn opened_or_ended(cell: &Cell, stream: u32, client: &mut Client) -> Verdict {
    if !cell.has(END_STREAM) {
        client.expect_silence()?;
        client.send(&wire::data(stream, &wire::message(CONTENT), END_STREAM));
        return client.answer(stream)?.expect_echo(CONTENT);
    }
    // No message came (UNIMPLEMENTED), or half of one (INTERNAL).
    let code = if cell.state == State::Open && cell.target == Target::Own {
        "13"
    } else {
        "12"
    };
    let answer = client.answer(stream)?;
    let exact = answer.ended
        && answer.trailers.is_empty()
        && answer.trailer("grpc-status") == Some(code)
        && answer.reset.is_none();
    check(exact, || {
        format!("grpc-status {code} in one HEADERS frame, not {answer:?}")
    })
}

/// The acknowledgement of SETTINGS or PING, alone.
fn answered_by(client: &mut Client, kind: u8, payload: &[u8]) -> Verdict {
    let frames = client.look_beside_credit();
    let exact = matches!(&frames[..], [ack] if ack.kind == kind && ack.flags == wire::ACK
        && ack.stream == 0 && ack.payload == payload);
    check(exact, || format!("the acknowledgement alone, not {frames:?}"))
}

/// A stream that was not touched goes on to its end.
fn finish(state: State, client: &mut Client) -> Verdict {
    match state {
        State::Open => {
            client.send(&wire::data(OWN, &wire::message(CONTENT)[HALF..], END_STREAM));
            client.answer(OWN)?.expect_echo(CONTENT)
        }
        State::HalfClosedRemote => {
            client.send(&wire::rst_stream(OWN, code::CANCEL));
            client.expect_silence()
        }
        _ => Ok(()),
    }
}

/// Nobody works for streams that are over.
fn no_handlers(state: State, client: &Client) -> Verdict {
    let expected = if state == State::Refused { 3 } else { 0 };
    check(client.server.handlers() == expected, || {
        format!("{} handlers run, and {expected} should", client.server.handlers())
    })
}

/// The last stream that GOAWAY must name: the highest whose HEADERS were accepted, or refused. A frame that opens a stream
/// counts from its header on, although its padding is wrong.
fn last(cell: &Cell) -> u32 {
    let may_open = !matches!(cell.state, State::BeforeSettings | State::InBlock);
    let opens = may_open && cell.kind == HEADERS && cell.length == super::Length::Overpadded;
    match (cell.target, cell.state) {
        (Target::Beyond, _) if opens => BEYOND,
        (Target::Own, State::Idle) if opens => OWN,
        (_, State::BeforeSettings) => 0,
        (_, State::Idle | State::Awaiting) => 1,
        (_, State::Refused) => REFUSED,
        (_, State::ClosedBelow | State::Skipped) => OWN + 2,
        _ => OWN,
    }
}

const fn own(state: State) -> u32 {
    match state {
        State::Refused => REFUSED,
        _ => OWN,
    }
}

const OWN: u32 = 3;
/// One more than the four streams that the server takes, with the innocent one.
const REFUSED: u32 = 9;
const EVEN: u32 = 2;
const BEYOND: u32 = 101;
const CONTENT: &[u8] = b"of the table";
/// Octets of a message that come before the frame under test: its prefix, and a little more.
const HALF: usize = 7;
