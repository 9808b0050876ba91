//! A client of h2-lite, with requests under way, against any octets: as `server_bytes`.

use h2_lite::Role;

use crate::endpoint::compare_cuts;
use crate::wire::SERVER_GREETING;

/// Two octets choose the cuts and the habits of the application; the rest are instructions, see `wire.rs`.
pub fn client_bytes(data: &[u8]) {
    compare_cuts::<128>(Role::Client, data, &RESPONSES, SERVER_GREETING);
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
