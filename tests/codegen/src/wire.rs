//! Octets of the wire format, written by hand.

use std::convert::Infallible;

use proptest::test_runner::TestRng;
use prost_reflect::{Kind, MessageDescriptor};
use rpc_nostd::micropb::PbWrite;

/// Takes what is written.
#[derive(Debug, Default)]
pub struct Sink(pub Vec<u8>);

impl PbWrite for Sink {
    type Error = Infallible;

    fn pb_write(&mut self, data: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(data);
        Ok(())
    }
}

/// Base-128, least significant group first.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut octets = Vec::new();
    while value >= 0x80 {
        octets.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    octets.push(value as u8);
    octets
}

/// Field number and wire type.
pub fn tag(number: u32, wire_type: u8) -> Vec<u8> {
    varint(u64::from(number) << 3 | u64::from(wire_type))
}

/// A field of wire type LEN.
pub fn len(number: u32, content: &[u8]) -> Vec<u8> {
    [tag(number, LEN), varint(content.len() as u64), content.to_vec()].concat()
}

/// A field of wire type VARINT.
pub fn int(number: u32, value: u64) -> Vec<u8> {
    [tag(number, VARINT), varint(value)].concat()
}

/// One field as it lies in a message: its number, its wire type, and its octets with the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Field number.
    pub number: u32,
    /// The low three bits of the tag.
    pub wire_type: u8,
    /// All octets of the field.
    pub octets: &'a [u8],
    /// What follows the tag, and the length if there is one.
    pub content: &'a [u8],
}

/// The fields of a valid message without groups.
///
/// # Panics
/// If it is none.
pub fn pieces(mut octets: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while !octets.is_empty() {
        let (tag, tag_len) = read_varint(octets);
        let wire_type = (tag & 7) as u8;
        let rest = &octets[tag_len..];
        let (skip, content) = match wire_type {
            VARINT => (0, read_varint(rest).1),
            I64 => (0, 8),
            I32 => (0, 4),
            LEN => {
                let (len, len_len) = read_varint(rest);
                (len_len, len as usize)
            }
            other => panic!("wire type {other}"),
        };
        let (field, next) = octets.split_at(tag_len + skip + content);
        pieces.push(Piece {
            number: u32::try_from(tag >> 3).expect("a field number"),
            wire_type,
            octets: field,
            content: &field[tag_len + skip..],
        });
        octets = next;
    }
    pieces
}

fn read_varint(octets: &[u8]) -> (u64, usize) {
    let mut value = 0;
    for (index, octet) in octets.iter().enumerate() {
        value |= u64::from(octet & 0x7f) << (7 * index);
        if octet & 0x80 == 0 {
            return (value, index + 1);
        }
    }
    panic!("no varint: {octets:?}")
}

/// Puts fields that the type does not have between those of a valid message, and of the messages in it.
pub fn with_unknown_fields(octets: &[u8], message: &MessageDescriptor, rng: &mut TestRng) -> Vec<u8> {
    let mut out = unknown_fields(message, rng);
    for piece in pieces(octets) {
        let field = message.get_field(piece.number);
        match field.map(|field| field.kind()) {
            Some(Kind::Message(inner)) => {
                out.extend(len(
                    piece.number,
                    &with_unknown_fields(piece.content, &inner, rng),
                ));
            }
            _ => out.extend_from_slice(piece.octets),
        }
        out.extend(unknown_fields(message, rng));
    }
    out
}

fn unknown_fields(message: &MessageDescriptor, rng: &mut TestRng) -> Vec<u8> {
    use proptest::prelude::Rng;
    let mut out = Vec::new();
    while rng.next_u32().is_multiple_of(2) {
        let most = if rng.next_u32().is_multiple_of(2) {
            30
        } else {
            MAX_FIELD_NUMBER
        };
        let number = 1 + rng.next_u32() % most;
        let is_reserved = (19_000..20_000).contains(&number);
        if is_reserved || message.get_field(number).is_some() {
            continue;
        }
        out.extend(match rng.next_u32() % 4 {
            0 => int(number, rng.next_u64() >> (rng.next_u32() % 64)),
            1 => [tag(number, I64), rng.next_u64().to_le_bytes().to_vec()].concat(),
            2 => [tag(number, I32), rng.next_u32().to_le_bytes().to_vec()].concat(),
            _ => len(number, &vec![0xff; (rng.next_u32() % 200) as usize]),
        });
    }
    out
}

/// Wire types.
pub const VARINT: u8 = 0;
/// Eight octets.
pub const I64: u8 = 1;
/// A length and as many octets.
pub const LEN: u8 = 2;
/// Start of a group.
pub const SGROUP: u8 = 3;
/// End of a group.
pub const EGROUP: u8 = 4;
/// Four octets.
pub const I32: u8 = 5;
/// The largest number that a field can have.
pub const MAX_FIELD_NUMBER: u32 = (1 << 29) - 1;
