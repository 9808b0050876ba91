//! One endpoint of h2-lite, an application that answers by rule, and an eye on what it sends.

use h2_lite::{
    Budget, Budgets, Config, Connection, EncoderEntry, ErrorCode, Event, Instant, Memory, Role, Section,
    Stream, StreamKey, UseError,
};

use crate::fields::{REQUEST, STATUS, TRAILER};
use crate::pieces::{Dice, Pieces};
use crate::sent::Sent;
use crate::wire::Wire;

/// What an application does; both runs of an input have the same.
#[derive(Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) role: Role,
    /// Which bits mean what is said where they are read.
    pub(crate) bits: u8,
}

impl Habits {
    /// Writes after each event, not only when it must.
    fn writes_at_once(self) -> bool {
        self.bits & 0x01 != 0
    }

    /// Ends a server's answer only after the request's end.
    fn waits_for_the_end(self) -> bool {
        self.bits & 0x02 != 0
    }

    /// Every second stream is given up once its first section is there.
    fn gives_up(self, key: StreamKey) -> bool {
        self.bits & 0x0c == 0x0c && key.id.value() & 2 == 0
    }

    fn shuts_down_at_ping(self) -> bool {
        self.bits & 0x30 == 0x30
    }

    fn greets(self) -> bool {
        self.bits & 0x40 == 0
    }

    pub(crate) fn config(self) -> Config {
        let few = Budget::new(2, 1);
        let budgets = Budgets {
            peer_resets: few,
            glitches: few,
            pings: few,
            settings: few,
            control: few,
            discarded: few,
            data_overhead: 2_000,
            continuations: 2,
            header_block_size: 300,
        };
        Config {
            initial_window_size: WINDOW,
            max_header_list_size: 300,
            max_header_fields: 8,
            budgets: if self.bits & 0x80 == 0 {
                Budgets::default()
            } else {
                budgets
            },
            ..Config::default()
        }
    }
}

/// Two octets choose the cuts and the habits of the application; the rest are instructions, see `wire.rs`. The endpoint's
/// decoder has a table of `TABLE` octets, and its peer the header blocks and the greeting.
pub(crate) fn compare_cuts<const TABLE: usize>(
    role: Role,
    data: &[u8],
    blocks: &[&[u8]; 16],
    greeting: &[u8],
) {
    let Some(([cuts, bits], script)) = data.split_first_chunk() else {
        return;
    };
    let habits = Habits { role, bits: *bits };
    let wire = Wire::build(script, blocks, if habits.greets() { greeting } else { &[] });
    let whole = run_once::<TABLE>(habits, wire.octets(), 0);
    whole.is_same(&run_once::<TABLE>(habits, wire.octets(), *cuts));
}

fn run_once<const TABLE: usize>(habits: Habits, octets: &[u8], cuts: u8) -> Seen {
    let mut streams = [const { Stream::new() }; SLOTS];
    let mut send = [0; 256];
    let mut decoder_table = [0; TABLE];
    let mut encoder_table = [EncoderEntry::new(); 2];
    let mut scratch = [0; 64];
    let memory = Memory {
        streams: &mut streams,
        send: &mut send,
        decoder_table: &mut decoder_table,
        encoder_table: &mut encoder_table,
        scratch: &mut scratch,
    };
    let mut conn = Connection::new(habits.role, habits.config(), memory).expect("memory that is enough");
    run(&mut conn, habits, octets, cuts)
}

/// What can be seen of a run from outside.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    /// Of all events, in order.
    events: u64,
    /// Of all octets sent, unless they were written at once: then the cuts decide where credit is worth a frame.
    output: Option<u64>,
    error: Option<ErrorCode>,
}

impl Seen {
    /// Asserts that the cuts made no difference.
    pub(crate) fn is_same(&self, other: &Self) {
        // A header block that is both too long and broken is refused for either, whichever comes to light first.
        let too_long = |error| {
            matches!(
                error,
                Some(ErrorCode::ENHANCE_YOUR_CALM | ErrorCode::COMPRESSION_ERROR)
            )
        };
        if !(too_long(self.error) && too_long(other.error)) {
            assert_eq!(self, other);
        }
    }
}

/// Runs a connection from its first octet to its end.
pub(crate) fn run(conn: &mut Connection<'_>, habits: Habits, octets: &[u8], cuts: u8) -> Seen {
    let mut app = App::new(conn, habits);
    app.begin();
    for piece in Pieces::new(octets, cuts) {
        if !app.feed(piece) {
            break;
        }
    }
    app.end()
}

struct App<'c, 'm> {
    conn: &'c mut Connection<'m>,
    habits: Habits,
    now: Instant,
    sent: Sent,
    dice: Dice,
    log: u64,
    /// The stream of the last event, if that was DATA.
    in_data: Option<StreamKey>,
    /// Received and not yet released, by slot.
    unread: [(u32, u32); SLOTS],
    /// The last stream that each slot had.
    known: [Option<StreamKey>; SLOTS],
    requests: u8,
}

impl<'c, 'm> App<'c, 'm> {
    fn new(conn: &'c mut Connection<'m>, habits: Habits) -> Self {
        Self {
            conn,
            habits,
            now: Instant::from_millis(1_000),
            sent: Sent::new(habits.role),
            dice: Dice::new(habits.bits),
            log: 0xcbf2_9ce4_8422_2325,
            in_data: None,
            unread: [(0, 0); SLOTS],
            known: [None; SLOTS],
            requests: 0,
        }
    }

    fn begin(&mut self) {
        if self.habits.role == Role::Client {
            for slot in 0..SLOTS as u8 {
                self.request(slot, slot % 2 == 0);
            }
        }
        self.write();
    }

    fn request(&mut self, slot: u8, end: bool) {
        let result = self
            .conn
            .send_request(slot, &|push| REQUEST.into_iter().for_each(push), end, self.now);
        match result {
            Ok(key) => {
                self.known[usize::from(slot)] = Some(key);
                self.requests += 1;
            }
            Err(UseError::InvalidField | UseError::WrongState) => panic!("{result:?}"),
            Err(_) => {}
        }
    }

    /// False once the connection has failed.
    fn feed(&mut self, mut input: &[u8]) -> bool {
        loop {
            let event = match self.conn.handle_input(&mut input, self.now) {
                Ok(Some(event)) => Happened::from(event, &mut self.log, &mut self.in_data),
                Ok(None) if input.is_empty() => return true,
                Ok(None) => {
                    assert!(!self.conn.wants_input(), "octets are left although it wants some");
                    self.write();
                    assert!(self.conn.wants_input(), "writing made no room");
                    continue;
                }
                Err(error) => {
                    assert_eq!(self.conn.error(), Some(error));
                    return false;
                }
            };
            self.react(event);
            // In the middle of DATA the cuts would show in what happens next.
            if self.habits.writes_at_once() && !matches!(event, Happened::Data(_, _, false)) {
                self.write();
            }
        }
    }

    fn react(&mut self, event: Happened) {
        if let Happened::Section(key, ..) | Happened::Field(key) = event {
            self.known[usize::from(key.slot)] = Some(key);
        }
        match (event, self.habits.role) {
            (Happened::Section(key, ..), _) if self.habits.gives_up(key) => {
                self.conn.reset_stream(key, ErrorCode::CANCEL);
            }
            (Happened::Section(key, Section::Headers, end), Role::Server) => self.answer(key, end),
            (Happened::Section(key, _, true), _) => self.finish(key),
            (Happened::Data(key, len, end), _) => {
                self.consume(key, len);
                if end {
                    self.finish(key);
                }
            }
            (Happened::Pong, _) if self.habits.shuts_down_at_ping() => self.conn.shut_down(self.now),
            (Happened::Settings, _) => {
                let _ = self.conn.send_ping([7; 8]);
            }
            (Happened::Reset(key), Role::Client) if self.requests < 12 => self.request(key.slot, true),
            _ => {}
        }
    }

    /// A request has begun.
    fn answer(&mut self, key: StreamKey, end: bool) {
        let result = self
            .conn
            .send_response(key, &|push| push(STATUS), false, self.now);
        if matches!(result, Err(UseError::InvalidField | UseError::TooLarge { .. }))
            && self.conn.peer_settings().max_header_list_size > 100
        {
            panic!("{result:?}");
        }
        self.send(key, 40);
        if end || !self.habits.waits_for_the_end() {
            self.finish(key);
        }
    }

    /// The peer has no more to say on this stream.
    fn finish(&mut self, key: StreamKey) {
        match self.habits.role {
            Role::Server => {
                let _ = self.conn.send_trailers(key, &|push| push(TRAILER), self.now);
            }
            Role::Client => {
                self.send(key, 20);
                let _ = self.conn.send_data(key, 0, true, &mut |_| (), self.now);
                if self.conn.is_free(key.slot) && self.requests < 12 {
                    self.request(key.slot, false);
                }
            }
        }
    }

    fn send(&mut self, key: StreamKey, most: usize) {
        let Ok(room) = self.conn.data_room(key) else {
            return;
        };
        let len = room.min(most);
        if len > 0 {
            self.conn
                .send_data(key, len, false, &mut |to| to.fill(b'a'), self.now)
                .expect("there is room");
        }
        assert!(
            self.conn
                .send_data(key, room + 1, false, &mut |_| (), self.now)
                .is_err()
        );
    }

    /// Releases what arrived in steps that do not depend on how it arrived.
    fn consume(&mut self, key: StreamKey, len: usize) {
        let place = &mut self.unread[usize::from(key.slot)];
        if place.0 != key.id.value() {
            *place = (key.id.value(), 0);
        }
        place.1 += len as u32;
        while self.unread[usize::from(key.slot)].1 >= STEP {
            self.unread[usize::from(key.slot)].1 -= STEP;
            self.conn.release_capacity(key, STEP);
            if self.habits.writes_at_once() {
                self.write();
            }
        }
    }

    /// Moves all output to the wire, in pieces.
    fn write(&mut self) {
        while let Some(transmit) = self.conn.take_transmit(self.now) {
            let len = transmit.bytes().len();
            assert!(len > 0, "an empty write");
            let written = match self.dice.roll() {
                roll @ 0..0x40 => len.min(1 + usize::from(roll)),
                _ => len,
            };
            self.sent.take(&transmit.bytes()[..written]);
            self.conn.give_back(transmit, written, self.now);
        }
        assert!(!self.conn.wants_transmit(), "there was something to take");
    }

    fn end(mut self) -> Seen {
        self.write();
        let error = self.conn.error();
        let seen = Seen {
            events: self.log,
            output: (!self.habits.writes_at_once()).then(|| self.sent.hash()),
            error: error.map(|error| error.code),
        };
        self.sent.check_goodbye(error.map(|error| error.code));
        assert!(error.is_none() || self.conn.is_closed());
        self.everything_comes_back();
        self.deadlines_come_to_an_end();
        seen
    }

    fn everything_comes_back(&mut self) {
        for key in self.known.into_iter().flatten() {
            self.conn.reset_stream(key, ErrorCode::CANCEL);
        }
        self.write();
        // The application does not know of a stream whose first header block has not ended.
        let open = (0..SLOTS as u8).filter(|slot| !self.conn.is_free(*slot)).count();
        let unknown = usize::from(self.habits.role == Role::Server);
        // On a connection that failed nobody was told of the others.
        assert!(open <= unknown || self.conn.error().is_some(), "a slot is lost");
        self.conn.reset(self.now);
        assert!((0..SLOTS as u8).all(|slot| self.conn.is_free(slot)));
    }

    fn deadlines_come_to_an_end(&mut self) {
        for _ in 0..8 {
            let Some(due) = self.conn.poll_timeout() else {
                return;
            };
            self.now = self.now.max(due);
            let _ = self.conn.handle_timeout(self.now);
            let next = self.conn.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "a deadline stays due");
        }
        panic!("deadlines without end");
    }
}

/// An event, without what it borrows.
#[derive(Clone, Copy)]
enum Happened {
    Section(StreamKey, Section, bool),
    Data(StreamKey, usize, bool),
    Reset(StreamKey),
    Field(StreamKey),
    Settings,
    Pong,
    Other,
}

impl Happened {
    /// Adds `event` to the log: so that DATA is the same in whatever pieces.
    fn from(event: Event<'_>, log: &mut u64, in_data: &mut Option<StreamKey>) -> Self {
        let mut note = |octets: &[u8]| {
            for octet in octets {
                *log = (*log ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        let continues = |stream| matches!(event, Event::Data { stream: key, .. } if key == stream);
        if !in_data.is_some_and(continues) {
            *in_data = None;
            note(&[0xfe]);
        }
        match event {
            Event::Data {
                stream,
                bytes,
                end_stream,
            } => {
                assert!(end_stream || !bytes.is_empty(), "an event of nothing");
                if in_data.is_none() {
                    note(&stream.id.value().to_be_bytes());
                }
                note(bytes);
                note(if end_stream { b"end" } else { b"" });
                *in_data = Some(stream).filter(|_| !end_stream);
                Self::Data(stream, bytes.len(), end_stream)
            }
            Event::HeaderField {
                stream,
                section,
                field,
            } => {
                note(&[1, section as u8, stream.slot, field.name.len() as u8]);
                note(field.name);
                note(field.value);
                assert!(!field.name.is_empty() && !field.name.iter().any(u8::is_ascii_uppercase));
                assert!(!field.value.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n')));
                Self::Field(stream)
            }
            Event::HeadersEnd {
                stream,
                section,
                end_stream,
                skipped,
            } => {
                note(&[2, section as u8, stream.slot, u8::from(end_stream), skipped as u8]);
                note(&stream.id.value().to_be_bytes());
                Self::Section(stream, section, end_stream)
            }
            other => Self::of_the_rest(other, &mut note),
        }
    }

    /// Events that bring nothing of a message.
    fn of_the_rest(event: Event<'_>, note: &mut dyn FnMut(&[u8])) -> Self {
        match event {
            Event::Reset { stream, code, origin } => {
                note(&[3, stream.slot, code.0 as u8, origin as u8]);
                Self::Reset(stream)
            }
            Event::Settings => {
                note(&[4]);
                Self::Settings
            }
            Event::WindowUpdate { stream } => {
                note(&[5, stream.map_or(0xff, |stream| stream.slot)]);
                Self::Other
            }
            Event::GoAway {
                last_stream_id, code, ..
            } => {
                note(&[6, last_stream_id.value() as u8, code.0 as u8]);
                Self::Other
            }
            Event::PingAck { payload } => {
                note(&payload);
                Self::Pong
            }
            Event::HeaderField { .. } | Event::HeadersEnd { .. } | Event::Data { .. } => Self::Other,
        }
    }
}

/// Stream slots of each endpoint.
pub(crate) const SLOTS: usize = 3;

/// Octets of a stream's receive window.
const WINDOW: u32 = 128;

/// Octets that are released at a time.
const STEP: u32 = 32;
