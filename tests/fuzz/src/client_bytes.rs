//! A client of h2-lite, with requests under way, against any octets: as `server_bytes`.

use h2_lite::{Connection, EncoderEntry, Memory, Role, Stream};

use crate::endpoint::{Habits, SLOTS, Seen, run};
use crate::wire::{SERVER_GREETING, Wire};

/// Two octets choose the cuts and the habits of the application; the rest are instructions, see `wire.rs`.
pub fn client_bytes(data: &[u8]) {
    let Some(([cuts, bits], script)) = data.split_first_chunk() else {
        return;
    };
    let habits = Habits {
        role: Role::Client,
        bits: *bits,
    };
    let greeting = if habits.greets() { SERVER_GREETING } else { &[] };
    let wire = Wire::build(script, &RESPONSES, greeting);
    let whole = run_once(habits, wire.octets(), 0);
    whole.is_same(&run_once(habits, wire.octets(), *cuts));
}

fn run_once(habits: Habits, octets: &[u8], cuts: u8) -> Seen {
    let mut streams = [const { Stream::new() }; SLOTS];
    let mut send = [0; 256];
    let mut decoder_table = [0; 128];
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

/// Header blocks of servers, good ones first.
pub(crate) const RESPONSES: [&[u8]; 16] = [
    b"\x20\x88",
    b"\x88\x5f\x10application/grpc",
    b"\x88\x40\x0bgrpc-status\x010",
    b"\x00\x0bgrpc-status\x010",
    b"\xbe",
    b"\x08\x03100",
    b"\x88\x0f\x0d\x011",
    b"\x8d",
    b"\x00\x0cgrpc-message\x03%41",
    // Table size updates: the table has fewer octets than the initial 4,096.
    b"\x3f\x61\x88",
    // Malformed, each in its way.
    b"",
    b"\x88\x88",
    b"\x08\x0299",
    b"\x88\x84",
    b"\x88\x40\x01a\x01\x0a",
    b"\xff\xff\xff\xff\x0f",
];
