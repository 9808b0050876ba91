//! A scripted server that knows messages and obeys flow control: it sends only what the client's windows allow, and
//! makes sure that the client gives back what it got, no more, and keeps to the windows that it is given.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::Peer;
use super::frames::{self, Frame, FrameReader};
use super::server::HEAD;

/// What a script is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// HEADERS: a call begins.
    Call,
    /// A whole message, without its prefix.
    Message(Vec<u8>),
    /// END_STREAM.
    End,
    /// RST_STREAM with this code.
    Reset(u32),
}

/// What a script does, on the stream that it was told of unless it says another.
#[derive(Default)]
pub struct Reply {
    actions: Vec<(Option<u32>, Action)>,
    on: Option<u32>,
}

enum Action {
    Octets(Vec<u8>),
    Headers(Vec<u8>, bool),
    Raw(Vec<u8>),
    Hang,
    Close,
}

impl Reply {
    /// What follows is for this stream.
    pub fn on(&mut self, stream: u32) -> &mut Self {
        self.on = Some(stream);
        self
    }

    fn push(&mut self, action: Action) -> &mut Self {
        self.actions.push((self.on, action));
        self
    }

    pub fn head(&mut self) -> &mut Self {
        self.fields(HEAD, false)
    }

    pub fn fields(&mut self, fields: &[(&str, &str)], end: bool) -> &mut Self {
        self.push(Action::Headers(frames::block(fields), end))
    }

    /// A message of one `bytes` field.
    pub fn message(&mut self, body: &[u8]) -> &mut Self {
        self.octets(&frames::message(body))
    }

    /// Content as it is.
    pub fn octets(&mut self, octets: &[u8]) -> &mut Self {
        self.push(Action::Octets(octets.to_vec()))
    }

    pub fn trailers(&mut self, code: u32) -> &mut Self {
        self.fields(&[("grpc-status", &code.to_string())], true)
    }

    /// All of a good answer.
    pub fn answer(&mut self, bodies: &[&[u8]]) -> &mut Self {
        self.head();
        for body in bodies {
            self.message(body);
        }
        self.trailers(0)
    }

    pub fn raw(&mut self, octets: &[u8]) -> &mut Self {
        self.push(Action::Raw(octets.to_vec()))
    }

    /// The client gets no more credit.
    pub fn hang(&mut self) -> &mut Self {
        self.push(Action::Hang)
    }

    /// The connection ends.
    pub fn close(&mut self) -> &mut Self {
        self.push(Action::Close)
    }
}

#[derive(Default)]
struct Stream {
    window: i64,
    /// Octets that the client may still send.
    receive_window: i64,
    received: Vec<u8>,
    /// Content, and where header sections are in it.
    pending: VecDeque<u8>,
    sections: VecDeque<(usize, Vec<u8>, bool)>,
}

pub type Script = Box<dyn FnMut(u32, Got, &mut Reply)>;

/// What the server saw.
pub type Log = Rc<RefCell<Vec<(u32, Got)>>>;

pub struct StreamServer {
    reader: FrameReader,
    settings: Vec<(u16, u32)>,
    script: Script,
    pub log: Log,
    pub frames: Rc<RefCell<Vec<Frame>>>,
    begun: bool,
    initial_window: i64,
    connection_window: i64,
    receive_window: i64,
    streams: BTreeMap<u32, Stream>,
    credits: bool,
    open: bool,
    /// Octets of content in one frame, at most.
    pub frame_size: usize,
}

impl StreamServer {
    pub fn new(script: impl FnMut(u32, Got, &mut Reply) + 'static) -> Self {
        Self {
            reader: FrameReader::default(),
            settings: Vec::new(),
            script: Box::new(script),
            log: Log::default(),
            frames: Rc::default(),
            begun: false,
            initial_window: 65_535,
            connection_window: 65_535,
            receive_window: 65_535,
            streams: BTreeMap::new(),
            credits: true,
            open: true,
            frame_size: 16_384,
        }
    }

    pub fn settings(mut self, values: &[(u16, u32)]) -> Self {
        self.settings = values.to_vec();
        self
    }

    fn tell(&mut self, stream: u32, got: Got, out: &mut Vec<u8>) {
        self.log.borrow_mut().push((stream, got.clone()));
        let mut reply = Reply::default();
        (self.script)(stream, got, &mut reply);
        for (on, action) in reply.actions {
            let stream = on.unwrap_or(stream);
            let state = self.streams.entry(stream).or_default();
            match action {
                Action::Octets(octets) => state.pending.extend(octets),
                Action::Headers(block, end) => state.sections.push_back((state.pending.len(), block, end)),
                Action::Raw(octets) => out.extend(octets),
                Action::Hang => self.credits = false,
                Action::Close => self.open = false,
            }
        }
        self.pump(out);
    }

    fn pump(&mut self, out: &mut Vec<u8>) {
        for (id, stream) in &mut self.streams {
            loop {
                if let Some((0, block, end)) = stream.sections.front() {
                    let flags = frames::END_HEADERS | if *end { frames::END_STREAM } else { 0 };
                    out.extend(frames::frame(frames::HEADERS, flags, *id, block));
                    stream.sections.pop_front();
                    continue;
                }
                let until = stream
                    .sections
                    .front()
                    .map_or(stream.pending.len(), |(at, ..)| *at);
                let window = stream.window.min(self.connection_window).max(0) as usize;
                let len = until.min(window).min(self.frame_size);
                if len == 0 {
                    break;
                }
                let octets: Vec<u8> = stream.pending.drain(..len).collect();
                out.extend(frames::data(*id, &octets, false));
                stream.window -= len as i64;
                self.connection_window -= len as i64;
                for (at, ..) in &mut stream.sections {
                    *at -= len;
                }
            }
        }
    }

    fn handle(&mut self, frame: Frame, out: &mut Vec<u8>) {
        let id = frame.stream;
        let end = frame.flags & frames::END_STREAM != 0;
        match frame.kind {
            frames::SETTINGS if frame.flags & frames::ACK == 0 => {
                for pair in frame.payload.chunks(6) {
                    if pair[..2] == [0, 4] {
                        self.initial_window = u32::from_be_bytes(pair[2..].try_into().unwrap()).into();
                    }
                }
                out.extend(frames::settings_ack());
            }
            frames::PING if frame.flags & frames::ACK == 0 => {
                out.extend(frames::frame(frames::PING, frames::ACK, 0, &frame.payload));
            }
            frames::WINDOW_UPDATE => {
                let credit = i64::from(u32::from_be_bytes(frame.payload[..4].try_into().unwrap()));
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.window += credit;
                    assert!(stream.window <= self.initial_window, "credit for what never came");
                } else if id == 0 {
                    self.connection_window += credit;
                    assert!(self.connection_window <= 65_535, "credit for what never came");
                }
                self.pump(out);
            }
            frames::HEADERS => {
                let settings = self.settings.iter().find(|(setting, _)| *setting == 4);
                let receive_window = settings.map_or(65_535, |(_, value)| i64::from(*value));
                let stream = self.streams.entry(id).or_default();
                stream.window = self.initial_window;
                stream.receive_window = receive_window;
                self.tell(id, Got::Call, out);
                if end {
                    self.tell(id, Got::End, out);
                }
            }
            frames::DATA => self.data(id, &frame.payload, end, out),
            frames::RST_STREAM => {
                self.streams.remove(&id);
                let code = u32::from_be_bytes(frame.payload[..4].try_into().unwrap());
                self.tell(id, Got::Reset(code), out);
            }
            _ => {}
        }
    }

    fn data(&mut self, id: u32, payload: &[u8], end: bool, out: &mut Vec<u8>) {
        let len = payload.len() as i64;
        let stream = self.streams.entry(id).or_default();
        assert!(
            len == 0 || len <= stream.receive_window.min(self.receive_window),
            "no credit for it"
        );
        if !self.credits {
            stream.receive_window -= len;
            self.receive_window -= len;
        }
        if self.credits && !payload.is_empty() {
            let credit = (payload.len() as u32).to_be_bytes();
            out.extend(frames::frame(frames::WINDOW_UPDATE, 0, 0, &credit));
            if !end {
                out.extend(frames::frame(frames::WINDOW_UPDATE, 0, id, &credit));
            }
        }
        self.streams.entry(id).or_default().received.extend(payload);
        loop {
            let received = &mut self.streams.entry(id).or_default().received;
            let Some(prefix) = received.first_chunk::<5>() else {
                break;
            };
            let len = 5 + u32::from_be_bytes(prefix[1..].try_into().unwrap()) as usize;
            if received.len() < len {
                break;
            }
            let message = received.drain(..len).skip(5).collect();
            self.tell(id, Got::Message(message), out);
        }
        if end {
            self.tell(id, Got::End, out);
        }
    }
}

impl Peer for StreamServer {
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.begun {
            self.begun = true;
            out.extend(frames::settings(&self.settings));
        }
        for frame in self.reader.push(octets) {
            self.frames.borrow_mut().push(frame.clone());
            self.handle(frame, out);
            if !self.open {
                return false;
            }
        }
        true
    }
}

/// The message that carries `body`, without its prefix.
pub fn body(body: &[u8]) -> Vec<u8> {
    frames::message(body)[5..].to_vec()
}

/// Codes of the client's RST_STREAMs on `stream`.
pub fn resets(log: &Log, stream: u32) -> Vec<u32> {
    let log = log.borrow();
    let codes = log.iter().filter(|(id, _)| *id == stream);
    codes
        .filter_map(|(_, got)| match got {
            Got::Reset(code) => Some(*code),
            _ => None,
        })
        .collect()
}
