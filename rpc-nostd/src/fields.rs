//! What generated decoders call for the rules of protobuf that micropb's own functions do not keep.
//!
//! Spec: Protocol Buffers encoding.

use micropb::{DecodeError, PbDecoder, PbRead, Tag};

/// Reads the number and the wire type of a field.
///
/// # Errors
/// Of a number that no field can have: 0, or more than 29 bits.
pub fn decode_tag<R: PbRead>(decoder: &mut PbDecoder<R>) -> Result<Tag, DecodeError<R::Error>> {
    let tag = u32::try_from(decoder.decode_varint64()?).map_err(|_| DecodeError::VarIntLimit)?;
    let [low, ..] = tag.to_le_bytes();
    match tag >> 3 {
        0 => Err(DecodeError::ZeroField),
        number => Ok(Tag::from_parts(number, low & 7)),
    }
}

/// Any number but 0 is true, however many bits it has.
///
/// # Errors
/// Those of a varint.
pub fn decode_bool<R: PbRead>(decoder: &mut PbDecoder<R>) -> Result<bool, DecodeError<R::Error>> {
    Ok(decoder.decode_varint64()? != 0)
}

/// Reads past the value of a field that the message does not have; `tag` has been read. A group is such a value too, with
/// all that is in it.
///
/// # Errors
/// Of a value that is none, of a group that does not end as it began, and of groups that lie deeper than 16.
pub fn skip_field<R: PbRead>(decoder: &mut PbDecoder<R>, tag: Tag) -> Result<(), DecodeError<R::Error>> {
    let mut open = [0; MAX_GROUP_DEPTH];
    let mut depth: usize = 0;
    let mut tag = tag;
    loop {
        match tag.wire_type() {
            WIRE_TYPE_SGROUP => {
                *open.get_mut(depth).ok_or(DecodeError::NestingLimit)? = tag.field_num();
                depth = depth.saturating_add(1);
            }
            WIRE_TYPE_EGROUP => {
                depth = depth.checked_sub(1).ok_or(DecodeError::UnknownWireType)?;
                if open.get(depth) != Some(&tag.field_num()) {
                    return Err(DecodeError::UnknownWireType);
                }
            }
            other => decoder.skip_wire_value(other)?,
        }
        if depth == 0 {
            return Ok(());
        }
        tag = decode_tag(decoder)?;
    }
}

/// Reads one entry of a `map` field, whose key and value have `wire_types`: what is left out is its default. Never `None`.
///
/// Spec: Protocol Buffers encoding, "Maps".
///
/// # Errors
/// Those of `key` and `value`, and of octets that are no entry.
pub fn decode_map_entry<R: PbRead, K: Default, V: Default>(
    decoder: &mut PbDecoder<R>,
    wire_types: [u8; 2],
    key: impl Fn(&mut K, &mut PbDecoder<R>) -> Result<(), DecodeError<R::Error>>,
    value: impl Fn(&mut V, &mut PbDecoder<R>) -> Result<(), DecodeError<R::Error>>,
) -> Result<Option<(K, V)>, DecodeError<R::Error>> {
    let [key_type, value_type] = wire_types;
    let len = usize::try_from(decoder.decode_varint32()?).unwrap_or(usize::MAX);
    let end = decoder.bytes_read().saturating_add(len);
    let mut entry = (K::default(), V::default());
    while decoder.bytes_read() < end {
        let tag = decode_tag(decoder)?;
        match (tag.field_num(), tag.wire_type()) {
            (1, found) if found == key_type => key(&mut entry.0, decoder)?,
            (2, found) if found == value_type => value(&mut entry.1, decoder)?,
            (1 | 2, _) => return Err(DecodeError::WrongWireType),
            _ => skip_field(decoder, tag)?,
        }
    }
    if decoder.bytes_read() > end {
        return Err(DecodeError::WrongLen);
    }
    Ok(Some(entry))
}

/// Groups in groups that are skipped: nobody writes more, and each costs four octets of stack.
const MAX_GROUP_DEPTH: usize = 16;
/// Start of a group.
const WIRE_TYPE_SGROUP: u8 = 3;
/// End of a group.
const WIRE_TYPE_EGROUP: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// Spec: Protocol Buffers encoding, "Maps"
    #[test]
    fn a_map_entry_without_key_or_value_has_its_default() {
        let read = |octets: &[u8]| {
            let mut decoder = PbDecoder::new(octets);
            let update = |to: &mut u32, decoder: &mut PbDecoder<&[u8]>| {
                *to = decoder.decode_varint32()?;
                Ok(())
            };
            decode_map_entry(&mut decoder, [0; 2], update, update)
        };
        assert_eq!(read(&[0]), Ok(Some((0, 0))));
        assert_eq!(read(&[2, 0x08, 7]), Ok(Some((7, 0))));
        assert_eq!(read(&[2, 0x10, 7]), Ok(Some((0, 7))));
        assert_eq!(
            read(&[6, 0x10, 7, 0x18, 9, 0x08, 1]),
            Ok(Some((1, 7))),
            "field 3 is skipped"
        );
        assert_eq!(read(&[1, 0x08, 7]), Err(DecodeError::WrongLen));
        assert!(read(&[3, 0x08, 7]).is_err(), "an octet is missing");
        assert_eq!(read(&[2, 0x0a, 0]), Err(DecodeError::WrongWireType));
        assert_eq!(read(&[2, 0x00, 0]), Err(DecodeError::ZeroField));
    }

    #[test]
    fn a_tag_of_more_than_32_bits_is_refused_and_not_cut() {
        let read = |octets: &[u8]| decode_tag(&mut PbDecoder::new(octets));
        let largest = [0xf8, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(read(&largest), Ok(Tag::from_parts((1 << 29) - 1, 0)));
        assert_eq!(
            read(&[0xf8, 0xff, 0xff, 0xff, 0x1f]),
            Err(DecodeError::VarIntLimit)
        );
        assert_eq!(
            read(&[0x98, 0x80, 0x80, 0x80, 0x80, 0x01]),
            Err(DecodeError::VarIntLimit)
        );
        assert_eq!(read(&[0x05]), Err(DecodeError::ZeroField));
    }

    #[test]
    fn a_bool_is_true_whichever_of_its_64_bits_is_set() {
        let read = |octets: &[u8]| decode_bool(&mut PbDecoder::new(octets));
        assert_eq!(read(&[0x80, 0x00]), Ok(false));
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]), Ok(true));
    }

    #[test]
    fn a_group_is_skipped_to_its_own_end() {
        let skip = |octets: &[u8]| {
            let mut decoder = PbDecoder::new(octets);
            let tag = decode_tag(&mut decoder)?;
            skip_field(&mut decoder, tag)?;
            Ok(decoder.bytes_read())
        };
        assert_eq!(skip(&[0x0b, 0x0c, 0xff]), Ok(2));
        assert_eq!(
            skip(&[0x0b, 0x12, 1, 0xff, 0x0b, 0x08, 1, 0x0c, 0x0c, 0xff]),
            Ok(9),
            "one in another"
        );
        assert_eq!(
            skip(&[0x0b, 0x14]),
            Err(DecodeError::UnknownWireType),
            "the end of another"
        );
        assert_eq!(
            skip(&[0x0c]),
            Err(DecodeError::UnknownWireType),
            "an end without a beginning"
        );
        assert_eq!(skip(&[0x0b, 0x08, 1]), Err(DecodeError::UnexpectedEof));
        let nested = |depth| [vec![0x0b; depth], vec![0x0c; depth]].concat();
        assert_eq!(skip(&nested(MAX_GROUP_DEPTH)), Ok(2 * MAX_GROUP_DEPTH));
        assert_eq!(skip(&nested(MAX_GROUP_DEPTH + 1)), Err(DecodeError::NestingLimit));
    }
}
