//! A client and a server of h2-lite, joined: whatever two applications do and however the octets travel, neither side
//! fails, all that was sent arrives in order, and in the end windows and slots are back.

use h2_lite::{
    Budget, Budgets, Config, Connection, EncoderEntry, ErrorCode, Instant, Memory, Role, Stream, UseError,
};

use crate::calls::{Call, content, note, number};
use crate::fields::{REQUEST, STATUS, TRAILER};
use crate::sent::Sent;

/// The first octet chooses sizes; each three octets after it are one step: what, on which stream, how much.
pub fn end_to_end(data: &[u8]) {
    let Some((sizes, steps)) = data.split_first() else {
        return;
    };
    let server_slots = if sizes & 1 == 0 { SLOTS } else { SLOTS - 1 };
    let send = 140 + usize::from(sizes >> 1) * 4;
    let mut streams = [const { Stream::new() }; 2 * SLOTS];
    let (client_streams, server_streams) = streams.split_at_mut(SLOTS);
    let (mut client_send, mut server_send) = ([0; 700], [0; 700]);
    let (mut client_table, mut server_table) = ([0; 128], [0; 4_096]);
    let mut entries = [EncoderEntry::new(); 4];
    let (client_entries, server_entries) = entries.split_at_mut(2);
    let mut scratch = [0; 128];
    let (client_scratch, server_scratch) = scratch.split_at_mut(64);
    let client = Memory {
        streams: client_streams,
        send: &mut client_send[..send],
        decoder_table: &mut client_table,
        encoder_table: client_entries,
        scratch: client_scratch,
    };
    let server = Memory {
        streams: &mut server_streams[..server_slots],
        send: &mut server_send[..send],
        decoder_table: &mut server_table,
        encoder_table: server_entries,
        scratch: server_scratch,
    };
    let mut pair = Pair {
        sides: [Side::new(Role::Client, client), Side::new(Role::Server, server)],
        sent: [[0; MAX_STREAMS]; 2],
        now: Instant::from_millis(1),
    };
    for step in steps.chunks_exact(3).take(MAX_STEPS) {
        pair.step(step[0], step[1], usize::from(step[2]));
    }
    pair.finish();
}

/// Both sides. Side 0 is the client.
struct Pair<'m> {
    sides: [Side<'m>; 2],
    /// Octets of DATA that each side sent, by stream.
    sent: [[u32; MAX_STREAMS]; 2],
    now: Instant,
}

struct Side<'m> {
    conn: Connection<'m>,
    output: Sent,
    /// On the way to this side.
    pipe: [u8; PIPE],
    waiting: usize,
    calls: [Call; SLOTS],
    goes_away: bool,
}

impl<'m> Side<'m> {
    fn new(role: Role, memory: Memory<'m>) -> Self {
        let many = Budget::new(u16::MAX, 0);
        let budgets = Budgets {
            peer_resets: many,
            glitches: many,
            pings: many,
            settings: many,
            control: many,
            discarded: many,
            ..Budgets::default()
        };
        let config = Config {
            initial_window_size: WINDOW,
            budgets,
            ..Config::default()
        };
        Self {
            conn: Connection::new(role, config, memory).expect("memory that is enough"),
            output: Sent::new(role),
            pipe: [0; PIPE],
            waiting: 0,
            calls: [Call::default(); SLOTS],
            goes_away: false,
        }
    }

    fn is_idle(&self) -> bool {
        self.calls.iter().all(|call| call.key.is_none())
    }
}

impl Pair<'_> {
    fn step(&mut self, what: u8, slot: u8, amount: usize) {
        let side = usize::from(what & 1);
        let slot = usize::from(slot) % SLOTS;
        match what >> 1 & 0x0f {
            0 => self.open(slot, amount & 1 == 1),
            1 | 2 => self.send(side, slot, amount << (what >> 6)),
            3 => self.respond(slot),
            4 => self.end(side, slot),
            5 if amount < 0x40 => self.reset(side, slot, amount),
            5 | 6 => self.release(side, slot, amount as u32),
            7 => {
                let result = self.sides[side].conn.send_ping([what; 8]);
                assert!(matches!(result, Ok(()) | Err(UseError::WrongState)));
            }
            8 if amount == 0 => self.go_away(side, what >> 7 == 0),
            9 => self.now = self.now.saturating_add_millis(amount as u64 / 4),
            10..=12 => {
                self.write(side, amount.max(1));
            }
            13 | 14 => {
                self.read(side, amount.max(1));
            }
            _ => {
                self.write(side, usize::MAX);
                self.read(1 - side, usize::MAX);
            }
        }
    }

    fn open(&mut self, slot: usize, end: bool) {
        let Side { conn, .. } = &mut self.sides[0];
        match conn.send_request(
            slot as u8,
            &|push| REQUEST.into_iter().for_each(push),
            end,
            self.now,
        ) {
            Ok(key) => {
                let before = &mut self.sides[0].calls[slot];
                assert!(before.may_be_over(0), "the slot was in use");
                *before = Call {
                    key: Some(key),
                    begun: true,
                    ended: end,
                    ..Call::default()
                };
            }
            Err(UseError::NoRoom | UseError::SlotBusy | UseError::TooManyStreams | UseError::GoingAway) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn respond(&mut self, slot: usize) {
        let side = &mut self.sides[1];
        let call = &mut side.calls[slot];
        let Some(key) = call.key.filter(|_| !call.begun) else {
            return;
        };
        match side
            .conn
            .send_response(key, &|push| push(STATUS), false, self.now)
        {
            Ok(()) => call.begun = true,
            Err(UseError::NoRoom) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn send(&mut self, side: usize, slot: usize, amount: usize) {
        let Side { conn, calls, .. } = &mut self.sides[side];
        let call = calls[slot];
        let Some(key) = call.key.filter(|_| call.begun && !call.ended) else {
            return;
        };
        let room = match conn.data_room(key) {
            Ok(room) => room,
            Err(error) => {
                assert!(call.may_be_over(side), "{error}");
                calls[slot].key = None;
                return;
            }
        };
        let len = room.min(amount);
        if len == 0 {
            return;
        }
        let sent = &mut self.sent[side][number(key)];
        let start = *sent;
        let mut fill = |to: &mut [u8]| {
            assert_eq!(to.len(), len);
            for (octet, at) in to.iter_mut().zip(start..) {
                *octet = content(side, at);
            }
        };
        conn.send_data(key, len, false, &mut fill, self.now)
            .expect("there is room");
        *sent += len as u32;
    }

    fn end(&mut self, side: usize, slot: usize) {
        let Side { conn, calls, .. } = &mut self.sides[side];
        let call = &mut calls[slot];
        let Some(key) = call.key.filter(|_| call.begun && !call.ended) else {
            return;
        };
        let result = if side == 0 {
            conn.send_data(key, 0, true, &mut |_| (), self.now)
        } else {
            conn.send_trailers(key, &|push| push(TRAILER), self.now)
        };
        match result {
            Ok(()) => call.ended = true,
            Err(UseError::NoRoom) => {}
            Err(error) => {
                assert!(call.may_be_over(side), "{error}");
                call.key = None;
            }
        }
        call.forget_if_over();
    }

    fn reset(&mut self, side: usize, slot: usize, amount: usize) {
        let Side { conn, calls, .. } = &mut self.sides[side];
        if let Some(key) = calls[slot].key.take() {
            let code = if amount & 1 == 0 {
                ErrorCode::CANCEL
            } else {
                ErrorCode::NO_ERROR
            };
            conn.reset_stream(key, code);
        }
    }

    fn release(&mut self, side: usize, slot: usize, amount: u32) {
        let Side { conn, calls, .. } = &mut self.sides[side];
        let call = &mut calls[slot];
        if let Some(key) = call.key {
            let octets = amount.min(call.unread);
            conn.release_capacity(key, octets);
            call.unread -= octets;
            if call.unread == 0 {
                conn.require_capacity(key, WINDOW);
            }
        }
    }

    fn go_away(&mut self, side: usize, gently: bool) {
        let Side { conn, goes_away, .. } = &mut self.sides[side];
        *goes_away = true;
        if gently {
            conn.shut_down(self.now);
        } else {
            conn.go_away(ErrorCode::NO_ERROR, self.now);
        }
    }

    /// Moves up to `most` octets of output into the other side's pipe. True if any.
    fn write(&mut self, side: usize, most: usize) -> bool {
        let [client, server] = &mut self.sides;
        let (from, to) = if side == 0 {
            (client, server)
        } else {
            (server, client)
        };
        let most = most.min(PIPE - to.waiting);
        if most == 0 {
            return false;
        }
        let Some(transmit) = from.conn.take_transmit(self.now) else {
            return false;
        };
        let written = transmit.bytes().len().min(most);
        let octets = &transmit.bytes()[..written];
        from.output.take(octets);
        to.pipe[to.waiting..to.waiting + written].copy_from_slice(octets);
        to.waiting += written;
        from.conn.give_back(transmit, written, self.now);
        true
    }

    /// Reads up to `most` octets of what is in the pipe. True if any.
    fn read(&mut self, side: usize, most: usize) -> bool {
        let sent = &self.sent[1 - side];
        let Side {
            conn,
            pipe,
            waiting,
            calls,
            ..
        } = &mut self.sides[side];
        let most = most.min(*waiting);
        let mut input = &pipe[..most];
        while let Some(event) = conn
            .handle_input(&mut input, self.now)
            .expect("neither side fails")
        {
            note(event, side, calls, sent);
        }
        assert!(input.is_empty() || !conn.wants_input());
        let taken = most - input.len();
        pipe.copy_within(taken..*waiting, 0);
        *waiting -= taken;
        taken > 0
    }

    /// Both applications come to an end, and the transport takes everything.
    fn finish(&mut self) {
        for _ in 0..MAX_ROUNDS {
            let mut moved = self.travel();
            for slot in 0..SLOTS {
                self.respond(slot);
                for side in 0..2 {
                    let before = self.sides[side].calls[slot];
                    self.release(side, slot, u32::MAX);
                    self.end(side, slot);
                    let after = self.sides[side].calls[slot];
                    moved |= before.ended != after.ended || before.unread != after.unread;
                }
            }
            if !moved && self.sides.iter().all(Side::is_idle) {
                return self.check_the_end();
            }
        }
        panic!("calls without end");
    }

    fn travel(&mut self) -> bool {
        let mut moved = false;
        for side in 0..2 {
            while self.write(side, usize::MAX) {
                moved = true;
                self.read(1 - side, usize::MAX);
            }
            moved |= self.read(1 - side, usize::MAX);
        }
        moved
    }

    fn check_the_end(&mut self) {
        let goes_away = self.sides.iter().any(|side| side.goes_away);
        for (number, side) in self.sides.iter_mut().enumerate() {
            assert_eq!(side.conn.error(), None);
            assert_eq!(side.waiting, 0, "octets that nobody reads");
            assert!(!side.conn.wants_transmit());
            assert!(side.conn.settings_acknowledged() && side.conn.settings_received());
            assert_eq!(side.conn.is_closed(), side.goes_away);
            side.output.check_goodbye(None);
            let slots = if number == 0 || side.conn.is_free(SLOTS as u8 - 1) {
                SLOTS
            } else {
                SLOTS - 1
            };
            assert!(
                (0..slots as u8).all(|slot| side.conn.is_free(slot)),
                "a slot is lost"
            );
            assert_eq!(side.conn.poll_timeout(), None, "nothing is waited for");
        }
        let [client, server] = &self.sides;
        for (from, to) in [(client, server), (server, client)] {
            let outstanding = from.output.data() - to.output.credit();
            assert!(
                outstanding < CREDIT_DUE,
                "{outstanding} octets of the connection's window are lost"
            );
        }
        if !goes_away {
            self.one_more_call();
        }
    }

    /// A call with more content than its windows have room for, in both directions.
    fn one_more_call(&mut self) {
        self.open(0, false);
        let wanted = 2 * WINDOW as usize + 1;
        let key = self.sides[0].calls[0]
            .key
            .expect("the connection is as good as new");
        let mut left = [wanted; 2];
        for _ in 0..MAX_ROUNDS {
            self.travel();
            for slot in 0..SLOTS {
                self.respond(slot);
                for (side, left) in left.iter_mut().enumerate() {
                    if self.sides[side].calls[slot].key == Some(key) || side == 1 {
                        let before = self.sent[side][number(key)];
                        self.send(side, slot, *left);
                        *left -= (self.sent[side][number(key)] - before) as usize;
                    }
                    self.release(side, slot, u32::MAX);
                }
            }
            if left == [0, 0] {
                return;
            }
        }
        panic!("credit does not come back");
    }
}

const SLOTS: usize = 3;
const WINDOW: u32 = 100;
const MAX_STEPS: usize = 64;
/// One a step, and the last call.
const MAX_STREAMS: usize = MAX_STEPS + 1;
/// Octets on the way, in each direction.
const PIPE: usize = 1_024;
/// More than the octets that can wait, in rounds of at least one frame.
const MAX_ROUNDS: usize = 2_000;
/// Octets received before they are credited to the connection.
const CREDIT_DUE: u64 = 32_768;
