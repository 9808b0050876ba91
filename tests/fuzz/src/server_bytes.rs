//! A server of h2-lite against any octets: no cut changes what happens, what it sends is right, and all slots come back.

use h2_lite::Role;

use crate::endpoint::compare_cuts;
use crate::wire::CLIENT_GREETING;

/// Two octets choose the cuts and the habits of the application; the rest are instructions, see `wire.rs`.
pub fn server_bytes(data: &[u8]) {
    compare_cuts::<4_096>(Role::Server, data, &REQUESTS, CLIENT_GREETING);
}

/// Header blocks of clients, good ones first.
pub(crate) const REQUESTS: [&[u8]; 16] = [
    b"\x83\x86\x84\x41\x01a",
    b"\x82\x86\x84\xbe",
    b"\x83\x86\x44\x04/a/b\x01\x01a\x40\x02te\x08trailers",
    b"\x83\x86\x84\x01\x01a\x0f\x0d\x011",
    // Trailers.
    b"\x00\x01x\x01y",
    b"\x10\x0dgrpc-timeout\x021S",
    b"",
    // Table size updates.
    b"\x20\x3f\xe1\x1f\x83\x86\x84\x41\x01a",
    // Huffman code.
    b"\x83\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
    // Malformed, each in its way.
    b"\x83\x86",
    b"\x83\x83\x86\x84",
    b"\x83\x86\x84\x40\x01A\x01a",
    b"\x83\x86\x84\x40\x0aconnection\x05close",
    b"\x83\x86\x84\x40\x01a\x01\x0a",
    b"\xff\xff\xff\xff\x0f",
    b"\x83\x86\x84\x40\x01a\x7f\x00",
];
