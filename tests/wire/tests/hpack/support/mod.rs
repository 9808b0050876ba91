//! Shared by the tests: owned fields, whole blocks in one call.
#![allow(dead_code, reason = "each test uses a part of it")]

use hpack_lite::{BlockSummary, DecodeError, Decoder, Limits};

/// Name, value, never indexed.
pub(crate) type Owned = (Vec<u8>, Vec<u8>, bool);

/// No limits but the memory's.
pub(crate) const UNLIMITED: Limits = Limits {
    max_list_size: u32::MAX,
    max_fields: u16::MAX,
};

/// What a block came to: the fields yielded, and its end.
pub(crate) type Outcome = (Vec<Owned>, Result<BlockSummary, DecodeError>);

pub(crate) fn owned(name: &[u8], value: &[u8], never_indexed: bool) -> Owned {
    (name.to_vec(), value.to_vec(), never_indexed)
}

/// Decodes a block that arrives in `fragments`. After an error the block counts as ended. Truncated fields count as
/// skipped, and are left out here.
pub(crate) fn decode_fragments(decoder: &mut Decoder<'_>, fragments: &[&[u8]]) -> Outcome {
    let mut fields = Vec::new();
    for fragment in fragments {
        let mut rest = *fragment;
        loop {
            match decoder.decode(&mut rest) {
                Ok(Some(field)) if field.truncated => {}
                Ok(Some(field)) => fields.push(owned(field.name, field.value, field.never_indexed)),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.finish(), Err(error), "an error is final");
                    return (fields, Err(error));
                }
            }
        }
        assert!(rest.is_empty(), "None means that the fragment is used up");
    }
    let end = decoder.finish();
    (fields, end)
}

/// Decodes a whole block without skipped fields.
pub(crate) fn decode_block(decoder: &mut Decoder<'_>, block: &[u8]) -> Vec<Owned> {
    let (fields, end) = decode_fragments(decoder, &[block]);
    let summary = end.unwrap();
    assert_eq!(summary.skipped, 0);
    assert_eq!(summary.fields as usize, fields.len());
    assert_eq!(summary.encoded_size as usize, block.len());
    fields
}

/// Octets of a string of hexadecimal digits and spaces.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    assert_eq!(digits.len() % 2, 0);
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
