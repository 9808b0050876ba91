//! A gRPC peer that says what the program tells it to, as octets.

use core::cell::RefCell;
use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::hint::black_box;
use core::task::Poll;

use rpc_nostd::transport::asynch::{Acceptor, Connector, Duplex};
use rpc_nostd::transport::blocking::Transport;

/// The peer. What it is told to say it says once a request, or a part of one, was written to it since, or after some looks
/// in vain. Its SETTINGS wait for nothing.
#[derive(Debug)]
pub struct Script(RefCell<Said>);

#[derive(Debug)]
struct Said {
    octets: [u8; ROOM],
    from: usize,
    to: usize,
    /// What is before it waits for nothing.
    gate: usize,
    asked: bool,
    answers: u8,
    patience: u8,
}

impl Script {
    /// A silent peer.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(Said {
            octets: [0; ROOM],
            from: 0,
            to: 0,
            gate: 0,
            asked: false,
            answers: 0,
            patience: 0,
        }))
    }

    /// The peer will say these octets.
    pub fn say(&self, octets: &[u8]) {
        let Ok(mut said) = self.0.try_borrow_mut() else {
            return;
        };
        said.asked = false;
        said.patience = 0;
        if said.from == said.to {
            (said.from, said.to, said.gate) = (0, 0, 0);
        }
        let start = said.to;
        let room = said.octets.iter_mut().skip(start);
        room.zip(black_box(octets)).for_each(|(to, from)| *to = *from);
        said.to = start.saturating_add(octets.len()).min(ROOM);
    }

    /// The peer will say a frame of `stream`, whose payload is short.
    pub fn say_frame(&self, kind: u8, flags: u8, stream: u8, payload: &[u8]) {
        let len = u8::try_from(payload.len()).unwrap_or(u8::MAX);
        self.say(&[0, 0, len, kind, flags, 0, 0, 0, stream]);
        self.say(payload);
    }

    /// The peer will say SETTINGS, and that it has seen ours.
    pub fn say_settings(&self) {
        self.say_frame(SETTINGS, 0, 0, b"\0\x03\0\0\0\x10");
        self.say_frame(SETTINGS, 1, 0, b"");
        self.open_gate();
    }

    /// The peer is a client, and will say its preface.
    pub fn connect(&self) {
        self.say(PREFACE);
        self.say_settings();
    }

    /// What was said so far waits for nothing.
    fn open_gate(&self) {
        if let Ok(mut said) = self.0.try_borrow_mut() {
            said.gate = said.to;
        }
    }

    /// How many streams were ended by HEADERS, which gRPC's servers do.
    #[must_use]
    pub fn answers(&self) -> u8 {
        self.0.try_borrow().map_or(0, |said| said.answers)
    }

    /// The peer will say a message in DATA.
    pub fn say_message(&self, flags: u8, stream: u8, message: &[u8]) {
        let len = u8::try_from(message.len()).unwrap_or(u8::MAX);
        self.say(&[0, 0, len.saturating_add(5), DATA, flags, 0, 0, 0, stream]);
        self.say(&[0, 0, 0, 0, len]);
        self.say(message);
    }

    /// The peer will respond: headers, `messages`, trailers with OK.
    pub fn respond(&self, stream: u8, messages: &[&[u8]]) {
        let headers = b"\x88\x0f\x10\x10application/grpc\x00\x03x-a\x01b";
        self.say_frame(HEADERS, END_HEADERS, stream, headers);
        for message in messages {
            self.say_message(0, stream, message);
        }
        let trailers = b"\x00\x0bgrpc-status\x010\x00\x05x-bin\x04AAEC";
        self.say_frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers);
    }

    /// The peer will ask by `path`: headers, `messages`, the end.
    pub fn ask(&self, stream: u8, path: &[u8], messages: &[&[u8]]) {
        let octet = |len: usize| u8::try_from(len).unwrap_or(u8::MAX);
        let len = path.len().saturating_add(REQUEST.len()).saturating_add(4);
        self.say(&[0, 0, octet(len), HEADERS, END_HEADERS, 0, 0, 0, stream]);
        self.say(&[0x83, 0x86, 0x04, octet(path.len())]);
        self.say(path);
        self.say(REQUEST);
        let mut left = messages.len();
        for message in messages {
            left = left.saturating_sub(1);
            self.say_message(u8::from(left == 0), stream, message);
        }
        self.open_gate();
    }

    fn take(&self, to: &mut [u8]) -> Option<usize> {
        let mut said = self.0.try_borrow_mut().ok()?;
        said.patience = said.patience.saturating_add(1);
        let waits = !said.asked && said.patience < PATIENCE;
        let end = if waits { said.gate } else { said.to };
        let left = said.octets.get(said.from..end).unwrap_or_default();
        if left.is_empty() {
            return None;
        }
        to.iter_mut().zip(left).for_each(|(to, from)| *to = *from);
        let taken = to.len().min(left.len());
        said.from = said.from.saturating_add(taken);
        Some(taken)
    }

    fn listen(&self, octets: &[u8]) -> usize {
        let Ok(mut said) = self.0.try_borrow_mut() else {
            return 0;
        };
        let mut frames = octets.strip_prefix(PREFACE).unwrap_or(octets);
        while let [0, high, low, kind, flags, _, _, _, _, rest @ ..] = frames {
            said.asked |= matches!(*kind, DATA | HEADERS);
            let answers = *kind == HEADERS && flags & END_STREAM != 0;
            said.answers = said.answers.saturating_add(u8::from(answers));
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            frames = rest.get(len..).unwrap_or_default();
        }
        octets.len()
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

/// What a client says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A request's fields behind `:method`, `:scheme` and `:path`.
const REQUEST: &[u8] =
    b"\x01\x03abc\x0f\x10\x10application/grpc\x00\x02te\x08trailers\x00\x0cgrpc-timeout\x0310S\
    \x00\x0dauthorization\x03let\x00\x05x-bin\x04AAEC";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// Octets that wait to be said.
const ROOM: usize = 1_024;
/// Looks in vain before the peer speaks although nobody spoke to it.
const PATIENCE: u8 = 16;

impl Transport for &Script {
    fn try_read(&mut self, to: &mut [u8]) -> Result<Option<usize>, &'static str> {
        Ok(self.take(to))
    }

    fn try_write(&mut self, from: &[u8]) -> Result<Option<usize>, &'static str> {
        Ok(Some(self.listen(from)))
    }
}

/// One half of a connection with the peer.
#[derive(Debug)]
pub struct Half<'s>(&'s Script);

impl embedded_io_async::ErrorType for Half<'_> {
    type Error = Infallible;
}

impl embedded_io_async::Read for Half<'_> {
    fn read(&mut self, to: &mut [u8]) -> impl Future<Output = Result<usize, Infallible>> {
        poll_fn(|_| {
            self.0
                .take(to)
                .map_or(Poll::Pending, |read| Poll::Ready(Ok(read)))
        })
    }
}

impl embedded_io_async::Write for Half<'_> {
    fn write(&mut self, from: &[u8]) -> impl Future<Output = Result<usize, Infallible>> {
        let mut from = Some(from);
        poll_fn(move |_| Poll::Ready(Ok(from.take().map_or(0, |from| self.0.listen(from)))))
    }

    fn flush(&mut self) -> impl Future<Output = Result<(), Infallible>> {
        poll_fn(|_| Poll::Ready(Ok(())))
    }
}

impl embedded_io::Read for Half<'_> {
    fn read(&mut self, to: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.0.take(to).unwrap_or(0))
    }
}

impl embedded_io::Write for Half<'_> {
    fn write(&mut self, from: &[u8]) -> Result<usize, Infallible> {
        Ok(self.0.listen(from))
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io::ReadReady for Half<'_> {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(black_box(true))
    }
}

impl embedded_io::WriteReady for Half<'_> {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(black_box(true))
    }
}

/// A connection with the peer.
#[derive(Debug)]
pub struct Line<'s>(&'s Script);

impl Duplex for Line<'_> {
    type Reader<'h>
        = Half<'h>
    where
        Self: 'h;
    type Writer<'h>
        = Half<'h>
    where
        Self: 'h;

    fn split(&mut self) -> (Half<'_>, Half<'_>) {
        (Half(self.0), Half(self.0))
    }
}

/// How one comes to a connection with the peer, either way.
#[derive(Clone, Copy, Debug)]
pub struct Way<'s>(pub &'s Script);

impl<'s> Connector for Way<'s> {
    type Connection<'c>
        = Line<'s>
    where
        Self: 'c;

    fn connect(&mut self) -> impl Future<Output = Result<Self::Connection<'_>, &'static str>> {
        poll_fn(|_| Poll::Ready(Ok(Line(self.0))))
    }
}

impl<'s> Acceptor for Way<'s> {
    type Connection<'c>
        = Line<'s>
    where
        Self: 'c;

    fn accept(&mut self) -> impl Future<Output = Result<Self::Connection<'_>, &'static str>> {
        poll_fn(|_| Poll::Ready(Ok(Line(self.0))))
    }
}
