//! The HTTP/2 layer alone, for attacks of millions of frames, and to see the name of an error where no API shows it.

use h2_lite::{
    Config, Connection, ConnectionError, EncoderEntry, Event, Field, Instant, Memory, Role, Stream, StreamKey,
};

use crate::attacks::cost::Cost;
use crate::ours::{RECV, STREAMS};
use crate::wire;

/// A connection, and an application that reads what it is told to.
#[derive(Debug)]
pub struct Core {
    /// The connection under attack.
    pub conn: Connection<'static>,
    /// Whether content is consumed as it comes.
    pub consumes: bool,
    /// The clock, in milliseconds.
    pub now_ms: u64,
    /// What was reported, as text, if it is to be kept.
    pub log: Option<Vec<String>>,
    /// All output, if it is to be kept.
    pub output: Option<Vec<u8>>,
    cost: Cost,
    most_output: usize,
}

/// Octets of the send buffer.
const SEND: usize = 1_024;

impl Core {
    /// A server whose client has sent its preface, and acknowledged the server's.
    #[must_use]
    pub fn server(config: Config) -> Self {
        let mut core = Self::new(Role::Server, config);
        core.feed(&[wire::PREFACE, &wire::settings(&[]), &wire::settings_ack()].concat());
        core
    }

    /// A client whose server has done the same.
    #[must_use]
    pub fn client(config: Config) -> Self {
        let mut core = Self::new(Role::Client, config);
        core.feed(&[wire::settings(&[]), wire::settings_ack()].concat());
        core
    }

    /// A connection that has heard nothing.
    ///
    /// # Panics
    /// If the configuration does not work.
    #[must_use]
    pub fn new(role: Role, config: Config) -> Self {
        let entries: Vec<EncoderEntry<'static>> = (0..8).map(|_| EncoderEntry::new()).collect();
        let memory = Memory {
            streams: (0..STREAMS).map(|_| Stream::new()).collect::<Vec<_>>().leak(),
            send: vec![0; SEND].leak(),
            decoder_table: vec![0; 4_096].leak(),
            encoder_table: entries.leak(),
            scratch: vec![0; 256].leak(),
        };
        let config = Config {
            initial_window_size: RECV as u32,
            ..config
        };
        let mut core = Self {
            conn: Connection::new(role, config, memory).expect("the memory is large enough"),
            consumes: true,
            now_ms: 0,
            log: None,
            output: None,
            cost: Cost {
                received: 0,
                steps: 0,
                written: 0,
            },
            most_output: 0,
        };
        core.write();
        core
    }

    /// Octets from the peer; what is owed is written whenever reading waits for it, and at the end.
    pub fn feed(&mut self, octets: &[u8]) -> Option<ConnectionError> {
        self.cost.received += octets.len() as u64;
        let mut input = octets;
        loop {
            self.cost.steps += 1;
            let (now, before) = (self.now(), input.len());
            let read = match self.conn.handle_input(&mut input, now) {
                Ok(Some(event)) => {
                    if let Some(log) = &mut self.log {
                        note(log, &event);
                    }
                    consumed(&event)
                }
                Ok(None) => {
                    self.write();
                    if input.is_empty() || input.len() == before {
                        return None;
                    }
                    continue;
                }
                Err(error) => {
                    self.write();
                    return Some(error);
                }
            };
            if let (Some((stream, octets)), true) = (read, self.consumes) {
                self.conn.release_capacity(stream, octets);
            }
        }
    }

    /// What was reported so far.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        self.log.clone().unwrap_or_default()
    }

    /// Opens a stream with a plain request that is not whole, or is.
    ///
    /// # Panics
    /// If there is no slot for it.
    pub fn request(&mut self, slot: u8, end_stream: bool) -> StreamKey {
        let now = self.now();
        let fields = |emit: &mut dyn FnMut(Field<'_, 'static>)| {
            for (name, value) in [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", "/a.B/C"),
                (":authority", "a"),
            ] {
                emit(Field::Literal {
                    name: name.as_bytes(),
                    value: value.as_bytes(),
                });
            }
        };
        let opened = self.conn.send_request(slot, &fields, end_stream, now);
        let key = opened.expect("a slot, and room");
        self.write();
        key
    }

    /// Writes all that there is to write.
    pub fn write(&mut self) {
        let now = self.now();
        while let Some(transmit) = self.conn.take_transmit(now) {
            let len = transmit.bytes().len();
            if let Some(output) = &mut self.output {
                output.extend(transmit.bytes());
            }
            self.cost.steps += 1 + len as u64;
            self.cost.written += len as u64;
            self.most_output = self.most_output.max(len);
            self.conn.give_back(transmit, len, now);
        }
    }

    /// Time passes.
    pub fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        let now = self.now();
        // What it says stays in `conn.error()`.
        let _ = self.conn.handle_timeout(now);
    }

    /// What all of it has cost.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The most that the send buffer ever held.
    #[must_use]
    pub fn most_output(&self) -> usize {
        self.most_output
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.now_ms)
    }
}

/// The octets of an event that the application consumes.
fn consumed(event: &Event<'_>) -> Option<(StreamKey, u32)> {
    match event {
        Event::Data { stream, bytes, .. } => Some((*stream, bytes.len() as u32)),
        _ => None,
    }
}

/// Adds an event; DATA in pieces is one.
fn note(log: &mut Vec<String>, event: &Event<'_>) {
    let Event::Data {
        stream,
        bytes,
        end_stream,
    } = event
    else {
        return log.push(without_slot(format!("{event:?}")));
    };
    let begun = format!("DATA of {:?}: ", stream.id);
    let text: String = bytes.iter().map(|octet| format!("{octet:02x}")).collect();
    match log.last_mut().filter(|last| last.starts_with(&begun)) {
        Some(last) => last.push_str(&text),
        None => log.push(begun + &text),
    }
    if *end_stream {
        log.push(format!("end of {:?}", stream.id));
    }
}

/// Which slot a stream has depends on what was written before, and that on how the input is cut.
fn without_slot(text: String) -> String {
    (0..STREAMS).fold(text, |text, slot| text.replace(&format!("slot: {slot}, "), ""))
}
