//! What the head and the small message make on the wire, and the largest request of the interop test.

use super::*;

#[test]
fn small_message_head_and_content_are_the_merged_message() {
    for body_len in [0, 1, 127, 128, 20_000] {
        check_sent(envelope(body_len));
        check_sent(simple(body_len));
        check_sent(simple(body_len).payload.unwrap());
    }
}

/// Sends `message` as small message, head and content; prost reads it as the same message, and so does the filter.
fn check_sent<M: Large>(message: M) {
    let mut small = message.clone();
    let body = core::mem::take(small.body().unwrap());
    let encoded = Encoded(small.encode_to_vec());
    let path = Path::new(M::PATH).unwrap();
    let head = LargeFieldHead::new(&path, encoded.message_len(), body.len()).unwrap();
    let before = head.after(&encoded);
    let mut sent = vec![0; before.message_len()];
    before.write_from(0, &mut sent);
    sent.extend_from_slice(&body);
    assert_eq!(sent.len(), head.message_len() as usize);
    assert_eq!(M::decode(sent.as_slice()).unwrap(), message);
    assert_eq!(check_against_prost::<M>(&sent).unwrap().0, body);
}

/// What a user of the crate has in place of [`SimpleRequest`]: no room for the body.
#[derive(Debug, Default, PartialEq)]
struct SmallRequest {
    response_size: i32,
    kind: Option<i32>,
    fill_username: bool,
}

struct SmallPayload<'m>(&'m mut i32);

impl MessageDecode for SmallRequest {
    fn decode<R: PbRead>(
        &mut self,
        decoder: &mut PbDecoder<R>,
        len: usize,
    ) -> Result<(), DecodeError<R::Error>> {
        let end = decoder.bytes_read() + len;
        while decoder.bytes_read() < end {
            let tag = decoder.decode_tag()?;
            match tag.field_num() {
                2 => self.response_size = decoder.decode_int32()?,
                3 => SmallPayload(self.kind.get_or_insert(0)).decode_len_delimited(decoder)?,
                4 => self.fill_username = decoder.decode_bool()?,
                _ => decoder.skip_wire_value(tag.wire_type())?,
            }
        }
        Ok(())
    }
}

impl MessageDecode for SmallPayload<'_> {
    fn decode<R: PbRead>(
        &mut self,
        decoder: &mut PbDecoder<R>,
        len: usize,
    ) -> Result<(), DecodeError<R::Error>> {
        let end = decoder.bytes_read() + len;
        while decoder.bytes_read() < end {
            let tag = decoder.decode_tag()?;
            match tag.field_num() {
                1 => *self.0 = decoder.decode_int32()?,
                2 => return Err(DecodeError::Capacity),
                _ => decoder.skip_wire_value(tag.wire_type())?,
            }
        }
        Ok(())
    }
}

#[test]
fn large_unary_request_of_271_828_octets_needs_a_small_scratch() {
    let request = simple(271_828);
    let message = request.encode_to_vec();
    let pieces: Vec<&[u8]> = message.chunks(1_369).collect();
    // 16 octets are too few, and 20,000 make the record's length take more octets than it must.
    for scratch_len in [64, 200, 20_000] {
        let mut scratch = vec![0xee; scratch_len];
        let (content, rest) =
            filter_pieces(SimpleRequest::PATH, message.len(), &pieces, &mut scratch).unwrap();
        assert_eq!(content, request.payload.clone().unwrap().body);
        let mut small = SmallRequest::default();
        crate::codec::decode(&rest, &mut small).unwrap();
        let expected = SmallRequest {
            response_size: 314_159,
            kind: Some(7),
            fill_username: true,
        };
        assert_eq!(small, expected);
    }
    let too_small = filter_pieces(SimpleRequest::PATH, message.len(), &pieces, &mut [0; 16]);
    assert!(matches!(too_small, Err(FilterError::ScratchTooSmall { .. })));
}
