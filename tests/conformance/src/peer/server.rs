//! A scripted server: it breaks the rules as told, and holds a client to them.

use crate::endpoint::{self, Call};
use crate::peer::heard::{Answer, Heard};
use crate::suite::{Fault, Verdict, check};
use crate::wire::{self, Frame};

/// A server to which the client under test connects.
///
/// [`Self::open`] brings about the connection by a first call, which is the innocent one: its request lies on
/// stream 1, its response comes when a case has done what it does.
pub struct Server {
    /// The client under test.
    pub client: Box<dyn endpoint::Client>,
    /// What it has said on its newest connection.
    pub heard: Heard,
    /// The call that a case must not harm, until it has completed.
    innocent: Option<usize>,
    pings: u8,
}

/// A request that came: its stream, and the application's number of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The stream it came on.
    pub stream: u32,
    /// The call, for [`endpoint::Client::outcome`].
    pub call: usize,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("heard", &self.heard.frames)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// A server to which nobody has connected.
    #[must_use]
    pub fn new(client: impl endpoint::Client + 'static) -> Self {
        Self {
            client: Box::new(client),
            heard: Heard::default(),
            innocent: None,
            pings: 0,
        }
    }

    /// Sends octets; the client has then done what it can.
    pub fn send(&mut self, octets: &[u8]) {
        self.heard.note_sent(octets);
        self.client.send(octets);
    }

    /// The frames since the last look.
    pub fn look(&mut self) -> Vec<Frame> {
        let octets = self.client.receive();
        self.heard.push(&octets);
        self.heard.look()
    }

    /// The same without the connection's credit, see [`Heard::look_beside_credit`].
    pub fn look_beside_credit(&mut self) -> Vec<Frame> {
        let octets = self.client.receive();
        self.heard.push(&octets);
        self.heard.look_beside_credit()
    }

    /// The client connects for a first call, the prefaces are exchanged and acknowledged, and the call's request is on
    /// stream 1, unanswered: see [`Self::expect_alive`].
    ///
    /// # Errors
    /// The client's preface or its request are not as they must be.
    pub fn open(&mut self) -> Verdict {
        self.open_with(&[])
    }

    /// The same with these settings.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(&mut self, settings: &[(u16, u32)]) -> Verdict {
        self.innocent = Some(self.client.call(Call::Unary(INNOCENT)));
        self.meet(settings)?;
        // A request may come before or after the settings are acknowledged.
        let whole = self
            .heard
            .frames
            .iter()
            .any(|frame| frame.stream == 1 && frame.has(wire::END_STREAM));
        check(whole, || {
            format!("no request on stream 1: {:?}", self.heard.frames)
        })
    }

    /// The prefaces on a connection that the client has made.
    ///
    /// # Errors
    /// The client's preface is not as it must be.
    pub fn meet(&mut self, settings: &[(u16, u32)]) -> Verdict {
        self.heard = Heard::default();
        let octets = self.client.receive();
        let rest = octets.strip_prefix(wire::PREFACE);
        let rest = rest.ok_or_else(|| Fault(format!("no preface: {octets:02x?}")))?;
        self.heard.push(rest);
        let first = self.heard.frames.first().cloned();
        let settings_first = first.as_ref().is_some_and(|frame| {
            frame.kind == wire::SETTINGS
                && frame.flags == 0
                && frame.stream == 0
                && frame.payload.len() % 6 == 0
        });
        check(settings_first, || {
            format!("SETTINGS expected first, not {first:?}")
        })?;
        self.send(&[wire::settings(settings), wire::settings_ack()].concat());
        let octets = self.client.receive();
        self.heard.push(&octets);
        let acked = self
            .heard
            .frames
            .iter()
            .any(|frame| frame.kind == wire::SETTINGS && frame.flags == wire::ACK);
        self.heard.look();
        check(acked, || {
            format!("SETTINGS not acknowledged: {:?}", self.heard.frames)
        })
    }

    /// The application makes one more call, and its request comes on a stream of its own, whole for a unary call.
    ///
    /// # Errors
    /// No such request.
    pub fn request(&mut self, kind: Call) -> Result<Request, Fault> {
        let call = self.client.call(kind);
        let frames = self.look();
        let opened = frames.iter().find(|frame| frame.kind == wire::HEADERS);
        let stream = opened.map(|frame| frame.stream);
        let stream = stream.ok_or_else(|| Fault(format!("no request came: {frames:?}")))?;
        let answer = Answer::of(&frames, stream)?;
        let whole = answer.ended || kind == Call::Bidi;
        check(whole && !answer.content.is_empty(), || {
            format!("no whole request: {frames:?}")
        })?;
        Ok(Request { stream, call })
    }

    /// What came on `stream` since the last look; what came on others is forgotten.
    ///
    /// # Errors
    /// As [`Answer::of`].
    pub fn answer(&mut self, stream: u32) -> Result<Answer, Fault> {
        let frames = self.look();
        Answer::of(&frames, stream)
    }

    /// A whole good response with this content.
    pub fn respond(&mut self, stream: u32, content: &[u8]) {
        let frames = [
            wire::headers(stream, HEAD, 0),
            wire::data(stream, &wire::message(content), 0),
            wire::headers(stream, &[("grpc-status", "0")], wire::END_STREAM),
        ];
        self.send(&frames.concat());
    }

    /// The call ended with this code; 0 means exactly one reply, of this content.
    ///
    /// # Errors
    /// It did not end, or otherwise.
    pub fn expect_outcome(&mut self, call: usize, code: u32, reply: &[u8]) -> Verdict {
        let outcome = self.client.outcome(call);
        let replies = if code == 0 {
            vec![reply.to_vec()]
        } else {
            Vec::new()
        };
        let good = outcome
            .as_ref()
            .is_some_and(|outcome| outcome.code == code && outcome.replies == replies);
        check(good, || {
            format!("call {call}: code {code} expected, not {outcome:?}")
        })
    }

    /// Nothing came since the last look, and the transport stands.
    ///
    /// # Errors
    /// What came.
    pub fn expect_silence(&mut self) -> Verdict {
        let frames = self.look_beside_credit();
        check(frames.is_empty() && !self.client.is_closed(), || {
            format!(
                "silence expected, not {frames:?}, closed: {}",
                self.client.is_closed()
            )
        })
    }

    /// The connection is over: the last frame is GOAWAY with last stream 0 (a server opens none) and exactly this code,
    /// it is the only one, the transport is closed, and the innocent call has failed. Before it there may be nothing
    /// but what was owed. A new call then comes on a new connection, and completes.
    ///
    /// # Errors
    /// Anything else.
    pub fn expect_connection_error(&mut self, code: u32) -> Verdict {
        let frames = self.look();
        let (goodbye, before) = frames
            .split_last()
            .ok_or_else(|| Fault(format!("GOAWAY(0, {code:#x}) expected, and nothing came")))?;
        let exact = goodbye.kind == wire::GOAWAY
            && goodbye.stream == 0
            && goodbye.u32_at(0) == Some(0)
            && goodbye.u32_at(4) == Some(code);
        check(exact, || {
            format!("GOAWAY(0, {code:#x}) expected last, not {frames:?}")
        })?;
        let owed = |frame: &Frame| {
            matches!(frame.kind, wire::RST_STREAM | wire::WINDOW_UPDATE)
                || matches!(frame.kind, wire::SETTINGS | wire::PING) && frame.flags == wire::ACK
        };
        check(before.iter().all(owed), || format!("before GOAWAY: {before:?}"))?;
        check(self.client.is_closed(), || {
            "the transport is open after GOAWAY".to_owned()
        })?;
        if let Some(call) = self.innocent.take() {
            let outcome = self.client.outcome(call);
            let failed = outcome.as_ref().is_some_and(|outcome| outcome.code != 0);
            check(failed, || format!("a call on a failed connection: {outcome:?}"))?;
        }
        self.expect_new_connection()
    }

    /// The stream is reset with exactly this code, by the only frame that came, its call has failed with `status`, and
    /// everything else lives on.
    ///
    /// # Errors
    /// Anything else.
    pub fn expect_stream_error(&mut self, request: Request, code: u32, status: u32) -> Verdict {
        let frames = self.look_beside_credit();
        let exact = matches!(&frames[..], [reset]
            if reset.kind == wire::RST_STREAM && reset.stream == request.stream
            && reset.u32_at(0) == Some(code) && reset.payload.len() == 4 && reset.flags == 0);
        check(exact, || {
            format!(
                "RST_STREAM({}, {code:#x}) expected alone, not {frames:?}",
                request.stream
            )
        })?;
        self.expect_outcome(request.call, status, &[])?;
        self.expect_alive()
    }

    /// What was sent is no error: nothing came back, and everything lives on.
    ///
    /// # Errors
    /// Anything else.
    pub fn expect_ignored(&mut self) -> Verdict {
        self.expect_silence()?;
        self.expect_alive()
    }

    /// The connection works: a PING comes back, the innocent call completes, and so does a new one on this connection.
    ///
    /// # Errors
    /// What does not work.
    pub fn expect_alive(&mut self) -> Verdict {
        let before = self.client.connections();
        self.expect_ping_answered()?;
        self.expect_innocent_completes()?;
        self.expect_call()?;
        check(self.client.connections() == before, || {
            "the client has connected anew".to_owned()
        })
    }

    /// The innocent call, if it has not completed yet, completes now.
    ///
    /// # Errors
    /// How it ended, if at all.
    pub fn expect_innocent_completes(&mut self) -> Verdict {
        let Some(call) = self.innocent.take() else {
            return Ok(());
        };
        self.respond(1, b"innocent");
        self.expect_outcome(call, 0, b"innocent")
    }

    /// A PING comes back, and nothing else.
    ///
    /// # Errors
    /// Anything else.
    pub fn expect_ping_answered(&mut self) -> Verdict {
        self.pings += 1;
        let payload = [b'p', b'i', b'n', b'g', 0, 1, 2, self.pings];
        self.send(&wire::ping(payload));
        let frames = self.look_beside_credit();
        let exact = matches!(&frames[..], [pong]
            if pong.kind == wire::PING && pong.flags == wire::ACK && pong.stream == 0 && pong.payload == payload);
        check(exact, || {
            format!("the PING's acknowledgement expected alone, not {frames:?}")
        })
    }

    /// A new call on the connection that stands completes.
    ///
    /// # Errors
    /// What went wrong.
    pub fn expect_call(&mut self) -> Verdict {
        let request = self.request(Call::Unary(9))?;
        self.respond(request.stream, b"and on it goes");
        self.expect_outcome(request.call, 0, b"and on it goes")
    }

    /// A new call brings about a new connection (after its backoff), and completes.
    ///
    /// # Errors
    /// What went wrong.
    pub fn expect_new_connection(&mut self) -> Verdict {
        let before = self.client.connections();
        self.client.pass(BACKOFF_MS);
        let call = self.client.call(Call::Unary(9));
        check(self.client.connections() == before + 1, || {
            "no new connection".to_owned()
        })?;
        self.meet(&[])?;
        self.respond(1, b"here again");
        self.expect_outcome(call, 0, b"here again")
    }
}

/// The first section of a good response.
pub const HEAD: &[(&str, &str)] = &[(":status", "200"), ("content-type", "application/grpc")];

/// Octets of the innocent call's request.
const INNOCENT: usize = 11;
/// Longer than the pause before a second attempt, jitter included.
const BACKOFF_MS: u64 = 130_000;
