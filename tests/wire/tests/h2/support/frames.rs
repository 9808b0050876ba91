//! Frames as octets, written out by hand so that the tests do not trust the codecs under test.

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const END_STREAM: u8 = 0x1;
pub const ACK: u8 = 0x1;
pub const END_HEADERS: u8 = 0x4;
pub const PADDED: u8 = 0x8;
pub const PRIORITY: u8 = 0x20;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    octets.extend([kind, flags]);
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

pub fn data(stream: u32, payload: &[u8], flags: u8) -> Vec<u8> {
    frame(0, flags, stream, payload)
}

/// DATA with `pad` octets of padding.
pub fn padded_data(stream: u32, payload: &[u8], pad: u8, flags: u8) -> Vec<u8> {
    let padded = [&[pad][..], payload, &vec![0; usize::from(pad)]].concat();
    frame(0, flags | PADDED, stream, &padded)
}

pub fn headers(stream: u32, block: &[u8], flags: u8) -> Vec<u8> {
    frame(1, flags, stream, block)
}

pub fn priority(stream: u32, dependency: u32) -> Vec<u8> {
    frame(2, 0, stream, &[&dependency.to_be_bytes()[..], &[15]].concat())
}

pub fn rst_stream(stream: u32, code: u32) -> Vec<u8> {
    frame(3, 0, stream, &code.to_be_bytes())
}

pub fn settings(entries: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = entries
        .iter()
        .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    frame(4, 0, 0, &payload)
}

pub fn settings_ack() -> Vec<u8> {
    frame(4, ACK, 0, &[])
}

pub fn push_promise(stream: u32, promised: u32, block: &[u8]) -> Vec<u8> {
    frame(
        5,
        END_HEADERS,
        stream,
        &[&promised.to_be_bytes()[..], block].concat(),
    )
}

pub fn ping(payload: [u8; 8]) -> Vec<u8> {
    frame(6, 0, 0, &payload)
}

pub fn ping_ack(payload: [u8; 8]) -> Vec<u8> {
    frame(6, ACK, 0, &payload)
}

pub fn go_away(last: u32, code: u32, debug: &[u8]) -> Vec<u8> {
    frame(
        7,
        0,
        0,
        &[&last.to_be_bytes()[..], &code.to_be_bytes(), debug].concat(),
    )
}

pub fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(8, 0, stream, &increment.to_be_bytes())
}

pub fn continuation(stream: u32, block: &[u8], flags: u8) -> Vec<u8> {
    frame(9, flags, stream, block)
}

/// A header block of plain literals without indexing (RFC 7541 section 6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields
        .iter()
        .flat_map(|(name, value)| literal(name.as_bytes(), value.as_bytes()))
        .collect()
}

pub fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut octets = vec![0];
    for text in [name, value] {
        octets.extend(integer(text.len()));
        octets.extend(text);
    }
    octets
}

/// An integer with a 7-bit prefix (RFC 7541 section 5.1).
fn integer(mut value: usize) -> Vec<u8> {
    if value < 127 {
        return vec![value as u8];
    }
    let mut octets = vec![127];
    value -= 127;
    while value >= 128 {
        octets.push((value % 128) as u8 | 0x80);
        value /= 128;
    }
    octets.push(value as u8);
    octets
}

/// `:status: 200`, as one index of the static table.
pub const STATUS_200: &[u8] = &[0x88];

/// Octets cut into whole frames.
pub fn split(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    if let Some(rest) = octets.strip_prefix(PREFACE) {
        frames.push(PREFACE.to_vec());
        octets = rest;
    }
    while !octets.is_empty() {
        let len = 9 + (usize::from(octets[0]) << 16 | usize::from(octets[1]) << 8 | usize::from(octets[2]));
        frames.push(octets[..len].to_vec());
        octets = &octets[len..];
    }
    frames
}
