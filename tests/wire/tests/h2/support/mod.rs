//! Frame scripts: a test is a function over a [`Session`], written as a dialogue of frames. It runs many times: with
//! the peer's octets whole, one by one, and cut in two at every place. Each run must give the same events and output.

pub mod frames;

use h2_lite::{
    Config, Connection, EncoderEntry, ErrorCode, Event, Field, Instant, Memory, Origin, Role, Section,
    Stream, StreamId, StreamKey, UseError,
};

/// An event, owned. `Data` in pieces is put together, debug data of GOAWAY is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ev {
    Settings,
    Field(u32, Section, String, String),
    End {
        stream: u32,
        section: Section,
        end_stream: bool,
        skipped: u32,
    },
    Data(u32, Vec<u8>, bool),
    Reset(u32, ErrorCode, Origin),
    Window(u32),
    GoAway(u32, ErrorCode),
    PingAck([u8; 8]),
    Error(ErrorCode, &'static str),
}

/// Everything observable of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    pub events: Vec<Ev>,
    pub output: Vec<u8>,
    pub input_len: usize,
}

#[derive(Clone, Copy, Debug)]
enum Chunks {
    Whole,
    Octets,
    CutAt(usize),
}

/// The connection under test and its memory.
#[derive(Clone)]
pub struct Setup {
    pub role: Role,
    pub config: Config,
    pub slots: usize,
    pub send: usize,
    pub decoder_table: usize,
    pub encoder_entries: usize,
    pub scratch: usize,
}

impl Setup {
    pub fn client() -> Self {
        Self {
            role: Role::Client,
            config: Config::default(),
            slots: 4,
            send: 1_024,
            decoder_table: 256,
            encoder_entries: 8,
            scratch: 512,
        }
    }

    pub fn server() -> Self {
        Self {
            role: Role::Server,
            decoder_table: 4_096,
            ..Self::client()
        }
    }

    pub fn config(mut self, change: impl Fn(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Runs `script` for every cut of its input.
    pub fn script(&self, script: impl Fn(&mut Session<'_, '_>)) {
        let whole = self.once(Chunks::Whole, &script);
        assert_eq!(whole, self.once(Chunks::Octets, &script), "octet by octet");
        for at in 0..=whole.input_len {
            assert_eq!(whole, self.once(Chunks::CutAt(at), &script), "cut at {at}");
        }
    }

    /// Runs `script` with the input whole only: for scripts of very many octets.
    pub fn script_whole(&self, script: impl Fn(&mut Session<'_, '_>)) -> Log {
        self.once(Chunks::Whole, &script)
    }

    /// As `script_whole`, octet by octet.
    pub fn script_octets(&self, script: impl Fn(&mut Session<'_, '_>)) -> Log {
        self.once(Chunks::Octets, &script)
    }

    /// As `script_whole`, cut in two at `at`.
    pub fn script_cut(&self, at: usize, script: impl Fn(&mut Session<'_, '_>)) -> Log {
        self.once(Chunks::CutAt(at), &script)
    }

    fn once(&self, chunks: Chunks, script: &dyn Fn(&mut Session<'_, '_>)) -> Log {
        let mut streams: Vec<Stream> = (0..self.slots).map(|_| Stream::new()).collect();
        let mut send = vec![0; self.send];
        let mut decoder_table = vec![0; self.decoder_table];
        let mut encoder_table: Vec<EncoderEntry<'_>> =
            (0..self.encoder_entries).map(|_| EncoderEntry::new()).collect();
        let mut scratch = vec![0; self.scratch];
        let memory = Memory {
            streams: &mut streams,
            send: &mut send,
            decoder_table: &mut decoder_table,
            encoder_table: &mut encoder_table,
            scratch: &mut scratch,
        };
        let mut conn = Connection::new(self.role, self.config, memory).unwrap();
        let mut session = Session {
            conn: &mut conn,
            now: Instant::from_millis(1_000),
            chunks,
            log: Log::default(),
            seen: 0,
            read: 0,
        };
        script(&mut session);
        session.events();
        session.output();
        session.time_passes();
        session.log
    }
}

/// A script against a connected-up client, the usual case.
pub fn client(script: impl Fn(&mut Session<'_, '_>)) {
    Setup::client().script(|s| {
        s.handshake();
        script(s);
    });
}

/// The usual request, as literals.
pub const REQUEST: [(&str, &str); 4] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/s/m"),
    (":authority", "a"),
];

/// A script against a connected-up server: it has the client's preface, SETTINGS and acknowledgement.
pub fn server(script: impl Fn(&mut Session<'_, '_>)) {
    Setup::server().script(|s| {
        s.accept();
        script(s);
    });
}

/// One run of a script.
pub struct Session<'c, 'm> {
    pub conn: &'c mut Connection<'m>,
    pub now: Instant,
    chunks: Chunks,
    log: Log,
    /// Events that `events` has given out.
    seen: usize,
    /// Output that `output` has given out.
    read: usize,
}

impl<'m> Session<'_, 'm> {
    /// The peer sends `octets`. Where input must wait for output, output is taken.
    pub fn feed(&mut self, octets: &[u8]) {
        let start = self.log.input_len;
        self.log.input_len += octets.len();
        match self.chunks {
            Chunks::Whole => self.feed_chunk(octets),
            Chunks::Octets => octets.chunks(1).for_each(|octet| self.feed_chunk(octet)),
            Chunks::CutAt(at) if at > start && at < start + octets.len() => {
                let (first, second) = octets.split_at(at - start);
                self.feed_chunk(first);
                self.feed_chunk(second);
            }
            Chunks::CutAt(_) => self.feed_chunk(octets),
        }
    }

    fn feed_chunk(&mut self, mut input: &[u8]) {
        loop {
            match self.conn.handle_input(&mut input, self.now) {
                Ok(Some(event)) => {
                    let event = own(event);
                    self.push(event);
                }
                Ok(None) if input.is_empty() => return,
                Ok(None) => {
                    assert!(
                        !self.conn.wants_input(),
                        "input left although the connection wants input"
                    );
                    self.write();
                    assert!(self.conn.wants_input(), "writing did not make room");
                }
                Err(error) => {
                    let error = Ev::Error(error.code, error.reason);
                    if self.log.events.last() != Some(&error) {
                        self.push(error);
                    }
                    return;
                }
            }
        }
    }

    fn push(&mut self, event: Ev) {
        let unseen = self.seen < self.log.events.len();
        match (&event, self.log.events.last_mut()) {
            (Ev::Data(id, more, end), Some(Ev::Data(last_id, bytes, last_end)))
                if id == last_id && !*last_end && unseen =>
            {
                bytes.extend(more);
                *last_end = *end;
            }
            _ => self.log.events.push(event),
        }
    }

    /// The events since the last call.
    pub fn events(&mut self) -> Vec<Ev> {
        // Events that wait for no input (streams refused by GOAWAY).
        self.feed_chunk(&[]);
        let events = self.log.events[self.seen..].to_vec();
        self.seen = self.log.events.len();
        events
    }

    /// Moves all output to the wire.
    fn write(&mut self) {
        loop {
            let wants = self.conn.wants_transmit();
            let transmit = self.conn.take_transmit(self.now);
            assert_eq!(wants, transmit.is_some(), "wants_transmit and take_transmit");
            let Some(transmit) = transmit else { return };
            let bytes = transmit.bytes().to_vec();
            assert!(!bytes.is_empty());
            self.conn.give_back(transmit, bytes.len(), self.now);
            self.log.output.extend(bytes);
        }
    }

    /// After any script: what comes due is dealt with by one call, and in the end nothing is waited for. A deadline that
    /// stays in the past would keep the driver busy for ever.
    fn time_passes(&mut self) {
        for _ in 0..8 {
            let Some(due) = self.conn.poll_timeout() else {
                return;
            };
            self.now = self.now.max(due);
            let _ = self.conn.handle_timeout(self.now);
            let next = self.conn.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "{due:?} stays due");
        }
        panic!("deadlines without end");
    }

    /// Output that a test took itself.
    pub fn wrote(&mut self, octets: &[u8]) {
        self.log.output.extend(octets);
    }

    /// The output since the last call.
    pub fn output(&mut self) -> Vec<u8> {
        self.write();
        let output = self.log.output[self.read..].to_vec();
        self.read = self.log.output.len();
        output
    }

    /// Asserts the events since the last look.
    #[track_caller]
    pub fn expect(&mut self, events: &[Ev]) {
        assert_eq!(self.events(), events);
    }

    /// Asserts the frames sent since the last look.
    #[track_caller]
    pub fn expect_frames(&mut self, expected: &[Vec<u8>]) {
        assert_eq!(frames::split(&self.output()), expected);
    }

    /// Asserts that the connection failed with `code`, and says goodbye with exactly one GOAWAY(`last`, `code`).
    #[track_caller]
    pub fn expect_failure(&mut self, code: ErrorCode, last: u32) {
        let events = self.events();
        assert!(
            matches!(events.last(), Some(Ev::Error(c, _)) if *c == code),
            "{events:?}"
        );
        let sent = frames::split(&self.output());
        assert_eq!(sent.last(), Some(&frames::go_away(last, code.0, &[])), "{sent:?}");
        assert!(self.conn.is_closed());
        assert_eq!(self.conn.error().map(|error| error.code), Some(code));
        assert!(!self.conn.wants_input());
        let mut more = &frames::ping([0; 8])[..];
        assert!(
            self.conn.handle_input(&mut more, self.now).is_err(),
            "the error is sticky"
        );
        assert_eq!(more.len(), 17, "nothing is consumed after an error");
        self.expect_frames(&[]);
    }

    /// The stream failed: `Event::Reset` and RST_STREAM, and the connection lives on.
    #[track_caller]
    pub fn expect_stream_error(&mut self, stream: u32, code: ErrorCode) {
        let events = self.events();
        assert_eq!(
            events.last(),
            Some(&Ev::Reset(stream, code, Origin::Local)),
            "{events:?}"
        );
        let sent = frames::split(&self.output());
        assert!(sent.contains(&frames::rst_stream(stream, code.0)), "{sent:?}");
        assert_eq!(self.conn.error(), None);
    }

    /// Our preface and SETTINGS out, the peer's SETTINGS and acknowledgement in.
    #[track_caller]
    pub fn handshake(&mut self) {
        self.handshake_with(&[]);
    }

    #[track_caller]
    pub fn handshake_with(&mut self, entries: &[(u16, u32)]) {
        let opening = frames::split(&self.output());
        assert_eq!(opening[0], frames::PREFACE);
        self.feed(&frames::settings(entries));
        self.feed(&frames::settings_ack());
        self.expect(&[Ev::Settings]);
        self.expect_frames(&[frames::settings_ack()]);
    }

    /// The client's preface, SETTINGS and acknowledgement in, our answers out.
    #[track_caller]
    pub fn accept(&mut self) {
        self.output();
        self.feed(frames::PREFACE);
        self.feed(&frames::settings(&[]));
        self.feed(&frames::settings_ack());
        self.expect(&[Ev::Settings]);
        self.expect_frames(&[frames::settings_ack()]);
    }

    /// Opens a stream in `slot` and forgets its HEADERS.
    #[track_caller]
    pub fn request(&mut self, slot: u8, end_stream: bool) -> StreamKey {
        let key = self.try_request(slot, end_stream).unwrap();
        self.output();
        key
    }

    pub fn try_request(&mut self, slot: u8, end_stream: bool) -> Result<StreamKey, UseError> {
        self.conn
            .send_request(slot, &request_fields, end_stream, self.now)
    }

    /// A request of these fields, as literals.
    pub fn request_of(&mut self, slot: u8, fields: &[(&str, &str)]) -> Result<StreamKey, UseError> {
        let give = |push: &mut dyn FnMut(Field<'_, 'm>)| literals(fields, push);
        self.conn.send_request(slot, &give, true, self.now)
    }

    /// A response section of these fields.
    pub fn respond(
        &mut self,
        stream: StreamKey,
        fields: &[(&str, &str)],
        end_stream: bool,
    ) -> Result<(), UseError> {
        let give = |push: &mut dyn FnMut(Field<'_, 'm>)| literals(fields, push);
        self.conn.send_response(stream, &give, end_stream, self.now)
    }

    /// Trailers of these fields.
    pub fn trailers(&mut self, stream: StreamKey, fields: &[(&str, &str)]) -> Result<(), UseError> {
        let give = |push: &mut dyn FnMut(Field<'_, 'm>)| literals(fields, push);
        self.conn.send_trailers(stream, &give, self.now)
    }

    /// `payload` in one DATA frame.
    pub fn send_data(&mut self, key: StreamKey, payload: &[u8], end_stream: bool) -> Result<(), UseError> {
        let mut fill = |room: &mut [u8]| room.copy_from_slice(payload);
        self.conn
            .send_data(key, payload.len(), end_stream, &mut fill, self.now)
    }

    /// Time passes; a timeout that comes due is handled and logged.
    pub fn advance(&mut self, millis: u64) {
        self.now = self.now.saturating_add_millis(millis);
        let due = self.conn.poll_timeout().is_some_and(|at| at <= self.now);
        if due && let Err(error) = self.conn.handle_timeout(self.now) {
            self.push(Ev::Error(error.code, error.reason));
        }
    }
}

fn literals<'m>(fields: &[(&str, &str)], push: &mut dyn FnMut(Field<'_, 'm>)) {
    for (name, value) in fields {
        push(Field::Literal {
            name: name.as_bytes(),
            value: value.as_bytes(),
        });
    }
}

/// The fields of the usual request.
pub fn request_fields<'m>(push: &mut dyn FnMut(Field<'_, 'm>)) {
    push(Field::Indexable {
        name: b":method",
        value: b"POST",
    });
    push(Field::Indexable {
        name: b":scheme",
        value: b"http",
    });
    push(Field::Literal {
        name: b":path",
        value: b"/s/m",
    });
    push(Field::Literal {
        name: b":authority",
        value: b"a",
    });
}

/// What the peer reads for the usual request, field by field.
pub fn key(slot: u8, id: u32) -> StreamKey {
    StreamKey {
        slot,
        id: StreamId::new(id),
    }
}

/// Shorthand of the events of a header section.
pub fn section(stream: u32, fields: &[(&str, &str)], section: Section, end_stream: bool) -> Vec<Ev> {
    let mut events: Vec<Ev> = fields
        .iter()
        .map(|(name, value)| Ev::Field(stream, section, (*name).into(), (*value).into()))
        .collect();
    events.push(Ev::End {
        stream,
        section,
        end_stream,
        skipped: 0,
    });
    events
}

/// `:status: 200` and nothing else.
pub fn ok(stream: u32, end_stream: bool) -> Vec<Ev> {
    section(stream, &[(":status", "200")], Section::Headers, end_stream)
}

fn own(event: Event<'_>) -> Ev {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    match event {
        Event::Settings => Ev::Settings,
        Event::HeaderField {
            stream,
            section,
            field,
        } => Ev::Field(stream.id.value(), section, text(field.name), text(field.value)),
        Event::HeadersEnd {
            stream,
            section,
            end_stream,
            skipped,
        } => Ev::End {
            stream: stream.id.value(),
            section,
            end_stream,
            skipped,
        },
        Event::Data {
            stream,
            bytes,
            end_stream,
        } => Ev::Data(stream.id.value(), bytes.to_vec(), end_stream),
        Event::Reset { stream, code, origin } => Ev::Reset(stream.id.value(), code, origin),
        Event::WindowUpdate { stream } => Ev::Window(stream.map_or(0, |key| key.id.value())),
        Event::GoAway {
            last_stream_id, code, ..
        } => Ev::GoAway(last_stream_id.value(), code),
        Event::PingAck { payload } => Ev::PingAck(payload),
    }
}
