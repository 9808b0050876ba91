//! Messages: a `bytes` field whose content says to which call, direction and place it belongs.

use rpc_nostd::micropb::{
    DecodeError, MessageDecode, MessageEncode, PbDecoder, PbEncoder, PbRead, PbWrite, Presence, size,
};

use crate::random::mix;

/// A message with one `bytes` field, number 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl MessageEncode for Blob {
    const MAX_SIZE: Result<usize, &'static str> = Err("unbounded");

    fn encode<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        encoder.encode_varint32(TAG)?;
        encoder.encode_bytes(&self.0)
    }

    fn compute_size(&self) -> usize {
        encoded_len(self.0.len())
    }
}

impl MessageDecode for Blob {
    fn decode<R: PbRead>(
        &mut self,
        decoder: &mut PbDecoder<R>,
        len: usize,
    ) -> Result<(), DecodeError<R::Error>> {
        let end = decoder.bytes_read() + len;
        while decoder.bytes_read() < end {
            if decoder.decode_varint32()? != TAG {
                return Err(DecodeError::WrongWireType);
            }
            let mut octets = rpc_nostd::heapless::Vec::<u8, MAX_CONTENT>::new();
            decoder.decode_bytes(&mut octets, Presence::Explicit)?;
            self.0 = octets.to_vec();
        }
        Ok(())
    }
}

/// Which message: of a call, in a direction, at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The call's number.
    pub call: u32,
    /// A request, or else a response.
    pub request: bool,
    /// How many came before it.
    pub place: usize,
}

impl Name {
    /// The content of so many octets that this message of the simulation of `seed` has.
    pub fn content(self, seed: u64, len: usize) -> Vec<u8> {
        let name = u64::from(self.call) << 20 | (self.place as u64) << 1 | u64::from(self.request);
        let base = mix(seed ^ mix(name));
        (0..len as u64)
            .map(|index| (mix(base ^ (index / 8)) >> (index % 8 * 8)) as u8)
            .collect()
    }
}

/// Octets of a message whose content has `len`.
pub fn encoded_len(len: usize) -> usize {
    match len {
        0 => 0,
        len => 1 + size::sizeof_len_record(len),
    }
}

/// Octets of content of the message that takes `encoded` octets, or one less.
pub fn content_len(encoded: usize) -> usize {
    (0..encoded)
        .rev()
        .find(|len| encoded_len(*len) <= encoded)
        .unwrap_or(0)
}

/// The message as it is encoded.
pub fn encoded(message: &Blob) -> Vec<u8> {
    let mut octets = vec![0; message.compute_size()];
    message
        .encode(&mut PbEncoder::new(octets.as_mut_slice()))
        .expect("the slice has the computed size");
    octets
}

/// Octets of the longest content.
pub const MAX_CONTENT: usize = 16_384;
const TAG: u32 = 0x0a;
