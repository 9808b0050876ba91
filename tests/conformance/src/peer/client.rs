//! A scripted client: it breaks the rules as told, and holds a server to them.

use crate::endpoint;
use crate::peer::heard::{Answer, Heard};
use crate::suite::{Fault, Verdict, check};
use crate::wire::{self, Frame};

/// A client with one connection to the server under test.
///
/// Stream identifiers: a case uses its own from 3 on, in order, or takes them with [`Self::next_stream`]. Stream 1 is
/// the innocent one (see [`Self::open_with_innocent`]): it was opened before whatever the case does, and must complete
/// after it.
pub struct Client {
    /// The server under test.
    pub server: Box<dyn endpoint::Server>,
    /// What it has said.
    pub heard: Heard,
    /// The next identifier to use.
    next: u32,
    innocent: bool,
    pings: u8,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("heard", &self.heard.frames)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that has connected and said nothing.
    #[must_use]
    pub fn new(server: impl endpoint::Server + 'static) -> Self {
        Self {
            server: Box::new(server),
            heard: Heard::by_client(),
            next: 3,
            innocent: false,
            pings: 0,
        }
    }

    /// Replaces the connection by a new one, on which nothing was said.
    pub fn reconnect(&mut self) {
        self.server.reconnect();
        self.heard = Heard::by_client();
        self.next = 3;
        self.innocent = false;
    }

    /// Sends octets; the server has then done what it can.
    pub fn send(&mut self, octets: &[u8]) {
        self.heard.note_sent(octets);
        self.server.send(octets);
    }

    /// The frames since the last look.
    pub fn look(&mut self) -> Vec<Frame> {
        let octets = self.server.receive();
        self.heard.push(&octets);
        self.heard.look()
    }

    /// The same without the connection's credit, see [`Heard::look_beside_credit`].
    pub fn look_beside_credit(&mut self) -> Vec<Frame> {
        let octets = self.server.receive();
        self.heard.push(&octets);
        self.heard.look_beside_credit()
    }

    /// An identifier that was not used yet.
    pub fn next_stream(&mut self) -> u32 {
        let stream = self.next;
        self.next += 2;
        stream
    }

    /// A case has used this identifier by hand: those that it takes later are higher.
    pub fn note_used(&mut self, stream: u32) {
        self.next = self.next.max(stream + 2);
    }

    /// Preface and SETTINGS both ways, each acknowledged.
    ///
    /// # Errors
    /// The server's first frames are not SETTINGS and the acknowledgement.
    pub fn open(&mut self) -> Verdict {
        self.open_with(&[])
    }

    /// The same with these settings.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(&mut self, settings: &[(u16, u32)]) -> Verdict {
        self.send(&[wire::PREFACE, &wire::settings(settings)].concat());
        let frames = self.look();
        let good = matches!(&frames[..], [first, ack]
            if first.kind == wire::SETTINGS && first.flags == 0 && first.stream == 0
            && ack.kind == wire::SETTINGS && ack.flags == wire::ACK && ack.payload.is_empty());
        check(good, || format!("the server's preface: {frames:?}"))?;
        self.send(&wire::settings_ack());
        self.expect_silence()
    }

    /// As [`Self::open`]; then stream 1 has a call whose request is not whole, which completes later.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with_innocent(&mut self) -> Verdict {
        self.open()?;
        self.innocent = true;
        let half = &wire::message(INNOCENT)[..7];
        self.send(&[wire::headers(1, &request(UNARY), 0), wire::data(1, half, 0)].concat());
        self.expect_silence()
    }

    /// HEADERS of a sound request to the unary echo, whose DATA is to come.
    pub fn begin(&mut self, stream: u32) {
        self.begin_at(stream, UNARY);
    }

    /// HEADERS of a sound request to any path, whose DATA is to come.
    pub fn begin_at(&mut self, stream: u32, path: &str) {
        self.note_used(stream);
        self.send(&wire::headers(stream, &request(path), 0));
    }

    /// The highest stream that was used.
    #[must_use]
    pub fn last_stream(&self) -> u32 {
        self.next.saturating_sub(2)
    }

    /// A whole call of the unary echo with this content, sent in one go.
    pub fn call(&mut self, stream: u32, content: &[u8]) {
        self.note_used(stream);
        let data = wire::data(stream, &wire::message(content), wire::END_STREAM);
        self.send(&[wire::headers(stream, &request(UNARY), 0), data].concat());
    }

    /// What came on `stream` since the last look; what came on others is forgotten.
    ///
    /// # Errors
    /// As [`Answer::of`].
    pub fn answer(&mut self, stream: u32) -> Result<Answer, Fault> {
        let frames = self.look();
        Answer::of(&frames, stream)
    }

    /// Nothing came since the last look, and the transport stands.
    ///
    /// # Errors
    /// What came.
    pub fn expect_silence(&mut self) -> Verdict {
        let frames = self.look_beside_credit();
        check(frames.is_empty() && !self.server.is_closed(), || {
            format!(
                "silence expected, not {frames:?}, closed: {}",
                self.server.is_closed()
            )
        })
    }

    /// The connection is over: the last frame is GOAWAY with exactly this last stream and code, it is the only one,
    /// and the transport is closed. Before it there may be nothing but what was owed: RST_STREAM, acknowledgements,
    /// WINDOW_UPDATE.
    ///
    /// # Errors
    /// Anything else.
    pub fn expect_connection_error(&mut self, last: u32, code: u32) -> Verdict {
        let frames = self.look();
        let (goodbye, before) = frames
            .split_last()
            .ok_or_else(|| Fault(format!("GOAWAY({last}, {code:#x}) expected, and nothing came")))?;
        let exact = goodbye.kind == wire::GOAWAY
            && goodbye.stream == 0
            && goodbye.u32_at(0) == Some(last)
            && goodbye.u32_at(4) == Some(code);
        check(exact, || {
            format!("GOAWAY({last}, {code:#x}) expected last, not {frames:?}")
        })?;
        let owed = |frame: &Frame| {
            matches!(frame.kind, wire::RST_STREAM | wire::WINDOW_UPDATE)
                || matches!(frame.kind, wire::SETTINGS | wire::PING) && frame.flags == wire::ACK
        };
        check(before.iter().all(owed), || format!("before GOAWAY: {before:?}"))?;
        check(self.server.is_closed(), || {
            "the transport is open after GOAWAY".to_owned()
        })?;
        check(self.server.handlers() == 0, || {
            "a handler outlives its connection".to_owned()
        })
    }

    /// The stream is reset with exactly this code, by the only frame that came, and everything else lives on.
    ///
    /// # Errors
    /// Anything else.
    pub fn expect_stream_error(&mut self, stream: u32, code: u32) -> Verdict {
        let frames = self.look_beside_credit();
        let exact = matches!(&frames[..], [reset]
            if reset.kind == wire::RST_STREAM && reset.stream == stream
            && reset.u32_at(0) == Some(code) && reset.payload.len() == 4 && reset.flags == 0);
        check(exact, || {
            format!("RST_STREAM({stream}, {code:#x}) expected alone, not {frames:?}")
        })?;
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

    /// The connection works: a PING comes back, the innocent stream (if there is one) completes, and so does a new call.
    ///
    /// # Errors
    /// What does not work.
    pub fn expect_alive(&mut self) -> Verdict {
        self.expect_ping_answered()?;
        self.expect_innocent_completes()?;
        let stream = self.next_stream();
        self.call(stream, b"and on it goes");
        self.answer(stream)?.expect_echo(b"and on it goes")
    }

    /// The innocent stream, if it has not completed yet, completes now.
    ///
    /// # Errors
    /// What it was answered.
    pub fn expect_innocent_completes(&mut self) -> Verdict {
        if !std::mem::take(&mut self.innocent) {
            return Ok(());
        }
        let rest = &wire::message(INNOCENT)[7..];
        self.send(&wire::data(1, rest, wire::END_STREAM));
        self.answer(1)?.expect_echo(INNOCENT)
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
}

/// The path of the unary echo.
const UNARY: &str = "/test.Echo/Unary";
const INNOCENT: &[u8] = b"I have done nothing";

/// The fields of a sound request to `path`.
#[must_use]
pub fn request(path: &str) -> Vec<(&str, &str)> {
    vec![
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "test.local"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
}

/// The fields of a request to the unary echo, with others in place of those of the same name, or behind.
#[must_use]
pub fn request_with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = request(UNARY);
    for field in more {
        match fields.iter_mut().find(|(name, _)| *name == field.0) {
            Some(place) => *place = *field,
            None => fields.push(*field),
        }
    }
    fields
}
